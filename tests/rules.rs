//! Every rule on real files: `tests/rules/<folder>/<rule-id>/<case>/`, and what all rules together say in its
//! `expected.txt`.
//!
//! `tests/rules/README.md` says what a case is made of. With `UPDATE=1` the expectations are written anew.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints what helps to write one"
)]

#[path = "support/publish_registry.rs"]
#[expect(dead_code, reason = "faults and uploads are for the tests of publishing")]
mod publish_registry;
#[path = "support/pushed.rs"]
mod pushed;
#[path = "support/releases.rs"]
mod releases;
#[path = "support/signing.rs"]
#[expect(dead_code, reason = "most is for tests that make commits themselves")]
mod signing;
#[path = "support/sparse_registry.rs"]
#[expect(dead_code, reason = "faults and archives are for the tests of the registry")]
mod sparse_registry;
#[path = "support/staged.rs"]
mod staged;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rayon::prelude::*;
use releases::World;
use sha2::{Digest as _, Sha256};
use sparse_registry::SparseRegistry;
use tempfile::TempDir;
use toolbelt_core::ops::Environment;
use toolbelt_core::ops::deps::{self, Lockfiles, Request};
use toolbelt_core::ops::{refs, scan};
use toolbelt_core::report::{Judged, Report};
use toolbelt_core::source::cargo_config::CargoConfig;
use toolbelt_core::subject::package::Registry;
use toolbelt_core::subject::{Location, Subject};

/// When every case happens that does not say otherwise.
const NOW: &str = "2026-11-22T10:00:00Z";
/// Entries of a case that are not part of the repository under test.
const WORLD: &[&str] =
    &["index", "crates", "unpacked", "advisories", "names.tsv", "cargo-config.toml", "case.toml", "expected.txt"];

fn cases_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/rules")
}

/// The folders in a folder, sorted.
fn folders(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

/// Every case, sorted; only those that `CASE` is a part of the path of, if it is set.
fn cases() -> Vec<PathBuf> {
    let wanted = std::env::var("CASE").unwrap_or_default();
    let subjects = folders(&cases_folder()).into_iter().filter(|folder| !folder.ends_with("default"));
    let cases = subjects.flat_map(|subject| folders(&subject)).flat_map(|rule| folders(&rule));
    cases.filter(|case| case.to_string_lossy().contains(&wanted)).collect()
}

/// Whether the rule of a case judges what git keeps: such a case is a git repository.
fn is_repository(case: &Path) -> bool {
    case.strip_prefix(cases_folder()).unwrap().starts_with("blob")
}

/// Whether the rule of a case judges what a push would do: such a case is a script.
fn is_push(case: &Path) -> bool {
    case.strip_prefix(cases_folder()).unwrap().starts_with("repository")
}

/// Whether the rule of a case judges a version that is about to be published.
fn is_release(case: &Path) -> bool {
    case.strip_prefix(cases_folder()).unwrap().starts_with("release")
}

/// Whether the expectations are to be written anew; the checksums of packed archives are then printed, for lock files.
fn update() -> bool {
    std::env::var_os("UPDATE").is_some()
}

fn name(case: &Path) -> String {
    case.strip_prefix(cases_folder()).unwrap().to_string_lossy().replace('\\', "/")
}

#[test]
fn every_case_says_what_is_expected() {
    let different: Vec<String> = cases()
        .par_iter()
        .filter_map(|case| {
            // The stand-ins for programs are scripts.
            if is_release(case) && cfg!(not(unix)) {
                return None;
            }
            let said = match case {
                case if is_push(case) => said_of_pushed(case),
                case if is_repository(case) => said_of_staged(case),
                case if is_release(case) => said_of_release(case),
                case => Machine::of(case).run(),
            };
            let path = case.join("expected.txt");
            if update() {
                fs::write(path, said).unwrap();
                return None;
            }
            let expected = fs::read_to_string(path).unwrap_or_default().replace('\r', "");
            (said != expected).then(|| format!("--- {}\n{}", name(case), difference(&expected, &said)))
        })
        .collect();
    assert!(different.is_empty(), "UPDATE=1 accepts what is said now.\n\n{}", different.join("\n"));
}

/// A lock file that cargo would not take is no real one.
#[test]
fn cargo_takes_the_lock_files() {
    let refused: Vec<String> = cases()
        .par_iter()
        .filter(|case| !is_repository(case) && !is_push(case) && !is_release(case))
        .filter_map(|case| {
            let machine = Machine::of(case);
            let expected = machine.settings.cargo.as_deref();
            if expected == Some("not asked") || !case.join("Cargo.toml").exists() {
                return None;
            }
            let refusal = machine.cargo_refuses();
            let is_expected = match (&refusal, expected) {
                (None, None) => true,
                (Some(text), Some(part)) => text.contains(part),
                _ => false,
            };
            (!is_expected).then(|| format!("--- {}\n{}", name(case), refusal.unwrap_or("no refusal".to_owned())))
        })
        .collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

/// What a case says of the run: `case.toml`.
#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Settings {
    /// Another start of the run.
    now: Option<String>,
    /// `--offline`.
    #[serde(default)]
    offline: bool,
    /// `--deep`.
    #[serde(default)]
    deep: bool,
    /// When an earlier run asked the registry, with the network.
    earlier: Option<String>,
    /// What cargo says when it does not take the lock file; `not asked` where it would need another network.
    cargo: Option<String>,
}

/// What a case says of its repository: `case.toml`.
#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Repository {
    /// Added to `base/`, which is committed.
    #[serde(default)]
    base: staged::Entries,
    /// Added to `staged/`, which is staged over it.
    #[serde(default)]
    staged: staged::Entries,
    /// The message of the next commit, which is looked at in place of what is staged.
    message: Option<String>,
}

