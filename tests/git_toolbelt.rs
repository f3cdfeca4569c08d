//! `git toolbelt` as people meet it: wording and exit codes.
//!
//! `TRYCMD=overwrite` rewrites the transcripts, `UPDATE=1` the part of `docs/cli.md` that is generated.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests are tests, which clippy does not see; what is skipped is said"
)]

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
