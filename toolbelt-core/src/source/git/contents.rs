//! Hands out the contents of changes, with the lines of each that are new.

use std::collections::HashSet;

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

/// The blobs that changes bring to paths, each once at each path.
///
/// A blob that is at another path too, or was there before, is new here all the same: the other path may be one that nobody
/// looks at.
pub(super) fn jobs(
    changes: Vec<Change>,
    seen: &mut HashSet<(Vec<u8>, ObjectId)>,
    commit: Option<ObjectId>,
    exposure: &Exposure,
) -> Vec<Job> {
    let mut jobs = Vec::new();
    for change in changes {
        let Some(Version { mode, id }) = change.after else { continue };
        let known = |version: &Version| version.id == id && version.mode != Mode::Submodule;
        if mode == Mode::Submodule || change.before.iter().any(known) || !seen.insert((change.path.clone(), id)) {
            continue;
        }
        let files = change.before.iter().filter(|version| version.mode != Mode::Submodule);
        let before: Vec<ObjectId> = files.map(|version| version.id).collect();
        let path = Some(String::from_utf8_lossy(&change.path).into_owned());
        let place = Place { path, object: id, kind: ContentKind::Blob, commit, exposure: exposure.clone() };
        jobs.push(Job { place, path: change.path, before });
    }
    jobs
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
