//! What registries say of crates: cargo's index cache, our own, and the sparse protocol.
//!
//! An entry is taken from cargo's cache, in place, unless toolbelt has a newer copy of its own. If it is missing, lacks
//! a version that a lock file names, or was not confirmed lately enough, the registry is asked; whatever the answer,
//! what was known stays usable for rules that do not depend on the day.

pub mod cache_file;
mod confirmed;
pub mod entry;
mod sparse;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rayon::prelude::*;
use semver::Version;

use self::cache_file::CacheFile;
pub(super) use self::confirmed::Stamp;
use self::confirmed::{Confirmation, Copied, Record};
pub use self::sparse::RegistryConfig;
pub(super) use self::sparse::{MAX_CONFIG, MAX_ENTRY, path};
use super::cache::{self, Cache};
use super::cargo_config::{CargoConfig, IndexLocation, Origin};
use super::http::{self, Answer, Http};
use crate::finding::{Fact, Unknown};
use crate::subject::package::{Listing, Registry};

/// Longest state of a cache file that is skipped over.
const MAX_REVISION: u64 = 64 << 10;

/// What is asked: for each crate of each registry, the versions that lock files name.
pub type Wanted = BTreeMap<(Registry, String), BTreeSet<Version>>;

/// Where and how registries are read.
#[derive(Debug, Clone, Copy)]
pub struct Registries<'a> {
    config: &'a CargoConfig,
    cache: &'a Cache,
    http: &'a Http,
}

/// How lately an entry has to be confirmed.
#[derive(Debug, Clone, Copy)]
pub struct Freshness {
    /// The start of the run.
    pub now: Timestamp,
    /// An entry that was confirmed longer ago is asked for again.
    pub max_age: Duration,
    /// Longest time that is spent on the requests to one registry.
    pub total: Duration,
}

/// What the registries say.
#[derive(Debug, Default)]
pub struct Listings {
    /// One for each version that was asked for.
    pub entries: BTreeMap<(Registry, String, Version), Fact<Listing>>,
    /// One for each registry that was asked about, sorted by registry.
    pub summaries: Vec<Summary>,
    /// Why what was fetched could not be kept for the next run.
    pub not_kept: Option<cache::Error>,
}

/// Where the answers about one registry came from, in crates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The registry, as lock files name it.
    pub registry: Registry,
    /// The URL or folder that stands for it.
    pub place: String,
    /// From cargo's cache, without a request.
    pub from_cargo: usize,
    /// From toolbelt's cache, without a request.
    pub from_own: usize,
    /// Served, and different from what was known.
    pub fetched: usize,
    /// Asked for, and still what was known.
    pub unchanged: usize,
    /// Nothing is known of them, or nothing recent enough; the reasons are in the listings.
    pub failed: usize,
    /// The earliest confirmation among them; none if some were never confirmed.
    pub oldest: Option<Timestamp>,
}

/// What is known of a crate, and from where.
struct Known {
    listings: Vec<Fact<Listing>>,
    confirmation: Option<Confirmation>,
    validators: http::Validators,
    /// Whether the copy lists every version that is asked for.
    is_complete: bool,
    from: From,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    Cargo,
    Own,
    Fetched,
    Unchanged,
    Nowhere,
}

/// One registry with what is asked of it.
struct Job<'a> {
    registry: &'a Registry,
    origin: Origin,
    /// Folder of toolbelt's cache for it, relative.
    own: String,
    record: Record,
    crates: Vec<Crate<'a>>,
}

struct Crate<'a> {
    name: &'a str,
    /// Where an index keeps it.
    path: String,
    versions: Vec<Version>,
}

impl<'a> Registries<'a> {
    /// Reads through the user's cargo configuration; `http` may be offline.
    pub fn new(config: &'a CargoConfig, cache: &'a Cache, http: &'a Http) -> Self {
        Self { config, cache, http }
    }

    /// Says what the registries list of each version asked for.
    ///
    /// The name of a crate is sent to the registry that the lock file takes it from, or to what the user's
    /// configuration puts in its place, and to nobody else.
    pub fn listings(&self, wanted: &Wanted, freshness: Freshness) -> Listings {
        let mut by_registry: BTreeMap<&Registry, Vec<(&str, &BTreeSet<Version>)>> = BTreeMap::new();
        for ((registry, name), versions) in wanted {
            by_registry.entry(registry).or_default().push((name, versions));
        }
        let mut answer = Listings::default();
        for (registry, crates) in by_registry {
            match self.config.origin(registry) {
                Ok(origin) => self.registry(registry, origin, &crates, freshness, &mut answer),
                Err(error) => {
                    let unknown = Unknown::new(error.to_string());
                    answer.refuse(registry, registry.index.clone(), &crates, &unknown);
                }
            }
        }
        answer
    }

