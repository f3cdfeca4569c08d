//! Repositories whose commits and tags are signed by real keys, made by real programs with fixed names and dates.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;
use toolbelt_core::ops::Environment;

/// When every run happens.
pub(crate) const NOW: &str = "2026-11-22T10:00:00Z";
/// When commits are made that do not say otherwise: 2026-06-01.
pub(crate) const DAY: i64 = 1_780_272_000;

/// A folder with repositories and keys.
pub(crate) struct World {
    folder: TempDir,
}

/// Who makes a commit or a tag, and how.
#[derive(Clone, Copy)]
pub(crate) struct Maker<'a> {
    /// The address of the author.
    pub author: &'a str,
    /// The address of the committer, or of the tagger.
    pub committer: &'a str,
    /// The name of the key; none for no signature.
    pub key: Option<&'a str>,
    /// The committer's date, in seconds since 1970.
    pub date: i64,
}

impl<'a> Maker<'a> {
    /// Somebody who signs with a key of their own name.
    pub(crate) fn signing(name: &'a str) -> Self {
        Self { key: Some(name), ..Self::not_signing(name) }
    }

    /// Somebody who does not sign.
    pub(crate) fn not_signing(name: &'a str) -> Self {
        Self { author: name, committer: name, key: None, date: DAY }
    }

    /// The same at another time.
    pub(crate) fn at(self, date: i64) -> Self {
        Self { date, ..self }
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A place in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap().join(name)
    }

    /// Makes an SSH key of this name.
    pub(crate) fn key(&self, name: &str, kind: &[&str]) {
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-N", "", "-C", name, "-f"]).arg(self.path(name)).arg("-t").args(kind);
        assert!(command.status().expect("OpenSSH is needed for this test").success());
    }

    /// The public half of a key: type and digits.
    pub(crate) fn public(&self, name: &str) -> String {
        let text = fs::read_to_string(self.path(&format!("{name}.pub"))).unwrap();
        text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
    }

    /// A git command that no configuration of this machine has a part in.
    pub(crate) fn command(&self, repository: &str, maker: Maker<'_>) -> Command {
        let mut command = Command::new("git");
        command.env_clear().envs(self.variables()).current_dir(self.path(repository));
        for (role, address) in [("AUTHOR", maker.author), ("COMMITTER", maker.committer)] {
            command.env(format!("GIT_{role}_NAME"), address).env(format!("GIT_{role}_EMAIL"), address_of(address));
            command.env(format!("GIT_{role}_DATE"), format!("{} +0000", maker.date));
        }
        command.args(["-c", "protocol.file.allow=always", "-c", "advice.detachedHead=false", "-c", "gpg.format=ssh"]);
        if let Some(key) = maker.key {
            command.arg("-c").arg(format!("user.signingkey={}", self.path(&format!("{key}.pub")).display()));
            command.args(["-c", "commit.gpgsign=true", "-c", "tag.gpgsign=true"]);
        }
        command
    }

    /// Runs git, which has to succeed, and returns what it says.
    pub(crate) fn git(&self, repository: &str, arguments: &[&str]) -> String {
        self.git_as(repository, Maker::not_signing("nobody"), arguments)
    }

    /// Runs git for somebody.
    pub(crate) fn git_as(&self, repository: &str, maker: Maker<'_>, arguments: &[&str]) -> String {
        let output = self.command(repository, maker).args(arguments).output().unwrap();
        said(&output, arguments)
    }

    /// Writes an object of a kind and returns its id.
    pub(crate) fn object(&self, repository: &str, kind: &str, content: &[u8]) -> String {
        use std::io::Write as _;
        let mut command = self.command(repository, Maker::not_signing("nobody"));
        command.args(["hash-object", "-w", "--stdin", "--literally", "-t", kind]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(content).unwrap();
        said(&child.wait_with_output().unwrap(), &["hash-object"])
    }

    /// Writes a file of a work tree.
    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Commits everything in a work tree; the id.
    pub(crate) fn commit(&self, repository: &str, maker: Maker<'_>, message: &str) -> String {
        self.git_as(repository, maker, &["add", "--all"]);
        self.git_as(repository, maker, &["commit", "--quiet", "--allow-empty", "--message", message]);
        self.id(repository, "HEAD")
    }

    /// The id that a name stands for.
    pub(crate) fn id(&self, repository: &str, name: &str) -> String {
        self.git(repository, &["rev-parse", name])
    }

    /// What the library may know of the world.
    pub(crate) fn environment(&self, repository: &str) -> Environment {
        Environment {
            tool: "git-toolbelt 0.1.0".to_owned(),
            now: NOW.parse().unwrap(),
            directory: self.path(repository),
            cache: None,
            cargo_home: None,
            variables: self.variables(),
            host: "x86_64-unknown-linux-gnu".to_owned(),
        }
    }

    /// The variables of every program: a search path, and a home without anything in it.
    pub(crate) fn variables(&self) -> BTreeMap<String, String> {
        let nowhere = if cfg!(windows) { "NUL" } else { "/dev/null" };
        let variables = [
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("HOME", self.path("").display().to_string()),
            ("GNUPGHOME", self.path("gnupg").display().to_string()),
            ("GIT_CONFIG_GLOBAL", nowhere.to_owned()),
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
        ];
        variables.map(|(name, value)| (name.to_owned(), value)).into()
    }
}

/// A name stands for an address at example.com.
fn address_of(name: &str) -> String {
    if name.contains('@') { name.to_owned() } else { format!("{name}@example.com") }
}

fn said(output: &Output, arguments: &[&str]) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}
