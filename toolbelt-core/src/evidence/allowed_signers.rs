//! Whose keys count: OpenSSH's [ALLOWED SIGNERS](https://man.openbsd.org/ssh-keygen#ALLOWED_SIGNERS) file.
//!
//! It is read as `ssh-keygen -Y verify` reads it, so that both trust the same keys: what a line says that cannot be
//! understood makes that line worthless, and no other. Times without a zone are taken to be UTC, where `ssh-keygen` takes
//! the zone of the machine: trust must not depend on where one is.

mod options;
mod pattern;
mod time;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use jiff::Timestamp;

use crate::subject::malformed::Malformed;
use crate::subject::ssh::{KeyKind, PublicKey};
use options::Options;

/// The largest file.
pub const MAX_BYTES: usize = 1 << 20;
/// The most lines with keys.
const MAX_LINES: usize = 10_000;

/// The lines of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedSigners {
    lines: Vec<Line>,
    problems: Vec<Malformed>,
}

/// A key, and for whom, for what and when it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    number: u32,
    /// Patterns of principals, as they stand there.
    principals: String,
    options: Options,
    key: PublicKey,
}

/// Why a line with the key in question does not count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refused {
    /// It is for other namespaces.
    Namespace {
        /// Those that it is for: patterns, as they stand there.
        allowed: String,
    },
    /// It counts from a later time on.
    NotYet {
        /// From when on.
        valid_after: Timestamp,
    },
    /// It counted until an earlier time.
    Expired {
        /// Until when.
        valid_before: Timestamp,
    },
    /// It is for certificates by this key, which are not supported.
    Authority,
    /// It names nobody: all of its patterns are negated.
    Nobody,
}

impl AllowedSigners {
    /// Reads a file; `path` is what problems call it.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the file as a whole is too large. Lines that cannot be understood are among the
    /// [problems](Self::problems).
    pub fn parse(path: &str, text: &str) -> Result<Self, Malformed> {
        if text.len() > MAX_BYTES {
            return Err(Malformed::whole(path, format!("it is longer than {MAX_BYTES} bytes")));
        }
        let mut signers = Self::default();
        let mut start = 0;
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let span = start..start + line.len();
            start = span.end;
            match Line::parse(line, u32::try_from(index + 1).unwrap_or(u32::MAX)) {
                Ok(None) => {}
                Ok(Some(_)) if signers.lines.len() == MAX_LINES => {
                    return Err(Malformed::whole(path, format!("it has more than {MAX_LINES} keys")));
                }
                Ok(Some(line)) => {
                    if let Some(problem) = line.unsupported() {
                        signers.problems.push(Malformed::at(path, text, trimmed(span, text), problem));
                    }
                    signers.lines.push(line);
                }
                Err(why) => signers.problems.push(Malformed::at(path, text, trimmed(span, text), why)),
            }
        }
        Ok(signers)
    }

    /// Lines that cannot be understood, or do not do what they seem to: none of them makes anybody trusted.
    pub fn problems(&self) -> &[Malformed] {
        &self.problems
    }

    /// Whose key this is: the patterns that stand before it, without those that are negated. Sorted; none if it does not
    /// count for such signatures at that time.
    ///
    /// These are the names that `ssh-keygen -Y find-principals` prints and `-Y verify -I` then accepts.
    pub fn find(&self, key: &PublicKey, namespace: &str, at: Timestamp) -> Vec<String> {
        let lines = self.lines_with(key).filter(|line| line.refuses(namespace, at).is_none());
        lines.flat_map(Line::names).collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect()
    }

    /// Whether this principal may sign with this key, as `ssh-keygen -Y verify -I PRINCIPAL` would say.
    pub fn permits(&self, principal: &str, key: &PublicKey, namespace: &str, at: Timestamp) -> bool {
        let mut lines = self.lines_with(key).filter(|line| pattern::list_matches(&line.principals, principal));
        lines.any(|line| line.refuses_key(namespace, at).is_none())
    }

    /// Why a key that stands in the file does not count; none if it is not there.
    pub fn why_not(&self, key: &PublicKey, namespace: &str, at: Timestamp) -> Option<Refused> {
        self.lines_with(key).find_map(|line| line.refuses(namespace, at))
    }

    /// Why a key with this fingerprint does not count; none if it is not there.
    pub fn refused_by_fingerprint(&self, fingerprint: &str, namespace: &str, at: Timestamp) -> Option<Refused> {
        let lines = self.lines.iter().filter(|line| line.refuses(namespace, at).is_some());
        lines.filter(|line| line.key.fingerprint() == fingerprint).find_map(|line| line.refuses(namespace, at))
    }

    /// Every key that counts for such signatures at that time, in the order of the file, each once.
    pub fn keys(&self, namespace: &str, at: Timestamp) -> impl Iterator<Item = &PublicKey> {
        let mut seen = BTreeSet::new();
        let lines = self.lines.iter().filter(move |line| line.refuses(namespace, at).is_none());
        lines.map(|line| &line.key).filter(move |key| seen.insert(*key))
    }

    /// Whether no line of it could ever make anybody trusted.
    pub fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| line.options.authority)
    }

    fn lines_with<'a>(&'a self, key: &'a PublicKey) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(move |line| line.key == *key)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespace { allowed } => write!(f, "is allowed for the namespaces {allowed:?} alone"),
            Self::NotYet { valid_after } => write!(f, "is allowed from {valid_after} on"),
            Self::Expired { valid_before } => write!(f, "was allowed until {valid_before}"),
            Self::Authority => f.write_str("is allowed to make certificates, which are not supported"),
            Self::Nobody => f.write_str("is allowed for nobody"),
        }
    }
}

