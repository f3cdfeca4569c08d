//! Where tokens come from: variables, files and programs, as cargo takes them.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use toolbelt_core::source::registry::provider::{Error as ProviderError, Publish};
use toolbelt_core::source::registry::token::{self, Error, Found, Search, Token};

use crate::machine::{Machine, digest};

/// A program that speaks the protocol, keeps what it is asked in `asked`, and answers publishing with this.
fn provider(machine: &Machine, name: &str, answer: &str) -> String {
    let asked = machine.path("asked");
    program(
        machine,
        name,
        &format!(
            "echo '{{\"v\":[1]}}'\nwhile read -r line; do printf '%s %s\\n' \"$*\" \"$line\" >> '{}'\n\
             case \"$line\" in *'\"read\"'*) echo '{}';; *) echo '{answer}';; esac; done\n",
            asked.display(),
            token_answer("reading", "never"),
        ),
    )
}

fn token_answer(token: &str, cache: &str) -> String {
    format!(r#"{{"Ok":{{"kind":"get","token":"{token}","cache":"{cache}","operation_independent":false}}}}"#)
}

pub(crate) fn program(machine: &Machine, name: &str, script: &str) -> String {
    machine.write(name, &format!("#!/bin/sh\n{script}"));
    let path = machine.path(name);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.to_string_lossy().into_owned()
}

fn global(machine: &Machine, providers: &[&str]) {
    let list: Vec<String> = providers.iter().map(|provider| format!("'{provider}'")).collect();
    let config = machine.registry.named("loopback");
    let list = format!("[registry]\nglobal-credential-providers = [{}]\n{config}", list.join(", "));
    machine.write("home/config.toml", &list);
}

fn find(machine: &Machine, more: &[(&str, &str)], limit: Duration) -> Result<Found, Error> {
    let variables = machine.variables(more);
    let config = machine.config(&variables);
    let target = machine.target();
    std::fs::create_dir_all(machine.path("work")).unwrap();
    let directory = machine.path("work");
    let search = Search { config: &config, variables: &variables, directory: &directory, target: &target, limit };
    token::find(&search, &Publish { name: "one", version: "1.0.0", digest: digest(b"x") })
}

fn look(machine: &Machine, more: &[(&str, &str)]) -> Result<Found, Error> {
    find(machine, more, Duration::from_mins(1))
}

fn place(found: Result<Found, Error>, expected: &str) -> String {
    match found.unwrap() {
        Found::Token { token, place } if token == Token::new(expected).unwrap() => place,
        other => panic!("{other:?}"),
    }
}

#[test]
fn variables_and_files_are_read_in_cargos_order() {
    let machine = Machine::new();
    assert_eq!(look(&machine, &[]).unwrap(), Found::Nowhere);
    machine.write("home/credentials.toml", "[registries.loopback]\ntoken = 'of-file'\n");
    assert!(place(look(&machine, &[]), "of-file").ends_with("credentials.toml`, `registries.loopback.token`"));
    let variable = ("CARGO_REGISTRIES_LOOPBACK_TOKEN", "of-variable");
    assert_eq!(place(look(&machine, &[variable]), "of-variable"), "variable `CARGO_REGISTRIES_LOOPBACK_TOKEN`");
    let bad = ("CARGO_REGISTRIES_LOOPBACK_TOKEN", "two\nlines");
    assert!(matches!(look(&machine, &[bad]), Err(Error::NotAToken(_))));
}

#[test]
fn command_that_prints_a_token() {
    let machine = Machine::new();
    let command = program(&machine, "print", "echo \"$1 $CARGO_REGISTRY_NAME_OPT\"\n");
    let provider = format!("cargo:token-from-stdout {command} {{index_url}}");
    global(&machine, &[&provider]);
    let expected = format!("{} loopback", machine.registry.index());
    assert!(place(look(&machine, &[]), &expected).starts_with("credential provider `"));
    for (script, name) in [("echo a; echo b", "two"), ("echo a; exit 1", "failed"), ("", "nothing")] {
        let command = program(&machine, name, script);
        global(&machine, &[&format!("cargo:token-from-stdout {command}")]);
        assert!(look(&machine, &[]).is_err(), "{name}");
    }
}

#[test]
fn program_is_asked_as_cargo_asks_it() {
    let machine = Machine::new();
    let path = provider(&machine, "tell", &token_answer("secret", "never"));
    global(&machine, &[&format!("{path} with arguments")]);
    machine.library("one", "1.0.0", "");
    machine.succeed("work/one", &["publish", "--no-verify", "--registry", "loopback"]);
    let archive = machine.registry.archive("one", "1.0.0").unwrap();
    let cargos = std::fs::read_to_string(machine.path("asked")).unwrap();
    let cargos = cargos.lines().find(|line| line.contains("\"publish\"")).unwrap().to_owned();
    std::fs::remove_file(machine.path("asked")).unwrap();
    assert_eq!(place(look(&machine, &[]), "secret"), format!("credential provider `{path}`"));
    let ours = std::fs::read_to_string(machine.path("asked")).unwrap();
    let ours = ours.trim_end().replace(&digest(b"x").to_string(), &digest(&archive).to_string());
    assert_eq!(ours, cargos);
}

#[test]
fn providers_are_asked_in_a_row_until_one_knows_or_refuses() {
    let machine = Machine::new();
    let nothing = provider(&machine, "nothing", r#"{"Err":{"kind":"not-found"}}"#);
    let locked = provider(&machine, "refuses", r#"{"Err":{"kind":"other","message":"locked","caused-by":[]}}"#);
    let variable = ("CARGO_REGISTRIES_LOOPBACK_TOKEN", "of-variable");
    global(&machine, &["cargo:token", &nothing]);
    assert!(place(look(&machine, &[variable]), "of-variable").starts_with("variable"));
    global(&machine, &["cargo:token", &locked, &nothing]);
    let refused = look(&machine, &[variable]);
    assert!(matches!(refused, Err(Error::Provider(ProviderError::Refused { message, .. })) if message == "locked"));
    global(&machine, &["cargo:token", "cargo:libsecret", &nothing]);
    assert!(matches!(look(&machine, &[variable]), Ok(Found::ThroughCargo { reason }) if reason.contains("libsecret")));
}

#[test]
fn program_that_hangs_is_ended_and_one_that_talks_on_is_cut() {
    let machine = Machine::new();
    let hangs = program(&machine, "hangs", "exec sleep 600\n");
    let talks = program(&machine, "talks", "exec yes\n");
    let dies = program(&machine, "dies", "exit 3\n");
    for (path, limit) in [(&hangs, 300), (&talks, 60_000), (&dies, 60_000)] {
        global(&machine, &[path]);
        let result = find(&machine, &[], Duration::from_millis(limit));
        assert!(matches!(result, Err(Error::Provider(_))), "{path}: {result:?}");
        global(&machine, &[&format!("cargo:token-from-stdout {path}")]);
        let result = find(&machine, &[], Duration::from_millis(limit.min(2000)));
        assert!(matches!(result, Err(Error::Provider(_))), "{path}: {result:?}");
    }
    global(&machine, &["/no/such/program"]);
    assert!(matches!(look(&machine, &[]), Err(Error::Provider(ProviderError::Program(_)))));
}
