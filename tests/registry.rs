//! Registries, read as cargo left them and asked over the loopback.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking and says what it skips")]

#[path = "support/sparse_registry.rs"]
mod sparse_registry;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use semver::Version;
use sparse_registry::{Fault, SparseRegistry};
use tempfile::TempDir;
use toolbelt_core::finding::Fact;
use toolbelt_core::source::cache::Cache;
use toolbelt_core::source::cargo_config::CargoConfig;
use toolbelt_core::source::crate_archive::{self, Effort};
use toolbelt_core::source::http::{Http, Settings};
use toolbelt_core::source::index::cache_file::CacheFile;
use toolbelt_core::source::index::{Freshness, Listings, Registries, Summary};
use toolbelt_core::subject::package::{Listing, Registry};

/// Later than any file that a test writes.
const NOW: i64 = 4_000_000_000;

/// A machine: a folder with a `CARGO_HOME` that takes crates.io from a registry on the loopback.
struct Machine {
    folder: TempDir,
    registry: SparseRegistry,
}

impl Machine {
    fn new(with_etags: bool) -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap(), registry: SparseRegistry::start(with_etags) };
        machine.write(
            "home/config.toml",
            &format!(
                "[source.crates-io]\nreplace-with = 'mirror'\n[source.mirror]\nregistry = '{}'\n",
                machine.registry.index()
            ),
        );
        for version in ["1.0.0", "1.1.0"] {
            let manifest = format!("[package]\nname = 'one'\nversion = '{version}'\nlicense = 'MIT'\n");
            machine.registry.publish("one", version, &manifest, r#","pubtime":"2020-01-01T00:00:00Z""#);
        }
        machine.registry.publish("Two_more", "0.1.0", "[package]\nname = 'Two_more'\nversion = '0.1.0'\n", "");
        machine
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        std::fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        std::fs::write(self.path(path), text).unwrap();
    }

    /// Has the real cargo fetch `one` and `Two_more`.
    fn cargo_fetch(&self) {
        self.write(
            "work/Cargo.toml",
            "[package]\nname = 'work'\nversion = '0.0.0'\nedition = '2024'\n[workspace]\n[dependencies]\none = '=1.0.0'\nTwo_more = '0.1'\n",
        );
        self.write("work/src/lib.rs", "");
        let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
        let output = Command::new(cargo)
            .args(["fetch", "--quiet"])
            .current_dir(self.path("work"))
            .env("CARGO_HOME", self.path("home"))
            .env_remove("CARGO_NET_OFFLINE")
            .env("NO_PROXY", "127.0.0.1")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.registry.requests();
    }

    fn config(&self) -> CargoConfig {
        CargoConfig::read(&self.path("work"), &self.path("home"), &BTreeMap::new()).unwrap()
    }

    fn cargo_index(&self) -> PathBuf {
        self.config().origin(&crates_io()).unwrap().folders[0].index.clone()
    }

    fn ask(&self, http: &Http, seconds_later: i64, wanted: &[(&str, &str)]) -> Listings {
        let (config, cache) = (self.config(), Cache::new(Some(self.path("cache"))));
        let mut asked: BTreeMap<_, BTreeSet<Version>> = BTreeMap::new();
        for (name, version) in wanted {
            asked.entry((crates_io(), (*name).to_owned())).or_default().insert(version.parse().unwrap());
        }
        let freshness = Freshness {
            now: Timestamp::from_second(NOW + seconds_later).unwrap(),
            max_age: Duration::from_hours(1),
            total: Duration::from_mins(1),
        };
        Registries::new(&config, &cache, http).listings(&asked, freshness)
    }
}

fn crates_io() -> Registry {
    Registry { index: Registry::CRATES_IO.to_owned() }
}

fn online() -> Http {
    Http::new(&Settings::default()).unwrap()
}

fn fact<'a>(listings: &'a Listings, name: &str, version: &str) -> &'a Fact<Listing> {
    &listings.entries[&(crates_io(), name.to_owned(), version.parse().unwrap())]
}