/// What all rules say of what is staged.
fn said_of_staged(case: &Path) -> String {
    let said = fs::read_to_string(case.join("case.toml")).map(|text| toml::from_str(&text).unwrap());
    let said: Repository = said.unwrap_or_default();
    let folder = tempfile::tempdir().unwrap();
    staged::build(case, &said.base, &said.staged, folder.path());
    let target = said.message.map_or(scan::Target::Staged, |message| {
        let path = folder.path().join(".git/COMMIT_EDITMSG");
        fs::write(&path, message).unwrap();
        scan::Target::Message(path)
    });
    let request = scan::Request {
        environment: Environment {
            tool: "git-toolbelt 0.1.0".to_owned(),
            now: NOW.parse().unwrap(),
            directory: folder.path().to_owned(),
            cache: None,
            cargo_home: None,
            // As git sets them for the hook that looks at messages.
            variables: [("GIT_AUTHOR_EMAIL", "a@example.com"), ("GIT_EDITOR", ":")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            host: "x86_64-unknown-linux-gnu".to_owned(),
        },
        target,
        inline: scan::Inline::Honoured,
        memory: scan::Memory::Bypassed,
        policy: None,
        base: None,
    };
    match scan::run(&request, &|_| {}) {
        Ok(report) => listing(&report),
        Err(error) => format!("error {}\n", chain(&error)).replace(&*folder.path().to_string_lossy(), "FOLDER"),
    }
}

/// What all rules say of the last push of a script.
fn said_of_pushed(case: &Path) -> String {
    let world = signing::World::new();
    let mut said = String::new();
    pushed::pushes(case, &world, |push| {
        let request = refs::Request {
            environment: world.environment("work"),
            policy: None,
            base: None,
            allowed_signers: None,
            required: &[],
        };
        said = match refs::judge_push(&request, &push.remote, &push.url, &push.input) {
            Ok(observed) => listing(&observed.report("push", &request.environment)),
            Err(error) => format!("error {}\n", chain(&error)),
        };
    });
    pushed::with_subjects(&world, said)
}

/// What all rules say of what is about to be published.
fn said_of_release(case: &Path) -> String {
    let default = cases_folder().join("default");
    let world = World::of(case, &default.join("release"));
    let own = Some(case.join("advisories")).filter(|path| path.exists());
    match world.run(own.unwrap_or_else(|| default.join("advisories"))) {
        Ok(answer) => {
            let digests: Vec<String> = answer.releases.iter().map(|release| release.digest.to_string()).collect();
            world.plain(&listing(&answer.report), &digests)
        }
        Err(error) => world.plain(&format!("error {}\n", chain(&error)), &[]),
    }
}

/// An error with what caused it.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        write!(text, ": {cause}").unwrap();
        source = cause.source();
    }
    text
}

/// A machine with the case's repository, a `CARGO_HOME`, and a registry on the loopback in place of crates.io.
struct Machine<'a> {
    case: &'a Path,
    settings: Settings,
    folder: TempDir,
    registry: SparseRegistry,
}

