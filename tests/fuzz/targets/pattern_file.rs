#![no_main]

mod place;

use libfuzzer_sys::fuzz_target;
use toolbelt_core::rules::blob::secrets::engine::Engine;
use toolbelt_core::rules::blob::secrets::{examples, pattern_file};

// A file of patterns that is understood can be looked for, and its examples can be run.
fuzz_target!(|text: &str| {
    match pattern_file::parse("patterns.toml", text) {
        Err(error) => place::of_error(text, &error),
        Ok(patterns) => {
            let Ok(engine) = Engine::with(vec![("patterns.toml".to_owned(), text.to_owned())]) else { return };
            engine.scan_all(text.as_bytes(), &mut Vec::new());
            for described in patterns.iter().take(4) {
                let _ = examples::check(&engine, described);
            }
        }
    }
});
