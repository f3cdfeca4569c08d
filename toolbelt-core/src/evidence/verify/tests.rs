//! Whom verification believes, and what it refuses.

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
    let armour = include_str!("../testdata/hello.rsa.sig");
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
