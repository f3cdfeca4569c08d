//! The wrapper: a payload with signatures over it and its type.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json;
use super::signature::SshSignature;
use super::sshsig::SshSig;
use super::statement::{self, Statement};
use crate::subject::ssh::PublicKey;

/// A [DSSE](https://github.com/secure-systems-lab/dsse/blob/v1.0.2/envelope.md) envelope, version 1.0.2.
///
/// Nothing in it was verified; [`verify`](Self::verify) does that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    payload: Vec<u8>,
    payload_type: String,
    signatures: Vec<Signature>,
}

/// One signature, and what its maker calls the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// A hint that nobody vouches for; empty where there is none.
    pub key_id: String,
    /// The signature itself.
    pub bytes: Vec<u8>,
}

/// Why something is no envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is not JSON within limits.
    #[error("the envelope is not JSON that can be read: {0}")]
    Json(String),
    /// A part of it is not what it should be.
    #[error("the envelope is not as DSSE specifies: {0}")]
    Form(String),
    /// A part of it is not base64.
    #[error("{what} of the envelope is not base64")]
    Base64 {
        /// Which.
        what: String,
    },
    /// It has no signature.
    #[error("the envelope has no signature")]
    Unsigned,
    /// It has more signatures than anybody would check.
    #[error("the envelope has more than {MAX_SIGNATURES} signatures")]
    TooManySignatures,
    /// A signature is larger than signatures are.
    #[error("signature {number} of the envelope is longer than {MAX_SIGNATURE} bytes")]
    SignatureTooLong {
        /// Which, from 1.
        number: usize,
    },
    /// Two signatures have one name, so that readers may take one for the other.
    #[error("the envelope has two signatures with the keyid {0:?}")]
    RepeatedKeyId(String),
    /// A name is longer than names are.
    #[error("{0} of the envelope is longer than {MAX_NAME} bytes")]
    TooLong(&'static str),
}

/// The type of a payload that is an in-toto statement.
pub const STATEMENT: &str = "application/vnd.in-toto+json";
/// The largest envelope: the largest statement in base64, and its signatures.
pub const MAX_BYTES: usize = statement::MAX_BYTES / 3 * 4 + (4 << 20);
/// The most signatures; each costs a look at the whole payload.
const MAX_SIGNATURES: usize = 32;
/// The longest signature.
const MAX_SIGNATURE: usize = super::sshsig::MAX_BYTES;
/// The longest type or keyid.
const MAX_NAME: usize = 1024;

/// Readers have to take both alphabets (section *Parameters* of the specification); many writers leave the padding out.
const ALPHABETS: [GeneralPurpose; 2] = [reader(&base64::alphabet::STANDARD), reader(&base64::alphabet::URL_SAFE)];