fn listing<'a>(listings: &'a Listings, name: &str, version: &str) -> &'a Listing {
    match fact(listings, name, version) {
        Fact::Known(listing) => listing,
        Fact::Unknown(unknown) => panic!("{name} {version}: {unknown:?}"),
    }
}

fn reason<T>(fact: &Fact<T>) -> String {
    match fact {
        Fact::Known(_) => "known".to_owned(),
        Fact::Unknown(unknown) => unknown.reason.clone(),
    }
}

/// From cargo's cache, from ours, fetched, unchanged, failed.
fn counts(listings: &Listings) -> [usize; 5] {
    let Summary { from_cargo, from_own, fetched, unchanged, failed, .. } = listings.summaries[0];
    [from_cargo, from_own, fetched, unchanged, failed]
}

const BOTH: &[(&str, &str)] = &[("one", "1.0.0"), ("Two_more", "0.1.0")];

#[test]
fn cargos_cache_is_read_in_place_and_agrees_with_crates_index() {
    let machine = Machine::new(true);
    machine.cargo_fetch();
    let listings = machine.ask(&Http::offline(), 0, BOTH);
    let one = listing(&listings, "one", "1.0.0");
    assert_eq!((one.releases, one.available.len()), (2, 2));
    assert_eq!(reason(&one.confirmed), "the index entry was never confirmed: the network may not be used");
    assert_eq!(listing(&listings, "Two_more", "0.1.0").releases, 1);
    let (config, cache, http) = (machine.config(), Cache::new(None), Http::offline());
    let registries = Registries::new(&config, &cache, &http);
    assert!(registries.is_cached(&crates_io(), "ONE"));
    assert!(!registries.is_cached(&crates_io(), "three"));
    agrees_with_crates_index(&machine.cargo_index(), "3/o/one");
    agrees_with_crates_index(&machine.cargo_index(), "tw/o_/two_more");
}

/// Every fact of every line.
fn agrees_with_crates_index(folder: &Path, path: &str) {
    let bytes = std::fs::read(folder.join(path)).unwrap();
    let index = crates_index::SparseIndex::at_path(folder.parent().unwrap().to_owned(), "sparse+https://x/".to_owned());
    let theirs = index.crate_from_cache(path.rsplit('/').next().unwrap()).unwrap();
    let wanted: Vec<Version> = theirs.versions().iter().map(|version| version.version().parse().unwrap()).collect();
    let ours = CacheFile::parse(&bytes).unwrap().listings(&wanted).unwrap();
    let mut available: Vec<Version> = theirs
        .versions()
        .iter()
        .filter(|version| !version.is_yanked())
        .map(|version| version.version().parse().unwrap())
        .collect();
    available.sort();
    for (ours, theirs) in ours.iter().zip(theirs.versions()) {
        let ours = ours.known().unwrap();
        assert_eq!(ours.releases, wanted.len());
        assert_eq!(ours.available, available);
        let release = ours.release.as_ref().unwrap();
        assert_eq!(release.checksum.as_bytes(), theirs.checksum());
        assert_eq!(release.yanked, theirs.is_yanked());
        assert_eq!(release.published, theirs.pubtime().map(|time| time.parse().unwrap()));
        let names: Vec<_> = theirs.dependencies().iter().map(crates_index::Dependency::crate_name).collect();
        assert_eq!(release.dependencies.iter().map(|dependency| dependency.name.as_str()).collect::<Vec<_>>(), names);
    }
}

#[test]
fn real_cache_of_this_machine_agrees_with_crates_index() {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let config = home.map(|home| CargoConfig::read(Path::new("/"), &home, &BTreeMap::new()).unwrap());
    let Some(origin) = config.and_then(|config| config.origin(&crates_io()).ok()) else {
        return println!("skipped: no cargo home");
    };
    let Some(folder) = origin.folders.first().map(|folders| folders.index.clone()).filter(|folder| folder.exists())
    else {
        return println!("skipped: no index cache");
    };
    let mut compared = 0;
    for name in
        ["se/rd/serde", "li/bc/libc", "sy/n-/syn", "3/s/syn", "ra/nd/rand", "to/ki/tokio", "3/l/log", "to/ml/toml"]
    {
        if folder.join(name).exists() {
            agrees_with_crates_index(&folder, name);
            compared += 1;
        }
    }
    println!("{compared} entries compared");
}

