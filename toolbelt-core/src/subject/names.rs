//! Names of established crates, and what resembles them.
//!
//! A name that somebody was tricked into is near to a name they meant. [`Names`] finds that one: every entry is stored
//! under the texts that the known lures lead to (words without separators, other orders, singular, digits read as
//! letters, one letter less), a name asked about is turned into the same texts, and what they have in common is looked
//! at closely. How popular the target must be depends on the lure and on its length, because honest names are near to
//! each other too.

mod form;
mod index;
mod lure;

use std::collections::HashSet;

use form::{Form, folded};
use index::{Index, deletions, hash, slot};
pub use lure::{Lure, Word};

/// Established crates, most popular first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Names {
    /// All names, then all repositories, one after the other.
    text: String,
    /// Sorted: ranked ones by rank, then those without, each by name.
    entries: Vec<Packed>,
    index: Index,
}

/// A crate that the list names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// As its registry writes it.
    pub name: &'a str,
    /// 1 for the most popular; none if the list only says that there is such a crate.
    pub rank: Option<u32>,
    /// The URL of its repository, where the list knows it.
    pub repository: Option<&'a str>,
}

/// An [`Entry`] with places in [`Names::text`].
#[derive(Debug, Clone, Copy, PartialEq)]
struct Packed {
    name: u32,
    repository: u32,
    /// 0 for none.
    rank: u32,
    name_length: u8,
    /// Longer ones are not kept.
    repository_length: u8,
}

/// What a name resembles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resemblance<'a> {
    /// The one it could be taken for.
    pub target: Entry<'a>,
    /// What makes it look like that.
    pub how: Lure,
}

/// The rank up to which a crate is established: it has users of its own, so its name is nobody's lure.
///
/// About one in eight crates of the registry; those beyond have some hundred downloads a month, which mirrors and
/// crawlers account for.
const ESTABLISHED: u32 = 25_000;

/// Beyond [`ESTABLISHED`], a target has to be this many times as popular.
const FAR_MORE_POPULAR: u32 = 10;

/// How many entries are looked at for each text; lists made to be slow have more.
const CANDIDATES: usize = 64;

impl Names {
    /// Takes the entries of one list or of several; of equal names the most popular counts, and of those the first.
    ///
    /// Names that crates.io would not take are left out: nobody can be lured by them.
    pub fn new<'a>(entries: impl IntoIterator<Item = Entry<'a>>) -> Self {
        let mut entries: Vec<Entry<'a>> = entries.into_iter().filter(|entry| is_crate_name(entry.name)).collect();
        entries.sort_by_key(|entry| entry.rank.unwrap_or(u32::MAX));
        let mut seen = HashSet::with_capacity(entries.len());
        entries.retain(|entry| seen.insert(canonical(entry.name)));
        let mut names = Self { entries: Vec::with_capacity(entries.len()), ..Self::default() };
        let mut slots = Vec::with_capacity(entries.len() * 8);
        for entry in entries {
            names.push(entry, &mut slots);
        }
        names.text.shrink_to_fit();
        names.index = Index::new(slots);
        names
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many bytes the list and its index take.
    pub fn size(&self) -> usize {
        self.text.capacity() + self.entries.capacity() * size_of::<Packed>() + self.index.size()
    }

    /// All entries, most popular first.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        self.entries.iter().map(|packed| self.unpack(packed))
    }

    /// The crate of this name; like crates.io, it ignores case and takes `-` and `_` for the same.
    pub fn get(&self, name: &str) -> Option<Entry<'_>> {
        let joined: String = Form::new(name).joined;
        self.stored_under(key(&joined)).map(|at| self.unpack(&self.entries[at])).find(|entry| is_same(entry.name, name))
    }

    /// Whether this crate has users of its own.
    pub fn is_established(&self, name: &str) -> bool {
        self.get(name).and_then(|entry| entry.rank).is_some_and(|rank| rank <= ESTABLISHED)
    }

    /// What this name could be taken for; none for established names and for those that resemble nothing.
    ///
    /// Of several targets that of the simplest change counts, and of those the most popular one. An entry without a
    /// rank says only that there is such a crate: it is a target for names that are not listed at all, which means that
    /// they are newer than the list, and only where the change is no coincidence.
    pub fn resemblance(&self, name: &str) -> Option<Resemblance<'_>> {
        if name.len() > form::LONGEST {
            return None;
        }
        let known = self.get(name);
        let rank = known.and_then(|entry| entry.rank);
        if rank.is_some_and(|rank| rank <= ESTABLISHED) {
            return None;
        }
        let form = Form::new(name);
        let mut seen = Vec::new();
        let mut best: Option<(u8, usize, Lure)> = None;
        for at in keys_asked(&form).into_iter().flat_map(|key| self.stored_under(key).take(CANDIDATES)) {
            if seen.contains(&at) {
                continue;
            }
            seen.push(at);
            let entry = self.unpack(&self.entries[at]);
            if is_same(entry.name, name) {
                continue;
            }
            let target = Form::new(entry.name);
            let Some(lure) = lure::between(&form, &target) else { continue };
            let evidence = lure::evidence(lure, &form, &target);
            let popular = entry.rank.is_some_and(|of_target| {
                lure.least_rank(evidence).is_some_and(|least| of_target <= least)
                    && rank.is_none_or(|rank| rank / FAR_MORE_POPULAR >= of_target)
            });
            // That a name is taken says enough only of names that came later.
            let plausible =
                popular || known.is_none() && lure.least_length_unranked().is_some_and(|least| evidence >= least);
            if lure.is_familial() && self.has_family(&target) {
                continue;
            }
            let better = |(steps, place, _): &(u8, usize, Lure)| (lure.steps(), at) < (*steps, *place);
            if plausible && best.as_ref().is_none_or(better) {
                best = Some((lure.steps(), at, lure));
            }
        }
        best.map(|(_, at, how)| Resemblance { target: self.unpack(&self.entries[at]), how })
    }

    /// Whether there are established crates named after this one, as `tokio-util` is after `tokio`.
    fn has_family(&self, form: &Form) -> bool {
        self.stored_under(family_key(&form.joined)).next().is_some()
    }

    fn push(&mut self, entry: Entry<'_>, slots: &mut Vec<u64>) {
        let at = |length: usize| u32::try_from(length).ok();
        let (Some(name), Some(number)) = (at(self.text.len()), at(self.entries.len())) else { return };
        let repository = entry.repository.filter(|url| u8::try_from(url.len()).is_ok()).unwrap_or_default();
        let lengths = (u8::try_from(entry.name.len()), u8::try_from(repository.len()));
        let (Ok(name_length), Ok(repository_length)) = lengths else { return };
        self.text.push_str(entry.name);
        let Some(start) = at(self.text.len()) else { return };
        self.text.push_str(repository);
        let rank = entry.rank.unwrap_or(0);
        self.entries.push(Packed { name, repository: start, rank, name_length, repository_length });
        slots.extend(keys_stored(&Form::new(entry.name), entry.rank).into_iter().map(|key| slot(key, number)));
    }

    fn unpack(&self, packed: &Packed) -> Entry<'_> {
        let text = |start: u32, length: u8| {
            let start = start as usize;
            self.text.get(start..start + usize::from(length)).unwrap_or_default()
        };
        Entry {
            name: text(packed.name, packed.name_length),
            rank: (packed.rank > 0).then_some(packed.rank),
            repository: Some(text(packed.repository, packed.repository_length)).filter(|url| !url.is_empty()),
        }
    }

    /// Places in `entries`, most popular first.
    fn stored_under(&self, key: u32) -> impl Iterator<Item = usize> {
        self.index.get(key).map(|at| at as usize).filter(|&at| at < self.entries.len())
    }
}

