//! From an envelope to a statement that somebody trusted has signed.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;

use jiff::Timestamp;

use super::allowed_signers::Refused;
use super::envelope::{Envelope, SSHSIG_KEY_ID, STATEMENT, Signature};
use super::signature::{Checked, Presence, SshSignature};
use super::sshsig::{self, SshSig};
use super::statement::{self, Statement};
use super::trust::TrustRoot;
use crate::finding::Unknown;
use crate::subject::attestation::Signer;
use crate::subject::ssh::{KeyKind, PublicKey};

/// Something whose signatures were checked against a trust root.
///
/// Only [`Envelope::verify`] and its like create one, so holding it is proof that verification happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified<T> {
    value: T,
    signers: Vec<SignedBy>,
}

/// A trusted key that signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedBy {
    /// The key, and whose it is.
    pub signer: Signer,
    /// The forms in which it signed, sorted.
    pub forms: Vec<Form>,
    /// What a FIDO token says of whether somebody was there; none for other keys.
    pub presence: Option<Presence>,
}

/// The form of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// Over the envelope's content itself, which any DSSE verifier knows.
    Raw,
    /// As `ssh-keygen -Y sign` makes it.
    SshSig,
}

/// Why there is nothing that is verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// No signature was made by a trusted key.
    #[error("no trusted key signed it{}", reasons(ignored))]
    NoTrustedKey {
        /// Why each of its signatures does not count, in their order.
        ignored: Vec<Ignored>,
    },
    /// A trusted key is said to have signed, and did not, or not this.
    #[error("the signature of the trusted key {key} {why}")]
    BadSignature {
        /// The key's fingerprint.
        key: String,
        /// What is wrong.
        why: &'static str,
    },
    /// Only `ssh-keygen` can check the signature of a trusted key, and it was not asked or did not answer.
    #[error("the signature of the trusted key {key} could not be checked: {}", why.reason)]
    NeedsProgram {
        /// The key's fingerprint.
        key: String,
        /// Why not.
        why: Unknown,
    },
    /// What was signed is no statement, by its type.
    #[error("the payload is of type {0:?}, which is no statement")]
    PayloadType(String),
    /// What was signed is no statement.
    #[error(transparent)]
    Statement(#[from] statement::Error),
}

/// A signature that does not count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ignored {
    /// The fingerprint of its key, else its keyid, which may be empty.
    pub key: String,
    /// Why.
    pub why: WhyIgnored,
}

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum WhyIgnored {
    /// Its key is not in the trust root.
    Unknown,
    /// Its key is in the trust root, but not for this.
    Refused(Refused),
    /// It is of a form that is not known.
    Form,
    /// Keys of this type are not supported, or not in this form.
    Unsupported,
}

/// Asks somebody else whether a signature of a key that is not checked in process is right for this message: the answer,
/// or why there is none.
pub type Outside<'a> = &'a dyn Fn(&SshSig, &[u8]) -> Result<bool, Unknown>;