#[test]
fn unchanged_entries_are_confirmed_and_not_copied() {
    for with_etags in [true, false] {
        let machine = Machine::new(with_etags);
        machine.cargo_fetch();
        let listings = machine.ask(&online(), 0, BOTH);
        assert_eq!(counts(&listings), [0, 0, 0, 2, 0]);
        let suffix = if with_etags { " 304" } else { "" };
        let expected = [format!("/index/3/o/one{suffix}"), format!("/index/tw/o_/two_more{suffix}")];
        assert_eq!(machine.registry.requests(), expected);
        assert!(listing(&listings, "one", "1.0.0").confirmed.known().is_some());
        let later = machine.ask(&Http::offline(), 3600, BOTH);
        assert_eq!(counts(&later), [2, 0, 0, 0, 0]);
        assert_eq!(later.summaries[0].oldest, Timestamp::from_second(NOW).ok());
        let too_late = machine.ask(&Http::offline(), 3601, BOTH);
        assert_eq!(
            reason(&listing(&too_late, "one", "1.0.0").confirmed),
            "the index entry was confirmed longer ago than the policy's `max-age`: the network may not be used"
        );
        let own: Vec<_> = std::fs::read_dir(machine.path("cache/index")).unwrap().flatten().collect();
        assert!(!own[0].path().join("3").exists(), "cargo's copy serves");
    }
}

#[test]
fn a_yank_is_seen_and_kept_beside_cargos_cache() {
    let machine = Machine::new(true);
    machine.cargo_fetch();
    machine.registry.edit("one", "\"yanked\":false", "\"yanked\":true");
    let before = std::fs::read(machine.cargo_index().join("3/o/one")).unwrap();
    let listings = machine.ask(&online(), 0, BOTH);
    assert_eq!(counts(&listings), [0, 0, 1, 1, 0]);
    assert!(listing(&listings, "one", "1.0.0").release.as_ref().unwrap().yanked);
    assert_eq!(std::fs::read(machine.cargo_index().join("3/o/one")).unwrap(), before, "cargo's cache is cargo's");
    // Cargo's file is newer than the confirmation only if it was replaced after it.
    let later = machine.ask(&Http::offline(), 10, BOTH);
    assert_eq!(counts(&later), [1, 1, 0, 0, 0]);
    assert!(listing(&later, "one", "1.0.0").release.as_ref().unwrap().yanked);
    machine.registry.requests();
    let again = machine.ask(&online(), 4000, BOTH);
    assert_eq!(counts(&again), [0, 0, 0, 2, 0]);
    assert_eq!(machine.registry.requests(), ["/index/3/o/one 304", "/index/tw/o_/two_more 304"]);
}

#[test]
fn without_a_cache_all_is_fetched_once() {
    for with_etags in [true, false] {
        let machine = Machine::new(with_etags);
        let listings = machine.ask(&online(), 0, BOTH);
        assert_eq!(counts(&listings), [0, 0, 2, 0, 0]);
        assert!(listings.not_kept.is_none());
        assert_eq!(listing(&listings, "one", "1.0.0").first_published, "2020-01-01T00:00:00Z".parse().ok());
        assert_eq!(counts(&machine.ask(&online(), 1, BOTH)), [0, 2, 0, 0, 0]);
        assert_eq!(counts(&machine.ask(&online(), 4000, BOTH)), [0, 0, 0, 2, 0]);
    }
}

