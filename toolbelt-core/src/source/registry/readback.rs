//! What a registry has of a crate, asked anew: after an upload, before one, and to go on where one was interrupted.
//!
//! The index is asked without validators and past caches: an answer that nothing changed would hide what did.

use std::time::Duration;

use semver::Version;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::super::http::{self, Answer, Http};
use super::super::index::{self, MAX_ENTRY};
use super::api::Api;
use super::token::Token;
use crate::finding::Unknown;
use crate::subject::digest::Sha256Digest;

/// Largest `.crate` that is downloaded.
const MAX_DOWNLOAD: u64 = 64 << 20;
/// Most versions of one crate.
const MAX_VERSIONS: usize = 100_000;

/// Where and how a registry is asked.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// The client.
    pub http: &'a Http,
    /// The registry.
    pub api: &'a Api,
    /// For a registry that wants a login for reading.
    pub token: Option<&'a Token>,
}

/// A version that the index has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The version, as the index writes it.
    pub version: Version,
    /// The digest of its `.crate`, as the index says.
    pub checksum: Sha256Digest,
    /// Whether it is yanked.
    pub yanked: bool,
}

/// What the index says of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is there.
    Published(Published),
    /// The index was read, and does not have it.
    Absent,
    /// Nobody can say.
    Unknown(Unknown),
}

/// What a registry has in the place of an approved `.crate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// Index and download both are the approved bytes.
    Identical {
        /// Whether it is yanked.
        yanked: bool,
    },
    /// Something else stands where the approved bytes should: an alarm.
    Different {
        /// What the index says.
        checksum: Sha256Digest,
        /// What the download is; none if the index alone differs and nothing was downloaded.
        downloaded: Option<Sha256Digest>,
    },
    /// The index does not have the version.
    Absent,
    /// Nobody can say.
    Unknown(Unknown),
}

/// How long the index is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// The first pause; each one is half as long again.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// All pauses together.
    pub total: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        // crates.io takes seconds as a rule, and minutes when it is busy.
        Self { first: Duration::from_secs(1), longest: Duration::from_secs(15), total: Duration::from_mins(5) }
    }
}

#[derive(Deserialize)]
struct Line {
    name: String,
    vers: String,
    cksum: String,
    #[serde(default)]
    yanked: Option<bool>,
}

impl Reader<'_> {
    /// Every version of a crate, in the index's order; none if the index does not have the crate.
    ///
    /// # Errors
    ///
    /// Why nobody knows: no answer, or one that is no index entry of this crate.
    pub fn versions(&self, name: &str) -> Result<Vec<Published>, Unknown> {
        let path = index::path(name).ok_or_else(|| Unknown::new(format!("`{name}` is no crate's name")))?;
        match self.get(&self.api.entry_url(&path), MAX_ENTRY) {
            Ok(Answer::Content { bytes, .. }) => read_entry(name, &bytes).map_err(Unknown::new),
            Ok(Answer::NotFound | Answer::NotModified) => Ok(Vec::new()),
            Err(error) => Err(Unknown::new(format!("the registry's index cannot be read: {error}"))),
        }
    }

    /// What the index says of one version. Versions that differ in build metadata alone are one to a registry.
    pub fn state(&self, name: &str, version: &Version) -> State {
        let versions = match self.versions(name) {
            Ok(versions) => versions,
            Err(unknown) => return State::Unknown(unknown),
        };
        let mut found = versions.into_iter().filter(|published| is_same_release(&published.version, version));
        match (found.next(), found.next()) {
            (None, _) => State::Absent,
            (Some(published), None) => State::Published(published),
            (Some(_), Some(_)) => State::Unknown(Unknown::new(format!("the index has `{name}` {version} twice"))),
        }
    }

    /// Compares what the registry has with what was approved: first what the index says, then what it serves.
    pub fn compare(&self, name: &str, version: &Version, approved: Sha256Digest) -> Comparison {
        let published = match self.state(name, version) {
            State::Published(published) => published,
            State::Absent => return Comparison::Absent,
            State::Unknown(unknown) => return Comparison::Unknown(unknown),
        };
        let checksum = published.checksum;
        if checksum != approved {
            return Comparison::Different { checksum, downloaded: None };
        }
        match self.download(name, &published) {
            Ok(downloaded) if downloaded == approved => Comparison::Identical { yanked: published.yanked },
            Ok(downloaded) => Comparison::Different { checksum, downloaded: Some(downloaded) },
            Err(unknown) => Comparison::Unknown(unknown),
        }
    }

    /// Compares until the registry has the version or patience ends; `sleep` waits.
    ///
    /// A registry that cannot be reached is asked again, too; what differs is told at once.
    pub fn wait(
        &self,
        name: &str,
        version: &Version,
        approved: Sha256Digest,
        patience: Patience,
        sleep: &mut dyn FnMut(Duration),
    ) -> Comparison {
        let (mut pause, mut waited) = (patience.first, Duration::ZERO);
        loop {
            let comparison = self.compare(name, version, approved);
            match comparison {
                Comparison::Identical { .. } | Comparison::Different { .. } => return comparison,
                Comparison::Absent | Comparison::Unknown(_) if waited + pause > patience.total => return comparison,
                Comparison::Absent | Comparison::Unknown(_) => {}
            }
            sleep(pause);
            waited += pause;
            pause = pause.mul_f64(1.5).min(patience.longest);
        }
    }

    /// Downloads a version and returns the digest of what came.
    fn download(&self, name: &str, published: &Published) -> Result<Sha256Digest, Unknown> {
        let why = |why: String| Unknown::new(format!("the `.crate` of `{name}` cannot be downloaded: {why}"));
        let url = self.api.download_url(name, &published.version.to_string(), &published.checksum.to_string());
        match self.get(&url, MAX_DOWNLOAD) {
            Ok(Answer::Content { bytes, .. }) => Ok(Sha256Digest::new(Sha256::digest(&bytes).into())),
            Ok(Answer::NotFound | Answer::NotModified) => Err(why("the registry does not have it".to_owned())),
            Err(error) => Err(why(error.to_string())),
        }
    }

    fn get(&self, url: &str, max_bytes: u64) -> Result<Answer, http::Error> {
        self.http.get_anew(url, max_bytes, self.api.token_for(url, self.token))
    }
}