    /// Whether cargo's or toolbelt's cache knows a crate of this name in `registry`; nothing is sent anywhere.
    pub fn is_cached(&self, registry: &Registry, name: &str) -> bool {
        let (Some(path), Ok(origin)) = (sparse::path(name), self.config.origin(registry)) else { return false };
        let own = self.cache.path(&format!("{}/{path}", own_folder(&origin)));
        let cargo = origin.folders.iter().map(|folders| folders.index.join(&path));
        cargo.chain(own).any(|path| path.is_file())
    }

    fn registry(
        &self,
        registry: &Registry,
        origin: Origin,
        crates: &[(&str, &BTreeSet<Version>)],
        freshness: Freshness,
        answer: &mut Listings,
    ) {
        if let IndexLocation::Directory(path) = &origin.index {
            let unknown = Unknown::new("packages are taken from a directory, which has no index");
            return answer.refuse(registry, path.display().to_string(), crates, &unknown);
        }
        let (named, unnamed): (Vec<_>, Vec<_>) = crates.iter().partition(|(name, _)| sparse::path(name).is_some());
        for (name, versions) in unnamed {
            let unknown = Unknown::new("the name is none that a registry can list");
            answer.insert(registry, name, versions, |_| Fact::Unknown(unknown.clone()));
        }
        let own = own_folder(&origin);
        let record =
            self.cache.read(&format!("{own}/confirmed")).map(|bytes| Record::parse(&bytes)).unwrap_or_default();
        let crates: Vec<Crate<'_>> = named
            .iter()
            .filter_map(|(name, versions)| {
                Some(Crate { name, path: sparse::path(name)?, versions: versions.iter().cloned().collect() })
            })
            .collect();
        let job = Job { registry, origin, own, record, crates };
        let mut known: Vec<Known> = job
            .crates
            .par_iter()
            // Each part has a buffer of its own, which grows to the largest entry in it.
            .with_min_len(64)
            .map_init(Vec::new, |buffer, wanted| self.look_up(&job, wanted, freshness.now, buffer))
            .collect();
        let failures = self.refresh(&job, &mut known, freshness, answer);
        answer.add(&job, known, &failures, freshness);
    }

    /// Reads the better of the two copies of an entry.
    fn look_up(&self, job: &Job<'_>, wanted: &Crate<'_>, now: Timestamp, buffer: &mut Vec<u8>) -> Known {
        let confirmation = job.record.get(&wanted.name.to_ascii_lowercase(), now);
        let cargo = cargo_copy(job, wanted);
        let cargo_stamp = cargo.as_ref().and_then(|(_, stamp)| *stamp);
        // Whoever replaced cargo's file after our last look may know more than our copy does.
        let is_newer = |at: Timestamp| cargo_stamp.is_some_and(|stamp| stamp.modified > nanoseconds(at));
        match confirmation {
            Some(Confirmation { at, copy: Copied::Absent }) if !is_newer(at) => {
                return Known {
                    listings: vec![Fact::Known(absent()); wanted.versions.len()],
                    confirmation,
                    validators: http::Validators::default(),
                    is_complete: false,
                    from: From::Own,
                };
            }
            Some(Confirmation { at, copy: Copied::Own }) if !is_newer(at) => {
                let path = self.cache.path(&format!("{}/{}", job.own, wanted.path));
                if let Some(file) = path.and_then(|path| File::open(path).ok())
                    && let Some(known) = read(file, buffer, job, &wanted.versions, From::Own, confirmation)
                    && known.listings.iter().all(|listing| listing.known().is_some())
                {
                    return known;
                }
            }
            Some(_) | None => {}
        }
        let confirmation = confirmation
            .filter(|known| matches!((known.copy, cargo_stamp), (Copied::Cargo(then), Some(now)) if then == now));
        cargo.and_then(|(file, _)| read(file, buffer, job, &wanted.versions, From::Cargo, confirmation)).unwrap_or_else(
            || {
                let unknown = Unknown::new("neither cargo's cache nor toolbelt's has the index entry");
                Known::nothing(&unknown, wanted.versions.len())
            },
        )
    }

