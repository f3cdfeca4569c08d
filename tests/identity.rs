//! How git signs, seen in repositories with real keys.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/signing.rs"]
#[expect(dead_code, reason = "most is for tests that make commits")]
mod signing;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use signing::World;
use toolbelt_core::ops::identity::setup::{self, Scope};
use toolbelt_core::ops::identity::{self, Error, Identity, Request, State, Trial};
use toolbelt_core::report::Verdict;

/// A repository whose git commits as alice, and her key.
fn world() -> World {
    let world = World::new();
    world.key("alice", &["ed25519"]);
    world.git("", &["init", "--quiet", "work"]);
    world.git("work", &["config", "user.email", "alice@example.com"]);
    world
}

fn set_up(world: &World, key: &str) {
    let request = setup_request(world, Some(key));
    let plan = setup::plan(&request).unwrap();
    setup::apply(&request, &plan).unwrap();
    assert!(setup::plan(&request).unwrap().changes.is_empty(), "nothing is left to change");
}

fn setup_request(world: &World, key: Option<&str>) -> setup::Request {
    setup::Request { environment: world.environment("work"), key: key.map(|key| world.path(key)), scope: Scope::Local }
}

fn look(world: &World, trial: Trial) -> Identity {
    identity::run(&Request { environment: world.environment("work"), trial }).unwrap()
}

#[track_caller]
fn state(identity: &Identity, what: &str) -> (State, String) {
    let check = identity.checks.iter().find(|check| check.what == what);
    check.map(|check| (check.state, check.message.clone())).unwrap()
}

#[test]
fn git_signs_after_a_setup() {
    let world = world();
    assert_eq!(look(&world, Trial::Skipped).verdict(), Verdict::Fail);
    let plan = setup::plan(&setup_request(&world, Some("alice"))).unwrap();
    let names: Vec<&str> = plan.changes.iter().map(|change| change.name).collect();
    assert_eq!(names, ["gpg.format", "user.signingkey", "commit.gpgsign", "tag.gpgsign"]);
    assert_eq!(look(&world, Trial::Skipped).verdict(), Verdict::Fail, "a plan changes nothing");
    set_up(&world, "alice");
    let seen = look(&world, Trial::Signed);
    assert_eq!(seen.verdict(), Verdict::Pass, "{seen:?}");
    assert_eq!(state(&seen, "signature").0, State::Good);
    // And git does.
    let mut commit = Command::new("git");
    commit.env_clear().envs(world.variables()).current_dir(world.path("work"));
    commit.args(["-c", "user.name=A", "commit", "--quiet", "--allow-empty", "-m", "x"]);
    assert!(commit.status().unwrap().success());
    assert!(world.git("work", &["cat-file", "commit", "HEAD"]).contains("BEGIN SSH SIGNATURE"));
}

#[test]
fn the_key_is_the_one_named_then_gits_own_then_the_first_at_home() {
    let world = world();
    let found = |key| setup::plan(&setup_request(&world, key)).map(|plan| plan.line);
    assert!(matches!(found(None), Err(Error::NoKey { .. })));
    world.key("home", &["ecdsa", "-b", "256"]);
    fs::create_dir(world.path(".ssh")).unwrap();
    for name in ["home", "home.pub"] {
        fs::copy(world.path(name), world.path(".ssh").join(name.replace("home", "id_ecdsa"))).unwrap();
    }
    assert!(found(None).unwrap().ends_with(&world.public("home")));
    assert!(found(Some("alice.pub")).unwrap().ends_with(&world.public("alice")));
    set_up(&world, "alice");
    assert!(found(None).unwrap().ends_with(&world.public("alice")));
    assert!(matches!(found(Some("nothing")), Err(Error::Ssh(_))));
}

#[test]
fn weak_keys_and_open_files_are_told() {
    let world = world();
    world.key("short", &["rsa", "-b", "2048"]);
    world.key("ec", &["ecdsa", "-b", "521"]);
    for (key, expected) in [("short", State::Noted), ("ec", State::Good), ("alice", State::Good)] {
        set_up(&world, key);
        assert_eq!(state(&look(&world, Trial::Signed), "user.signingkey").0, expected, "{key}");
        assert_eq!(state(&look(&world, Trial::Signed), "signature").0, State::Good, "{key}");
        assert_eq!(state(&look(&world, Trial::Skipped), "private key").0, State::Noted, "{key}: without a passphrase");
    }
    fs::set_permissions(world.path("alice"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(state(&look(&world, Trial::Skipped), "private key").0, State::Wrong);
    fs::set_permissions(world.path("alice"), fs::Permissions::from_mode(0o600)).unwrap();
    let mut protect = Command::new("ssh-keygen");
    assert!(protect.args(["-q", "-p", "-N", "secret", "-f"]).arg(world.path("alice")).status().unwrap().success());
    assert_eq!(state(&look(&world, Trial::Skipped), "private key").0, State::Good);
    fs::remove_file(world.path("alice")).unwrap();
    assert_eq!(state(&look(&world, Trial::Skipped), "private key").0, State::Wrong);
    fs::write(world.path("alice.pub"), "nothing").unwrap();
    assert_eq!(state(&look(&world, Trial::Skipped), "user.signingkey").0, State::Wrong);
}

#[test]
fn others_trust_the_key_by_the_list_of_the_repository() {
    let world = world();
    set_up(&world, "alice");
    let key = world.public("alice");
    let listed = |line: &str| {
        world.write("work/.toolbelt/allowed_signers", line);
        state(&look(&world, Trial::Skipped), "allowed_signers")
    };
    assert_eq!(state(&look(&world, Trial::Skipped), "allowed_signers").0, State::Noted, "there is no list");
    assert_eq!(listed(&format!("alice@example.com {key}\n")).0, State::Good);
    assert_eq!(listed(""), (State::Wrong, "does not have the key".to_owned()));
    assert_eq!(listed(&format!("bob@example.com {key}\n")).0, State::Wrong);
    assert_eq!(listed(&format!("alice@example.com namespaces=\"file\" {key}\n")).0, State::Wrong);
    assert_eq!(listed(&format!("alice@example.com valid-before=\"20260101Z\" {key}\n")).0, State::Wrong);
    assert_eq!(listed(&format!("alice@example.com valid-before=\"20261201Z\" {key}\n")).0, State::Noted, "soon");
}

#[test]
fn what_is_not_ssh_or_not_run_is_not_known() {
    let world = world();
    world.git("work", &["config", "user.signingkey", "0123456789ABCDEF"]);
    assert_eq!(state(&look(&world, Trial::Skipped), "gpg.format").0, State::Unknown);
    world.git("work", &["config", "gpg.format", "ssh"]);
    world.git("work", &["config", "--unset", "user.signingkey"]);
    world.git("work", &["config", "gpg.ssh.defaultKeyCommand", "touch ran"]);
    assert_eq!(state(&look(&world, Trial::Signed), "user.signingkey").0, State::Unknown);
    assert!(!world.path("work/ran").exists());
    world.git("work", &["config", "user.signingkey", "key::ssh-ed25519 ####"]);
    assert_eq!(state(&look(&world, Trial::Skipped), "user.signingkey").0, State::Wrong);
    world.git("work", &["config", "--unset", "user.email"]);
    let request = setup_request(&world, Some("alice"));
    assert!(matches!(setup::plan(&request), Err(Error::NoEmail)));
}
