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
    match trusted(root, key, at) {
        Err(why) => Err(VerifyError::NoTrustedKey { ignored: vec![why] }),
        Ok(signer) => match check_sshsig(signature, message, root.namespace(), outside)? {
            Some(presence) => Ok(SignedBy { signer, forms: vec![Form::SshSig], presence }),
            None => Err(VerifyError::NoTrustedKey {
                ignored: vec![Ignored { key: key.fingerprint(), why: WhyIgnored::Unsupported }],
            }),
        },
    }
}

/// Checks the signature of a trusted key: what its token says, or none if nobody can check signatures by such keys.
fn check_sshsig(
    signature: &SshSig,
    message: &[u8],
    namespace: &str,
    outside: Outside<'_>,
) -> Result<Option<Option<Presence>>, VerifyError> {
    let key = signature.key().fingerprint();
    if signature.namespace() != namespace {
        return Err(VerifyError::BadSignature { key, why: "was made for another namespace" });
    }
    let bad = |key| VerifyError::BadSignature { key, why: "is not a signature of this content" };
    match signature.signature().check(signature.key(), &signature.signed_data(message)) {
        Checked::Good => Ok(Some(signature.signature().presence())),
        Checked::Bad => Err(bad(key)),
        Checked::ByProgram => match outside(signature, message) {
            Ok(true) => Ok(Some(signature.signature().presence())),
            Ok(false) => Err(bad(key)),
            Err(why) => Err(VerifyError::NeedsProgram { key, why }),
        },
        Checked::Unsupported => Ok(None),
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
mod tests {
    use serde_json::json;

    use super::*;
    use crate::evidence::allowed_signers::AllowedSigners;
    use crate::evidence::digest_set::DigestSet;
    use crate::evidence::example::Key;
    use crate::evidence::statement::ResourceDescriptor;

    const NAMESPACE: &str = "toolbelt";

    fn statement() -> Statement {
        let subject = ResourceDescriptor::new("foo", DigestSet::one("sha256", &"ab".repeat(32)).unwrap());
        Statement::new(vec![subject], "https://example.com/p/v1", json!({"a": 1})).unwrap()
    }

    fn envelope() -> Envelope {
        Envelope::of(&statement())
    }

    fn raw(envelope: &mut Envelope, key: &Key) {
        let signature = SshSignature::from_blob(&key.sign(&envelope.pae())).unwrap();
        assert!(envelope.add_raw(&key.public(), &signature));
    }

    fn sshsig(envelope: &mut Envelope, key: &Key) {
        envelope.add_sshsig(&key.sshsig(NAMESPACE, &envelope.pae()));
    }

    fn root(lines: &[String]) -> TrustRoot {
        TrustRoot::for_evidence(AllowedSigners::parse("allowed_signers", &lines.join("\n")).unwrap())
    }

    fn line(name: &str, options: &str, key: &Key) -> String {
        format!("{name} {options} {}", key.public())
    }

    fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    /// The envelope as it is read after somebody changed it.
    fn changed(envelope: &Envelope, change: impl FnOnce(&mut serde_json::Value)) -> Envelope {
        let mut value = serde_json::from_str(&envelope.to_json()).unwrap();
        change(&mut value);
        Envelope::parse(value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn both_forms_of_every_key_are_verified_and_name_one_signer() {
        for key in [Key::ed25519(1), Key::p256(2)] {
            let mut envelope = envelope();
            raw(&mut envelope, &key);
            sshsig(&mut envelope, &key);
            let read = Envelope::parse(envelope.to_json().as_bytes()).unwrap();
            let verified = read.verify(&root(&[line("alice", "", &key)]), now()).unwrap();
            assert_eq!(verified.get(), &statement());
            let signer = Signer { principals: vec!["alice".to_owned()], key: key.public().fingerprint() };
            let expected = SignedBy { signer, forms: vec![Form::Raw, Form::SshSig], presence: None };
            assert_eq!(verified.signers(), [expected]);
        }
    }

    #[test]
    fn signatures_of_tokens_say_whether_somebody_was_there() {
        for key in [Key::ed25519(1).token(), Key::p256(2).token()] {
            let mut envelope = envelope();
            let signature = SshSignature::from_blob(&key.sign(&envelope.pae())).unwrap();
            assert!(!envelope.add_raw(&key.public(), &signature), "a token does not sign the message itself");
            sshsig(&mut envelope, &key);
            let verified = envelope.verify(&root(&[line("alice", "", &key)]), now()).unwrap();
            assert_eq!(verified.signers()[0].presence, Some(Presence { touched: true, verified: false }));
        }
    }

    #[test]
    fn keys_that_are_not_trusted_are_ignored() {
        let (alice, eve) = (Key::ed25519(1), Key::ed25519(2));
        let mut envelope = envelope();
        raw(&mut envelope, &eve);
        sshsig(&mut envelope, &eve);
        let root = root(&[line("alice", "", &alice)]);
        let Err(VerifyError::NoTrustedKey { ignored }) = envelope.verify(&root, now()) else { panic!() };
        let unknown = Ignored { key: eve.public().fingerprint(), why: WhyIgnored::Unknown };
        assert_eq!(ignored, [unknown.clone(), unknown]);
        // Nor does nonsense in their name harm what others have signed.
        raw(&mut envelope, &alice);
        let broken = changed(&envelope, |value| {
            value["signatures"][0]["sig"] = json!("AQ==");
            value["signatures"][1]["sig"] = json!("LS0tLS1CRUdJTiBTU0ggU0lHTkFUVVJFLS0tLS0=");
        });
        assert_eq!(broken.verify(&root, now()).unwrap().signers().len(), 1);
    }

    #[test]
    fn one_bad_signature_of_a_trusted_key_outweighs_the_good_ones() {
        let (alice, bob) = (Key::ed25519(1), Key::p256(2));
        let root = root(&[line("alice", "", &alice), line("bob", "", &bob)]);
        let mut envelope = envelope();
        for key in [&alice, &bob] {
            raw(&mut envelope, key);
            sshsig(&mut envelope, key);
        }
        assert_eq!(envelope.verify(&root, now()).unwrap().signers().len(), 2);
        for index in 0..4 {
            let other = (index + 2) % 4;
            let bad = changed(&envelope, |value| {
                let sig = value["signatures"][other]["sig"].clone();
                value["signatures"][index]["sig"] = sig;
            });
            let error = bad.verify(&root, now()).unwrap_err();
            assert!(matches!(error, VerifyError::BadSignature { .. }), "{index}: {error}");
        }
    }

    #[test]
    fn what_was_signed_is_payload_and_type() {
        let key = Key::ed25519(1);
        let mut envelope = envelope();
        raw(&mut envelope, &key);
        let root = root(&[line("alice", "", &key)]);
        let bad = |change: fn(&mut serde_json::Value)| changed(&envelope, change).verify(&root, now()).unwrap_err();
        let payload = bad(|value| value["payload"] = json!("e30="));
        let kind = bad(|value| value["payloadType"] = json!("application/json"));
        for error in [payload, kind] {
            assert!(matches!(error, VerifyError::BadSignature { .. }), "{error}");
        }
    }

    #[test]
    fn another_type_of_payload_is_no_statement_however_well_it_is_signed() {
        let key = Key::ed25519(1);
        let text = r#"{"payload":"e30=","payloadType":"application/json","signatures":[{"sig":"AQ=="}]}"#;
        let mut other = Envelope::parse(text.as_bytes()).unwrap();
        raw(&mut other, &key);
        let root = root(&[line("alice", "", &key)]);
        assert_eq!(other.verify(&root, now()), Err(VerifyError::PayloadType("application/json".to_owned())));
    }

    #[test]
    fn a_signed_payload_that_is_no_statement_is_an_error() {
        let key = Key::ed25519(1);
        let text = format!(r#"{{"payload":"e30=","payloadType":"{STATEMENT}","signatures":[{{"sig":"AQ=="}}]}}"#);
        let mut other = Envelope::parse(text.as_bytes()).unwrap();
        raw(&mut other, &key);
        let root = root(&[line("alice", "", &key)]);
        assert_eq!(other.verify(&root, now()), Err(VerifyError::Statement(statement::Error::Type)));
    }

    #[test]
    fn a_signature_for_another_namespace_is_bad() {
        let key = Key::ed25519(1);
        let mut envelope = envelope();
        envelope.add_sshsig(&key.sshsig("git", &envelope.pae()));
        let error = envelope.verify(&root(&[line("alice", "", &key)]), now()).unwrap_err();
        assert!(matches!(error, VerifyError::BadSignature { why: "was made for another namespace", .. }), "{error}");
    }

    #[test]
    fn a_key_has_to_be_allowed_for_the_namespace_and_at_the_time() {
        let key = Key::ed25519(1);
        let mut envelope = envelope();
        raw(&mut envelope, &key);
        sshsig(&mut envelope, &key);
        for (options, reason) in [
            ("namespaces=\"git\"", "is allowed for the namespaces \"git\" alone"),
            ("valid-after=\"20261123Z\"", "is allowed from 2026-11-23T00:00:00Z on"),
            ("valid-before=\"20261121Z\"", "was allowed until 2026-11-21T00:00:00Z"),
            ("cert-authority", "is allowed to make certificates, which are not supported"),
        ] {
            let error = envelope.verify(&root(&[line("alice", options, &key)]), now()).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
            assert_eq!(error.to_string().matches(reason).count(), 2, "of both signatures: {error}");
        }
        for options in ["namespaces=\"git,tool*\"", "valid-after=\"20261121\"", "valid-before=\"20261122100000Z\""] {
            assert!(envelope.verify(&root(&[line("alice", options, &key)]), now()).is_ok(), "{options}");
        }
    }

    #[test]
    fn without_a_keyid_any_trusted_key_may_have_signed() {
        let (alice, bob) = (Key::ed25519(1), Key::p256(2));
        let mut envelope = envelope();
        raw(&mut envelope, &bob);
        let nameless = changed(&envelope, |value| value["signatures"][0]["keyid"] = json!(""));
        let verified = nameless.verify(&root(&[line("alice", "", &alice), line("bob", "", &bob)]), now()).unwrap();
        assert_eq!(verified.signers()[0].signer.principals, ["bob"]);
        let error = nameless.verify(&root(&[line("alice", "", &alice)]), now()).unwrap_err();
        assert!(matches!(error, VerifyError::NoTrustedKey { .. }), "{error}");
    }

    #[test]
    fn a_keyid_that_names_another_trusted_key_is_bad() {
        let (alice, bob) = (Key::ed25519(1), Key::ed25519(2));
        let root = root(&[line("alice", "", &alice), line("bob", "", &bob)]);
        let mut envelope = envelope();
        sshsig(&mut envelope, &alice);
        let name = format!("sshsig:{}", bob.public().fingerprint());
        let renamed = changed(&envelope, |value| value["signatures"][0]["keyid"] = json!(name));
        let error = renamed.verify(&root, now()).unwrap_err();
        assert!(matches!(error, VerifyError::BadSignature { why: "was made by another key", .. }), "{error}");
    }

    #[test]
    fn keys_of_other_types_are_asked_about() {
        let armour = include_str!("testdata/hello.rsa.sig");
        let signature = SshSig::parse(armour).unwrap();
        let signers = AllowedSigners::parse("allowed_signers", &format!("carol {}", signature.key())).unwrap();
        let root = TrustRoot::for_evidence(signers);
        let ask = |answer: Result<bool, Unknown>| {
            verify_sshsig(&signature, b"hello\n", &root, now(), &move |asked, message| {
                assert_eq!((asked.armour().as_str(), message), (armour, &b"hello\n"[..]));
                answer.clone()
            })
        };
        assert_eq!(ask(Ok(true)).unwrap().signer.principals, ["carol"]);
        assert!(matches!(ask(Ok(false)), Err(VerifyError::BadSignature { .. })));
        assert!(matches!(ask(Err(Unknown::new("no"))), Err(VerifyError::NeedsProgram { .. })));
    }

    #[test]
    fn a_verified_statement_becomes_what_rules_judge() {
        let key = Key::ed25519(1);
        let mut envelope = envelope();
        raw(&mut envelope, &key);
        let attestation = envelope.verify(&root(&[line("alice,al", "", &key)]), now()).unwrap().attestation();
        assert!(attestation.is_about("sha256", &"ab".repeat(32)));
        assert_eq!(attestation.signers()[0].principals, ["al", "alice"]);
    }
}