    /// Asks for what is missing, incomplete or not fresh, and keeps what it gets; returns why some of it failed.
    fn refresh(
        &self,
        job: &Job<'_>,
        known: &mut [Known],
        freshness: Freshness,
        answer: &mut Listings,
    ) -> BTreeMap<usize, Unknown> {
        let stale: Vec<usize> = known
            .iter()
            .enumerate()
            .filter(|(_, known)| !(known.is_complete && known.is_fresh(freshness)))
            .map(|(at, _)| at)
            .collect();
        let refuse = |reason: Unknown| stale.iter().map(|at| (*at, reason.clone())).collect();
        let index = match &job.origin.index {
            IndexLocation::Sparse(url) => url,
            IndexLocation::Git(_) => {
                return refuse(
                    Unknown::new("the index is a git repository, of which only cargo's cache is read")
                        .hint("use the sparse protocol, if the registry has it"),
                );
            }
            IndexLocation::Local(_) | IndexLocation::Directory(_) => {
                return refuse(Unknown::new("packages are taken from a local copy of the registry"));
            }
        };
        if self.http.is_offline() {
            return refuse(Unknown::new("the network may not be used").hint("run without --offline"));
        }
        if stale.is_empty() {
            return BTreeMap::new();
        }
        let requests: Vec<(&str, http::Validators)> =
            stale.iter().map(|at| (job.crates[*at].path.as_str(), known[*at].validators.clone())).collect();
        let results = {
            let known: &[Known] = known;
            sparse::fetch(self.http, index, &requests, freshness.total, |at, result| {
                let at = stale[at];
                self.take(job, &job.crates[at], &known[at], result, freshness.now)
            })
        };
        let mut failures = BTreeMap::new();
        let mut confirmations = Vec::new();
        for (at, result) in stale.into_iter().zip(results) {
            match result {
                Err(unknown) => {
                    failures.insert(at, unknown);
                }
                Ok(Taken { confirmation, listings, not_kept }) => {
                    let entry = &mut known[at];
                    entry.from = if listings.is_some() { From::Fetched } else { From::Unchanged };
                    entry.confirmation = Some(confirmation);
                    if let Some(listings) = listings {
                        entry.listings = listings;
                    }
                    match not_kept {
                        None => confirmations.push((job.crates[at].name.to_ascii_lowercase(), confirmation)),
                        Some(error) => answer.not_kept = Some(error),
                    }
                }
            }
        }
        if !confirmations.is_empty()
            && let Err(error) = self.keep(job, confirmations)
        {
            answer.not_kept = Some(error);
        }
        failures
    }

    /// Makes something of one answer.
    fn take(
        &self,
        job: &Job<'_>,
        wanted: &Crate<'_>,
        known: &Known,
        result: Result<Answer, http::Error>,
        now: Timestamp,
    ) -> Result<Taken, Unknown> {
        match result {
            Err(error) => Err(Unknown::new(error.to_string())),
            Ok(Answer::NotFound) => Ok(Taken {
                confirmation: Confirmation { at: now, copy: Copied::Absent },
                listings: Some(vec![Fact::Known(absent()); wanted.versions.len()]),
                not_kept: None,
            }),
            Ok(Answer::NotModified) => {
                let stamp = cargo_copy(job, wanted).and_then(|(_, stamp)| stamp);
                let copy = match (known.from, stamp) {
                    (From::Cargo, Some(stamp)) => Copied::Cargo(stamp),
                    (From::Own, _) => Copied::Own,
                    // Cargo replaced or removed its copy meanwhile: the next run looks again.
                    _ => return Err(Unknown::new("cargo changed its cache meanwhile")),
                };
                Ok(Taken { confirmation: Confirmation { at: now, copy }, listings: None, not_kept: None })
            }
            Ok(Answer::Content { bytes, validators }) => {
                let malformed = || Unknown::new("the registry's answer is not an index entry");
                let new = cache_file::from_body(&bytes, &sparse::revision(&validators)).ok_or_else(malformed)?;
                drop(bytes);
                let file = CacheFile::parse(&new).map_err(|_| malformed())?;
                // A registry without validators serves the same entry anew each time.
                if known.is_complete
                    && known.from == From::Cargo
                    && let Some((copy, Some(stamp))) = cargo_copy(job, wanted)
                    && is_same(copy, &file)
                {
                    let confirmation = Confirmation { at: now, copy: Copied::Cargo(stamp) };
                    return Ok(Taken { confirmation, listings: None, not_kept: None });
                }
                let listings = file.listings(&wanted.versions).map_err(|_| malformed())?;
                let own = format!("{}/{}", job.own, wanted.path);
                let is_kept = self
                    .cache
                    .path(&own)
                    .and_then(|path| File::open(path).ok())
                    .is_some_and(|copy| is_same(copy, &file));
                let not_kept = if is_kept { None } else { self.cache.write(&own, &new).err() };
                let is_known = is_kept && known.from == From::Own;
                Ok(Taken {
                    confirmation: Confirmation { at: now, copy: Copied::Own },
                    listings: (!is_known).then_some(listings),
                    not_kept,
                })
            }
        }
    }