impl<'a> Machine<'a> {
    fn of(case: &'a Path) -> Self {
        let settings = fs::read_to_string(case.join("case.toml")).map(|text| toml::from_str(&text).unwrap());
        let settings = settings.unwrap_or_default();
        let machine =
            Self { case, settings, folder: tempfile::tempdir().unwrap(), registry: SparseRegistry::start(false) };
        copy(case, &machine.path("work"), WORLD);
        // The repository ends here, whatever folder holds the test's files.
        fs::create_dir_all(machine.path("work/.git")).unwrap();
        machine.configure_cargo();
        machine.serve(&case.join("index"), "/index");
        machine.fill_cargos_cache();
        machine
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Takes crates.io, and what else the case says, from the loopback.
    fn configure_cargo(&self) {
        let index = self.registry.index();
        let own = fs::read_to_string(self.case.join("cargo-config.toml")).unwrap_or_default();
        let own = own.replace("REGISTRY", &index);
        let config =
            format!("[source.crates-io]\nreplace-with = 'loopback'\n[source.loopback]\nregistry = '{index}'\n{own}");
        fs::create_dir_all(self.path("home")).unwrap();
        fs::write(self.path("home/config.toml"), config).unwrap();
    }

    /// Serves a folder.
    fn serve(&self, folder: &Path, at: &str) {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let entry = entry.unwrap();
            let at = format!("{at}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                self.serve(&entry.path(), &at);
            } else {
                self.registry.serve(&at, fs::read(entry.path()).unwrap());
            }
        }
    }

    /// Packs `crates/` and copies `unpacked/`, to where cargo would have them.
    fn fill_cargos_cache(&self) {
        let config = CargoConfig::read(&self.path("work"), &self.path("home"), &BTreeMap::new()).unwrap();
        let origin = config.origin(&Registry { index: Registry::CRATES_IO.to_owned() }).unwrap();
        let cargos = &origin.folders[0];
        fs::create_dir_all(&cargos.archives).unwrap();
        for entry in fs::read_dir(self.case.join("crates")).into_iter().flatten() {
            let path = entry.unwrap().path();
            let package = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                let archive = pack(&path, &package);
                if update() {
                    println!("{}: {package}.crate has the checksum {:x}", name(self.case), Sha256::digest(&archive));
                }
                fs::write(cargos.archives.join(format!("{package}.crate")), archive).unwrap();
            } else {
                fs::copy(&path, cargos.archives.join(package)).unwrap();
            }
        }
        copy(&self.case.join("unpacked"), &cargos.sources, &[]);
    }

    fn request(&self) -> Request {
        let default = cases_folder().join("default");
        let own = |name: &str| Some(self.case.join(name)).filter(|path| path.exists());
        Request {
            environment: Environment {
                tool: "cargo-toolbelt 0.1.0".to_owned(),
                now: self.settings.now.as_deref().unwrap_or(NOW).parse().unwrap(),
                directory: self.path("work"),
                cache: Some(self.path("cache")),
                cargo_home: Some(self.path("home")),
                // Nothing answers there: what is not on the loopback is not asked.
                variables: [("HTTPS_PROXY", "http://127.0.0.1:9"), ("NO_PROXY", "127.0.0.1")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into(),
                host: "x86_64-unknown-linux-gnu".to_owned(),
            },
            lockfiles: Lockfiles::OfRepository(self.path("work")),
            offline: self.settings.offline,
            deep: self.settings.deep,
            advisory_db: vec![own("advisories").unwrap_or_else(|| default.join("advisories"))],
            names: Some(own("names.tsv").unwrap_or_else(|| default.join("names.tsv"))),
            policy: None,
        }
    }

    /// What all rules say.
    fn run(&self) -> String {
        let request = self.request();
        if let Some(earlier) = &self.settings.earlier {
            let mut first = request.clone();
            (first.offline, first.environment.now) = (false, earlier.parse().unwrap());
            deps::run(&first, &|_| {}).unwrap();
        }
        let said = match deps::run(&request, &|_| {}) {
            Ok(report) => listing(&report),
            Err(error) => format!("error {}\n", chain(&error)),
        };
        // Neither the port nor the folder is the same twice.
        let place = self.registry.index().trim_start_matches("sparse+").to_owned();
        said.replace(&place, "REGISTRY/").replace(&*self.folder.path().to_string_lossy(), "FOLDER")
    }

    /// What cargo has against the lock file.
    fn cargo_refuses(&self) -> Option<String> {
        // Cargo looks for the sources of each member.
        add_sources(&self.path("work"));
        let output = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()))
            .args(["update", "--workspace", "--locked"])
            .current_dir(self.path("work"))
            .env("CARGO_HOME", self.path("home"))
            .env_remove("CARGO_NET_OFFLINE")
            .env("NO_PROXY", "127.0.0.1")
            .output()
            .unwrap();
        (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Gives each package below a folder an empty library.
fn add_sources(folder: &Path) {
    if fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|text| text.contains("[package]")) {
        fs::create_dir_all(folder.join("src")).unwrap();
        fs::write(folder.join("src/lib.rs"), "").unwrap();
    }
    for folder in folders(folder) {
        add_sources(&folder);
    }
}

