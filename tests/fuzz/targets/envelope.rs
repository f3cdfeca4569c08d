//! Envelopes and what is in them: read, verified against keys that did not sign, written and read again.

#![no_main]

use std::sync::LazyLock;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use toolbelt_core::evidence::allowed_signers::AllowedSigners;
use toolbelt_core::evidence::envelope::Envelope;
use toolbelt_core::evidence::predicate::approval::Approval;
use toolbelt_core::evidence::predicate::provenance::Provenance;
use toolbelt_core::evidence::predicate::release::Release;
use toolbelt_core::evidence::predicate::test_result::TestResult;
use toolbelt_core::evidence::predicate::verification_summary::VerificationSummary;
use toolbelt_core::evidence::statement::Statement;
use toolbelt_core::evidence::trust::TrustRoot;
use toolbelt_core::store::Stored;

/// Keys of which nobody has the private half at hand.
static ROOT: LazyLock<TrustRoot> = LazyLock::new(|| {
    let list = include_str!("../corpus/allowed_signers/keys");
    TrustRoot::for_evidence(AllowedSigners::parse("keys", list).unwrap())
});

fuzz_target!(|text: &[u8]| {
    if let Ok(envelope) = Envelope::parse(text) {
        let written = envelope.to_json();
        assert_eq!(Envelope::parse(written.as_bytes()).as_ref(), Ok(&envelope));
        assert!(envelope.verify(&ROOT, Timestamp::UNIX_EPOCH).is_err(), "verified without a signature");
        let _ = envelope.unverified_statement();
    }
    if let Ok(statement) = Statement::parse(text) {
        let again = Statement::parse(&statement.to_json()).unwrap();
        assert_eq!(again.subjects(), statement.subjects());
        let _ = (statement.claim::<Approval>(), statement.claim::<TestResult>(), statement.claim::<Release>());
        let _ = (statement.claim::<Provenance>(), statement.claim::<VerificationSummary>());
    }
    let stored = Stored::parse("a.intoto.jsonl", text);
    assert!(stored.envelopes.len() + stored.broken.len() <= 1001);
});
