//! What refs point to.

use gix::refs::file::Store as RefStore;
use gix::refs::store::WriteReflog;
use gix::refs::{FullName, Target};

use super::Error;
use super::program;
use super::repository::GitRepository;
use crate::report::Coverage;
use crate::subject::content::ObjectId;

/// The refs of a repository, as its current work tree sees them.
pub(super) struct Refs<'a> {
    repository: &'a GitRepository,
    files: RefStore,
}

/// How many symbolic refs may follow one another; as many as git follows.
pub(super) const SYMBOLIC_DEPTH: usize = 5;

impl<'a> Refs<'a> {
    /// Opens the refs.
    pub(super) fn open(repository: &'a GitRepository) -> Self {
        Self { repository, files: store(repository, repository.git_dir()) }
    }

    /// Opens the refs as the main work tree sees them.
    pub(super) fn shared(repository: &'a GitRepository) -> Self {
        Self { repository, files: store(repository, repository.common_dir()) }
    }

    /// The commit that `HEAD` stands for; none on an unborn branch.
    pub(super) fn head(&self) -> Result<Option<ObjectId>, Error> {
        self.find("HEAD")
    }

    /// What a ref (by its full name) points to; none if it is not there or leads to no object.
    pub(super) fn find(&self, name: &str) -> Result<Option<ObjectId>, Error> {
        let failed = |error: String| self.failed(name, &error);
        let Ok(mut full) = FullName::try_from(name) else { return Ok(None) };
        if self.repository.has_reftable() {
            // The command fails, and says nothing, where there is none, and on an unborn branch.
            let answer = program::git(self.repository, &["rev-parse", "--verify", "--quiet", name])?;
            return Ok(ObjectId::from_hex(answer.stdout.trim_ascii()).ok());
        }
        for _ in 0..SYMBOLIC_DEPTH {
            match self.files.try_find(&full).map_err(|error| failed(error.to_string()))?.map(|found| found.target) {
                None => return Ok(None),
                Some(Target::Object(id)) => return Ok(Some(id)),
                Some(Target::Symbolic(next)) => full = next,
            }
        }
        Err(failed("it is symbolic too many times".to_owned()))
    }

    /// What a symbolic ref stands for, whether that is there or not; none if this one is no such ref, or not there.
    pub(super) fn stands_for(&self, name: &str) -> Option<String> {
        if self.repository.has_reftable() {
            let answer = program::git(self.repository, &["symbolic-ref", "--quiet", name]).ok()?;
            let text = String::from_utf8_lossy(&answer.stdout).trim_end().to_owned();
            return (answer.status.success() && !text.is_empty()).then_some(text);
        }
        match self.files.try_find(&FullName::try_from(name).ok()?).ok()??.target {
            Target::Symbolic(next) => Some(next.as_bstr().to_string()),
            Target::Object(_) => None,
        }
    }

    /// Every ref with what it points to, sorted by name; symbolic ones are left out, as what they name is listed itself.
    ///
    /// Refs that cannot be read are said in the coverage.
    pub(super) fn all(&self, coverage: &mut Coverage) -> Result<Vec<(String, ObjectId)>, Error> {
        if self.repository.has_reftable() {
            return self.asked();
        }
        let failed = |error: String| self.failed("refs/", &error);
        let platform = self.files.iter().map_err(|error| failed(error.to_string()))?;
        let mut refs = Vec::new();
        for found in platform.all().map_err(|error| failed(error.to_string()))? {
            match found.map(|found| (found.name, found.target)) {
                Ok((name, Target::Object(id))) => refs.push((name.as_bstr().to_string(), id)),
                Ok((_, Target::Symbolic(_))) => {}
                Err(error) => coverage.could_not_look("a ref", error.to_string()),
            }
        }
        refs.sort();
        Ok(refs)
    }

    /// Every ref, from the `git` program.
    fn asked(&self) -> Result<Vec<(String, ObjectId)>, Error> {
        let answer = program::git(self.repository, &["for-each-ref", "--format=%(objectname) %(refname)"])?;
        if !answer.status.success() {
            return Err(self.failed("refs/", "git for-each-ref failed"));
        }
        let text = String::from_utf8_lossy(&answer.stdout);
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        let refs = lines.filter_map(|(id, name)| Some((name.to_owned(), ObjectId::from_hex(id.as_bytes()).ok()?)));
        Ok(refs.collect())
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
