//! Visits every object of a repository as it is stored, fast: each pack once from its first byte to its last, and each object
//! by what sets it apart from the one that it is stored as a difference to.
//!
//! ```text
//! Directories ─► Pack (map, index) ─► repeated ─► Forest ─► Walker on each core ─► visit
//!            └─► Loose ───────────────────────────────────┘
//! ```
//!
//! - [`directories`]: where objects are. [`pack`], [`loose`]: the two forms that they have there.
//! - [`forest`]: what is a difference to what. Whatever hangs on a directory is a directory and is never inflated.
//! - [`delta`]: makes an object of its base, and tells which of its lines are not the base's.
//! - `walker`: from the root of each family of differences to its leaves; [`inflate`] and `room` bound what that takes.
//!
//! An object is looked at as a whole unless its base was visited right before it in the same family, and the visitor
//! answered [`Descendants::ByNews`](crate::subject::content::Descendants::ByNews) for it. So it is where the base is in
//! another pack, or is visited in another pack, or was visited in a run before: nothing has to be remembered.
//!
//! What is not found here: trees (their names are a matter of histories), objects in packs without an index (git
//! does not see them either, and `multi-pack-index` does not replace indexes), and whether an object's content matches its
//! id (`git fsck` checks that; hashing would take longer than all the rest).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gix::ObjectId;
use gix::odb::pack::FileData;

use self::forest::Forest;
use self::loose::Loose;
use self::pack::Pack;
use self::room::Limits;
use self::walker::{Shared, Task, Tree, Walker};
use super::Visit;

pub use self::directories::Directories;
pub use gix::hash;

pub mod delta;
pub mod directories;
pub mod forest;
pub mod inflate;
pub mod loose;
pub mod pack;
mod repeated;
mod room;
#[cfg(test)]
mod tests;
mod walker;

/// How many loose objects are taken at once.
const LOOSE_AT_ONCE: usize = 32;
/// What a loose object counts as when it is reckoned how much may be made of all, in bytes.
const LOOSE_SIZE: u64 = 1 << 20;
/// How much of the damage is told in words; all of it is counted.
const MOST_DAMAGE: usize = 100;

/// How to visit.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Whether a pack need not be visited, by its checksum in hexadecimal digits. Its objects are not visited in other packs
    /// either.
    pub is_known: &'a dyn Fn(&str) -> bool,
    /// The largest object that is made, in bytes. What is stored as a difference to a larger one cannot be made either.
    pub largest: u64,
    /// How many threads to use; as many as there are cores if none.
    pub threads: Option<NonZero<usize>>,
    /// Set by whoever wants the visit to end early.
    pub stop: Option<&'a AtomicBool>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { is_known: &|_| false, largest: 256 << 20, threads: None, stop: None }
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Options").field("largest", &self.largest).finish_non_exhaustive()
    }
}

/// What was visited, and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visited {
    /// Blobs that were visited.
    pub blobs: u64,
    /// Commits that were visited.
    pub commits: u64,
    /// Annotated tags that were visited.
    pub tags: u64,
    /// How long all of them are together, in bytes.
    pub bytes: u64,
    /// How long the parts are that had to be looked at, in bytes.
    pub news: u64,
    /// Trees, which are not visited.
    pub trees: u64,
    /// Objects that were left out because they are in another pack, too.
    pub repeated: u64,
    /// Objects in packs that are known; with their trees.
    pub known: u64,
    /// How many objects could not be visited, and why.
    pub skipped: BTreeMap<Skip, u64>,
    /// What is damaged, by path and object; at most 100 of it.
    pub damage: Vec<Damage>,
    /// The packs of which every object was visited, or is in another of them, or was known; by their checksums.
    pub complete: BTreeSet<String>,
}

impl Visited {
    /// How many objects were visited.
    pub fn objects(&self) -> u64 {
        self.blobs + self.commits + self.tags
    }

    fn add(&mut self, other: Self) {
        self.blobs += other.blobs;
        self.commits += other.commits;
        self.tags += other.tags;
        self.bytes += other.bytes;
        self.news += other.news;
        self.trees += other.trees;
        self.repeated += other.repeated;
        self.known += other.known;
        for (skip, count) in other.skipped {
            *self.skipped.entry(skip).or_default() += count;
        }
        self.damage.extend(other.damage);
        self.complete.extend(other.complete);
    }
}

