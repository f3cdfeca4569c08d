//! One line of a registry's index: a version as
//! [the index format](https://doc.rust-lang.org/cargo/reference/registry-index.html) writes it.

use std::borrow::Cow;

use jiff::Timestamp;
use memchr::memmem;
use semver::Version;
use serde::Deserialize;

use crate::subject::digest::Sha256Digest;
use crate::subject::package::{DependencyKind, Release, Requirement};

/// Newest form of index entries that is known; cargo skips newer ones.
const NEWEST_ENTRY: u32 = 2;

/// Why a line of an index is not an entry.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not JSON, or a field is missing or has the wrong type.
    #[error("the registry's index entry is malformed")]
    Json(#[from] serde_json::Error),
    /// `vers` is not a version.
    #[error("the registry's index entry has no valid version")]
    Version,
    /// `cksum` is not a SHA-256.
    #[error("the registry's index entry has no valid checksum")]
    Checksum,
    /// A form of entries that is newer than this program.
    #[error("the registry's index entry has form {0}, which is not known")]
    Newer(u32),
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    vers: Cow<'a, str>,
    #[serde(borrow)]
    deps: Vec<LineDependency<'a>>,
    #[serde(borrow)]
    cksum: Cow<'a, str>,
    #[serde(default)]
    yanked: Option<bool>,
    #[serde(default, borrow)]
    pubtime: Option<Cow<'a, str>>,
    #[serde(default)]
    v: Option<u32>,
}

#[derive(Deserialize)]
struct LineDependency<'a> {
    /// The package's name, unless `package` is there: then the name it was given.
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    req: Cow<'a, str>,
    #[serde(default)]
    optional: bool,
    #[serde(default, borrow)]
    target: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    package: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct VersionOnly<'a> {
    #[serde(borrow)]
    vers: Cow<'a, str>,
}

#[derive(Deserialize)]
struct YankedOnly {
    #[serde(default)]
    yanked: Option<bool>,
}

#[derive(Deserialize)]
struct TimeOnly<'a> {
    #[serde(default, borrow)]
    pubtime: Option<Cow<'a, str>>,
}

/// Reads all that is asked of a line.
///
/// # Errors
///
/// [`Error`], for each way in which it is not an entry.
pub fn release(line: &[u8]) -> Result<(Version, Release), Error> {
    let line: Line<'_> = serde_json::from_slice(line)?;
    if let Some(form) = line.v.filter(|form| *form > NEWEST_ENTRY) {
        return Err(Error::Newer(form));
    }
    let version = Version::parse(&line.vers).map_err(|_| Error::Version)?;
    let checksum = Sha256Digest::parse(&line.cksum).ok_or(Error::Checksum)?;
    let release = Release {
        checksum,
        yanked: line.yanked.unwrap_or(false),
        published: line.pubtime.as_deref().and_then(|time| time.parse().ok()),
        dependencies: line.deps.into_iter().map(requirement).collect(),
    };
    Ok((version, release))
}

fn requirement(dependency: LineDependency<'_>) -> Requirement {
    let kind = match dependency.kind.as_deref() {
        Some("dev") => DependencyKind::Dev,
        Some("build") => DependencyKind::Build,
        // Entries of the first years say nothing; cargo takes what it does not know for a normal dependency.
        _ => DependencyKind::Normal,
    };
    Requirement {
        name: dependency.package.unwrap_or(dependency.name).into_owned(),
        requirement: Some(dependency.req.into_owned()),
        kind,
        target: dependency.target.map(Cow::into_owned),
        optional: dependency.optional,
    }
}

/// The version of a line, as written.
pub(super) fn version(line: &[u8]) -> Option<Cow<'_, str>> {
    Some(serde_json::from_slice::<VersionOnly<'_>>(line).ok()?.vers)
}

