//! A cargo project in a git repository, for tests that package it with the real programs.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use toolbelt_core::finding::Fact;
use toolbelt_core::source::cargo_metadata::{self, AskedFeatures, NoLockfile, Question, Workspace};
use toolbelt_core::source::git::tags::TagPattern;
use toolbelt_core::source::release::archive::Named;
use toolbelt_core::source::release::collect::{Checkout, Collected, Request, collect};
use toolbelt_core::source::release::package::{Options, Packaging, Verify};
use toolbelt_core::source::release::rebuild::{self, Rebuilt};
use toolbelt_core::source::release::revision::Network;
use toolbelt_core::subject::release::Revision;

/// A folder with a repository in it.
pub(crate) struct Project {
    /// The top of its work tree.
    pub(crate) root: PathBuf,
    /// What its programs get.
    pub(crate) variables: BTreeMap<String, String>,
    folder: tempfile::TempDir,
}

/// A manifest without anything that is missed.
pub(crate) const MANIFEST: &str = "[package]\nname = \"one\"\nversion = \"1.0.0\"\nedition = \"2024\"\n";

impl Project {
    /// An empty repository.
    pub(crate) fn empty() -> Self {
        Self::with_format("sha1")
    }

    /// An empty repository with this hash function.
    pub(crate) fn with_format(format: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap().join("repository");
        fs::create_dir(&root).unwrap();
        fs::create_dir(folder.path().join("scratch")).unwrap();
        let home = folder.path().join("home");
        fs::create_dir(&home).unwrap();
        let kept = ["PATH", "HOME", "CARGO", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "SystemRoot"];
        let mut variables: BTreeMap<String, String> =
            kept.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect();
        for (name, value) in [
            ("CARGO_HOME", home.to_str().unwrap()),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", "Ann"),
            ("GIT_AUTHOR_EMAIL", "ann@example.com"),
            ("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z"),
            ("GIT_COMMITTER_NAME", "Ann"),
            ("GIT_COMMITTER_EMAIL", "ann@example.com"),
            ("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z"),
        ] {
            variables.insert(name.to_owned(), value.to_owned());
        }
        let project = Self { root, variables, folder };
        project.git(&["init", "--quiet", "--initial-branch=main", &format!("--object-format={format}")]);
        project.write(".gitignore", "/target\n");
        project
    }

    /// A package `one` with two files, committed.
    pub(crate) fn new() -> Self {
        let project = Self::empty();
        project.write("Cargo.toml", MANIFEST);
        project.write("src/lib.rs", "//! One.\n");
        project.write("src/other.rs", "// Other.\n");
        project.cargo(&["generate-lockfile", "--offline"]);
        project.commit("one");
        project
    }

    /// Another work tree in the same folder.
    pub(crate) fn beside(&self, name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("scratch")).unwrap();
        Self { root: self.root.parent().unwrap().join(name), variables: self.variables.clone(), folder }
    }

    /// Runs git, which has to succeed, and returns what it says.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.git_bytes(arguments)).unwrap().trim_end().to_owned()
    }

    /// Runs git, which has to succeed, and returns what it says as it is.
    pub(crate) fn git_bytes(&self, arguments: &[&str]) -> Vec<u8> {
        let mut command = Command::new("git");
        command.env_clear().envs(&self.variables).current_dir(&self.root);
        command.args(["-c", "protocol.file.allow=always", "-c", "advice.detachedHead=false"]).args(arguments);
        let output = command.output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Runs cargo, which has to succeed.
    pub(crate) fn cargo(&self, arguments: &[&str]) {
        let cargo = self.variables.get("CARGO").map_or("cargo", String::as_str);
        let mut command = Command::new(cargo);
        let output =
            command.env_clear().envs(&self.variables).current_dir(&self.root).args(arguments).output().unwrap();
        assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Writes a file of the work tree.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Commits everything in the work tree.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// What cargo says of it.
    pub(crate) fn workspace(&self) -> Workspace {
        let question = Question {
            variables: &self.variables,
            directory: &self.root,
            manifest_path: None,
            offline: true,
            features: AskedFeatures::Named(&[]),
            targets: &[],
            no_lockfile: NoLockfile::Refused,
        };
        cargo_metadata::workspace(&question).unwrap()
    }

    /// Packages one of its members.
    pub(crate) fn package(&self, name: &str) -> Vec<u8> {
        let workspace = self.workspace();
        let manifest = workspace.root.join("Cargo.toml");
        let members: Vec<Named<'_>> = workspace.publishable().map(Named::from).collect();
        let packaging = Packaging {
            manifest: &manifest,
            members: &members,
            options: &options(),
            target: &workspace.target_directory,
            variables: &self.variables,
        };
        let paths = packaging.run().unwrap();
        let at = members.iter().position(|member| member.name == name).unwrap();
        fs::read(&paths[at]).unwrap()
    }

    /// The commit that is checked out.
    pub(crate) fn checkout(&self) -> Fact<Checkout> {
        Checkout::open(&self.root, &self.variables, Network::Allowed)
    }

    /// What is made of the commit alone.
    pub(crate) fn rebuilt(&self, name: &str) -> Fact<Rebuilt> {
        self.rebuild(name, rebuild::rebuild)
    }

    /// Asks for something to be made of the commit alone, and sees that nothing is left behind.
    pub(crate) fn rebuild<T>(
        &self,
        name: &str,
        run: impl FnOnce(&rebuild::Request<'_>) -> BTreeMap<String, Fact<T>>,
    ) -> Fact<T> {
        let checkout = match self.checkout() {
            Fact::Known(checkout) => checkout,
            Fact::Unknown(unknown) => return Fact::Unknown(unknown),
        };
        let (options, scratch) = (options(), self.folder.path().join("scratch"));
        let workspace = self.workspace();
        let names: Vec<&str> = workspace.publishable().map(|member| member.name.as_str()).collect();
        let mut made = match checkout.rebuilding(&workspace, &names, &options, &scratch, &self.variables) {
            Fact::Known(request) => run(&request),
            Fact::Unknown(unknown) => return Fact::Unknown(unknown),
        };
        assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0, "nothing is left behind");
        made.remove(name).unwrap()
    }

    /// What is known of a package and these bytes.
    pub(crate) fn collect(&self, name: &str, bytes: &[u8]) -> Collected {
        let workspace = self.workspace();
        let member = workspace.members.iter().find(|member| member.name == name).unwrap();
        let request = Request {
            workspace: &workspace,
            member,
            bytes: Fact::Known(bytes),
            checkout: &self.checkout(),
            rebuilt: &self.rebuilt(name),
            tags: &[TagPattern::usual(workspace.publishable().count() > 1)],
        };
        collect(&request, &mut |_, _| {})
    }

    /// What is known of the package `one`, as cargo packages it.
    pub(crate) fn release(&self) -> Collected {
        self.collect("one", &self.package("one"))
    }
}

fn options() -> Options {
    Options { verify: Verify::No, resolve: vec!["--offline".to_owned()], ..Options::default() }
}

/// The commit of a release.
pub(crate) fn revision(collected: &Collected) -> &Revision {
    known(&collected.revision)
}

/// What is known, which has to be.
pub(crate) fn known<T>(fact: &Fact<T>) -> &T {
    match fact {
        Fact::Known(value) => value,
        Fact::Unknown(unknown) => panic!("{}", unknown.reason),
    }
}
