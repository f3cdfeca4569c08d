//! Runs transcripts and commands in folders of their own: no network, no home, a fixed clock.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use trycmd::TestCases;

/// The start of every run: 2026-11-22T10:00:00Z.
const NOW: &str = "1795341600";

/// A folder with a copy of a case's files, and empty caches.
pub(crate) struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    /// Copies `tests/cases/<case>`; the copy is a repository of its own.
    pub(crate) fn of(case: &str) -> Self {
        let scene = Self::empty();
        copy(&top().join("tests/cases").join(case), &scene.directory());
        scene
    }

    /// A repository without files.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("project/.git")).unwrap();
        Self { folder }
    }

    /// A place beside the working directory: `home` is the home of whoever runs something here.
    #[cfg_attr(not(test), expect(dead_code, reason = "not every program has something there"))]
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The working directory.
    pub(crate) fn directory(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// What is not the test's own environment, so that it says nothing about the machine.
    fn variables(&self) -> Vec<(String, String)> {
        let beside = |name: &str| self.folder.path().join(name).display().to_string();
        let variables = [
            ("HOME", beside("home")),
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
            ("SSH_AUTH_SOCK", String::new()),
            ("CARGO_HOME", beside("cargo-home")),
            ("TOOLBELT_CACHE", beside("cache")),
            ("SOURCE_DATE_EPOCH", NOW.to_owned()),
            ("TOOLBELT_TEST_NOW", NOW.to_owned()),
            ("CARGO_NET_OFFLINE", "true".to_owned()),
            // Where hooks are is not this machine's affair.
            ("GIT_CONFIG_GLOBAL", beside("gitconfig")),
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
            ("COLUMNS", "100".to_owned()),
            ("NO_COLOR", "1".to_owned()),
        ];
        variables.map(|(name, value)| (name.to_owned(), value)).to_vec()
    }

    /// Runs the transcripts of a file; `TRYCMD=overwrite` rewrites them.
    pub(crate) fn transcript(&self, file: &str, programs: &[(&str, &str)]) {
        std::env::set_current_dir(self.directory()).unwrap();
        let cases = TestCases::new();
        for (name, path) in programs {
            cases.register_bin(*name, Path::new(path));
        }
        for (name, value) in self.variables() {
            cases.env(name, value);
        }
        cases.insert_var("[BESIDE]", self.folder.path().display().to_string()).unwrap();
        cases.case(top().join(file)).run();
        std::env::set_current_dir(top()).unwrap();
    }

    /// A program that is to run here.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.directory()).envs(self.variables());
        command
    }
}

/// The root of the workspace.
pub(crate) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// What a command wrote to standard output.
pub(crate) fn written(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
