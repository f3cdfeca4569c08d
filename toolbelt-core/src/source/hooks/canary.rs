//! Proves that a hook fires: something that it has to see is put where git would show it to the hook, and the hook is run
//! as git runs it.
//!
//! The index, the objects and the message are scratch, so that nothing of the repository changes. The hooks of others are
//! not run: ours sees from a variable that it is a trial, and ends the run.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use super::ground::Ground;
use super::program;
use super::{Error, GitVersion, Step, Way, entry};
use crate::source::git;
use crate::subject::hook::Hook;

/// The variable that names the file in which our hook says what it saw.
pub const VARIABLE: &str = "TOOLBELT_CANARY";
/// The file that holds what has to be seen.
const PATH: &str = "toolbelt-canary.txt";
/// The ref that a push would make.
const REF: &str = "refs/heads/toolbelt-canary";
/// How long a hook may take: longer than one that only looks at the canary does on any machine.
const LIMIT: Duration = Duration::from_mins(1);

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

/// Tries an installed hook with this value, which our rules take for a secret.
///
/// # Errors
///
/// [`Error`] if the scratch files cannot be made or git cannot be started. A hook that fails is none.
pub fn try_hook(ground: &Ground, step: &Step, value: &str) -> Result<Trial, Error> {
    let folder = tempfile::tempdir().map_err(Error::file("write", "a temporary folder"))?;
    let scratch = Scratch { ground, folder: folder.path() };
    let (arguments, input) = scratch.prepare(step.hook, value)?;
    let (command, name) = match scratch.command(step, &arguments)? {
        Ok(command) => command,
        Err(why) => return Ok(Trial::Silent(why)),
    };
    let output = program::run(command, &input, LIMIT, &name)?;
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
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let code = output.status.code().map_or("was killed".to_owned(), |code| format!("ended with exit code {code}"));
    if last.is_empty() { format!("it {code}, and ours did not run") } else { format!("it {code}: {last}") }
}

struct Scratch<'a> {
    ground: &'a Ground,
    folder: &'a Path,
}

/// A command with the name that errors give it, or why there is nothing to run.
type Runnable = Result<(Command, String), String>;

