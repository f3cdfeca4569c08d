//! Searches each content once for everything, and keeps what was seen.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use globset::GlobSet;
use memchr::{memchr, memchr_iter, memmem, memrchr};

use crate::report::Coverage;
use crate::rules::blob::marks::{self, Mark};
use crate::rules::blob::secrets::engine::{Engine, Scanned};
use crate::rules::blob::secrets::{Match, key_file};
use crate::source::content::{self, Opened, Opener, Part, Why};
use crate::source::git::Met;
use crate::subject::Region;
use crate::subject::content::{ContentKind, Descendants, News, ObjectId};
use crate::subject::inline_marker::InlineMarker;
use crate::subject::sighting::{Observation, Place, Sighting};
use crate::subject::sign_off::{self, SignOff};

/// The longest line that is searched for a marker around a finding, in bytes to either side.
const LONGEST_LINE: usize = 4096;

/// The longest last line of a key, in bytes: what is behind its value.
const LAST_LINE: usize = 80;

/// Searches contents, from any thread.
pub(super) struct Collector<'a> {
    engine: &'a Engine,
    excluded: &'a GlobSet,
    marks: marks::Limits,
    sign_offs: SignOffs,
    seen: Mutex<Vec<Seen>>,
    opener: Opener,
    opened: Mutex<Opened>,
    excluded_contents: AtomicU64,
    cut: AtomicU64,
}

/// What is made of the sign-offs of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SignOffs {
    /// They are not looked at.
    Ignored,
    /// Those of commits.
    OfCommits,
    /// Those of a message that is about to be committed by these people, by their e-mail addresses.
    OfMessage(Vec<String>),
}

/// One thing that was seen, with or without a place.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// The object that holds it.
    pub(super) object: ObjectId,
    /// Where it was met, where the walk knew.
    pub(super) place: Option<Place>,
    observation: Observation,
    region: Option<Region>,
    layers: Vec<String>,
    marker: Option<InlineMarker>,
}

impl Seen {
    /// What was seen, at a place.
    pub(super) fn at(&self, place: Place) -> Sighting {
        Sighting {
            observation: self.observation.clone(),
            region: self.region.clone(),
            layers: self.layers.clone(),
            marker: self.marker.clone(),
            place,
        }
    }

    /// What makes two sightings the same one in several versions of a file: the value of a secret, else the kind.
    pub(super) fn same_thing(&self) -> (&str, &[u8]) {
        match &self.observation {
            Observation::Secret(candidate) => (candidate.pattern.id.as_str(), candidate.value.expose()),
            Observation::BidiControl(_) => ("bidi-control", &[]),
            Observation::InvisibleCharacter(_) => ("invisible-character", &[]),
            Observation::ConflictMarker(_) => ("conflict-marker", &[]),
            Observation::Large(_) => ("large-file", &[]),
            Observation::Executable(_) => ("executable-binary", &[]),
            Observation::MissingSignOff(_) => ("missing-sign-off", &[]),
        }
    }
}

impl<'a> Collector<'a> {
    pub(super) fn new(engine: &'a Engine, excluded: &'a GlobSet, marks: marks::Limits, sign_offs: SignOffs) -> Self {
        Self {
            engine,
            excluded,
            marks,
            sign_offs,
            seen: Mutex::default(),
            opener: Opener::new(content::Limits::default()),
            opened: Mutex::default(),
            excluded_contents: AtomicU64::new(0),
            cut: AtomicU64::new(0),
        }
    }

    /// Searches one content.
    pub(super) fn visit(&self, met: &Met<'_>) -> Descendants {
        if self.is_excluded(met) {
            self.excluded_contents.fetch_add(1, Ordering::Relaxed);
            return Descendants::Whole;
        }
        let mut found = Vec::new();
        let descendants = self.search(met, &mut found);
        if found.is_empty() {
            return descendants;
        }
        // What holds something is looked at as a whole in every version: so each version that has it is known, also where
        // the one that it was found in turns out to be excluded, and the oldest of them can be named.
        let is_about_lines = found.iter().any(|seen| seen.region.is_some() || !seen.layers.is_empty());
        self.seen.lock().expect("no visitor panics").append(&mut found);
        if is_about_lines { Descendants::Whole } else { descendants }
    }

