//! Finds where objects are: at which paths, since which commit, and who has them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

use gix::hash::oid;
use gix::hashtable::{HashMap as IdMap, HashSet as IdSet};
use gix::objs::tree::EntryKind;
use gix::objs::{Kind, TreeRefIter};

use super::Error;
use super::changes::DEPTH;
use super::commits::{Commit, Commits};
use super::gaps::Gaps;
use super::history::{TipKind, Tips};
use super::repository::GitRepository;
use super::store::Store;
use crate::report::Coverage;
use crate::subject::content::{ContentKind, ObjectId};
use crate::subject::sighting::{Exposure, Place};

/// The most paths that are told of an object.
const PATHS: usize = 8;
/// The most refs of remotes that are told of a commit.
const NAMED_REFS: usize = 8;
/// What each thread keeps of bases of deltas.
const CACHE_BYTES: usize = 48 << 20;
/// How many trees a thread is given at once.
const BATCH: usize = 64;

/// Finds the places of objects: blobs at all of their paths, commits and annotated tags.
///
/// The commit of a place is the oldest that has the object at that path, of those that others have if any others have it
/// there, else of those that refs lead to. An object that no tip leads to is said to be unreachable, without a path.
/// Places are sorted, those that have come furthest first.
///
/// Each tree of history is read once, by as many threads as there are; only the names on the way to what is wanted are
/// kept.
///
/// # Errors
///
/// [`Error`] if objects cannot be read at all. What is missing besides is said in the coverage.
pub fn places(
    repository: &GitRepository,
    wanted: &BTreeSet<ObjectId>,
    tips: &Tips,
    coverage: &mut Coverage,
) -> Result<BTreeMap<ObjectId, Vec<Place>>, Error> {
    let mut places: BTreeMap<ObjectId, Vec<Place>> = BTreeMap::new();
    if wanted.is_empty() {
        return Ok(places);
    }
    let store = repository.store()?;
    let mut gaps = Gaps::default();
    let blobs = wanted.iter().filter(|id| !matches!(store.kind(id), Some(Kind::Commit | Kind::Tag)));
    let blobs: Vec<ObjectId> = blobs.copied().collect();
    let (history, links) = read(repository, &store, tips, &blobs, &mut gaps);
    for id in wanted {
        if let Some(at) = history.at.get(id) {
            let exposure = history.exposure(*at, history.reach[*at as usize]);
            let place = Place { path: None, object: *id, kind: ContentKind::Commit, commit: Some(*id), exposure };
            places.insert(*id, vec![place]);
        } else if let Some(kind) = history.tags.get(id) {
            let exposure = if *kind == TipKind::Log { Exposure::Unreachable } else { Exposure::Unpushed };
            let place = Place { path: None, object: *id, kind: ContentKind::Tag, commit: None, exposure };
            places.insert(*id, vec![place]);
        }
    }
    if !blobs.is_empty() {
        let wanted = Wanted::new(&blobs);
        for (id, path, found) in paths(&history, &links, &wanted) {
            let commit = history.commits.get(found.commit as usize).map(|(id, _)| *id);
            let exposure = history.exposure(found.commit, found.reach);
            let path = Some(String::from_utf8_lossy(&path).into_owned());
            places.entry(id).or_default().push(Place { path, object: id, kind: ContentKind::Blob, commit, exposure });
        }
        for (id, path) in paths_of_trees(&history.others, &links, &wanted) {
            let place = || Place {
                path: Some(String::from_utf8_lossy(&path).into_owned()),
                object: id,
                kind: ContentKind::Blob,
                commit: None,
                exposure: Exposure::Unpushed,
            };
            let known = places.entry(id).or_default();
            if known.iter().all(|known| known.exposure == Exposure::Unreachable) {
                known.push(place());
            }
        }
        for (path, id) in tips.staged.iter().filter(|(_, id)| wanted.has(id)) {
            let known = places.entry(*id).or_default();
            if known.is_empty() {
                let path = Some(String::from_utf8_lossy(path).into_owned());
                let exposure = Exposure::Staged;
                known.push(Place { path, object: *id, kind: ContentKind::Blob, commit: None, exposure });
            }
        }
    }
    for id in wanted {
        let known = places.entry(*id).or_default();
        if known.is_empty() {
            let kind = match store.kind(id) {
                Some(Kind::Commit) => ContentKind::Commit,
                Some(Kind::Tag) => ContentKind::Tag,
                _ => ContentKind::Blob,
            };
            let is_kept = history.others.contains(id);
            let exposure = if is_kept { Exposure::Unpushed } else { Exposure::Unreachable };
            let commit = (kind == ContentKind::Commit).then_some(*id);
            known.push(Place { path: None, object: *id, kind, commit, exposure });
        }
        known.sort_by(|left, right| {
            distance(&right.exposure).cmp(&distance(&left.exposure)).then_with(|| left.cmp(right))
        });
        known.truncate(PATHS);
    }
    gaps.into_coverage(coverage);
    Ok(places)
}