/// Whether a line is of a yanked version; none if the line is malformed.
pub(super) fn is_yanked(line: &[u8]) -> Option<bool> {
    match last_value(line, b"\"yanked\"") {
        Some(rest) if rest.starts_with(b"false") => Some(false),
        Some(rest) if rest.starts_with(b"true") => Some(true),
        _ => Some(serde_json::from_slice::<YankedOnly>(line).ok()?.yanked.unwrap_or(false)),
    }
}

/// When a line says that its version was published.
pub(super) fn published(line: &[u8]) -> Option<Timestamp> {
    let found = last_value(line, b"\"pubtime\"").and_then(|rest| {
        let rest = rest.strip_prefix(b"\"")?;
        let end = memchr::memchr(b'"', rest)?;
        std::str::from_utf8(&rest[..end]).ok()?.parse().ok()
    });
    found.or_else(|| serde_json::from_slice::<TimeOnly<'_>>(line).ok()?.pubtime?.parse().ok())
}

/// What follows the last key of this name, without parsing the line.
///
/// In JSON, a quote within a string has a backslash before it, so that `"key"` followed by a colon is a key wherever it
/// stands. It could be the key of an inner object; registries write none such, and the locked version's line is parsed
/// in full. `yanked` and `pubtime` are written after dependencies and features, hence from the end.
fn last_value<'a>(line: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let at = memmem::rfind(line, key)?;
    let rest = line[at + key.len()..].trim_ascii_start().strip_prefix(b":")?;
    Some(rest.trim_ascii_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"name":"a","vers":"1.0.0","deps":[{"name":"x","req":"^1","features":[],"optional":true,
        "default_features":true,"target":"cfg(unix)","kind":"build","package":"real"}],
        "cksum":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08","features":{"yanked":["x"]},
        "yanked":true,"links":null,"pubtime":"2020-01-02T03:04:05Z"}"#;

    #[test]
    fn line_is_read_with_the_real_names_of_dependencies() {
        let (version, release) = release(LINE.as_bytes()).unwrap();
        assert_eq!(version, Version::new(1, 0, 0));
        assert!(release.yanked);
        assert_eq!(release.published, "2020-01-02T03:04:05Z".parse().ok());
        let expected = Requirement {
            name: "real".to_owned(),
            requirement: Some("^1".to_owned()),
            kind: DependencyKind::Build,
            target: Some("cfg(unix)".to_owned()),
            optional: true,
        };
        assert_eq!(release.dependencies, [expected]);
    }

    #[test]
    fn yanks_and_times_are_found_however_the_line_is_written() {
        assert_eq!(is_yanked(LINE.as_bytes()), Some(true));
        assert_eq!(published(LINE.as_bytes()), "2020-01-02T03:04:05Z".parse().ok());
        for (line, yanked) in [
            (r#"{"yanked" : false}"#, Some(false)),
            (r#"{"yanked":true,"features":{"yanked":["a"]}}"#, Some(true)),
            (r#"{"yanked":true,"x":"\"yanked\":false"}"#, Some(true)),
            (r#"{"y\u0061nked":true}"#, Some(true)),
            (r#"{"yanked":null}"#, Some(false)),
            (r"{}", Some(false)),
            (r#"{"yanked":"#, None),
            ("", None),
        ] {
            assert_eq!(is_yanked(line.as_bytes()), yanked, "{line}");
        }
        assert_eq!(published(br#"{"pubtime":"yesterday"}"#), None);
        assert_eq!(published(br#"{"pubtime":5}"#), None);
    }

    #[test]
    fn what_is_not_an_entry_is_an_error() {
        assert!(matches!(release(b"{}"), Err(Error::Json(_))));
        assert!(matches!(release(b"\xff\xfe"), Err(Error::Json(_))));
        assert!(matches!(release(LINE.replace("1.0.0", "one").as_bytes()), Err(Error::Version)));
        assert!(matches!(release(LINE.replace("9f86d", "zzzzz").as_bytes()), Err(Error::Checksum)));
        assert!(matches!(release(LINE.replace("\"links\"", "\"v\":3,\"links\"").as_bytes()), Err(Error::Newer(3))));
    }
}
