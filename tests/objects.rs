//! The walk over all objects on real repositories: what is new in them is all there is in them.
//!
//! `TOOLBELT_REPOSITORIES` names their common git directories, separated as in `PATH`.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test fails by panicking and says what it skips")]

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::path::Path;
use std::sync::Mutex;

use toolbelt_core::source::git::objects::{self, Directories, Options, Visited, hash};
use toolbelt_core::subject::content::{Descendants, ObjectId};

#[test]
fn every_line_of_real_repositories_is_news_somewhere() {
    let Some(list) = std::env::var_os("TOOLBELT_REPOSITORIES") else {
        return eprintln!("skipped: TOOLBELT_REPOSITORIES names no repositories");
    };
    for path in std::env::split_paths(&list) {
        let (by_news, ids, visited) = walk(&path, Descendants::ByNews);
        let (whole, all, full) = walk(&path, Descendants::Whole);
        assert!(by_news == whole, "{}: lines were missed", path.display());
        assert!(ids == all, "{}: objects were missed", path.display());
        assert_eq!((visited.objects(), full.news), (full.objects(), full.bytes));
    }
}

/// The hashes of all lines that are handed out when every content is answered so, and the ids of the contents.
fn walk(repository: &Path, answer: Descendants) -> (HashSet<u64>, BTreeSet<ObjectId>, Visited) {
    let (lines, ids) = (Mutex::new(HashSet::new()), Mutex::new(BTreeSet::new()));
    let state = BuildHasherDefault::<DefaultHasher>::new();
    let directories = Directories::find(repository, Path::new("."), &BTreeMap::new());
    let visited = objects::visit(&directories, hash::Kind::Sha1, Options::default(), &|met| {
        let content = met.content;
        let mut found = HashSet::new();
        for part in content.parts() {
            let part = &content.bytes[part];
            found.extend(part.split_inclusive(|&byte| byte == b'\n').map(|line| state.hash_one(line)));
        }
        lines.lock().unwrap().extend(found);
        ids.lock().unwrap().insert(content.id);
        answer
    });
    (lines.into_inner().unwrap(), ids.into_inner().unwrap(), visited.unwrap())
}
