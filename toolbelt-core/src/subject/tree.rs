//! The files of a tree, and what a change does to them.

use super::content::ObjectId;
use super::sighting::Exposure;

/// A tree after a change.
#[derive(Debug, Clone)]
pub struct TreeChange {
    /// Every path after the change, sorted.
    pub entries: Vec<TreeEntry>,
    /// The changed files that the rules asked to read, sorted by path; removed ones included.
    pub files: Vec<FileChange>,
    /// The commit that made it; none for the index and the work tree.
    pub commit: Option<ObjectId>,
    /// How far the change has come.
    pub exposure: Exposure,
}

/// A path in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// Relative to the root, with `/`, as git has it.
    pub path: Vec<u8>,
    /// What is there.
    pub mode: Mode,
    /// Whether the change brought or changed it.
    pub is_new: bool,
}

/// What a tree holds at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// `100644`.
    File,
    /// `100755`.
    Executable,
    /// `120000`: the content is where it points to.
    Link,
    /// `160000`: a commit of another repository.
    Submodule,
}

/// A file before and after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Relative to the root, with `/`, as git has it.
    pub path: Vec<u8>,
    /// Before; none if it is new. At most [`FileChange::MAX_BYTES`], else cut.
    pub before: Option<FileState>,
    /// After; none if it was removed.
    pub after: Option<FileState>,
}

/// A file at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileState {
    /// What it is.
    pub mode: Mode,
    /// Its content.
    pub content: Vec<u8>,
}

impl FileChange {
    /// The most that is read of a file.
    pub const MAX_BYTES: usize = 1 << 20;
}
