//! The ways in which one name is made to be taken for another, and how popular a target has to be for each.

use std::fmt;

use super::form::{Form, folded};

/// How a name differs from the one it resembles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lure {
    /// `envlogger` for `env_logger`.
    SeparatorRemoved,
    /// `bit-flags` for `bitflags`.
    SeparatorAdded,
    /// `lazys-tatic` for `lazy_static`.
    SeparatorMoved,
    /// `if-cfg` for `cfg-if`.
    WordsReordered,
    /// `t0kio` for `tokio`; also `rn` for `m` and `vv` for `w`.
    DigitsForLetters,
    /// `tokio` with a Cyrillic `о`.
    ForeignLetter,
    /// `rands` for `rand`.
    Plural,
    /// `bitflag` for `bitflags`.
    Singular,
    /// `lasso-rs` for `lasso`: a word that says nothing about the content.
    WordAdded(Word),
    /// `tokiors` for `tokio`: the language's name, without a separator.
    LanguageJoined,
    /// `windows` for `windows-sys`.
    WordRemoved(Word),
    /// `libusb1-main` for `libusb1-sys`.
    WordReplaced(Word),
    /// `postgress` for `postgres`.
    LetterDoubled,
    /// `tokoi` for `tokio`.
    LettersSwapped,
    /// `serfe` for `serde`.
    LetterReplaced,
    /// `serdee` for `serde`.
    LetterAdded,
    /// `serd` for `serde`.
    LetterMissing,
    /// `proc-macro1` for `proc-macro2`.
    NumberChanged,
    /// `proc-macro-en` for `proc-macro2`.
    NumberReplaced,
    /// Two of these at once, as in `finch-cli-rust` for `finch`.
    Several,
}

impl Lure {
    /// The class of lures it belongs to, in words; the text of the lure itself where that names no word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SeparatorRemoved => "separator removed",
            Self::SeparatorAdded => "separator added",
            Self::SeparatorMoved => "separator moved",
            Self::WordsReordered => "words reordered",
            Self::DigitsForLetters => "digits for letters",
            Self::ForeignLetter => "letter of another alphabet",
            Self::Plural => "plural",
            Self::Singular => "singular",
            Self::WordAdded(_) => "word added",
            Self::LanguageJoined => "`rs` or `rust` joined to it",
            Self::WordRemoved(_) => "word removed",
            Self::WordReplaced(_) => "word replaced",
            Self::LetterDoubled => "letter doubled",
            Self::LettersSwapped => "letters swapped",
            Self::LetterReplaced => "one letter differs",
            Self::LetterAdded => "one letter added",
            Self::LetterMissing => "one letter missing",
            Self::NumberChanged => "another number",
            Self::NumberReplaced => "word for a number",
            Self::Several => "several small changes",
        }
    }

    /// How many steps lead from one name to the other.
    pub(super) const fn steps(self) -> u8 {
        match self {
            Self::Several | Self::WordReplaced(_) | Self::NumberReplaced => 2,
            _ => 1,
        }
    }

    /// The least popular rank that a target of `length` characters may have for this to be more than chance.
    ///
    /// None if no target of that length may. For an edit, the length is that of [`evidence`]. The numbers are chosen by the benchmark `names_quality`: the shorter the
    /// name and the more ordinary the change, the more honest names are that near to each other.
    pub(super) fn least_rank(self, length: usize) -> Option<u32> {
        let by_length: &[(usize, u32)] = match self {
            Self::SeparatorRemoved | Self::SeparatorAdded | Self::SeparatorMoved => &[(6, ANY), (5, 5_000), (4, 500)],
            Self::WordsReordered => &[(6, ANY), (5, 5_000)],
            // crates.io takes no such name, so that no honest one is near.
            Self::ForeignLetter => &[(4, ANY)],
            Self::DigitsForLetters => &[(7, ANY), (5, 2_000), (4, 200)],
            Self::Plural | Self::Singular => &[(8, ANY), (6, 5_000), (5, 1_000), (4, 200)],
            Self::WordAdded(word) => match word.kind {
                WordKind::Empty => &[(4, ANY), (3, 500)],
                WordKind::Role => &[(8, 2_000), (6, 500)],
            },
            Self::LanguageJoined => &[(6, 5_000), (5, 500)],
            Self::WordReplaced(_) => &[(7, 5_000), (5, 1_000)],
            Self::WordRemoved(_) => &[(9, 300)],
            Self::LetterDoubled | Self::LettersSwapped => &[(9, ANY), (7, 8_000), (6, 4_000), (5, 1_000), (4, 100)],
            Self::LetterReplaced | Self::LetterAdded | Self::LetterMissing => {
                &[(10, 10_000), (8, 5_000), (7, 2_000), (6, 500), (5, 150), (4, 10)]
            }
            Self::NumberChanged | Self::NumberReplaced => &[(8, 200)],
            Self::Several => &[(5, ANY)],
        };
        by_length.iter().find(|(least, _)| length >= *least).map(|(_, rank)| *rank)
    }

    /// How long a target must be at least that is known to exist but not how popular it is; none if none will do.
    pub(super) fn least_length_unranked(self) -> Option<usize> {
        match self {
            Self::SeparatorRemoved
            | Self::SeparatorAdded
            | Self::SeparatorMoved
            | Self::DigitsForLetters
            | Self::WordsReordered
            | Self::Plural => Some(10),
            Self::WordAdded(word) if word.kind == WordKind::Empty => Some(6),
            _ => None,
        }
    }
}

