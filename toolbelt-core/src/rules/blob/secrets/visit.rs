//! One look at one content.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use regex_automata::util::captures::Captures;
use regex_automata::{Anchored, Input, PatternID};

use super::assignment::{self, Assignment};
use super::credential::Judged;
use super::engine::{Engine, Scanned};
use super::{Match, boundary, connection, credential, encoded, entropy, placeholder, proof};
use crate::subject::content::Descendants;
use crate::subject::pattern::{Pattern, Shape};
use crate::subject::sighting::{Candidate, Proof, SecretValue};

/// Of a line that is longer, pieces of this length are looked at, with [`OVERLAP`] on either side.
const PIECE: usize = 16 << 10;
/// The longest token that is found in a long line, whatever piece it begins in.
const OVERLAP: usize = 8 << 10;
/// How far a pattern over several lines reads on.
const SPAN: usize = 64 << 10;
/// How often an expression is tried at a keyword before it is run on the piece as a whole.
const TRIES: u16 = 16;
/// How far behind the mention of a provider a name may stand: `datadog: { api_key: … }`.
const NEAR: usize = 80;
/// How many encodings within each other are opened.
const MAX_DEPTH: u8 = 2;

/// What was found, before it is known whether something better was found at the same place.
struct Raw {
    pattern: usize,
    value: Range<usize>,
    name: Option<Range<usize>>,
    /// The lower, the better.
    rank: (Rank, Reverse<usize>),
}

/// How much a way to find something knows about it, most first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Text,
    Assigned,
    /// A beginning of three letters says less than a name does.
    ShortText,
    Encoded,
    Connection,
    Credential,
}

/// What was tried on the current piece of the current line.
#[derive(Clone, Copy)]
struct Tried {
    pattern: usize,
    piece: usize,
    tries: u16,
    is_swept: bool,
}

pub(super) struct Visit<'e, 'b> {
    engine: &'e Engine,
    bytes: &'b [u8],
    depth: u8,
    /// The line of the last keyword, without its end.
    line: Range<usize>,
    /// Where the text for assignments ends: behind the next line, if that begins with a lone `value` key.
    joined: Option<usize>,
    tried: Vec<Tried>,
    /// Patterns whose provider was mentioned on this line, and where the mention ends.
    mentioned: Vec<(usize, usize)>,
    /// The last assignment that was read: the keyword's place, where the text began, and the answer.
    last: Option<(Range<usize>, usize, Option<Assignment>)>,
    /// The value that was judged last.
    judged: Range<usize>,
    /// The run of base64 that was looked at last.
    run: Range<usize>,
    raws: Vec<Raw>,
    nested: Vec<Match>,
    /// How much may still be tried, in bytes; what hostile texts are bounded by.
    fuel: usize,
    is_cut: bool,
    is_whole: bool,
}

impl<'e, 'b> Visit<'e, 'b> {
    pub(super) fn new(engine: &'e Engine, bytes: &'b [u8], depth: u8) -> Self {
        Self {
            engine,
            bytes,
            depth,
            line: 0..0,
            joined: None,
            tried: Vec::new(),
            mentioned: Vec::new(),
            last: None,
            judged: 0..0,
            run: 0..0,
            raws: Vec::new(),
            nested: Vec::new(),
            fuel: bytes.len().saturating_mul(64).saturating_add(1 << 20),
            is_cut: false,
            is_whole: false,
        }
    }

    pub(super) fn scan(mut self, parts: &[Range<usize>], found: &mut Vec<Match>) -> Scanned {
        let engine = self.engine;
        for part in parts {
            let Some(part) = self.widened(part) else { continue };
            self.line = part.start..part.start;
            engine.keywords.find(self.bytes, part.clone(), |keyword, owner| self.meet(keyword, owner, &part));
        }
        let is_whole = self.is_whole;
        let is_cut = self.is_cut | self.finish(found);
        Scanned { descendants: if is_whole || is_cut { Descendants::Whole } else { Descendants::ByNews }, is_cut }
    }

