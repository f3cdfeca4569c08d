//! A machine for cases of releases: a repository with its remote, a registry on the loopback, people with keys.
//!
//! Every case begins with the package of `tests/rules/default/release/`, in order in every way: committed, tagged with a
//! signature, pushed, and new to the registry. What the case says is done to it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{LineEnding, PrivateKey};
use tempfile::TempDir;
use toolbelt_core::evidence::predicate::Predicate as _;
use toolbelt_core::evidence::predicate::approval::Approval;
use toolbelt_core::evidence::predicate::test_result::TestResult;
use toolbelt_core::ops::Environment;
use toolbelt_core::ops::evidence::sign;
use toolbelt_core::ops::evidence::trust::Sources;
use toolbelt_core::ops::publish::{self, Answer, Build, Packages};

use crate::publish_registry::{PublishRegistry, Settings as Manners, package};
use crate::staged::Entries;

/// The package of every case.
const NAME: &str = "one";
const VERSION: &str = "1.2.3";
const TAG: &str = "v1.2.3";
/// A day on which everything is committed.
const DATE: &str = "1767225600 +0000";
/// Those who have keys, with the first byte of each.
const PEOPLE: [(&str, u8); 4] = [("ann", 1), ("bob", 2), ("carl", 3), ("ci", 4)];
/// The end of a tag that is signed. Whose signature it is, is for others to ask.
const SIGNATURE: &str = "-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----\n";

/// What a case says: `case.toml`.
#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Settings {
    /// Added to what is committed, besides `commit/`.
    commit: Entries,
    /// Laid over the work tree afterwards, besides `dirty/`.
    dirty: Entries,
    /// Files of which git is told to overlook changes.
    overlooked: Vec<String>,
    /// Files that the work tree makes executable, where git does not look.
    executable: Vec<String>,
    /// Whether there is a repository.
    repository: Repository,
    tag: Tag,
    remote: Remote,
    /// What the registry has of the package.
    published: Vec<Published>,
    /// Libraries that the registry has.
    libraries: Vec<Library>,
    /// Files of `CARGO_HOME`.
    home: BTreeMap<String, String>,
    /// Variables of the run.
    variables: BTreeMap<String, String>,
    /// `--approvals`.
    approvals: Option<u32>,
    /// Who signed what.
    evidence: Vec<Evidence>,
    /// `--offline`.
    offline: bool,
    /// What cargo-semver-checks says; that the package has no library where the case says nothing.
    semver: Option<String>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Repository {
    #[default]
    Git,
    None,
}

/// The version's tag. Without one on the commit, the run is a rehearsal.
#[derive(Default, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Tag {
    #[default]
    Signed,
    Unsigned,
    Missing,
    /// Here and on the remote on the commit before.
    Before,
    /// On the remote on the commit before.
    BeforeOnRemote,
    /// Not on the remote.
    Unpushed,
}

#[derive(Default, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Remote {
    /// It has the commit.
    #[default]
    Has,
    /// It has the one before.
    Lacks,
    None,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    version: String,
    /// Whether it is what the commit is packaged to.
    #[serde(default)]
    same: bool,
    #[serde(default)]
    yanked: bool,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Library {
    name: String,
    version: String,
    #[serde(default)]
    yanked: bool,
}

/// An approval, or the result of checks.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Evidence {
    by: String,
    /// What is approved: `crate`, or `other` for one of other content.
    approves: Option<String>,
    /// What the result is about: `commit`, `before` or `tree`.
    about: Option<String>,
    #[serde(default)]
    passed: Vec<String>,
    #[serde(default)]
    failed: Vec<String>,
}

/// A machine with what a case says.
pub(crate) struct World {
    settings: Settings,
    folder: TempDir,
    registry: PublishRegistry,
}

impl World {
    /// Makes it, of the case's folder and of the one that every case begins with.
    pub(crate) fn of(case: &Path, begin: &Path) -> Self {
        let settings = fs::read_to_string(case.join("case.toml")).map(|text| toml::from_str(&text).unwrap());
        let world = Self {
            settings: settings.unwrap_or_default(),
            folder: tempfile::tempdir().unwrap(),
            registry: PublishRegistry::start(Manners::default()),
        };
        world.configure_cargo();
        world.fill_registry();
        world.commit(case, begin);
        world.tag();
        world.withdraw();
        lay(&case.join("dirty"), &world.settings.dirty, &world.path("work"));
        world.hide_changes();
        world.write_keys();
        world.write_programs();
        world
    }

