//! A team that releases a workspace of three packages: each has a key and clones of their own, the remote is a folder,
//! and the registry is on the loopback. Everything goes through the program itself, git, cargo and ssh-keygen.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::publish_registry::{PublishRegistry, Settings};

/// What may publish. Nothing that is written may ever have it.
pub(crate) const TOKEN: &str = "may-publish-5f0e1c77";
/// The variable with it.
pub(crate) const TOKEN_VARIABLE: &str = "CARGO_REGISTRIES_LOOPBACK_TOKEN";
/// What each package is released as.
pub(crate) const VERSION: &str = "0.2.0";
/// The packages; each but the first depends on the one before.
pub(crate) const PACKAGES: [&str; 3] = ["one", "two", "three"];
/// Those who are trusted from the first release on. `MANAGER` tags and publishes, `AUTHOR` commits.
const TRUSTED: [&str; 4] = [MANAGER, AUTHOR, "bob", "carl"];
pub(crate) const MANAGER: &str = "manager";
pub(crate) const AUTHOR: &str = "author";
/// Nobody trusts this key.
pub(crate) const STRANGER: &str = "stranger";

pub(crate) struct Team {
    pub(crate) registry: PublishRegistry,
    folder: tempfile::TempDir,
}

/// Somebody, with a clone.
pub(crate) struct Member {
    /// The top of the work tree.
    pub(crate) root: PathBuf,
    /// What their programs get.
    pub(crate) variables: BTreeMap<String, String>,
}

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Team {
    /// Version 0.1.0 is tagged, and 0.2.0 is committed, tagged and pushed.
    pub(crate) fn new() -> Self {
        Self::releasing(|_| {})
    }

    /// The same, with what the author changes in the commit of version 0.2.0.
    pub(crate) fn releasing(change: impl FnOnce(&Member)) -> Self {
        Self::with_keys(|_, author| change(author))
    }

    /// The same, for a change that needs to know keys.
    pub(crate) fn with_keys(change: impl FnOnce(&Self, &Member)) -> Self {
        Self::with(Settings { token: TOKEN.to_owned(), ..Settings::default() }, change)
    }

    /// The same, with a registry of these manners.
    pub(crate) fn new_at(settings: Settings) -> Self {
        Self::with(settings, |_, _| {})
    }

    fn with(settings: Settings, change: impl FnOnce(&Self, &Member)) -> Self {
        let team = Self::with_first_release(settings);
        let author = team.member(AUTHOR);
        author.write_packages(VERSION);
        change(&team, &author);
        author.commit("0.2.0");
        author.git(&["push", "--quiet", "origin", "main"]);
        team.tag(VERSION);
        team
    }

    /// Only version 0.1.0 is there.
    fn with_first_release(settings: Settings) -> Self {
        let team = Self { registry: PublishRegistry::start(settings), folder: tempfile::tempdir().unwrap() };
        team.configure("");
        for name in TRUSTED.into_iter().chain([STRANGER]) {
            team.make_key(name);
        }
        let root = team.path("clones/first");
        fs::create_dir_all(&root).unwrap();
        let author = Member { root, variables: team.variables(AUTHOR) };
        author.git(&["init", "--quiet", "--initial-branch=main"]);
        author.write(".gitignore", "/target\n");
        author.write(".toolbelt/allowed_signers", &TRUSTED.map(|name| team.signer(name)).concat());
        author.write_packages("0.1.0");
        author.commit("0.1.0");
        author.git(&["clone", "--quiet", "--bare", ".", team.path("origin.git").to_str().unwrap()]);
        team.tag("0.1.0");
        team
    }

    /// Writes cargo's configuration, with these lines for the registry.
    pub(crate) fn configure(&self, more: &str) {
        let (named, mirror) = (self.registry.named("loopback"), self.registry.in_place_of_crates_io());
        self.write("home/config.toml", &format!("{mirror}{named}{more}"));
    }

    /// A path below the team's folder.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        // What cargo tells are real paths.
        fs::canonicalize(self.folder.path()).unwrap().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// A file that can be run.
    #[cfg(unix)]
    pub(crate) fn program(&self, path: &str, script: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.write(path, &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// A clone of what the remote has now, for somebody who signs with a key of their name.
    pub(crate) fn member(&self, name: &str) -> Member {
        let folder = self.path("clones");
        let number = fs::read_dir(&folder).unwrap().count();
        let root = folder.join(format!("{name}-{number}"));
        let variables = self.variables(name);
        let (from, to) = (self.path("origin.git"), root.to_str().unwrap());
        git(&folder, &variables, &["clone", "--quiet", from.to_str().unwrap(), to]);
        Member { root, variables }
    }

    /// A clone of the one who publishes, with the token and what others have noted.
    pub(crate) fn manager(&self) -> Member {
        let mut manager = self.member(MANAGER);
        manager.variables.insert(TOKEN_VARIABLE.to_owned(), TOKEN.to_owned());
        manager.git(&["fetch", "--quiet", "origin", "refs/notes/*:refs/notes/*"]);
        manager
    }

    /// Makes a key, and returns its private half.
    pub(crate) fn make_key(&self, name: &str) -> PathBuf {
        let path = self.path(&format!("keys/{name}"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let key = path.to_str().unwrap();
        let output = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key])
            .output()
            .expect("these tests need ssh-keygen, of the package openssh-client");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        path
    }

    /// The line of allowed signers for a key of this name.
    pub(crate) fn signer(&self, name: &str) -> String {
        self.signer_as(name, name)
    }

    /// The same, for the key of this name as another person's.
    pub(crate) fn signer_as(&self, key: &str, name: &str) -> String {
        let public = fs::read_to_string(self.path(&format!("keys/{key}.pub"))).unwrap();
        format!("{name}@example.com {public}")
    }

    /// Tags what the remote has as a release of every package, with signatures, and pushes the tags.
    pub(crate) fn tag(&self, version: &str) {
        let manager = self.member(MANAGER);
        for name in PACKAGES {
            manager.tag(&format!("{name}-v{version}"), "HEAD");
        }
        manager.git(&["push", "--quiet", "--tags", "origin"]);
    }

    fn variables(&self, name: &str) -> BTreeMap<String, String> {
        let kept = ["PATH", "HOME", "CARGO", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "USERPROFILE", "SYSTEMROOT", "TEMP"];
        let mut variables: BTreeMap<String, String> =
            kept.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect();
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let key = self.path(&format!("keys/{name}"));
        let config = format!(
            "[user]\nname = {name}\nemail = {name}@example.com\nsigningkey = {}\n[gpg]\nformat = ssh\n",
            key.display()
        );
        for (name, value) in [
            ("CARGO_HOME", text(self.path("home"))),
            ("TOOLBELT_CACHE", text(self.path(&format!("cache/{name}")))),
            ("GIT_CONFIG_GLOBAL", text(self.write(&format!("config/{name}"), &config))),
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
            ("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z".to_owned()),
            ("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z".to_owned()),
        ] {
            variables.insert(name.to_owned(), value);
        }
        variables
    }
}

impl Member {
    /// Runs git, which has to succeed.
    #[track_caller]
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(&self.root, &self.variables, arguments)
    }

    /// Writes a file of the work tree.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Adds to a file of the work tree.
    pub(crate) fn append(&self, path: &str, text: &str) {
        let before = fs::read_to_string(self.root.join(path)).unwrap();
        self.write(path, &(before + text));
    }

    /// Commits everything in the work tree that git does not ignore.
    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
    }

    /// Makes or moves a tag, and signs it.
    pub(crate) fn tag(&self, name: &str, target: &str) {
        self.git(&["tag", "--sign", "--force", "--message", name, name, target]);
    }

    /// The three packages, in this version.
    pub(crate) fn write_packages(&self, version: &str) {
        let names = PACKAGES.map(|name| format!("\"{name}\"")).join(", ");
        self.write("Cargo.toml", &format!("[workspace]\nresolver = \"3\"\nmembers = [{names}]\n"));
        for (at, name) in PACKAGES.into_iter().enumerate() {
            let before = at.checked_sub(1).map(|at| PACKAGES[at]);
            let dependency = before.map(|before| {
                format!("{before} = {{ path = \"../{before}\", version = \"{version}\", registry = \"loopback\" }}\n")
            });
            self.write(&format!("{name}/Cargo.toml"), &manifest(name, version, &dependency.unwrap_or_default()));
            self.write(&format!("{name}/README.md"), &format!("# {name}\n\nCounts.\n"));
            let code = before.map_or("1".to_owned(), |before| format!("{before}::count() + 1"));
            let code = format!("//! Counts.\n\n/// Counts.\npub fn count() -> u32 {{\n    {code}\n}}\n");
            self.write(&format!("{name}/src/lib.rs"), &code);
        }
        let cargo = self.variables.get("CARGO").map_or("cargo", String::as_str);
        let output = command(cargo, &self.root, &self.variables).args(["generate-lockfile", "--offline"]).output();
        assert_done("cargo generate-lockfile", &output.unwrap());
    }

    /// Runs `cargo toolbelt publish` as at a release; without `--package`, for all of them.
    #[track_caller]
    pub(crate) fn publish(&self, more: &[&str]) -> Run {
        self.toolbelt(&publish_arguments(more))
    }

    /// What [`Self::publish`] does for one package, without building it: enough to see what is refused.
    #[track_caller]
    pub(crate) fn publish_one(&self, more: &[&str]) -> Run {
        self.publish(&[&["--no-verify", "--package", "one"], more].concat())
    }

    /// Starts [`Self::publish`], and does not wait for it.
    pub(crate) fn start_publishing(&self, more: &[&str]) -> Child {
        let mut command = command(BINARY, &self.root, &self.variables);
        command.arg("toolbelt").args(publish_arguments(more));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs `cargo toolbelt`. Nothing that it says may hold the token.
    #[track_caller]
    pub(crate) fn toolbelt<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Run {
        let output = command(BINARY, &self.root, &self.variables).arg("toolbelt").args(arguments).output().unwrap();
        Run::from(output)
    }

    /// Approves what this commit is packaged to, and pushes that.
    pub(crate) fn approve(&self, digest: &str) {
        self.git(&["fetch", "--quiet", "origin", "+refs/notes/*:refs/notes/*"]);
        self.toolbelt(&["publish", "approve", digest, "--package", "one"]).exits(0);
        self.git(&["push", "--quiet", "origin", "refs/notes/toolbelt"]);
    }

    /// Where cargo puts the `.crate` of a package.
    pub(crate) fn archive(&self, name: &str) -> PathBuf {
        self.root.join(format!("target/package/{name}-{VERSION}.crate"))
    }
}

impl Run {
    /// Sees that it ends like this.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.output, self.errors);
        self
    }

    /// The report.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.output).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.output, self.errors))
    }

    /// The rules that deny, sorted, each once.
    #[track_caller]
    pub(crate) fn denied(&self) -> Vec<String> {
        let findings = self.json()["findings"].as_array().unwrap().clone();
        let denied = findings.into_iter().filter(|finding| finding["level"] == "deny");
        let rules = denied.map(|finding| finding["rule"].as_str().unwrap().to_owned());
        rules.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    /// What a rule says.
    #[track_caller]
    pub(crate) fn messages(&self, rule: &str) -> Vec<String> {
        let findings = self.json()["findings"].as_array().unwrap().clone();
        let of_rule = findings.into_iter().filter(|finding| finding["rule"] == rule);
        of_rule.map(|finding| finding["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Names and states of the releases, in their order.
    #[track_caller]
    pub(crate) fn states(&self) -> Vec<(String, String)> {
        let text = |release: &Value, key: &str| release[key].as_str().unwrap().to_owned();
        let releases = self.json()["releases"].as_array().unwrap().clone();
        releases.iter().map(|release| (text(release, "name"), text(release, "state"))).collect()
    }

    /// The digest of the `.crate` of the first release.
    #[track_caller]
    pub(crate) fn digest(&self) -> String {
        self.json()["releases"][0]["sha256"].as_str().unwrap().to_owned()
    }
}

impl From<Output> for Run {
    #[track_caller]
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap_or(-1);
        let run = Self { code, output: text(output.stdout), errors: text(output.stderr) };
        assert!(!run.output.contains(TOKEN) && !run.errors.contains(TOKEN), "the token is told: {run:?}");
        run
    }
}

const BINARY: &str = env!("CARGO_BIN_EXE_cargo-toolbelt");

/// The report is for programs unless something else is asked for. No package here is affected by the advisories.
fn publish_arguments(more: &[&str]) -> Vec<String> {
    let advisories = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/publish/advisories");
    let mut arguments = vec!["publish", "--advisory-db", advisories.to_str().unwrap()];
    if !more.contains(&"--format") {
        arguments.extend(["--format", "json"]);
    }
    arguments.extend(more);
    arguments.into_iter().map(str::to_owned).collect()
}

fn manifest(name: &str, version: &str, dependencies: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\nrust-version = \"1.85\"\n\
         description = \"Counts\"\nlicense = \"MIT\"\nrepository = \"https://example.com/counts\"\n\
         readme = \"README.md\"\npublish = [\"loopback\"]\n\n[dependencies]\n{dependencies}"
    )
}

#[track_caller]
fn git(directory: &Path, variables: &BTreeMap<String, String>, arguments: &[&str]) -> String {
    let output = command("git", directory, variables).args(arguments).output().unwrap();
    assert_done(&format!("git {arguments:?}"), &output);
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[track_caller]
fn assert_done(what: &str, output: &Output) {
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
}

fn command(program: &str, directory: &Path, variables: &BTreeMap<String, String>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory).env_clear().envs(variables).stdin(Stdio::null());
    command
}
