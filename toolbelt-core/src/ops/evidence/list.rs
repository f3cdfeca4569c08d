//! Shows evidence as it stands there: nobody has verified it.

use std::path::Path;

use serde_json::Value;

use super::subject::Target;
use super::{Error, Tests};
use crate::evidence::digest_set::DigestSet;
use crate::ops::Environment;
use crate::source::git::repository::GitRepository;
use crate::source::{file, git};
use crate::store::{Kept, MAX_BYTES, Stored, notes};
use crate::subject::malformed::Malformed;

/// What is kept somewhere.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listing {
    /// What is claimed, in the order in which it is kept.
    pub entries: Vec<Entry>,
    /// Lines that are no envelope.
    pub broken: Vec<Malformed>,
}

/// A claim that nobody has verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The file, or the ref and the object.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
    /// The keyids of its signatures, as whoever wrote them says; empty ones are left out.
    pub key_ids: Vec<String>,
    /// The statement, or why it is none.
    pub statement: Result<Unverified, String>,
}

/// What a statement says.
#[derive(Debug, Clone, PartialEq)]
pub struct Unverified {
    /// What it is about.
    pub subjects: Vec<About>,
    /// The type of the claim.
    pub predicate_type: String,
    /// What it says came of tests, if that is what it is about.
    pub tests: Option<Tests>,
    /// The claim.
    pub predicate: Value,
}

/// What is in a file.
///
/// # Errors
///
/// [`Error`] if it cannot be read.
pub fn of_file(environment: &Environment, path: &Path) -> Result<Listing, Error> {
    let content = file::read(&environment.directory.join(path), MAX_BYTES as u64)?;
    Ok(Stored::parse(&path.display().to_string(), &content).into())
}

/// What is said about a revision, a file or a digest; without one, about everything that has notes.
///
/// # Errors
///
/// [`Error`] if there is no repository, or something cannot be read.
pub fn of_repository(environment: &Environment, subject: Option<&str>) -> Result<Listing, Error> {
    let repository = GitRepository::open(&environment.directory, &environment.variables);
    let Some(text) = subject else {
        let repository = repository?;
        let mut listing = Listing::default();
        for object in notes::objects(&repository)? {
            listing.extend(notes::read(&repository, object)?.into());
        }
        return Ok(listing);
    };
    let repository = match repository {
        Err(git::Error::NotARepository { .. }) => None,
        opened => Some(opened?),
    };
    let target = Target::find(text, environment, repository.as_ref())?;
    Ok(super::verify::stored(environment, repository.as_ref(), &target, &[])?.into())
}

/// A thing that a statement is about.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// What people call it.
    pub name: Option<String>,
    /// Algorithms and digits, sorted by algorithm.
    pub digests: Vec<(String, String)>,
}

impl Listing {
    fn extend(&mut self, other: Self) {
        self.entries.extend(other.entries);
        self.broken.extend(other.broken);
    }
}

impl From<Stored> for Listing {
    fn from(stored: Stored) -> Self {
        Self { entries: stored.envelopes.into_iter().map(Entry::from).collect(), broken: stored.broken }
    }
}

impl From<Kept> for Entry {
    fn from(Kept { path, line, envelope }: Kept) -> Self {
        let key_ids = envelope.signatures().iter().map(|signature| signature.key_id.clone());
        let statement = envelope.unverified_statement().map(|statement| {
            let subjects = statement.subjects().iter().map(|subject| {
                let digests = subject.digest.iter().flat_map(DigestSet::iter);
                let digests = digests.map(|(name, digits)| (name.to_owned(), digits.to_owned())).collect();
                About { name: subject.name.clone(), digests }
            });
            Unverified {
                subjects: subjects.collect(),
                predicate_type: statement.predicate_type().to_owned(),
                tests: Tests::of(&statement),
                predicate: statement.predicate().clone(),
            }
        });
        Self {
            path,
            line,
            key_ids: key_ids.filter(|name| !name.is_empty()).collect(),
            statement: statement.map_err(|error| error.to_string()),
        }
    }
}
