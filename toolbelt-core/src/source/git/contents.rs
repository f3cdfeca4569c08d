//! Hands out the contents of changes, with the lines of each that are new.

use std::collections::{HashMap, HashSet};

use gix::objs::Kind;
use rayon::prelude::*;

use super::changes::{Change, Version};
use super::gaps::Gaps;
use super::lines::{NewLines, new_lines};
use super::store::{Missing, Store};
use super::{Met, Visit};
use crate::report::Coverage;
use crate::subject::content::{Content, ContentKind, News, ObjectId};
use crate::subject::sighting::{Exposure, Place};
use crate::subject::tree::Mode;

/// A blob that has to be looked at.
#[derive(Debug)]
pub(super) struct Job {
    place: Place,
    path: Vec<u8>,
    before: Vec<ObjectId>,
}

/// The blobs that changes bring, and that nobody has seen.
///
/// A file that was moved is compared with what it was: an added blob that a removed path had is not new, and one whose
/// file name a removed path had is compared with that, the one that shares most of the end of the path.
pub(super) fn jobs(
    changes: Vec<Change>,
    seen: &mut HashSet<ObjectId>,
    commit: Option<ObjectId>,
    exposure: &Exposure,
) -> Vec<Job> {
    let mut gone_ids = HashSet::new();
    let mut gone_names: HashMap<Vec<u8>, Vec<(Vec<u8>, ObjectId)>> = HashMap::new();
    for change in changes.iter().filter(|change| change.after.is_none()) {
        for version in &change.before {
            gone_ids.insert(version.id);
            let gone = gone_names.entry(file_name(&change.path).to_vec()).or_default();
            gone.push((change.path.clone(), version.id));
        }
    }
    let mut jobs = Vec::new();
    for change in changes {
        let Some(Version { mode, id }) = change.after else { continue };
        let known = |version: &Version| version.id == id && version.mode != Mode::Submodule;
        if mode == Mode::Submodule || change.before.iter().any(known) || gone_ids.contains(&id) || !seen.insert(id) {
            continue;
        }
        let files = change.before.iter().filter(|version| version.mode != Mode::Submodule);
        let mut before: Vec<ObjectId> = files.map(|version| version.id).collect();
        if before.is_empty()
            && let Some(gone) = gone_names.get(file_name(&change.path))
        {
            let nearest = gone.iter().max_by_key(|(path, _)| shared_end(path, &change.path));
            before.extend(nearest.map(|(_, id)| *id));
        }
        let path = Some(String::from_utf8_lossy(&change.path).into_owned());
        let place = Place { path, object: id, kind: ContentKind::Blob, commit, exposure: exposure.clone() };
        jobs.push(Job { place, path: change.path, before });
    }
    jobs
}

fn file_name(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(path, |slash| &path[slash + 1..])
}

fn shared_end(left: &[u8], right: &[u8]) -> usize {
    left.iter().rev().zip(right.iter().rev()).take_while(|(left, right)| left == right).count()
}

/// Below this, starting threads costs more than they bring.
const WORTH_THREADS: usize = 8;

/// Hands out blobs, several at a time if there are many.
pub(super) fn visit(store: &Store, jobs: &[Job], visit: Visit<'_>, gaps: &mut Gaps, coverage: &mut Coverage) {
    let results: Vec<Result<usize, Missing>> = if jobs.len() < WORTH_THREADS {
        let mut buffers = Buffers::default();
        jobs.iter().map(|job| job.run(store, &mut buffers, visit)).collect()
    } else {
        // The store of a thread is its own, and the original cannot be shared.
        let stores = std::sync::Mutex::new(store.clone());
        let own = || {
            let shared = stores.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            (shared.clone(), Buffers::default())
        };
        jobs.par_iter().map_init(own, |(store, buffers), job| job.run(store, buffers, visit)).collect()
    };
    for (job, result) in jobs.iter().zip(results) {
        match result {
            Ok(bytes) => {
                coverage.count("objects", 1);
                coverage.count("bytes", bytes);
            }
            Err(missing) => gaps.add(&job.path, job.place.object, &missing.to_string()),
        }
    }
}

#[derive(Default)]
struct Buffers {
    after: Vec<u8>,
    before: Vec<Vec<u8>>,
}

impl Job {
    /// Hands out one blob, and says how many bytes of it are new.
    fn run(&self, store: &Store, buffers: &mut Buffers, visit: Visit<'_>) -> Result<usize, Missing> {
        let Buffers { after, before } = buffers;
        let bytes = store.read_kind(&self.place.object, Kind::Blob, after)?;
        before.resize_with(self.before.len().max(before.len()), Vec::new);
        // A version that cannot be had only makes more of this one new.
        let versions = self.before.iter().zip(before.iter_mut());
        let versions: Vec<&[u8]> =
            versions.filter_map(|(id, buffer)| store.read_kind(id, Kind::Blob, buffer).ok()).collect();
        let new = new_lines(&versions, bytes);
        let (news, length) = match &new {
            NewLines::All => (News::All, bytes.len()),
            NewLines::Some(ranges) if ranges.is_empty() => return Ok(0),
            NewLines::Some(ranges) => (News::Lines(ranges), ranges.iter().map(ExactSizeIterator::len).sum()),
        };
        let content = Content { id: self.place.object, kind: ContentKind::Blob, bytes, news };
        visit(&Met { content, place: Some(&self.place), pack: None });
        Ok(length)
    }
}
