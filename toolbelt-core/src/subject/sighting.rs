//! Something that was seen in a content, and where that content was met.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::content::{ContentKind, ObjectId};
use super::inline_marker::InlineMarker;
use super::pattern::Pattern;
use super::{Kind, Location, Region, Subject};

/// One thing seen in one content.
#[derive(Debug, Clone)]
pub struct Sighting {
    /// What was seen.
    pub observation: Observation,
    /// Where in the content; none for the content as a whole. Within an archive or an encoding, the place of the
    /// outermost encoded part.
    pub region: Option<Region>,
    /// What had to be opened to see it, outermost first: `gzip`, `zip: a/b.txt`, `base64`, `UTF-16`; mostly empty.
    pub layers: Vec<String>,
    /// What the line that it is on says about findings, where it says something.
    pub marker: Option<InlineMarker>,
    /// Where the content was met.
    pub place: Place,
}

impl Sighting {
    /// Where it is in the repository's files; none for messages and for blobs without a path.
    pub fn location(&self) -> Option<Location> {
        let path = self.place.path.clone()?;
        Some(Location { path, region: self.region.clone() })
    }
}

/// What was seen.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation {
    /// A value that a pattern took for a secret.
    Secret(Candidate),
    /// Characters that change the direction of text, on one line.
    BidiControl(Bidi),
    /// Characters that are not shown, each once, in the order in which they were met.
    InvisibleCharacter(Vec<char>),
    /// A marker of a merge that was not finished: `<<<<<<<`, `|||||||` or `>>>>>>>`.
    ConflictMarker(&'static str),
    /// A content larger than the rule takes, in bytes.
    Large(u64),
    /// A program or library in machine code: `ELF`, `PE`, `Mach-O`, `WebAssembly`, `Java class`, …
    Executable(&'static str),
    /// A message that neither author nor committer signed off; who else did, by e-mail address.
    MissingSignOff(Vec<String>),
}

/// How the characters of one line change the direction of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bidi {
    /// Each once, in the order in which they were met.
    pub characters: Vec<char>,
    /// Whether a direction that was opened still holds at the end of the line.
    pub is_left_open: bool,
    /// Whether one of them makes characters run against their own direction.
    pub is_override: bool,
    /// Whether a letter of a script that runs from right to left is there too.
    pub is_right_to_left_text: bool,
}

/// A value that a pattern took for a secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The pattern that matched.
    pub pattern: Arc<Pattern>,
    /// The value.
    pub value: SecretValue,
    /// The name next to it, as written: `db_password`; none for values that tell themselves.
    pub name: Option<String>,
    /// What could be proven offline.
    pub proof: Proof,
    /// The line that it is on, with the value replaced by `…` and at most 200 characters: for judging, not for showing.
    pub surroundings: String,
}

/// A secret, which nothing prints.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretValue(Vec<u8>);

impl SecretValue {
    /// Takes a value.
    pub fn new(value: impl Into<Vec<u8>>) -> Self {
        Self(value.into())
    }

    /// The value itself: to be judged or hashed, never to be shown.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SecretValue({} bytes)", self.0.len())
    }
}

/// What can be said of a value without asking anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// It is what it seems; in words: `its check digits are right`, `is a key that is not encrypted`.
    Holds(String),
    /// It has the shape, but cannot be the real thing as it is: `its check digits are wrong`.
    Fails(String),
    /// Its kind has nothing to check.
    None,
}

/// Where a content was met.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Relative to the repository root, with `/`; bytes that are not UTF-8 are replaced. None for messages, and for
    /// blobs that no commit holds.
    pub path: Option<String>,
    /// The object; the null id for a file of the work tree.
    pub object: ObjectId,
    /// What it is.
    pub kind: ContentKind,
    /// The oldest commit met that holds it.
    pub commit: Option<ObjectId>,
    /// Whether others can have it.
    pub exposure: Exposure,
}

impl Place {
    /// What a report names: a file by its path, a message by the object that it belongs to.
    pub fn subject(&self) -> Subject {
        let id = self.object.to_string();
        let (kind, algorithm) = match self.kind {
            ContentKind::Blob => (Kind::Blob, "gitBlob"),
            ContentKind::Commit => (Kind::Commit, "gitCommit"),
            ContentKind::Tag => (Kind::Ref, "gitTag"),
        };
        let mut digest = BTreeMap::new();
        if !self.object.is_null() {
            digest.insert(algorithm, id.clone());
        }
        let name = self.path.clone().unwrap_or(id);
        Subject { kind, name, version: None, purl: None, digest }
    }
}

/// How far something has come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exposure {
    /// A file of the work tree.
    WorkTree,
    /// In the index.
    Staged,
    /// In a commit, tag or note that no remote is known to have.
    Unpushed,
    /// A ref of a remote has it; some of these refs, by their full names, sorted.
    Pushed(Vec<String>),
    /// No ref has it: a reflog does, or nothing.
    Unreachable,
}