impl<T> Verified<T> {
    /// What was signed.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// Who signed: each trusted key once, sorted by fingerprint; never empty.
    pub fn signers(&self) -> &[SignedBy] {
        &self.signers
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl Envelope {
    /// Checks every signature and returns the statement inside; `at` is the time at which keys have to count.
    ///
    /// Signatures of keys that are not trusted are ignored: anybody can add one.
    ///
    /// # Errors
    ///
    /// [`VerifyError::NoTrustedKey`] if no signature was made by a key in `root`; [`VerifyError::BadSignature`] if one of
    /// those is wrong, even when another is right; [`VerifyError::NeedsProgram`] if one is by a key that is not checked in
    /// process; the others if what was signed is no statement.
    pub fn verify(&self, root: &TrustRoot, at: Timestamp) -> Result<Verified<Statement>, VerifyError> {
        self.verify_with(root, at, &|_, _| Err(Unknown::new("`ssh-keygen` was not asked")))
    }

    /// Checks every signature as [`verify`](Self::verify) does, and asks about those that are not checked in process.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub fn verify_with(
        &self,
        root: &TrustRoot,
        at: Timestamp,
        outside: Outside<'_>,
    ) -> Result<Verified<Statement>, VerifyError> {
        let signers = self.signers(root, at, outside)?;
        if self.payload_type() != STATEMENT {
            return Err(VerifyError::PayloadType(self.payload_type().to_owned()));
        }
        Ok(Verified { value: Statement::parse(self.payload())?, signers })
    }

    /// Who signed it; what was signed is not looked at.
    fn signers(&self, root: &TrustRoot, at: Timestamp, outside: Outside<'_>) -> Result<Vec<SignedBy>, VerifyError> {
        let check = Check { root, at, outside, pae: self.pae(), keys: Keys::of(root, at), tries: Cell::new(MAX_TRIES) };
        let mut signers = BTreeMap::<String, SignedBy>::new();
        let mut ignored = Vec::new();
        for signature in self.signatures() {
            match check.one(signature)? {
                Ok(signed) => match signers.get_mut(&signed.signer.key) {
                    None => drop(signers.insert(signed.signer.key.clone(), signed)),
                    Some(known) => known.also(&signed),
                },
                Err(why) => ignored.push(why),
            }
        }
        if signers.is_empty() {
            return Err(VerifyError::NoTrustedKey { ignored });
        }
        Ok(signers.into_values().collect())
    }
}

/// Checks an `ssh-keygen -Y sign` signature of a message: for commits and tags, whose signatures have no envelope.
///
/// # Errors
///
/// As [`Envelope::verify`], besides those about statements.
pub fn verify_sshsig(
    signature: &SshSig,
    message: &[u8],
    root: &TrustRoot,
    at: Timestamp,
    outside: Outside<'_>,
) -> Result<SignedBy, VerifyError> {
    let key = signature.key();
    let signer = trusted(root, key, at).map_err(|why| VerifyError::NoTrustedKey { ignored: vec![why] })?;
    check_sshsig(signature, message, root.namespace(), outside)?;
    Ok(SignedBy { signer, forms: vec![Form::SshSig], presence: signature.signature().presence() })
}

/// Checks the signature of a trusted key.
fn check_sshsig(signature: &SshSig, message: &[u8], namespace: &str, outside: Outside<'_>) -> Result<(), VerifyError> {
    let key = signature.key().fingerprint();
    if signature.namespace() != namespace {
        return Err(VerifyError::BadSignature { key, why: "was made for another namespace" });
    }
    let bad = |key| VerifyError::BadSignature { key, why: "is not a signature of this content" };
    match signature.signature().check(signature.key(), &signature.signed_data(message)) {
        Checked::Good => Ok(()),
        Checked::Bad => Err(bad(key)),
        Checked::ByProgram => match outside(signature, message) {
            Ok(true) => Ok(()),
            Ok(false) => Err(bad(key)),
            Err(why) => Err(VerifyError::NeedsProgram { key, why }),
        },
        Checked::Unsupported => {
            Err(VerifyError::NoTrustedKey { ignored: vec![Ignored { key, why: WhyIgnored::Unsupported }] })
        }
    }
}

fn trusted(root: &TrustRoot, key: &PublicKey, at: Timestamp) -> Result<Signer, Ignored> {
    let fingerprint = key.fingerprint();
    let principals = root.principals(key, at);
    if principals.is_empty() {
        let why = root.why_not(key, at).map_or(WhyIgnored::Unknown, WhyIgnored::Refused);
        return Err(Ignored { key: fingerprint, why });
    }
    Ok(Signer { principals, key: fingerprint })
}

/// How often a signature is tried with a key that it does not name; each try costs a look at the whole payload.
const MAX_TRIES: u32 = 64;

/// The trusted keys by their fingerprints, for signatures that do not bring their key along.
struct Keys<'a>(BTreeMap<String, &'a PublicKey>);

impl<'a> Keys<'a> {
    fn of(root: &'a TrustRoot, at: Timestamp) -> Self {
        Self(root.keys(at).map(|key| (key.fingerprint(), key)).collect())
    }
}

/// One envelope's signatures against one trust root.
struct Check<'a> {
    root: &'a TrustRoot,
    at: Timestamp,
    outside: Outside<'a>,
    pae: Vec<u8>,
    keys: Keys<'a>,
    /// How many tries are left for signatures that name no key.
    tries: Cell<u32>,
}

