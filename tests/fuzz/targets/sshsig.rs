//! Signatures of `ssh-keygen`: read, checked, written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use toolbelt_core::evidence::signature::{Checked, SshSignature};
use toolbelt_core::evidence::sshsig::SshSig;
use toolbelt_core::subject::ssh::{KeyKind, PublicKey};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(signature) = SshSig::parse(text) {
            let again = SshSig::parse(&signature.armour()).unwrap();
            assert_eq!(again, signature);
            let data = signature.signed_data(b"nobody has signed this");
            assert_ne!(signature.signature().check(signature.key(), &data), Checked::Good);
        }
        if let Ok(key) = PublicKey::parse(text) {
            assert_eq!(PublicKey::parse(&key.to_string()), Ok(key));
        }
    }
    if let Some(signature) = SshSignature::from_blob(bytes) {
        let _ = (signature.to_raw(), signature.presence());
    }
    for kind in [KeyKind::Ed25519, KeyKind::EcdsaP256] {
        if let Some(signature) = SshSignature::from_raw(kind, bytes) {
            assert_eq!(signature.to_raw().as_deref(), Some(bytes), "a signature has one form");
        }
    }
});
