//! The log of what refs were, and the digest beside it: what follows the first line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use toolbelt_core::store::ref_log::Contents;

fuzz_target!(|bytes: &[u8]| {
    let head = bytes.split(|byte| *byte == b'\n').next().and_then(|line| std::str::from_utf8(line).ok());
    let log = bytes.get(head.map_or(0, str::len) + 1..).unwrap_or_default();
    let contents = Contents::parse(log, head);
    if log.is_empty() && head.is_some_and(|head| !head.is_empty()) {
        assert_eq!(contents.tampered, Some(None));
    }
});