    /// The part, and the line before it if its first line belongs to that.
    fn widened(&self, part: &Range<usize>) -> Option<Range<usize>> {
        let (mut start, end) = (part.start, part.end.min(self.bytes.len()));
        if start >= end {
            return None;
        }
        let first = &self.bytes[start..end.min(start + 64)];
        if start > 0 && assignment::is_value_key(first) {
            start = memchr::memrchr(b'\n', &self.bytes[..start - 1]).map_or(0, |at| at + 1);
        }
        Some(start..end)
    }

    fn meet(&mut self, keyword: Range<usize>, owner: u32, part: &Range<usize>) {
        if self.is_cut {
            return;
        }
        if keyword.start >= self.line.end {
            self.enter(keyword.start, part);
        }
        let engine = self.engine;
        let owner = &engine.owners[owner as usize];
        self.is_whole |= owner.spans_lines;
        for &(pattern, is_at_keyword) in &owner.texts {
            self.text(pattern, &keyword, is_at_keyword);
        }
        if owner.is_name || !owner.assigned.is_empty() {
            self.name(&keyword, &owner.assigned, owner.is_name);
        }
        if owner.is_connection {
            self.connection(&keyword);
        }
        if let Some(shift) = owner.encoded {
            self.encoded(&keyword, shift);
        }
    }

    /// Goes to the line of a place.
    fn enter(&mut self, at: usize, part: &Range<usize>) {
        let from = self.line.end.max(part.start);
        let start = memchr::memrchr(b'\n', &self.bytes[from..at]).map_or(from, |found| from + found + 1);
        let end = memchr::memchr(b'\n', &self.bytes[at..part.end]).map_or(part.end, |found| at + found);
        self.line = start..end;
        self.joined = None;
        self.tried.clear();
        self.mentioned.clear();
        self.last = None;
    }

    /// The line without a carriage return.
    fn line(&self) -> Range<usize> {
        let end = self.line.end - usize::from(self.bytes[self.line.clone()].ends_with(b"\r"));
        self.line.start..end
    }

    fn spend(&mut self, bytes: usize) {
        self.fuel = self.fuel.saturating_sub(bytes + 16);
        self.is_cut |= self.fuel == 0;
    }

    /// Runs the expression of a pattern that met its keyword.
    fn text(&mut self, pattern: usize, keyword: &Range<usize>, is_at_keyword: bool) {
        let spans_lines = self.engine.patterns()[pattern].spans_lines;
        let piece = if spans_lines { 0 } else { (keyword.start - self.line.start) / PIECE };
        let place = self.tried.binary_search_by_key(&(pattern, piece), |tried| (tried.pattern, tried.piece));
        let place = place.unwrap_or_else(|place| {
            self.tried.insert(place, Tried { pattern, piece, tries: 0, is_swept: false });
            place
        });
        let tried = &mut self.tried[place];
        if tried.is_swept {
            return;
        }
        tried.tries += 1;
        if is_at_keyword && tried.tries <= TRIES {
            let line = if spans_lines { self.line.start..self.bytes.len() } else { self.line() };
            let end = line.end.min(keyword.start + if spans_lines { SPAN } else { 2 * OVERLAP });
            self.search(pattern, &line, keyword.start..end, Anchored::Yes);
            return;
        }
        tried.is_swept = true;
        if spans_lines {
            let line = self.line.start..self.bytes.len();
            let end = line.end.min(self.line.end + SPAN);
            self.search(pattern, &line, self.line.start..end, Anchored::No);
            return;
        }
        let line = self.line();
        let start = (line.start + piece * PIECE).saturating_sub(OVERLAP).max(line.start);
        let end = (line.start + (piece + 1) * PIECE + OVERLAP).min(line.end);
        self.search(pattern, &line, start..end, Anchored::No);
    }

