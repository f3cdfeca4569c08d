#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use semver::Version;
use toolbelt_core::source::advisories::snapshot::{Snapshot, Source};
use toolbelt_core::source::advisories::{osv, read_bytes, rustsec};
use toolbelt_core::source::http::Validators;
use toolbelt_core::subject::advisory::Advisory;

// The bytes are taken for a file of RustSec, for one of OSV, for an archive of either, and for our own snapshot.
fuzz_target!(|bytes: &[u8]| {
    let read = rustsec::parse(bytes, "crates/a/RUSTSEC-2020-0001.md");
    assert_eq!(read, rustsec::parse(bytes, "crates/a/RUSTSEC-2020-0001.md"));
    if let Ok(advisory) = &read {
        look(advisory);
    }
    let parsed = osv::parse(bytes, "a.json");
    assert_eq!(parsed, osv::parse(bytes, "a.json"));
    parsed.advisories.iter().for_each(look);

    if let Ok(database) = read_bytes(&[("all", bytes)]) {
        let validators = Validators { etag: Some("\"1\"".to_owned()), last_modified: None };
        let source = Source { url: "https://example.org/all.zip".to_owned(), validators };
        let snapshot = Snapshot { database, confirmed: Timestamp::UNIX_EPOCH, sources: vec![source] };
        assert_eq!(Snapshot::decode(&snapshot.encode()).as_ref(), Some(&snapshot));
    }
    if let Some(snapshot) = Snapshot::decode(bytes) {
        snapshot.database.advisories.iter().for_each(look);
        let written = snapshot.encode();
        let again = Snapshot::decode(&written).expect("what is written is read");
        assert_eq!(again.encode(), written);
    }
});

fn look(advisory: &Advisory) {
    for version in [Version::new(0, 0, 0), Version::new(1, 2, 3), Version::new(u64::MAX, 0, 0)] {
        // One release cannot be both.
        assert!(!(advisory.affects(&version) && advisory.is_patched(&version)), "{advisory:?}");
        let _ = advisory.functions_in(&version).count();
    }
    let _ = (advisory.rating(), advisory.page());
}
