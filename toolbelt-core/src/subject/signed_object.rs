//! A commit or tag, and who vouches for it.

use super::Subject;
use super::content::ObjectId;
use crate::finding::{Fact, Unknown};

/// A commit or tag with what is known of its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedObject {
    /// Its id; for a name without an object of its own, that of what it names.
    pub id: ObjectId,
    /// What it is.
    pub kind: ObjectKind,
    /// A tag's name: that of its ref where one is known, else what the object says; empty for commits.
    pub name: String,
    /// What an annotated tag calls itself, which is what is signed; none for others.
    pub calls_itself: Option<String>,
    /// Who wrote it; none for tags, and where it cannot be read.
    pub author: Option<Person>,
    /// Who made the object: the committer, the tagger. None where it cannot be read.
    pub committer: Option<Person>,
    /// Who vouches for it.
    pub signature: Signature,
    /// What a merge is worth; none for commits that are no merge, and where nobody wants to know.
    pub merge: Option<Fact<MergeTree>>,
}

/// What can be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// A commit.
    Commit,
    /// An annotated tag.
    Tag,
    /// A tag without an object of its own, which nothing can sign.
    LightweightTag,
}

/// Somebody, at a moment, as an object names them: anybody can write any name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The e-mail address, as written.
    pub email: String,
    /// Seconds since 1970.
    pub time: i64,
}

/// Who vouches for an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// Nobody.
    None,
    /// Somebody does, and it was checked.
    Checked(Checked),
    /// Nobody here can check it.
    Unverifiable {
        /// What sort of signature it is.
        format: SignatureFormat,
        /// Why.
        why: Unknown,
    },
    /// It says nothing, as nobody is to be trusted or doubted here: neither is there a trust root, nor does the policy ask
    /// for one.
    NotAsked,
}

/// A signature that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What sort of signature it is.
    pub format: SignatureFormat,
    /// The key's fingerprint: `SHA256:…` for SSH, hexadecimal digits for others; empty where the signature names none.
    pub key: String,
    /// Whether it is right, and whose the key is.
    pub standing: Standing,
    /// What a FIDO token says of it.
    pub presence: Option<TokenPresence>,
}

/// The sorts of signatures that git knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureFormat {
    /// SSH's.
    Ssh,
    /// OpenPGP's.
    OpenPgp,
    /// That of an X.509 certificate.
    X509,
}

/// Whether a signature is right, and whose its key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is wrong: the object was changed, or another key made it.
    Bad {
        /// What is wrong: follows "the signature".
        why: String,
    },
    /// It is right, and the trust root has the key for this use at this time.
    Trusted {
        /// Whose the key is: patterns of e-mail addresses, sorted.
        principals: Vec<String>,
        /// Whether the author is one of them; for tags, whether the tagger is.
        author: bool,
        /// Whether the committer is one of them.
        committer: bool,
    },
    /// It is right, and the trust root does not have the key for this use at this time.
    Refused {
        /// Why: follows "its key".
        why: String,
    },
    /// It is right, and there is nothing that says whom to trust.
    Unknown(Unknown),
}

/// What a FIDO token says of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenPresence {
    /// Somebody touched the token.
    pub touched: bool,
    /// Somebody gave its PIN, or a fingerprint.
    pub verified: bool,
}

/// What a merge is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MergeTree {
    /// What git itself makes of its parents: nobody added anything.
    Clean,
    /// Something else.
    Edited,
}

impl SignedObject {
    /// The thing, as reports name it.
    pub fn subject(&self) -> Subject {
        match self.kind {
            ObjectKind::Commit => Subject::commit(self.id),
            ObjectKind::Tag | ObjectKind::LightweightTag => Subject::git_ref(format!("refs/tags/{}", self.name)),
        }
    }
}

impl ObjectKind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tag | Self::LightweightTag => "tag",
        }
    }
}

impl SignatureFormat {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ssh => "SSH",
            Self::OpenPgp => "OpenPGP",
            Self::X509 => "X.509",
        }
    }
}