/// Whether a registry takes two versions for one.
pub fn is_same_release(one: &Version, other: &Version) -> bool {
    one.cmp_precedence(other).is_eq()
}

/// Reads an index entry whole: a line that cannot be read could be the very version that is asked for.
///
/// # Errors
///
/// The first line that is not a version of `name`, for people.
pub fn read_entry(name: &str, bytes: &[u8]) -> Result<Vec<Published>, String> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let mut versions = Vec::new();
    for (at, line) in lines.enumerate() {
        let published = read_line(name, line).ok_or_else(|| {
            format!("line {} of the index entry of `{name}` is not a version of it", at.saturating_add(1))
        })?;
        versions.push(published);
        if versions.len() > MAX_VERSIONS {
            return Err(format!("the index entry of `{name}` has more than {MAX_VERSIONS} versions"));
        }
    }
    if versions.is_empty() { Err(format!("the index entry of `{name}` is empty")) } else { Ok(versions) }
}

fn read_line(name: &str, line: &[u8]) -> Option<Published> {
    let line: Line = serde_json::from_slice(line).ok()?;
    let plain = |name: &str| name.to_ascii_lowercase().replace('_', "-");
    (plain(&line.name) == plain(name)).then_some(())?;
    Some(Published {
        version: Version::parse(&line.vers).ok()?,
        checksum: Sha256Digest::parse(&line.cksum)?,
        yanked: line.yanked.unwrap_or(false),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    fn line(name: &str, version: &str, more: &str) -> String {
        format!(r#"{{"name":"{name}","vers":"{version}","cksum":"{DIGEST}"{more}}}"#)
    }

    #[test]
    fn entry_is_read_whole_or_not_at_all() {
        let good = format!("{}\n{}\n", line("A_b", "1.0.0", ""), line("a-b", "1.1.0+x", r#","yanked":true,"v":9"#));
        let versions = read_entry("a-b", good.as_bytes()).unwrap();
        let seen: Vec<_> = versions.iter().map(|one| (one.version.to_string(), one.yanked)).collect();
        assert_eq!(seen, [("1.0.0".to_owned(), false), ("1.1.0+x".to_owned(), true)]);
        for bad in [
            String::new(),
            "<html>".to_owned(),
            format!("{good}x"),
            format!("{good}{}", line("other", "1.2.0", "")),
            format!("{good}{}", line("a-b", "two", "")),
            format!("{good}{}", line("a-b", "1.2.0", "").replace(DIGEST, "00")),
        ] {
            assert!(read_entry("a-b", bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn build_metadata_makes_no_other_release() {
        let version = |text: &str| Version::parse(text).unwrap();
        assert!(is_same_release(&version("1.0.0+a"), &version("1.0.0+b")));
        assert!(!is_same_release(&version("1.0.0-a"), &version("1.0.0")));
    }
}
