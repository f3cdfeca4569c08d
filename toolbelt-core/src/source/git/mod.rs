//! Reads git repositories: what is staged, what is about to be pushed, everything that ever was.
//!
//! Each way of looking hands out contents one by one, with the part of each that is new. Nothing here knows what a
//! secret is: whoever is called back decides what to make of a content, and says how those that are kept as a
//! difference to it may be looked at.

use std::path::PathBuf;

use crate::subject::content::{Content, Descendants};
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
}
