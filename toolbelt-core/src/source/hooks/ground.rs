//! What is there: which git, which folder of hooks, and who is in charge of each hook.

use std::path::{Path, PathBuf};

use super::git_program::{ask, place};
use super::write::is_executable;
use super::{Error, GitVersion, Way, entry, shim, state};
use crate::source::file;
use crate::source::git::repository::GitRepository;
use crate::subject::hook::Hook;

/// The largest file of a hook manager that is read.
const MAX_BYTES: u64 = 4 << 20;
/// Where lefthook looks for its configuration, as far as it is YAML.
const LEFTHOOK: [&str; 6] = [
    "lefthook.yml",
    "lefthook.yaml",
    ".lefthook.yml",
    ".lefthook.yaml",
    ".config/lefthook.yml",
    ".config/lefthook.yaml",
];
/// Where pre-commit does, and prek.
const PRE_COMMIT: &str = ".pre-commit-config.yaml";

/// What is there.
#[derive(Debug)]
pub struct Ground {
    pub(super) repository: GitRepository,
    /// The git on the path.
    pub git: GitVersion,
    /// Where git looks for hooks, or would without us.
    pub folder: PathBuf,
    /// Whether the user's or the system's configuration says so, for all repositories.
    pub is_shared: bool,
    /// Where the configuration says so.
    pub(super) origin: Option<String>,
    /// The folder of hooks of the repository's own, where git looks for it and it is not: the repository was moved.
    pub(super) astray: Option<PathBuf>,
}

/// Who is in charge of a hook, and what we make of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Charge {
    pub(super) way: Way,
    /// The file that is written.
    pub(super) path: PathBuf,
    pub(super) note: Option<String>,
}

impl Ground {
    /// Looks around.
    ///
    /// # Errors
    ///
    /// If git cannot be asked.
    pub fn look(repository: GitRepository) -> Result<Self, Error> {
        let said = ask(&repository, &["version"])?;
        let said = String::from_utf8_lossy(&said.stdout);
        let git = GitVersion::parse(&said).ok_or_else(|| {
            let why = format!("says `{}`, expected a version", said.trim());
            Error::Git { command: "version".to_owned(), why }
        })?;
        let arguments =
            ["config", "--null", "--show-scope", "--show-origin", "--type=path", "--get-all", "core.hooksPath"];
        let said = ask(&repository, &arguments)?.stdout;
        let (mut configured, mut astray) = (None, None);
        let ours = read(&repository.common_dir().join("config")).unwrap_or_default();
        // Scope, origin and value in turn; what counts most comes last.
        let words: Vec<_> = said.split(|byte| *byte == 0).collect();
        for said in words.chunks_exact(3) {
            let (scope, folder) = (said[0], place(&repository).join(file::path_of(said[2].to_vec())));
            // What a command line says holds for that command; what we said is not the user's.
            if scope == b"command" || state::is_own_hooks(&repository, &folder) {
                continue;
            }
            if scope == b"local" && entry::names_hooks_path(&ours, &folder.to_string_lossy()) {
                astray = Some(folder);
            } else {
                let origin = String::from_utf8_lossy(said[1]).trim_start_matches("file:").to_owned();
                configured = Some((folder, matches!(scope, b"global" | b"system"), Some(origin)));
            }
        }
        let usual = || (repository.common_dir().join("hooks"), false, None);
        let (folder, is_shared, origin) = configured.unwrap_or_else(usual);
        Ok(Self { repository, git, folder, is_shared, origin, astray })
    }

    /// Whether nobody commits here.
    pub fn is_bare(&self) -> bool {
        self.repository.root().is_none()
    }

    /// Whether somebody wants no hooks: what is there can hold none, such as `/dev/null`.
    pub(super) fn is_switched_off(&self) -> bool {
        self.folder.metadata().is_ok_and(|metadata| !metadata.is_dir())
    }

    /// The file with git's configuration of this repository.
    pub(super) fn configuration(&self) -> PathBuf {
        self.repository.common_dir().join("config")
    }

    /// Who is in charge of a hook.
    pub(super) fn charge(&self, hook: Hook) -> Charge {
        if self.git >= GitVersion::WITH_CONFIGURED_HOOKS {
            return Charge { way: Way::Configuration, path: self.configuration(), note: None };
        }
        if let Some(folder) = self.husky() {
            return Charge { way: Way::Husky, path: folder.join(hook.as_str()), note: None };
        }
        if self.is_shared {
            let path = state::own_hooks(&self.repository).join(hook.as_str());
            let note = if self.is_switched_off() {
                "hooks are switched off for all repositories; in this one they run".to_owned()
            } else {
                format!("the hooks in `{}` still run", self.folder.display())
            };
            return Charge { way: Way::OwnFolder, path, note: Some(note) };
        }
        let path = self.folder.join(hook.as_str());
        let there = file::read(&path, MAX_BYTES).unwrap_or_default();
        let note = match self.manager(hook, &String::from_utf8_lossy(&there)) {
            Some(Ok(charge)) => return charge,
            Some(Err(note)) => Some(note),
            None => self.idle_manager(),
        };
        Charge { way: Way::Shim, path, note }
    }