const fn reader(alphabet: &base64::alphabet::Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Form {
    payload: String,
    payload_type: String,
    signatures: Vec<SignatureForm>,
}

#[derive(Serialize, Deserialize)]
struct SignatureForm {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    keyid: String,
    sig: String,
}

impl Envelope {
    /// Wraps a statement, without a signature yet.
    pub fn of(statement: &Statement) -> Self {
        Self { payload: statement.to_json(), payload_type: STATEMENT.to_owned(), signatures: Vec::new() }
    }

    /// Reads an envelope; fields that the specification does not name are ignored.
    ///
    /// # Errors
    ///
    /// [`Error`] if it is not one within limits, has no signature, or repeats a keyid or a name.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        let value = json::parse(text, MAX_BYTES).map_err(Error::Json)?;
        Self::from_value(&value)
    }

    pub(super) fn from_value(value: &Value) -> Result<Self, Error> {
        let form: Form = json::typed(value).map_err(Error::Form)?;
        if form.payload_type.len() > MAX_NAME {
            return Err(Error::TooLong("the payload's type"));
        }
        if form.signatures.is_empty() {
            return Err(Error::Unsigned);
        }
        if form.signatures.len() > MAX_SIGNATURES {
            return Err(Error::TooManySignatures);
        }
        let payload = decode(&form.payload).ok_or_else(|| Error::Base64 { what: "the payload".to_owned() })?;
        let mut signatures = Vec::new();
        let mut key_ids = BTreeSet::new();
        for (index, SignatureForm { keyid, sig }) in form.signatures.into_iter().enumerate() {
            let number = index + 1;
            if keyid.len() > MAX_NAME {
                return Err(Error::TooLong("a keyid"));
            }
            if !keyid.is_empty() && !key_ids.insert(keyid.clone()) {
                return Err(Error::RepeatedKeyId(keyid));
            }
            if sig.len() > MAX_SIGNATURE * 2 {
                return Err(Error::SignatureTooLong { number });
            }
            let bytes = decode(&sig).ok_or_else(|| Error::Base64 { what: format!("signature {number}") })?;
            signatures.push(Signature { key_id: keyid, bytes });
        }
        Ok(Self { payload, payload_type: form.payload_type, signatures })
    }

    /// Writes it as JSON on one line, without an end of line: the same envelope, the same bytes.
    ///
    /// # Panics
    ///
    /// Never: strings and lists can be written.
    pub fn to_json(&self) -> String {
        let signatures = self.signatures.iter();
        let signatures = signatures
            .map(|signature| SignatureForm { keyid: signature.key_id.clone(), sig: STANDARD.encode(&signature.bytes) });
        let form = Form {
            payload: STANDARD.encode(&self.payload),
            payload_type: self.payload_type.clone(),
            signatures: signatures.collect(),
        };
        serde_json::to_string(&form).expect("strings and lists can be written")
    }

    /// What is signed: the payload with its type and the lengths of both, so that neither can pass for the other.
    pub fn pae(&self) -> Vec<u8> {
        let (kind, payload) = (&self.payload_type, &self.payload);
        let mut pae = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
        pae.extend(payload);
        pae
    }

    /// What it holds, as whoever wrote it says; nobody has verified it.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The type of what it holds.
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The signatures, in their order.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// The statement in it, unverified: for showing it, not for relying on it.
    ///
    /// # Errors
    ///
    /// [`statement::Error`] if it is none, also where the payload is of another type.
    pub fn unverified_statement(&self) -> Result<Statement, statement::Error> {
        if self.payload_type != STATEMENT {
            return Err(statement::Error::PayloadType(self.payload_type.chars().take(100).collect()));
        }
        Statement::parse(&self.payload)
    }

    /// Adds a signature of [`pae`](Self::pae) in the form that any DSSE verifier knows; false if the key has none.
    ///
    /// Its keyid is the fingerprint.
    pub fn add_raw(&mut self, key: &PublicKey, signature: &SshSignature) -> bool {
        let Some(bytes) = signature.to_raw() else { return false };
        self.add(key.fingerprint(), bytes);
        true
    }

    /// Adds a signature of [`pae`](Self::pae) as `ssh-keygen -Y sign` makes it: the armour in base64, so that
    /// `ssh-keygen -Y verify` takes it as it is.
    ///
    /// Its keyid is the fingerprint after `sshsig:`, since verifiers reject two signatures with one keyid.
    pub fn add_sshsig(&mut self, signature: &SshSig) {
        self.add(format!("{SSHSIG_KEY_ID}{}", signature.key().fingerprint()), signature.armour().into_bytes());
    }

    /// Adds a signature in place of one with the same keyid.
    fn add(&mut self, key_id: String, bytes: Vec<u8>) {
        self.signatures.retain(|signature| signature.key_id != key_id);
        self.signatures.push(Signature { key_id, bytes });
    }
}

/// How the keyid of a signature begins that is not one over the envelope itself.
pub(super) const SSHSIG_KEY_ID: &str = "sshsig:";

