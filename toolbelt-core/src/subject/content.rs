//! What git keeps, or is about to keep: bytes, and which part of them is new.

use std::ops::Range;

pub use gix::ObjectId;

/// The content of one object or file.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    /// The object's id; the null id for a file that is no object.
    pub id: ObjectId,
    /// What it is.
    pub kind: ContentKind,
    /// All of it, also when only a part is new.
    pub bytes: &'a [u8],
    /// Which part of it has to be looked at.
    pub news: News<'a>,
}

/// What sort of object a content belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContentKind {
    /// A file, or what a symbolic link points to.
    Blob,
    /// A commit: its headers and its message.
    Commit,
    /// An annotated tag: its headers and its message.
    Tag,
}

/// The part of a content that nobody has looked at yet.
#[derive(Debug, Clone, Copy)]
pub enum News<'a> {
    /// All of it.
    All,
    /// These lines: byte ranges that begin and end with whole lines, ascending, not overlapping, not empty.
    ///
    /// Every other line of the content was looked at in another object, with the same neighbours where it does not
    /// border on a range.
    Lines(&'a [Range<usize>]),
}

impl Content<'_> {
    /// The ranges to look at.
    pub fn parts(&self) -> Vec<Range<usize>> {
        match self.news {
            News::All => std::iter::once(0..self.bytes.len()).collect(),
            News::Lines(lines) => lines.to_vec(),
        }
    }
}

/// How objects that are kept as a difference to this one may be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Descendants {
    /// By the lines that they do not share with it.
    ByNews,
    /// As a whole: it holds something that spans lines, or its lines were not looked at.
    Whole,
}
