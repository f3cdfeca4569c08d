//! What differs between a tree and those that it was made from.

use std::cmp::Ordering;

use gix::objs::Kind;
use gix::objs::tree::{EntryKind, name_order};

use super::gaps::Gaps;
use super::store::Store;
use crate::subject::content::ObjectId;
use crate::subject::tree::Mode;

/// A path at which a tree differs from all trees that it was made from.
///
/// What is the same in one of several parents came from there and is no change: a merge changes only what neither side
/// has like this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// Relative to the root, with `/`.
    pub(super) path: Vec<u8>,
    /// What is there now; none if it was removed.
    pub(super) after: Option<Version>,
    /// What the parents have there, each version once, that of the first parent first.
    pub(super) before: Vec<Version>,
}

/// What a tree holds at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) mode: Mode,
    pub(super) id: ObjectId,
}

/// An entry of one tree.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) id: ObjectId,
    /// None for a tree.
    pub(super) mode: Option<Mode>,
}

/// Trees nested deeper are not looked into, which is said: each level costs stack. Git itself stops at 2,048.
pub(super) const DEPTH: usize = 512;

impl Entry {
    /// The order of trees and of the index, in which a directory is named with its slash.
    pub(super) fn order(&self, name: &[u8], is_tree: bool) -> Ordering {
        name_order(&self.name, self.mode.is_none(), name, is_tree)
    }
}

/// Compares trees, and hands out each change in the order of paths within each directory.
pub(super) struct Comparison<'a> {
    pub(super) store: &'a Store,
    pub(super) gaps: &'a mut Gaps,
    pub(super) sink: &'a mut dyn FnMut(Change),
}

impl Comparison<'_> {
    /// Compares the tree `after` with the trees `before`; none stands for an empty one.
    ///
    /// `path` is the prefix of all paths, empty or with a slash at its end; it is as it was in the end.
    pub(super) fn trees(&mut self, path: &mut Vec<u8>, before: &[Option<ObjectId>], after: Option<ObjectId>) {
        if before.contains(&after) {
            return;
        }
        if is_too_deep(path) {
            let Some(id) = after else { return };
            return self.gaps.add(path, id, "is nested too deeply");
        }
        let entries = after.map(|id| self.read(path, id)).unwrap_or_default();
        let mut parents = self.parents(path, before);
        for entry in entries {
            let there = parents.take(&entry.name, entry.mode.is_none());
            self.entry(path, &entry, &there);
        }
        self.removed(path, parents);
    }

    /// Compares an entry with those of the same name in the parents.
    fn entry(&mut self, path: &mut Vec<u8>, entry: &Entry, there: &[Option<(Option<Mode>, ObjectId)>]) {
        let length = path.len();
        path.extend_from_slice(&entry.name);
        match entry.mode {
            None => {
                path.push(b'/');
                let before: Vec<_> = there.iter().map(|there| there.map(|(_, id)| id)).collect();
                self.trees(path, &before, Some(entry.id));
            }
            Some(mode) => self.file(path, Version { mode, id: entry.id }, there),
        }
        path.truncate(length);
    }

    /// Hands out a file, unless one of the parents has it like this.
    pub(super) fn file(&mut self, path: &[u8], after: Version, there: &[Option<(Option<Mode>, ObjectId)>]) {
        let before = versions(there);
        if !before.contains(&after) {
            (self.sink)(Change { path: path.to_vec(), after: Some(after), before });
        }
    }

    /// Hands out what all parents have and the tree has not.
    pub(super) fn removed(&mut self, path: &mut Vec<u8>, parents: Parents) {
        for (name, there) in parents.in_all() {
            let length = path.len();
            path.extend_from_slice(&name);
            if there.iter().flatten().any(|(mode, _)| mode.is_none()) {
                path.push(b'/');
                let before: Vec<_> = there.iter().map(|there| there.map(|(_, id)| id)).collect();
                self.trees(path, &before, None);
            } else {
                (self.sink)(Change { path: path.clone(), after: None, before: versions(&there) });
            }
            path.truncate(length);
        }
    }

    /// The trees to compare with, each once.
    pub(super) fn parents(&mut self, path: &[u8], before: &[Option<ObjectId>]) -> Parents {
        let trees = before.iter().map(|id| id.map(|id| self.read(path, id)).unwrap_or_default());
        Parents { trees: trees.map(|entries| (entries, 0)).collect(), left: Vec::new() }
    }

    /// The entries of a tree; none of one that cannot be read.
    fn read(&mut self, path: &[u8], id: ObjectId) -> Vec<Entry> {
        let mut buffer = Vec::new();
        match entries(self.store, id, &mut buffer) {
            Ok(entries) => entries,
            Err(why) => {
                self.gaps.add(path, id, &why);
                Vec::new()
            }
        }
    }
}

