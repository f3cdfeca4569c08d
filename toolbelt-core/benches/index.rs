//! Reading the index cache of cargo's home: the versions of a lock file, against what crates-index does for the same
//! crates (every version of each).
//!
//! `TOOLBELT_SHARED` (or `../shared` beside the repository) has the lock file; without it, or without its packages in
//! cargo's cache, there is nothing to measure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use divan::Bencher;
use jiff::Timestamp;
use toolbelt_core::source::cache::Cache;
use toolbelt_core::source::cargo_config::CargoConfig;
use toolbelt_core::source::crate_archive::{self, Effort};
use toolbelt_core::source::http::Http;
use toolbelt_core::source::index::{Freshness, Registries, Wanted};
use toolbelt_core::subject::package::Registry;

fn main() {
    divan::main();
}

/// What a lock file names of crates.io.
fn wanted() -> Wanted {
    let shared = std::env::var_os("TOOLBELT_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let text = std::fs::read_to_string(shared.join("data/locks/deno.lock")).unwrap_or_default();
    let lock: toml::Table = toml::from_str(&text).unwrap_or_default();
    let packages = lock.get("package").and_then(toml::Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let registry = Registry { index: Registry::CRATES_IO.to_owned() };
    let mut wanted = Wanted::new();
    for package in packages {
        let field = |key| package.get(key).and_then(toml::Value::as_str);
        if let (Some(name), Some(Ok(version)), Some(_)) =
            (field("name"), field("version").map(str::parse), field("source"))
        {
            wanted.entry((registry.clone(), name.to_owned())).or_default().insert(version);
        }
    }
    wanted
}

fn config() -> CargoConfig {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo"))).unwrap_or_default();
    CargoConfig::read(Path::new("/"), &home, &BTreeMap::new()).unwrap_or_default()
}

#[divan::bench]
fn toolbelt(bencher: Bencher<'_, '_>) {
    let (wanted, config, cache, http) = (wanted(), config(), Cache::new(None), Http::offline());
    let freshness = Freshness { now: Timestamp::UNIX_EPOCH, max_age: Duration::MAX, total: Duration::ZERO };
    bencher.bench_local(|| Registries::new(&config, &cache, &http).listings(&wanted, freshness));
}

#[divan::bench]
fn crates_index_all_versions(bencher: Bencher<'_, '_>) {
    let (wanted, config) = (wanted(), config());
    let Some(folder) = config
        .origin(&Registry { index: Registry::CRATES_IO.to_owned() })
        .ok()
        .and_then(|origin| Some(origin.folders.first()?.index.parent()?.to_owned()))
    else {
        return;
    };
    let index = crates_index::SparseIndex::at_path(folder, "sparse+https://index.crates.io/".to_owned());
    bencher.bench_local(|| {
        wanted
            .keys()
            .filter_map(|(_, name)| index.crate_from_cache(name).ok())
            .map(|entry| entry.versions().len())
            .sum::<usize>()
    });
}

/// The archives of the same packages: hashed and opened the first time, remembered the next.
#[divan::bench(args = [false, true], sample_count = 5)]
fn archives(bencher: Bencher<'_, '_>, are_remembered: bool) {
    let (config, http) = (config(), Http::offline());
    let wanted: crate_archive::Wanted = wanted()
        .into_iter()
        .flat_map(|((registry, name), versions): (_, BTreeSet<_>)| {
            versions.into_iter().map(move |version| ((registry.clone(), name.clone(), version), None))
        })
        .collect();
    let folder = std::env::temp_dir().join(format!("toolbelt-bench-{}", std::process::id()));
    let cache = Cache::new(are_remembered.then(|| folder.clone()));
    let effort = Effort { manifests: true, deep: false };
    crate_archive::read(&config, &cache, &http, &wanted, effort);
    bencher.bench_local(|| crate_archive::read(&config, &cache, &http, &wanted, effort));
    // A leftover in the temporary folder does no harm.
    let _ = std::fs::remove_dir_all(folder);
}
