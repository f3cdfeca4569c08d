//! When commits were made.

use std::collections::{BTreeMap, BTreeSet};

use super::Error;
use super::commits::Commits;
use super::repository::GitRepository;
use crate::subject::content::ObjectId;

/// The committer's time of each commit, in seconds since 1970; without those that cannot be read.
///
/// # Errors
///
/// [`Error`] if objects cannot be read at all.
pub fn of_commits(repository: &GitRepository, ids: &BTreeSet<ObjectId>) -> Result<BTreeMap<ObjectId, i64>, Error> {
    let store = repository.store()?;
    let mut commits = Commits::new(repository, &store);
    Ok(ids.iter().filter_map(|id| Some((*id, commits.get(*id).ok()?.time))).collect())
}