#[test]
fn what_the_registry_does_not_list_is_known_not_to_be_listed() {
    let machine = Machine::new(true);
    let listings = machine.ask(&online(), 0, &[("one", "9.0.0"), ("three", "1.0.0")]);
    let version = listing(&listings, "one", "9.0.0");
    assert!(version.release.is_none() && version.releases == 2 && version.confirmed.known().is_some());
    let name = listing(&listings, "three", "1.0.0");
    assert!(name.release.is_none() && name.releases == 0 && name.confirmed.known().is_some());
    // It may have been published since; who cannot ask does not know.
    let offline = machine.ask(&Http::offline(), 1, &[("one", "9.0.0"), ("three", "1.0.0")]);
    for (name, version) in [("one", "9.0.0"), ("three", "1.0.0")] {
        assert!(listing(&offline, name, version).confirmed.known().is_none());
    }
    machine.registry.publish("three", "1.0.0", "", "");
    let listings = machine.ask(&online(), 2, &[("three", "1.0.0")]);
    assert!(listing(&listings, "three", "1.0.0").release.is_some());
}

#[test]
fn faults_are_reasons_and_leave_what_was_known() {
    let faults = [
        (Fault::Status(500), "the server answered with status 500"),
        (Fault::Status(403), "the server wants a login (status 403), and toolbelt reads no tokens"),
        (Fault::Bytes(b"<html>hello</html>".to_vec()), "the registry's answer is not an index entry"),
        (
            Fault::Redirect("http://example.org/x".to_owned()),
            "`http://example.org/x` would be asked without encryption",
        ),
        (Fault::Redirect("/index/3/o/one".to_owned()), "more than 5 redirects"),
    ];
    for (fault, expected) in faults {
        let machine = Machine::new(true);
        machine.cargo_fetch();
        machine.registry.fault("one", fault.clone());
        let listings = machine.ask(&online(), 0, &[("one", "1.0.0")]);
        let one = listing(&listings, "one", "1.0.0");
        assert!(one.release.is_some());
        assert_eq!(reason(&one.confirmed), format!("the index entry was never confirmed: {expected}"));
        assert_eq!(counts(&listings), [0, 0, 0, 0, 1]);
        let bare = Machine::new(true);
        bare.registry.fault("one", fault);
        let unknown = reason(fact(&bare.ask(&online(), 0, &[("one", "1.0.0")]), "one", "1.0.0"));
        assert_eq!(unknown, format!("neither cargo's cache nor toolbelt's has the index entry: {expected}"));
    }
}