/// The paths of what is wanted in trees that tips name without a commit; at most a few of each.
fn paths_of_trees(
    trees: &BTreeSet<ObjectId>,
    links: &IdMap<ObjectId, Vec<Link>>,
    wanted: &Wanted,
) -> Vec<(ObjectId, Vec<u8>)> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut left: Vec<(ObjectId, Vec<u8>)> = trees.iter().map(|tree| (*tree, Vec::new())).collect();
    while let Some((tree, path)) = left.pop() {
        if !seen.insert(tree) {
            continue;
        }
        for link in links.get(&tree).into_iter().flatten() {
            let mut path = path.clone();
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend(&link.name);
            if link.is_tree {
                left.push((link.id, path));
            } else if wanted.has(&link.id) {
                found.push((link.id, path));
            }
        }
    }
    found
}

/// How far something has come, as a number.
pub fn distance(exposure: &Exposure) -> u8 {
    match exposure {
        Exposure::Unreachable => 0,
        Exposure::WorkTree => 1,
        Exposure::Staged => 2,
        Exposure::Unpushed => 3,
        Exposure::Pushed(_) => 4,
    }
}

/// All commits that tips lead to, parents first.
struct History {
    commits: Vec<(ObjectId, Commit)>,
    at: IdMap<ObjectId, u32>,
    /// The furthest kind of tip that leads to each commit.
    reach: Vec<TipKind>,
    /// Annotated tags, with the kind of tip that leads to them.
    tags: BTreeMap<ObjectId, TipKind>,
    /// Trees and blobs that tips name directly.
    others: BTreeSet<ObjectId>,
    /// The commits that refs of remotes stand for.
    remotes: Vec<(String, u32)>,
}

impl History {
    /// Walks the commits, and hands out each tree that is to be read as soon as it is met.
    fn read(
        repository: &GitRepository,
        store: &Store,
        tips: &Tips,
        gaps: &mut Gaps,
        each: &mut dyn FnMut(ObjectId),
    ) -> Self {
        let mut commits = Commits::new(repository, store);
        let mut tags = BTreeMap::new();
        let mut others = BTreeSet::new();
        let mut starts = Vec::new();
        for tip in &tips.tips {
            match commits.peel(tip.id) {
                Ok(peeled) => {
                    for tag in peeled.tags {
                        let kind = tags.entry(tag).or_insert(tip.kind);
                        *kind = (*kind).max(tip.kind);
                    }
                    if peeled.kind == Kind::Commit {
                        starts.push((tip, peeled.id));
                    } else {
                        if peeled.kind == Kind::Tree {
                            each(peeled.id);
                        }
                        others.insert(peeled.id);
                    }
                }
                // What a log tells of may be gone without anything being wrong.
                Err(_) if tip.kind == TipKind::Log => {}
                Err(why) => gaps.add(tip.name.as_bytes(), tip.id, &why),
            }
        }
        let commits = commits.all(starts.iter().map(|(_, id)| *id), gaps, &mut |commit| each(commit.tree));
        let at: IdMap<ObjectId, u32> = (0..).zip(&commits).map(|(at, (id, _))| (*id, at)).collect();
        let mut reach = vec![TipKind::Log; commits.len()];
        let mut remotes = Vec::new();
        for (tip, id) in starts {
            let Some(at) = at.get(&id) else { continue };
            let kind = &mut reach[*at as usize];
            *kind = (*kind).max(tip.kind);
            if tip.kind == TipKind::Remote {
                remotes.push((tip.name.clone(), *at));
            }
        }
        for number in (0..commits.len()).rev() {
            for parent in &commits[number].1.parents {
                if let Some(parent) = at.get(parent) {
                    reach[*parent as usize] = reach[*parent as usize].max(reach[number]);
                }
            }
        }
        Self { commits, at, reach, tags, others, remotes }
    }

