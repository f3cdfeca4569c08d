//! The tree after a change, for the rules that judge paths and configuration files.

use std::collections::HashSet;

use gix::objs::Kind;

use super::changes::{Change, Version, entries, is_too_deep};
use super::gaps::Gaps;
use super::store::Store;
use crate::subject::content::ObjectId;
use crate::subject::sighting::Exposure;
use crate::subject::tree::{FileChange, FileState, Mode, TreeChange, TreeEntry};

/// Puts together a tree from all its paths and from what changed.
pub(super) fn change(
    store: &Store,
    mut paths: Vec<(Vec<u8>, Mode)>,
    changes: &[Change],
    wanted: &dyn Fn(&[u8]) -> bool,
    commit: Option<ObjectId>,
    exposure: Exposure,
    gaps: &mut Gaps,
) -> TreeChange {
    paths.sort_unstable();
    paths.dedup_by(|next, first| next.0 == first.0);
    let new: HashSet<&[u8]> =
        changes.iter().filter(|change| change.after.is_some()).map(|change| change.path.as_slice()).collect();
    let entries =
        paths.into_iter().map(|(path, mode)| TreeEntry { is_new: new.contains(path.as_slice()), path, mode }).collect();
    let mut files: Vec<FileChange> = Vec::new();
    for change in changes {
        let is_link =
            [change.after, change.before.first().copied()].iter().flatten().any(|version| version.mode == Mode::Link);
        if is_link || wanted(&change.path) {
            let mut state = |version: Option<&Version>| state(store, &change.path, *version?, gaps);
            let (before, after) = (state(change.before.first()), state(change.after.as_ref()));
            files.push(FileChange { path: change.path.clone(), before, after });
        }
    }
    files.sort_by(|left, right| left.path.cmp(&right.path));
    TreeChange { entries, files, commit, exposure }
}

/// A file as it is in the store; none if it cannot be read.
fn state(store: &Store, path: &[u8], version: Version, gaps: &mut Gaps) -> Option<FileState> {
    let mut content = Vec::new();
    if version.mode != Mode::Submodule {
        if let Err(missing) = store.read_kind(&version.id, Kind::Blob, &mut content) {
            gaps.add(path, version.id, &missing.to_string());
            return None;
        }
        content.truncate(FileChange::MAX_BYTES);
    }
    Some(FileState { mode: version.mode, content })
}

/// Lists the files of a tree and of those in it; `path` is their prefix, empty or with a slash at its end.
pub(super) fn list(store: &Store, path: Vec<u8>, id: ObjectId, gaps: &mut Gaps, sink: &mut dyn FnMut(Vec<u8>, Mode)) {
    walk(store, path, id, gaps, &mut |path, mode, _| sink(path, mode));
}

/// Lists the files of a tree and of those in it with their objects.
pub(super) fn list_with_ids(
    store: &Store,
    id: ObjectId,
    gaps: &mut Gaps,
    sink: &mut dyn FnMut(Vec<u8>, Mode, ObjectId),
) {
    walk(store, Vec::new(), id, gaps, sink);
}

fn walk(store: &Store, path: Vec<u8>, id: ObjectId, gaps: &mut Gaps, sink: &mut dyn FnMut(Vec<u8>, Mode, ObjectId)) {
    let mut left = vec![(path, id)];
    let mut buffer = Vec::new();
    while let Some((path, id)) = left.pop() {
        if is_too_deep(&path) {
            gaps.add(&path, id, "is nested too deeply");
            continue;
        }
        match entries(store, id, &mut buffer) {
            Ok(entries) => {
                for entry in entries {
                    let mut path = path.clone();
                    path.extend_from_slice(&entry.name);
                    if let Some(mode) = entry.mode {
                        sink(path, mode, entry.id);
                    } else {
                        path.push(b'/');
                        left.push((path, entry.id));
                    }
                }
            }
            Err(why) => gaps.add(&path, id, &why),
        }
    }
}
