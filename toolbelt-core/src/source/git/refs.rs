//! What refs point to.

use gix::refs::file::Store as RefStore;
use gix::refs::store::WriteReflog;
use gix::refs::{FullName, Target};

use super::Error;
use super::program;
use super::repository::GitRepository;
use crate::subject::content::ObjectId;

/// The refs of a repository, as its current work tree sees them.
pub(super) struct Refs<'a> {
    repository: &'a GitRepository,
    files: RefStore,
}

/// How many symbolic refs may follow one another; as many as git follows.
const SYMBOLIC_DEPTH: usize = 5;

impl<'a> Refs<'a> {
    /// Opens the refs.
    pub(super) fn open(repository: &'a GitRepository) -> Self {
        Self { repository, files: store(repository, repository.git_dir()) }
    }

    /// The commit that `HEAD` stands for; none on an unborn branch.
    pub(super) fn head(&self) -> Result<Option<ObjectId>, Error> {
        if self.repository.has_reftable() {
            // The command fails, and says nothing, on an unborn branch.
            let answer = program::git(self.repository, &["rev-parse", "--verify", "--quiet", "HEAD"])?;
            return Ok(ObjectId::from_hex(answer.stdout.trim_ascii()).ok());
        }
        let mut name = FullName::try_from("HEAD").map_err(|error| self.failed("HEAD", &error.to_string()))?;
        for _ in 0..SYMBOLIC_DEPTH {
            let found = self.files.try_find(&name).map_err(|error| self.failed("HEAD", &error.to_string()))?;
            match found.map(|found| found.target) {
                None => return Ok(None),
                Some(Target::Object(id)) => return Ok(Some(id)),
                Some(Target::Symbolic(next)) => name = next,
            }
        }
        Err(self.failed("HEAD", "it is symbolic too many times"))
    }

    fn failed(&self, name: &str, why: &str) -> Error {
        Error::Ref { name: name.to_owned(), directory: self.repository.git_dir().to_owned(), why: why.to_owned() }
    }
}

/// The refs as one work tree sees them, which has some of its own.
fn store(repository: &GitRepository, git_dir: &std::path::Path) -> RefStore {
    let options = gix::refs::store::init::Options { write_reflog: WriteReflog::Disable, ..Default::default() };
    if git_dir == repository.common_dir() {
        RefStore::at_opts(git_dir.to_owned(), repository.hash(), options)
    } else {
        let common = repository.common_dir().to_owned();
        RefStore::for_linked_worktree_opts(git_dir.to_owned(), common, repository.hash(), options)
    }
}
