//! Finds evidence about something, and tells what of it can be relied on.

use std::path::PathBuf;

use super::subject::Target;
use super::trust::{self, Sources, Trusted};
use super::{Error, Tests, sidecar};
use crate::evidence::envelope::Envelope;
use crate::evidence::signature::Presence;
use crate::evidence::statement::Statement;
use crate::evidence::trust::TrustRoot;
use crate::evidence::verify::{Form, SignedBy, Verified, VerifyError};
use crate::finding::Unknown;
use crate::ops::Environment;
use crate::report::Verdict;
use crate::source::git::repository::GitRepository;
use crate::source::ssh::keygen;
use crate::store::{Kept, Stored, notes};
use crate::subject::malformed::Malformed;

/// What to look for, where, and whom to believe.
#[derive(Debug, Clone)]
pub struct Request {
    /// The world it runs in.
    pub environment: Environment,
    /// The thing, as people name it.
    pub subject: String,
    /// Files with evidence; empty for where it is kept: beside a file, or as notes.
    pub evidence: Vec<PathBuf>,
    /// Whose signatures count.
    pub trust: Sources,
    /// Only claims of this type.
    pub predicate_type: Option<String>,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The thing.
    pub subject: Target,
    /// Fail if something is broken or nothing is trusted, incomplete if nothing was found or could be checked, else pass.
    pub verdict: Verdict,
    /// Where the list of allowed signers is from.
    pub trust: String,
    /// Lines of that list that trust nobody.
    pub problems: Vec<Malformed>,
    /// The claims about the thing, in the order in which they are kept.
    pub claims: Vec<Claim>,
    /// Lines of evidence that are no envelope.
    pub broken: Vec<Malformed>,
    /// The claims that are verified.
    pub verified: Vec<Verified<Statement>>,
}

/// A claim, and whether it can be relied on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The file, or the ref and the object.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
    /// The type of the claim; as whoever wrote it says, unless it is verified.
    pub predicate_type: String,
    /// What it says came of tests, if that is what it is about; as whoever wrote it says, unless it is verified.
    pub tests: Option<Tests>,
    /// Whether it can be relied on.
    pub state: State,
}

/// Whether a claim can be relied on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It was made by somebody trusted.
    Verified(Vec<By>),
    /// Nobody trusted has signed it.
    NotTrusted(String),
    /// A trusted key is said to have signed it, and has not; or it is no statement.
    Broken(String),
    /// It could not be checked.
    NotChecked(Unknown),
}

/// Somebody trusted who signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// Who.
    pub principals: Vec<String>,
    /// The fingerprint of the key.
    pub key: String,
    /// The forms of the signatures: `dsse`, `sshsig`.
    pub forms: Vec<&'static str>,
    /// Whether the key's token was touched, and whether its PIN was given; none for other keys.
    pub presence: Option<(bool, bool)>,
}

/// Looks, and tells.
///
/// # Errors
///
/// [`Error`] if the thing cannot be found, it is not known whose signatures count, or evidence cannot be read at all.
pub fn run(request: &Request) -> Result<Answer, Error> {
    let environment = &request.environment;
    let repository = GitRepository::open(&environment.directory, &environment.variables).ok();
    let subject = Target::find(&request.subject, environment, repository.as_ref())?;
    let trusted = trust::root(environment, repository.as_ref(), &request.trust)?;
    let stored = stored(environment, repository.as_ref(), &subject, &request.evidence)?;
    Ok(judge(environment, subject, &trusted, stored, request.predicate_type.as_deref()))
}

/// The evidence about a thing in these files; without files where it is kept, beside a file or as notes.
///
/// # Errors
///
/// [`Error`] if a file or a note is there and cannot be read.
pub fn stored(
    environment: &Environment,
    repository: Option<&GitRepository>,
    subject: &Target,
    files: &[PathBuf],
) -> Result<Stored, Error> {
    let mut stored = Stored::default();
    for file in files {
        let path = environment.directory.join(file);
        // That it is not there is no answer where it was named.
        crate::source::file::read(&path, crate::store::MAX_BYTES as u64)?;
        stored.extend(sidecar::read(&path, &file.display().to_string())?);
    }
    if !files.is_empty() {
        return Ok(stored);
    }
    if let Some(file) = &subject.file {
        let path = sidecar::beside(file);
        let name = path.strip_prefix(&environment.directory).unwrap_or(&path).display().to_string();
        stored.extend(sidecar::read(&path, &name)?);
    }
    if let (Some(object), Some(repository)) = (subject.object, repository) {
        stored.extend(notes::read(repository, object)?);
    }
    Ok(stored)
}

