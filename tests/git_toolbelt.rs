//! `git toolbelt` as people meet it: wording and exit codes.
//!
//! `TRYCMD=overwrite` rewrites the transcripts, `UPDATE=1` the part of `docs/cli.md` that is generated.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, which clippy does not see")]

mod support {
    pub(crate) mod help;
    pub(crate) mod terminal;
}

use support::help;
use support::terminal::Scene;

const BINARY: &str = env!("CARGO_BIN_EXE_git-toolbelt");

#[test]
fn transcripts_hold() {
    for file in ["tests/cases/git-toolbelt/explain.trycmd", "docs/scan.md"] {
        Scene::of("git-toolbelt/scan").transcript(file, &[("git-toolbelt", BINARY)]);
    }
}

#[test]
fn manual_pages_are_written() {
    let scene = Scene::empty();
    assert!(scene.command(BINARY).args(["man", "man1"]).status().unwrap().success());
    assert!(scene.directory().join("man1/git-toolbelt.1").is_file());
}

#[test]
fn the_page_of_the_command_line_is_current() {
    help::hold("git toolbelt", BINARY, &["", "scan", "scan baseline", "explain", "completions", "man"]);
}
