#![no_main]

use libfuzzer_sys::fuzz_target;
use semver::Version;
use toolbelt_core::source::index::cache_file::{CacheFile, from_body};
use toolbelt_core::source::index::entry;

// The bytes are taken for a file of cargo's cache, for what a registry serves, and for one entry.
fuzz_target!(|bytes: &[u8]| {
    if let Ok(file) = CacheFile::parse(bytes) {
        look(&file);
    }
    if let Some(written) = from_body(bytes, "etag: \"1\"") {
        let file = CacheFile::parse(&written).expect("what is written is read");
        assert_eq!(file.revision, "etag: \"1\"");
        assert!(file.lines().all(|line| line.is_ok()), "what is written has whole lines");
        look(&file);
    }
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Ok((version, release)) = entry::release(line) {
            let (again, same) = entry::release(line).expect("it was read before");
            assert_eq!((version, release), (again, same));
        }
    }
});

fn look(file: &CacheFile<'_>) {
    let mut wanted = vec![Version::new(1, 0, 0)];
    let mut whole = true;
    for line in file.lines().take(32) {
        match line {
            Ok((version, _)) => {
                let version = std::str::from_utf8(version).ok();
                wanted.extend(version.and_then(|version| Version::parse(version).ok()));
            }
            Err(_) => whole = false,
        }
    }
    if let Ok(listings) = file.listings(&wanted) {
        assert!(whole);
        assert_eq!(listings.len(), wanted.len());
    }
}