    /// What the operation says: first of the `.crate`, then, where the case needs its digest beforehand, of everything.
    pub(crate) fn run(&self, advisories: PathBuf) -> Result<Answer, publish::Error> {
        let request = self.request(advisories);
        let answer = publish::run(&request, &|_| {})?;
        let is_known_before = self.settings.published.iter().all(|published| !published.same);
        if is_known_before && self.settings.evidence.is_empty() {
            return Ok(answer);
        }
        let release = &answer.releases[0];
        for published in self.settings.published.iter().filter(|published| published.same) {
            self.publish(NAME, &published.version, &fs::read(&release.archive).unwrap());
        }
        self.settings.evidence.iter().for_each(|evidence| self.sign(evidence, &release.digest.to_string()));
        publish::run(&request, &|_| {})
    }

    /// Takes out of a text what is not the same twice: places, and the digest that cargo's version decides.
    pub(crate) fn plain(&self, text: &str, digests: &[String]) -> String {
        let registry = format!("?repository_url=sparse%2Bhttp:%2F%2F{}%2Findex%2F", self.registry.address());
        let text = text.replace(&registry, "").replace(self.registry.address(), "REGISTRY");
        let mut text = text.replace(&*self.folder.path().to_string_lossy(), "FOLDER");
        for digest in digests {
            text = text.replace(digest, "DIGEST").replace(&digest[..12], "DIGEST");
        }
        // Those of other archives have their digits between these.
        let mut parts = text.split("sha256 ");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| {
            let rest = part.split_once('…').map_or(part, |(_, rest)| rest);
            format!("{text}sha256 DIGEST…{rest}")
        })
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn configure_cargo(&self) {
        let config = format!("{}{}", self.registry.named("loopback"), self.registry.in_place_of_crates_io());
        fs::create_dir_all(self.path("home")).unwrap();
        fs::write(self.path("home/config.toml"), config).unwrap();
        for (name, text) in &self.settings.home {
            fs::write(self.path("home").join(name), text).unwrap();
        }
    }

    /// Commits the package as every case begins with it, then what the case says, and pushes as far as it says.
    fn commit(&self, case: &Path, begin: &Path) {
        let work = self.path("work");
        lay(begin, &Entries::default(), &work);
        if self.settings.repository == Repository::None {
            lay(&case.join("commit"), &self.settings.commit, &work);
            return self.lock();
        }
        self.git(&["init", "-q", "-b", "main"], "");
        self.git(&["add", "--all"], "");
        self.git(&["commit", "-q", "-m", "Begin"], "");
        lay(&case.join("commit"), &self.settings.commit, &work);
        self.lock();
        self.git(&["add", "--all"], "");
        self.git(&["commit", "-q", "--allow-empty", "-m", "Change"], "");
        // Attributes count for what is checked out, not for what was written.
        self.git(&["rm", "-r", "-q", "--cached", "."], "");
        self.git(&["reset", "-q", "--hard"], "");
        if self.settings.remote == Remote::None {
            return;
        }
        self.git(&["init", "-q", "--bare", "-b", "main", "../remote"], "");
        self.git(&["remote", "add", "origin", "../remote"], "");
        let pushed = if self.settings.remote == Remote::Has { "HEAD" } else { "HEAD~1" };
        self.git(&["push", "-q", "origin", &format!("{pushed}:refs/heads/main")], "");
    }

