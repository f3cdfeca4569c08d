//! `cargo toolbelt` as people and programs meet it: wording, exit codes, formats.
//!
//! `TRYCMD=overwrite` rewrites the transcripts, `UPDATE=1` the part of `docs/cli.md` that is generated.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, which clippy does not see")]

mod support {
    pub(crate) mod help;
    pub(crate) mod schema;
    #[expect(dead_code, reason = "what lies beside the working directory is for the tests of git")]
    pub(crate) mod terminal;
}

use std::io::{Read as _, Write as _};
use std::process::Stdio;

use serde_json::Value;
use support::terminal::{Scene, top, written};
use support::{help, schema};

const BINARY: &str = env!("CARGO_BIN_EXE_cargo-toolbelt");

/// One for each folder below `tests/cases/cargo-toolbelt`.
const SCENES: [&str; 7] = ["broken-lock", "broken-policy", "carried", "clean", "conflict", "no-lock", "tour"];

#[test]
fn transcripts_hold() {
    // `cargo toolbelt deps` runs `cargo-toolbelt toolbelt deps`: the binary stands in for cargo.
    let programs = [("cargo", BINARY), ("cargo-toolbelt", BINARY)];
    for scene in SCENES {
        let file = format!("tests/cases/cargo-toolbelt/{scene}.trycmd");
        Scene::of(&format!("cargo-toolbelt/{scene}")).transcript(&file, &programs);
    }
    Scene::empty().transcript("tests/cases/cargo-toolbelt/rules.trycmd", &programs);
    Scene::of("cargo-toolbelt/tour").transcript("README.md", &programs);
    Scene::of("cargo-toolbelt/sbom").transcript("docs/sbom.md", &programs);
    evidence().transcript("docs/evidence.md", &programs);
}

/// A repository with a commit, and keys that are made for this run.
fn evidence() -> Scene {
    let scene = Scene::of("cargo-toolbelt/evidence");
    let run = |program: &str, arguments: &[&str]| {
        let status = scene.command(program).args(arguments).status().unwrap();
        assert!(status.success(), "{program} {arguments:?}");
    };
    std::fs::create_dir(scene.directory().join("keys")).unwrap();
    for (name, list) in [("alice", "signers"), ("bob", "others")] {
        let key = format!("keys/{name}");
        run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", &key]);
        let public = std::fs::read_to_string(scene.directory().join(format!("{key}.pub"))).unwrap();
        let line = format!("{name}@example.com namespaces=\"toolbelt\" {public}");
        std::fs::write(scene.directory().join(list), line).unwrap();
    }
    run("git", &["init", "--quiet"]);
    run("git", &["config", "user.name", "Alice"]);
    run("git", &["config", "user.email", "alice@example.com"]);
    run("git", &["commit", "--quiet", "--allow-empty", "--message", "first"]);
    scene
}

