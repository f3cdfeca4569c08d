//! Evidence: signing it, finding it, and telling what of it can be relied on.

pub mod list;
pub mod sign;
pub mod subject;
pub mod trust;
pub mod verify;

use crate::evidence::predicate::test_result::TestResult;
use crate::evidence::statement::Statement;
use crate::evidence::{digest_set, predicate, statement};
use crate::source::git::{self, store};
use crate::source::ssh;
use crate::source::{cache, file};
use crate::store::{notes, sidecar};
use crate::subject::attestation::{self, TestOutcome};
use crate::subject::malformed::Malformed;

/// Why something about evidence could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error(transparent)]
    File(#[from] file::Error),
    /// A file could not be understood.
    #[error("cannot understand `{}`", .0.location.path)]
    Malformed(#[from] Malformed),
    /// The repository could not be read.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// A file of a commit could not be read.
    #[error("`{path}` of `{revision}` {why}")]
    InCommit {
        /// The file.
        path: &'static str,
        /// The revision.
        revision: String,
        /// Why.
        why: store::Missing,
    },
    /// A key could not be used.
    #[error(transparent)]
    Ssh(#[from] ssh::Error),
    /// What was to be signed is no statement.
    #[error(transparent)]
    Statement(#[from] statement::Error),
    /// Notes could not be read or written.
    #[error(transparent)]
    Notes(#[from] notes::Error),
    /// Evidence beside a file could not be read or written.
    #[error(transparent)]
    Sidecar(#[from] sidecar::Error),
    /// Nobody could be kept from writing at the same time.
    #[error(transparent)]
    Lock(#[from] cache::Error),
    /// Git is not told to sign with an SSH key.
    #[error("there is no key to sign with: {why}")]
    NoKey {
        /// Why.
        why: String,
    },
    /// A key's signature is not one: an agent or a program that lies, or a broken token.
    #[error("the signature that {key} made is wrong")]
    WrongSignature {
        /// The key's fingerprint.
        key: String,
    },
    /// It is not known who is trusted.
    #[error("it is not known whose signatures count: {why}")]
    NoTrust {
        /// Why.
        why: String,
    },
    /// A thing that evidence is to be about cannot be found.
    #[error("`{text}` {why}")]
    Subject {
        /// As it was named.
        text: String,
        /// Why.
        why: String,
    },
    /// A predicate is not JSON.
    #[error("`{path}` is no predicate: {why}")]
    Predicate {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// Evidence about this cannot be kept as a note.
    #[error("`{name}` is no object of this repository, and only those have notes")]
    NoNote {
        /// The thing's name.
        name: String,
    },
}

impl From<digest_set::Error> for Error {
    fn from(error: digest_set::Error) -> Self {
        statement::Error::Form(error.to_string()).into()
    }
}

impl Error {
    /// What the reader can do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoKey { .. } => Some(
                "`git config gpg.format ssh` and `git config user.signingkey FILE` say which; `--key FILE` names one",
            ),
            Self::NoTrust { .. } => Some(
                "`--allowed-signers FILE` names a list, `git config toolbelt.allowedSigners FILE` pins one, and \
                 `--base REV` takes `.toolbelt/allowed_signers` of a revision that is trusted",
            ),
            Self::Subject { .. } => Some(
                "name a file, a revision, or a digest such as sha256:…, gitCommit:… or gitTree:…; a file that looks like \
                 something else is ./FILE",
            ),
            _ => None,
        }
    }
}

/// What a claim says came of tests: a good signature says nothing of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tests {
    /// What they come to.
    pub result: TestOutcome,
    /// The names of what passed.
    pub passed: Vec<String>,
    /// The names of what passed with warnings.
    pub warned: Vec<String>,
    /// The names of what failed.
    pub failed: Vec<String>,
}

impl Tests {
    /// What a statement says; none if it is of another type, or not as its type demands.
    pub fn of(statement: &Statement) -> Option<Self> {
        match attestation::Claim::from(statement.claim::<TestResult>()?) {
            attestation::Claim::TestResult { result, passed, warned, failed } => {
                Some(Self { result, passed, warned, failed })
            }
            attestation::Claim::Approval { .. }
            | attestation::Claim::VerificationSummary { .. }
            | attestation::Claim::Other => None,
        }
    }
}

/// The types of predicates that are known by name.
pub mod types {
    use super::predicate::Predicate as _;
    use super::predicate::{approval, provenance, release, test_result, verification_summary};

    /// Each type, and what is said with it.
    pub const KNOWN: [(&str, &str); 5] = [
        (provenance::Provenance::TYPE, "how it was built"),
        (verification_summary::VerificationSummary::TYPE, "that somebody checked it"),
        (release::Release::TYPE, "that it was released"),
        (test_result::TestResult::TYPE, "what came of its tests"),
        (approval::Approval::TYPE, "that somebody approves of it"),
    ];

    /// What is said with a type of predicate, for people; none for types that are not known.
    pub fn meaning(predicate_type: &str) -> Option<&'static str> {
        KNOWN.iter().find(|(known, _)| *known == predicate_type).map(|(_, meaning)| *meaning)
    }
}