/// Why an object was not visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Skip {
    /// It is larger than wanted, or stored as a difference to one that is.
    TooLarge,
    /// It is damaged, or what it is a difference to is.
    Damaged,
    /// What has been made of the packs is so much that they must be meant to waste time.
    Budget,
    /// It would take too much memory: large objects that are differences to each other in a bushy way.
    Memory,
    /// It was gone when its turn came, also after everything was listed a second time.
    Gone,
    /// The visit was ended early.
    Stopped,
}

impl Skip {
    /// Why, in words.
    pub const fn why(self) -> &'static str {
        match self {
            Self::TooLarge => "too large, or stored as a difference to an object that is",
            Self::Damaged => "damaged, or stored as a difference to an object that is",
            Self::Budget => "too much is made of too few bytes",
            Self::Memory => "too many large objects are stored as differences to each other",
            Self::Gone => "vanished while the repository was read",
            Self::Stopped => "ended early",
        }
    }
}

/// Something that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damage {
    /// The pack, file or directory.
    pub path: PathBuf,
    /// The object in it, if only that cannot be read.
    pub object: Option<ObjectId>,
    /// What is wrong.
    pub why: String,
}

/// What is wrong with one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// With its header.
    #[error("its header {0}")]
    Header(&'static str),
    /// With its compressed data.
    #[error("its compressed data {0}")]
    Zlib(&'static str),
    /// With the delta that makes it.
    #[error("its delta {0}")]
    Delta(&'static str),
    /// With what it is a difference to.
    #[error("what it is a difference to {0}")]
    Base(&'static str),
    /// Its file.
    #[error("it cannot be read: {0}")]
    Unreadable(ErrorKind),
    /// It is larger than wanted.
    #[error("it is too large")]
    TooLarge,
    /// Nothing; but it is not looked at.
    #[error("{}", .0.why())]
    Skipped(Skip),
}

impl Fault {
    const DAMAGED: Self = Self::Zlib("is damaged");

    const fn skip(self) -> Skip {
        match self {
            Self::Header(_) | Self::Zlib(_) | Self::Delta(_) | Self::Base(_) | Self::Unreadable(_) => Skip::Damaged,
            Self::TooLarge => Skip::TooLarge,
            Self::Skipped(skip) => skip,
        }
    }
}

/// Why objects could not be visited.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The object directory of the repository.
    #[error("the object directory `{}` cannot be read", path.display())]
    Unreadable {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Calls `visit` for every blob, commit and annotated tag in the packs and loose objects of `directories`, from several
/// threads, in no order except that an object comes after the one that its news refer to.
///
/// An object that is in several packs is visited once; one that is loose as well, too. When packs vanish meanwhile
/// (`git gc`), those that took their place are visited, and then some objects twice.
///
/// # Errors
///
/// If there is no object directory. What is wrong within it is in [`Visited::damage`] and [`Visited::skipped`].
pub fn visit(
    directories: &Directories,
    kind: hash::Kind,
    options: Options<'_>,
    visit: Visit<'_>,
) -> Result<Visited, Error> {
    let mut visited = Visited { damage: directories.missing.clone(), ..Visited::default() };
    if let Some(path) = directories.paths.first() {
        fs::read_dir(path).map_err(|source| Error::Unreadable { path: path.clone(), source })?;
    }
    let mut old: Vec<Pack> = Vec::new();
    let mut old_loose = BTreeSet::new();
    // What vanished is looked for once more; whatever takes its place was there before it vanished.
    for again in [true, false] {
        let listing = Listing::read(&directories.paths, kind, &old, again);
        visited.damage.extend(listing.damage);
        let mut known = old;
        let mut packs = Vec::new();
        for pack in listing.packs {
            if (options.is_known)(&pack.checksum) {
                visited.known += u64::from(pack.listed());
                visited.complete.insert(pack.checksum.clone());
                known.push(pack);
            } else {
                packs.push(pack);
            }
        }
        let mut loose = listing.loose;
        loose.retain(|loose| !old_loose.contains(loose));
        let walk = Walk { directories: &directories.paths, kind, options, visit };
        let (seen, gone) = walk.walk(&mut packs, &known, &mut loose);
        visited.add(seen);
        if !(again && (gone > 0 || listing.vanished)) {
            if gone > 0 {
                *visited.skipped.entry(Skip::Gone).or_default() += gone;
            }
            break;
        }
        old_loose = loose.into_iter().collect();
        old = known;
        old.extend(packs);
    }
    visited.damage.sort();
    visited.damage.dedup();
    visited.damage.truncate(MOST_DAMAGE);
    Ok(visited)
}

/// Visits what is in one pack that is held in memory, as [`visit`] does; for trying the walk on any bytes.
///
/// # Errors
///
/// What is wrong with the pack or its index as a whole, in words.
pub fn visit_pack(
    pack: &[u8],
    index: &[u8],
    kind: hash::Kind,
    options: Options<'_>,
    visit: Visit<'_>,
) -> Result<Visited, String> {
    let pack = Pack::from_bytes(PathBuf::new(), pack, index, kind)?;
    Ok(Walk { directories: &[], kind, options, visit }.walk(&mut vec![pack], &[], &mut Vec::new()).0)
}

/// What the object directories hold.
#[derive(Default)]
struct Listing {
    packs: Vec<Pack>,
    loose: Vec<Loose>,
    damage: Vec<Damage>,
    /// Whether a pack was listed and then not there.
    vanished: bool,
}

impl Listing {
    /// Lists the directories, and opens the packs that are not among `old`. What vanished while this is done is no damage
    /// if they will be listed again.
    fn read(directories: &[PathBuf], kind: hash::Kind, old: &[Pack], again: bool) -> Self {
        let mut listing = Self::default();
        let mut known: BTreeSet<String> = old.iter().map(|pack| pack.checksum.clone()).collect();
        let opened: BTreeSet<PathBuf> = old.iter().map(|pack| pack.path.clone()).collect();
        for (number, directory) in directories.iter().enumerate() {
            loose::list(number, directory, kind, &mut listing.loose, &mut listing.damage);
            for index in listing.indexes(&directory.join("pack")) {
                if opened.contains(&index.with_extension("pack")) {
                    continue;
                }
                match Pack::open(&index, kind) {
                    // The same pack may be in two directories.
                    Ok(pack) if known.insert(pack.checksum.clone()) => listing.packs.push(pack),
                    Ok(_) => {}
                    Err(_) if !index.exists() => listing.vanished = true,
                    Err(_) if again && !index.with_extension("pack").exists() => listing.vanished = true,
                    Err(why) => {
                        listing.damage.push(Damage { path: index.with_extension("pack"), object: None, why });
                    }
                }
            }
        }
        listing.loose.sort_unstable();
        listing.loose.dedup_by(|second, first| second.id == first.id);
        // The largest first: where an object is in several, it is visited where it likely has its family.
        listing.packs.sort_by_key(|pack| (std::cmp::Reverse(pack.listed()), pack.checksum.clone()));
        listing
    }

    /// The indexes of a directory of packs, sorted. Packs without one are damage.
    fn indexes(&mut self, directory: &Path) -> Vec<PathBuf> {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                self.damage.push(Damage { path: directory.to_owned(), object: None, why: error.to_string() });
                return Vec::new();
            }
        };
        let names: BTreeSet<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        let is = |path: &Path, extension: &str| path.extension().is_some_and(|found| found == extension);
        for pack in names.iter().filter(|path| is(path, "pack") && !names.contains(&path.with_extension("idx"))) {
            let has_name = pack.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pack-"));
            // Git writes the index last: a pack that is being written has none yet, and is not there for git either.
            if has_name && !pack.with_extension("idx").exists() {
                let why = "has no index: `git index-pack` makes one".to_owned();
                self.damage.push(Damage { path: pack.clone(), object: None, why });
            }
        }
        names.into_iter().filter(|path| is(path, "idx")).collect()
    }
}

/// One walk over some packs and loose objects.
struct Walk<'a> {
    directories: &'a [PathBuf],
    kind: hash::Kind,
    options: Options<'a>,
    visit: Visit<'a>,
}

impl Walk<'_> {
    /// Walks `packs` and `loose`, but not what is in `known` packs. Returns what was seen, and how many loose objects were
    /// gone. Both lists are as before, but for loose objects that are in packs.
    fn walk<T>(&self, packs: &mut Vec<Pack<T>>, known: &[Pack<T>], loose: &mut Vec<Loose>) -> (Visited, u64)
    where
        T: FileData + Send + Sync,
    {
        let stored = packs.iter().map(|pack| pack.bytes().len() as u64).sum::<u64>();
        let stored = stored.saturating_add(loose.len() as u64 * LOOSE_SIZE);
        self.walk_within(packs, known, loose, Limits::new(self.options.largest, stored))
    }

    fn walk_within<T>(
        &self,
        packs: &mut Vec<Pack<T>>,
        known: &[Pack<T>],
        loose: &mut Vec<Loose>,
        limits: Limits,
    ) -> (Visited, u64)
    where
        T: FileData + Send + Sync,
    {
        let threads = self.options.threads.or_else(|| std::thread::available_parallelism().ok());
        let threads = threads.map_or(1, NonZero::get);
        let all: Vec<&Pack<T>> = known.iter().chain(&*packs).collect();
        loose.retain(|loose| !all.iter().any(|pack| pack.position(&loose.id).is_some()));
        let repeated = repeated::find(&all).split_off(known.len());
        let forests = self.forests(packs, &repeated, threads);
        let mut trees: Vec<Tree<T>> = std::mem::take(packs)
            .into_iter()
            .zip(forests)
            .map(|(pack, forest)| Tree { pack, forest, incomplete: AtomicBool::new(false) })
            .collect();

        let mut visited = Visited::default();
        for tree in &trees {
            visited.account(tree);
        }
        let shared = Shared {
            kind: self.kind,
            trees: &trees,
            others: known,
            directories: self.directories,
            loose,
            tasks: &tasks(&trees, loose.len()),
            next: AtomicUsize::new(0),
            limits,
            stop: self.options.stop,
            visit: self.visit,
        };
        let threads = threads.min(shared.tasks.len()).max(1);
        let mut gone = 0;
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(|| Walker::new(&shared).run())).collect();
            let mut done = vec![Walker::new(&shared).run()];
            for other in others {
                match other.join() {
                    Ok(seen) => done.push(seen),
                    // The visitor's panic goes on in the thread that asked for the visit.
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            for (seen, vanished) in done {
                visited.add(seen);
                gone += vanished;
            }
        });
        for tree in trees.drain(..) {
            if !tree.incomplete.into_inner() {
                visited.complete.insert(tree.pack.checksum.clone());
            }
            packs.push(tree.pack);
        }
        (visited, gone)
    }

    /// The forests of some packs.
    fn forests<T>(&self, packs: &[Pack<T>], repeated: &[Vec<bool>], threads: usize) -> Vec<Forest>
    where
        T: FileData + Send + Sync,
    {
        let (next, kind) = (AtomicUsize::new(0), self.kind);
        let grow = || {
            let mut grown = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some((pack, repeated)) = packs.get(number).zip(repeated.get(number)) else { return grown };
                grown.push((number, Forest::grow(pack, kind, repeated)));
            }
        };
        let mut forests = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads.min(packs.len())).map(|_| scope.spawn(grow)).collect();
            let mut forests = grow();
            for other in others {
                forests.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            forests
        });
        forests.sort_unstable_by_key(|(number, _)| *number);
        forests.into_iter().map(|(_, forest)| forest).collect()
    }
}

