//! What could not be looked at, gathered by reason so that a thousand missing objects are one line.

use std::collections::BTreeMap;

use crate::report::Coverage;
use crate::subject::content::ObjectId;

/// What could not be looked at.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    by_reason: BTreeMap<String, Gap>,
}

#[derive(Debug)]
struct Gap {
    first: String,
    count: usize,
}

impl Gaps {
    /// Adds an object that something at `path` refers to; an empty path for none.
    pub(super) fn add(&mut self, path: &[u8], id: ObjectId, why: &str) {
        let first = match path {
            [] => format!("object {id}"),
            path => format!("`{}` (object {id})", String::from_utf8_lossy(path)),
        };
        self.note(first, why);
    }

    /// Adds something else.
    pub(super) fn note(&mut self, what: String, why: &str) {
        let gap = self.by_reason.entry(why.to_owned()).or_insert_with(|| Gap { first: what, count: 0 });
        gap.count += 1;
    }

    /// Whether everything could be looked at.
    pub(super) fn is_empty(&self) -> bool {
        self.by_reason.is_empty()
    }

    /// One of the reasons; none if everything could be looked at.
    pub(super) fn first(&self) -> Option<&str> {
        self.by_reason.keys().next().map(String::as_str)
    }

    /// Writes down what there is.
    pub(super) fn into_coverage(self, coverage: &mut Coverage) {
        for (why, gap) in self.by_reason {
            coverage.could_not_look = true;
            let what = if gap.count == 1 { gap.first } else { format!("{} and others", gap.first) };
            coverage.skip(what, gap.count, why);
        }
    }
}