/// What one of several parents has under a name: its mode (none for a tree) and its id.
pub(super) type There = Option<(Option<Mode>, ObjectId)>;

/// The entries of several trees, walked side by side.
pub(super) struct Parents {
    trees: Vec<(Vec<Entry>, usize)>,
    /// What was passed by: the number of the tree and of the entry.
    left: Vec<(usize, usize)>,
}

impl Parents {
    /// What each tree has under a name; names are to be asked for in order.
    ///
    /// In a tree that is out of order, something may not be found, and is then taken for new.
    pub(super) fn take(&mut self, name: &[u8], is_tree: bool) -> Vec<There> {
        let mut found = Vec::with_capacity(self.trees.len());
        for (number, (entries, at)) in self.trees.iter_mut().enumerate() {
            let mut there = None;
            while let Some(entry) = entries.get(*at) {
                match entry.order(name, is_tree) {
                    Ordering::Less => self.left.push((number, *at)),
                    Ordering::Equal => there = Some((entry.mode, entry.id)),
                    Ordering::Greater => break,
                }
                *at += 1;
            }
            found.push(there);
        }
        found
    }

    /// The entries that nobody asked for and that all trees have, by name.
    fn in_all(mut self) -> Vec<(Vec<u8>, Vec<There>)> {
        for (number, (entries, at)) in self.trees.iter().enumerate() {
            self.left.extend((*at..entries.len()).map(|entry| (number, entry)));
        }
        let count = self.trees.len();
        let mut names = std::collections::BTreeMap::<(Vec<u8>, bool), Vec<There>>::new();
        for (number, at) in self.left {
            let entry = &mut self.trees[number].0[at];
            let key = (std::mem::take(&mut entry.name), entry.mode.is_none());
            names.entry(key).or_insert_with(|| vec![None; count])[number] = Some((entry.mode, entry.id));
        }
        let everywhere = names.into_iter().filter(|(_, there)| there.iter().all(Option::is_some));
        everywhere.map(|((name, _), there)| (name, there)).collect()
    }
}

/// The files among what the parents have, each once.
fn versions(there: &[There]) -> Vec<Version> {
    let mut versions = Vec::new();
    for (mode, id) in there.iter().flatten() {
        let version = mode.map(|mode| Version { mode, id: *id });
        versions.extend(version.filter(|version| !versions.contains(version)));
    }
    versions
}

/// Whether a directory is nested deeper than anything honest.
pub(super) fn is_too_deep(path: &[u8]) -> bool {
    path.len() > DEPTH && memchr::memchr_iter(b'/', path).count() > DEPTH
}

/// Reads the entries of a tree.
pub(super) fn entries(store: &Store, id: ObjectId, buffer: &mut Vec<u8>) -> Result<Vec<Entry>, String> {
    if id == ObjectId::empty_tree(store.hash()) {
        return Ok(Vec::new());
    }
    let data = store.read_kind(&id, Kind::Tree, buffer).map_err(|missing| missing.to_string())?;
    let mut entries = Vec::with_capacity(data.len() / 36);
    for entry in gix::objs::TreeRefIter::from_bytes(data, store.hash()) {
        let entry = entry.map_err(|error| format!("is a damaged tree: {error}"))?;
        let mode = match entry.mode.kind() {
            EntryKind::Tree => None,
            EntryKind::Blob => Some(Mode::File),
            EntryKind::BlobExecutable => Some(Mode::Executable),
            EntryKind::Link => Some(Mode::Link),
            EntryKind::Commit => Some(Mode::Submodule),
        };
        entries.push(Entry { name: entry.filename.to_vec(), id: entry.oid.to_owned(), mode });
    }
    Ok(entries)
}
