//! Proves that a hook fires: something that it has to see is put where git would show it to the hook, and the hook is run
//! as git runs it.
//!
//! The index, the objects and the message are scratch, so that nothing of the repository changes. The hooks of others are
//! not run: ours sees from a variable that it is a trial, and ends the run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use super::git_program::{self, ask, place};
use super::ground::{self, Ground};
use super::write::is_executable;
use super::{Error, GitVersion, Step, Way, entry};
use crate::source::program::{Program, last_lines};
use crate::subject::hook::Hook;

/// The variable that names the file in which our hook says what it saw.
pub const VARIABLE: &str = "TOOLBELT_CANARY";
/// The file that holds what has to be seen.
const PATH: &str = "toolbelt-canary.txt";
/// The ref that a push would make.
const REF: &str = "refs/heads/toolbelt-canary";

/// What came of a trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trial {
    /// The hook fired and saw it.
    Seen,
    /// The hook fired and did not see it: the policy wants it so.
    NotSeen,
    /// The hook did not fire; why, as far as that can be told.
    Silent(String),
}

/// Tries an installed hook with this value, which our rules take for a secret. It has a minute of time.
///
/// # Errors
///
/// [`Error`] if the scratch files cannot be made or something cannot be run. A hook that fails is none.
pub fn try_hook(ground: &Ground, step: &Step, value: &str) -> Result<Trial, Error> {
    let folder = tempfile::tempdir().map_err(Error::file("write", "a temporary folder"))?;
    let scratch = Scratch { ground, folder: folder.path() };
    let told = scratch.prepare(step.hook, value)?;
    let call = match scratch.call(step)? {
        Ok(call) => call,
        Err(why) => return Ok(Trial::Silent(why)),
    };
    let variables = scratch.variables(true);
    let mut program = Program::new(&call[0], place(&ground.repository), &variables);
    program = program.arguments(&call[1..]).arguments(told.arguments);
    program.input = told.input;
    let output = program.run()?;
    let answer = fs::read_to_string(scratch.answer()).unwrap_or_default();
    Ok(match answer.trim().split_once(' ') {
        Some((hook, "seen")) if hook == step.hook.as_str() => Trial::Seen,
        Some((hook, _)) if hook == step.hook.as_str() => Trial::NotSeen,
        _ => Trial::Silent(silence(&output)),
    })
}

/// Says in the file that the variable names what a hook saw.
///
/// # Errors
///
/// If it cannot be written.
pub fn answer(path: &Path, hook: Hook, is_seen: bool) -> Result<(), Error> {
    let said = format!("{} {}\n", hook.as_str(), if is_seen { "seen" } else { "not-seen" });
    fs::write(path, said).map_err(Error::file("write", path))
}

/// Whether a path is that of the canary, or of the message that holds it.
pub fn is_canary(path: &str) -> bool {
    path == PATH || path == "COMMIT_EDITMSG"
}

/// Why nothing was heard.
fn silence(output: &Output) -> String {
    let code = output.status.code().map_or("was killed".to_owned(), |code| format!("ended with exit code {code}"));
    match last_lines(&output.stderr, 1) {
        said if said.is_empty() => format!("it {code}, and ours did not run"),
        said => format!("it {code}: {said}"),
    }
}

struct Scratch<'a> {
    ground: &'a Ground,
    folder: &'a Path,
}

/// What git tells a hook.
#[derive(Debug, Default)]
struct Told {
    arguments: Vec<String>,
    input: Vec<u8>,
}

/// A program with its first arguments, or why there is nothing to run.
type Call = Result<Vec<String>, String>;

