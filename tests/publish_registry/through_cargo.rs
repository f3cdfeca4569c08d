//! Uploads through cargo, with the gate before the user's own provider.
#![cfg(unix)]

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use toolbelt_core::source::registry::gate;
use toolbelt_core::source::registry::provider::Publish;
use toolbelt_core::source::registry::through_cargo::{Error, Outcome, Proof, Request, publish};
use toolbelt_core::subject::digest::Sha256Digest;

use crate::machine::{Machine, TOKEN, cargo, digest, scratch};
use crate::publish_registry::Settings;
use crate::tokens::program;

/// Set where this file's test program is to be the gate.
const AS_GATE: &str = "TOOLBELT_TEST_AS_GATE";

/// Not a test, but what cargo starts as a credential provider: a test program can only run tests.
#[test]
fn gate_as_cargo_runs_it() {
    if std::env::var_os(AS_GATE).is_some() {
        let mut output = std::io::stdout();
        // What the test runner wrote stays on a line of its own.
        writeln!(output).unwrap();
        gate::stand(&mut std::io::stdin().lock(), &mut output).unwrap();
    }
}

/// A program that is the gate, in a folder with a space.
fn gate_program(machine: &Machine) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let run = format!("'{}' --exact --nocapture through_cargo::gate_as_cargo_runs_it", tests.display());
    let script = format!("[ \"$*\" = --cargo-plugin ] && {AS_GATE}=1 {run} | sed -u -n '/^{{/p'\n");
    PathBuf::from(program(machine, "the gate/gate", &script))
}

struct Attempt {
    cargo: String,
    approved: Option<Sha256Digest>,
    is_auth_required: bool,
}

impl Attempt {
    fn new() -> Self {
        Self { cargo: cargo(), approved: None, is_auth_required: false }
    }

    fn run(&self, machine: &Machine) -> Result<Outcome, Error> {
        machine.library("one", "1.0.0", "");
        let approved = self.approved.unwrap_or_else(|| digest(&machine.package("one", "1.0.0")));
        machine.registry.requests();
        let variables = machine.variables(&[TOKEN]);
        let login = machine.config(&variables).login("loopback", &variables);
        publish(&Request {
            cargo: &self.cargo,
            directory: &machine.path("work/one"),
            variables: &variables,
            scratch: &scratch(machine),
            registry: "loopback",
            publish: Publish { name: "one", version: "1.0.0", digest: approved },
            login: &login,
            is_auth_required: self.is_auth_required,
            gate: Some(&gate_program(machine)),
            limit: Duration::from_mins(2),
        })
    }
}

#[test]
fn cargo_publishes_what_the_gate_lets_pass() {
    let machine = Machine::new();
    assert_eq!(Attempt::new().run(&machine).unwrap(), Outcome::Uploaded(Proof::Gate));
    let archive = machine.registry.archive("one", "1.0.0").unwrap();
    assert!(archive == machine.package("one", "1.0.0"));
    let upload = machine.registry.requests().into_iter().find(|request| request.method == "PUT").unwrap();
    assert_eq!(upload.headers["authorization"], TOKEN.1);
}

#[test]
fn global_providers_of_the_user_come_after_the_gate() {
    let machine = Machine::new();
    let answer = r#"{"Ok":{"kind":"get","token":"secret","cache":"session","operation_independent":true}}"#;
    let provider =
        program(&machine, "own", &format!("echo '{{\"v\":[1]}}'\nwhile read -r line; do echo '{answer}'; done\n"));
    let config =
        format!("{}[registry]\nglobal-credential-providers = ['{provider}']\n", machine.registry.named("loopback"));
    machine.write("home/config.toml", &config);
    assert_eq!(Attempt::new().run(&machine).unwrap(), Outcome::Uploaded(Proof::Gate));
}

#[test]
fn other_bytes_are_refused_before_anything_is_sent() {
    let machine = Machine::new();
    let attempt = Attempt { approved: Some(digest(b"something else")), ..Attempt::new() };
    let error = attempt.run(&machine).unwrap_err();
    assert!(matches!(&error, Error::Different { approved, .. } if *approved == digest(b"something else")), "{error}");
    assert_eq!(machine.registry.uploads().len(), 0);
}

#[test]
fn file_that_changes_after_the_first_proof_does_not_pass_the_gate() {
    let machine = Machine::new();
    let library = machine.path("work/one/src/lib.rs");
    let script =
        format!("'{}' \"$@\" || exit 1\n[ \"$1\" = package ] && echo '//! Evil.' > '{}'\n", cargo(), library.display());
    let cargo = program(&machine, "cargo-and-more", &format!("{script}true\n"));
    let outcome = Attempt { cargo, ..Attempt::new() }.run(&machine).unwrap();
    assert!(
        matches!(&outcome, Outcome::Unknown { reason, .. } if reason.contains("is not what was approved")),
        "{outcome:?}"
    );
    assert_eq!(machine.registry.uploads().len(), 0);
}

#[test]
fn registries_without_a_place_for_the_gate_have_the_first_proof() {
    let own = "[registries.loopback]\ncredential-provider = 'cargo:token'\n";
    let machine = Machine::new();
    machine.write("home/credentials.toml", own);
    assert_eq!(Attempt::new().run(&machine).unwrap(), Outcome::Uploaded(Proof::PackagedBefore));
    let private = Settings { auth_required: true, ..Settings::default() };
    let machine = Machine::with(private, "[registry]\nglobal-credential-providers = ['cargo:token']\n");
    let attempt = Attempt { is_auth_required: true, ..Attempt::new() };
    assert_eq!(attempt.run(&machine).unwrap(), Outcome::Uploaded(Proof::PackagedBefore));
}
