//! Cargo as the client of the registry: what the other tests say of faults means something only if this works.

use crate::machine::{Machine, TOKEN, archive_of};
use crate::publish_registry::{Duplicate, Fault, Settings};

/// An application that uses nothing yet.
fn application(machine: &Machine) {
    machine.write("work/app/Cargo.toml", "[package]\nname = 'app'\nversion = '0.0.0'\nedition = '2021'\n");
    machine.write("work/app/src/main.rs", "fn main() { assert_eq!(one::one(), 1) }\n");
}

#[test]
fn cargo_publishes_adds_builds_and_yanks() {
    let machine = Machine::new();
    machine.library("zero", "0.1.0", "");
    machine.write("work/zero/src/lib.rs", "pub fn zero() -> u32 { 0 }\n");
    machine.succeed("work/zero", &["publish", "--registry", "loopback"]);
    machine.library("one", "1.0.0", "[dependencies]\nzero = { version = '0.1', registry = 'loopback' }\n");
    machine.write("work/one/src/lib.rs", "pub fn one() -> u32 { zero::zero() + 1 }\n");
    machine.succeed("work/one", &["publish", "--registry", "loopback"]);
    application(&machine);
    machine.succeed("work/app", &["add", "one", "--registry", "loopback"]);
    machine.succeed("work/app", &["run", "--quiet"]);
    let lock = std::fs::read_to_string(machine.path("work/app/Cargo.lock")).unwrap();
    assert!(lock.contains(&machine.registry.index()), "{lock}");
    machine.succeed("work/one", &["yank", "one@1.0.0", "--registry", "loopback"]);
    assert!(machine.registry.entry("one").contains(r#""yanked":true"#));
    machine.succeed("work/one", &["yank", "one@1.0.0", "--undo", "--registry", "loopback"]);
    assert!(machine.registry.entry("one").contains(r#""yanked":false"#));
}

#[test]
fn registry_stands_for_crates_io_when_something_is_read() {
    let machine = Machine::new();
    machine.registry.add_empty("two", "2.0.0");
    application(&machine);
    machine.write("work/app/src/main.rs", "use two as _;\nfn main() {}\n");
    machine.succeed("work/app", &["add", "two"]);
    machine.succeed("work/app", &["build", "--quiet"]);
    let lock = std::fs::read_to_string(machine.path("work/app/Cargo.lock")).unwrap();
    assert!(lock.contains("github.com/rust-lang/crates.io-index"), "{lock}");
    assert!(machine.registry.requests().iter().all(|request| !request.headers.contains_key("authorization")));
}

#[test]
fn what_cargo_uploads_is_kept_byte_for_byte() {
    let machine = Machine::new();
    machine.library("one", "1.0.0", "");
    machine.succeed("work/one", &["publish", "--no-verify", "--registry", "loopback"]);
    let uploads = machine.registry.uploads();
    let packaged = machine.package("one", "1.0.0");
    assert!(uploads.len() == 1 && archive_of(&uploads[0]) == packaged);
    assert!(machine.registry.archive("one", "1.0.0").unwrap() == packaged);
}

#[test]
fn wrong_and_missing_tokens_are_refused() {
    let machine = Machine::new();
    machine.library("one", "1.0.0", "");
    let publish = ["publish", "--no-verify", "--registry", "loopback"];
    for (more, expected) in [(&[(TOKEN.0, "wrong")][..], "403"), (&[], "no token found")] {
        let output = machine.cargo("work/one", &publish, more);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && errors.contains(expected), "{errors}");
    }
    assert_eq!(machine.registry.archive("one", "1.0.0"), None);
}

#[test]
fn private_registry_wants_the_token_for_everything() {
    let settings = Settings { auth_required: true, ..Settings::default() };
    let machine = Machine::with(settings, "[registry]\nglobal-credential-providers = ['cargo:token']\n");
    machine.library("one", "1.0.0", "");
    machine.write("work/one/src/lib.rs", "pub fn one() -> u32 { 1 }\n");
    machine.succeed("work/one", &["publish", "--registry", "loopback"]);
    application(&machine);
    machine.succeed("work/app", &["add", "one", "--registry", "loopback"]);
    machine.succeed("work/app", &["run", "--quiet"]);
    // Cargo asks once without, to learn that a token is needed.
    let is_refused = |path: &str| path == "/index/config.json";
    let requests = machine.registry.requests();
    let bare: Vec<_> = requests.iter().filter(|request| !request.headers.contains_key("authorization")).collect();
    assert!(!bare.is_empty() && bare.iter().all(|request| is_refused(&request.path)), "{bare:?}");
}

#[test]
fn faults_are_what_cargo_takes_them_for() {
    let machine = Machine::new();
    machine.library("one", "1.0.0", "");
    let publish = ["publish", "--no-verify", "--registry", "loopback"];
    machine.registry.fault(Fault::CutUpload);
    let output = machine.cargo("work/one", &publish, &[TOKEN]);
    assert!(!output.status.success() && machine.registry.archive("one", "1.0.0").is_none());
    machine.registry.fault(Fault::AnswerLost);
    let output = machine.cargo("work/one", &publish, &[TOKEN]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("status 500") && machine.registry.archive("one", "1.0.0").is_some(), "{errors}");
    // The index has it now, so that cargo does not try again.
    let output = machine.cargo("work/one", &publish, &[TOKEN]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("already exists"), "{errors}");
}

#[test]
fn duplicates_are_refused_as_crates_io_does() {
    for duplicate in [Duplicate::Ok, Duplicate::BadRequest] {
        let machine = Machine::with(Settings { duplicate, ..Settings::default() }, "");
        machine.library("one", "1.0.0", "");
        let publish = ["publish", "--no-verify", "--registry", "loopback"];
        // The index does not show it yet.
        machine.registry.fault(Fault::NotIndexed(100));
        let mut first = machine.start("work/one", &publish);
        Machine::until(|| machine.registry.archive("one", "1.0.0").is_some());
        first.kill().unwrap();
        first.wait().unwrap();
        let output = machine.cargo("work/one", &publish, &[TOKEN]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains("is already uploaded"), "{errors}");
    }
}