/// Whether crates.io would take this as a name: a letter, then letters, digits, `-` and `_`, at most 64 in all.
pub fn is_crate_name(name: &str) -> bool {
    name.len() <= form::LONGEST
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Whether crates.io takes these for the same name.
pub fn is_same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.chars().map(canonical_char).eq(other.chars().map(canonical_char))
}

/// The one way of writing a name that crates.io compares.
fn canonical(name: &str) -> String {
    name.chars().map(canonical_char).collect()
}

fn canonical_char(c: char) -> char {
    if c == '_' { '-' } else { c.to_ascii_lowercase() }
}

fn key(text: &str) -> u32 {
    hash([text.as_bytes(), b""])
}

/// The key of those that are named after a crate; no name has the separator in its joined form.
fn family_key(joined: &str) -> u32 {
    hash([joined.as_bytes(), b"-"])
}

/// The texts under which an entry is found.
fn keys_stored(form: &Form, rank: Option<u32>) -> Vec<u32> {
    let mut keys = vec![key(&form.joined), key(&form.singular()), key(&folded(&form.joined))];
    keys.extend(lure::rotations(form).iter().map(|rotation| key(rotation)));
    if let Some(rank) = rank {
        let length = form.joined.len();
        keys.extend((1..form.len()).map(|count| family_key(form.slice(0, count))));
        let stem = form.joined.trim_end_matches(|c: char| c.is_ascii_digit());
        if stem.len() < length && Lure::NumberChanged.least_rank(length).is_some_and(|least| rank <= least) {
            keys.push(key(stem));
        }
        keys.extend(lure::stripped(form).iter().filter(|stripped| stripped.count == 1).map(|left| key(left.rest)));
        let near = [Lure::LettersSwapped, Lure::LetterReplaced];
        if near.iter().any(|lure| lure.least_rank(length).is_some_and(|least| rank <= least)) {
            keys.extend(deletions(&form.joined));
        }
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The texts under which what a name resembles may be found.
fn keys_asked(form: &Form) -> Vec<u32> {
    let mut keys = vec![key(&form.joined), key(&form.singular()), key(&folded(&form.joined))];
    for left in lure::stripped(form) {
        keys.push(key(left.rest));
        keys.push(key(&(left.range.0..left.range.1).map(|at| form::singular(form.word(at))).collect::<String>()));
    }
    if let Some(last) = form.len().checked_sub(1) {
        keys.push(key(form.slice(0, last)));
    }
    keys.push(key(form.joined.trim_end_matches(|c: char| c.is_ascii_digit())));
    keys.extend(deletions(&form.joined));
    keys.sort_unstable();
    keys.dedup();
    keys
}