    /// Adds the matches of an expression in `window`, which is a part of `line`.
    fn search(&mut self, pattern: usize, line: &Range<usize>, window: Range<usize>, anchored: Anchored) {
        let engine = self.engine;
        let Some(regex) = engine.expressions[pattern].as_ref().and_then(super::expression::Lazy::get) else { return };
        let text = &self.bytes[line.clone()];
        let (mut at, end) = (window.start - line.start, window.end - line.start);
        while at < end && !self.is_cut {
            let input = Input::new(text).range(at..end).anchored(anchored);
            let Some(found) = regex.search(&input) else {
                self.spend(if anchored == Anchored::Yes { 64 } else { end - at });
                return;
            };
            let range = found.range();
            self.spend(range.end - at);
            let is_apart = !range.is_empty() && boundary::is_apart(text, &range);
            if is_apart {
                let secret = regex.group_info().to_index(PatternID::ZERO, "secret");
                let value = secret.and_then(|group| {
                    let mut captures = Captures::all(regex.group_info().clone());
                    let input = Input::new(text).range(range.start..end).anchored(Anchored::Yes);
                    regex.search_captures(&input, &mut captures);
                    captures.get_group(group).map(|span| span.range())
                });
                let value = value.unwrap_or_else(|| range.clone());
                let value = line.start + value.start..line.start + value.end;
                let weight = self.weight(pattern);
                let rank = if weight > 3 { Rank::Text } else { Rank::ShortText };
                self.add(Raw { pattern, value, name: None, rank: (rank, Reverse(weight)) });
            }
            if anchored == Anchored::Yes {
                return;
            }
            at = if is_apart { range.end } else { range.start + 1 };
        }
    }

    /// How specific a pattern is: the length of its longest keyword.
    fn weight(&self, pattern: usize) -> usize {
        match &self.engine.patterns()[pattern].shape {
            Shape::Text { keywords, .. } => keywords.iter().map(String::len).max().unwrap_or(0),
            Shape::Assigned { names, .. } => names.iter().map(String::len).max().unwrap_or(0),
            Shape::Judged => 0,
        }
    }

    /// Adds what was found, unless it is a stand-in or not random enough.
    fn add(&mut self, raw: Raw) {
        let value = &self.bytes[raw.value.clone()];
        let pattern = &self.engine.patterns()[raw.pattern];
        let is_judged = pattern.shape == Shape::Judged;
        if value.is_empty() || (!is_judged && !pattern.spans_lines && placeholder::is_placeholder(value)) {
            return;
        }
        if pattern.entropy > 0 && entropy::shannon(value) < pattern.entropy {
            return;
        }
        self.raws.push(raw);
        self.is_cut |= self.raws.len() > 4 * Engine::MAX_MATCHES;
    }

    /// The text in which assignments are read: the line, with the next one if that begins with a lone `value` key; of a
    /// long line a piece around the keyword.
    fn assignment_text(&mut self, keyword: &Range<usize>) -> Range<usize> {
        let (bytes, line) = (self.bytes, self.line.clone());
        let end = *self.joined.get_or_insert_with(|| {
            let next = bytes.get(line.end + 1..).unwrap_or_default();
            if !assignment::is_value_key(&next[..next.len().min(64)]) {
                return line.end;
            }
            let next = &next[..next.len().min(2 * Assignment::MAX_VALUE)];
            line.end + 1 + memchr::memchr(b'\n', next).unwrap_or(next.len())
        });
        let start = keyword.start.saturating_sub(OVERLAP).max(line.start);
        start..end.min(keyword.end + PIECE)
    }

