//! How well look-alike names are told from ordinary ones: recall on the malicious crates that RustSec records, and how
//! often honest names are taken for a lure.
//!
//! ```text
//! cargo bench -p toolbelt-core --bench names_quality
//! ```
//!
//! The evaluation data is not part of the repository: `names/list.tsv`, `names/allnames.txt` and `locks/*.lock` are
//! looked for in `$TOOLBELT_SHARED/data` or `../shared/data` beside the repository. With `--each`, every finding is listed.

#![expect(clippy::print_stdout, reason = "prints a table")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toolbelt_core::source::names::embedded;
use toolbelt_core::subject::names::{Entry, Names, is_same};

/// Name and the crate it resembles, as the advisories tell.
const MALICIOUS: &str = include_str!("names_malicious.tsv");

fn main() {
    let each = std::env::args().any(|argument| argument == "--each");
    let malicious: Vec<(&str, &str)> =
        MALICIOUS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t')).collect();
    let list = embedded();
    println!("embedded list: {} names, {} bytes in memory", list.names.len(), list.names.size());
    recall("embedded list", &list.names, &malicious, each);

    let Some(shared) = shared() else {
        println!("skipped: the rest needs names and lock files under TOOLBELT_SHARED or ../shared");
        return;
    };
    let text = |name: &str| std::fs::read_to_string(shared.join(name)).unwrap_or_default();
    let (rows, all) = (text("names/list.tsv"), text("names/allnames.txt"));
    let known_bad = |name: &str| malicious.iter().any(|(bad, _)| is_same(bad, name));
    let ranked: Vec<Entry<'_>> = rows.lines().filter_map(row).filter(|entry| !known_bad(entry.name)).collect();
    let unranked = || {
        let names = all.lines().filter(|name| !known_bad(name));
        names.map(|name| Entry { name, rank: None, repository: None })
    };
    let full = Names::new(ranked.iter().copied());
    let with_all = Names::new(ranked.iter().copied().chain(unranked()));
    println!("ranked list: {} names, {} bytes", full.len(), full.size());
    println!("with every name: {} names, {} bytes", with_all.len(), with_all.size());
    recall("ranked list", &full, &malicious, each);
    recall("with every name", &with_all, &malicious, each);

    let beyond: Vec<&str> = ranked.iter().skip(5_000).map(|entry| entry.name).collect();
    let top = Names::new(ranked.iter().take(5_000).copied());
    let unlisted: Vec<&str> = unranked().map(|entry| entry.name).filter(|name| full.get(name).is_none()).collect();
    let half = |parity: usize| unranked().enumerate().filter(move |(at, _)| at % 10 != parity).map(|(_, entry)| entry);
    let newer: Vec<&str> = unlisted.iter().copied().filter(|name| !is_held_back(name)).collect();
    let older = Names::new(
        ranked
            .iter()
            .copied()
            .chain(half(10).filter(|entry| full.get(entry.name).is_some() || is_held_back(entry.name))),
    );
    for lock in ["ripgrep", "cargo", "deno"] {
        let text = text(&format!("locks/{lock}.lock"));
        let packages = locked(&text);
        for (list, names) in
            [("embedded", &list.names), ("ranked", &full), ("every name", &with_all), ("top 5,000", &top)]
        {
            noise(&format!("{lock}.lock, {list}"), names, &packages, true);
        }
    }
    noise("established beyond rank 5,000, embedded list", &list.names, &beyond, each);
    noise("established beyond rank 5,000, top 5,000", &top, &beyond, each);
    noise("not established, embedded list", &list.names, &unlisted, each);
    noise("not established, ranked list", &full, &unlisted, each);
    noise("a tenth as if newer than the list, every other name", &older, &newer, each);
}

/// Nine of ten names, whatever their order.
fn is_held_back(name: &str) -> bool {
    name.bytes().fold(7u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % 10 != 0
}

fn recall(what: &str, names: &Names, malicious: &[(&str, &str)], each: bool) {
    let (mut caught, mut right) = (0, 0);
    let mut classes: BTreeMap<&str, u32> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (name, target) in malicious {
        match names.resemblance(name) {
            Some(found) => {
                caught += 1;
                *classes.entry(found.how.as_str()).or_default() += 1;
                if is_same(found.target.name, target) {
                    right += 1;
                } else {
                    wrong.push(format!("{name}: {} ({}) for {target}", found.target.name, found.how));
                }
            }
            None => wrong.push(format!("{name}: nothing for {target}")),
        }
    }
    println!("\nrecall, {what}: {caught}/{} caught, {right} with the right target", malicious.len());
    println!("  {classes:?}");
    if each {
        for line in wrong {
            println!("  {line}");
        }
    }
}

fn noise(what: &str, names: &Names, honest: &[&str], each: bool) {
    let mut classes: BTreeMap<&str, (u32, Vec<String>)> = BTreeMap::new();
    let mut count = 0u32;
    for name in honest {
        if let Some(found) = names.resemblance(name) {
            count += 1;
            let (number, examples) = classes.entry(found.how.as_str()).or_default();
            *number += 1;
            let rank = found.target.rank.map_or("-".to_owned(), |rank| rank.to_string());
            examples.push(format!("{name}: {} #{rank} ({})", found.target.name, found.how));
        }
    }
    let of = u32::try_from(honest.len()).unwrap_or(u32::MAX).max(1);
    println!("\nnoise, {what}: {count} of {of} ({:.2} %)", f64::from(count) * 100.0 / f64::from(of));
    for (class, (number, examples)) in classes {
        println!("  {class}: {number}");
        if each {
            for line in examples {
                println!("    {line}");
            }
        }
    }
}

fn row(line: &str) -> Option<Entry<'_>> {
    let mut fields = line.split('\t');
    let (name, rank) = (fields.next()?, fields.next()?.parse().ok()?);
    Some(Entry { name, rank: Some(rank), repository: fields.next().filter(|url| !url.is_empty()) })
}

/// Names of the packages from crates.io, each once.
fn locked(text: &str) -> Vec<&str> {
    let field = |entry: &'static str| move |block: &&str| block.contains(entry);
    let mut names: Vec<&str> = text
        .split("[[package]]")
        .filter(field("registry+https://github.com/rust-lang/crates.io-index"))
        .filter_map(|block| block.split("name = \"").nth(1)?.split('"').next())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn shared() -> Option<PathBuf> {
    let named = std::env::var_os("TOOLBELT_SHARED").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let data = named.unwrap_or(beside).join("data");
    data.join("names/list.tsv").exists().then_some(data)
}
