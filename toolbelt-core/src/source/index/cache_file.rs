//! Cargo's cache of one crate's index entries, read in place.
//!
//! The file is one byte (the cache's version, 3), four bytes (the index's version, 2, little-endian), what the
//! registry said of this state of it (`etag: …`, `last-modified: …`, a commit, or anything) and NUL, then for each
//! version of the crate, oldest publication first: the version, NUL, its line of JSON, NUL. Of the lines, only those
//! that are asked for are parsed.

use memchr::memchr;
use semver::Version;

use super::entry;
use crate::finding::{Fact, Unknown};
use crate::subject::package::{Listing, Release};

/// The version of the cache that current cargo writes, and toolbelt for itself.
const CACHE_VERSION: u8 = 3;
/// The newest version of the index that cargo writes into it.
const INDEX_VERSION: u32 = 2;

/// What a cache file begins with: both versions.
pub(super) const HEAD: [u8; 5] = [CACHE_VERSION, 2, 0, 0, 0];

/// One crate's cache file.
#[derive(Debug, Clone, Copy)]
pub struct CacheFile<'a> {
    /// What the registry said of this state of the entry, such as `etag: "…"`.
    pub revision: &'a str,
    lines: &'a [u8],
}

/// Why a cache file is not read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// An older or newer cargo wrote it.
    #[error("cargo's index cache has format {cache}.{index}, which this version of toolbelt does not read")]
    Format {
        /// The first byte.
        cache: u8,
        /// The version of the index; zero where there is none.
        index: u32,
    },
    /// It ends too early, or is no cache file.
    #[error("cargo's index cache is truncated or damaged")]
    Damaged,
}

impl From<Error> for Unknown {
    fn from(error: Error) -> Self {
        Self::new(error.to_string()).hint("run `cargo fetch` with a current cargo")
    }
}

impl<'a> CacheFile<'a> {
    /// Checks the head of a cache file; the lines are not looked at.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] for every version but the one known, older ones included.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let (&cache, rest) = bytes.split_first().ok_or(Error::Damaged)?;
        if cache != CACHE_VERSION {
            return Err(Error::Format { cache, index: 0 });
        }
        let (index, rest) = rest.split_first_chunk::<4>().ok_or(Error::Damaged)?;
        let index = u32::from_le_bytes(*index);
        if index != INDEX_VERSION {
            return Err(Error::Format { cache, index });
        }
        let end = memchr(0, rest).ok_or(Error::Damaged)?;
        let revision = std::str::from_utf8(&rest[..end]).map_err(|_| Error::Damaged)?;
        let lines = &rest[end + 1..];
        // Every line ends with NUL: a file without is one that was not written to its end.
        if lines.last().is_some_and(|last| *last != 0) {
            return Err(Error::Damaged);
        }
        Ok(Self { revision, lines })
    }

    /// The versions with their lines, in the file's order.
    pub fn lines(&self) -> Lines<'a> {
        Lines { rest: self.lines }
    }

    /// Answers what is asked, one listing for each version in turn.
    ///
    /// [`Listing::confirmed`] is left open: the file does not know when it was last confirmed.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] if a version has no line.
    pub fn listings(&self, wanted: &[Version]) -> Result<Vec<Fact<Listing>>, Error> {
        let spelled: Vec<String> = wanted.iter().map(Version::to_string).collect();
        let mut found: Vec<Option<Fact<Release>>> = vec![None; wanted.len()];
        let mut releases = 0;
        let (mut first, mut last) = (None, None);
        let mut available = Vec::new();
        for line in self.lines() {
            let (version, json) = line?;
            releases += 1;
            first.get_or_insert(json);
            last = Some((version, json));
            if let Some(at) = spelled.iter().position(|wanted| wanted.as_bytes() == version) {
                found[at] = Some(release(&wanted[at], json));
            }
            if entry::is_yanked(json) == Some(false)
                && let Some(version) = parse_version(version)
            {
                available.push(version);
            }
        }
        available.sort_unstable();
        let last_published = last.and_then(|(version, json)| Some((parse_version(version)?, entry::published(json)?)));
        let listing = Listing {
            release: None,
            releases,
            first_published: first.and_then(entry::published),
            last_published,
            available,
            confirmed: Fact::Unknown(Unknown::new("the index entry was never confirmed")),
        };
        Ok(found
            .into_iter()
            .map(|found| match found {
                None => Fact::Known(listing.clone()),
                Some(Fact::Known(release)) => Fact::Known(Listing { release: Some(release), ..listing.clone() }),
                Some(Fact::Unknown(unknown)) => Fact::Unknown(unknown),
            })
            .collect())
    }

    /// Everything after the head, as it is in the file.
    pub(super) fn lines_as_written(&self) -> &'a [u8] {
        self.lines
    }
}

fn release(version: &Version, json: &[u8]) -> Fact<Release> {
    match entry::release(json) {
        Ok((written, release)) if written == *version => Fact::Known(release),
        Ok(_) => Fact::Unknown(Unknown::new("the index entry is filed under another version")),
        Err(error) => Fact::Unknown(Unknown::new(error.to_string())),
    }
}

fn parse_version(text: &[u8]) -> Option<Version> {
    Version::parse(std::str::from_utf8(text).ok()?).ok()
}

