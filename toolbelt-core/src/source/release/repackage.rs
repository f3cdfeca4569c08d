//! Packages a commit a second time, from another clone in other surroundings: the bytes must be the same.

use std::collections::{BTreeMap, BTreeSet};

use super::archive::Contents;
use super::rebuild::{Rebuilt, Request, Surroundings, rebuild_in};
use crate::finding::{Fact, Unknown};
use crate::subject::release::Repackaged;

/// Packages what was rebuilt once more, and compares.
///
/// The second clone has another path and a folder of another name, files that nobody else may read, another time zone and
/// another language.
pub fn repackage(request: &Request<'_>, first: &BTreeMap<String, Fact<Rebuilt>>) -> BTreeMap<String, Fact<Repackaged>> {
    let is_any_known = first.values().any(|first| first.known().is_some());
    let mut second = if is_any_known { rebuild_in(request, Surroundings::Other) } else { BTreeMap::new() };
    let compare = |(name, first): (&String, &Fact<Rebuilt>)| {
        let compared = match (first, second.remove(name)) {
            (Fact::Known(first), Some(Fact::Known(second))) => Fact::Known(compare(first, &second)),
            (Fact::Unknown(unknown), _) => Fact::Unknown(unknown.clone()),
            (Fact::Known(_), Some(Fact::Unknown(unknown))) => Fact::Unknown(unknown),
            (Fact::Known(_), None) => Fact::Unknown(Unknown::new("it was not packaged a second time")),
        };
        (name.clone(), compared)
    };
    first.iter().map(compare).collect()
}

fn compare(first: &Rebuilt, second: &Rebuilt) -> Repackaged {
    Repackaged {
        digests: [first.contents.file.digest, second.contents.file.digest],
        different: different(&first.contents, &second.contents),
    }
}

fn different(one: &Contents, other: &Contents) -> Vec<String> {
    let paths: BTreeSet<&String> = one.file.files.keys().chain(other.file.files.keys()).collect();
    let differs = |path: &&String| one.file.files.get(*path) != other.file.files.get(*path);
    paths.into_iter().filter(differs).cloned().collect()
}
