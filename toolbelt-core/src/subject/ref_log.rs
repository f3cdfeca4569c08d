//! What the refs of remotes were, as this repository noted it, and what they are now.

use super::content::ObjectId;
use crate::finding::{Fact, Unknown};

/// The notes on one remote's refs, compared with what its refs are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefLog {
    /// The remote's name or URL; `.` for the tags of this repository, as git calls itself.
    pub remote: String,
    /// Whether the notes are as they were written.
    pub notes: Notes,
    /// The refs that lost something since they were noted, sorted by name.
    pub rewritten: Vec<Rewritten>,
    /// The refs of which that cannot be told, with the reason; sorted by name.
    pub unknown: Vec<(String, Unknown)>,
}

/// Whether notes are as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notes {
    /// They are.
    Whole,
    /// Somebody changed them.
    Tampered {
        /// The line that does not follow from the one before it, from 1; none if lines at the end are missing.
        line: Option<usize>,
    },
    /// They could not be read.
    Unreadable(Unknown),
}

/// A ref that lost something since it was noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// Its full name on the remote.
    pub name: String,
    /// What it pointed to.
    pub noted: ObjectId,
    /// When that was noted: seconds since 1970.
    pub noted_at: i64,
    /// What it points to.
    pub now: ObjectId,
    /// How many commits it does not lead to any more; unknown where they are not here.
    pub lost: Fact<usize>,
    /// Whether it is protected: the default branch, what the policy names, a tag.
    pub is_protected: bool,
}