/// Copies what is in a folder, if there is one, except for some names at its top.
fn copy(from: &Path, to: &Path, except: &[&str]) {
    for entry in fs::read_dir(from).into_iter().flatten() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if except.iter().any(|except| name == *except) {
            continue;
        }
        fs::create_dir_all(to).unwrap();
        if entry.path().is_dir() {
            fs::create_dir_all(to.join(&name)).unwrap();
            copy(&entry.path(), &to.join(&name), &[]);
        } else {
            fs::copy(entry.path(), to.join(&name)).unwrap();
        }
    }
}

/// Makes a `.crate` of a folder: sorted, without compression or times, so that its checksum stays what lock files say.
fn pack(folder: &Path, package: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none()));
    append(&mut archive, folder, package);
    archive.into_inner().unwrap().finish().unwrap()
}

fn append(archive: &mut tar::Builder<impl std::io::Write>, folder: &Path, at: &str) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let at = format!("{at}/{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            append(archive, &path, &at);
            continue;
        }
        let content = fs::read_to_string(&path).unwrap().replace('\r', "");
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, &at, content.as_bytes()).unwrap();
    }
}

/// The report in few words: the verdict, then findings, what was accepted and what was not checked, each group sorted.
fn listing(report: &Report) -> String {
    let mut text = format!("verdict {}\n", report.verdict.as_str());
    text += &sorted(report.findings.iter().map(|judged| entry("finding", judged)));
    text += &sorted(report.exempted.iter().map(|exempted| {
        let mut text = entry("exempted", &exempted.judged);
        let until = exempted.until.map(|until| format!(", until {until}")).unwrap_or_default();
        let owner = exempted.owner.as_ref().map(|owner| format!(", says {owner}")).unwrap_or_default();
        writeln!(text, "  by {}: {}{owner}{until}", exempted.by.as_str(), exempted.reason).unwrap();
        text
    }));
    text += &sorted(report.not_checked.iter().map(|gap| {
        let what = gap.not_checked.subject.as_ref().map_or("everything".to_owned(), subject);
        let (rule, level, reason) = (gap.rule.id, gap.level.as_str(), &gap.not_checked.reason.reason);
        let mut text = format!("not-checked {rule} {level} {what}: {reason}\n");
        if let Some(hint) = &gap.not_checked.reason.hint {
            writeln!(text, "  hint {hint}").unwrap();
        }
        text
    }));
    text
}

fn sorted(entries: impl Iterator<Item = String>) -> String {
    let mut entries: Vec<String> = entries.map(|entry| format!("\n{entry}")).collect();
    entries.sort();
    entries.concat()
}

fn entry(word: &str, judged: &Judged) -> String {
    let finding = &judged.finding;
    let (rule, level, subject) = (judged.rule.id, judged.level.as_str(), subject(&finding.subject));
    let mut text = format!("{word} {rule} {level} {subject}: {}\n", finding.message);
    for Location { path, region } in &finding.locations {
        match region {
            Some(region) => writeln!(text, "  at {path}:{}:{}", region.line, region.column).unwrap(),
            None => writeln!(text, "  at {path}").unwrap(),
        }
    }
    if let Some(fix) = &finding.fix {
        writeln!(text, "  fix {}", fix.summary).unwrap();
        fix.commands.iter().for_each(|command| writeln!(text, "    $ {command}").unwrap());
    }
    text
}

fn subject(subject: &Subject) -> String {
    subject.purl.clone().unwrap_or_else(|| subject.name.clone())
}

/// The lines of only one of two texts.
fn difference(expected: &str, said: &str) -> String {
    let mut difference = String::new();
    for (sign, one, other) in [('-', expected, said), ('+', said, expected)] {
        for line in one.lines().filter(|line| !other.lines().any(|known| known == *line)) {
            writeln!(difference, "{sign} {line}").unwrap();
        }
    }
    if difference.is_empty() {
        "the lines are the same, but not their order or number\n".to_owned()
    } else {
        difference
    }
}