/// Every rank that says something will do.
///
/// Crates less popular than this have hardly any users who could be tricked; the least popular one among the recorded
/// targets ranked 17,680th. They are targets as those without a rank are.
const ANY: u32 = 20_000;

impl fmt::Display for Lure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WordAdded(word) => write!(f, "{word} added"),
            Self::WordRemoved(word) => write!(f, "{word} removed"),
            Self::WordReplaced(word) => write!(f, "{word} in place of another word"),
            other => f.write_str(other.as_str()),
        }
    }
}

/// A word at an end of a name that says nothing, or little, about what the package does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word {
    text: &'static str,
    kind: WordKind,
    leads: bool,
}

/// What a word claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum WordKind {
    /// Nothing that is not true of every crate: it claims to be the thing itself.
    Empty,
    /// A part or a kind of the thing. Honest families are named like that, so that it takes a very popular target
    /// without a family.
    Role,
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.leads { write!(f, "`{}-`", self.text) } else { write!(f, "`-{}`", self.text) }
    }
}

/// Sorted.
const EMPTY: &[&str] = &[
    "api", "check", "checks", "crate", "dev", "fixed", "latest", "lib", "library", "main", "master", "module", "new",
    "official", "original", "package", "patched", "pkg", "real", "release", "rs", "rst", "rust", "rustlang", "service",
    "stable", "updated", "win",
];

/// Sorted.
const ROLE: &[&str] = &["bin", "cli", "client", "core", "helper", "sdk", "sys", "tool", "tools", "util", "utils"];

impl Lure {
    /// Whether members of a family are named like that.
    pub(super) fn is_familial(self) -> bool {
        matches!(self, Self::WordAdded(Word { kind: WordKind::Role, leads: false, .. }))
    }
}

impl Word {
    /// What this word claims at this end of a name; none if it says something about the content.
    fn new(text: &str, leads: bool) -> Option<Self> {
        let of = |words: &'static [&'static str], kind| {
            words.binary_search(&text).ok().map(|at| Self { text: words[at], kind, leads })
        };
        of(EMPTY, WordKind::Empty).or_else(|| of(ROLE, WordKind::Role))
    }
}

/// What is left of a name when words that say little are taken from its ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stripped<'a> {
    /// Without separators.
    pub(super) rest: &'a str,
    /// Which words of the form are left.
    pub(super) range: (usize, usize),
    /// The word that was taken away last.
    pub(super) word: Word,
    /// How many were taken away: 1 or 2.
    pub(super) count: u8,
}

/// Takes one or two words that say little from the ends.
pub(super) fn stripped(form: &Form) -> Vec<Stripped<'_>> {
    let mut all = Vec::new();
    let mut take = |from: usize, to: usize, count: u8, next: &mut Vec<(usize, usize)>| {
        if to - from < 2 {
            return;
        }
        for (word, range) in
            [(Word::new(form.word(to - 1), false), (from, to - 1)), (Word::new(form.word(from), true), (from + 1, to))]
        {
            if let Some(word) = word {
                next.push(range);
                all.push(Stripped { rest: form.slice(range.0, range.1), range, word, count });
            }
        }
    };
    let (mut once, mut twice) = (Vec::new(), Vec::new());
    take(0, form.len(), 1, &mut once);
    for (from, to) in once {
        take(from, to, 2, &mut twice);
    }
    all
}

