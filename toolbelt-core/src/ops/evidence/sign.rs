//! Makes evidence: a statement, signed with the key that git uses.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::subject::Target;
use super::{Error, sidecar};
use crate::evidence::envelope::Envelope;
use crate::evidence::signature::{Checked, SshSignature};
use crate::evidence::sshsig::{HashName, SshSig, signed_data};
use crate::evidence::statement::Statement;
use crate::evidence::trust::EVIDENCE;
use crate::ops::Environment;
use crate::source::cache::Cache;
use crate::source::file;
use crate::source::git::repository::GitRepository;
use crate::source::git::settings::{self, Form};
use crate::source::ssh::{Named, SigningKey, keygen};
use crate::store::notes;

/// What to sign, with what, and where to keep it.
#[derive(Debug, Clone)]
pub struct Request {
    /// The world it runs in.
    pub environment: Environment,
    /// The things that it is about, as people name them.
    pub subjects: Vec<String>,
    /// The type of the claim.
    pub predicate_type: String,
    /// A file with the claim, in JSON.
    pub predicate: PathBuf,
    /// A key in place of git's.
    pub key: Option<PathBuf>,
    /// Where to keep it.
    pub destination: Destination,
}

/// Where to keep evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Nowhere: whoever asked takes it.
    Returned,
    /// In this file, after what is in it.
    File(PathBuf),
    /// As a note of each thing that it is about.
    Notes,
}

/// What was made.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The envelope.
    pub envelope: Envelope,
    /// What it is about.
    pub subjects: Vec<Target>,
    /// The fingerprint of the key that signed.
    pub key: String,
    /// The keyids of its signatures.
    pub key_ids: Vec<String>,
}

/// The largest predicate that is read.
const MAX_PREDICATE: u64 = 20 << 20;

/// Signs, and keeps the envelope where it was asked to.
///
/// # Errors
///
/// [`Error`] if a thing cannot be found, there is no key or it does not sign, or the envelope cannot be kept.
pub fn run(request: &Request) -> Result<Signed, Error> {
    let environment = &request.environment;
    let repository = GitRepository::open(&environment.directory, &environment.variables).ok();
    let find = |text: &String| Target::find(text, environment, repository.as_ref());
    let subjects = request.subjects.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    let descriptors = subjects.iter().map(Target::descriptor).collect::<Result<Vec<_>, _>>()?;
    let statement = Statement::new(descriptors, request.predicate_type.clone(), predicate(request)?)?;
    let key = signing_key(environment, request.key.as_deref())?;
    let envelope = sign(&statement, &key)?;
    keep(request, repository.as_ref(), &subjects, &envelope)?;
    let key_ids = envelope.signatures().iter().map(|signature| signature.key_id.clone()).collect();
    Ok(Signed { envelope, subjects, key: key.public().fingerprint(), key_ids })
}

fn predicate(request: &Request) -> Result<Value, Error> {
    let path = &request.predicate;
    let text = file::read(&request.environment.directory.join(path), MAX_PREDICATE)?;
    let failed = |why: String| Error::Predicate { path: path.display().to_string(), why };
    Statement::predicate_from(&text).map_err(failed)
}

fn keep(
    request: &Request,
    repository: Option<&GitRepository>,
    subjects: &[Target],
    envelope: &Envelope,
) -> Result<(), Error> {
    let environment = &request.environment;
    match &request.destination {
        Destination::Returned => {}
        Destination::File(path) => {
            let cache = Cache::new(environment.cache.clone());
            sidecar::append(&environment.directory.join(path), std::slice::from_ref(envelope), &cache)?;
        }
        Destination::Notes => {
            let no_note = |subject: &Target| Error::NoNote { name: subject.name.clone() };
            // All of them before the first is written.
            let objects = subjects.iter().map(|subject| subject.object.ok_or_else(|| no_note(subject)));
            let objects = objects.collect::<Result<Vec<_>, _>>()?;
            for object in objects {
                let repository = repository.ok_or_else(|| no_note(&subjects[0]))?;
                notes::append(repository, object, std::slice::from_ref(envelope))?;
            }
        }
    }
    Ok(())
}

/// The key to sign with: the one that is named, else the one with which git signs commits.
///
/// `gpg.ssh.defaultKeyCommand` is not run: it is a command line for a shell.
///
/// # Errors
///
/// [`Error::NoKey`] if git is not told to sign with an SSH key; [`Error::Ssh`] if the key cannot be read.
pub fn signing_key(environment: &Environment, named: Option<&Path>) -> Result<SigningKey, Error> {
    let named = match named {
        Some(path) => Named::File(environment.directory.join(path)),
        None => key_of_git(environment)?,
    };
    // Password managers sign with a program of their own, which git is told of here.
    let program = setting(environment, "gpg.ssh.program", Form::Path)?.unwrap_or_else(|| "ssh-keygen".to_owned());
    Ok(SigningKey::find(&named, &program, &environment.variables)?)
}

/// The key that git is told to sign with.
fn key_of_git(environment: &Environment) -> Result<Named, Error> {
    let no_key = |why: &str| Error::NoKey { why: why.to_owned() };
    if setting(environment, "gpg.format", Form::Text)?.as_deref() != Some("ssh") {
        return Err(no_key("git's `gpg.format` is not `ssh`"));
    }
    if let Some(key) = setting(environment, "user.signingkey", Form::Path)? {
        let wrong = |error| Error::NoKey { why: format!("git's `user.signingkey` {error}") };
        return Named::parse(&key, &environment.directory).map_err(wrong);
    }
    Err(match setting(environment, "gpg.ssh.defaultKeyCommand", Form::Text)? {
        Some(_) => no_key("git's `user.signingkey` is not set, and `gpg.ssh.defaultKeyCommand` is not run"),
        None => no_key("git's `user.signingkey` is not set"),
    })
}

fn setting(environment: &Environment, name: &str, form: Form) -> Result<Option<String>, Error> {
    Ok(settings::get(&environment.directory, &environment.variables, name, form)?)
}

/// Signs a statement: in the form that any DSSE verifier knows where the key allows it, and as `ssh-keygen` does.
///
/// # Errors
///
/// [`Error::Ssh`] if the key does not sign; [`Error::WrongSignature`] if what it made does not hold.
pub fn sign(statement: &Statement, key: &SigningKey) -> Result<Envelope, Error> {
    let mut envelope = Envelope::of(statement);
    let public = key.public();
    let wrong = || Error::WrongSignature { key: public.fingerprint() };
    let pae = envelope.pae();
    if let Some(blob) = key.sign(&pae)? {
        let signature = SshSignature::from_blob(&blob).ok_or_else(wrong)?;
        if signature.check(public, &pae) != Checked::Good {
            return Err(wrong());
        }
        envelope.add_raw(public, &signature);
    }
    let signature = match key.sign(&signed_data(EVIDENCE, HashName::Sha512, &pae))? {
        Some(blob) => SshSig::new(public.clone(), EVIDENCE, blob).map_err(|_| wrong())?,
        None => SshSig::parse(&key.sign_file(EVIDENCE, &pae)?).map_err(|_| wrong())?,
    };
    let is_right = match signature.signature().check(public, &signature.signed_data(&pae)) {
        Checked::Good => true,
        Checked::Bad | Checked::Unsupported => false,
        Checked::ByProgram => {
            keygen::verify(&signature.armour(), &pae, public, EVIDENCE, key.variables()).is_ok_and(|is_right| is_right)
        }
    };
    if signature.key() != public || signature.namespace() != EVIDENCE || !is_right {
        return Err(wrong());
    }
    envelope.add_sshsig(&signature);
    Ok(envelope)
}
