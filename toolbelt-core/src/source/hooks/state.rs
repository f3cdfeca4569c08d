//! What an install did, so that an uninstall knows which files were not there before. Where it is lost, what is ours is
//! still recognised; only a file that would be left empty then stays.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Error, write};
use crate::source::file;
use crate::source::git::repository::GitRepository;

/// What was written, or is about to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// The format of this file.
    pub(super) version: u32,
    /// Binary and version.
    pub(super) tool: String,
    /// Whether everything below was done. Written before the first change without, and after the last with it.
    pub(super) is_complete: bool,
    /// Scripts of ours.
    pub(super) scripts: BTreeSet<PathBuf>,
    /// Files of others that have lines of ours.
    pub(super) files: BTreeSet<PathBuf>,
    /// Those of them that were not there before.
    pub(super) created: BTreeSet<PathBuf>,
}

/// The format that is written.
const VERSION: u32 = 1;
/// The largest file that is read.
const MAX_BYTES: u64 = 1 << 20;

impl State {
    pub(super) fn new(tool: &str) -> Self {
        Self {
            version: VERSION,
            tool: tool.to_owned(),
            is_complete: false,
            scripts: BTreeSet::new(),
            files: BTreeSet::new(),
            created: BTreeSet::new(),
        }
    }

    /// Reads it; none if there is none, or none of a format that is known.
    pub(super) fn read(repository: &GitRepository) -> Option<Self> {
        let bytes = file::read(&path(repository), MAX_BYTES).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|state: &Self| state.version == VERSION)
    }

    pub(super) fn write(&self, repository: &GitRepository) -> Result<(), Error> {
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        write::put_over(&path(repository), &text, 0o644)
    }
}

/// Removes it, and the folder if nothing else is kept there.
pub(super) fn forget(repository: &GitRepository) -> Result<(), Error> {
    let path = path(repository);
    write::remove(&path)?;
    if let Some(folder) = path.parent() {
        // It is not empty where receipts are.
        let _ = std::fs::remove_dir(folder);
    }
    Ok(())
}

fn path(repository: &GitRepository) -> PathBuf {
    folder(repository).join("protect.json")
}

/// Where toolbelt keeps what belongs to a repository.
pub(super) fn folder(repository: &GitRepository) -> PathBuf {
    repository.common_dir().join("toolbelt")
}

/// The folder of hooks of the repository's own.
pub(super) fn own_hooks(repository: &GitRepository) -> PathBuf {
    folder(repository).join("hooks")
}

/// Whether a folder is that one.
pub(super) fn is_own_hooks(repository: &GitRepository, folder: &Path) -> bool {
    folder == own_hooks(repository)
}
