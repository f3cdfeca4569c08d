//! The list of established crates: the embedded one, or a file in the same format.
//!
//! One crate a line: name, rank and repository, separated by tabs; the last two may be empty or missing. Lines that
//! start with `#` are comments; if the first one has a date (`YYYY-MM-DD`), it is the date of the list.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::subject::digest::Sha256Digest;
use crate::subject::names::{Entry, Names, is_crate_name};

/// The list that comes with toolbelt, made by `examples/generate_names.rs`.
const EMBEDDED: &str = include_str!("../../data/names.tsv");

/// The longest list that is read, in bytes: ten times every name of the registry with its repository.
const LONGEST: u64 = 128 * 1024 * 1024;

/// A list of names with what a report says of its source.
#[derive(Debug, Clone, PartialEq)]
pub struct NameList {
    /// The names.
    pub names: Names,
    /// The day it was made, where it says so.
    pub date: Option<jiff::civil::Date>,
    /// Over the bytes of the list.
    pub digest: Sha256Digest,
}

/// Why a list of names could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be opened or read.
    #[error("`{path}` cannot be read")]
    Unreadable {
        /// The list.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is larger than any list of crates.
    #[error("`{path}` is larger than {LONGEST} bytes, expected a list of crate names")]
    TooLong {
        /// The list.
        path: PathBuf,
    },
    /// A line is not what it should be.
    #[error("`{path}`, line {line}: {expected}")]
    Malformed {
        /// The list.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What was expected and what was found.
        expected: String,
    },
}

/// Reads the list that comes with toolbelt.
pub fn embedded() -> NameList {
    let rows = EMBEDDED.lines().filter_map(|line| row(line).ok().flatten());
    NameList { names: Names::new(rows), date: date(EMBEDDED), digest: digest(EMBEDDED.as_bytes()) }
}

/// Reads a list from a file.
///
/// # Errors
///
/// [`Error::Unreadable`] and [`Error::TooLong`] for the file as a whole; [`Error::Malformed`] for the first line that is
/// not UTF-8, has no valid crate name, a rank that is no positive number, or too many fields.
pub fn read(path: &Path) -> Result<NameList, Error> {
    let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LONGEST {
        return Err(Error::TooLong { path: path.to_owned() });
    }
    parse(&bytes, path)
}

/// Reads a list from bytes; `path` is for messages.
///
/// # Errors
///
/// [`Error::Malformed`], as [`read`].
pub fn parse(bytes: &[u8], path: &Path) -> Result<NameList, Error> {
    let malformed = |line, expected| Error::Malformed { path: path.to_owned(), line, expected };
    let text = str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes.iter().take(error.valid_up_to()).filter(|&&byte| byte == b'\n').count();
        malformed(line, "expected UTF-8".to_owned())
    })?;
    let mut rows = Vec::new();
    for (at, line) in text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate() {
        rows.extend(row(line).map_err(|expected| malformed(at + 1, expected))?);
    }
    Ok(NameList { names: Names::new(rows), date: date(text), digest: digest(bytes) })
}

/// Reads a line; none for comments and empty lines.
fn row(line: &str) -> Result<Option<Entry<'_>>, String> {
    if line.starts_with('#') || line.trim().is_empty() {
        return Ok(None);
    }
    let mut fields = line.split('\t').map(str::trim);
    let name = fields.next().unwrap_or_default();
    if !is_crate_name(name) {
        return Err(format!("expected the name of a crate, found `{}`", shown(name)));
    }
    let rank = match fields.next().unwrap_or_default() {
        "" => None,
        digits => match digits.parse::<u32>() {
            Ok(rank) if rank > 0 => Some(rank),
            _ => return Err(format!("expected a rank, a whole number from 1, found `{}`", shown(digits))),
        },
    };
    let repository = fields.next().filter(|url| !url.is_empty());
    if fields.next().is_some() {
        return Err("expected three fields separated by tabs: name, rank, repository".to_owned());
    }
    Ok(Some(Entry { name, rank, repository }))
}

/// What was found, short and without control characters.
fn shown(field: &str) -> String {
    let short: String = field.chars().take(80).collect();
    short.escape_default().to_string()
}

/// The first date in the comments before the first name.
fn date(text: &str) -> Option<jiff::civil::Date> {
    let comments = text.lines().take_while(|line| line.starts_with('#'));
    let mut words = comments.flat_map(|line| line.split(|c: char| !c.is_ascii_digit() && c != '-'));
    words.find_map(|word| (word.len() == 10).then(|| word.parse().ok()).flatten())
}

fn digest(bytes: &[u8]) -> Sha256Digest {
    Sha256Digest::new(Sha256::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(bytes: &[u8]) -> String {
        parse(bytes, Path::new("names.tsv")).unwrap_err().to_string()
    }

    #[test]
    fn list_has_names_ranks_repositories_and_a_date() {
        let text =
            b"# established crates, 2026-11-22\n# more\nserde\t1\thttps://example.org/serde\n\ntokio\t2\r\nfoo\n";
        let list = parse(text, Path::new("names.tsv")).unwrap();
        assert_eq!(list.date, Some(jiff::civil::date(2026, 11, 22)));
        let serde = Entry { name: "serde", rank: Some(1), repository: Some("https://example.org/serde") };
        assert_eq!(list.names.get("serde"), Some(serde));
        assert_eq!(list.names.get("tokio"), Some(Entry { name: "tokio", rank: Some(2), repository: None }));
        assert_eq!(list.names.get("foo"), Some(Entry { name: "foo", rank: None, repository: None }));
        assert_eq!(list.names.len(), 3);
    }

    #[test]
    fn list_without_comments_has_no_date() {
        assert_eq!(parse(b"serde\n", Path::new("names.tsv")).unwrap().date, None);
    }

    #[test]
    fn error_names_the_line_and_what_was_expected() {
        assert_eq!(error(b"serde\n# x\n\xff\n"), "`names.tsv`, line 3: expected UTF-8");
        assert_eq!(error(b"serde\tmany"), "`names.tsv`, line 1: expected a rank, a whole number from 1, found `many`");
        assert!(error(b"serde\t0").contains("expected a rank"));
        assert!(error(b"serde\t1\t\t2").contains("expected three fields"));
        assert_eq!(
            error("a\nse\u{1b}rde".as_bytes()),
            "`names.tsv`, line 2: expected the name of a crate, found `se\\u{1b}rde`"
        );
    }

    #[test]
    fn missing_file_is_an_error_that_names_it() {
        let error = read(Path::new("no/such/names.tsv")).unwrap_err();
        assert_eq!(error.to_string(), "`no/such/names.tsv` cannot be read");
    }

    #[test]
    fn embedded_list_is_read_whole() {
        let list = embedded();
        let rows = EMBEDDED.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(list.names.len(), rows, "every line is a name, and each name is there once");
        assert!(rows >= 2_500);
        assert!(list.date.is_some());
        parse(EMBEDDED.as_bytes(), Path::new("names.tsv")).unwrap();
    }
}
