//! Collects what is known beyond the dependency trees: advisories and names of established crates.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::deps::Request;
use super::{Step, Watch, policy};
use crate::finding::{Fact, Unknown};
use crate::policy::{Data, Policy};
use crate::report::{Skipped, SourceState, State};
use crate::rules::Need;
use crate::rules::package::Knowledge;
use crate::source::advisories::{self, Database, update};
use crate::source::cache::Cache;
use crate::source::http::Http;
use crate::source::names::{self, NameList};
use crate::subject::names::Names;

/// Where `data update` keeps a fuller list of names.
pub(super) const NAMES: &str = "names.tsv";

/// A list of names says nothing about the day; after a year it lacks too many new crates to be called fresh.
const NAMES_MAX_AGE: Duration = Duration::from_hours(365 * 24);

/// Why a source that was named could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The advisory database that was named.
    #[error(transparent)]
    Advisories(#[from] advisories::Error),
    /// The list of names that was named.
    #[error(transparent)]
    Names(#[from] names::Error),
    /// The policy.
    #[error(transparent)]
    Policy(#[from] policy::Error),
}

/// What was collected, and what has to be said of it.
pub(super) struct Collected {
    pub(super) knowledge: Knowledge,
    /// Facts that are there, but older than the policy takes.
    pub(super) stale: BTreeMap<Need, Unknown>,
    pub(super) sources: Vec<SourceState>,
    pub(super) skipped: Vec<Skipped>,
}

/// Collects what the active rules need.
pub(super) fn collect(
    request: &Request,
    policy: &Policy,
    needs: &BTreeSet<Need>,
    cache: &Cache,
    http: &Http,
    watch: Watch<'_>,
) -> Result<Collected, Error> {
    let now = request.environment.now;
    let not_asked = || Unknown::new("no active rule needs it");
    let mut collected = Collected {
        knowledge: Knowledge {
            advisories: Fact::Unknown(not_asked()),
            names: Fact::Unknown(not_asked()),
            cached_names: BTreeSet::new(),
        },
        stale: BTreeMap::new(),
        sources: Vec::new(),
        skipped: Vec::new(),
    };
    if needs.contains(&Need::Advisories) {
        let found = if request.advisory_db.is_empty() {
            watch(Step { what: "advisories", done: 0, total: 0 });
            cached_advisories(&policy.data, cache, http, now)
        } else {
            Fact::Known(named_advisories(&request.advisory_db, &policy.data, now)?)
        };
        collected.add_advisories(found);
    }
    if needs.contains(&Need::Names) {
        let known = names(request.names.as_deref(), cache, now)?;
        collected.skipped.extend(known.skipped);
        collected.sources.push(known.state);
        collected.knowledge.names = Fact::Known(known.names);
    }
    Ok(collected)
}

/// Advisories with what a report says of them.
pub(super) struct Found {
    pub(super) database: Database,
    pub(super) date: Option<String>,
    /// Why they are too old, if they are.
    pub(super) stale: Option<Unknown>,
}

/// The databases on the command line; how old they are is what they say themselves.
fn named_advisories(paths: &[PathBuf], data: &Data, now: Timestamp) -> Result<Found, Error> {
    let database = advisories::read(paths)?;
    let stale = match database.date {
        Some(day) if is_ahead(start_of(day), now) => {
            Some(Unknown::new(format!("the advisory database is dated in the future, {day}")))
        }
        Some(day) if is_older(start_of(day), data.max_age + DAY, now) => {
            Some(Unknown::new(format!("the advisory database ends on {day}, longer ago than the policy's `max-age`")))
        }
        Some(_) => None,
        None => Some(Unknown::new("the advisory database does not say how old it is")),
    };
    let stale = stale.map(|unknown| unknown.hint("name a newer copy, or leave out --advisory-db to use a fetched one"));
    Ok(Found { date: database.date.map(|day| day.to_string()), database, stale })
}

const DAY: Duration = Duration::from_hours(24);

/// The copy that was fetched last, refreshed first where it is too old and the network may be used.
fn cached_advisories(data: &Data, cache: &Cache, http: &Http, now: Timestamp) -> Fact<Found> {
    let urls = advisory_urls(data);
    let known = update::load(cache, &urls);
    let is_stale = known.as_ref().is_none_or(|snapshot| is_older(snapshot.confirmed, data.max_age, now));
    let (known, failure) = if is_stale && !http.is_offline() {
        match update::update(http, cache, &urls, now) {
            Ok(updated) => (Some(updated.snapshot), None),
            Err(error) => (known, Some(super::causes(&error))),
        }
    } else {
        (known, None)
    };
    let hint = "cargo toolbelt data update";
    let because = failure.map(|failure| format!(": {failure}")).unwrap_or_default();
    let Some(snapshot) = known else {
        return Fact::Unknown(Unknown::new(format!("there is no advisory database{because}")).hint(hint));
    };
    let stale = is_older(snapshot.confirmed, data.max_age, now).then(|| {
        let day = snapshot.confirmed.to_zoned(TimeZone::UTC).date();
        let reason = if is_ahead(snapshot.confirmed, now) {
            format!("when the advisory database was last fetched is dated in the future, {day}{because}")
        } else {
            format!("the advisory database was last fetched on {day}, longer ago than `max-age`{because}")
        };
        Unknown::new(reason).hint(hint)
    });
    Fact::Known(Found { date: Some(snapshot.confirmed.to_string()), database: snapshot.database, stale })
}

/// Where advisories are fetched from; of two records with one id the first one's counts.
pub(super) fn advisory_urls(data: &Data) -> [&str; 2] {
    [data.advisory_db.as_deref().unwrap_or(update::RUSTSEC), data.osv.as_deref().unwrap_or(update::OSV)]
}

/// The list that was fetched last, else the one built in.
fn cached_names(cache: &Cache) -> (NameList, Option<Skipped>) {
    let Some(bytes) = cache.read(NAMES) else { return (names::embedded(), None) };
    match names::parse(&bytes, Path::new(NAMES)) {
        Ok(list) => (list, None),
        Err(error) => {
            let skipped = Skipped { what: "the fetched list of names".to_owned(), count: 1, why: error.to_string() };
            (names::embedded(), Some(skipped))
        }
    }
}

impl Collected {
    fn add_advisories(&mut self, found: Fact<Found>) {
        let name = "advisory-db".to_owned();
        match found {
            Fact::Unknown(unknown) => {
                self.sources.push(SourceState { name, date: None, digest: None, state: State::Missing });
                self.knowledge.advisories = Fact::Unknown(unknown);
            }
            Fact::Known(Found { database, date, stale }) => {
                let state = if stale.is_some() { State::Stale } else { State::Fresh };
                self.sources.push(SourceState { name, date, digest: Some(database.digest.to_string()), state });
                self.stale.extend(stale.map(|unknown| (Need::Advisories, unknown)));
                let skipped = database.skipped.iter();
                self.skipped.extend(skipped.map(|(why, count)| Skipped {
                    what: "advisory files".to_owned(),
                    count: *count as u64,
                    why: (*why).to_owned(),
                }));
                self.knowledge.advisories = Fact::Known(database.advisories);
            }
        }
    }
}

/// A list of names with what a report says of it.
pub(super) struct KnownNames {
    pub(super) names: Names,
    pub(super) state: SourceState,
    pub(super) skipped: Option<Skipped>,
}

/// The list that was named, else the one that was fetched last, else the one built in.
pub(super) fn names(named: Option<&Path>, cache: &Cache, now: Timestamp) -> Result<KnownNames, Error> {
    let (list, skipped) = match named {
        Some(path) => (names::read(path)?, None),
        None => cached_names(cache),
    };
    Ok(KnownNames { state: state_of(&list, now), names: list.names, skipped })
}

fn state_of(list: &NameList, now: Timestamp) -> SourceState {
    let is_old = list.date.is_some_and(|date| is_older(start_of(date), NAMES_MAX_AGE, now));
    SourceState {
        name: "names".to_owned(),
        date: list.date.map(|date| date.to_string()),
        digest: Some(list.digest.to_string()),
        state: if is_old { State::Stale } else { State::Fresh },
    }
}

fn start_of(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).map_or(Timestamp::MIN, |midnight| midnight.timestamp())
}

/// Whether `then` lies more than `max_age` before `now`, or so far ahead of it that it says nothing about age.
pub(super) fn is_older(then: Timestamp, max_age: Duration, now: Timestamp) -> bool {
    let max_age = SignedDuration::try_from(max_age).unwrap_or(SignedDuration::MAX);
    now.duration_since(then) > max_age || is_ahead(then, now)
}

/// Whether `then` lies more than a day after `now`, which time zones do not explain: one of the two is wrong.
fn is_ahead(then: Timestamp, now: Timestamp) -> bool {
    then.duration_since(now) > SignedDuration::from_hours(24)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dated_in_the_future_is_not_fresh() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let is_stale = |then: &str| is_older(then.parse().unwrap(), 3 * DAY, now);
        assert!(!is_stale("2026-11-20T12:00:00Z"));
        assert!(is_stale("2026-11-19T11:59:59Z"));
        assert!(!is_stale("2026-11-23T12:00:00Z"), "clocks and time zones differ");
        assert!(is_stale("2026-11-23T12:00:01Z"));
        assert!(is_stale("2099-01-01T00:00:00Z"));
    }

    #[test]
    fn an_advisory_from_the_future_does_not_make_a_database_fresh() {
        let folder = tempfile::tempdir().unwrap();
        let write = |day: &str| {
            let text = format!(
                "```toml\n[advisory]\nid = \"RUSTSEC-2026-0001\"\npackage = \"a\"\ndate = \"{day}\"\n[versions]\npatched = []\n```\n# T\n"
            );
            std::fs::create_dir_all(folder.path().join("crates/a")).unwrap();
            std::fs::write(folder.path().join("crates/a/RUSTSEC-2026-0001.md"), text).unwrap();
        };
        let stale = |now: &str| {
            let found = named_advisories(&[folder.path().to_owned()], &Data::default(), now.parse().unwrap());
            found.unwrap().stale.map(|unknown| unknown.reason)
        };
        write("2026-11-21");
        assert_eq!(stale("2026-11-22T12:00:00Z"), None);
        let reason = "the advisory database is dated in the future, 2026-11-21";
        assert_eq!(stale("1980-01-01T00:00:00Z").as_deref(), Some(reason));
        write("2099-01-01");
        assert!(stale("2026-11-22T12:00:00Z").unwrap().contains("dated in the future, 2099-01-01"));
    }
}
