//! Everything that ever was: what packs and loose objects hold, with what an earlier run remembers of them.

use std::collections::{BTreeMap, BTreeSet};

use gix::objs::Kind;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Error;
use super::collect::{Collector, Seen};
use crate::report::Coverage;
use crate::source::cache::Cache;
use crate::source::git::history::Tips;
use crate::source::git::objects::{self, Directories, Options, Visited};
use crate::source::git::repository::GitRepository;
use crate::source::git::{Met, dates, locate};
use crate::subject::content::{Content, ContentKind, News, ObjectId};
use crate::subject::digest::hex;
use crate::subject::sighting::{Exposure, Place, Sighting};

/// The format of the memory.
const VERSION: u32 = 1;

/// What earlier runs saw in packs, which never change.
///
/// The objects that held something are remembered for all packs together: one of them may be in several packs, and stays
/// when a pack goes.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Memory {
    version: u32,
    /// The packs that were looked at to the end, by their checksums.
    packs: BTreeSet<String>,
    /// The objects in which something was seen.
    objects: BTreeSet<String>,
}

/// Looks at every object; `memory` says where what is remembered is kept, and under which name.
pub(super) fn look(
    repository: &GitRepository,
    memory: Option<(&Cache, &str)>,
    collector: &Collector<'_>,
    coverage: &mut Coverage,
) -> Result<(), Error> {
    let known = memory.and_then(|(cache, name)| Memory::read(cache, name)).unwrap_or_default();
    let directories = Directories::find(repository.common_dir(), repository.common_dir(), repository.variables());
    let is_known = |checksum: &str| known.packs.contains(checksum);
    let options = Options { is_known: &is_known, ..Options::default() };
    let visited = objects::visit(&directories, repository.hash(), options, &|met| collector.visit(met))?;
    count(&visited, coverage);
    if repository.is_shallow() {
        coverage.could_not_look(
            "the history before a shallow clone begins",
            "is not here: `git fetch --unshallow` gets it",
        );
    }
    if repository.is_partial() {
        coverage.could_not_look("objects that a partial clone left out", "are on the remote only");
    }
    revisit(repository, &known, collector, coverage)?;
    if let Some((cache, name)) = memory {
        let objects = collector.objects().iter().map(ToString::to_string).collect();
        let packs = visited.complete.clone();
        let now = Memory { version: VERSION, packs, objects };
        if now.packs != known.packs || now.objects != known.objects {
            now.keep(cache, name, coverage);
        }
    }
    Ok(())
}

/// The name of what is remembered: another one for whatever else decides what is seen.
pub(super) fn memory_name(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    format!("scan/{}.json", hex(&hash.finalize()[..16]))
}

impl Memory {
    fn read(cache: &Cache, name: &str) -> Option<Self> {
        let memory: Self = serde_json::from_slice(&cache.read(name)?).ok()?;
        (memory.version == VERSION).then_some(memory)
    }

    fn keep(&self, cache: &Cache, name: &str, coverage: &mut Coverage) {
        let Ok(text) = serde_json::to_vec(self) else { return };
        if let Err(error) = cache.write(name, &text) {
            coverage.skip("what was seen", 1, format!("not kept for the next run: {error}"));
        }
    }
}

/// Looks again, as a whole, at the objects that are known to hold something.
fn revisit(
    repository: &GitRepository,
    known: &Memory,
    collector: &Collector<'_>,
    coverage: &mut Coverage,
) -> Result<(), Error> {
    let store = repository.store()?;
    let seen = collector.objects();
    let mut buffer = Vec::new();
    for id in known.objects.iter().filter_map(|id| ObjectId::from_hex(id.as_bytes()).ok()) {
        // What has gone since then is no longer part of the repository.
        if seen.contains(&id) || !store.has(&id) {
            continue;
        }
        match store.read(&id, &mut buffer) {
            Ok(data) => {
                let kind = match data.kind {
                    Kind::Blob => ContentKind::Blob,
                    Kind::Commit => ContentKind::Commit,
                    Kind::Tag => ContentKind::Tag,
                    Kind::Tree => continue,
                };
                let content = Content { id, kind, bytes: data.data, news: News::All };
                collector.visit(&Met { content, place: None, pack: None });
            }
            Err(missing) => coverage.could_not_look(format!("object {id}"), missing.to_string()),
        }
    }
    Ok(())
}

