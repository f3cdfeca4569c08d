//! Reads git repositories: what is staged, what is about to be pushed, everything that ever was.
//!
//! Each way of looking hands out contents one by one, with the part of each that is new. Nothing here knows what a
//! secret is: whoever is called back decides what to make of a content, and says how those that are kept as a
//! difference to it may be looked at.

pub mod ancestors;
pub mod ancestry;
mod changes;
pub mod checkout;
pub mod clone;
mod commits;
mod contents;
pub mod dates;
pub mod default_branch;
pub mod export;
pub mod files;
mod gaps;
pub mod head;
pub mod history;
pub mod lines;
pub mod locate;
pub mod merge_tree;
pub mod message;
pub mod objects;
mod outgoing;
pub mod peel;
pub(crate) mod program;
pub mod push;
pub mod range;
pub mod receive;
mod refs;
pub mod remotes;
pub mod repository;
#[cfg(test)]
pub(crate) mod sandbox;
pub mod settings;
pub mod signed;
pub mod snapshot;
pub mod staged;
pub mod status;
pub mod store;
pub mod tags;
pub mod tracked;
mod tree;
pub mod verify_commit;
pub mod worktree;

use std::io;
use std::path::PathBuf;

use crate::subject::content::{Content, Descendants, ObjectId};
use crate::subject::sighting::Place;

/// A content as a walk meets it.
#[derive(Debug)]
pub struct Met<'a> {
    /// The content.
    pub content: Content<'a>,
    /// Where it was met; none where objects are visited as they are stored, which does not tell.
    pub place: Option<&'a Place>,
    /// The checksum of the pack that holds it, in hexadecimal digits; none for loose objects and files.
    pub pack: Option<&'a str>,
}

/// Called for each content, from any thread.
pub type Visit<'a> = &'a (dyn Fn(&Met<'_>) -> Descendants + Sync);

/// Why a repository could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is none.
    #[error("`{}` is not in a git repository", directory.display())]
    NotARepository {
        /// Where it was looked for.
        directory: PathBuf,
    },
    /// It belongs to somebody else, who could have prepared it.
    #[error("`{}` belongs to another user", directory.display())]
    NotOwned {
        /// The top of its work tree, or the bare repository.
        directory: PathBuf,
    },
    /// It is of a format that this program does not know.
    #[error("`{}` has {what}, which is not supported", directory.display())]
    Unsupported {
        /// The git directory.
        directory: PathBuf,
        /// What it has.
        what: String,
    },
    /// Its configuration cannot be read.
    #[error("cannot read `{}`: {why}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Its objects cannot be read.
    #[error("cannot read the objects in `{}`", directory.display())]
    Objects {
        /// The directory.
        directory: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An index cannot be read.
    #[error("cannot read the index `{}`: {why}", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A command of the `git` program failed.
    #[error("`git {command}` {why}")]
    Program {
        /// Its arguments.
        command: String,
        /// What happened.
        why: String,
    },
    /// A commit cannot be read.
    #[error("cannot read commit {id}: {why}")]
    Commit {
        /// Its id.
        id: ObjectId,
        /// Why.
        why: String,
    },
    /// What a hook was given is not what git gives.
    #[error("line {line} of the hook's input is not `{expected}`")]
    Input {
        /// The line, from 1.
        line: usize,
        /// What it should be.
        expected: &'static str,
    },
    /// A path that was named cannot be looked at.
    #[error("cannot look at `{}`: {why}", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A range names something that is not there.
    #[error("`{range}` is not a range of this repository: {why}")]
    Range {
        /// The range.
        range: String,
        /// Why.
        why: String,
    },
    /// A ref cannot be read.
    #[error("cannot read the ref `{name}` of `{}`: {why}", directory.display())]
    Ref {
        /// Its name.
        name: String,
        /// The git directory.
        directory: PathBuf,
        /// Why.
        why: String,
    },
}