/// A byte range without the white space at its ends.
fn trimmed(span: Range<usize>, text: &str) -> Range<usize> {
    let line = &text[span.clone()];
    let start = span.start + line.len() - line.trim_start().len();
    start..start + line.trim().len()
}

impl Line {
    /// Reads a line; none if it is empty or a comment.
    fn parse(line: &str, number: u32) -> Result<Option<Self>, String> {
        let rest = line.trim_start_matches([' ', '\t']).trim_end_matches(['\n', '\r']);
        if rest.is_empty() || rest.starts_with('#') {
            return Ok(None);
        }
        if rest.contains('\0') {
            return Err("a line ends where a zero byte is".to_owned());
        }
        let (principals, rest) = first_word(rest).ok_or("expected principals, then a key")?;
        if let Ok(key) = PublicKey::parse(rest) {
            return Ok(Some(Self { number, principals, options: Options::default(), key }));
        }
        let end = options::end(rest).ok_or("a quote in the options does not end")?;
        let key = PublicKey::parse(&rest[end..]).map_err(|error| format!("what follows the options {error}"))?;
        Ok(Some(Self { number, principals, options: Options::parse(&rest[..end])?, key }))
    }

    /// The line in the file, from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// What the reader may expect of it and will not get.
    fn unsupported(&self) -> Option<&'static str> {
        if self.options.authority {
            return Some("keys through certificates (`cert-authority`) are not supported: this line trusts nobody");
        }
        match self.key.kind() {
            KeyKind::Certificate => Some("certificates are not supported: this line trusts nobody"),
            KeyKind::Unsupported => Some("keys of this type are not supported: this line trusts nobody"),
            KeyKind::Ed25519 | KeyKind::EcdsaP256 | KeyKind::SkEd25519 | KeyKind::SkEcdsaP256 | KeyKind::ByProgram => {
                None
            }
        }
    }

    /// Why it does not count for such signatures at that time.
    fn refuses(&self, namespace: &str, at: Timestamp) -> Option<Refused> {
        let nobody = || self.names().next().is_none().then_some(Refused::Nobody);
        self.refuses_key(namespace, at).or_else(nobody)
    }

    fn refuses_key(&self, namespace: &str, at: Timestamp) -> Option<Refused> {
        let Options { authority, namespaces, valid_after, valid_before } = &self.options;
        if *authority {
            return Some(Refused::Authority);
        }
        if let Some(allowed) = namespaces.as_ref().filter(|list| !pattern::list_matches(list, namespace)) {
            return Some(Refused::Namespace { allowed: allowed.clone() });
        }
        // Both ends are part of the time.
        if let Some(valid_after) = valid_after.filter(|start| at.as_second() < start.as_second()) {
            return Some(Refused::NotYet { valid_after });
        }
        let valid_before = valid_before.filter(|end| at.as_second() > end.as_second())?;
        Some(Refused::Expired { valid_before })
    }

    /// The patterns of principals that, taken as names, the list itself lets through.
    fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.principals.split(',').filter(|name| !name.is_empty() && !name.starts_with('!'));
        names.filter(|name| pattern::list_matches(&self.principals, name))
    }
}

/// Whether a list of patterns between commas is for this principal, as the first word of a line is.
pub fn is_for(list: &str, principal: &str) -> bool {
    pattern::list_matches(list, principal)
}

/// The first word, which may be quoted in part, and what follows it; none if nothing follows, or a quote does not end.
fn first_word(line: &str) -> Option<(String, &str)> {
    let spaces: &[char] = &[' ', '\t', '\r', '\n'];
    let end = line.find(|letter| spaces.contains(&letter) || letter == '"')?;
    let (word, rest) = line.split_at(end);
    let (word, rest) = match rest.strip_prefix('"') {
        // As OpenSSH has it: a quote begins where it stands, and the word ends with it.
        Some(quoted) => {
            let (inside, rest) = quoted.split_once('"')?;
            (format!("{word}{inside}"), rest)
        }
        None => (word.to_owned(), rest),
    };
    let rest = rest.trim_start_matches(spaces);
    (!word.is_empty() && !rest.is_empty()).then_some((word, rest))
}
