//! How well the engine tells secrets from other text, on labelled lines.
//!
//! Reads `secrets/development.jsonl.gz` below `TOOLBELT_SHARED` or `../shared`. `TOOLBELT_SHOW=misses` lists the secrets
//! that were not found, `TOOLBELT_SHOW=false` what was found and is none.

#![expect(clippy::print_stdout, reason = "a benchmark reports")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use serde_json::Value;
use toolbelt_core::rules::blob::secrets::engine::Engine;

fn main() {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let shared = std::env::var_os("TOOLBELT_SHARED").map_or_else(beside, PathBuf::from);
    let Ok(file) = std::fs::File::open(shared.join("data/secrets/development.jsonl.gz"))
        .or_else(|_| std::fs::File::open(shared.join("secrets/development.jsonl.gz")))
    else {
        println!("skipped: no labelled lines below {}", shared.display());
        return;
    };
    let show = std::env::var("TOOLBELT_SHOW").unwrap_or_default();
    let engine = Engine::built_in();
    let (mut hits, mut false_ones, mut misses) = (0_u32, 0_u32, 0_u32);
    for line in BufReader::new(flate2::read::GzDecoder::new(file)).lines().map_while(Result::ok) {
        let Ok(row) = serde_json::from_str::<Value>(&line) else { continue };
        let text = row["text"].as_str().unwrap_or_default();
        let (is_secret, rule) = (row["label"].as_u64() == Some(1), row["rule"].as_str().unwrap_or_default());
        let mut found = Vec::new();
        engine.scan_all(text.as_bytes(), &mut found);
        match (is_secret, found.first()) {
            (true, Some(_)) => hits += 1,
            (true, None) => {
                misses += 1;
                if show == "misses" {
                    println!("miss {rule}: {text}");
                }
            }
            (false, Some(first)) => {
                false_ones += 1;
                if show == "false" {
                    println!("false {rule} by {}: {text}", first.candidate.pattern.id);
                }
            }
            (false, None) => {}
        }
    }
    let recall = f64::from(hits) / f64::from(hits + misses);
    let precision = f64::from(hits) / f64::from(hits + false_ones);
    println!("recall {recall:.3}, precision {precision:.3}, F1 {:.3}", 2.0 * recall * precision / (recall + precision));
    println!("{hits} found, {misses} missed, {false_ones} false");
}