    /// Has cargo resolve the dependencies, as the registry has them.
    fn lock(&self) {
        let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
        let output = Command::new(cargo)
            .arg("generate-lockfile")
            .current_dir(self.path("work"))
            .env_clear()
            .envs(self.variables())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn tag(&self) {
        let (here, there, is_signed) = match self.settings.tag {
            Tag::Signed => (Some("HEAD"), Some("HEAD"), true),
            Tag::Unsigned => (Some("HEAD"), Some("HEAD"), false),
            Tag::Missing => (None, None, false),
            Tag::Before => (Some("HEAD~1"), Some("HEAD~1"), true),
            Tag::BeforeOnRemote => (Some("HEAD"), Some("HEAD~1"), true),
            Tag::Unpushed => (Some("HEAD"), None, true),
        };
        if self.settings.repository == Repository::None {
            return;
        }
        for (commit, is_remote) in [(there, true), (here, false)] {
            let Some(commit) = commit else { continue };
            let object = self.git(&["rev-parse", commit], "");
            let end = if is_signed { SIGNATURE } else { "" };
            let tag = format!(
                "object {}\ntype commit\ntag {TAG}\ntagger A <ann@example.org> {DATE}\n\n{VERSION}\n{end}",
                object.trim()
            );
            let tag = self.git(&["hash-object", "-t", "tag", "-w", "--stdin"], &tag);
            let name = format!("refs/tags/{TAG}");
            if !is_remote {
                self.git(&["update-ref", &name, tag.trim()], "");
            } else if self.settings.remote == Remote::Has {
                self.git(&["push", "-q", "origin", &format!("{}:{name}", tag.trim())], "");
            }
        }
    }

    fn fill_registry(&self) {
        for Library { name, version, .. } in &self.settings.libraries {
            let manifest = format!("[package]\nname = '{name}'\nversion = '{version}'\nedition = '2021'\n");
            let archive = package(name, version, &[("Cargo.toml", &manifest), ("src/lib.rs", "//! Nothing.\n")]);
            self.publish(name, version, &archive);
        }
        for published in self.settings.published.iter().filter(|published| !published.same) {
            let archive = package(NAME, &published.version, &[("src/lib.rs", "//! Something else.\n")]);
            self.publish(NAME, &published.version, &archive);
        }
    }

    /// Yanks what is to be yanked, once it is locked.
    fn withdraw(&self) {
        let libraries = self.settings.libraries.iter().filter(|library| library.yanked);
        libraries.for_each(|library| self.yank(&library.name, &library.version));
        let versions = self.settings.published.iter().filter(|published| published.yanked && !published.same);
        versions.for_each(|published| self.yank(NAME, &published.version));
    }

    fn publish(&self, name: &str, version: &str, archive: &[u8]) {
        self.registry.add(&json!({ "name": name, "vers": version, "deps": [], "features": {} }), archive);
    }

    /// Asks the registry for it, as cargo would.
    fn yank(&self, name: &str, version: &str) {
        let address = self.registry.address();
        let mut stream = TcpStream::connect(address).unwrap();
        let path = format!("/api/v1/crates/{name}/{version}/yank");
        let head = format!("Host: {address}\r\nAuthorization: secret\r\nContent-Length: 0");
        write!(stream, "DELETE {path} HTTP/1.1\r\n{head}\r\n\r\n").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("\"ok\":true"), "{answer}");
    }

    /// Tells git to overlook what the work tree has.
    fn hide_changes(&self) {
        for path in &self.settings.overlooked {
            self.git(&["update-index", "--assume-unchanged", path], "");
        }
        if !self.settings.executable.is_empty() {
            self.git(&["config", "core.fileMode", "false"], "");
        }
        #[cfg(unix)]
        self.settings.executable.iter().for_each(|path| make_executable(&self.path("work").join(path)));
    }

    /// A stand-in for the program that would compile two versions.
    fn write_programs(&self) {
        let said = self.settings.semver.as_deref().unwrap_or("error: nothing to semver-check\n");
        fs::write(self.path("semver.txt"), said).unwrap();
        fs::create_dir_all(self.path("bin")).unwrap();
        let script = format!("#!/bin/sh\ncat '{}'\n", self.path("semver.txt").display());
        fs::write(self.path("bin/cargo-semver-checks"), script).unwrap();
        #[cfg(unix)]
        make_executable(&self.path("bin/cargo-semver-checks"));
    }

    /// Keys of everybody, and a list that allows them.
    fn write_keys(&self) {
        fs::create_dir_all(self.path("keys")).unwrap();
        let mut allowed = String::new();
        for (name, seed) in PEOPLE {
            let pair = Ed25519Keypair::from_seed(&[seed; 32]);
            let key = PrivateKey::new(KeypairData::Ed25519(pair), name).unwrap();
            let path = self.path("keys").join(name);
            fs::write(&path, key.to_openssh(LineEnding::LF).unwrap().as_bytes()).unwrap();
            let public = key.public_key().to_openssh().unwrap();
            fs::write(path.with_extension("pub"), &public).unwrap();
            writeln!(allowed, "{name}@example.org namespaces=\"toolbelt\" {public}").unwrap();
        }
        fs::write(self.path("allowed_signers"), allowed).unwrap();
    }

    fn sign(&self, evidence: &Evidence, digest: &str) {
        let Evidence { by, approves, about, passed, failed } = evidence;
        let (subject, kind, predicate) = match (approves.as_deref(), about.as_deref()) {
            (Some(what), None) => {
                let digest = if what == "crate" { digest.to_owned() } else { "0".repeat(64) };
                let what = format!("pkg:cargo/{NAME}@{VERSION}");
                let approval = serde_json::to_value(Approval::new(what, None, super::NOW.parse().unwrap())).unwrap();
                (format!("sha256:{digest}"), Approval::TYPE, approval)
            }
            (None, Some(what)) => {
                let revision = match what {
                    "commit" => "HEAD",
                    "before" => "HEAD~1",
                    "tree" => "HEAD^{tree}",
                    other => panic!("evidence about {other}"),
                };
                let result = if failed.is_empty() { "PASSED" } else { "FAILED" };
                let result = json!({
                    "result": result, "configuration": [], "passedTests": passed, "warnedTests": [], "failedTests": failed
                });
                let id = self.git(&["rev-parse", revision], "");
                let algorithm = if what == "tree" { "gitTree" } else { "gitCommit" };
                (format!("{algorithm}:{}", id.trim()), TestResult::TYPE, result)
            }
            both => panic!("evidence is an approval or about something: {both:?}"),
        };
        let path = self.path("predicate.json");
        fs::write(&path, predicate.to_string()).unwrap();
        let beside = self.path("work/target/package").join(format!("{NAME}-{VERSION}.intoto.jsonl"));
        sign::run(&sign::Request {
            environment: self.environment(),
            subjects: vec![subject],
            predicate_type: kind.to_owned(),
            predicate: path,
            key: Some(self.path("keys").join(by)),
            destination: sign::Destination::File(beside),
        })
        .unwrap();
    }

