//! Looks for all patterns at once: keywords first, then the expression or the judgement of those that met one.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use sha2::{Digest as _, Sha256};

use super::expression::Lazy;
use super::keywords::{Comparison, Keywords};
use super::pattern_file::Described;
use super::visit::Visit;
use super::{Match, connection, credential, encoded, pattern_file, patterns};
use crate::subject::content::Descendants;
use crate::subject::digest;
use crate::subject::malformed::Malformed;
use crate::subject::pattern::{Pattern, Shape};

/// What decides, besides the patterns, what is found: to be raised with every change to the code that does.
const VERSION: u32 = 2;

/// Everything that is looked for; made once for a run and shared by its threads.
#[derive(Debug)]
pub struct Engine {
    patterns: Vec<Arc<Pattern>>,
    /// The expression of each pattern, in the same order; none for those that code judges.
    pub(super) expressions: Vec<Option<Lazy>>,
    pub(super) keywords: Keywords,
    /// What to do where a keyword was met, by the number that [`Keywords`] has for it.
    pub(super) owners: Vec<Owner>,
    /// Where the patterns of [`credential`] begin; those of [`connection`] follow.
    pub(super) first_credential: usize,
    pub(super) first_connection: usize,
    /// The names of the patterns that look at a value beside one, without separators, and whose they are.
    names: Vec<(String, usize)>,
    /// All of `names`, made when the first assignment is met.
    finder: OnceLock<Option<AhoCorasick>>,
    /// Users' files, which are part of the digest.
    own: Vec<(String, String)>,
}

/// What a keyword belongs to.
#[derive(Debug, Default)]
pub(super) struct Owner {
    /// Patterns that look for themselves, and whether their expression begins with the keyword.
    pub(super) texts: Vec<(usize, bool)>,
    /// Patterns that look at the value beside the name.
    pub(super) assigned: Vec<usize>,
    /// Whether the name alone says that the value may be a secret.
    pub(super) is_name: bool,
    /// Whether a connection string may stand here.
    pub(super) is_connection: bool,
    /// Which byte of three it begins at, if it is a keyword in base64.
    pub(super) encoded: Option<u8>,
    /// Whether a content that holds it has to be looked at as a whole.
    pub(super) spans_lines: bool,
}

/// What a look at one content came to, besides what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scanned {
    /// How objects that are kept as a difference to this one may be looked at.
    pub descendants: Descendants,
    /// Whether the look was ended before the content was: there was too much to find, or to try.
    pub is_cut: bool,
}

impl Engine {
    /// The most that is found in one content.
    pub const MAX_MATCHES: usize = 1000;

    /// All built-in patterns.
    pub fn built_in() -> Self {
        Self::of(built_in_files(), Vec::new())
    }

    /// All built-in patterns, and those of users' files, given as path and text.
    ///
    /// # Errors
    ///
    /// [`Malformed`] at the first thing in a file that is not understood, or an id that is already there.
    pub fn with(own: Vec<(String, String)>) -> Result<Self, Malformed> {
        let mut described = built_in_files();
        for (path, text) in &own {
            for added in pattern_file::parse(path, text)? {
                if described.iter().any(|known| known.pattern.id == added.pattern.id) {
                    let message = format!("a pattern called `{}` is there already", added.pattern.id);
                    return Err(Malformed::whole(path, message));
                }
                described.push(added);
            }
        }
        Ok(Self::of(described, own))
    }

