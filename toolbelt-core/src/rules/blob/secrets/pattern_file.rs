//! Reads files of patterns: our own, and those that users keep in `.toolbelt/`.

use std::collections::BTreeSet;

use serde::Deserialize;
use toml::Spanned;

use super::expression;
use crate::subject::malformed::Malformed;
use crate::subject::pattern::{Pattern, ProofKind, SecretKind, Shape};

/// A pattern and the examples beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// The pattern.
    pub pattern: Pattern,
    /// Texts in which it is found, as written; [`super::examples::expand`] fills them in.
    pub matches: Vec<String>,
    /// Texts in which it is not found, as written.
    pub ignores: Vec<String>,
}

/// The most patterns that one file may hold.
const MAX_PATTERNS: usize = 10_000;

/// Reads a file of patterns; `path` is what errors call it.
///
/// # Errors
///
/// [`Malformed`] at the first thing that is not understood, expressions that do not compile included.
pub fn parse(path: &str, text: &str) -> Result<Vec<Described>, Malformed> {
    let file: File = toml::from_str(text).map_err(|error| Malformed::toml(path, text, &error))?;
    let source = Source { path, text, is_checked: true };
    let patterns = source.patterns(file)?;
    let mut ids = BTreeSet::new();
    for (place, described) in &patterns {
        if !ids.insert(described.pattern.id.as_str()) {
            return Err(source.error(place, format!("a second pattern is called `{}`", described.pattern.id)));
        }
    }
    Ok(patterns.into_iter().map(|(_, described)| described).collect())
}

/// Reads a file that a test has checked, without its examples: they are most of it, and every run would wait for them.
pub(super) fn trusted(path: &str, text: &str) -> Result<Vec<Described>, Malformed> {
    let text = &without_examples(text);
    let file: File = toml::from_str(text).map_err(|error| Malformed::toml(path, text, &error))?;
    let patterns = Source { path, text, is_checked: false }.patterns(file)?;
    Ok(patterns.into_iter().map(|(_, described)| described).collect())
}

/// Leaves the arrays `matches` and `ignores` out, where they are written as our own files write them.
fn without_examples(text: &str) -> String {
    let mut short = String::with_capacity(text.len() / 2);
    let mut rest = text;
    while let Some(line) = rest.split_inclusive('\n').next() {
        let is_list = line.starts_with("matches = [") || line.starts_with("ignores = [");
        if is_list {
            rest = &rest[array(rest)..];
        } else {
            short.push_str(line);
            rest = &rest[line.len()..];
        }
    }
    short
}

/// Where the first array of a text ends.
fn array(text: &str) -> usize {
    let mut quote = None;
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            _ if is_escaped => is_escaped = false,
            (Some(b'"'), b'\\') => is_escaped = true,
            (Some(open), byte) if open == byte => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b']') => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    provider: Vec<Provider>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
    name: String,
    revoke: Option<String>,
    #[serde(default)]
    pattern: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    id: Spanned<String>,
    name: String,
    keywords: Option<Vec<Spanned<String>>>,
    regex: Option<Spanned<String>>,
    names: Option<Vec<Spanned<String>>>,
    value: Option<Spanned<String>>,
    rule: Option<Spanned<String>>,
    proof: Option<Spanned<String>>,
    entropy: Option<Spanned<f64>>,
    #[serde(default)]
    spans_lines: bool,
    #[serde(default)]
    matches: Vec<String>,
    #[serde(default)]
    ignores: Vec<String>,
}

/// A place of the text.
type Place = std::ops::Range<usize>;

#[derive(Clone, Copy)]
struct Source<'a> {
    path: &'a str,
    text: &'a str,
    /// Whether expressions are compiled and words looked at.
    is_checked: bool,
}