fn count(visited: &Visited, coverage: &mut Coverage) {
    let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let counts = [
        ("objects", visited.objects()),
        ("bytes", visited.bytes),
        ("bytes-searched", visited.news),
        ("objects-remembered", visited.known),
    ];
    for (what, count) in counts.into_iter().filter(|(what, count)| *count > 0 || *what == "objects") {
        coverage.count(what, number(count));
    }
    for (skip, count) in &visited.skipped {
        coverage.could_not_look = true;
        coverage.skip("objects", number(*count), skip.why());
    }
    for damage in &visited.damage {
        let object = damage.object.map(|id| format!(", object {id}")).unwrap_or_default();
        coverage.could_not_look(format!("{}{object}", damage.path.display()), &damage.why);
    }
}

/// Gives each thing that was seen its places, and tells one thing in many versions of a file once: at the oldest.
///
/// What no ref leads to is left out, and counted, unless it was asked for.
pub(super) fn place(
    repository: &GitRepository,
    seen: &[Seen],
    tips: &Tips,
    with_unreachable: bool,
    is_excluded: &dyn Fn(&str) -> bool,
    coverage: &mut Coverage,
) -> Result<Vec<Sighting>, Error> {
    let wanted = seen.iter().map(|seen| seen.object).collect::<BTreeSet<_>>();
    let places = locate::places(repository, &wanted, tips, coverage)?;
    let (mut met, mut excluded, mut unreachable) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for seen in seen {
        for place in places.get(&seen.object).into_iter().flatten() {
            if place.exposure == Exposure::Unreachable && !with_unreachable {
                unreachable.insert(seen.object);
            } else if place.path.as_deref().is_some_and(is_excluded) {
                excluded.insert(seen.object);
            } else {
                met.push((seen, place));
            }
        }
    }
    if !unreachable.is_empty() {
        coverage.skip("contents that no ref leads to", unreachable.len(), "`--reflog` tells what is in them");
    }
    if !excluded.is_empty() {
        coverage.skip("files", excluded.len(), "excluded by the policy (`[scan] exclude`)");
    }
    let commits = met.iter().filter_map(|(_, place)| place.commit).collect();
    let dates = dates::of_commits(repository, &commits)?;
    Ok(once(met, &dates))
}

/// Of each thing at each path, the oldest place; with the exposure of the one that has come furthest.
fn once(met: Vec<(&Seen, &Place)>, dates: &BTreeMap<ObjectId, i64>) -> Vec<Sighting> {
    let age =
        |place: &Place| (place.commit.and_then(|commit| dates.get(&commit)).copied().unwrap_or(i64::MAX), place.object);
    let mut groups: BTreeMap<_, Vec<(&Seen, &Place)>> = BTreeMap::new();
    for (seen, place) in met {
        let path = place.path.as_deref();
        groups
            .entry((path, seen.same_thing(), path.is_none().then_some(place.object)))
            .or_default()
            .push((seen, place));
    }
    let mut sightings = Vec::new();
    for group in groups.into_values() {
        let Some((seen, oldest)) = group.iter().min_by_key(|(_, place)| age(place)) else { continue };
        let furthest = group.iter().map(|(_, place)| &place.exposure).max_by_key(|exposure| locate::distance(exposure));
        let exposure = furthest.unwrap_or(&oldest.exposure).clone();
        sightings.push(seen.at(Place { exposure, ..(*oldest).clone() }));
    }
    sightings
}
