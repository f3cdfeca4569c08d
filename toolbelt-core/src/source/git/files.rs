//! Files of a commit, by their paths.

use gix::objs::{CommitRef, Kind, TreeRefIter};

use super::Error;
use super::repository::GitRepository;
use super::store::{Missing, Store};
use crate::subject::content::ObjectId;

/// The files that a commit has.
pub struct CommitFiles {
    store: Store,
    tree: ObjectId,
}

impl CommitFiles {
    /// Opens the tree of a commit.
    ///
    /// # Errors
    ///
    /// [`Error::Commit`] if the commit cannot be read.
    pub fn open(repository: &GitRepository, commit: ObjectId) -> Result<Self, Error> {
        let store = repository.store()?;
        let failed = |why: String| Error::Commit { id: commit, why };
        let mut buffer = Vec::new();
        let content = store.read_kind(&commit, Kind::Commit, &mut buffer).map_err(|error| failed(error.to_string()))?;
        let tree = CommitRef::from_bytes(content, store.hash()).map_err(|error| failed(error.to_string()))?.tree();
        Ok(Self { store, tree })
    }

    /// The content of a file (relative to the root, with `/`); none if there is none, or something else.
    ///
    /// # Errors
    ///
    /// [`Missing`] if a folder on the way or the file itself cannot be read.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Missing> {
        let Some(id) = self.find(path, |is_tree, is_file| !is_tree && is_file)? else { return Ok(None) };
        let mut buffer = Vec::new();
        self.store.read_kind(&id, Kind::Blob, &mut buffer)?;
        Ok(Some(buffer))
    }

    /// The names of the files in a folder, sorted as git sorts them; none if there is no such folder.
    ///
    /// # Errors
    ///
    /// [`Missing`] if a folder cannot be read.
    pub fn list(&self, folder: &str) -> Result<Vec<String>, Missing> {
        let Some(id) = self.find(folder, |is_tree, _| is_tree)? else { return Ok(Vec::new()) };
        let mut names = Vec::new();
        self.entries(&id, |name, _, is_tree, is_file| {
            if !is_tree && is_file {
                names.push(String::from_utf8_lossy(name).into_owned());
            }
        })?;
        Ok(names)
    }

    /// The object at a path, if it is of the kind that is wanted: `wanted(is a folder, is a regular file)`.
    fn find(&self, path: &str, wanted: impl Fn(bool, bool) -> bool) -> Result<Option<ObjectId>, Missing> {
        let mut at = self.tree;
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let is_last = parts.peek().is_none();
            let mut found = None;
            self.entries(&at, |name, id, is_tree, is_file| {
                if name == part.as_bytes() && (if is_last { wanted(is_tree, is_file) } else { is_tree }) {
                    found = Some(id);
                }
            })?;
            match found {
                Some(id) => at = id,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    fn entries(&self, tree: &ObjectId, mut each: impl FnMut(&[u8], ObjectId, bool, bool)) -> Result<(), Missing> {
        let mut buffer = Vec::new();
        let content = self.store.read_kind(tree, Kind::Tree, &mut buffer)?;
        for entry in TreeRefIter::from_bytes(content, self.store.hash()) {
            let entry = entry.map_err(|error| Missing::Unreadable(error.to_string()))?;
            each(entry.filename, entry.oid.to_owned(), entry.mode.is_tree(), entry.mode.is_blob());
        }
        Ok(())
    }
}
