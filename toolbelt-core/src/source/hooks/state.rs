//! What an install did, so that an uninstall knows which files were not there before. Where it is lost, what is ours is
//! still recognised; only a file that would be left empty then stays.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Error, write};
use crate::source::file;
use crate::source::git::repository::GitRepository;

/// What was written, or is about to be, in one work tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
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

/// The file. Its paths are relative wherever they can be, so that in a repository that was moved or copied they never lead
/// to the files of another one.
#[derive(Debug, Serialize, Deserialize)]
struct Page {
    version: u32,
    tool: String,
    is_complete: bool,
    scripts: BTreeSet<Place>,
    files: BTreeSet<Place>,
    created: BTreeSet<Place>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Place {
    /// In the git directory that work trees share.
    Git(PathBuf),
    /// In the work tree.
    Tree(PathBuf),
    Elsewhere(PathBuf),
}

/// The format that is written.
const VERSION: u32 = 1;
/// The largest file that is read.
const MAX_BYTES: u64 = 1 << 20;

impl State {
    pub(super) fn new(tool: &str) -> Self {
        Self {
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
        let page: Page = serde_json::from_slice(&bytes).ok().filter(|page: &Page| page.version == VERSION)?;
        let paths = |places: BTreeSet<Place>| places.into_iter().map(|place| place.path(repository)).collect();
        Some(Self {
            tool: page.tool,
            is_complete: page.is_complete,
            scripts: paths(page.scripts),
            files: paths(page.files),
            created: paths(page.created),
        })
    }

    /// Whether something of it is shared by all work trees. Else what they share is what another one relies on.
    pub(super) fn shares(&self, repository: &GitRepository) -> bool {
        self.scripts.iter().chain(&self.files).any(|path| is_shared(repository, path))
    }

    pub(super) fn write(&self, repository: &GitRepository) -> Result<(), Error> {
        let places = |paths: &BTreeSet<PathBuf>| paths.iter().map(|path| Place::of(path, repository)).collect();
        let page = Page {
            version: VERSION,
            tool: self.tool.clone(),
            is_complete: self.is_complete,
            scripts: places(&self.scripts),
            files: places(&self.files),
            created: places(&self.created),
        };
        let path = path(repository);
        // Paths that are no text have no place in JSON.
        let text = serde_json::to_vec_pretty(&page).map_err(|error| Error::file("write", &path)(error.into()));
        let mut text = text?;
        text.push(b'\n');
        write::put_over(&path, &text, 0o644)
    }
}

impl Place {
    fn of(path: &Path, repository: &GitRepository) -> Self {
        // The git directory may lie in the work tree.
        if let Ok(inside) = path.strip_prefix(repository.common_dir()) {
            return Self::Git(inside.to_owned());
        }
        match repository.root().map(|root| path.strip_prefix(root)) {
            Some(Ok(inside)) => Self::Tree(inside.to_owned()),
            Some(Err(_)) | None => Self::Elsewhere(path.to_owned()),
        }
    }

    fn path(self, repository: &GitRepository) -> PathBuf {
        match self {
            Self::Git(inside) => repository.common_dir().join(inside),
            Self::Tree(inside) => repository.root().unwrap_or_else(|| repository.git_dir()).join(inside),
            Self::Elsewhere(path) => path,
        }
    }
}

/// Removes it, and the folder if nothing else is kept there.
pub(super) fn forget(repository: &GitRepository) -> Result<(), Error> {
    let path = path(repository);
    write::remove(&path)?;
    for folder in path.parent().into_iter().chain([folder(repository).as_path()]) {
        // It is not empty where receipts are.
        let _ = std::fs::remove_dir(folder);
    }
    Ok(())
}

/// Whether a file is that of all work trees of a repository.
pub(super) fn is_shared(repository: &GitRepository, path: &Path) -> bool {
    path.starts_with(repository.common_dir())
}

/// Each work tree has one, as its hooks may be files in it.
pub(super) fn path(repository: &GitRepository) -> PathBuf {
    repository.git_dir().join("toolbelt/protect.json")
}

/// Where toolbelt keeps what belongs to a repository.
pub(super) fn folder(repository: &GitRepository) -> PathBuf {
    repository.common_dir().join("toolbelt")
}

/// The folder of hooks of the repository's own.
pub(super) fn own_hooks(repository: &GitRepository) -> PathBuf {
    folder(repository).join("hooks")
}

/// Whether a folder is that one, by whatever name.
pub(super) fn is_own_hooks(repository: &GitRepository, folder: &Path) -> bool {
    let own = own_hooks(repository);
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    folder == own || real(folder).is_some_and(|folder| Some(folder) == real(&own))
}
