//! How often the rules over releases that judge by names, first bytes and words fire on what real crates hold.
//!
//! ```text
//! cargo bench -p toolbelt-core --bench release_rules
//! ```
//!
//! Looks at every package that cargo has unpacked below `$CARGO_HOME/registry/src`, as if it were about to be published.
//! There is no commit to compare with: every link of a readme that leaves the package counts as dead. With `--each`, every
//! finding is listed.

#![expect(clippy::print_stdout, reason = "a benchmark reports")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use toolbelt_core::finding::{Fact, Unknown};
use toolbelt_core::rules::blob::marks::{Limits, marks};
use toolbelt_core::rules::blob::secrets::engine::Engine;
use toolbelt_core::rules::blob::secrets::key_file;
use toolbelt_core::rules::options::Options;
use toolbelt_core::rules::release::{
    Context, binary_in_package, dependency_not_releasable, missing_metadata, secret_in_package, unexpected_file,
};
use toolbelt_core::rules::{Check, Rule};
use toolbelt_core::subject::content::{ContentKind, ObjectId};
use toolbelt_core::subject::credential::Credentials;
use toolbelt_core::subject::digest::Sha256Digest;
use toolbelt_core::subject::inline_marker::InlineMarker;
use toolbelt_core::subject::package::{DependencyKind, Registry};
use toolbelt_core::subject::release::{
    Comparison, CrateFile, DeclaredDependency, DependencyPlace, Metadata, PackagedFile, Readme, Release, Stage,
};
use toolbelt_core::subject::sighting::{Exposure, Observation, Place, Sighting};

const RULES: [&Rule; 5] = [
    &binary_in_package::RULE,
    &dependency_not_releasable::RULE,
    &missing_metadata::RULE,
    &secret_in_package::RULE,
    &unexpected_file::RULE,
];

fn main() {
    let each = std::env::args().any(|argument| argument == "--each");
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo"))).unwrap_or_default();
    let engine = Engine::built_in();
    let (mut packages, mut files) = (0, 0);
    let mut fired: BTreeMap<(&str, &str, String), BTreeSet<String>> = BTreeMap::new();
    for folder in folders(&home.join("registry/src")).iter().flat_map(|registry| folders(registry)) {
        let Some(release) = read(&folder, &engine) else { continue };
        packages += 1;
        files += release.archive.known().map_or(0, |archive| archive.files.len());
        for rule in RULES {
            let Check::Release(check) = rule.check else { continue };
            let options = Options::default();
            let outcome =
                check(&release, &Context { now: jiff::Timestamp::UNIX_EPOCH, options: &options, approvals: None });
            let package = format!("{} {}", release.name, release.version);
            for finding in outcome.findings {
                let form = if finding.weaker || rule.default < toolbelt_core::finding::Level::Deny {
                    "weaker"
                } else {
                    "deny"
                };
                let what = ["kind", "key", "rule"].iter().find_map(|fact| finding.facts.get(fact)?.as_str());
                if each {
                    println!("{form} {} {package}: {}", rule.id, finding.message);
                }
                let what = what.unwrap_or_default().to_owned();
                fired.entry((rule.id, form, what)).or_default().insert(package.clone());
            }
        }
    }
    println!("{packages} packages, {files} files");
    for ((rule, form, what), packages) in fired {
        println!("{rule:26} {form:6} {what:18} {}", packages.len());
    }
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

/// An unpacked package as a release; none if its manifest cannot be read.
fn read(folder: &Path, engine: &Engine) -> Option<Release> {
    let manifest: toml::Table = fs::read_to_string(folder.join("Cargo.toml")).ok()?.parse().ok()?;
    let package = manifest.get("package")?.as_table()?;
    let text = |key: &str| package.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    let (mut files, mut sightings) = (BTreeMap::new(), Vec::new());
    walk(folder, "", &mut |path, bytes| {
        let file = PackagedFile { size: bytes.len() as u64, is_executable: false, digest: Sha256Digest::new([0; 32]) };
        files.insert(path.to_owned(), file);
        look(path, bytes, engine, &mut sightings);
    });
    let readme = text("readme").map(|path| {
        let path = path.trim_start_matches("./").to_owned();
        Readme { text: fs::read_to_string(folder.join(&path)).ok(), path }
    });
    let unknown = || Unknown::new("not looked for");
    Some(Release {
        name: text("name")?,
        version: text("version")?.parse().ok()?,
        registry: Registry::new(Registry::CRATES_IO),
        stage: Stage::Release,
        folder: String::new(),
        revision: Fact::Unknown(unknown()),
        metadata: Metadata {
            license: text("license"),
            license_file: text("license-file"),
            description: text("description"),
            repository: text("repository"),
            rust_version: text("rust-version"),
            readme,
            location: None,
        },
        dependencies: dependencies(&manifest),
        locked: Fact::Known(Vec::new()),
        archive: Fact::Known(CrateFile {
            digest: Sha256Digest::new([0; 32]),
            size: 0,
            files,
            has_binaries: false,
            comparison: Fact::Known(Comparison::default()),
        }),
        sightings: Fact::Known(sightings),
        published: Fact::Unknown(unknown()),
        repackaged: Fact::Unknown(unknown()),
        semver: Fact::Unknown(unknown()),
        credentials: Credentials::default(),
        attestations: Fact::Unknown(unknown()),
        rejected: Vec::new(),
    })
}

fn walk(folder: &Path, at: &str, visit: &mut impl FnMut(&str, &[u8])) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = format!("{at}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            walk(&entry.path(), &format!("{path}/"), visit);
        } else if path != ".cargo-ok" {
            visit(&path, &fs::read(entry.path()).unwrap_or_default());
        }
    }
}