impl Scratch<'_> {
    fn answer(&self) -> PathBuf {
        self.folder.join("answer")
    }

    /// Puts the canary where the hook looks; returns its arguments and its standard input.
    fn prepare(&self, hook: Hook, value: &str) -> Result<(Vec<OsString>, Vec<u8>), Error> {
        let objects = self.folder.join("objects");
        fs::create_dir_all(&objects).map_err(Error::file("write", &objects))?;
        let text = format!("A trial of `git toolbelt protect doctor`.\ntoken = \"{value}\"\n");
        if hook == Hook::CommitMsg {
            let path = self.folder.join("COMMIT_EDITMSG");
            fs::write(&path, &text).map_err(Error::file("write", &path))?;
            return Ok((vec![path.into_os_string()], Vec::new()));
        }
        let blob = self.git(&["hash-object", "-w", "--stdin"], text.as_bytes())?;
        if hook.is_before_commit() {
            let index = self.ground.repository.index_path();
            if index.is_file() {
                let copy = self.index();
                fs::copy(index, &copy).map_err(Error::file("write", &copy))?;
            }
            self.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{PATH}")], b"")?;
            return Ok((Vec::new(), Vec::new()));
        }
        let tree = self.git(&["mktree"], format!("100644 blob {blob}\t{PATH}\n").as_bytes())?;
        let commit = self.git(&["commit-tree", &tree, "-m", "A trial"], b"")?;
        let nothing = "0".repeat(commit.len());
        Ok(match hook {
            Hook::PreReceive => (Vec::new(), format!("{nothing} {commit} {REF}\n").into_bytes()),
            _ => {
                let remote = ["toolbelt-canary", "file:///dev/null"].map(OsString::from).to_vec();
                (remote, format!("{REF} {commit} {REF} {nothing}\n").into_bytes())
            }
        })
    }

    fn index(&self) -> PathBuf {
        self.folder.join("index")
    }

    /// Runs git with the scratch index and objects.
    fn git(&self, arguments: &[&str], input: &[u8]) -> Result<String, Error> {
        let name = arguments.join(" ");
        let mut command = self.with_scratch(OsStr::new("git"));
        command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
        let output = program::run(command, input, LIMIT, &name)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        let why = format!("failed ({})", output.status);
        Err(Error::Repository(git::Error::Program { command: name, why }))
    }

    /// A program in the place of hooks, with the variables that git sets for them.
    fn with_scratch(&self, program: &OsStr) -> Command {
        let repository = &self.ground.repository;
        let mut command = program::command(repository, program);
        let mut alternates = OsString::new();
        for folder in repository.object_directories() {
            if !alternates.is_empty() {
                alternates.push(if cfg!(windows) { ";" } else { ":" });
            }
            alternates.push(folder);
        }
        command
            .env("GIT_DIR", repository.git_dir())
            .env("GIT_INDEX_FILE", self.index())
            .env("GIT_OBJECT_DIRECTORY", self.folder.join("objects"))
            .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", alternates)
            .env("GIT_EDITOR", ":");
        if repository.git_dir() != repository.common_dir() {
            command.env("GIT_COMMON_DIR", repository.common_dir());
        }
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "toolbelt").env(format!("GIT_{role}_EMAIL"), "toolbelt@localhost");
        }
        command
    }

    /// What runs the hook.
    fn command(&self, step: &Step, arguments: &[OsString]) -> Result<Runnable, Error> {
        let name = step.hook.as_str();
        match step.way {
            Way::Configuration => self.configured(step.hook, arguments),
            Way::PreCommit | Way::Lefthook => {
                // Running the manager would run the hooks of others: only what it was told to run for us is run.
                let command = format!("git-toolbelt hook {name} -- \"$@\"");
                Ok(Ok(self.shell(&command, arguments)))
            }
            Way::Shim | Way::OwnFolder | Way::Husky => {
                let git = self.ground.git;
                let can_run = git >= GitVersion::WITH_HOOK_RUN && git < GitVersion::WITH_CONFIGURED_HOOKS;
                // Git gives its hooks no input here; those that have one are run as it runs them.
                if can_run && step.hook.is_before_commit() {
                    let mut command = self.trial(OsStr::new("git"));
                    command.args(["hook", "run", name, "--"]).args(arguments).stdin(Stdio::null());
                    return Ok(Ok((command, format!("hook run {name}"))));
                }
                let path =
                    program::ask(&self.ground.repository, &["rev-parse", "--git-path", &format!("hooks/{name}")])?;
                let path = String::from_utf8_lossy(&path.stdout).trim().to_owned();
                let path = program::place(&self.ground.repository).join(path);
                if !super::write::is_executable(&path) {
                    return Ok(Err(format!("git looks for it in `{}`, where nothing can be run", path.display())));
                }
                let mut command = self.trial(path.as_os_str());
                command.args(arguments).stdin(Stdio::null());
                Ok(Ok((command, name.to_owned())))
            }
        }
    }

    /// The command of git's configuration, run as git runs it.
    fn configured(&self, hook: Hook, arguments: &[OsString]) -> Result<Runnable, Error> {
        let name = entry::configured_name(hook);
        let value = |key: &str| -> Result<String, Error> {
            let said = program::ask(&self.ground.repository, &["config", "--get", &format!("hook.{name}.{key}")])?;
            Ok(String::from_utf8_lossy(&said.stdout).trim_end_matches(['\n', '\r']).to_owned())
        };
        if value("event")? != hook.as_str() {
            return Ok(Err(format!("`hook.{name}.event` is not `{}`", hook.as_str())));
        }
        if matches!(value("enabled")?.as_str(), "false" | "no" | "off" | "0") {
            return Ok(Err(format!("`hook.{name}.enabled` is off")));
        }
        let command = value("command")?;
        Ok(Ok(self.shell(&format!("{command} \"$@\""), arguments)))
    }

    fn shell(&self, line: &str, arguments: &[OsString]) -> (Command, String) {
        let mut command = self.trial(OsStr::new("sh"));
        command.args(["-c", line, "sh"]).args(arguments).stdin(Stdio::null());
        (command, line.to_owned())
    }

    fn trial(&self, program: &OsStr) -> Command {
        let mut command = self.with_scratch(program);
        command.env(VARIABLE, self.answer()).stderr(Stdio::piped());
        command
    }
}
