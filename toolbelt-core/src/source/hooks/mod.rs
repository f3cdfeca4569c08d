//! Where git's hooks are, who is in charge of them, and how ours are put there and taken away again.
//!
//! Ours are recognised by what is written in them, never by memory alone: a shim by its second line, an entry in somebody
//! else's file by the lines around it. So what was moved, copied or half done can always be told from what is not ours.

mod block;
pub mod canary;
mod entry;
mod git_program;
mod ground;
pub mod install;
pub mod previous;
mod shim;
mod state;
pub mod uninstall;
mod write;

use std::fmt;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{git, program};
use crate::subject::hook::Hook;

pub use ground::Ground;

/// How a hook comes to call us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// `hook.<name>.command` in git's own configuration, which git knows from 2.54 on.
    Configuration,
    /// An entry in the file of pre-commit or prek.
    PreCommit,
    /// An entry in the file of lefthook.
    Lefthook,
    /// Lines in the script that husky runs.
    Husky,
    /// A script in the folder of hooks, which runs the hook that was there too.
    Shim,
    /// The same in a folder of the repository's own, as the folder that the user set for all repositories is not ours.
    OwnFolder,
}

impl Way {
    /// In words, for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "git configuration",
            Self::PreCommit => "entry of pre-commit",
            Self::Lefthook => "entry of lefthook",
            Self::Husky => "script of husky",
            Self::Shim => "hook file",
            Self::OwnFolder => "hook file in a folder of its own",
        }
    }
}

/// One thing that installing does, or would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The hook.
    pub hook: Hook,
    /// How it will call us.
    pub way: Way,
    /// The file that is written.
    pub path: PathBuf,
    /// Whether it is as it should be already.
    pub is_done: bool,
    /// The hook that was there, by the name that it has from now on.
    pub previous: Option<PathBuf>,
    /// What the reader should know.
    pub note: Option<String>,
}

/// Why hooks could not be installed, taken out or tried.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The repository could not be read.
    #[error(transparent)]
    Repository(#[from] git::Error),
    /// Git, or a hook, could not be run to its end.
    #[error(transparent)]
    Program(#[from] program::Error),
    /// Git did not do what it was asked.
    #[error("`git {command}` {why}")]
    Git {
        /// Its arguments.
        command: String,
        /// What it said, or how it ended.
        why: String,
    },
    /// A file could not be read or written.
    #[error("cannot {what} `{}`", path.display())]
    File {
        /// What was tried: `read`, `write`, `rename`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is there is not ours to move.
    #[error("`{}` is in the way: {why}", path.display())]
    InTheWay {
        /// The file.
        path: PathBuf,
        /// Why it cannot stay.
        why: &'static str,
    },
    /// A folder of hooks that has to be named in the configuration of git or in a script.
    #[error("`{}` is not UTF-8, so that no hook can be led there", path.display())]
    NotUnicode {
        /// The folder.
        path: PathBuf,
    },
    /// A setting of the repository leads git to where no hooks can be.
    #[error("hooks are switched off: `core.hooksPath` is `{}` in `{origin}`", path.display())]
    SwitchedOff {
        /// What is there in the place of a folder.
        path: PathBuf,
        /// Where that is set.
        origin: String,
    },
    /// Hooks for commits in a repository in which nobody commits.
    #[error("`{}` is a bare repository, in which nobody commits", directory.display())]
    Bare {
        /// The git directory.
        directory: PathBuf,
    },
    /// Another process holds the configuration.
    #[error("`{}` is there: another git is writing the configuration, or was killed while it did", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
}

impl Error {
    fn file(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { what, path, source }
    }
}

/// A version of git.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct GitVersion(pub u32, pub u32, pub u32);

impl GitVersion {
    /// The first that runs hooks from its configuration.
    pub const WITH_CONFIGURED_HOOKS: Self = Self(2, 54, 0);
    /// The first that has `git hook run`.
    pub const WITH_HOOK_RUN: Self = Self(2, 36, 0);

    /// Reads what `git version` says: `git version 2.47.3`, `git version 2.39.5 (Apple Git-154)`.
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.trim().strip_prefix("git version ")?.split_whitespace().next()?;
        let mut parts = number.split('.').map(|part| part.parse().ok());
        let (major, minor) = (parts.next()??, parts.next()??);
        Some(Self(major, minor, parts.next().flatten().unwrap_or_default()))
    }
}

impl fmt::Display for GitVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_all_vendors_are_read() {
        assert_eq!(GitVersion::parse("git version 2.47.3\n"), Some(GitVersion(2, 47, 3)));
        assert_eq!(GitVersion::parse("git version 2.39.5 (Apple Git-154)"), Some(GitVersion(2, 39, 5)));
        assert_eq!(GitVersion::parse("git version 2.54.0.windows.1"), Some(GitVersion(2, 54, 0)));
        assert_eq!(GitVersion::parse("git version 2.55.0-rc1"), Some(GitVersion(2, 55, 0)));
        assert_eq!(GitVersion::parse("git version 2.54.rc0"), Some(GitVersion(2, 54, 0)));
        assert_eq!(GitVersion::parse("hub version 2.14"), None);
        assert!(GitVersion(2, 54, 0) >= GitVersion::WITH_CONFIGURED_HOOKS);
        assert!(GitVersion(2, 53, 9) < GitVersion::WITH_CONFIGURED_HOOKS);
    }
}