impl Scratch<'_> {
    /// Where our hook says what it saw.
    fn answer(&self) -> PathBuf {
        self.folder.join("answer")
    }

    /// Puts the canary where the hook looks.
    fn prepare(&self, hook: Hook, value: &str) -> Result<Told, Error> {
        let objects = self.folder.join("objects");
        fs::create_dir_all(&objects).map_err(Error::file("write", &objects))?;
        let text = format!("A trial of `git toolbelt protect doctor`.\ntoken = \"{value}\"\n");
        if hook == Hook::CommitMsg {
            let path = self.folder.join("COMMIT_EDITMSG");
            fs::write(&path, &text).map_err(Error::file("write", &path))?;
            return Ok(Told { arguments: vec![path.to_string_lossy().into_owned()], input: Vec::new() });
        }
        let blob = self.git(&["hash-object", "-w", "--stdin"], text.as_bytes())?;
        if hook.is_before_commit() {
            let index = self.ground.repository.index_path();
            if index.is_file() {
                fs::copy(index, self.index()).map_err(Error::file("write", self.index()))?;
            }
            self.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{PATH}")], b"")?;
            return Ok(Told::default());
        }
        let tree = self.git(&["mktree"], format!("100644 blob {blob}\t{PATH}\n").as_bytes())?;
        let commit = self.git(&["commit-tree", &tree, "-m", "A trial"], b"")?;
        let nothing = "0".repeat(commit.len());
        Ok(match hook {
            Hook::PreReceive => {
                Told { arguments: Vec::new(), input: format!("{nothing} {commit} {REF}\n").into_bytes() }
            }
            _ => Told {
                arguments: ["toolbelt-canary", "file:///dev/null"].map(str::to_owned).to_vec(),
                input: format!("{REF} {commit} {REF} {nothing}\n").into_bytes(),
            },
        })
    }

    fn index(&self) -> PathBuf {
        self.folder.join("index")
    }

    /// Runs git with the scratch index and objects.
    fn git(&self, arguments: &[&str], input: &[u8]) -> Result<String, Error> {
        let variables = self.variables(false);
        let place = place(&self.ground.repository);
        let mut program = Program::new("git", place, &variables).arguments(arguments.iter().copied());
        program.input = input.to_vec();
        let output = program.run()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        Err(Error::Git { command: arguments.join(" "), why: format!("failed: {}", last_lines(&output.stderr, 1)) })
    }

    /// The variables that git sets for hooks, with everything that is written in the scratch folder.
    fn variables(&self, is_trial: bool) -> BTreeMap<String, String> {
        let repository = &self.ground.repository;
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut variables = git_program::variables(repository);
        let mut set = |name: &str, value: String| variables.insert(name.to_owned(), value);
        set("GIT_DIR", text(repository.git_dir()));
        set("GIT_INDEX_FILE", text(&self.index()));
        set("GIT_OBJECT_DIRECTORY", text(&self.folder.join("objects")));
        set("GIT_ALTERNATE_OBJECT_DIRECTORIES", repository.alternates());
        set("GIT_EDITOR", ":".to_owned());
        if repository.git_dir() != repository.common_dir() {
            set("GIT_COMMON_DIR", text(repository.common_dir()));
        }
        for role in ["AUTHOR", "COMMITTER"] {
            set(&format!("GIT_{role}_NAME"), "toolbelt".to_owned());
            set(&format!("GIT_{role}_EMAIL"), "toolbelt@localhost".to_owned());
        }
        if is_trial {
            set(VARIABLE, text(&self.answer()));
        }
        variables
    }

    /// What runs the hook.
    fn call(&self, step: &Step) -> Result<Call, Error> {
        let name = step.hook.as_str();
        match step.way {
            Way::Configuration => self.configured(step.hook),
            // Running the manager would run the hooks of others, and some change the work tree around them: only what it
            // was told to run for us is run, where git would run the manager.
            Way::PreCommit | Way::Lefthook => Ok(match self.file(name)? {
                Err(why) => Err(why),
                Ok(_) => match ground::read(&step.path).and_then(|text| entry::command(&text, step.hook)) {
                    Some(command) => Ok(shell(&command)),
                    None => Err(format!("its entry in `{}` is gone", step.path.display())),
                },
            }),
            Way::Shim | Way::OwnFolder | Way::Husky => {
                let git = self.ground.git;
                let can_run = git >= GitVersion::WITH_HOOK_RUN && git < GitVersion::WITH_CONFIGURED_HOOKS;
                // Git gives its hooks no input here; those that have one are run as it runs them.
                if can_run && step.hook.is_before_commit() {
                    return Ok(Ok(["git", "hook", "run", name, "--"].map(str::to_owned).to_vec()));
                }
                Ok(self.file(name)?.map(|path| vec![path.to_string_lossy().into_owned()]))
            }
        }
    }

    /// The file that git runs, or why it runs none.
    fn file(&self, name: &str) -> Result<Result<PathBuf, String>, Error> {
        let repository = &self.ground.repository;
        let said = ask(repository, &["rev-parse", "--git-path", &format!("hooks/{name}")])?;
        let path = place(repository).join(String::from_utf8_lossy(&said.stdout).trim_end_matches(['\r', '\n']));
        if is_executable(&path) {
            return Ok(Ok(path));
        }
        Ok(Err(format!("git looks for it in `{}`, where nothing can be run", path.display())))
    }

    /// The command of git's configuration, run as git runs it.
    fn configured(&self, hook: Hook) -> Result<Call, Error> {
        let name = entry::configured_name(hook);
        let value = |key: &str| -> Result<String, Error> {
            let said = ask(&self.ground.repository, &["config", "--get", &format!("hook.{name}.{key}")])?;
            Ok(String::from_utf8_lossy(&said.stdout).trim_end_matches(['\n', '\r']).to_owned())
        };
        if value("event")? != hook.as_str() {
            return Ok(Err(format!("`hook.{name}.event` is not `{}`", hook.as_str())));
        }
        if matches!(value("enabled")?.as_str(), "false" | "no" | "off" | "0") {
            return Ok(Err(format!("`hook.{name}.enabled` is off")));
        }
        Ok(Ok(shell(&value("command")?)))
    }
}

/// A line for the shell, with the arguments that follow behind it.
fn shell(line: &str) -> Vec<String> {
    vec!["sh".to_owned(), "-c".to_owned(), format!("{line} \"$@\""), "sh".to_owned()]
}
