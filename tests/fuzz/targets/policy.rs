#![no_main]

mod place;

use libfuzzer_sys::fuzz_target;
use toolbelt_core::policy::{Foreign, Policy};

// Each text is read as every kind of configuration: they share keys, and none may end the program.
fuzz_target!(|text: &str| {
    let read = Policy::parse("toolbelt.toml", text);
    assert_eq!(format!("{read:?}"), format!("{:?}", Policy::parse("toolbelt.toml", text)));
    if let Err(error) = &read {
        place::of_error(text, error);
    }
    for (tool, path) in [(Foreign::Deny, "deny.toml"), (Foreign::Audit, "audit.toml")] {
        let mut policy = Policy::default();
        match policy.carry_over(tool, path, text) {
            Err(error) => place::of_error(text, &error),
            Ok(left) => assert!(left.iter().all(|left| left.key.starts_with(path)), "{left:?}"),
        }
        let _ = policy.needs();
    }
    if let Ok(policy) = read {
        let _ = policy.needs();
        let _ = policy.excludes_from_deps("tests/cases/a/Cargo.lock");
    }
});
