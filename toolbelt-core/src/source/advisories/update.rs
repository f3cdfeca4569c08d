//! Fetches advisory databases into the cache, and finds them there again.
//!
//! The cache holds the archives as they were fetched and the [`Snapshot`] made of them. A snapshot that another version
//! of toolbelt wrote is made again from the archives, without the network.

use std::fs;
use std::time::SystemTime;

use jiff::Timestamp;

use super::snapshot::{Snapshot, Source};
use super::{Database, LARGEST_FILE, read_bytes};
use crate::source::cache::{self, Cache};
use crate::source::http::{self, Answer, Http, Validators};
use crate::subject::digest;

/// The RustSec database, as its forge packs it.
pub const RUSTSEC: &str = "https://github.com/rustsec/advisory-db/archive/refs/heads/main.tar.gz";
/// OSV's [export](https://google.github.io/osv.dev/data/) of all that it has about crates.io.
pub const OSV: &str = "https://storage.googleapis.com/osv-vulnerabilities/crates.io/all.zip";

/// Where the snapshot is kept.
const SNAPSHOT: &str = "advisories/snapshot";

/// What an update made.
#[derive(Debug)]
pub struct Updated {
    /// The advisories as they are now.
    pub snapshot: Snapshot,
    /// Why the next run will not find them, if so.
    pub not_kept: Option<cache::Error>,
}

/// Why there was no update. What was in the cache before is still there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// One of the databases could not be fetched.
    #[error("cannot fetch `{url}`")]
    Fetch {
        /// Which.
        url: String,
        /// Why.
        source: http::Error,
    },
    /// There is nothing at this place.
    #[error("there is no advisory database at `{url}`")]
    NotFound {
        /// Which.
        url: String,
    },
    /// What was fetched is no database.
    #[error(transparent)]
    Read(#[from] super::Error),
    /// Most of what was fetched cannot be read, as when a network's login page answers for the server.
    #[error("what was fetched cannot be read: `{path}`: {reason}")]
    Garbled {
        /// The first that cannot be read.
        path: String,
        /// Why.
        reason: String,
    },
    /// What was fetched is older than what is there.
    #[error("the advisories that were fetched end on {new}, those in the cache on {old}")]
    Older {
        /// The last day of what was fetched.
        new: jiff::civil::Date,
        /// The last day of what is there.
        old: jiff::civil::Date,
    },
    /// Most of the advisories are gone.
    #[error("only {new} advisories can be read in what was fetched, and {old} are in the cache")]
    Shrunk {
        /// How many were fetched.
        new: usize,
        /// How many there are.
        old: usize,
    },
}

/// Finds what the last update left of these databases; none if there was none, or one of others.
pub fn load(cache: &Cache, urls: &[&str]) -> Option<Snapshot> {
    if let Some(snapshot) = cache.read(SNAPSHOT).as_deref().and_then(Snapshot::decode) {
        let same = snapshot.sources.iter().map(|source| source.url.as_str()).eq(urls.iter().copied());
        return same.then_some(snapshot);
    }
    rebuild(cache, urls)
}

/// Makes the snapshot again from the archives that were fetched for it.
fn rebuild(cache: &Cache, urls: &[&str]) -> Option<Snapshot> {
    let archives: Vec<Vec<u8>> = urls.iter().map(|url| cache.read(&archive_name(url))).collect::<Option<_>>()?;
    // When they were last confirmed went with the snapshot; they were not before they were written.
    let written = |url: &&str| -> Option<SystemTime> {
        fs::metadata(cache.path(&archive_name(url))?).and_then(|file| file.modified()).ok()
    };
    let confirmed = urls.iter().map(written).collect::<Option<Vec<_>>>()?.into_iter().min()?;
    let database = read_all(urls, &archives).ok()?;
    let sources = urls.iter().map(|&url| Source { url: url.to_owned(), validators: Validators::default() });
    let confirmed = Timestamp::try_from(confirmed).ok()?;
    // To the second, as it is written down.
    let confirmed = Timestamp::from_second(confirmed.as_second()).ok()?;
    let snapshot = Snapshot { database, confirmed, sources: sources.collect() };
    // A cache that cannot be written to costs the time of doing this again.
    drop(cache.write(SNAPSHOT, &snapshot.encode()));
    Some(snapshot)
}

/// Fetches the databases at `urls`, the first of which counts where two have a record with one id, and keeps them.
///
/// Nothing in the cache is replaced before everything was fetched and read.
///
/// # Errors
///
/// [`Error`] if one of them cannot be had, is no database, or is less or older than what is there.
pub fn update(http: &Http, cache: &Cache, urls: &[&str], now: Timestamp) -> Result<Updated, Error> {
    let lock = cache.lock("advisories/update");
    let old = load(cache, urls);
    let mut archives = Vec::with_capacity(urls.len());
    let mut sources = Vec::with_capacity(urls.len());
    let mut is_new = false;
    for (index, &url) in urls.iter().enumerate() {
        let kept = cache.read(&archive_name(url));
        let known = old.as_ref().and_then(|old| old.sources.get(index)).map(|source| source.validators.clone());
        // Without the archive there is nothing that could have stayed the same.
        let known = known.filter(|_| kept.is_some()).unwrap_or_default();
        let answer = http.get(url, LARGEST_FILE, &known);
        let (bytes, validators) = match answer.map_err(|source| Error::Fetch { url: url.to_owned(), source })? {
            Answer::Content { bytes, validators } => {
                is_new = true;
                (bytes, validators)
            }
            Answer::NotModified => (kept.unwrap_or_default(), known),
            Answer::NotFound => return Err(Error::NotFound { url: url.to_owned() }),
        };
        archives.push(bytes);
        sources.push(Source { url: url.to_owned(), validators });
    }
    let database = match &old {
        Some(old) if !is_new => old.database.clone(),
        _ => read_all(urls, &archives)?,
    };
    if database.advisories.unreadable().len() > database.advisories.len() {
        let first = &database.advisories.unreadable()[0];
        return Err(Error::Garbled { path: first.path.clone(), reason: first.reason.clone() });
    }
    if let Some(old) = &old {
        compare(&database, &old.database)?;
    }
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let snapshot = Snapshot { database, confirmed: now, sources };
    let keep = || -> Result<(), cache::Error> {
        let _lock = lock?;
        if is_new {
            for (url, archive) in urls.iter().zip(&archives) {
                cache.write(&archive_name(url), archive)?;
            }
        }
        cache.write(SNAPSHOT, &snapshot.encode())
    };
    let not_kept = keep().err();
    Ok(Updated { snapshot, not_kept })
}

