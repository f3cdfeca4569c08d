//! A commit or a tag with its signature; the first byte says which, and in what sort of repository.

#![no_main]

use libfuzzer_sys::fuzz_target;
use toolbelt_core::evidence::sshsig::SshSig;
use toolbelt_core::source::git::objects::hash::Kind;
use toolbelt_core::source::git::signed::Parts;
use toolbelt_core::subject::signed_object::ObjectKind;

fuzz_target!(|bytes: &[u8]| {
    let Some((head, data)) = bytes.split_first() else { return };
    let hash = if head & 1 == 0 { Kind::Sha1 } else { Kind::Sha256 };
    let kind = if head & 2 == 0 { ObjectKind::Commit } else { ObjectKind::Tag };
    let parts = Parts::of(hash.null(), kind, data, hash);
    let Some(armour) = parts.signature else { return };
    // What is signed is a part of the object: nothing else is ever vouched for.
    let mut rest = data;
    for byte in &armour.payload {
        let at = rest.iter().position(|next| next == byte).expect("what is signed is in the object");
        rest = &rest[at + 1..];
    }
    let _ = SshSig::parse(&armour.text).map(|parsed| parsed.signature().check(parsed.key(), &armour.payload));
});
