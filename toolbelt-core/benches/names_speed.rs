//! How fast names are looked up.
//!
//! ```text
//! cargo bench -p toolbelt-core --bench names_speed
//! ```
//!
//! `whole_registry` needs `names/list.tsv` and `names/allnames.txt` under `$TOOLBELT_SHARED/data` or `../shared/data`
//! beside the repository.

#![expect(clippy::print_stdout, reason = "says what was skipped")]

use std::path::{Path, PathBuf};

use divan::{Bencher, black_box};
use rayon::prelude::*;
use toolbelt_core::source::names::{embedded, parse};
use toolbelt_core::subject::names::Names;

fn main() {
    divan::main();
}

/// The embedded list, from its text to the finished index.
#[divan::bench]
fn build_embedded() -> Names {
    embedded().names
}

/// One name that resembles nothing, one that does.
#[divan::bench(args = ["toolbelt", "oncecell"])]
fn one_name(bencher: Bencher<'_, '_>, name: &str) {
    let names = embedded().names;
    bencher.bench_local(|| names.resemblance(black_box(name)).is_some());
}

/// Every name of the registry against a list of all of them, index included, on every core.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn whole_registry(bencher: Bencher<'_, '_>) {
    let Some((list, all)) = evaluation() else {
        println!("skipped: needs names under TOOLBELT_SHARED or ../shared");
        return;
    };
    bencher.bench_local(|| {
        let text = [list.as_str(), all.as_str()].concat();
        let names = parse(text.as_bytes(), Path::new("names.tsv")).map(|list| list.names).unwrap_or_default();
        let asked: Vec<&str> = all.lines().collect();
        asked.par_iter().filter(|name| names.resemblance(name).is_some()).count()
    });
}

fn evaluation() -> Option<(String, String)> {
    let named = std::env::var_os("TOOLBELT_SHARED").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let data = named.unwrap_or(beside).join("data/names");
    let text = |name| std::fs::read_to_string(data.join(name)).ok();
    Some((text("list.tsv")?, text("allnames.txt")?))
}