fn read_all(urls: &[&str], archives: &[Vec<u8>]) -> Result<Database, super::Error> {
    let contents: Vec<(&str, &[u8])> = urls.iter().copied().zip(archives.iter().map(Vec::as_slice)).collect();
    read_bytes(&contents)
}

/// Databases grow. One that shrinks or goes back in time is broken, or somebody holds back what we should not know.
fn compare(new: &Database, old: &Database) -> Result<(), Error> {
    if let (Some(new), Some(old)) = (new.date, old.date)
        && new < old
    {
        return Err(Error::Older { new, old });
    }
    let (new, old) = (new.advisories.len(), old.advisories.len());
    if new < old / 2 {
        return Err(Error::Shrunk { new, old });
    }
    Ok(())
}

fn archive_name(url: &str) -> String {
    use sha2::Digest as _;
    format!("advisories/{}", digest::hex(&sha2::Sha256::digest(url)[..8]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::http::Settings;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;
    use std::sync::{Arc, Mutex};

    /// Answers every request with the content of the moment, its length being its `ETag`.
    fn server() -> (String, Arc<Mutex<Vec<u8>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/all.json", listener.local_addr().unwrap());
        let content = Arc::new(Mutex::new(Vec::new()));
        let served = Arc::clone(&content);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let head: Vec<String> = lines.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
                let content = served.lock().unwrap().clone();
                let etag = format!("\"{}\"", content.len());
                if head
                    .iter()
                    .any(|line| line.to_ascii_lowercase().starts_with("if-none-match") && line.ends_with(&etag))
                {
                    write!(stream, "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n").unwrap();
                } else {
                    let len = content.len();
                    write!(
                        stream,
                        "HTTP/1.1 200 OK\r\nETag: {etag}\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n"
                    )
                    .unwrap();
                    stream.write_all(&content).unwrap();
                }
            }
        });
        (url, content)
    }

    fn records(count: usize, day: u8) -> Vec<u8> {
        let record = |index| {
            format!(
                r#"{{"id": "GHSA-{index}", "modified": "2024-01-{day:02}T00:00:00Z", "affected": [{{"package":
                {{"ecosystem": "crates.io", "name": "foo"}}, "versions": ["1.0.{index}"]}}]}}"#
            )
        };
        format!("[{}]", (0..count).map(record).collect::<Vec<_>>().join(",")).into_bytes()
    }

    #[test]
    fn an_update_replaces_what_is_there_only_by_something_better() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(Some(folder.path().to_owned()));
        let http = Http::new(&Settings::default()).unwrap();
        let (url, content) = server();
        let urls = [url.as_str()];
        let update = |second| update(&http, &cache, &urls, Timestamp::constant(second, 0));
        assert_eq!(load(&cache, &urls), None);

        *content.lock().unwrap() = records(4, 10);
        let first = update(1000).unwrap();
        assert!(first.not_kept.is_none());
        assert_eq!(first.snapshot.database.advisories.len(), 4);
        assert_eq!(load(&cache, &urls).unwrap(), first.snapshot);
        assert_eq!(load(&cache, &["https://example.org/other"]), None);

        let second = update(2000).unwrap().snapshot;
        assert_eq!((second.confirmed.as_second(), &second.database), (2000, &first.snapshot.database));

        for (bad, expected) in [
            (records(1, 11), "only 1 advisories"),
            (records(5, 9), "end on 2024-01-09"),
            (b"<html>".to_vec(), "cannot be read: `all.json`"),
            (b"{".to_vec(), "cannot be read"),
            (b"[]".to_vec(), "holds no advisory"),
            (b"PK\x03\x04".to_vec(), "is not an advisory database"),
        ] {
            *content.lock().unwrap() = bad;
            let error = update(3000).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(load(&cache, &urls).unwrap(), second, "the old state stays");
        }

        *content.lock().unwrap() = records(5, 11);
        assert_eq!(update(4000).unwrap().snapshot.database.advisories.len(), 5);

        // What another version wrote is made again, without asking anybody.
        fs::write(folder.path().join(SNAPSHOT), b"something else").unwrap();
        let rebuilt = load(&cache, &urls).unwrap();
        assert_eq!(rebuilt.database.advisories.len(), 5);
        assert_eq!(load(&cache, &urls).unwrap(), rebuilt);
    }

    #[test]
    fn without_the_network_the_old_state_stays() {
        let error = update(&Http::offline(), &Cache::new(None), &[RUSTSEC], Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot fetch `{RUSTSEC}`"));
    }
}
