//! A protected ref that somebody is about to move.

use super::content::ObjectId;
use crate::finding::Fact;

/// A protected ref that a push would move, as the side sees it that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefUpdate {
    /// Its full name: `refs/heads/main`.
    pub name: String,
    /// What it points to; none if there is no such ref yet.
    pub old: Option<ObjectId>,
    /// What it would point to; none if it would be gone.
    pub new: Option<ObjectId>,
    /// How it would move.
    pub movement: Movement,
    /// Why it must not be moved at will.
    pub protection: Protection,
}

/// How a ref moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Movement {
    /// It is new.
    Created,
    /// It points to what it did before.
    Unchanged,
    /// What it pointed to is a part of what it points to now.
    Forward,
    /// Commits that it led to it does not lead to any more.
    Forced {
        /// How many; unknown where they are not here.
        lost: Fact<usize>,
    },
    /// It is gone.
    Deleted,
    /// Whether anything is lost cannot be told.
    Unknown(crate::finding::Unknown),
}

/// Why a ref must not be moved at will.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protection {
    /// It is a tag: what has a name that others rely on.
    Tag,
    /// The policy says so.
    Policy,
    /// It is the branch that a clone starts with.
    DefaultBranch,
}

/// What all names of branches begin with.
const BRANCHES: &str = "refs/heads/";
/// What all names of tags begin with.
const TAGS: &str = "refs/tags/";

impl RefUpdate {
    /// Whether it is a tag.
    pub fn is_tag(&self) -> bool {
        is_tag(&self.name)
    }

    /// What people call it: `main`, `v1.0.0`; the whole name of what is neither a branch nor a tag.
    pub fn short_name(&self) -> &str {
        short_name(&self.name)
    }
}

/// Whether a full name is that of a tag.
pub fn is_tag(name: &str) -> bool {
    name.starts_with(TAGS)
}

/// What people call a ref with this full name.
pub fn short_name(name: &str) -> &str {
    name.strip_prefix(BRANCHES).or_else(|| name.strip_prefix(TAGS)).unwrap_or(name)
}

/// A ref for people: `` branch `main` ``, `` tag `v1` ``, `` ref `refs/notes/x` ``.
pub fn described(name: &str) -> String {
    let kind = if name.starts_with(BRANCHES) {
        "branch"
    } else if name.starts_with(TAGS) {
        "tag"
    } else {
        "ref"
    };
    format!("{kind} `{}`", short_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refs_are_called_as_people_call_them() {
        assert_eq!(described("refs/heads/a/b"), "branch `a/b`");
        assert_eq!(described("refs/tags/v1"), "tag `v1`");
        assert_eq!(described("refs/notes/x"), "ref `refs/notes/x`");
        assert_eq!(short_name("HEAD"), "HEAD");
    }
}