    /// How far a commit has come that a kind of tip leads to.
    fn exposure(&self, at: u32, reach: TipKind) -> Exposure {
        match reach {
            TipKind::Log => Exposure::Unreachable,
            TipKind::Ref => Exposure::Unpushed,
            TipKind::Remote => Exposure::Pushed(self.remotes_with(at)),
        }
    }

    /// Some of the refs of remotes that lead to a commit: of those that have it, the ones that are the oldest.
    fn remotes_with(&self, at: u32) -> Vec<String> {
        let mut leads = vec![false; self.commits.len()];
        let Some(start) = leads.get_mut(at as usize) else { return Vec::new() };
        *start = true;
        for number in at as usize + 1..self.commits.len() {
            let mut parents = self.commits[number].1.parents.iter().filter_map(|parent| self.at.get(parent));
            leads[number] = parents.any(|parent| leads[*parent as usize]);
        }
        let names = self.remotes.iter().filter(|(_, tip)| leads[*tip as usize]).map(|(name, _)| name.clone());
        let mut names: Vec<String> = names.take(NAMED_REFS).collect();
        names.sort();
        names
    }
}

/// The blobs that are looked for, with a table that answers most questions.
struct Wanted {
    ids: IdSet<ObjectId>,
    first_bytes: Vec<bool>,
}

impl Wanted {
    fn new(ids: &[ObjectId]) -> Self {
        let mut first_bytes = vec![false; 1 << 16];
        for id in ids {
            first_bytes[Self::number(id)] = true;
        }
        Self { ids: ids.iter().copied().collect(), first_bytes }
    }

    fn number(id: &oid) -> usize {
        usize::from(u16::from_be_bytes([id.as_bytes()[0], id.as_bytes()[1]]))
    }

    fn has(&self, id: &oid) -> bool {
        self.first_bytes[Self::number(id)] && self.ids.contains(id)
    }
}

/// Trees, by whether something that is wanted is in them; shared by all threads.
struct Known {
    /// By the first byte of the id.
    shards: Vec<Mutex<IdMap<ObjectId, bool>>>,
    links: Mutex<IdMap<ObjectId, Vec<Link>>>,
}

/// The way from a tree to something that is wanted, or to a tree with that in it.
struct Link {
    name: Vec<u8>,
    id: ObjectId,
    is_tree: bool,
}

impl Known {
    fn new() -> Self {
        Self { shards: (0..256).map(|_| Mutex::default()).collect(), links: Mutex::default() }
    }

    fn shard(&self, id: &oid) -> MutexGuard<'_, IdMap<ObjectId, bool>> {
        self.shards[usize::from(id.as_bytes()[0])].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, id: &oid) -> Option<bool> {
        self.shard(id).get(id).copied()
    }
}

