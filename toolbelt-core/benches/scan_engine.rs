//! How fast the engine looks at source text, with all patterns.
//!
//! `TOOLBELT_SCAN` names a folder of source text; without it, the repository's own sources are read. Only files up to 1 MiB
//! are taken, 256 MiB at most. Times are processor time of one thread.

#![expect(clippy::print_stdout, reason = "a benchmark reports")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::path::Path;
use std::time::{Duration, Instant};

use toolbelt_core::rules::blob::secrets::engine::Engine;

fn read(folder: &Path, texts: &mut Vec<Vec<u8>>, total: &mut usize) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_symlink() || path.ends_with("target") || path.ends_with(".git") || *total > 256 << 20 {
            continue;
        }
        if path.is_dir() {
            read(&path, texts, total);
        } else if let Ok(text) = std::fs::read(&path)
            && text.len() <= 1 << 20
            && !text[..text.len().min(8000)].contains(&0)
        {
            *total += text.len();
            texts.push(text);
        }
    }
}

/// The processor time that this program has had, where Linux tells; else the time of day.
fn clock(origin: Instant) -> Duration {
    let spent = std::fs::read_to_string("/proc/self/schedstat").ok();
    let spent = spent.and_then(|text| text.split(' ').next()?.parse().ok());
    spent.map_or_else(|| origin.elapsed(), Duration::from_nanos)
}

fn main() {
    let origin = Instant::now();
    let began = clock(origin);
    let engine = Engine::built_in();
    let spent = clock(origin).saturating_sub(began);
    println!("start: {:.2} ms for {} patterns", spent.as_secs_f64() * 1e3, engine.patterns().len());

    let folder = std::env::var_os("TOOLBELT_SCAN")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), std::path::PathBuf::from);
    let (mut texts, mut total) = (Vec::new(), 0);
    read(&folder, &mut texts, &mut total);
    println!("{} files, {:.1} MB", texts.len(), total as f64 / 1e6);
    for round in ["first", "second", "third"] {
        let began = clock(origin);
        let mut found = Vec::new();
        for text in &texts {
            engine.scan_all(text, &mut found);
        }
        let seconds = clock(origin).saturating_sub(began).as_secs_f64();
        println!("{round}: {:.0} MB/s, {} found", total as f64 / 1e6 / seconds, found.len());
    }
    if std::env::var_os("TOOLBELT_SHOW").is_some() {
        let mut counts = std::collections::BTreeMap::<String, usize>::new();
        let mut found = Vec::new();
        for text in &texts {
            engine.scan_all(text, &mut found);
        }
        for one in &found {
            *counts.entry(one.candidate.pattern.id.clone()).or_default() += 1;
            println!("{}: {}", one.candidate.pattern.id, one.candidate.surroundings);
        }
        println!("{counts:#?}");
    }
}
