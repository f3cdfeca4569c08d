//! Walking all objects of a repository, with a visitor that does nothing and with one that reads what is new.
//!
//! `TOOLBELT_REPOSITORIES` names the repositories: common git directories, separated as in `PATH`. Without it there is nothing
//! to measure. With `TOOLBELT_ROUNDS=n` there are n rounds of each (default 5), and the best one is told; `TOOLBELT_ONLY`
//! picks one visitor by name, for measuring CPU time and memory from outside.

#![expect(clippy::print_stdout, reason = "it is a program whose output is its result")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use toolbelt_core::source::git::objects::{self, Directories, Options, Visited};
use toolbelt_core::source::git::{Met, Visit};
use toolbelt_core::subject::content::{Descendants, News};

fn main() {
    let Some(list) = std::env::var_os("TOOLBELT_REPOSITORIES") else {
        return println!("skipped: TOOLBELT_REPOSITORIES names no repositories");
    };
    let number = |name| std::env::var(name).ok().and_then(|number| number.parse().ok());
    let rounds: u32 = number("TOOLBELT_ROUNDS").unwrap_or(5);
    let only = std::env::var("TOOLBELT_ONLY").ok();

    let found = AtomicU64::new(0);
    let nothing = |_: &Met<'_>| Descendants::ByNews;
    let whole = |_: &Met<'_>| Descendants::Whole;
    let search = |met: &Met<'_>| {
        let part = |bytes: &[u8]| memchr::memchr2_iter(b'@', b'\0', bytes).count() as u64;
        let count = match met.content.news {
            News::All => part(met.content.bytes),
            News::Lines(lines) => lines.iter().map(|range| part(&met.content.bytes[range.clone()])).sum(),
        };
        found.fetch_add(count, Ordering::Relaxed);
        Descendants::ByNews
    };
    let visitors: [(&str, Visit<'_>); 3] = [("nothing", &nothing), ("search", &search), ("whole", &whole)];
    for repository in std::env::split_paths(&list) {
        println!("{}", repository.display());
        for (name, visit) in visitors {
            if only.as_deref().is_some_and(|only| only != name) {
                continue;
            }
            let best = (0..rounds).map(|_| round(&repository, visit)).min_by_key(|(time, _)| *time);
            if let Some((time, visited)) = best {
                println!("  {name:8} {time:4} ms  {}", told(&visited));
            }
        }
    }
}

fn round(repository: &Path, visit: Visit<'_>) -> (u128, Visited) {
    let start = Instant::now();
    let directories = Directories::find(repository, Path::new("."), &BTreeMap::new());
    let visited = objects::visit(&directories, gix::hash::Kind::Sha1, Options::default(), visit);
    (start.elapsed().as_millis(), visited.unwrap_or_default())
}

fn told(visited: &Visited) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a share for people to read")]
    let share = visited.news as f64 * 100.0 / visited.bytes.max(1) as f64;
    format!(
        "{} blobs, {} commits, {} tags, {} MB, {} MB new ({share:.1} %), {} trees, skipped {:?}",
        visited.blobs,
        visited.commits,
        visited.tags,
        visited.bytes / 1_000_000,
        visited.news / 1_000_000,
        visited.trees,
        visited.skipped,
    )
}
