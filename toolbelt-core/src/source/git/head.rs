//! The commit that is checked out, and what a commit says of itself.

use gix::objs::{CommitRef, Kind};

use super::Error;
use super::refs::Refs;
use super::repository::GitRepository;
use crate::subject::content::ObjectId;

/// The commit that `HEAD` stands for; none on a branch without commits.
///
/// # Errors
///
/// [`Error::Ref`] if it cannot be read.
pub fn head(repository: &GitRepository) -> Result<Option<ObjectId>, Error> {
    Refs::open(repository).head()
}

/// The tree, the author's e-mail address, and the signatures of a commit.
pub struct Facts {
    /// The id of its tree.
    pub tree: ObjectId,
    /// As the commit has it.
    pub author: String,
    /// The signatures in its headers.
    pub signatures: Vec<Vec<u8>>,
}

/// Reads a commit.
///
/// # Errors
///
/// [`Error::Commit`] if it cannot be read.
pub fn facts(repository: &GitRepository, commit: ObjectId) -> Result<Facts, Error> {
    let store = repository.store()?;
    let failed = |why: String| Error::Commit { id: commit, why };
    let mut buffer = Vec::new();
    let content = store.read_kind(&commit, Kind::Commit, &mut buffer).map_err(|error| failed(error.to_string()))?;
    let parsed = CommitRef::from_bytes(content, store.hash()).map_err(|error| failed(error.to_string()))?;
    let author = parsed.author().map_err(|error| failed(error.to_string()))?.email.to_string();
    let names = ["gpgsig", "gpgsig-sha256"];
    let signatures =
        names.iter().flat_map(|name| parsed.extra_headers().find_all(name)).map(|value| value.to_vec()).collect();
    Ok(Facts { tree: parsed.tree(), author, signatures })
}
