//! A workspace with packages from everywhere, for real cargo without a network: crates.io is a folder of vendored packages.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use jiff::Timestamp;
use toolbelt_core::ops::Environment;
use toolbelt_core::subject::digest::hex;

/// A folder with a workspace in `project`, vendored packages in `vendor`, a git repository in `git`, and an own home.
pub(crate) struct CargoScene {
    folder: tempfile::TempDir,
}

impl CargoScene {
    /// A workspace of these files, given by their paths below `project` and their contents.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let scene = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(scene.beside("vendor")).unwrap();
        for (path, text) in files {
            write(&scene.project().join(path), text);
        }
        let vendored =
            "[source.crates-io]\nreplace-with = \"vendored\"\n[source.vendored]\ndirectory = \"../vendor\"\n";
        write(&scene.project().join(".cargo/config.toml"), vendored);
        scene
    }

    /// Where the workspace is.
    pub(crate) fn project(&self) -> PathBuf {
        self.beside("project")
    }

    /// The folder that holds everything.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Something beside the workspace.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A package of crates.io: what its manifest says after `[package]`, name and version.
    pub(crate) fn vendor(&self, name: &str, version: &str, manifest: &str) {
        let folder = self.beside("vendor").join(format!("{name}-{version}"));
        let head = format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\n");
        write(&folder.join("Cargo.toml"), &format!("{head}{manifest}"));
        write(&folder.join("src/lib.rs"), "");
        let digest = digest(name, version);
        write(&folder.join(".cargo-checksum.json"), &format!("{{\"files\":{{}},\"package\":\"{digest}\"}}"));
    }

    /// A git repository in `git`, of one commit that is the same every time; false if there is no git.
    pub(crate) fn git(&self, files: &[(&str, &str)]) -> bool {
        for (path, text) in files {
            write(&self.beside("git").join(path), text);
        }
        let run = |arguments: &[&str]| {
            let mut command = Command::new("git");
            command.args(arguments).current_dir(self.beside("git")).envs([
                ("GIT_CONFIG_GLOBAL", "/dev/null"),
                ("GIT_CONFIG_NOSYSTEM", "1"),
                ("GIT_AUTHOR_NAME", "a"),
                ("GIT_AUTHOR_EMAIL", "a@example.org"),
                ("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z"),
                ("GIT_COMMITTER_NAME", "a"),
                ("GIT_COMMITTER_EMAIL", "a@example.org"),
                ("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z"),
            ]);
            command.output().is_ok_and(|output| output.status.success())
        };
        run(&["init", "--quiet", "--initial-branch=main"])
            && run(&["add", "."])
            && run(&["commit", "--quiet", "-m", "x"])
    }

    /// The `file:` URL of the git repository.
    pub(crate) fn git_url(&self) -> String {
        let path = self.beside("git").display().to_string().replace('\\', "/");
        format!("file:///{}", path.trim_start_matches('/'))
    }

    /// Has cargo write the lock file.
    pub(crate) fn lock(&self) {
        let output = self.cargo(&["generate-lockfile"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs cargo in the workspace.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Output {
        let environment = self.environment();
        let mut command = Command::new(env!("CARGO"));
        command.args(arguments).current_dir(self.project()).env_clear().envs(environment.variables).output().unwrap()
    }

    /// The environment of a run in the workspace.
    pub(crate) fn environment(&self) -> Environment {
        let mut environment = environment(&self.project());
        let home = self.beside("cargo-home").display().to_string();
        environment.variables.insert("CARGO_HOME".to_owned(), home);
        environment
    }
}

/// Writes a file and the folders above it.
pub(crate) fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The digest that a vendored package is said to have: no two have the same.
pub(crate) fn digest(name: &str, version: &str) -> String {
    format!("{:0<64}", hex(format!("{name}@{version}").as_bytes()))[..64].to_owned()
}

/// The test's own environment, in this directory.
pub(crate) fn environment(directory: &Path) -> Environment {
    let mut variables: BTreeMap<String, String> = std::env::vars().filter(|(name, _)| !is_of_the_test(name)).collect();
    variables.insert("CARGO".to_owned(), env!("CARGO").to_owned());
    Environment {
        tool: "cargo-toolbelt 0.1.0".to_owned(),
        now: Timestamp::UNIX_EPOCH,
        directory: directory.to_owned(),
        cache: None,
        cargo_home: None,
        variables,
        host: host(),
    }
}

/// What cargo tells a test about itself, and what would change what it does.
fn is_of_the_test(name: &str) -> bool {
    ["CARGO_", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"].iter().any(|start| name.starts_with(start))
        && name != "CARGO_HOME"
}

/// The triple of the machine.
pub(crate) fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}
