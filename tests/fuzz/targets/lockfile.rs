#![no_main]

mod place;

use libfuzzer_sys::fuzz_target;
use toolbelt_core::source::lockfile;
use toolbelt_core::subject::dependencies::Dependencies;
use toolbelt_core::subject::target::Target;

fuzz_target!(|text: &str| {
    let read = lockfile::parse("Cargo.lock", text);
    assert_eq!(read, lockfile::parse("Cargo.lock", text));
    let locked = match read {
        Ok(locked) => locked,
        Err(error) => return place::of_error(text, &error),
    };
    for package in &locked.packages {
        place::is_in(text, &package.location);
        assert!(package.dependencies.iter().all(|&at| at < locked.packages.len()));
    }
    // Cycles and packages that nothing needs are what a lock file can hold.
    let mut dependencies = Dependencies::new(vec![locked.clone(), locked], Vec::new());
    dependencies.work_out_usage(&Target::new("x86_64-unknown-linux-gnu"));
    for package in &dependencies.packages {
        let _ = dependencies.dependents_of(package);
    }
});