    fn environment(&self) -> Environment {
        Environment {
            tool: "cargo-toolbelt 0.1.0".to_owned(),
            now: super::NOW.parse().unwrap(),
            directory: self.path("work"),
            cache: Some(self.path("cache")),
            cargo_home: Some(self.path("home")),
            variables: self.variables(),
            host: "x86_64-unknown-linux-gnu".to_owned(),
        }
    }

    /// Enough to find programs and the loopback, and nothing of who runs the test.
    fn variables(&self) -> BTreeMap<String, String> {
        let kept = ["RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "HOME", "USERPROFILE", "SYSTEMROOT", "TEMP", "CARGO"];
        let kept = kept.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)));
        let home = self.path("home").to_string_lossy().into_owned();
        let null = if cfg!(windows) { "NUL" } else { "/dev/null" }.to_owned();
        let own = [
            ("CARGO_HOME", home),
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
            ("GIT_CONFIG_GLOBAL", null),
            // Nothing answers there: what is not on the loopback is not asked.
            ("HTTPS_PROXY", "http://127.0.0.1:9".to_owned()),
            ("NO_PROXY", "127.0.0.1".to_owned()),
        ];
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([self.path("bin")].into_iter().chain(std::env::split_paths(&path))).unwrap();
        let own = own.chain([("PATH".to_owned(), path.to_string_lossy().into_owned())]);
        let said = self.settings.variables.iter().map(|(name, value)| (name.clone(), value.clone()));
        kept.chain(own).chain(said).collect()
    }

    fn request(&self, advisories: PathBuf) -> publish::Request {
        publish::Request {
            index_wait: std::time::Duration::ZERO,
            environment: self.environment(),
            manifest_path: None,
            packages: Packages::Meant,
            registry: Some("loopback".to_owned()),
            dry_run: true,
            offline: self.settings.offline,
            approvals: self.settings.approvals,
            crate_file: None,
            build: Build::Skipped,
            unsigned: true,
            key: None,
            trust: Sources { named: Some(self.path("allowed_signers")), base: None },
            advisory_db: vec![advisories],
            policy: None,
            gate: None,
        }
    }

    /// Runs git as if nobody had configured it, on a fixed day.
    fn git(&self, arguments: &[&str], input: &str) -> String {
        let mut child = Command::new("git")
            .args(["-c", "core.autocrlf=false"])
            .args(arguments)
            .current_dir(self.path("work"))
            .env_clear()
            .envs(self.variables())
            .envs([("GIT_AUTHOR_NAME", "Ann"), ("GIT_AUTHOR_EMAIL", "ann@example.org"), ("GIT_AUTHOR_DATE", DATE)])
            .envs([("GIT_COMMITTER_NAME", "Ann"), ("GIT_COMMITTER_EMAIL", "ann@example.org")])
            .env("GIT_COMMITTER_DATE", DATE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // An error shows in the status; a pipe that closes early is part of it.
        let mut stdin = child.stdin.take().unwrap();
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?} in {}", self.path("work").display());
        String::from_utf8(output.stdout).unwrap()
    }
}

#[cfg(unix)]
fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Lays a folder, if there is one, and what a case's description adds, over another folder.
fn lay(from: &Path, entries: &Entries, to: &Path) {
    super::copy(from, to, &[]);
    let write = |path: &String, content: &[u8]| {
        let path = to.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    entries.files.iter().for_each(|(path, content)| write(path, content.as_bytes()));
    entries.bytes.iter().for_each(|(path, digits)| write(path, &crate::staged::from_hex(digits)));
    entries.zeros.iter().for_each(|(path, size)| write(path, &vec![0; *size]));
    entries.removed.iter().for_each(|path| fs::remove_file(to.join(path)).unwrap());
    assert!(entries.links.is_empty() && entries.submodules.is_empty(), "not for releases");
}