    /// Looks at what the name around a keyword is given.
    fn name(&mut self, keyword: &Range<usize>, assigned: &[usize], is_name: bool) {
        if !Assignment::may_follow(self.bytes, keyword.end) {
            // Most names are only mentioned.
            self.mentioned.extend(assigned.iter().map(|&pattern| (pattern, keyword.end)));
            return;
        }
        let text = self.assignment_text(keyword);
        let base = text.start;
        let assignment = match &self.last {
            // Several keywords are often parts of one name.
            Some((known, from, assignment)) if *known == *keyword && *from == base => assignment.clone(),
            // Of a long line, the text of another keyword begins elsewhere, and so do the places in it.
            Some((_, from, Some(assignment)))
                if *from == base
                    && assignment.name.start + base <= keyword.start
                    && keyword.end <= assignment.name.end + base =>
            {
                Some(assignment.clone())
            }
            _ => {
                let inner = keyword.start - base..keyword.end - base;
                Assignment::at(&self.bytes[text.clone()], inner)
            }
        };
        self.last = Some((keyword.clone(), base, assignment.clone()));
        let Some(assignment) = assignment else {
            self.spend(0);
            self.mentioned.extend(assigned.iter().map(|&pattern| (pattern, keyword.end)));
            return;
        };
        let range = |inner: &Range<usize>| base + inner.start..base + inner.end;
        let (name, value) = (range(&assignment.name), range(&assignment.value));
        // It is read, compared and judged.
        self.spend(4 * value.len());
        for &pattern in assigned {
            self.assigned(pattern, &name, &value);
        }
        self.mentioned.extend(assigned.iter().map(|&pattern| (pattern, keyword.end)));
        if !is_name {
            return;
        }
        if self.judged == value {
            return;
        }
        self.judged = value.clone();
        for pattern in self.engine.named(&self.bytes[name.clone()]) {
            if !assigned.contains(&pattern) {
                self.assigned(pattern, &name, &value);
            }
        }
        // Mentions were met in the order of the line: only the last ones are near, and a line may have a million of them.
        let mentions = self.mentioned.iter().rev().take_while(|(_, end)| end + 2 * NEAR >= name.start);
        let near = |&&(_, end): &&(usize, usize)| end <= name.start && name.start - end <= NEAR;
        let mut near: Vec<usize> = mentions.filter(near).map(|(pattern, _)| *pattern).collect();
        near.reverse();
        for pattern in near {
            self.assigned(pattern, &name, &value);
        }
        if let Some(judged) = credential::judge(&assignment, &self.bytes[text]) {
            self.judged(judged, base, self.engine.first_credential, Rank::Credential);
        }
    }

    /// Adds a value if it is what the pattern says as a whole.
    fn assigned(&mut self, pattern: usize, name: &Range<usize>, value: &Range<usize>) {
        let engine = self.engine;
        let regex = engine.expressions[pattern].as_ref().and_then(super::expression::Lazy::get);
        self.spend(value.len());
        if regex.is_some_and(|regex| regex.is_match(&self.bytes[value.clone()])) {
            let rank = (Rank::Assigned, Reverse(self.weight(pattern)));
            self.add(Raw { pattern, value: value.clone(), name: Some(name.clone()), rank });
        }
    }

    fn connection(&mut self, keyword: &Range<usize>) {
        let text = self.assignment_text(keyword);
        let base = text.start;
        self.spend(64);
        if let Some(judged) = connection::judge(&self.bytes[text], keyword.start - base..keyword.end - base) {
            self.judged(judged, base, self.engine.first_connection, Rank::Connection);
        }
    }

    /// Adds what a judgement found; one that names no pattern or no value found nothing.
    fn judged(&mut self, judged: Judged, base: usize, first: usize, rank: Rank) {
        let range = |inner: Range<usize>| base + inner.start..base + inner.end;
        let (pattern, value) = (first + judged.pattern, range(judged.value));
        if pattern < self.engine.patterns().len() && value.end <= self.bytes.len() && value.start <= value.end {
            self.add(Raw { pattern, value, name: judged.name.map(range), rank: (rank, Reverse(0)) });
        }
    }

    /// Decodes the base64 around a keyword and looks at that.
    fn encoded(&mut self, keyword: &Range<usize>, shift: u8) {
        if self.depth >= MAX_DEPTH || (self.run.start <= keyword.start && keyword.end <= self.run.end) {
            return;
        }
        let line = self.line.clone();
        let inner = keyword.start - line.start..keyword.end - line.start;
        let text = &self.bytes[line.clone()];
        let run = encoded::run(text, inner.clone());
        self.run = line.start + run.start..line.start + run.end;
        self.spend(run.len());
        let Some((run, decoded)) = encoded::decode(text, inner, shift) else { return };
        let mut found = Vec::new();
        let whole = 0..decoded.len();
        let visit = Visit {
            fuel: self.fuel.min(64 * decoded.len() + (1 << 16)),
            ..Visit::new(self.engine, &decoded, self.depth + 1)
        };
        visit.scan(std::slice::from_ref(&whole), &mut found);
        for mut inner in found {
            inner.span = line.start + run.start..line.start + run.end;
            inner.layers.insert(0, "base64".to_owned());
            self.nested.push(inner);
        }
        self.is_cut |= self.nested.len() > 4 * Engine::MAX_MATCHES;
    }