/// Says how `name` is made to look like `target`; none if it is the same name or not alike.
pub(super) fn between(name: &Form, target: &Form) -> Option<Lure> {
    if name.joined == target.joined {
        return Some(match name.len().cmp(&target.len()) {
            std::cmp::Ordering::Less => Lure::SeparatorRemoved,
            std::cmp::Ordering::Greater => Lure::SeparatorAdded,
            std::cmp::Ordering::Equal => Lure::SeparatorMoved,
        });
    }
    if name.joined.len() == target.joined.len() && is_reordered(name, target) {
        return Some(Lure::WordsReordered);
    }
    if name.singular() == target.singular() {
        return Some(if name.joined.len() > target.joined.len() { Lure::Plural } else { Lure::Singular });
    }
    if folded(&name.joined) == folded(&target.joined) && !only_letters_differ(&name.joined, &target.joined) {
        return Some(Lure::DigitsForLetters);
    }
    affixes(name, target).or_else(|| number(name, target)).or_else(|| edit(&name.joined, &target.joined))
}

/// Whether the two differ in single letters alone (`i` for `l`), which many honest words do.
fn only_letters_differ(name: &str, target: &str) -> bool {
    let differing = |(a, b): (u8, u8)| a == b || (a.is_ascii_alphabetic() && b.is_ascii_alphabetic());
    name.len() == target.len() && name.bytes().zip(target.bytes()).all(differing)
}

/// How many characters of `target` speak for an edit being no coincidence.
///
/// `ls-types` and `lsp-types` share much, but what differs is a word of three letters. So it is the length of the word
/// that was edited, and a little for the words around it. An edit of the first letter makes another word more often than
/// a slip does, and one over a word's end needs a second change.
pub(super) fn evidence(lure: Lure, name: &Form, target: &Form) -> usize {
    let edits =
        [Lure::LetterDoubled, Lure::LettersSwapped, Lure::LetterReplaced, Lure::LetterAdded, Lure::LetterMissing];
    let all = target.joined.len();
    if !edits.contains(&lure) {
        return all;
    }
    if name.len() != target.len() {
        return all.saturating_sub(3);
    }
    let mut differing = name.words().zip(target.words()).filter(|(one, other)| one != other);
    match (differing.next(), differing.next()) {
        (Some((one, other)), None) => {
            let around = if target.len() > 1 { 2 } else { 0 };
            let first = if one.as_bytes().first() == other.as_bytes().first() { 0 } else { 2 };
            (other.len() + around).saturating_sub(first).min(all)
        }
        _ => all.saturating_sub(3),
    }
}

/// Whether `name` is the words of `target` in another order, with or without separators between them.
fn is_reordered(name: &Form, target: &Form) -> bool {
    if target.len() < 2 {
        return false;
    }
    (name.len() == target.len() && name.sorted() == target.sorted()) || rotations(target).contains(&name.joined)
}

/// The words in the other orders that a person might think of: turned round, and all backwards.
pub(super) fn rotations(form: &Form) -> Vec<String> {
    let count = form.len();
    if !(2..=4).contains(&count) {
        return Vec::new();
    }
    let mut all: Vec<String> = (1..count).map(|at| [form.slice(at, count), form.slice(0, at)].concat()).collect();
    if count == 3 {
        // With these, all orders of three words.
        for order in [[0, 2, 1], [1, 0, 2], [2, 1, 0]] {
            all.push(order.iter().map(|&at| form.word(at)).collect());
        }
    }
    all
}

/// What is left of a joined name without the language's name at one end.
pub(super) fn without_language(joined: &str) -> impl Iterator<Item = &str> {
    [joined.strip_suffix("rs"), joined.strip_suffix("rust"), joined.strip_prefix("rust")].into_iter().flatten()
}