    /// The entry for the manager that wrote a hook, or why there can be none.
    fn manager(&self, hook: Hook, there: &str) -> Option<Result<Charge, String>> {
        let root = self.repository.root()?;
        if shim::is_ours(there.as_bytes()) {
            return None;
        }
        let path = self.folder.join(hook.as_str());
        let runs = |manager: &str| {
            let why = format!("the hook of {manager} may not be executed, so that git does not run it");
            if is_executable(&path) { Ok(()) } else { Err(why) }
        };
        if is_pre_commit(there) {
            if let Err(why) = runs("pre-commit") {
                return Some(Err(why));
            }
            if hook == Hook::PrePush {
                return Some(Err("pre-commit does not hand on what is pushed, so it runs behind ours".to_owned()));
            }
            let path = root.join(PRE_COMMIT);
            return Some(match read(&path).map(|text| entry::pre_commit(&text, &[hook])) {
                Some(Ok(_)) => {
                    let note = "commit this file: pre-commit runs nothing while it is changed and not staged";
                    Ok(Charge { way: Way::PreCommit, path, note: Some(note.to_owned()) })
                }
                Some(Err(why)) => Err(format!("`{PRE_COMMIT}` was left alone: {why}")),
                None => Err(format!("pre-commit is in charge, without a `{PRE_COMMIT}`")),
            });
        }
        if is_lefthook(there, hook) {
            if let Err(why) = runs("lefthook") {
                return Some(Err(why));
            }
            let found = LEFTHOOK.iter().map(|name| root.join(name)).find_map(|path| Some((read(&path)?, path)));
            return Some(match found {
                Some((text, path)) => match entry::lefthook(&text, &[hook]) {
                    Ok(_) => Ok(Charge { way: Way::Lefthook, path, note: lefthook_note(hook) }),
                    Err(why) => Err(format!("`{}` was left alone: {why}", path.display())),
                },
                None => Err("lefthook is in charge, with a configuration that is no YAML".to_owned()),
            });
        }
        None
    }

    /// A manager whose configuration is there though it is not in charge.
    fn idle_manager(&self) -> Option<String> {
        let root = self.repository.root()?;
        let name = [PRE_COMMIT].iter().chain(&LEFTHOOK).find(|name| root.join(name).is_file())?;
        Some(format!("`{name}` is there, but this hook is not installed by its manager"))
    }

    /// The folder of husky's scripts, where husky is in charge.
    pub(super) fn husky(&self) -> Option<&Path> {
        let is_husky = |folder: &Path| folder.file_name().is_some_and(|name| name == ".husky");
        match self.folder.parent() {
            // The folder `_` is husky's own, and written anew by every install.
            Some(parent) if self.folder.ends_with("_") && is_husky(parent) => Some(parent),
            _ => is_husky(&self.folder).then_some(self.folder.as_path()),
        }
    }

    /// Files that may have lines of ours, whoever is in charge now.
    pub(super) fn files_of_others(&self) -> Vec<PathBuf> {
        let mut files = vec![self.configuration()];
        if let Some(root) = self.repository.root() {
            files.extend([PRE_COMMIT].iter().chain(&LEFTHOOK).map(|name| root.join(name)));
            files.extend(Hook::ALL.iter().map(|hook| root.join(".husky").join(hook.as_str())));
        }
        if let Some(folder) = self.husky() {
            files.extend(Hook::ALL.iter().map(|hook| folder.join(hook.as_str())));
        }
        files.sort();
        files.dedup();
        files
    }

    /// Files that may be scripts of ours.
    pub(super) fn scripts(&self) -> Vec<PathBuf> {
        let mut scripts = Vec::new();
        let mut folders = vec![self.repository.common_dir().join("hooks")];
        if !self.is_shared {
            // One that is for all repositories may be that of another one, which put its own there.
            folders.push(self.folder.clone());
        }
        for folder in folders {
            for hook in Hook::ALL {
                scripts.push(folder.join(hook.as_str()));
                // Where a manager that came later has put it.
                scripts.push(folder.join(format!("{}.legacy", hook.as_str())));
                scripts.push(folder.join(format!("{}.old", hook.as_str())));
            }
        }
        let own = state::own_hooks(&self.repository);
        scripts.extend(file::names(&own).unwrap_or_default().into_iter().map(|name| own.join(name)));
        scripts.sort();
        scripts.dedup();
        scripts
    }
}

/// Whether pre-commit or prek wrote a hook: both say so at its start.
fn is_pre_commit(there: &str) -> bool {
    let says = |line: &str| ["pre-commit", "prek"].iter().any(|name| line == format!("# File generated by {name}"));
    there.lines().take(3).filter_map(|line| line.split_once(": ")).any(|(line, _)| says(line))
}

/// Whether lefthook wrote a hook: its last line is `call_lefthook run "pre-commit" "$@"`, which was one word for the shell
/// once.
fn is_lefthook(there: &str, hook: Hook) -> bool {
    let calls = |line: &str| {
        let Some(words) = line.trim().strip_prefix("call_lefthook ") else { return false };
        let mut words = words.split([' ', '"']).filter(|word| !word.is_empty());
        words.next() == Some("run") && words.next() == Some(hook.as_str())
    };
    there.lines().any(calls)
}

fn lefthook_note(hook: Hook) -> Option<String> {
    let note = "lefthook leaves out its commands when a push changes no file, as one that deletes or moves refs alone";
    (hook == Hook::PrePush).then(|| note.to_owned())
}

/// A file as text; none if it is not there, or no text of a size that somebody wrote.
pub(super) fn read(path: &Path) -> Option<String> {
    file::read_text(path, MAX_BYTES).ok()
}