#[test]
fn cargo_finds_the_command() {
    let scene = Scene::empty();
    let path = std::path::Path::new(BINARY).parent().unwrap();
    let output = scene.command(env!("CARGO")).env("PATH", path).args(["toolbelt", "--version"]).output().unwrap();
    assert_eq!(written(&output), concat!("cargo-toolbelt ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn json_of_the_command_meets_its_schema() {
    let description = std::fs::read_to_string(top().join("docs/output.schema.json")).unwrap();
    let description: Value = serde_json::from_str(&description).unwrap();
    let tour = ["deps", "--offline", "--advisory-db", "advisories", "--names", "names.tsv"];
    for (arguments, code) in [(&tour[..], 1), (&["data", "status"], 0), (&["deps", "names", "serd"], 0)] {
        let scene = Scene::of("cargo-toolbelt/tour");
        let output = scene.command(BINARY).args(arguments).args(["--format", "json"]).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(schema::mistakes(&description, &report), Vec::<String>::new(), "{arguments:?}");
        assert_eq!(report["time"], "2026-11-22T10:00:00Z");
    }
}

#[test]
fn the_same_run_writes_the_same_bytes() {
    for format in ["json", "sarif", "markdown", "human"] {
        let run = || {
            let scene = Scene::of("cargo-toolbelt/tour");
            let arguments = ["deps", "--offline", "--advisory-db", "advisories", "--format", format];
            scene.command(BINARY).args(arguments).output().unwrap().stdout
        };
        let first = run();
        assert!(!first.is_empty());
        assert_eq!(first, run(), "{format}");
    }
}

#[test]
fn names_come_from_standard_input_one_per_line() {
    let scene = Scene::of("cargo-toolbelt/tour");
    let mut command = scene.command(BINARY);
    command.args(["deps", "names", "--names", "names.tsv", "--format", "json", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"moon-quartz\r\n\n  tidewater\n").unwrap();
    let report: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(report["coverage"]["names"], 2);
    assert_eq!(report["findings"][0]["facts"]["target"], "moonquartz");
}

#[test]
fn evidence_is_signed_with_the_key_of_git_and_trusted_by_the_base() {
    let scene = evidence();
    let git = |arguments: &[&str]| {
        assert!(scene.command("git").args(arguments).status().unwrap().success(), "{arguments:?}");
    };
    let toolbelt = |arguments: &[&str]| {
        let output = scene.command(BINARY).arg("evidence").args(arguments).output().unwrap();
        (output.status.code(), written(&output), String::from_utf8(output.stderr).unwrap())
    };
    let kind = "https://in-toto.io/attestation/test-result/v0.1";
    let sign = ["sign", "foo-1.0.0.crate", "--predicate-type", kind, "--predicate", "tests.json"];
    let (code, _, error) = toolbelt(&sign);
    assert_eq!(code, Some(2));
    assert!(
        error.contains("`gpg.format` is not `ssh`") && error.contains("hint: `git config gpg.format ssh`"),
        "{error}"
    );
    git(&["config", "gpg.format", "ssh"]);
    git(&["config", "user.signingkey", "keys/alice.pub"]);
    let (code, envelope, error) = toolbelt(&sign);
    assert_eq!(code, Some(0), "{error}");
    std::fs::write(scene.directory().join("foo-1.0.0.intoto.jsonl"), &envelope).unwrap();

    let verify = ["verify", "foo-1.0.0.crate"];
    let (code, _, error) = toolbelt(&verify);
    assert_eq!(code, Some(2), "nobody is trusted without a list");
    assert!(error.contains("whose signatures count") && error.contains("hint: `--allowed-signers FILE`"), "{error}");

    // A list in the work tree, committed or not, is not asked; that of a base is.
    std::fs::create_dir(scene.directory().join(".toolbelt")).unwrap();
    std::fs::copy(scene.directory().join("signers"), scene.directory().join(".toolbelt/allowed_signers")).unwrap();
    assert_eq!(toolbelt(&verify).0, Some(2));
    assert_eq!(toolbelt(&[&verify[..], &["--base", "HEAD"]].concat()).0, Some(2));
    git(&["add", ".toolbelt"]);
    git(&["commit", "--quiet", "--message", "signers"]);
    assert_eq!(toolbelt(&[&verify[..], &["--base", "HEAD"]].concat()).0, Some(0));
    assert_eq!(toolbelt(&[&verify[..], &["--base", "HEAD^"]].concat()).0, Some(2));

    // A pin counts, unless the work tree could write it.
    let pinned = scene.directory().join(".toolbelt/allowed_signers");
    git(&["config", "toolbelt.allowedSigners", pinned.to_str().unwrap()]);
    let (code, _, error) = toolbelt(&verify);
    assert_eq!(code, Some(2));
    assert!(error.contains("a file of the work tree"), "{error}");
    let outside = scene.directory().join("../pinned");
    std::fs::copy(&pinned, &outside).unwrap();
    git(&["config", "toolbelt.allowedSigners", outside.to_str().unwrap()]);
    assert_eq!(toolbelt(&verify).0, Some(0));
    assert_eq!(toolbelt(&[&verify[..], &["--predicate-type", "https://example.com/other"]].concat()).0, Some(3));

    // What was changed fails, and so does a line that is no envelope.
    let path = scene.directory().join("foo-1.0.0.intoto.jsonl");
    std::fs::write(&path, format!("{envelope}nonsense\n")).unwrap();
    let (code, text, _) = toolbelt(&verify);
    assert_eq!(code, Some(1));
    assert!(text.contains("verified:") && text.contains("broken: foo-1.0.0.intoto.jsonl: line 2:"), "{text}");
    let mut changed: Value = serde_json::from_str(&envelope).unwrap();
    changed["signatures"][0]["sig"] = "AAAA".into();
    std::fs::write(&path, changed.to_string()).unwrap();
    let (code, text, _) = toolbelt(&verify);
    assert_eq!(code, Some(1));
    assert!(
        text.contains("is not a signature of this content") && text.ends_with("fail: evidence is broken\n"),
        "{text}"
    );

    // A file that could stand for a commit is refused.
    std::fs::write(scene.directory().join("HEAD"), "").unwrap();
    let (code, _, error) = toolbelt(&["verify", "HEAD"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("`HEAD` is both a file and a revision"), "{error}");
    assert_eq!(toolbelt(&["verify", "./HEAD"]).0, Some(3));
    assert_eq!(toolbelt(&["verify", "nothing"]).0, Some(2));
    assert_eq!(toolbelt(&["verify", "sha256:12"]).0, Some(2));
}

#[test]
fn a_reader_that_goes_away_is_no_error_to_tell() {
    for arguments in [&["rules"][..], &["completions", "bash"], &["man"], &["explain", "yanked-version"]] {
        let scene = Scene::empty();
        let mut command = scene.command(BINARY);
        let mut child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        child.wait().unwrap();
        assert_eq!(said, "", "{arguments:?}");
    }
}

#[test]
fn without_a_home_and_with_a_cache_that_cannot_be_written_to_it_still_answers() {
    let scene = Scene::of("cargo-toolbelt/clean");
    let arguments = ["deps", "--offline", "--advisory-db", "advisories"];
    let mut homeless = scene.command(BINARY);
    for variable in ["HOME", "CARGO_HOME", "TOOLBELT_CACHE", "XDG_CACHE_HOME"] {
        homeless.env_remove(variable);
    }
    assert_eq!(homeless.args(arguments).output().unwrap().status.code(), Some(0));
    // A file where a folder should be cannot be written into by anybody, the superuser included.
    let mut command = scene.command(BINARY);
    command.env("TOOLBELT_CACHE", scene.directory().join("Cargo.toml"));
    assert_eq!(command.args(arguments).output().unwrap().status.code(), Some(0));
}

#[test]
fn manual_pages_and_completions_are_written() {
    let scene = Scene::empty();
    assert!(scene.command(BINARY).args(["man", "man1"]).status().unwrap().success());
    for page in ["cargo-toolbelt.1", "cargo-toolbelt-deps.1", "cargo-toolbelt-policy-check.1"] {
        let text = std::fs::read_to_string(scene.directory().join("man1").join(page)).unwrap();
        assert!(text.contains(".TH"), "{page}");
    }
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = scene.command(BINARY).args(["completions", shell]).output().unwrap();
        assert!(written(&output).contains("toolbelt"), "{shell}");
    }
}

#[test]
fn the_page_of_the_command_line_is_current() {
    let commands = [
        "",
        "deps",
        "deps names",
        "deps why",
        "evidence",
        "evidence sign",
        "evidence verify",
        "evidence show",
        "evidence list",
        "publish",
        "publish approve",
        "sbom",
        "rules",
        "explain",
        "policy",
        "policy init",
        "policy check",
        "data",
        "data update",
        "data status",
        "completions",
        "man",
    ];
    help::hold("cargo toolbelt", BINARY, &commands);
}
