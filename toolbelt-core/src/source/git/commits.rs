//! Commits and annotated tags, as far as a walk has to understand them.

use gix::objs::{CommitRefIter, Kind};

use super::store::Store;
use crate::subject::content::ObjectId;

/// The tree of a commit.
pub(super) fn tree_of(store: &Store, commit: ObjectId) -> Result<ObjectId, String> {
    let mut buffer = Vec::new();
    let data = store.read_kind(&commit, Kind::Commit, &mut buffer).map_err(|missing| missing.to_string())?;
    let tree = CommitRefIter::from_bytes(data, store.hash()).tree_id();
    tree.map_err(|error| format!("is a damaged commit: {error}"))
}
