//! Lists of allowed signers: what is not understood trusts nobody, and is told with its place.

#![no_main]

mod place;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use toolbelt_core::evidence::allowed_signers::AllowedSigners;

fuzz_target!(|text: &str| {
    let signers = match AllowedSigners::parse("allowed_signers", text) {
        Ok(signers) => signers,
        Err(error) => return place::of_error(text, &error),
    };
    for problem in signers.problems() {
        place::of_error(text, problem);
    }
    let now = Timestamp::from_second(1_795_341_600).unwrap();
    for namespace in ["toolbelt", "git", ""] {
        for key in signers.keys(namespace, now) {
            let names = signers.find(key, namespace, now);
            assert!(!names.is_empty(), "a key that counts is somebody's");
            assert!(names.is_sorted());
            for name in &names {
                assert!(signers.permits(name, key, namespace, now), "{name} may not sign");
            }
        }
    }
});
