#![no_main]

use libfuzzer_sys::fuzz_target;
use toolbelt_core::source::registry::metadata::Metadata;
use toolbelt_core::source::registry::readback::read_entry;
use toolbelt_core::source::registry::upload::Answer;
use toolbelt_core::subject::package::Registry;

// The bytes are taken for an answer to an upload, for an index entry, and for the manifest of what is published.
fuzz_target!(|bytes: &[u8]| {
    for status in [200, 307, 400, 403, 500] {
        let answer = Answer::read(status, bytes);
        assert!(status == 200 || !matches!(answer, Answer::Accepted { .. }));
        assert!(format!("{answer:?}").len() < 1 << 20);
    }
    if let Ok(versions) = read_entry("a", bytes) {
        assert!(!versions.is_empty());
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let registry = Registry::new(Registry::CRATES_IO);
        if let Ok(metadata) = Metadata::from_manifest(text, &registry) {
            assert_eq!(Metadata::from_manifest(text, &registry).ok(), Some(metadata));
        }
    }
});