    /// Keeps the best of what was found at each place; says whether some of it had to be left out, which what is proven
    /// never is for the sake of what is not.
    fn finish(self, found: &mut Vec<Match>) -> bool {
        let Self { engine, bytes, mut raws, nested, .. } = self;
        raws.sort_by_key(|raw| (raw.rank, Reverse(raw.value.len()), raw.value.start, raw.pattern));
        let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
        let mut is_free = |range: &Range<usize>, takes: bool| {
            let before = taken.range(..range.end).next_back();
            let is_free = before.is_none_or(|(_, end)| *end <= range.start);
            if is_free && takes {
                taken.insert(range.start, range.end);
            }
            is_free
        };
        let (known, judged): (Vec<Raw>, Vec<Raw>) = raws.into_iter().partition(|raw| raw.rank.0 < Rank::Encoded);
        let mut kept: Vec<Match> = Vec::new();
        let take = |raw: Raw| found_in(engine, bytes, &raw);
        kept.extend(known.into_iter().filter(|raw| is_free(&raw.value, true)).map(take));
        let nested: Vec<Match> = nested.into_iter().filter(|inner| is_free(&inner.span, false)).collect();
        for inner in &nested {
            is_free(&inner.span, true);
        }
        kept.extend(nested);
        kept.extend(judged.into_iter().filter(|raw| is_free(&raw.value, true)).map(take));
        let is_cut = kept.len() > Engine::MAX_MATCHES;
        kept.sort_by_key(|one| !matches!(one.candidate.proof, Proof::Holds(_)));
        kept.truncate(Engine::MAX_MATCHES);
        kept.sort_by(|one, two| {
            let key = |one: &Match| (one.span.start, one.span.end);
            key(one).cmp(&key(two)).then_with(|| one.candidate.pattern.id.cmp(&two.candidate.pattern.id))
        });
        found.extend(kept);
        is_cut
    }
}

fn found_in(engine: &Engine, bytes: &[u8], raw: &Raw) -> Match {
    let pattern: &std::sync::Arc<Pattern> = &engine.patterns()[raw.pattern];
    let value = &bytes[raw.value.clone()];
    let candidate = Candidate {
        pattern: pattern.clone(),
        value: SecretValue::new(value),
        name: raw.name.clone().map(|name| String::from_utf8_lossy(&bytes[name]).into_owned()),
        proof: pattern.proof.map_or(Proof::None, |kind| proof::prove(kind, value)),
        surroundings: surroundings(bytes, &raw.value),
    };
    Match { candidate, span: raw.value.clone(), layers: Vec::new() }
}

/// The line around a value, at most 200 characters, with the value left out.
fn surroundings(bytes: &[u8], value: &Range<usize>) -> String {
    const SIDE: usize = 99;
    let line = memchr::memrchr(b'\n', &bytes[value.start.saturating_sub(4 * SIDE)..value.start])
        .map_or(value.start.saturating_sub(4 * SIDE), |at| value.start.saturating_sub(4 * SIDE) + at + 1);
    let after = &bytes[value.end..bytes.len().min(value.end + 4 * SIDE)];
    let after = &after[..memchr::memchr(b'\n', after).unwrap_or(after.len())];
    let before = String::from_utf8_lossy(&bytes[line..value.start]);
    let skipped = before.chars().count().saturating_sub(SIDE);
    let before: String = before.chars().skip(skipped).collect();
    let after: String = String::from_utf8_lossy(after).trim_end().chars().take(SIDE).collect();
    format!("{before}…{after}")
}