    fn of(described: Vec<Described>, own: Vec<(String, String)>) -> Self {
        let mut patterns: Vec<Pattern> = described.into_iter().map(|described| described.pattern).collect();
        let first_credential = patterns.len();
        patterns.extend(credential::patterns());
        let first_connection = patterns.len();
        patterns.extend(connection::patterns());

        let mut collected = Collected::default();
        let mut plain = Vec::new();
        for (index, pattern) in patterns.iter().enumerate() {
            match &pattern.shape {
                Shape::Text { keywords, regex } => {
                    for keyword in keywords {
                        let is_at_keyword = begins_with(regex, keyword);
                        // What begins every match as it is need not be looked for in other cases.
                        let how = if is_at_keyword { Comparison::Exact } else { Comparison::AnyCase };
                        let owner = collected.of(keyword.as_bytes(), how);
                        owner.texts.push((index, is_at_keyword));
                        owner.spans_lines |= pattern.spans_lines;
                        collected.encoded(keyword);
                    }
                }
                Shape::Assigned { names, .. } => {
                    for name in names {
                        plain.push((without_separators(name.as_bytes()), index));
                        collected.names(name, Comparison::Loose, |owner| owner.assigned.push(index));
                    }
                }
                Shape::Judged => {}
            }
        }
        for name in credential::NAMES {
            collected.names(name, Comparison::AnyCase, |owner| owner.is_name = true);
            for word in [(*name).to_owned(), name.to_ascii_uppercase(), capitalized(name)] {
                collected.encoded(&word.replace('-', "_"));
            }
        }
        for keyword in connection::KEYWORDS {
            collected.of(keyword.as_bytes(), Comparison::AnyCase).is_connection = true;
        }
        let literals = (0..).zip(&collected.literals).map(|(owner, (literal, how))| (literal.as_slice(), *how, owner));
        let keywords = Keywords::new(literals);

        let expression = |pattern: &Pattern| match &pattern.shape {
            Shape::Text { regex, .. } => Some(Lazy::new(regex.as_str())),
            Shape::Assigned { value, .. } => Some(Lazy::new(format!(r"\A(?:{value})\z"))),
            Shape::Judged => None,
        };
        Self {
            expressions: patterns.iter().map(expression).collect(),
            patterns: patterns.into_iter().map(Arc::new).collect(),
            keywords,
            owners: collected.owners,
            first_credential,
            first_connection,
            names: plain,
            finder: OnceLock::new(),
            own,
        }
    }

    /// SHA-256 in hexadecimal over everything that decides what is found.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let own = self.own.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        hash.update(format!("{} {VERSION}\n", env!("CARGO_PKG_VERSION")));
        for (path, text) in patterns::FILES.iter().copied().chain(own) {
            hash.update(format!("{path} {}\n{text}", text.len()));
        }
        digest::hex(&hash.finalize())
    }

    /// Every pattern, the built-in ones first.
    pub fn patterns(&self) -> &[Arc<Pattern>] {
        &self.patterns
    }

    /// Patterns that look at a value beside such a name, each once, ascending.
    pub(super) fn named(&self, name: &[u8]) -> Vec<usize> {
        let finder = self.finder.get_or_init(|| {
            let names = self.names.iter().map(|(name, _)| name);
            AhoCorasick::builder().kind(Some(AhoCorasickKind::NoncontiguousNFA)).build(names).ok()
        });
        let Some(finder) = finder else { return Vec::new() };
        let name = without_separators(name);
        let mut found: Vec<usize> =
            finder.find_overlapping_iter(&name).map(|found| self.names[found.pattern().as_usize()].1).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Looks at parts of a content and adds what it finds, by ascending place.
    ///
    /// `parts` are ranges of whole lines in `bytes`, ascending and not overlapping. What is said of a line depends on that
    /// line alone, with two exceptions: a line that begins with a lone `value` key belongs to the one before it, which is
    /// then looked at too; and patterns over several lines read on, in which case [`Scanned::descendants`] says so.
    pub fn scan(&self, bytes: &[u8], parts: &[Range<usize>], found: &mut Vec<Match>) -> Scanned {
        Visit::new(self, bytes, 0).scan(parts, found)
    }

    /// Looks at all of a content.
    pub fn scan_all(&self, bytes: &[u8], found: &mut Vec<Match>) -> Scanned {
        self.scan(bytes, std::slice::from_ref(&(0..bytes.len())), found)
    }
}

fn built_in_files() -> Vec<Described> {
    let described =
        |(path, text): &(&str, &str)| pattern_file::trusted(path, text).expect("the built-in files are read in a test");
    patterns::FILES.iter().flat_map(described).collect()
}

/// The keywords while they are collected.
#[derive(Default)]
struct Collected {
    index: BTreeMap<(Vec<u8>, u8), usize>,
    literals: Vec<(Vec<u8>, Comparison)>,
    owners: Vec<Owner>,
}