    /// Adds to the record what other runs may have added meanwhile, too.
    fn keep(&self, job: &Job<'_>, confirmations: Vec<(String, Confirmation)>) -> Result<(), cache::Error> {
        let name = format!("{}/confirmed", job.own);
        let _guard = self.cache.lock(&name)?;
        let mut record = self.cache.read(&name).map(|bytes| Record::parse(&bytes)).unwrap_or_default();
        record.extend(confirmations);
        self.cache.write(&name, record.to_text().as_bytes())
    }
}

/// What one answer changed.
struct Taken {
    confirmation: Confirmation,
    /// None if what was known still holds.
    listings: Option<Vec<Fact<Listing>>>,
    not_kept: Option<cache::Error>,
}

impl Known {
    fn nothing(unknown: &Unknown, versions: usize) -> Self {
        Self {
            listings: vec![Fact::Unknown(unknown.clone()); versions],
            confirmation: None,
            validators: http::Validators::default(),
            is_complete: false,
            from: From::Nowhere,
        }
    }

    fn is_fresh(&self, freshness: Freshness) -> bool {
        let max_age = SignedDuration::try_from(freshness.max_age).unwrap_or(SignedDuration::MAX);
        self.confirmation.is_some_and(|known| freshness.now.duration_since(known.at) <= max_age)
    }
}

impl Listings {
    fn insert(
        &mut self,
        registry: &Registry,
        name: &str,
        versions: &BTreeSet<Version>,
        mut fact: impl FnMut(usize) -> Fact<Listing>,
    ) {
        for (at, version) in versions.iter().enumerate() {
            self.entries.insert((registry.clone(), name.to_owned(), version.clone()), fact(at));
        }
    }

    /// Nothing is known of a whole registry.
    fn refuse(&mut self, registry: &Registry, place: String, crates: &[(&str, &BTreeSet<Version>)], unknown: &Unknown) {
        for (name, versions) in crates {
            self.insert(registry, name, versions, |_| Fact::Unknown(unknown.clone()));
        }
        self.summaries.push(Summary { failed: crates.len(), ..Summary::new(registry, place) });
    }

    fn add(&mut self, job: &Job<'_>, known: Vec<Known>, failures: &BTreeMap<usize, Unknown>, freshness: Freshness) {
        let place = match &job.origin.index {
            IndexLocation::Sparse(url) | IndexLocation::Git(url) => url.clone(),
            IndexLocation::Local(path) | IndexLocation::Directory(path) => path.display().to_string(),
        };
        let mut summary = Summary::new(job.registry, place);
        let mut are_all_confirmed = true;
        for (at, (wanted, known)) in job.crates.iter().zip(known).enumerate() {
            let failure = failures.get(&at);
            match (known.from, failure) {
                (From::Cargo, None) => summary.from_cargo += 1,
                (From::Own, None) => summary.from_own += 1,
                (From::Fetched, _) => summary.fetched += 1,
                (From::Unchanged, _) => summary.unchanged += 1,
                (From::Nowhere, _) | (_, Some(_)) => summary.failed += 1,
            }
            let at = known.confirmation.map(|known| known.at);
            are_all_confirmed &= at.is_some();
            summary.oldest = [summary.oldest, at].into_iter().flatten().min();
            let confirmed = confirmed(&known, failure, freshness);
            for (version, listing) in wanted.versions.iter().zip(known.listings) {
                let listing = match listing {
                    Fact::Known(listing) => Fact::Known(Listing { confirmed: confirmed.clone(), ..listing }),
                    Fact::Unknown(unknown) => Fact::Unknown(match failure {
                        None => unknown,
                        Some(failure) => Unknown {
                            reason: format!("{}: {}", unknown.reason, failure.reason),
                            hint: failure.hint.clone().or(unknown.hint),
                        },
                    }),
                };
                self.entries.insert((job.registry.clone(), wanted.name.to_owned(), version.clone()), listing);
            }
        }
        if !are_all_confirmed {
            summary.oldest = None;
        }
        self.summaries.push(summary);
    }
}

