//! The [sparse protocol](https://doc.rust-lang.org/cargo/reference/registry-index.html#sparse-protocol): one file for
//! each crate, asked for with the validators of the copy one has.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::source::http::{Answer, Error, Http, Validators};

/// Connections to one registry at a time.
const CONNECTIONS: usize = 32;
/// Largest entry that is read; the largest of crates.io have some megabytes.
pub(in crate::source) const MAX_ENTRY: u64 = 32 << 20;
/// Largest `config.json` that is read.
pub(in crate::source) const MAX_CONFIG: u64 = 1 << 20;
/// Longest crate name; crates.io allows 64.
const MAX_NAME: usize = 256;
/// After so many failures of the connection, and nothing but failures, the others are not tried.
const HOPELESS: usize = 4;

/// Where a registry's index keeps a crate, relative to its root; none for what cannot be a crate's name.
pub(in crate::source) fn path(name: &str) -> Option<String> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(is_name) {
        return None;
    }
    let name = name.to_ascii_lowercase();
    Some(match name.len() {
        1 => format!("1/{name}"),
        2 => format!("2/{name}"),
        3 => format!("3/{}/{name}", &name[..1]),
        _ => format!("{}/{}/{name}", &name[..2], &name[2..4]),
    })
}

/// What to send along for a copy, from what a cache file says of it.
pub(super) fn validators(revision: &str) -> Validators {
    let value = |key: &str| {
        let (found, value) = revision.split_once(':')?;
        found.eq_ignore_ascii_case(key).then(|| value.trim().to_owned())
    };
    Validators { etag: value("etag"), last_modified: value("last-modified") }
}

/// What a cache file says of a copy, from what the server sent along; cargo's own words.
pub(super) fn revision(validators: &Validators) -> String {
    match validators {
        Validators { etag: Some(etag), .. } => format!("etag: {etag}"),
        Validators { last_modified: Some(time), .. } => format!("last-modified: {time}"),
        Validators { etag: None, last_modified: None } => "Unknown".to_owned(),
    }
}

/// Asks for many entries at once and hands over each answer as it comes, so that only those in work are in memory.
///
/// What `total` does not suffice for ends in [`Error::Timeout`]; a registry that cannot be reached at all, or wants a
/// login, is not asked a thousand times.
pub(super) fn fetch<T: Send>(
    http: &Http,
    index: &str,
    entries: &[(&str, Validators)],
    total: Duration,
    handle: impl Fn(usize, Result<Answer, Error>) -> T + Sync,
) -> Vec<T> {
    let end = Instant::now() + total;
    let next = AtomicUsize::new(0);
    let failures = AtomicUsize::new(0);
    let answers = AtomicUsize::new(0);
    let fatal = std::sync::Mutex::new(None::<Error>);
    let ask = |path: &str, validators: &Validators| {
        let known = fatal.lock().map_or(None, |fatal| fatal.clone());
        if let Some(error) = known {
            return Err(error);
        }
        if Instant::now() >= end {
            return Err(Error::Timeout(total));
        }
        let answer = http.get(&format!("{index}{path}"), MAX_ENTRY, validators);
        match &answer {
            Err(error @ Error::Login(_)) => set(&fatal, error),
            Err(error) if error.is_about_the_connection() => {
                let failed = failures.fetch_add(1, Ordering::Relaxed) + 1;
                if failed >= HOPELESS && answers.load(Ordering::Relaxed) == 0 {
                    set(&fatal, error);
                }
            }
            Err(_) | Ok(_) => {
                answers.fetch_add(1, Ordering::Relaxed);
            }
        }
        answer
    };
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some((path, validators)) = entries.get(at) else { break done };
            done.push((at, handle(at, ask(path, validators))));
        }
    };
    let mut done: Vec<(usize, T)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS.min(entries.len())).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, done)| done).collect()
}

fn set(fatal: &std::sync::Mutex<Option<Error>>, error: &Error) {
    if let Ok(mut fatal) = fatal.lock() {
        fatal.get_or_insert_with(|| error.clone());
    }
}

/// A registry's `config.json`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RegistryConfig {
    /// Where `.crate` files are: a URL, with markers or without.
    dl: String,
    /// Where the web API is; none if the registry has none.
    #[serde(default)]
    api: Option<String>,
    /// Whether every request needs a token.
    #[serde(default)]
    auth_required: bool,
}