impl Collected {
    fn of(&mut self, literal: &[u8], comparison: Comparison) -> &mut Owner {
        let literal = if comparison == Comparison::Exact { literal.to_vec() } else { literal.to_ascii_lowercase() };
        let owner = *self.index.entry((literal.clone(), comparison as u8)).or_insert_with(|| {
            self.literals.push((literal, comparison));
            self.owners.push(Owner::default());
            self.owners.len() - 1
        });
        &mut self.owners[owner]
    }

    /// A name: one whose words are separated by `-` in each way to write these, others in one way.
    fn names(&mut self, name: &str, single: Comparison, mut set: impl FnMut(&mut Owner)) {
        if !name.contains(['-', '_', ' ']) {
            return set(self.of(name.as_bytes(), single));
        }
        for separator in ["", "-", "_", ".", " "] {
            set(self.of(name.replace(['-', '_', ' '], separator).as_bytes(), Comparison::AnyCase));
        }
    }

    /// The same keyword within base64.
    fn encoded(&mut self, keyword: &str) {
        for (shift, literal) in encoded::shifted(keyword.as_bytes()) {
            self.of(&literal, Comparison::Exact).encoded = Some(shift);
        }
    }
}

/// A name in lower case, with letters and digits alone.
fn without_separators(name: &[u8]) -> String {
    name.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(|byte| char::from(byte.to_ascii_lowercase())).collect()
}

fn capitalized(word: &str) -> String {
    word[..1].to_ascii_uppercase() + &word[1..]
}