fn affixes(name: &Form, target: &Form) -> Option<Lure> {
    let of_name = stripped(name);
    if let Some(added) = of_name.iter().find(|stripped| stripped.rest == target.joined) {
        return Some(if added.count == 1 { Lure::WordAdded(added.word) } else { Lure::Several });
    }
    if without_language(&name.joined).any(|rest| rest == target.joined) {
        return Some(Lure::LanguageJoined);
    }
    let of_target = stripped(target);
    if let Some(removed) = of_target.iter().find(|stripped| stripped.rest == name.joined && stripped.count == 1) {
        return Some(Lure::WordRemoved(removed.word));
    }
    for one in of_name.iter().filter(|stripped| stripped.count == 1 && stripped.word.kind == WordKind::Empty) {
        if of_target.iter().any(|other| other.count == 1 && other.rest == one.rest) {
            return Some(Lure::WordReplaced(one.word));
        }
        if target.joined.len() < 7 {
            continue;
        }
        let singular: String = (one.range.0..one.range.1).map(|at| super::form::singular(name.word(at))).collect();
        if singular == target.singular() {
            return Some(Lure::Several);
        }
    }
    None
}

/// The same name with another number at its end, or with a short word in the number's place.
fn number(name: &Form, target: &Form) -> Option<Lure> {
    let stem = target.joined.trim_end_matches(|c: char| c.is_ascii_digit());
    if stem.len() == target.joined.len() {
        return None;
    }
    let rest = name.joined.strip_prefix(stem)?;
    if !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Lure::NumberChanged);
    }
    let last = name.len().checked_sub(1)?;
    (name.word(last) == rest && rest.len() <= 2).then_some(Lure::NumberReplaced)
}

/// Tells which single edit leads from `target` to `name`; transposed neighbours count as one.
fn edit(name: &str, target: &str) -> Option<Lure> {
    let (name, target) = (name.as_bytes(), target.as_bytes());
    let (shorter, longer) = if name.len() < target.len() { (name, target) } else { (target, name) };
    if longer.len() - shorter.len() > 1 {
        return None;
    }
    let prefix = name.iter().zip(target).take_while(|(a, b)| a == b).count();
    let suffix = name.iter().rev().zip(target.iter().rev()).take_while(|(a, b)| a == b).count();
    if longer.len() > shorter.len() {
        if prefix + suffix < shorter.len() {
            return None;
        }
        let letter = longer[prefix];
        let doubled = prefix > 0 && longer[prefix - 1] == letter;
        return Some(match name.len() > target.len() {
            _ if letter.is_ascii_digit() => Lure::NumberChanged,
            true if doubled => Lure::LetterDoubled,
            true => Lure::LetterAdded,
            false => Lure::LetterMissing,
        });
    }
    let suffix = suffix.min(name.len() - prefix);
    match name.len() - prefix - suffix {
        1 if name[prefix].is_ascii_digit() && target[prefix].is_ascii_digit() => Some(Lure::NumberChanged),
        1 if name[prefix] == super::form::FOREIGN => Some(Lure::ForeignLetter),
        1 => Some(Lure::LetterReplaced),
        2 if name[prefix] == target[prefix + 1] && name[prefix + 1] == target[prefix] => Some(Lure::LettersSwapped),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_sorted() {
        assert!(EMPTY.is_sorted());
        assert!(ROLE.is_sorted());
    }

    #[test]
    fn evidence_for_an_edit_is_the_word_that_was_edited() {
        let of = |name, target| {
            let (name, target) = (Form::new(name), Form::new(target));
            evidence(between(&name, &target).unwrap(), &name, &target)
        };
        assert_eq!(of("ls-types", "lsp-types"), 5);
        assert_eq!(of("lsp-tpyes", "lsp-types"), 7);
        assert_eq!(of("cdivsufsort", "divsufsort"), 8);
        assert_eq!(of("enumiter", "num-iter"), 4);
        assert_eq!(of("envlogger", "env_logger"), 9);
    }

    proptest! {
        /// `strsim` is the oracle: a single edit is seen exactly where the distance is 1.
        #[test]
        fn single_edits_are_those_of_distance_one(one in "[a-c]{0,6}", other in "[a-c]{0,6}") {
            prop_assert_eq!(edit(&one, &other).is_some(), strsim::osa_distance(&one, &other) == 1);
        }
    }
}
