//! `git toolbelt` as people meet it: wording and exit codes.
//!
//! `TRYCMD=overwrite` rewrites the transcripts, `UPDATE=1` the part of `docs/cli.md` that is generated.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests are tests, which clippy does not see; what is skipped is said"
)]

use std::fs;
use std::process::Command;

mod support {
    pub(crate) mod help;
    pub(crate) mod terminal;
}

use support::help;
use support::terminal::Scene;
use toolbelt_core::source::hooks::GitVersion;

const BINARY: &str = env!("CARGO_BIN_EXE_git-toolbelt");

#[test]
fn transcripts_hold() {
    for file in ["tests/cases/git-toolbelt/explain.trycmd", "docs/scan.md"] {
        Scene::of("git-toolbelt/scan").transcript(file, &[("git-toolbelt", BINARY)]);
    }
    let scene = Scene::of("git-toolbelt/scan");
    let git = scene.command("git").arg("version").output().unwrap();
    if GitVersion::parse(&support::terminal::written(&git)) >= Some(GitVersion::WITH_CONFIGURED_HOOKS) {
        println!("skipped: docs/protect.md shows hooks of a git before 2.54");
        return;
    }
    // A repository in which everything is staged.
    std::fs::remove_dir(scene.directory().join(".git")).unwrap();
    for arguments in [["init", "--quiet"], ["add", "--all"]] {
        assert!(scene.command("git").args(arguments).status().unwrap().success());
    }
    scene.transcript("docs/protect.md", &[("git-toolbelt", BINARY)]);
}

/// The public half of a key whose private one nobody has.
const PUBLIC_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHDWmC1DCP87bhHh4FUcXHSvTUnU1hjE94J5Sad9qUu5 alice\n";

/// A repository with a release, a commit that nobody signed, and one that alice signed.
fn signed() -> Scene {
    let scene = Scene::empty();
    fs::create_dir_all(scene.beside("home/.ssh")).unwrap();
    fs::write(scene.beside("home/.ssh/id_ed25519.pub"), PUBLIC_KEY).unwrap();
    let key = scene.beside("key");
    let made = Command::new("ssh-keygen").args(["-q", "-N", "", "-t", "ed25519", "-f"]).arg(&key).status();
    assert!(made.expect("OpenSSH is needed for this test").success());
    let public = fs::read_to_string(key.with_extension("pub")).unwrap();
    fs::write(scene.beside("allowed_signers"), format!("alice@example.com {public}")).unwrap();
    let git = |arguments: &[&str]| {
        let mut command = scene.command("git");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_DATE"), "1780272000 +0000");
        }
        command.args(["-c", "gpg.format=ssh", "-c"]).arg(format!("user.signingkey={}", key.display())).args(arguments);
        assert!(command.status().unwrap().success(), "{arguments:?}");
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["config", "user.name", "Alice"]);
    git(&["config", "user.email", "alice@example.com"]);
    git(&["commit", "--quiet", "--allow-empty", "--message", "Begin"]);
    git(&["tag", "v1.0.0"]);
    git(&["commit", "--quiet", "--allow-empty", "--message", "Change"]);
    git(&["commit", "--quiet", "--allow-empty", "--gpg-sign", "--message", "Change more"]);
    scene
}

#[cfg(unix)]
#[test]
fn the_page_on_signatures_holds() {
    signed().transcript("docs/verify.md", &[("git-toolbelt", BINARY)]);
}

#[test]
fn manual_pages_are_written() {
    let scene = Scene::empty();
    assert!(scene.command(BINARY).args(["man", "man1"]).status().unwrap().success());
    assert!(scene.directory().join("man1/git-toolbelt.1").is_file());
}

#[test]
fn the_page_of_the_command_line_is_current() {
    help::hold(
        "git toolbelt",
        BINARY,
        &[
            "",
            "scan",
            "scan baseline",
            "verify",
            "identity",
            "identity setup",
            "protect",
            "protect install",
            "protect status",
            "protect doctor",
            "protect uninstall",
            "hook",
            "explain",
            "completions",
            "man",
        ],
    );
}
