//! Holds our reading of the RustSec database against RustSec's own: the `rustsec` crate, and `cargo audit` where it is
//! installed.
//!
//! Runs on the data in `TOOLBELT_SHARED` (or `../shared` beside the repository) and says so when there is none.

#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]
#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustsec::advisory::Informational;
use semver::{Comparator, Prerelease, Version};
use toolbelt_core::finding::Fact;
use toolbelt_core::rules::options::Options;
use toolbelt_core::rules::package::{self, Context, Knowledge};
use toolbelt_core::rules::{Check, Need};
use toolbelt_core::source::advisories::{self, snapshot::Snapshot};
use toolbelt_core::source::lockfile;
use toolbelt_core::subject::advisory::{Advisories, Rating};
use toolbelt_core::subject::dependencies::Dependencies;
use toolbelt_core::subject::names::Names;

const LOCKS: [&str; 3] = ["ripgrep", "cargo", "deno"];

/// Rule, advisory, package, version.
type Judgement = (&'static str, String, String, String);

/// The folder with the database, and the one with the lock files.
fn data() -> Option<(PathBuf, PathBuf)> {
    let shared = std::env::var_os("TOOLBELT_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let data = shared.join("data");
    let both = (data.join("advisory-db"), data.join("locks"));
    if both.0.is_dir() && both.1.is_dir() {
        return Some(both);
    }
    eprintln!("skipped: no advisory database in `{}`", data.display());
    None
}

fn ours(advisories: &Advisories, lock: &Path) -> BTreeSet<Judgement> {
    let text = std::fs::read_to_string(lock).unwrap();
    let locked = lockfile::parse("Cargo.lock", &text).unwrap();
    let dependencies = Dependencies::new(vec![locked], Vec::new());
    let knowledge = Knowledge {
        advisories: Fact::Known(advisories.clone()),
        names: Fact::Known(Names::default()),
        cached_names: BTreeSet::new(),
    };
    let options = Options::default();
    let context = Context {
        now: jiff::Timestamp::UNIX_EPOCH,
        options: &options,
        dependencies: &dependencies,
        knowledge: &knowledge,
    };
    let mut judgements = BTreeSet::new();
    for rule in package::RULES.iter().filter(|rule| rule.needs == [Need::Advisories]) {
        let Check::Package(check) = rule.check else { panic!("`{}` judges packages", rule.id) };
        for package in &dependencies.packages {
            let outcome = check(package, &context);
            assert_eq!(outcome.not_checked, []);
            for finding in outcome.findings {
                let id = finding.facts["advisory"].as_str().unwrap().to_owned();
                let is_new = judgements.insert((rule.id, id, package.name.clone(), package.version.to_string()));
                assert!(is_new, "told twice: {finding:?}");
            }
        }
    }
    judgements
}

fn theirs(database: &rustsec::Database, lock: &Path) -> BTreeSet<Judgement> {
    let lockfile = rustsec::Lockfile::load(lock).unwrap();
    let mut judgements = BTreeSet::new();
    for informational in [false, true] {
        let query = rustsec::database::Query::crate_scope().informational(informational);
        for found in database.query_vulnerabilities(&lockfile, &query) {
            let malicious = found.advisory.categories.contains(&rustsec::advisory::Category::Malicious);
            let rule = match found.advisory.informational {
                None if malicious => "known-malicious",
                None => "known-vulnerability",
                Some(Informational::Unsound) => "unsound-package",
                Some(Informational::Unmaintained) => "unmaintained-package",
                Some(_) => "advisory-notice",
            };
            let package = found.package;
            judgements.insert((
                rule,
                found.advisory.id.to_string(),
                package.name.to_string(),
                package.version.to_string(),
            ));
        }
    }
    judgements
}

#[test]
fn rustsec_finds_the_same_in_real_lock_files() {
    let Some((folder, locks)) = data() else { return };
    let database = advisories::read(std::slice::from_ref(&folder)).unwrap();
    let snapshot = Snapshot { database: database.clone(), confirmed: jiff::Timestamp::UNIX_EPOCH, sources: Vec::new() };
    let restored = Snapshot::decode(&snapshot.encode()).unwrap();
    assert_eq!(restored, snapshot);
    let oracle = rustsec::Database::open(&folder).unwrap();
    assert_eq!(database.advisories.unreadable(), []);
    for name in LOCKS {
        let lock = locks.join(format!("{name}.lock"));
        let found = ours(&database.advisories, &lock);
        assert_eq!(found, theirs(&oracle, &lock), "{name}");
        let count = |rule: &str| found.iter().filter(|(id, ..)| *id == rule).count();
        let counts = package::RULES.iter().filter(|rule| rule.needs == [Need::Advisories]);
        let counts: Vec<String> = counts.map(|rule| format!("{} {}", count(rule.id), rule.id)).collect();
        eprintln!("{name}: {}", counts.join(", "));
    }
}

#[test]
fn rustsec_agrees_on_every_version_near_a_bound() {
    let Some((folder, _)) = data() else { return };
    let database = advisories::read(std::slice::from_ref(&folder)).unwrap();
    let oracle = rustsec::Database::open(&folder).unwrap();
    let (mut advisories, mut versions) = (0, 0);
    for theirs in oracle.iter().filter(|advisory| advisory.metadata.withdrawn.is_none()) {
        let Some(ours) = database
            .advisories
            .about(theirs.metadata.package.as_str())
            .iter()
            .find(|advisory| advisory.id == theirs.id().as_str())
        else {
            assert_eq!(theirs.metadata.collection, Some(rustsec::Collection::Rust), "{} is missing", theirs.id());
            continue;
        };
        advisories += 1;
        assert_eq!(ours.title, theirs.title().split_whitespace().collect::<Vec<_>>().join(" "));
        assert_eq!(ours.date.unwrap().to_string(), theirs.date().as_str());
        assert_eq!(
            ours.rating().map(Rating::as_str),
            theirs.severity().map(rustsec::advisory::Severity::as_str),
            "{}",
            ours.id
        );
        let requirements = theirs.versions.patched().iter().chain(theirs.versions.unaffected());
        for version in requirements.flat_map(|requirement| &requirement.comparators).flat_map(near) {
            versions += 1;
            assert_eq!(ours.affects(&version), theirs.versions.is_vulnerable(&version), "{} {version}", ours.id);
        }
    }
    eprintln!("{advisories} advisories, {versions} versions");
    assert_eq!(advisories, database.advisories.len());
}

/// A version and what is around it.
fn near(comparator: &Comparator) -> Vec<Version> {
    let at = Version {
        pre: comparator.pre.clone(),
        ..Version::new(comparator.major, comparator.minor.unwrap_or(0), comparator.patch.unwrap_or(0))
    };
    let mut versions = vec![Version::new(0, 0, 0), Version::new(u64::MAX >> 1, 0, 0), at.clone()];
    for (major, minor, patch) in [(0, 0, 1), (0, 1, 0), (1, 0, 0)] {
        versions.push(Version::new(at.major + major, at.minor + minor, at.patch + patch));
        versions.push(Version::new(
            at.major.saturating_sub(major),
            at.minor.saturating_sub(minor),
            at.patch.saturating_sub(patch),
        ));
    }
    for pre in ["0", "alpha", "rc.1", "rc.1.0"] {
        for version in versions.clone().into_iter().filter(|version| version.pre.is_empty()).take(8) {
            versions.push(Version { pre: Prerelease::new(pre).unwrap(), ..version });
        }
    }
    let built = Version { build: semver::BuildMetadata::new("1.2.3").unwrap(), ..at };
    versions.push(built);
    versions
}

/// `cargo-audit` takes its database from a git repository only, so that one is made of a copy.
#[test]
fn cargo_audit_finds_the_same_in_real_lock_files() {
    let program = std::env::var_os("CARGO_AUDIT").unwrap_or_else(|| "cargo-audit".into());
    let works = |program: &std::ffi::OsStr| {
        let quiet = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        quiet.is_ok_and(|status| status.success())
    };
    if !works(&program) || !works("git".as_ref()) {
        eprintln!("skipped: no `cargo-audit` (set CARGO_AUDIT to its path) or no `git`");
        return;
    }
    let Some((folder, locks)) = data() else { return };
    let scratch = tempfile::tempdir().unwrap();
    copy(&folder, scratch.path());
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(scratch.path()).args(arguments);
        assert!(command.stdout(Stdio::null()).status().unwrap().success(), "git {arguments:?}");
    };
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "--message=a"]);

    let database = advisories::read(&[folder]).unwrap();
    for name in LOCKS {
        let lock = locks.join(format!("{name}.lock"));
        let mut audit = Command::new(&program);
        audit.args(["audit", "--json", "--no-fetch", "--stale", "--db"]).arg(scratch.path()).arg("--file").arg(&lock);
        let output = audit.output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        let warnings = report["warnings"].as_object().unwrap().values().flat_map(|list| list.as_array().unwrap());
        let theirs: BTreeSet<_> = report["vulnerabilities"]["list"]
            .as_array()
            .unwrap()
            .iter()
            .chain(warnings)
            // Yanked versions have no advisory.
            .filter(|found| !found["advisory"].is_null())
            .map(|found| {
                let text = |object: &str, key: &str| found[object][key].as_str().unwrap().to_owned();
                (text("advisory", "id"), text("package", "name"), text("package", "version"))
            })
            .collect();
        let found = ours(&database.advisories, &lock);
        let found: BTreeSet<_> = found.into_iter().map(|(_, id, name, version)| (id, name, version)).collect();
        assert_eq!(found, theirs, "{name}");
        eprintln!("{name}: {} findings, the same", found.len());
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}
