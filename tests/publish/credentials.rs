//! Keys and tokens: without a key nothing is published unless that is asked for, and a token is taken from where cargo
//! would take it.

use crate::team::{TOKEN, TOKEN_VARIABLE, Team, VERSION};

#[test]
fn without_a_key_nothing_is_uploaded_unless_it_is_asked_for() {
    let team = Team::new();
    let manager = team.manager();
    manager.git(&["config", "gpg.format", "openpgp"]);
    let run = manager.publish_one(&["--format", "human"]).exits(2);
    assert!(run.errors.contains("`gpg.format` is not `ssh`") && run.errors.contains("hint:"), "{}", run.errors);
    assert_eq!(team.registry.uploads().len(), 0);
    let unsigned = manager.publish_one(&["--unsigned"]).exits(0);
    assert!(unsigned.json()["releases"][0]["signed_by"].is_null());
    assert!(!manager.archive("one").with_extension("intoto.jsonl").exists());
    assert_eq!(team.registry.uploads().len(), 1);
}

#[test]
fn key_that_was_named_is_wanted_in_a_rehearsal_too() {
    let team = Team::new();
    let nothing = team.path("keys/nobody");
    let run = team.manager().publish_one(&["--dry-run", "--key", nothing.to_str().unwrap()]).exits(2);
    assert!(run.errors.contains("keys/nobody"), "{}", run.errors);
}

#[test]
fn without_a_token_nothing_is_sent() {
    let team = Team::new();
    let mut manager = team.manager();
    manager.variables.remove(TOKEN_VARIABLE);
    let run = manager.publish_one(&["--format", "human"]).exits(2);
    assert!(run.output.contains("there is no token to publish with"), "{}", run.output);
    assert!(run.output.contains("hint: cargo login --registry loopback"), "{}", run.output);
    assert_eq!(team.registry.uploads().len(), 0);
}

#[test]
fn token_that_the_registry_does_not_take_is_not_told() {
    let team = Team::new();
    let mut manager = team.manager();
    manager.variables.insert(TOKEN_VARIABLE.to_owned(), "another-token-2b7a".to_owned());
    let run = manager.publish_one(&["--format", "human"]).exits(2);
    assert!(run.output.contains("the registry does not take the token"), "{}", run.output);
    assert!(!run.output.contains("another-token") && !run.errors.contains("another-token"));
    assert_eq!(team.registry.archive("one", VERSION), None);
}

#[test]
fn token_in_the_file_of_cargo_login_is_taken() {
    let team = Team::new();
    let mut manager = team.manager();
    manager.variables.remove(TOKEN_VARIABLE);
    team.write("home/credentials.toml", &format!("[registries.loopback]\ntoken = '{TOKEN}'\n"));
    manager.publish_one(&[]).exits(0);
    assert_eq!(team.registry.uploads().len(), 1);
}

#[cfg(unix)]
#[test]
fn program_that_tells_the_token_is_asked() {
    let team = Team::new();
    let mut manager = team.manager();
    manager.variables.remove(TOKEN_VARIABLE);
    let program = team.program("home/bin/tell", &format!("echo {TOKEN}"));
    let provider = format!("credential-provider = ['cargo:token-from-stdout', '{}']\n", program.display());
    team.configure(&provider);
    manager.publish_one(&[]).exits(0);
    assert_eq!(team.registry.uploads().len(), 1);
}

/// Cargo passes over the keychain of another system, and we cannot know that it will.
#[cfg(target_os = "linux")]
#[test]
fn keychain_that_only_cargo_can_ask_has_cargo_upload_the_same_bytes() {
    let team = Team::new();
    let manager = team.manager();
    team.configure("\n[registry]\nglobal-credential-providers = ['cargo:token', 'cargo:macos-keychain']\n");
    let run = manager.publish_one(&[]).exits(0);
    assert_eq!(run.states(), [("one".to_owned(), "published".to_owned())]);
    let requests = team.registry.requests();
    let upload = requests.iter().find(|request| request.path == "/api/v1/crates/new").unwrap();
    assert!(upload.headers["user-agent"].starts_with("cargo/"), "{:?}", upload.headers);
    assert!(team.registry.archive("one", VERSION).unwrap() == std::fs::read(manager.archive("one")).unwrap());
}

#[test]
fn build_script_has_no_token_in_reach() {
    let team = Team::releasing(|author| {
        let script = format!("fn main() {{\n    assert!(std::env::var_os(\"{TOKEN_VARIABLE}\").is_none());\n}}\n");
        author.write("one/build.rs", &script);
    });
    let manager = team.manager();
    let run = manager.publish(&["--package", "one"]).exits(0);
    assert_eq!(run.messages("token-in-environment"), [""; 0]);
    assert!(manager.root.join("target/package/one-0.2.0").join("build.rs").exists(), "cargo built what it packaged");
    assert_eq!(team.registry.uploads().len(), 1);
}