impl Visited {
    /// Counts what a forest tells before anything is inflated.
    fn account<T: FileData + Send + Sync>(&mut self, tree: &Tree<T>) {
        self.trees += tree.forest.trees;
        self.repeated += tree.forest.repeated;
        let path = &tree.pack.path;
        if !tree.forest.lost.is_empty() {
            tree.incomplete.store(true, Ordering::Relaxed);
            *self.skipped.entry(Skip::Damaged).or_default() += tree.forest.lost.len() as u64;
        }
        for &(entry, why) in tree.forest.lost.iter().take(MOST_DAMAGE) {
            let object = Some(tree.pack.id(tree.forest.position(entry)).to_owned());
            self.damage.push(Damage { path: path.clone(), object, why: why.to_owned() });
        }
        let (listed, announced) = (tree.pack.listed(), tree.pack.announced());
        if listed != announced {
            tree.incomplete.store(true, Ordering::Relaxed);
            let why = format!("its index lists {listed} objects, the pack says {announced}");
            self.damage.push(Damage { path: path.clone(), object: None, why });
        }
    }
}

/// What there is to do: what takes long first, so that no core is left alone with it at the end; all else as it stands in
/// the packs.
fn tasks<T>(trees: &[Tree<T>], loose: usize) -> Vec<Task> {
    let mut found = Vec::new();
    for (pack, tree) in trees.iter().enumerate() {
        for &root in &tree.forest.roots {
            found.push((tree.forest.weight(root), Task::Family { pack, root }));
        }
        for &(root, base) in &tree.forest.borrowed {
            found.push((tree.forest.weight(root), Task::Borrowed { pack, root, base }));
        }
    }
    let heavy = found.iter().map(|(weight, _)| weight).sum::<u64>() / 256;
    found.sort_by_key(|(weight, _)| std::cmp::Reverse(if *weight > heavy { *weight } else { 0 }));
    let mut tasks: Vec<Task> = found.into_iter().map(|(_, task)| task).collect();
    tasks.extend((0..loose).step_by(LOOSE_AT_ONCE).map(|at| Task::Loose(at..loose.min(at + LOOSE_AT_ONCE))));
    tasks
}