impl Check<'_> {
    /// Who made a signature, or why it does not count.
    fn one(&self, signature: &Signature) -> Result<Result<SignedBy, Ignored>, VerifyError> {
        if signature.bytes.starts_with(sshsig::BEGIN.as_bytes()) { self.sshsig(signature) } else { self.raw(signature) }
    }

    fn sshsig(&self, signature: &Signature) -> Result<Result<SignedBy, Ignored>, VerifyError> {
        let named = signature.key_id.strip_prefix(SSHSIG_KEY_ID);
        let claimed = named.filter(|named| self.keys.0.contains_key(*named));
        let parsed = std::str::from_utf8(&signature.bytes).ok().and_then(|armour| SshSig::parse(armour).ok());
        let Some(parsed) = parsed else {
            return match claimed {
                Some(key) => Err(VerifyError::BadSignature { key: key.to_owned(), why: "cannot be read" }),
                None => Ok(Err(Ignored { key: signature.key_id.clone(), why: WhyIgnored::Form })),
            };
        };
        if let Some(key) = claimed.filter(|claimed| parsed.key().fingerprint() != **claimed) {
            return Err(VerifyError::BadSignature { key: key.to_owned(), why: "was made by another key" });
        }
        match verify_sshsig(&parsed, &self.pae, self.root, self.at, self.outside) {
            Ok(signed) => Ok(Ok(signed)),
            Err(VerifyError::NoTrustedKey { ignored }) => Ok(Err(ignored
                .into_iter()
                .next()
                .unwrap_or_else(|| Ignored { key: parsed.key().fingerprint(), why: WhyIgnored::Unknown }))),
            Err(error) => Err(error),
        }
    }

    /// The keyid says whose signature it is meant to be; without one any trusted key may have made it.
    fn raw(&self, signature: &Signature) -> Result<Result<SignedBy, Ignored>, VerifyError> {
        let ignored = |why| Ok(Err(Ignored { key: signature.key_id.clone(), why }));
        if signature.key_id.is_empty() {
            let makers = self.keys.0.values().take_while(|_| self.may_try());
            let maker = makers.into_iter().find(|key| self.is_raw_by(signature, key) == Some(true));
            return match maker {
                Some(key) => Ok(self.signed(key)),
                None => ignored(WhyIgnored::Unknown),
            };
        }
        let Some(key) = self.keys.0.get(&signature.key_id) else {
            return ignored(self.refused(&signature.key_id));
        };
        match self.is_raw_by(signature, key) {
            Some(true) => Ok(self.signed(key)),
            Some(false) => {
                let why = "is not a signature of this content";
                Err(VerifyError::BadSignature { key: signature.key_id.clone(), why })
            }
            None => ignored(WhyIgnored::Unsupported),
        }
    }

    fn may_try(&self) -> bool {
        let left = self.tries.get();
        self.tries.set(left.saturating_sub(1));
        left > 0
    }

    fn signed(&self, key: &PublicKey) -> Result<SignedBy, Ignored> {
        let signer = trusted(self.root, key, self.at)?;
        Ok(SignedBy { signer, forms: vec![Form::Raw], presence: None })
    }

    /// Whether a key made a signature; none if keys of its type make none in this form.
    fn is_raw_by(&self, signature: &Signature, key: &PublicKey) -> Option<bool> {
        match key.kind() {
            KeyKind::Ed25519 | KeyKind::EcdsaP256 => {
                let parsed = SshSignature::from_raw(key.kind(), &signature.bytes);
                Some(parsed.is_some_and(|parsed| parsed.check(key, &self.pae) == Checked::Good))
            }
            KeyKind::SkEd25519
            | KeyKind::SkEcdsaP256
            | KeyKind::ByProgram
            | KeyKind::Certificate
            | KeyKind::Unsupported => None,
        }
    }

    /// Why a key with this fingerprint is not trusted.
    fn refused(&self, fingerprint: &str) -> WhyIgnored {
        let refused = self.root.signers().refused_by_fingerprint(fingerprint, self.root.namespace(), self.at);
        refused.map_or(WhyIgnored::Unknown, WhyIgnored::Refused)
    }
}

impl SignedBy {
    /// Adds what another signature of the same key says.
    fn also(&mut self, other: &Self) {
        self.forms.extend(&other.forms);
        self.forms.sort_unstable();
        self.forms.dedup();
        self.presence = self.presence.or(other.presence);
    }
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = if self.key.is_empty() { "a signature without a keyid" } else { &self.key };
        match &self.why {
            WhyIgnored::Unknown => write!(f, "{key} is not among the allowed signers"),
            WhyIgnored::Refused(refused) => write!(f, "{key} {refused}"),
            WhyIgnored::Form => write!(f, "{key} has a form that is not known"),
            WhyIgnored::Unsupported => write!(f, "{key} is of a type that is not supported"),
        }
    }
}

fn reasons(ignored: &[Ignored]) -> String {
    let list: Vec<String> = ignored.iter().map(ToString::to_string).collect();
    if list.is_empty() { String::new() } else { format!(": {}", list.join("; ")) }
}

#[cfg(test)]
mod tests;