/// What the search for secrets and marks sees in a file; containers are not opened.
fn look(path: &str, bytes: &[u8], engine: &Engine, sightings: &mut Vec<Sighting>) {
    let mut matches = Vec::new();
    engine.scan_all(bytes, &mut matches);
    matches.extend(key_file::look(bytes));
    let mut marked = Vec::new();
    marks(bytes, std::slice::from_ref(&(0..bytes.len())), Limits::default(), &mut marked);
    let secrets = matches.into_iter().map(|found| (Observation::Secret(found.candidate), Some(found.span)));
    for (observation, span) in secrets.chain(marked.into_iter().map(|mark| (mark.observation, None))) {
        let place = Place {
            path: Some(path.to_owned()),
            object: ObjectId::null(gix::hash::Kind::Sha1),
            kind: ContentKind::Blob,
            commit: None,
            exposure: Exposure::WorkTree,
        };
        let line = span.and_then(|span| {
            let start = memchr::memrchr(b'\n', &bytes[..span.start]).map_or(0, |at| at + 1);
            let end = memchr::memchr(b'\n', &bytes[span.start..]).map_or(bytes.len(), |at| span.start + at);
            InlineMarker::find(&bytes[start..end])
        });
        sightings.push(Sighting { observation, region: None, layers: Vec::new(), marker: line, place });
    }
}

/// What the manifest asks for, for every target.
fn dependencies(manifest: &toml::Table) -> Vec<DeclaredDependency> {
    let kinds = [
        ("dependencies", DependencyKind::Normal),
        ("build-dependencies", DependencyKind::Build),
        ("dev-dependencies", DependencyKind::Dev),
    ];
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let tables = targets.into_iter().flatten().filter_map(|(_, target)| target.as_table());
    let mut found = Vec::new();
    for table in tables.chain([manifest]) {
        for (key, kind) in kinds {
            for (name, value) in table.get(key).and_then(toml::Value::as_table).into_iter().flatten() {
                let requirement = value.as_str().or_else(|| value.get("version").and_then(toml::Value::as_str));
                found.push(DeclaredDependency {
                    name: name.clone(),
                    requirement: requirement.map(str::to_owned),
                    kind,
                    place: DependencyPlace::Registry,
                    location: None,
                });
            }
        }
    }
    found
}
