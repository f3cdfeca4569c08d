//! Looks for a thousand literals at once, in one pass over the bytes.
//!
//! Each literal is known by four of its bytes (three, if it has no more) that are rare in source text. The pass looks
//! every four bytes up in a table of bits that fits into the first-level cache; the lookups do not wait for each other, so
//! that it runs several times as fast as an automaton, which needs the state of one byte before it can look at the next.
//! The table is made in microseconds, which a scan of three lines is glad of. Each place is looked at by itself, so a
//! literal within another, or overlapping it, is found too.

use std::ops::Range;

/// Literals, compared without the case of ASCII letters, and who asked for them.
#[derive(Debug)]
pub(super) struct Keywords {
    /// One bit for each hash of four bytes; large, so that the hashes of ordinary text hardly meet one by chance.
    fours: Box<[u64; FOURS / 64]>,
    /// One bit for each hash of three bytes.
    threes: Box<[u64; THREES / 64]>,
    /// Sorted by the number of bytes they are known by and these bytes' hash.
    entries: Vec<Entry>,
    /// For each slot, one more than the place of its first entry; 0 if it has none.
    firsts: Vec<u16>,
}

/// How many hashes of four bytes are told apart: 32 KiB of bits.
const FOURS: usize = 1 << 18;
/// How many hashes of three bytes are told apart.
const THREES: usize = 1 << 14;
/// How many slots there are for entries of either kind.
const SLOTS: usize = 1 << 16;
/// More entries have no number; the built-in ones are a tenth.
const MAX_ENTRIES: usize = 65_000;

/// How a literal is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    /// Without case.
    AnyCase,
    /// As it is.
    Exact,
    /// Without case; single `_`, `-`, `.` and blanks in the text are stepped over.
    Loose,
}

#[derive(Debug)]
struct Entry {
    /// The bytes by which it is known, in lower case; three bytes have a zero above them.
    gram: u32,
    /// Where it is looked for, by the hash of these bytes.
    slot: usize,
    /// Where these are in the literal.
    offset: usize,
    /// In lower case, unless compared exactly.
    literal: Box<[u8]>,
    comparison: Comparison,
    owner: u32,
}

impl Keywords {
    /// Takes literals of at least three bytes, each with the number of its owner; shorter ones are never found.
    #[expect(clippy::large_stack_arrays, reason = "32 KiB, which go straight to the heap")]
    pub(super) fn new<'a>(literals: impl Iterator<Item = (&'a [u8], Comparison, u32)>) -> Self {
        let mut keywords = Self {
            fours: Box::new([0; FOURS / 64]),
            threes: Box::new([0; THREES / 64]),
            entries: Vec::new(),
            firsts: vec![0; 2 * SLOTS],
        };
        for (literal, comparison, owner) in literals {
            keywords.add(literal, comparison, owner);
        }
        keywords.entries.sort_by_key(|entry| entry.slot);
        for (place, entry) in (1..).zip(&keywords.entries).collect::<Vec<(u16, _)>>().into_iter().rev() {
            keywords.firsts[entry.slot] = place;
        }
        keywords
    }

    fn add(&mut self, literal: &[u8], comparison: Comparison, owner: u32) {
        let literal: Box<[u8]> =
            if comparison == Comparison::Exact { literal.into() } else { literal.to_ascii_lowercase().into() };
        if self.entries.len() >= MAX_ENTRIES {
            return;
        }
        let length = literal.len();
        // Of a loose one too, these bytes have to stand together: halves to choose from would be found everywhere.
        let (offset, gram, slot) = if length >= 4 {
            let Some(at) = (0..length - 3).min_by_key(|&at| commonness(&literal[at..at + 4])) else { return };
            let gram = fold(four(&literal[at..]));
            set(&mut self.fours, gram);
            (at, gram, slot(gram))
        } else if length == 3 {
            let gram = three(fold(four(&literal)));
            set(&mut self.threes, gram);
            (0, gram, SLOTS + slot(gram))
        } else {
            return;
        };
        self.entries.push(Entry { gram, slot, offset, literal, comparison, owner });
    }

    /// Calls `found` for each place of each literal in `bytes[part]`, by ascending place of its rare bytes.
    ///
    /// `found` gets the range in `bytes` and the owner.
    pub(super) fn find(&self, bytes: &[u8], part: Range<usize>, mut found: impl FnMut(Range<usize>, u32)) {
        let text = &bytes[part.clone()];
        let mut look = |at: usize, gram: u32, slot: usize| {
            let Some(first) = usize::from(self.firsts[slot]).checked_sub(1) else { return };
            for entry in self.entries[first..].iter().take_while(|entry| entry.slot == slot) {
                let range = if entry.gram == gram { entry.compare(text, at) } else { None };
                if let Some(range) = range {
                    found(part.start + range.start..part.start + range.end, entry.owner);
                }
            }
        };
        for (at, window) in text.windows(4).enumerate() {
            let four = fold(four(window));
            let three = three(four);
            let (is_four, is_three) = (get(&self.fours, four), get(&self.threes, three));
            if is_four | is_three {
                if is_four {
                    look(at, four, slot(four));
                }
                if is_three {
                    look(at, three, SLOTS + slot(three));
                }
            }
        }
        if let Some(at) = text.len().checked_sub(3) {
            let three = three(fold(four(&text[at..])));
            look(at, three, SLOTS + slot(three));
        }
    }
}

