//! The data that answers rest on: fetched, and shown.

use std::path::PathBuf;

use super::knowledge::{self, advisory_urls, is_older};
use super::{Environment, Step, Watch, causes, network, policy};
use crate::policy::Policy;
use crate::report::{Coverage, Report, SourceState, State, Verdict};
use crate::source::advisories::update;
use crate::source::cache::{self, Cache};
use crate::source::http::{self, Http, Validators};
use crate::source::{cargo_config, names, repository};

/// The largest list of names that is fetched.
const MAX_NAMES: u64 = 64 << 20;

/// Why nothing can be said or fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The policy could not be read.
    #[error(transparent)]
    Policy(#[from] policy::Error),
    /// Cargo's configuration could not be read.
    #[error(transparent)]
    CargoConfig(#[from] cargo_config::Error),
    /// The network client cannot be made.
    #[error("cannot use the network: {0}")]
    Network(String),
    /// The list of names that was fetched is none.
    #[error(transparent)]
    Names(#[from] names::Error),
    /// The list of names that is there cannot be used.
    #[error(transparent)]
    Knowledge(#[from] knowledge::Error),
    /// What was fetched could not be kept.
    #[error(transparent)]
    Cache(#[from] cache::Error),
    /// A source did not answer.
    #[error("cannot fetch `{url}`")]
    Fetch {
        /// What was asked for.
        url: String,
        /// Why.
        source: http::Error,
    },
}

/// The sources, for people and for programs.
#[derive(Debug, Clone)]
pub struct Answer {
    /// As every command reports.
    pub report: Report,
    /// For each source of the report, in its order: where it comes from.
    pub places: Vec<Vec<String>>,
    /// Where what is fetched is kept; none without a home directory.
    pub cache: Option<PathBuf>,
}

/// Fetches advisories and, where the policy says from where, a list of names. What cannot be had is told and the old
/// copy stays.
///
/// # Errors
///
/// [`Error`] if policy or configuration cannot be read, or nothing can be kept.
pub fn update(environment: &Environment, watch: Watch<'_>) -> Result<Answer, Error> {
    let policy = load_policy(environment)?;
    let config = network::cargo_config(environment)?;
    let http = network::http(environment, &config, false, std::iter::empty());
    let http = http.map_err(|unknown| Error::Network(unknown.reason))?;
    let cache = Cache::new(environment.cache.clone());
    let mut coverage = Coverage::default();
    watch(Step { what: "advisories", done: 0, total: 0 });
    match update::update(&http, &cache, &advisory_urls(&policy.data), environment.now) {
        Ok(updated) => {
            coverage.count("advisories", updated.snapshot.database.records);
            if let Some(error) = updated.not_kept {
                coverage.skip("advisories", 1, format!("not kept for the next run: {error}"));
            }
        }
        Err(error) => coverage.skip("advisories", 1, causes(&error)),
    }
    if let Some(url) = &policy.data.names {
        watch(Step { what: "names", done: 0, total: 0 });
        match update_names(&http, &cache, url) {
            Ok(count) => coverage.count("names", count),
            Err(error) => coverage.skip("names", 1, causes(&error)),
        }
    }
    let failed = !coverage.skipped.is_empty();
    let mut answer = answer(environment, "data update", &policy, coverage)?;
    answer.report.verdict = if failed { Verdict::Incomplete } else { Verdict::Pass };
    Ok(answer)
}

fn update_names(http: &Http, cache: &Cache, url: &str) -> Result<usize, Error> {
    let failed = |source| Error::Fetch { url: url.to_owned(), source };
    match http.get(url, MAX_NAMES, &Validators::default()).map_err(failed)? {
        http::Answer::Content { bytes, .. } => {
            let list = names::parse(&bytes, std::path::Path::new(url))?;
            cache.write(knowledge::NAMES, &bytes)?;
            Ok(list.names.len())
        }
        http::Answer::NotFound | http::Answer::NotModified => Err(failed(http::Error::Status(404))),
    }
}

/// Says how old each source is.
///
/// # Errors
///
/// [`Error`] if the policy cannot be read.
pub fn status(environment: &Environment) -> Result<Answer, Error> {
    let policy = load_policy(environment)?;
    answer(environment, "data status", &policy, Coverage::default())
}

fn load_policy(environment: &Environment) -> Result<Policy, Error> {
    let directory = &environment.directory;
    Ok(policy::load(repository::root_of(directory).unwrap_or(directory), None)?.policy)
}

fn answer(environment: &Environment, command: &str, policy: &Policy, mut coverage: Coverage) -> Result<Answer, Error> {
    let cache = Cache::new(environment.cache.clone());
    let snapshot = update::load(&cache, &advisory_urls(&policy.data));
    let advisories = match snapshot {
        None => SourceState { name: "advisory-db".to_owned(), date: None, digest: None, state: State::Missing },
        Some(snapshot) => {
            let is_old = is_older(snapshot.confirmed, policy.data.max_age, environment.now);
            SourceState {
                name: "advisory-db".to_owned(),
                date: Some(snapshot.confirmed.to_string()),
                digest: Some(snapshot.database.digest.to_string()),
                state: if is_old { State::Stale } else { State::Fresh },
            }
        }
    };
    let names = knowledge::names(None, &cache, environment.now)?;
    let of_names = match (&policy.data.names, cache.read(knowledge::NAMES)) {
        (Some(url), Some(_)) => url.clone(),
        (None, Some(_)) => "fetched earlier".to_owned(),
        (_, None) => "built in".to_owned(),
    };
    coverage.skipped.extend(names.skipped);
    let report = Report {
        tool: environment.tool.clone(),
        command: command.to_owned(),
        verdict: Verdict::Pass,
        time: environment.now,
        findings: Vec::new(),
        exempted: Vec::new(),
        not_checked: Vec::new(),
        coverage,
        sources: vec![advisories, names.state],
        texts: std::collections::BTreeMap::new(),
    };
    let of_advisories = advisory_urls(&policy.data).map(str::to_owned).to_vec();
    Ok(Answer { report, places: vec![of_advisories, vec![of_names]], cache: environment.cache.clone() })
}