impl Source<'_> {
    fn error(self, place: &Place, message: impl Into<String>) -> Malformed {
        Malformed::at(self.path, self.text, place.clone(), message)
    }

    fn patterns(self, file: File) -> Result<Vec<(Place, Described)>, Malformed> {
        let mut patterns = Vec::new();
        for provider in file.provider {
            for entry in provider.pattern {
                let place = entry.id.span();
                if patterns.len() == MAX_PATTERNS {
                    return Err(self.error(&place, format!("a file holds at most {MAX_PATTERNS} patterns")));
                }
                patterns.push((place, self.pattern(entry, &provider.name, provider.revoke.as_ref())?));
            }
        }
        Ok(patterns)
    }

    fn pattern(self, entry: Entry, provider: &str, revoke: Option<&String>) -> Result<Described, Malformed> {
        let place = entry.id.span();
        let shape = match (entry.keywords, entry.regex, entry.names, entry.value) {
            (Some(keywords), Some(regex), None, None) => {
                Shape::Text { keywords: self.words(keywords, &place, 3)?, regex: self.expression(regex)? }
            }
            (None, None, Some(names), Some(value)) => {
                Shape::Assigned { names: self.words(names, &place, 3)?, value: self.expression(value)? }
            }
            _ => {
                let message = "expected either `keywords` and `regex`, or `names` and `value`";
                return Err(self.error(&place, message));
            }
        };
        let id = entry.id.into_inner();
        let is_kebab = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if id.is_empty() || !id.bytes().all(is_kebab) {
            return Err(self.error(&place, "expected an id of lower-case letters, digits and `-`"));
        }
        let rule = entry.rule.map_or(Ok(SecretKind::Token), |rule| self.kind(&rule))?;
        let proof = entry.proof.map(|proof| self.proof(&proof)).transpose()?;
        let entropy = entry.entropy.map_or(Ok(0), |entropy| self.entropy(&entropy))?;
        let pattern = Pattern {
            id,
            name: entry.name,
            provider: provider.to_owned(),
            rule,
            shape,
            proof,
            entropy,
            spans_lines: entry.spans_lines,
            revoke: revoke.cloned(),
        };
        Ok(Described { pattern, matches: entry.matches, ignores: entry.ignores })
    }

    /// Literals that are long enough to be looked for in everything.
    fn words(self, words: Vec<Spanned<String>>, place: &Place, least: usize) -> Result<Vec<String>, Malformed> {
        if words.is_empty() {
            return Err(self.error(place, "a pattern needs a word by which it is found"));
        }
        let word = |word: Spanned<String>| {
            let is_line = !word.get_ref().contains(['\n', '\r']);
            if word.get_ref().len() < least || word.get_ref().len() > 100 || !is_line {
                return Err(self.error(&word.span(), format!("expected {least} to 100 bytes on one line")));
            }
            Ok(word.into_inner())
        };
        words.into_iter().map(word).collect()
    }

    fn expression(self, text: Spanned<String>) -> Result<String, Malformed> {
        if self.is_checked {
            expression::compile(text.get_ref())
                .map_err(|why| self.error(&text.span(), format!("the expression cannot be used: {why}")))?;
        }
        Ok(text.into_inner())
    }

    fn kind(self, word: &Spanned<String>) -> Result<SecretKind, Malformed> {
        match word.get_ref().as_str() {
            "exposed-token" => Ok(SecretKind::Token),
            "private-key" => Ok(SecretKind::PrivateKey),
            "connection-string" => Ok(SecretKind::ConnectionString),
            "exposed-credential" => Ok(SecretKind::Credential),
            _ => Err(self.error(
                &word.span(),
                "expected `exposed-token`, `private-key`, `connection-string` or `exposed-credential`",
            )),
        }
    }

    fn proof(self, word: &Spanned<String>) -> Result<ProofKind, Malformed> {
        match word.get_ref().as_str() {
            "base62-crc32" => Ok(ProofKind::Base62Crc32),
            "jwt" => Ok(ProofKind::Jwt),
            "aws-key-id" => Ok(ProofKind::AwsKeyId),
            "pypi-macaroon" => Ok(ProofKind::PypiMacaroon),
            "private-key" => Ok(ProofKind::PrivateKey),
            _ => Err(self
                .error(&word.span(), "expected `base62-crc32`, `jwt`, `aws-key-id`, `pypi-macaroon` or `private-key`")),
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked first")]
    fn entropy(self, bits: &Spanned<f64>) -> Result<u32, Malformed> {
        if (0.0..=8.0).contains(bits.get_ref()) {
            Ok((bits.get_ref() * 100.0).round() as u32)
        } else {
            Err(self.error(&bits.span(), "expected a number of bits from 0 to 8"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse("patterns.toml", text).unwrap_err().to_string()
    }

    fn with(lines: &str) -> String {
        format!("[[provider]]\nname = \"Acme\"\n[[provider.pattern]]\nid = \"acme-key\"\nname = \"Acme key\"\n{lines}")
    }

    #[test]
    fn a_pattern_is_read() {
        let text =
            with("keywords = ['acme_']\nregex = 'acme_[a-z]{8}'\nentropy = 2.5\nproof = 'jwt'\nspans-lines = true");
        let [described] = parse("patterns.toml", &text).unwrap().try_into().unwrap();
        let pattern = described.pattern;
        assert_eq!((pattern.id.as_str(), pattern.provider.as_str(), pattern.entropy), ("acme-key", "Acme", 250));
        assert_eq!((pattern.rule, pattern.proof), (SecretKind::Token, Some(ProofKind::Jwt)));
        assert!(pattern.spans_lines);
    }

    #[test]
    fn errors_point_at_the_line() {
        let unknown = error(&with("keyword = ['acme_']"));
        assert!(unknown.starts_with("patterns.toml:6:1: unknown field `keyword`"), "{unknown}");
        let broken = error(&with("keywords = ['acme_']\nregex = 'acme_('"));
        assert!(broken.starts_with("patterns.toml:7:9: the expression cannot be used"), "{broken}");
        let short = error(&with("keywords = ['ac']\nregex = 'ac'"));
        assert_eq!(short, "patterns.toml:6:13: expected 3 to 100 bytes on one line");
        let half = error(&with("keywords = ['acme_']"));
        assert_eq!(half, "patterns.toml:4:6: expected either `keywords` and `regex`, or `names` and `value`");
        let rule = error(&with("keywords = ['acme_']\nregex = 'acme_a'\nrule = 'token'"));
        assert!(rule.starts_with("patterns.toml:8:8: expected `exposed-token`"), "{rule}");
        let entropy = error(&with("keywords = ['acme_']\nregex = 'acme_a'\nentropy = 9.0"));
        assert_eq!(entropy, "patterns.toml:8:11: expected a number of bits from 0 to 8");
        let pattern = "[[provider.pattern]]\nid = 'a'\nname = 'a'\nkeywords = ['aaa']\nregex = 'aaa'\n";
        let twice = error(&format!("[[provider]]\nname = 'x'\n{pattern}{pattern}"));
        assert_eq!(twice, "patterns.toml:9:6: a second pattern is called `a`");
    }

    #[test]
    fn the_built_in_files_are_the_same_without_their_examples() {
        for (path, text) in crate::rules::blob::secrets::patterns::FILES {
            let whole = parse(path, text).unwrap().into_iter().map(|described| described.pattern);
            let short = trusted(path, text).unwrap().into_iter().map(|described| described.pattern);
            assert!(whole.eq(short), "{path}");
        }
    }
}
