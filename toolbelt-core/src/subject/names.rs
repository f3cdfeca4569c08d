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
        names.index = Index::new(&slots);
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
        store(&Form::new(entry.name), entry.rank, |key| slots.push(slot(key, number)));
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
    hash(text.as_bytes())
}

/// The key of those that are named after a crate; no name has the separator in its joined form.
fn family_key(joined: &str) -> u32 {
    hash(&[joined.as_bytes(), b"-"].concat())
}

/// Takes the texts under which an entry is found; some more than once.
fn store(form: &Form, rank: Option<u32>, mut take: impl FnMut(u32)) {
    let whole = key(&form.joined);
    take(whole);
    let (singular, folded) = (key(&form.singular()), key(&folded(&form.joined)));
    [singular, folded].into_iter().filter(|key| *key != whole).for_each(&mut take);
    for rotation in lure::rotations(form) {
        take(key(&rotation));
    }
    // The rest is only for targets whose popularity is known.
    let Some(rank) = rank else { return };
    let length = form.joined.len();
    let may_be = |lure: Lure| lure.least_rank(length).is_some_and(|least| rank <= least);
    (1..form.len()).for_each(|count| take(family_key(form.slice(0, count))));
    lure::stripped(form).iter().filter(|stripped| stripped.count == 1).for_each(|left| take(key(left.rest)));
    let stem = form.joined.trim_end_matches(|c: char| c.is_ascii_digit());
    if stem.len() < length && may_be(Lure::NumberChanged) {
        take(key(stem));
    }
    if may_be(Lure::LettersSwapped) || may_be(Lure::LetterReplaced) {
        deletions(form.joined.as_bytes()).for_each(take);
    }
}

