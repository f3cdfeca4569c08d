#![no_main]

mod place;

use libfuzzer_sys::fuzz_target;
use toolbelt_core::source::manifest;

fuzz_target!(|text: &str| {
    let read = manifest::parse("Cargo.toml", text);
    assert_eq!(read, manifest::parse("Cargo.toml", text));
    match read {
        Err(error) => place::of_error(text, &error),
        Ok(manifest) => {
            if let Some(package) = &manifest.package {
                place::is_in(text, &package.location);
            }
            let shared = manifest.workspace.iter().flat_map(|workspace| &workspace.dependencies);
            for dependency in manifest.dependencies.iter().chain(shared) {
                place::is_in(text, &dependency.declared.location);
            }
        }
    }
});