    /// What decides what is seen, in a few words.
    pub(super) fn digest(&self) -> String {
        format!("{} {:?} {:?}", self.engine.digest(), self.marks, content::Limits::default())
    }

    /// The objects in which something was seen up to now.
    pub(super) fn objects(&self) -> BTreeSet<ObjectId> {
        self.seen.lock().expect("no visitor panics").iter().map(|seen| seen.object).collect()
    }

    /// Gives back what was seen, and says what was not looked at.
    pub(super) fn finish(self, coverage: &mut Coverage) -> Vec<Seen> {
        let excluded = self.excluded_contents.into_inner();
        if excluded > 0 {
            coverage.skip(
                "files",
                usize::try_from(excluded).unwrap_or(usize::MAX),
                "excluded by the policy (`[scan] exclude`)",
            );
        }
        let cut = self.cut.into_inner();
        if cut > 0 {
            coverage.could_not_look = true;
            coverage.skip(
                "contents",
                usize::try_from(cut).unwrap_or(usize::MAX),
                "hold too much to be searched to the end",
            );
        }
        let opened = self.opened.into_inner().expect("no visitor panics");
        if opened.parts > 0 {
            coverage.count("parts-opened", usize::try_from(opened.parts).unwrap_or(usize::MAX));
        }
        for (cut, count) in &opened.cut {
            // What no limit of ours kept back was looked at as far as anybody can.
            coverage.could_not_look |= match cut.why {
                Why::Nested | Why::Entries | Why::Size | Why::Run => true,
                Why::Format | Why::Encrypted | Why::Damaged => false,
            };
            coverage.skip(cut.what, usize::try_from(*count).unwrap_or(usize::MAX), cut.why.as_str());
        }
        self.seen.into_inner().expect("no visitor panics")
    }
}