impl Entry {
    /// The literal's range, if it is there with its rare bytes at `at`.
    fn compare(&self, text: &[u8], at: usize) -> Option<Range<usize>> {
        if self.comparison == Comparison::Loose {
            return self.compare_loosely(text, at);
        }
        let start = at.checked_sub(self.offset)?;
        let there = text.get(start..start + self.literal.len())?;
        let is_there = match self.comparison {
            Comparison::Exact => *there == *self.literal,
            Comparison::AnyCase | Comparison::Loose => there.eq_ignore_ascii_case(&self.literal),
        };
        is_there.then_some(start..start + there.len())
    }

    fn compare_loosely(&self, text: &[u8], at: usize) -> Option<Range<usize>> {
        let is_separator = |byte: u8| matches!(byte, b'_' | b'-' | b'.' | b' ');
        let (before, after) = self.literal.split_at(self.offset);
        let mut end = at;
        for &letter in after {
            if text.get(end).is_some_and(|&byte| is_separator(byte)) {
                end += 1;
            }
            if !text.get(end)?.eq_ignore_ascii_case(&letter) {
                return None;
            }
            end += 1;
        }
        let mut start = at;
        for &letter in before.iter().rev() {
            if start > 0 && is_separator(text[start - 1]) {
                start -= 1;
            }
            start = start.checked_sub(1)?;
            if !text[start].eq_ignore_ascii_case(&letter) {
                return None;
            }
        }
        Some(start..end)
    }
}

/// The first four bytes of a text, filled up with zeros.
fn four(text: &[u8]) -> u32 {
    match text {
        [one, two, three, four, ..] => u32::from_le_bytes([*one, *two, *three, *four]),
        [one, two, three] => u32::from_le_bytes([*one, *two, *three, 0]),
        _ => 0,
    }
}

/// Makes letters lower case, and a few other bytes equal that [`Entry::compare`] tells apart.
const fn fold(gram: u32) -> u32 {
    gram | 0x2020_2020
}

/// The first three bytes of four.
const fn three(gram: u32) -> u32 {
    gram & 0x00ff_ffff
}

const fn hash(gram: u32) -> u32 {
    gram.wrapping_mul(0x9e37_79b1)
}

const fn slot(gram: u32) -> usize {
    (hash(gram) >> 16) as usize
}

/// Which of `N * 64` bits is that of some bytes.
const fn bit<const N: usize>(gram: u32) -> usize {
    (hash(gram) >> (32 - (N * 64).trailing_zeros())) as usize
}

fn set<const N: usize>(bits: &mut [u64; N], gram: u32) {
    bits[bit::<N>(gram) / 64] |= 1 << (bit::<N>(gram) % 64);
}