/// Judges evidence: what of it is about the thing, and can be relied on.
pub fn judge(
    environment: &Environment,
    subject: Target,
    trusted: &Trusted,
    stored: Stored,
    predicate_type: Option<&str>,
) -> Answer {
    let root = trusted.for_evidence();
    let mut answer = Answer {
        subject,
        verdict: Verdict::Incomplete,
        trust: trusted.origin.clone(),
        problems: trusted.signers.problems().to_vec(),
        claims: Vec::new(),
        broken: stored.broken,
        verified: Vec::new(),
    };
    for Kept { path, line, envelope } in stored.envelopes {
        let (said, tests) = match envelope.unverified_statement() {
            Ok(statement) if !is_about(&statement, &answer.subject) => continue,
            Ok(statement) if predicate_type.is_some_and(|wanted| wanted != statement.predicate_type()) => continue,
            Ok(statement) => (statement.predicate_type().to_owned(), Tests::of(&statement)),
            // What it is about cannot be told.
            Err(_) => (String::new(), None),
        };
        let state = match verify(&envelope, &root, environment) {
            Ok(verified) => {
                let by = verified.signers().iter().map(By::from).collect();
                answer.verified.push(verified);
                State::Verified(by)
            }
            Err(error) => State::from(error),
        };
        answer.claims.push(Claim { path, line, predicate_type: said, tests, state });
    }
    answer.verdict = verdict(&answer);
    answer
}

/// Verifies an envelope as of now; `ssh-keygen` is asked about keys that are not checked in process.
///
/// # Errors
///
/// As [`Envelope::verify`].
pub fn verify(
    envelope: &Envelope,
    root: &TrustRoot,
    environment: &Environment,
) -> Result<Verified<Statement>, VerifyError> {
    envelope.verify_with(root, environment.now, &|signature, message| {
        let armour = signature.armour();
        keygen::verify(&armour, message, signature.key(), signature.namespace(), &environment.variables)
    })
}

fn is_about(statement: &Statement, subject: &Target) -> bool {
    statement.digests().any(|(name, digits)| name == subject.algorithm && digits == subject.digits)
}

/// What could not be looked at has not passed; what is broken has failed.
fn verdict(answer: &Answer) -> Verdict {
    let any = |is_it: fn(&State) -> bool| answer.claims.iter().any(|claim| is_it(&claim.state));
    if !answer.broken.is_empty() || any(|state| matches!(state, State::Broken(_))) {
        return Verdict::Fail;
    }
    if any(|state| matches!(state, State::NotChecked(_))) {
        return Verdict::Incomplete;
    }
    if any(|state| matches!(state, State::Verified(_))) {
        return Verdict::Pass;
    }
    // Claims by strangers alone.
    if answer.claims.is_empty() { Verdict::Incomplete } else { Verdict::Fail }
}

impl From<VerifyError> for State {
    fn from(error: VerifyError) -> Self {
        let text = error.to_string();
        match error {
            VerifyError::NoTrustedKey { .. } => Self::NotTrusted(text),
            VerifyError::NeedsProgram { why, .. } => Self::NotChecked(Unknown { reason: text, ..why }),
            VerifyError::BadSignature { .. } | VerifyError::PayloadType(_) | VerifyError::Statement(_) => {
                Self::Broken(text)
            }
        }
    }
}

impl From<&SignedBy> for By {
    fn from(signed: &SignedBy) -> Self {
        let form = |form: &Form| match form {
            Form::Raw => "dsse",
            Form::SshSig => "sshsig",
        };
        Self {
            principals: signed.signer.principals.clone(),
            key: signed.signer.key.clone(),
            forms: signed.forms.iter().map(form).collect(),
            presence: signed.presence.map(|Presence { touched, verified }| (touched, verified)),
        }
    }
}