fn decode(text: &str) -> Option<Vec<u8>> {
    ALPHABETS.iter().find_map(|alphabet| alphabet.decode(text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Envelope, Error> {
        Envelope::parse(text.as_bytes())
    }

    #[test]
    fn what_is_signed_is_as_in_the_specification() {
        // The example of the protocol's section *Test Vectors*.
        let envelope = Envelope {
            payload: b"hello world".to_vec(),
            payload_type: "http://example.com/HelloWorld".to_owned(),
            signatures: Vec::new(),
        };
        assert_eq!(envelope.pae(), b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn both_alphabets_are_read_with_padding_and_without() {
        for payload in ["+/8=", "+/8", "-_8=", "-_8"] {
            let text = format!(r#"{{"payload":"{payload}","payloadType":"x","signatures":[{{"sig":"AQ"}}],"more":1}}"#);
            let envelope = parse(&text).unwrap();
            assert_eq!(envelope.payload(), [0xfb, 0xff], "{payload}");
            let written = r#"{"payload":"+/8=","payloadType":"x","signatures":[{"sig":"AQ=="}]}"#;
            assert_eq!(envelope.to_json(), written);
            assert_eq!(parse(written).unwrap(), envelope);
        }
        for payload in ["+_8=", "+/8==", "+/9", "A", "+ /8", "é"] {
            let text = format!(r#"{{"payload":"{payload}","payloadType":"x","signatures":[{{"sig":"AQ"}}]}}"#);
            assert_eq!(parse(&text), Err(Error::Base64 { what: "the payload".to_owned() }), "{payload}");
        }
    }

    #[test]
    fn hostile_envelopes_are_errors() {
        let with = |signatures: &str| {
            parse(&format!(r#"{{"payload":"","payloadType":"x","signatures":[{signatures}]}}"#)).unwrap_err()
        };
        assert_eq!(with(""), Error::Unsigned);
        assert_eq!(with(&vec![r#"{"sig":""}"#; 33].join(",")), Error::TooManySignatures);
        let twice = [r#"{"sig":"AQ","keyid":"a"}"#, r#"{"sig":"Ag","keyid":"a"}"#].join(",");
        assert_eq!(with(&twice), Error::RepeatedKeyId("a".to_owned()));
        assert_eq!(with(r#"{"sig":"?"}"#), Error::Base64 { what: "signature 1".to_owned() });
        assert_eq!(with(&format!(r#"{{"sig":"{}"}}"#, "A".repeat(200_000))), Error::SignatureTooLong { number: 1 });
        assert_eq!(with(&format!(r#"{{"sig":"","keyid":"{}"}}"#, "a".repeat(1025))), Error::TooLong("a keyid"));
        assert!(matches!(with(r#"{"keyid":"a"}"#), Error::Form(_)));
        assert!(matches!(with(r#"{"sig":"","sig":""}"#), Error::Json(_)));
        assert!(matches!(with("7"), Error::Form(_)));
        assert!(matches!(parse("[]"), Err(Error::Form(_))));
        assert!(matches!(Envelope::parse(&vec![b' '; MAX_BYTES + 1]), Err(Error::Json(_))));
    }

    #[test]
    fn a_list_is_no_object() {
        for text in [
            r#"["", "x", [{"sig":"AQ"}]]"#,
            r#"["", "x", [["a", "AQ"]]]"#,
            r#"{"payload":"","payloadType":"x","signatures":[["a","AQ"]]}"#,
        ] {
            assert!(matches!(parse(text), Err(Error::Form(why)) if why.contains("a list stands")), "{text}");
        }
    }

    #[test]
    fn a_payload_of_another_type_is_no_statement() {
        let statement = Statement::new(
            vec![statement::ResourceDescriptor::new(
                "a",
                crate::evidence::digest_set::DigestSet::one("sha256", &"ab".repeat(32)).unwrap(),
            )],
            "x:y",
            Value::Null,
        );
        let mut envelope = Envelope::of(&statement.unwrap());
        assert!(envelope.unverified_statement().is_ok());
        envelope.payload_type = "application/json".to_owned();
        let error = envelope.unverified_statement().unwrap_err();
        assert_eq!(error, statement::Error::PayloadType("application/json".to_owned()));
    }

    #[test]
    fn signatures_without_a_name_may_be_several() {
        let text = r#"{"payload":"","payloadType":"x","signatures":[{"sig":"AQ"},{"sig":"AQ","keyid":""}]}"#;
        assert_eq!(parse(text).unwrap().signatures().len(), 2);
    }
}
