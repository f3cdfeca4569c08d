#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use toolbelt_core::source::names::{self, NameList};

static EMBEDDED: LazyLock<NameList> = LazyLock::new(names::embedded);

// The bytes are taken for a list, and each of their lines for a name that somebody asks about.
fuzz_target!(|bytes: &[u8]| {
    let list = names::parse(bytes, Path::new("names.tsv")).ok();
    if let Some(list) = &list {
        for entry in list.names.iter() {
            let found = list.names.get(entry.name).expect("every entry is found by its name");
            assert!(toolbelt_core::subject::names::is_same(found.name, entry.name));
        }
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for name in text.lines().take(64) {
        for list in [Some(&*EMBEDDED), list.as_ref()].into_iter().flatten() {
            let Some(found) = list.names.resemblance(name) else { continue };
            assert!(!list.names.is_established(name), "`{name}` is established and resembles something");
            assert_eq!(list.names.get(found.target.name), Some(found.target));
            assert!(!found.how.as_str().is_empty());
        }
    }
});