/// The texts under which what a name resembles may be found.
fn keys_asked(form: &Form) -> Vec<u32> {
    let mut keys = vec![key(&form.joined), key(&form.singular()), key(&folded(&form.joined))];
    for left in lure::stripped(form) {
        keys.push(key(left.rest));
        keys.push(key(&(left.range.0..left.range.1).map(|at| form::singular(form.word(at))).collect::<String>()));
    }
    keys.extend(lure::without_language(&form.joined).map(key));
    if let Some(last) = form.len().checked_sub(1) {
        keys.push(key(form.slice(0, last)));
    }
    keys.push(key(form.joined.trim_end_matches(|c: char| c.is_ascii_digit())));
    keys.extend(deletions(form.joined.as_bytes()));
    keys.sort_unstable();
    keys.dedup();
    keys
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ranked(names: &[(&'static str, u32)]) -> Names {
        Names::new(names.iter().map(|&(name, rank)| Entry { name, rank: Some(rank), repository: None }))
    }

    fn well_known() -> Names {
        ranked(&[
            ("proc-macro2", 2),
            ("rand", 5),
            ("cfg-if", 7),
            ("bitflags", 8),
            ("serde", 9),
            ("base64", 10),
            ("lazy_static", 24),
            ("once_cell", 25),
            ("env_logger", 45),
            ("tokio", 50),
            ("tokio-util", 60),
            ("chrono", 70),
            ("tracing", 87),
            ("sha2", 90),
            ("rust_decimal", 900),
            ("lsp-types", 1_160),
            ("postgres", 1_434),
            ("libusb1-sys", 2_699),
            ("tauri-winrt-notification", 4_274),
            ("lasso", 4_340),
            ("divsufsort", 9_991),
            ("finch", 13_183),
            ("bytesstr", 20_638),
        ])
    }

    /// What a name resembles, and how, in words.
    fn seen(names: &Names, name: &str) -> Option<(String, String)> {
        names.resemblance(name).map(|seen| (seen.target.name.to_owned(), seen.how.to_string()))
    }

    #[test]
    fn every_class_of_lures_is_seen() {
        let names = well_known();
        for (name, target, how) in [
            ("envlogger", "env_logger", "separator removed"),
            ("bit-flags", "bitflags", "separator added"),
            ("lazys-tatic", "lazy_static", "separator moved"),
            ("env__logger", "env_logger", "separator moved"),
            ("if-cfg", "cfg-if", "words reordered"),
            ("ifcfg", "cfg-if", "words reordered"),
            ("rands", "rand", "plural"),
            ("tauri-winrt-notifications", "tauri-winrt-notification", "plural"),
            ("bitflag", "bitflags", "singular"),
            ("t0kio", "tokio", "digits for letters"),
            ("post9res", "postgres", "one letter differs"),
            ("lasso-rs", "lasso", "`-rs` added"),
            ("rust-tokio", "tokio", "`rust-` added"),
            ("tracingrs", "tracing", "`rs` or `rust` joined to it"),
            ("chrono-cli", "chrono", "`-cli` added"),
            ("libusb1-main", "libusb1-sys", "`-main` in place of another word"),
            ("postgress", "postgres", "letter doubled"),
            ("tokoi", "tokio", "letters swapped"),
            ("serd", "serde", "one letter missing"),
            ("proc-macro1", "proc-macro2", "another number"),
            ("proc-macro-en", "proc-macro2", "word for a number"),
            ("finch_cli_rust", "finch", "several small changes"),
        ] {
            assert_eq!(seen(&names, name), Some((target.to_owned(), how.to_owned())), "{name}");
        }
    }

    #[test]
    fn honest_names_are_quiet() {
        let names = well_known();
        for name in [
            // Themselves, however they are written.
            "env_logger",
            "env-logger",
            "Serde",
            // Members of a family, which may be new.
            "tokio-core",
            "tokio-sys",
            "serde_core",
            "tracing-log",
            "sha2-asm",
            "once_cell_polyfill",
            // Words that are near to each other.
            "base32",
            "sha3",
            "trying",
            "random",
            "band",
            "chroma",
            "lassi",
            "finish",
            "cinch",
            "serial",
            "fresco",
            // Names in real lock files that are near to listed ones.
            "ls-types",
            "cdivsufsort",
            "bytes-str",
            "bytes",
            "md-5",
        ] {
            assert_eq!(seen(&names, name), None, "{name}");
        }
    }

    #[test]
    fn established_names_are_no_lures_and_obscure_ones_may_be() {
        let names = ranked(&[("serde", 9), ("serd", 24_000), ("serdee", 80_000)]);
        assert_eq!(seen(&names, "serd"), None);
        assert_eq!(seen(&names, "serdee").unwrap().0, "serde");
    }

    #[test]
    fn the_simplest_change_wins_and_then_the_most_popular_target() {
        let names = ranked(&[("tracing", 87), ("tracing-log", 400), ("tracings-log", 500)]);
        assert_eq!(seen(&names, "tracing-logs").unwrap().0, "tracing-log");
        let names = ranked(&[("finch", 100), ("finch_cli", 10_000)]);
        assert_eq!(seen(&names, "finch_cli_rust").unwrap().0, "finch_cli");
    }

    #[test]
    fn names_without_rank_are_targets_of_newer_names_alone() {
        let unranked = |name| Entry { name, rank: None, repository: None };
        let names = Names::new(["acceptxmr", "acceptxmr-lib"].map(unranked));
        assert_eq!(seen(&names, "acceptxmr-rs").unwrap().0, "acceptxmr");
        assert_eq!(seen(&names, "acceptxmr-lib"), None, "it is as old as the other");
        assert_eq!(seen(&names, "acceptxmx"), None, "one letter says too little");
    }

    #[test]
    fn the_more_popular_of_equal_names_is_kept() {
        let entry = |name, rank| Entry { name, rank, repository: None };
        let names = Names::new([entry("once-cell", None), entry("once_cell", Some(25))]);
        assert_eq!(names.len(), 1);
        assert_eq!(names.get("Once-Cell"), Some(entry("once_cell", Some(25))));
    }

    #[test]
    fn a_letter_of_another_alphabet_is_seen() {
        let how = "letter of another alphabet".to_owned();
        assert_eq!(seen(&well_known(), "t\u{43e}kio"), Some(("tokio".to_owned(), how)));
    }

    #[test]
    fn crate_names_are_what_the_registry_takes() {
        for name in ["a", "A-Mazed", "env__logger", &"a".repeat(64)] {
            assert!(is_crate_name(name), "{name}");
        }
        for name in ["", "1a", "-a", "_a", "a.b", "a b", "é", &"a".repeat(65)] {
            assert!(!is_crate_name(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_an_answer_that_is_not_itself(name in any::<String>(), near in "[-_a-z0-9é]{0,12}") {
            let names = well_known();
            for name in [name, near] {
                if let Some(seen) = names.resemblance(&name) {
                    prop_assert!(!is_same(seen.target.name, &name));
                }
            }
        }

        #[test]
        fn any_list_answers_about_any_name(list in prop::collection::vec("[-_a-z0-9]{1,9}", 0..40), name in "[-_a-z0-9]{0,9}") {
            let rank = |at: usize| u32::try_from(at).ok().filter(|rank| rank % 3 > 0);
            let entries = list.iter().enumerate().map(|(at, name)| Entry { name, rank: rank(at), repository: None });
            let names = Names::new(entries);
            for listed in names.iter() {
                prop_assert!(names.get(listed.name).is_some_and(|entry| entry == listed));
            }
            if let Some(seen) = names.resemblance(&name) {
                prop_assert!(!is_same(seen.target.name, &name));
            }
        }
    }
}
