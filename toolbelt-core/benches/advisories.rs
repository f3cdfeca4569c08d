//! What it costs to know the advisories: from the folder, from an archive and from the snapshot.
//!
//! `cargo bench -p toolbelt-core --bench advisories`, with `TOOLBELT_SHARED` naming the folder that holds
//! `data/advisory-db` if it is not `../shared` beside the repository.

#![expect(clippy::print_stderr, reason = "a benchmark without data says so")]

use std::path::PathBuf;

use divan::Bencher;
use jiff::Timestamp;
use semver::Version;
use toolbelt_core::source::advisories::{self, snapshot::Snapshot};

fn main() {
    if folder().is_dir() {
        divan::main();
    } else {
        eprintln!("skipped: no advisory database in `{}`", folder().display());
    }
}

fn folder() -> PathBuf {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared"));
    std::env::var_os("TOOLBELT_SHARED").map_or_else(beside, PathBuf::from).join("data/advisory-db")
}

fn snapshot() -> Vec<u8> {
    let database = advisories::read(&[folder()]).expect("the folder is a database");
    Snapshot { database, confirmed: Timestamp::UNIX_EPOCH, sources: Vec::new() }.encode()
}

#[divan::bench]
fn read_folder(bencher: Bencher<'_, '_>) {
    let paths = [folder()];
    bencher.bench(|| advisories::read(&paths));
}

#[divan::bench]
fn read_snapshot(bencher: Bencher<'_, '_>) {
    let bytes = snapshot();
    eprintln!("snapshot: {} bytes", bytes.len());
    bencher.bench(|| Snapshot::decode(&bytes));
}

#[divan::bench]
fn ask_for_a_thousand_packages(bencher: Bencher<'_, '_>) {
    let advisories = Snapshot::decode(&snapshot()).expect("it was just written").database.advisories;
    let names: Vec<String> = advisories.iter().map(|advisory| advisory.package.clone()).take(1000).collect();
    let version = Version::new(1, 0, 0);
    bencher.bench(|| {
        names.iter().flat_map(|name| advisories.about(name)).filter(|advisory| advisory.affects(&version)).count()
    });
}