impl RegistryConfig {
    /// Asks a sparse registry for it.
    ///
    /// # Errors
    ///
    /// [`Error::Login`] if the registry wants one for everything; [`Error::Transport`] if it is not a `config.json`.
    pub fn fetch(http: &Http, index: &str) -> Result<Self, Error> {
        match http.get(&format!("{index}config.json"), MAX_CONFIG, &Validators::default())? {
            Answer::Content { bytes, .. } => Self::parse(&bytes),
            Answer::NotFound | Answer::NotModified => Err(Error::Status(404)),
        }
    }

    fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let config = Self::parse_private(bytes)?;
        if config.auth_required { Err(Error::Login(401)) } else { Ok(config) }
    }

    /// Reads one for somebody who may have a token.
    pub(in crate::source) fn parse_private(bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes).map_err(|error| Error::Transport(format!("`config.json` is malformed: {error}")))
    }

    /// Where the web API is, as written.
    pub fn api(&self) -> Option<&str> {
        self.api.as_deref()
    }

    /// Whether every request needs a token.
    pub fn is_auth_required(&self) -> bool {
        self.auth_required
    }

    /// Where the `.crate` of a version is, given the checksum that the index or the lock file has for it.
    pub fn download(&self, name: &str, version: &str, checksum: &str) -> String {
        const MARKERS: [&str; 5] = ["{crate}", "{version}", "{prefix}", "{lowerprefix}", "{sha256-checksum}"];
        if !MARKERS.iter().any(|marker| self.dl.contains(marker)) {
            return format!("{}/{name}/{version}/download", self.dl.trim_end_matches('/'));
        }
        let prefix = |name: &str| match name.len() {
            0..=2 => name.len().to_string(),
            3 => format!("3/{}", name.get(..1).unwrap_or_default()),
            _ => format!("{}/{}", name.get(..2).unwrap_or_default(), name.get(2..4).unwrap_or_default()),
        };
        self.dl
            .replace("{crate}", name)
            .replace("{version}", version)
            .replace("{prefix}", &prefix(name))
            .replace("{lowerprefix}", &prefix(&name.to_lowercase()))
            .replace("{sha256-checksum}", checksum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_protocol() {
        for (name, expected) in [("a", "1/a"), ("Ab", "2/ab"), ("abC", "3/a/abc"), ("Cargo_x", "ca/rg/cargo_x")] {
            assert_eq!(path(name).unwrap(), expected);
        }
        for bad in ["", "..", "a/b", "a\\b", "é", "a b", "a.b", &"a".repeat(257)] {
            assert_eq!(path(bad), None, "{bad}");
        }
    }

    #[test]
    fn validators_survive_the_cache_file() {
        for (etag, last_modified, expected) in [
            (Some("\"x:y\""), None, "etag: \"x:y\""),
            (None, Some("Thu, 01 Jan 1970 00:00:00 GMT"), "last-modified: Thu, 01 Jan 1970 00:00:00 GMT"),
            (None, None, "Unknown"),
        ] {
            let known = Validators { etag: etag.map(str::to_owned), last_modified: last_modified.map(str::to_owned) };
            assert_eq!(revision(&known), expected);
            assert_eq!(validators(expected), known);
        }
        assert_eq!(validators("0a1b2c"), Validators::default());
    }

    #[test]
    fn downloads_follow_the_template() {
        let config = |dl: &str| RegistryConfig { dl: dl.to_owned(), api: None, auth_required: false };
        assert_eq!(config("https://x/api/").download("a", "1.0.0", "ff"), "https://x/api/a/1.0.0/download");
        assert_eq!(
            config("https://x/{lowerprefix}/{prefix}/{crate}-{version}?{sha256-checksum}")
                .download("AbCd", "1.0.0", "ff"),
            "https://x/ab/cd/Ab/Cd/AbCd-1.0.0?ff"
        );
        assert_eq!(RegistryConfig::parse(br#"{"dl":"x","auth-required":true}"#), Err(Error::Login(401)));
        assert!(RegistryConfig::parse(b"<html>").is_err());
    }
}