/// Whether every match of an expression begins with these bytes, as far as that is easily told.
fn begins_with(expression: &str, keyword: &str) -> bool {
    let mut rest = expression.strip_prefix("(?<secret>").unwrap_or(expression);
    for letter in keyword.chars() {
        rest = rest
            .strip_prefix('\\')
            .filter(|rest| !rest.starts_with(|next: char| next.is_alphanumeric()))
            .unwrap_or(rest);
        let Some(next) = rest.strip_prefix(letter) else { return false };
        rest = next;
    }
    let is_literal =
        keyword.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-:/ =@!~,;'\"#%&<>".contains(letter))
            || expression.contains('\\');
    // An alternative may begin otherwise, unless it is within a group behind the keyword.
    let mut depth = 0;
    let outer = expression.bytes().any(|byte| {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        byte == b'|' && depth <= i32::from(expression.starts_with("(?<secret>"))
    });
    is_literal && !outer && !rest.starts_with(['?', '*', '+', '{'])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::super::examples;
    use super::*;

    const OWN: &str = r#"
[[provider]]
name = "Acme"

[[provider.pattern]]
id = "acme-token"
name = "Acme token"
keywords = ["acme_"]
regex = 'acme_[0-9A-Za-z]{20}'

[[provider.pattern]]
id = "acme-short-token"
name = "Acme short token"
keywords = ["me_"]
regex = '[a-z]{2}me_[0-9A-Za-z]{20,}'

[[provider.pattern]]
id = "umbrella-key"
name = "Umbrella key"
names = ["umbrella-corp"]
value = '[a-z0-9]{16}'

[[provider.pattern]]
id = "block"
name = "block"
keywords = ["BEGIN BLOCK"]
regex = '(?s)BEGIN BLOCK\n(?<secret>.{1,100}?)\nEND BLOCK'
spans-lines = true
"#;

    fn engine() -> Engine {
        Engine::with(vec![("patterns.toml".to_owned(), OWN.to_owned())]).unwrap()
    }

    /// Ids and values, by place.
    fn scan(text: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let scanned = engine().scan_all(text.as_bytes(), &mut found);
        assert!(!scanned.is_cut);
        let one = |found: &Match| {
            let value = String::from_utf8(found.candidate.value.expose().to_vec()).unwrap();
            (found.candidate.pattern.id.clone(), value)
        };
        found.iter().map(one).collect()
    }

    fn token() -> String {
        examples::expand("acme-token", "acme_{alnum:20}")
    }

    #[test]
    fn a_token_is_found_once_by_the_most_specific_pattern() {
        let token = token();
        for text in
            [format!("{token}\n"), format!("x = \"{token}\";"), format!("a\r\n{token}\r\nb"), format!("\\n{token}\\n")]
        {
            assert_eq!(scan(&text), [("acme-token".to_owned(), token.clone())], "{text}");
        }
        assert_eq!(scan(&format!("{token}_")), []);
        assert_eq!(scan("acme_xxxxxxxxxxxxxxxxxxxx"), []);
    }

    #[test]
    fn a_token_in_a_long_line_is_found_wherever_it_is() {
        let token = token();
        for at in [0, 8_190, 16_370, 16_384, 24_570, 40_000] {
            let text = format!("{},{token},{}", "-".repeat(at), "acme_ ".repeat(9_000));
            assert_eq!(scan(&text), [("acme-token".to_owned(), token.clone())], "{at}");
        }
    }

    #[test]
    fn several_keywords_in_one_name_far_into_a_line_are_one_place() {
        let value = examples::expand("umbrella-key", "{lower-alnum:16}");
        for before in [0, 8_000, 8_190, 20_000] {
            let text = format!("{} umbrella_corp_secret_api_key_password = \"{value}\"", "-".repeat(before));
            assert!(scan(&text).iter().all(|(_, found)| *found == value), "{before}");
        }
    }

    #[test]
    fn a_value_is_found_by_the_name_beside_it() {
        let value = examples::expand("umbrella-key", "{lower-alnum:16}");
        for text in [
            format!("UMBRELLA_CORP_KEY={value}"),
            format!("umbrellaCorpToken := \"{value}\""),
            format!("umbrella-corp: {{ api_key: '{value}' }}"),
            format!("- name: UMBRELLA_CORP\n  value: {value}\n"),
        ] {
            assert_eq!(scan(&text), [("umbrella-key".to_owned(), value.clone())], "{text}");
        }
        assert_eq!(scan(&format!("UMBRELLA_CORP_KEY={value}x")), []);
    }

    #[test]
    fn a_value_line_that_is_new_takes_the_line_before_with_it() {
        let value = examples::expand("umbrella-key", "{lower-alnum:16}");
        let text = format!("- name: UMBRELLA_CORP\n  value: {value}\n");
        let mut found = Vec::new();
        let line = text.find("  value").unwrap();
        engine().scan(text.as_bytes(), std::slice::from_ref(&(line..text.len())), &mut found);
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn what_spans_lines_is_found_and_asks_for_whole_descendants() {
        let text = "x\nBEGIN BLOCK\na\nb\nEND BLOCK\n";
        assert_eq!(scan(text), [("block".to_owned(), "a\nb".to_owned())]);
        let scanned = engine().scan_all(text.as_bytes(), &mut Vec::new());
        assert_eq!(scanned.descendants, Descendants::Whole);
        assert_eq!(engine().scan_all(b"x\n", &mut Vec::new()).descendants, Descendants::ByNews);
    }

    #[test]
    fn base64_is_opened_twice() {
        // `x acme_0123…` in base64; written by hand, so that no token stands here.
        let token = "acme_q7Wd2kZ9pLx4Vb8Nc3Ts";
        let once = base64(format!("this is {token} indeed").as_bytes());
        let twice = base64(format!("token={once}").as_bytes());
        for (text, layers) in [(format!("data: {once}"), 1), (format!("data: {twice}\n"), 2)] {
            let mut found = Vec::new();
            engine().scan_all(text.as_bytes(), &mut found);
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0].candidate.value.expose(), token.as_bytes());
            assert_eq!((found[0].layers.len(), found[0].span.start), (layers, 6));
        }
    }

    #[test]
    fn too_much_is_cut_and_said() {
        let text = format!("{}\n", token()).repeat(5_000);
        let mut found = Vec::new();
        let scanned = engine().scan_all(text.as_bytes(), &mut found);
        assert_eq!((found.len(), scanned.is_cut, scanned.descendants), (Engine::MAX_MATCHES, true, Descendants::Whole));
    }

    #[test]
    fn surroundings_do_not_hold_the_value() {
        let mut found = Vec::new();
        let text = format!("a\n  key: {} # x\nb", token());
        engine().scan_all(text.as_bytes(), &mut found);
        assert_eq!(found[0].candidate.surroundings, "  key: … # x");
    }

    #[test]
    fn the_digest_changes_with_the_patterns() {
        let other = Engine::with(vec![("patterns.toml".to_owned(), OWN.replace("{20}", "{21}"))]).unwrap();
        assert_ne!(engine().digest(), other.digest());
        assert_ne!(engine().digest(), Engine::built_in().digest());
        assert_eq!(engine().digest(), engine().digest());
    }

    #[test]
    fn ids_are_unique_over_all_files() {
        let twice = vec![("a.toml".to_owned(), OWN.to_owned()), ("b.toml".to_owned(), OWN.to_owned())];
        assert!(Engine::with(twice).unwrap_err().to_string().contains("`acme-token` is there already"));
    }

    #[test]
    fn expressions_that_begin_with_their_keyword_are_told() {
        for (expression, keyword) in [
            ("ghp_[a-z]{3}", "ghp_"),
            ("(?<secret>ghp_[a-z]{3})x", "ghp_"),
            (r"SG\.[a-z]", "SG."),
            ("ghp_(a|b)", "ghp_"),
        ] {
            assert!(begins_with(expression, keyword), "{expression}");
        }
        for (expression, keyword) in [
            ("gh[ps]_", "ghp_"),
            ("ghp_|gho_", "ghp_"),
            ("ghp_?", "ghp_"),
            ("(?i)ghp_", "ghp_"),
            ("SG.x", "SG."),
            ("(?:ghp_|b)", "ghp_"),
        ] {
            assert!(!begins_with(expression, keyword), "{expression}");
        }
    }

    fn base64(text: &[u8]) -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let bits: Vec<u8> = text.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
        let digit = |bits: &[u8]| (0..6).fold(0, |value, bit| value * 2 + bits.get(bit).copied().unwrap_or(0));
        bits.chunks(6).map(|bits| char::from(ALPHABET[usize::from(digit(bits))])).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// What is said of a line depends on that line, and for a lone `value` key on the one before.
        #[test]
        fn parts_find_what_the_whole_finds(lines in prop::collection::vec(0_usize..8, 1..12), cuts in prop::collection::vec(0_usize..12, 0..5)) {
            let value = examples::expand("umbrella-key", "{lower-alnum:16}");
            let texts = [
                "\n".to_owned(),
                "plain text\r\n".to_owned(),
                format!("a {} b\n", token()),
                "- name: UMBRELLA_CORP\n".to_owned(),
                format!("  value: {value}\n"),
                format!("umbrella_corp_key = '{value}'\n"),
                format!("{}{}\n", "long ".repeat(5_000), token()),
                format!("data: {}\n", base64(format!("this is {} indeed", token()).as_bytes())),
            ];
            let engine = engine();
            let chosen: Vec<&str> = lines.iter().map(|&line| texts[line].as_str()).collect();
            let text = chosen.concat();
            let places = |parts: &[Range<usize>]| {
                let mut found = Vec::new();
                engine.scan(text.as_bytes(), parts, &mut found);
                let place = |found: &Match| (found.span.start, found.span.end, found.candidate.pattern.id.clone());
                found.iter().map(place).collect::<BTreeSet<_>>()
            };
            let starts: Vec<usize> = chosen.iter().scan(0, |at, line| { *at += line.len(); Some(*at) }).collect();
            let mut edges: BTreeSet<usize> = cuts.iter().filter_map(|&cut| starts.get(cut).copied()).collect();
            edges.extend([0, text.len()]);
            let edges: Vec<usize> = edges.into_iter().collect();
            let parts: Vec<Range<usize>> = edges.windows(2).map(|pair| pair[0]..pair[1]).collect();
            let whole = places(std::slice::from_ref(&(0..text.len())));
            prop_assert_eq!(&places(&parts), &whole);
            let apart: BTreeSet<_> = parts.iter().flat_map(|part| places(std::slice::from_ref(part))).collect();
            prop_assert_eq!(apart, whole);
        }
    }
}