fn get<const N: usize>(bits: &[u64; N], gram: u32) -> bool {
    bits[bit::<N>(gram) / 64] >> (bit::<N>(gram) % 64) & 1 != 0
}

/// How common a few bytes are in source text, in no unit: the rarer the letters, the lower.
fn commonness(bytes: &[u8]) -> u32 {
    // From the most common letter of English and of code to the least; a place is worth less than a tenth of a bit.
    const LETTERS: &[u8] = b" etnarsoi_ldcupmf-g=.hby/v:w,\"(k)>x'1;0j2<q3z[{}]*4856#79&!$@+%?|~^`\\";
    let worth =
        |byte: u8| LETTERS.iter().position(|&letter| letter == byte.to_ascii_lowercase()).unwrap_or(LETTERS.len());
    let total: usize = bytes.iter().map(|&byte| LETTERS.len() - worth(byte).min(40)).sum();
    u32::try_from(total).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(keywords: &Keywords, text: &[u8], part: Range<usize>) -> Vec<(Range<usize>, u32)> {
        let mut found = Vec::new();
        keywords.find(text, part, |range, owner| found.push((range, owner)));
        found.sort_by_key(|(range, owner)| (range.start, range.end, *owner));
        found.dedup();
        found
    }

    fn keywords(literals: &[(&str, Comparison)]) -> Keywords {
        Keywords::new((0..).zip(literals).map(|(owner, (literal, how))| (literal.as_bytes(), *how, owner)))
    }

    #[test]
    fn literals_within_and_across_each_other_are_found() {
        let keywords =
            keywords(&[("token", Comparison::AnyCase), ("oke", Comparison::AnyCase), ("kens", Comparison::AnyCase)]);
        let text = b"a TOKENS";
        assert_eq!(all(&keywords, text, 0..8), [(2..7, 0), (3..6, 1), (4..8, 2)]);
        assert_eq!(all(&keywords, text, 3..6), [(3..6, 1)]);
    }

    #[test]
    fn comparison_is_exact_or_loose_where_asked_for() {
        let keywords =
            keywords(&[("Z2hw", Comparison::Exact), ("newrelic", Comparison::Loose), ("snyk", Comparison::Loose)]);
        assert_eq!(all(&keywords, b"z2hw Z2hw", 0..9), [(5..9, 0)]);
        for text in ["ne-wrelic", "NEWREL_IC", "NewRelic", "newrel ic", "newreli.c"] {
            assert_eq!(all(&keywords, text.as_bytes(), 0..text.len()), [(0..text.len(), 1)], "{text}");
        }
        assert_eq!(all(&keywords, b"ne--wrelic", 0..10), []);
    }

    #[test]
    fn three_bytes_at_the_end_are_found() {
        let keywords = keywords(&[("sk-", Comparison::AnyCase)]);
        assert_eq!(all(&keywords, b"sk-", 0..3), [(0..3, 0)]);
        assert_eq!(all(&keywords, b"sk-sk-", 0..6), [(0..3, 0), (3..6, 0)]);
        assert_eq!(all(&keywords, b"sk", 0..2), []);
    }

    proptest! {
        #[test]
        fn finds_what_a_plain_search_finds(literals in prop::collection::vec("[aBc_]{3,6}", 1..6), text in "[AbC_]{0,60}") {
            let keywords = Keywords::new((0..).zip(&literals).map(|(owner, text)| (text.as_bytes(), Comparison::AnyCase, owner)));
            let mut plain = Vec::new();
            for (owner, literal) in (0..).zip(&literals) {
                for at in 0..text.len() {
                    if text.get(at..at + literal.len()).is_some_and(|there| there.eq_ignore_ascii_case(literal)) {
                        plain.push((at..at + literal.len(), owner));
                    }
                }
            }
            plain.sort_by_key(|(range, owner)| (range.start, range.end, *owner));
            prop_assert_eq!(all(&keywords, text.as_bytes(), 0..text.len()), plain);
        }
    }
}