/// Walks the commits and reads their trees, both at the same time where there is more than one processor.
fn read(
    repository: &GitRepository,
    store: &Store,
    tips: &Tips,
    wanted: &[ObjectId],
    gaps: &mut Gaps,
) -> (History, IdMap<ObjectId, Vec<Link>>) {
    if wanted.is_empty() {
        return (History::read(repository, store, tips, gaps, &mut |_| {}), IdMap::default());
    }
    let wanted = Wanted::new(wanted);
    let known = Known::new();
    let (sender, receiver) = mpsc::channel::<Vec<ObjectId>>();
    let receiver = Mutex::new(receiver);
    let next = || receiver.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
    let reader = || Reader {
        store: store.clone().with_pack_cache(CACHE_BYTES),
        known: &known,
        wanted: &wanted,
        missing: Vec::new(),
    };
    let helpers: Vec<Reader<'_>> = (1..rayon::current_num_threads()).map(|_| reader()).collect();
    let own = reader();
    let (history, missing) = thread::scope(|scope| {
        let helpers = helpers.into_iter().map(|helper| scope.spawn(|| helper.read_all(&next)));
        let helpers: Vec<_> = helpers.collect();
        let mut batch = Vec::with_capacity(BATCH);
        let history = History::read(repository, store, tips, gaps, &mut |tree| {
            batch.push(tree);
            if batch.len() == BATCH {
                // Nobody hangs up before the sender does.
                let _ = sender.send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)));
            }
        });
        let _ = sender.send(batch);
        drop(sender);
        let mut missing = own.read_all(&next);
        for helper in helpers {
            missing.extend(helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        (history, missing)
    });
    for (id, why) in missing.into_iter().collect::<BTreeSet<_>>() {
        gaps.add(b"", id, &why);
    }
    (history, known.links.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// What one thread needs to read trees.
struct Reader<'a> {
    store: Store,
    known: &'a Known,
    wanted: &'a Wanted,
    missing: Vec<(ObjectId, String)>,
}

impl Reader<'_> {
    /// Reads all trees that come, and returns what was missing.
    fn read_all(mut self, next: &dyn Fn() -> Option<Vec<ObjectId>>) -> Vec<(ObjectId, String)> {
        while let Some(batch) = next() {
            for tree in batch {
                self.has_wanted(tree, 0);
            }
        }
        self.missing
    }

    /// Whether something that is wanted is in a tree.
    ///
    /// Two threads that meet a tree at the same time both read it, and say the same of it.
    fn has_wanted(&mut self, id: ObjectId, depth: usize) -> bool {
        if let Some(answer) = self.known.answer(&id) {
            return answer;
        }
        // A tree cannot hold itself, but depth costs stack.
        if depth > DEPTH {
            self.missing.push((id, "is nested too deeply".to_owned()));
            return false;
        }
        let mut buffer = Vec::new();
        let data = match self.store.read_kind(&id, Kind::Tree, &mut buffer) {
            Ok(data) => data,
            Err(_) if id == ObjectId::empty_tree(self.store.hash()) => &[],
            Err(missing) => {
                self.missing.push((id, missing.to_string()));
                &[]
            }
        };
        let hash = self.store.hash();
        let entries = || TreeRefIter::from_bytes(data, hash).filter_map(Result::ok);
        let mut found = false;
        let mut subtrees: Vec<ObjectId> = Vec::new();
        for entry in entries() {
            match entry.mode.kind() {
                EntryKind::Tree => {
                    let answer = self.known.answer(entry.oid);
                    found |= answer == Some(true);
                    subtrees.extend(answer.is_none().then(|| entry.oid.to_owned()));
                }
                EntryKind::Blob | EntryKind::BlobExecutable | EntryKind::Link => found |= self.wanted.has(entry.oid),
                EntryKind::Commit => {}
            }
        }
        for subtree in subtrees {
            found |= self.has_wanted(subtree, depth + 1);
        }
        if found {
            let links = entries().filter_map(|entry| {
                let is_tree = entry.mode.kind() == EntryKind::Tree;
                let leads = match entry.mode.kind() {
                    EntryKind::Tree => self.known.answer(entry.oid) == Some(true),
                    EntryKind::Blob | EntryKind::BlobExecutable | EntryKind::Link => self.wanted.has(entry.oid),
                    EntryKind::Commit => false,
                };
                leads.then(|| Link { name: entry.filename.to_vec(), id: entry.oid.to_owned(), is_tree })
            });
            let links = links.collect();
            // Before others learn of it, so that its links are there for whoever does.
            self.known.links.lock().unwrap_or_else(PoisonError::into_inner).insert(id, links);
        }
        self.known.shard(&id).insert(id, found);
        found
    }
}

