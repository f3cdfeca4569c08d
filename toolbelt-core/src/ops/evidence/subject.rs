//! What evidence is about, as people name it.

use std::path::{Path, PathBuf};

use super::Error;
use crate::evidence::digest_set::DigestSet;
use crate::evidence::statement::ResourceDescriptor;
use crate::ops::Environment;
use crate::source::file_digest;
use crate::source::git::range;
use crate::source::git::repository::GitRepository;
use crate::subject::content::ObjectId;

/// A thing with its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// A file's name, or the digits of a digest.
    pub name: String,
    /// in-toto's name of the digest's algorithm.
    pub algorithm: String,
    /// The digits.
    pub digits: String,
    /// The file, where it is one.
    pub file: Option<PathBuf>,
    /// The object, where it is one of the repository.
    pub object: Option<ObjectId>,
}

impl Target {
    /// Finds what is named: a digest (`sha256:…`, `gitCommit:…`, `gitTree:…`), a file, or a revision.
    ///
    /// # Errors
    ///
    /// [`Error::Subject`] if it is none of these, or both a file and a revision: a file of the tree under judgement must
    /// not be able to stand for a commit.
    pub fn find(text: &str, environment: &Environment, repository: Option<&GitRepository>) -> Result<Self, Error> {
        if let Some(digest) = Self::digest(text)? {
            return Ok(digest);
        }
        let path = environment.directory.join(text);
        let is_path = text.starts_with(['.', '/']) || Path::new(text).is_absolute();
        let object = if is_path { None } else { repository.and_then(|repository| object(repository, text)) };
        let wrong = |why: &str| Error::Subject { text: text.to_owned(), why: why.to_owned() };
        match (path.is_file(), object) {
            (true, None) => Self::file(&path),
            (false, Some((algorithm, id))) => Ok(Self::object(algorithm, id)),
            (true, Some(_)) => Err(wrong("is both a file and a revision")),
            (false, None) => Err(wrong("is neither a file, a revision nor a digest")),
        }
    }

    /// A commit.
    pub fn commit(id: ObjectId) -> Self {
        Self::object("gitCommit", id)
    }

    /// A file, by its SHA-256.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if it cannot be read.
    pub fn file(path: &Path) -> Result<Self, Error> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let digits = file_digest::sha256(path)?.to_string();
        Ok(Self { name, algorithm: "sha256".to_owned(), digits, file: Some(path.to_owned()), object: None })
    }

    fn object(algorithm: &str, id: ObjectId) -> Self {
        let digits = id.to_string();
        Self { name: digits.clone(), algorithm: algorithm.to_owned(), digits, file: None, object: Some(id) }
    }

    /// A digest as it is written out; none if it does not look like one.
    fn digest(text: &str) -> Result<Option<Self>, Error> {
        let Some((algorithm, digits)) = text.split_once(':') else { return Ok(None) };
        if !["sha256", "sha512", "gitCommit", "gitTree", "gitBlob"].contains(&algorithm) {
            return Ok(None);
        }
        let digits = digits.to_ascii_lowercase();
        DigestSet::one(algorithm, &digits)
            .map_err(|error| Error::Subject { text: text.to_owned(), why: format!("is no digest: {error}") })?;
        let id = ObjectId::from_hex(digits.as_bytes()).ok();
        let object = if matches!(algorithm, "gitCommit" | "gitTree") { id } else { None };
        Ok(Some(Self { name: digits.clone(), algorithm: algorithm.to_owned(), digits, file: None, object }))
    }

    /// As a statement names it.
    ///
    /// # Errors
    ///
    /// [`Error::Statement`] if the digest is none, which only one that was put together by hand can be.
    pub fn descriptor(&self) -> Result<ResourceDescriptor, Error> {
        Ok(ResourceDescriptor::new(self.name.clone(), DigestSet::one(&self.algorithm, &self.digits)?))
    }
}

/// The commit that a revision stands for, else the tree.
fn object(repository: &GitRepository, text: &str) -> Option<(&'static str, ObjectId)> {
    // Spaces would make it several revisions, dots a range.
    if text.is_empty() || text.starts_with(['-', '^']) || text.contains(char::is_whitespace) || text.contains("..") {
        return None;
    }
    let peeled = |kind: &str| range::ends(repository, &format!("{text}^{{{kind}}}")).ok()?.0.first().copied();
    let commit = || Some(("gitCommit", peeled("commit")?));
    commit().or_else(|| Some(("gitTree", peeled("tree")?)))
}
