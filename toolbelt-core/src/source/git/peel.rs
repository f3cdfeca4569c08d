//! The commit that an object stands for.

use gix::objs::Kind;

use super::commits::Commits;
use super::repository::GitRepository;
use crate::subject::content::ObjectId;

/// The commit that an object is, or that an annotated tag leads to; none for anything else, and where it cannot be read.
/// What a server has not taken yet is looked into.
pub fn commit(repository: &GitRepository, id: ObjectId) -> Option<ObjectId> {
    let store = repository.store().ok()?;
    let peeled = Commits::new(repository, &store).peel(id).ok()?;
    (peeled.kind == Kind::Commit).then_some(peeled.id)
}