/// Where something was found first, of the commits that have come as far.
#[derive(Clone, Copy)]
struct Found {
    commit: u32,
    reach: TipKind,
}

/// Follows the ways from each commit, the oldest first, to paths.
fn paths(history: &History, links: &IdMap<ObjectId, Vec<Link>>, wanted: &Wanted) -> Vec<(ObjectId, Vec<u8>, Found)> {
    let mut found: BTreeMap<(ObjectId, Vec<u8>), Found> = BTreeMap::new();
    let mut counts: IdMap<ObjectId, usize> = IdMap::default();
    for reach in [TipKind::Remote, TipKind::Ref, TipKind::Log] {
        // A tree that was seen at a path has nothing new there.
        let mut seen: HashSet<(ObjectId, Vec<u8>)> = HashSet::new();
        for (number, (_, commit)) in (0..).zip(&history.commits) {
            if history.reach[number as usize] != reach || !links.contains_key(&commit.tree) {
                continue;
            }
            let mut left = vec![(commit.tree, Vec::new())];
            while let Some((tree, path)) = left.pop() {
                if !seen.insert((tree, path.clone()))
                    || counts.values().filter(|count| **count >= PATHS).count() == wanted.ids.len()
                {
                    continue;
                }
                for link in links.get(&tree).into_iter().flatten() {
                    let mut path = path.clone();
                    path.extend_from_slice(&link.name);
                    if link.is_tree {
                        path.push(b'/');
                        left.push((link.id, path));
                        continue;
                    }
                    let count = counts.entry(link.id).or_default();
                    if *count < PATHS {
                        found.entry((link.id, path)).or_insert_with(|| {
                            *count += 1;
                            Found { commit: number, reach }
                        });
                    }
                }
            }
        }
    }
    found.into_iter().map(|((id, path), found)| (id, path, found)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::history;
    use super::super::sandbox::Sandbox;
    use super::*;

    fn find(sandbox: &Sandbox, ids: &[ObjectId], with_logs: bool) -> (BTreeMap<ObjectId, Vec<Place>>, Coverage) {
        let repository = sandbox.open();
        let mut coverage = Coverage::default();
        let tips = history::tips(&repository, with_logs, &mut coverage).unwrap();
        let found = places(&repository, &ids.iter().copied().collect(), &tips, &mut coverage).unwrap();
        (found, coverage)
    }

    fn place(place: &Place) -> (Option<&str>, Option<ObjectId>, &Exposure) {
        (place.path.as_deref(), place.commit, &place.exposure)
    }

    #[test]
    fn the_oldest_commit_and_every_path_are_told() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("x", "x");
        sandbox.commit("before");
        sandbox.write("dir/deep/a", "secret\n");
        let first = sandbox.commit("first");
        sandbox.git(&["mv", "dir/deep/a", "dir/b"]);
        let second = sandbox.commit("second");
        std::fs::remove_file(sandbox.root.join("dir/b")).unwrap();
        sandbox.commit("removed");
        sandbox.git(&["tag", "-a", "v1", "-m", "words"]);
        let blob = sandbox.id("HEAD~1:dir/b");
        let tag = sandbox.id("v1");
        for packed in [false, true] {
            if packed {
                sandbox.git(&["gc", "--quiet"]);
                sandbox.git(&["commit-graph", "write", "--reachable"]);
            }
            let (found, coverage) = find(&sandbox, &[blob, first, tag], false);
            assert!(!coverage.could_not_look, "{coverage:?}");
            let local = &Exposure::Unpushed;
            let paths: Vec<_> = found[&blob].iter().map(place).collect();
            assert_eq!(paths, [(Some("dir/b"), Some(second), local), (Some("dir/deep/a"), Some(first), local)]);
            assert_eq!(place(&found[&first][0]), (None, Some(first), local));
            assert_eq!((place(&found[&tag][0]), found[&tag][0].kind), ((None, None, local), ContentKind::Tag));
        }
    }

    #[test]
    fn how_far_something_has_come_is_told() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("pushed", "pushed\n");
        let pushed = sandbox.commit("pushed");
        sandbox.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
        sandbox.write("local", "local\n");
        let local = sandbox.commit("local");
        // The same content was pushed by another way later.
        sandbox.write("twice", "twice\n");
        sandbox.commit("twice here");
        sandbox.git(&["checkout", "--quiet", "-b", "other", &pushed.to_string()]);
        sandbox.write("twice", "twice\n");
        let there = sandbox.commit("twice there");
        sandbox.git(&["update-ref", "refs/remotes/origin/other", "HEAD"]);
        sandbox.git(&["checkout", "--quiet", "main"]);
        sandbox.write("amended", "amended\n");
        let amended = sandbox.commit("amended");
        let amended_blob = sandbox.id(":amended");
        sandbox.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
        sandbox.write("staged", "staged\n");
        sandbox.git(&["add", "staged"]);
        let loose = sandbox.git_with_input(&["hash-object", "-w", "--stdin"], b"loose\n");
        let loose = ObjectId::from_hex(loose.as_bytes()).unwrap();
        let blobs = ["pushed", "local", "twice", "staged"].map(|path| sandbox.id(&format!(":{path}")));
        let (found, coverage) = find(&sandbox, &[&blobs[..], &[amended_blob, loose]].concat(), true);
        assert!(!coverage.could_not_look, "{coverage:?}");
        let remotes =
            |names: &[&str]| Exposure::Pushed(names.iter().map(|name| format!("refs/remotes/origin/{name}")).collect());
        let expected = [
            (blobs[0], Some("pushed"), Some(pushed), remotes(&["main", "other"])),
            (blobs[1], Some("local"), Some(local), Exposure::Unpushed),
            (blobs[2], Some("twice"), Some(there), remotes(&["other"])),
            (blobs[3], Some("staged"), None, Exposure::Staged),
            (amended_blob, Some("amended"), Some(amended), Exposure::Unreachable),
            (loose, None, None, Exposure::Unreachable),
        ];
        for (id, path, commit, exposure) in expected {
            assert_eq!(place(&found[&id][0]), (path, commit, &exposure));
        }
    }

    /// The commits that `git log` says brought each blob.
    #[test]
    fn a_history_with_many_trees_is_told_as_by_git() {
        let sandbox = Sandbox::new(&[]);
        let mut oracle: BTreeMap<(ObjectId, String), ObjectId> = BTreeMap::new();
        for number in 0..60 {
            let path = format!("{}/{}/f{}", number % 3, number % 5, number % 7);
            sandbox.write(&path, format!("{}\n", number % 20));
            sandbox.commit(&number.to_string());
        }
        let commits = sandbox.git(&["rev-list", "--reverse", "HEAD"]);
        for commit in commits.lines() {
            for line in sandbox.git(&["ls-tree", "-r", "--format=%(objectname) %(path)", commit]).lines() {
                let (id, path) = line.split_once(' ').unwrap();
                let key = (ObjectId::from_hex(id.as_bytes()).unwrap(), path.to_owned());
                oracle.entry(key).or_insert_with(|| ObjectId::from_hex(commit.as_bytes()).unwrap());
            }
        }
        let ids: BTreeSet<ObjectId> = oracle.keys().map(|(id, _)| *id).collect();
        let (found, _) = find(&sandbox, &ids.into_iter().collect::<Vec<_>>(), false);
        let found: BTreeMap<(ObjectId, String), ObjectId> = found
            .into_values()
            .flatten()
            .map(|place| ((place.object, place.path.unwrap()), place.commit.unwrap()))
            .collect();
        assert_eq!(found, oracle);
    }
}