/// When an entry was confirmed, or why it was not confirmed lately enough.
fn confirmed(known: &Known, failure: Option<&Unknown>, freshness: Freshness) -> Fact<Timestamp> {
    let why = |what: &str| {
        let reason = match failure {
            Some(failure) => format!("{what}: {}", failure.reason),
            None => what.to_owned(),
        };
        Fact::Unknown(Unknown { reason, hint: failure.and_then(|failure| failure.hint.clone()) })
    };
    match known.confirmation {
        // A version that is not listed may have been published since.
        Some(_) if !known.is_complete && failure.is_some() => why("the version is missing in an older index entry"),
        Some(confirmation) if known.is_fresh(freshness) => Fact::Known(confirmation.at),
        Some(_) => why("the index entry was confirmed longer ago than the policy's `max-age`"),
        None => why("the index entry was never confirmed"),
    }
}

impl Summary {
    /// How many crates were asked about.
    pub fn crates(&self) -> usize {
        self.from_cargo + self.from_own + self.fetched + self.unchanged + self.failed
    }

    fn new(registry: &Registry, place: String) -> Self {
        Self {
            registry: registry.clone(),
            place,
            from_cargo: 0,
            from_own: 0,
            fetched: 0,
            unchanged: 0,
            failed: 0,
            oldest: None,
        }
    }
}

/// The listing of a crate that the registry does not have.
fn absent() -> Listing {
    Listing {
        release: None,
        releases: 0,
        first_published: None,
        last_published: None,
        available: Vec::new(),
        confirmed: Fact::Unknown(Unknown::new("the index entry was never confirmed")),
    }
}

/// Cargo's file for a crate, with what tells it from the one that replaces it.
fn cargo_copy(job: &Job<'_>, wanted: &Crate<'_>) -> Option<(File, Option<Stamp>)> {
    let mut paths = job.origin.folders.iter().map(|folders| -> PathBuf { folders.index.join(&wanted.path) });
    let file = paths.find_map(|path| File::open(path).ok())?;
    let stamp = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| Stamp::of(&metadata))?;
    Some((file, stamp))
}

/// Reads a copy of an entry; none if that fails, as a copy that cannot be read is no copy.
fn read(
    file: File,
    buffer: &mut Vec<u8>,
    job: &Job<'_>,
    versions: &[Version],
    from: From,
    confirmation: Option<Confirmation>,
) -> Option<Known> {
    buffer.clear();
    file.take(sparse::MAX_ENTRY).read_to_end(buffer).ok()?;
    let converted;
    let bytes = match (&job.origin.index, from) {
        // A local registry keeps what a registry serves.
        (IndexLocation::Local(_), From::Cargo) => {
            converted = cache_file::from_body(buffer, "Unknown")?;
            &converted
        }
        _ => buffer,
    };
    let listings = CacheFile::parse(bytes).and_then(|file| Ok((file, file.listings(versions)?)));
    Some(match listings {
        Ok((file, listings)) => Known {
            is_complete: listings.iter().all(|fact| fact.known().is_some_and(|listing| listing.release.is_some())),
            listings,
            confirmation,
            validators: sparse::validators(file.revision),
            from,
        },
        Err(error) => Known::nothing(&error.into(), versions.len()),
    })
}

/// Whether a copy has the same lines; what was said of their state does not matter.
///
/// Read piece by piece: thirty entries of some megabytes may be in work at a time.
fn is_same(copy: File, new: &CacheFile<'_>) -> bool {
    let mut copy = BufReader::new(copy);
    let mut head = Vec::new();
    let mut rest = new.lines_as_written();
    // The two versions hold NULs of their own.
    let has_head = copy.by_ref().take(cache_file::HEAD.len() as u64).read_to_end(&mut head).is_ok();
    if !has_head || head != cache_file::HEAD || copy.by_ref().take(MAX_REVISION).skip_until(0).is_err() {
        return false;
    }
    loop {
        let Ok(piece) = copy.fill_buf() else { return false };
        if piece.is_empty() {
            return rest.is_empty();
        }
        match rest.strip_prefix(piece) {
            Some(left) => rest = left,
            None => return false,
        }
        let read = piece.len();
        copy.consume(read);
    }
}

/// The folder of toolbelt's cache for a registry: cargo's name for it.
fn own_folder(origin: &Origin) -> String {
    let name = origin.folders.first().and_then(|folders| folders.archives.file_name());
    format!("index/{}", name.map(|name| name.to_string_lossy()).unwrap_or_default())
}

fn nanoseconds(at: Timestamp) -> u128 {
    u128::try_from(at.as_nanosecond()).unwrap_or(0)
}