#[test]
fn hanging_and_breaking_servers_are_given_up() {
    let machine = Machine::new(true);
    machine.registry.fault("one", Fault::Hang(Duration::from_secs(30)));
    let http = Http::new(&Settings { limit: Duration::from_millis(200), ..Settings::default() }).unwrap();
    let listings = machine.ask(&http, 0, &[("one", "1.0.0")]);
    assert!(reason(fact(&listings, "one", "1.0.0")).contains(": no answer within "));
    machine.registry.fault("one", Fault::Truncated);
    let listings = machine.ask(&online(), 0, &[("one", "1.0.0")]);
    assert!(reason(fact(&listings, "one", "1.0.0")).contains(": the server cannot be reached"));
    machine.write(
        "home/config.toml",
        "[source.crates-io]\nreplace-with = 'dead'\n[source.dead]\nregistry = 'sparse+http://127.0.0.1:1/'\n",
    );
    let many: Vec<String> = (0..200).map(|number| format!("crate-{number}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "1.0.0")).collect();
    let listings = machine.ask(&online(), 0, &many);
    assert_eq!(counts(&listings), [0, 0, 0, 0, 200]);
}

#[test]
fn damaged_and_foreign_cache_files_are_asked_for_again_or_named() {
    let machine = Machine::new(true);
    machine.cargo_fetch();
    let path = machine.cargo_index().join("3/o/one");
    let whole = std::fs::read(&path).unwrap();
    for (bytes, expected) in [
        (whole[..whole.len() / 2].to_vec(), "cargo's index cache is truncated or damaged"),
        (
            [&[9], &whole[1..]].concat(),
            "cargo's index cache has format 9.0, which this version of toolbelt does not read",
        ),
        (Vec::new(), "cargo's index cache is truncated or damaged"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let unknown = reason(fact(&machine.ask(&Http::offline(), 0, BOTH), "one", "1.0.0"));
        assert_eq!(unknown, format!("{expected}: the network may not be used"));
    }
    let listings = machine.ask(&online(), 0, BOTH);
    assert!(listing(&listings, "one", "1.0.0").release.is_some());
}

#[test]
fn a_cache_that_cannot_be_written_costs_only_the_cache() {
    let machine = Machine::new(true);
    machine.write("cache", "a file in place of the folder");
    let listings = machine.ask(&online(), 0, BOTH);
    assert!(listings.not_kept.is_some());
    assert!(listing(&listings, "one", "1.0.0").confirmed.known().is_some());
}

#[test]
fn vendored_packages_have_no_index() {
    let machine = Machine::new(true);
    machine.write("home/config.toml", "[source.crates-io]\nreplace-with = 'v'\n[source.v]\ndirectory = 'vendor'\n");
    let listings = machine.ask(&online(), 0, &[("one", "1.0.0")]);
    assert_eq!(reason(fact(&listings, "one", "1.0.0")), "packages are taken from a directory, which has no index");
    assert_eq!(machine.registry.requests(), [""; 0]);
}

#[test]
fn names_that_no_registry_can_list_are_not_sent() {
    let machine = Machine::new(true);
    let listings = machine.ask(&online(), 0, &[("../../secret", "1.0.0")]);
    assert_eq!(reason(fact(&listings, "../../secret", "1.0.0")), "the name is none that a registry can list");
    assert_eq!(machine.registry.requests(), [""; 0]);
}

#[test]
fn archives_are_downloaded_into_memory_only_when_asked() {
    let machine = Machine::new(true);
    let (config, cache, http) = (machine.config(), Cache::new(None), online());
    let key = (crates_io(), "one".to_owned(), Version::new(1, 0, 0));
    let absent = (crates_io(), "three".to_owned(), Version::new(1, 0, 0));
    let wanted = BTreeMap::from([(key.clone(), None), (absent.clone(), None)]);
    let shallow = crate_archive::read(&config, &cache, &http, &wanted, Effort { manifests: true, deep: false });
    assert!(shallow.entries.is_empty());
    assert_eq!(shallow.coverage.missing, 2);
    let deep = crate_archive::read(&config, &cache, &http, &wanted, Effort { manifests: true, deep: true });
    assert_eq!(deep.entries[&key].known().unwrap().manifest.known().unwrap().license.as_deref(), Some("MIT"));
    assert_eq!(reason(&deep.entries[&absent]), "the `.crate` cannot be downloaded: the registry does not have it");
    assert_eq!((deep.coverage.downloaded, deep.coverage.missing), (1, 1));
    assert!(!config.origin(&crates_io()).unwrap().folders[0].archives.exists(), "cargo's cache is cargo's");
}

#[test]
fn what_cargo_unpacked_is_what_its_archives_hold() {
    let machine = Machine::new(true);
    machine.cargo_fetch();
    let (config, cache, http) = (machine.config(), Cache::new(None), Http::offline());
    let wanted = BTreeMap::from([
        ((crates_io(), "one".to_owned(), Version::new(1, 0, 0)), None),
        ((crates_io(), "Two_more".to_owned(), Version::new(0, 1, 0)), None),
    ]);
    let archives = crate_archive::read(&config, &cache, &http, &wanted, Effort { manifests: true, deep: true });
    let listings = machine.ask(&Http::offline(), 0, BOTH);
    assert_eq!(archives.coverage.cached, 2);
    for ((_, name, version), archive) in &archives.entries {
        let archive = archive.known().unwrap();
        assert_eq!(archive.unpacked.as_ref().unwrap().known().unwrap(), &[""; 0]);
        let release = listing(&listings, name, &version.to_string()).release.as_ref().unwrap();
        assert_eq!(archive.checksum, release.checksum);
    }
}