impl Collector<'_> {
    fn is_excluded(&self, met: &Met<'_>) -> bool {
        met.place.and_then(|place| place.path.as_ref()).is_some_and(|path| self.excluded.is_match(path))
    }

    /// Searches the content, and what is inside it.
    fn search(&self, met: &Met<'_>, found: &mut Vec<Seen>) -> Descendants {
        let bytes = met.content.bytes;
        let opened = self.opener.open(bytes, &mut |part| self.search_part(met, part, found));
        let parts = opened.rest(&met.content.parts());
        let was_opened = opened.parts > 0 || !opened.cut.is_empty();
        if was_opened {
            self.opened.lock().expect("no visitor panics").add(&opened);
        }
        let mut matches = Vec::new();
        let scanned = self.engine.scan(bytes, &parts, &mut matches);
        self.note(scanned);
        if let (News::Lines(lines), Some(_)) = (met.content.news, met.place) {
            matches.extend(self.completed(bytes, lines, &matches));
        }
        for Match { candidate, span, layers } in matches {
            found.push(seen(met, bytes, Some(span), Observation::Secret(candidate), layers));
        }
        if let Some(SignOff::Missing(others)) = self.sign_off(met) {
            found.push(seen(met, bytes, None, Observation::MissingSignOff(others), Vec::new()));
        }
        if met.content.kind == ContentKind::Blob {
            if let Some(Match { candidate, .. }) = key_file::look(bytes) {
                found.push(seen(met, bytes, None, Observation::Secret(candidate), Vec::new()));
            }
            let mut marked = Vec::new();
            marks::marks(bytes, &parts, self.marks, &mut marked);
            for Mark { span, observation } in marked {
                found.push(seen(met, bytes, span, observation, Vec::new()));
            }
        }
        // Lines of packed bytes say nothing about the lines inside.
        if was_opened { Descendants::Whole } else { scanned.descendants }
    }

    /// What a message says of its sign-offs, where that is wanted.
    fn sign_off(&self, met: &Met<'_>) -> Option<SignOff> {
        if met.content.kind != ContentKind::Commit {
            return None;
        }
        match &self.sign_offs {
            SignOffs::Ignored => None,
            SignOffs::OfCommits => Some(sign_off::of_commit(met.content.bytes)),
            SignOffs::OfMessage(people) => Some(sign_off::of_message(met.content.bytes, people)),
        }
    }

    /// Finds the keys that new lines are a part of, though they begin on an old one: one that is put together in two
    /// commits is whole in the second.
    fn completed(&self, bytes: &[u8], lines: &[Range<usize>], known: &[Match]) -> Vec<Match> {
        let begins = [b"-----BEGIN".as_slice(), b"PuTTY-User-Key-File", b"---- BEGIN"];
        if !begins.iter().any(|begin| memmem::find(bytes, begin).is_some()) {
            return Vec::new();
        }
        let mut all = Vec::new();
        let whole = 0..bytes.len();
        let scanned = self.engine.scan(bytes, std::slice::from_ref(&whole), &mut all);
        self.note(scanned);
        let is_touched = |span: &Range<usize>| {
            let end = span.end + LAST_LINE;
            lines.iter().any(|line| line.start < end && span.start < line.end)
        };
        let is_known = |span: &Range<usize>| known.iter().any(|known| known.span == *span);
        all.retain(|one| one.candidate.pattern.spans_lines && is_touched(&one.span) && !is_known(&one.span));
        all
    }

    /// Keeps count of contents that held too much to be searched to the end.
    fn note(&self, scanned: Scanned) {
        self.cut.fetch_add(u64::from(scanned.is_cut), Ordering::Relaxed);
    }

    /// Searches something inside a content.
    fn search_part(&self, met: &Met<'_>, part: &Part<'_>, found: &mut Vec<Seen>) {
        let mut matches = Vec::new();
        let all = 0..part.bytes.len();
        let scanned = self.engine.scan(part.bytes, std::slice::from_ref(&all), &mut matches);
        self.note(scanned);
        matches.extend(key_file::look(part.bytes));
        for Match { candidate, span, layers } in matches {
            let layers = part.layers.iter().cloned().chain(layers).collect();
            let mut seen = seen(met, part.bytes, Some(span), Observation::Secret(candidate), layers);
            // Only text in another encoding has the lines that an editor shows.
            let is_text = part.layers.len() == 1 && part.layers[0].starts_with("UTF-16");
            seen.region = seen.region.filter(|_| is_text).map(|region| Region {
                start: part.span.start,
                end: part.span.end,
                ..region
            });
            found.push(seen);
        }
    }
}

fn seen(met: &Met<'_>, text: &[u8], span: Option<Range<usize>>, observation: Observation, layers: Vec<String>) -> Seen {
    Seen {
        object: met.content.id,
        place: met.place.cloned(),
        marker: span.as_ref().and_then(|span| InlineMarker::find(line_around(text, span))),
        region: span.map(|span| region(text, span)),
        observation,
        layers,
    }
}

/// The line that a span begins on, as far as it is near.
fn line_around<'a>(text: &'a [u8], span: &Range<usize>) -> &'a [u8] {
    let near = span.start.saturating_sub(LONGEST_LINE);
    let start = memrchr(b'\n', &text[near..span.start]).map_or(near, |at| near + at + 1);
    let end = text.len().min(span.end + LONGEST_LINE);
    let end = memchr(b'\n', &text[span.end..end]).map_or(end, |at| span.end + at);
    &text[start..end]
}

/// Line and column of a span in bytes that need not be UTF-8: what is not counts as one character a byte.
fn region(text: &[u8], span: Range<usize>) -> Region {
    let count = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    let line = memchr_iter(b'\n', &text[..span.start]).count() + 1;
    let first = memrchr(b'\n', &text[..span.start]).map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(&text[first..span.start]).chars().count() + 1;
    Region { line: count(line), column: count(column), start: span.start, end: span.end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters() {
        let text = "a\nä secret\n".as_bytes();
        assert_eq!(region(text, 5..11), Region { line: 2, column: 3, start: 5, end: 11 });
        assert_eq!(line_around(text, &(5..11)), "ä secret".as_bytes());
        assert_eq!(line_around(text, &(0..1)), b"a");
    }
}