/// The lines of a cache file: version and JSON, both as bytes.
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Lines<'a> {
    type Item = Result<(&'a [u8], &'a [u8]), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let mut field = || {
            let end = memchr(0, self.rest)?;
            let field = &self.rest[..end];
            self.rest = &self.rest[end + 1..];
            Some(field)
        };
        let line = field().and_then(|version| Some((version, field()?)));
        if line.is_none() {
            self.rest = &[];
        }
        Some(line.ok_or(Error::Damaged))
    }
}

/// Writes what a registry served (one line of JSON for each version) as a cache file.
///
/// Lines that have no version are left out, as cargo does; `None` if all are, of a body that is not empty.
pub fn from_body(body: &[u8], revision: &str) -> Option<Vec<u8>> {
    let mut file = Vec::with_capacity(body.len() + body.len() / 16 + 64);
    file.extend(HEAD);
    file.extend(revision.bytes().filter(|byte| *byte != 0));
    file.push(0);
    let head = file.len();
    let mut lines =
        body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()).peekable();
    let was_empty = lines.peek().is_none();
    for line in lines {
        let Some(version) = entry::version(line).filter(|_| memchr(0, line).is_none()) else { continue };
        file.extend(version.bytes().filter(|byte| *byte != 0));
        file.push(0);
        file.extend(line);
        file.push(0);
    }
    (was_empty || file.len() > head).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    fn line(version: &str, rest: &str) -> String {
        format!(r#"{{"name":"a","vers":"{version}","deps":[],"cksum":"{SUM}","features":{{}},{rest}}}"#)
    }

    fn file() -> Vec<u8> {
        let body = [
            line("1.0.0", r#""yanked":false,"pubtime":"2020-01-01T00:00:00Z""#),
            line("1.1.0", r#""yanked": true, "pubtime":"2021-01-01T00:00:00Z""#),
            line("1.0.1", r#""yanked":false,"pubtime":"2022-01-01T00:00:00Z""#),
        ]
        .join("\n");
        from_body(body.as_bytes(), "etag: \"x\"").unwrap()
    }

    #[test]
    fn wanted_versions_are_answered_in_turn() {
        let file = file();
        let file = CacheFile::parse(&file).unwrap();
        assert_eq!(file.revision, "etag: \"x\"");
        assert_eq!(HEAD[1..], INDEX_VERSION.to_le_bytes());
        let wanted = [Version::new(1, 1, 0), Version::new(9, 0, 0)];
        let listings = file.listings(&wanted).unwrap();
        let listing = listings[0].known().unwrap();
        assert!(listing.release.as_ref().unwrap().yanked);
        assert_eq!(listing.releases, 3);
        assert_eq!(listing.available, [Version::new(1, 0, 0), Version::new(1, 0, 1)]);
        assert_eq!(listing.first_published, "2020-01-01T00:00:00Z".parse().ok());
        assert_eq!(listing.last_published, Some((Version::new(1, 0, 1), "2022-01-01T00:00:00Z".parse().unwrap())));
        assert_eq!(listings[1].known().unwrap().release, None);
    }

    #[test]
    fn other_formats_are_not_guessed_at() {
        let mut newer = file();
        newer[0] = 4;
        assert_eq!(CacheFile::parse(&newer).unwrap_err(), Error::Format { cache: 4, index: 0 });
        newer[0] = 1;
        assert_eq!(CacheFile::parse(&newer).unwrap_err(), Error::Format { cache: 1, index: 0 });
        newer[0] = 3;
        newer[1] = 9;
        assert_eq!(CacheFile::parse(&newer).unwrap_err(), Error::Format { cache: 3, index: 9 });
    }

    #[test]
    fn a_file_cut_anywhere_is_damaged_or_shorter_by_whole_lines() {
        let file = file();
        for end in 0..file.len() {
            let Ok(cut) = CacheFile::parse(&file[..end]) else { continue };
            let lines: Vec<_> = cut.lines().collect();
            assert!(lines.len() <= 3, "{end}");
            // Between a version and its line there is a NUL as well.
            assert!(lines.iter().rev().skip(1).all(Result::is_ok), "{end}");
        }
        assert_eq!(CacheFile::parse(&file[..file.len() - 1]).unwrap_err(), Error::Damaged);
        assert_eq!(CacheFile::parse(b"").unwrap_err(), Error::Damaged);
    }

    #[test]
    fn a_line_filed_under_another_version_is_not_believed() {
        let mut file = vec![3, 2, 0, 0, 0, b'x', 0];
        file.extend(b"2.0.0\0");
        file.extend(line("1.0.0", "\"yanked\":false").bytes());
        file.push(0);
        let listings = CacheFile::parse(&file).unwrap().listings(&[Version::new(2, 0, 0)]).unwrap();
        assert!(listings[0].known().is_none());
    }

    #[test]
    fn bodies_without_any_entry_are_refused() {
        assert_eq!(from_body(b"<html>\nhello\n</html>", "x"), None);
        assert!(from_body(b"", "x").is_some());
        let one = format!("nonsense\n{}\r\n", line("1.0.0", "\"yanked\":false"));
        assert_eq!(CacheFile::parse(&from_body(one.as_bytes(), "x\0y").unwrap()).unwrap().lines().count(), 1);
    }
}
