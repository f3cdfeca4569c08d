//! Sigstore bundles: nothing that is not signed verifies, and nothing ends the program.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use toolbelt_core::evidence::bundle::{BundleRoot, Expected, Thing};

static ROOT: LazyLock<BundleRoot> =
    LazyLock::new(|| BundleRoot::parse(include_str!("../corpus/bundle/trusted_root.json")).unwrap());

fuzz_target!(|bytes: &[u8]| {
    let expected =
        Expected::Identity { identity: "alice@example.com".to_owned(), issuer: "https://example.com".to_owned() };
    assert!(ROOT.verify(bytes, Thing::Content(b"a"), &expected).is_err());
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = BundleRoot::parse(text);
        let _ = ROOT.verify(b"{}", Thing::Content(b"a"), &Expected::Key(text.to_owned()));
    }
});
