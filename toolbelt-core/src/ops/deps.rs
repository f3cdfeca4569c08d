//! Which dependencies are these, really?

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::audit;
use crate::finding::{Fact, Unknown};
use crate::ops::{Environment, Step, Watch, knowledge, network, policy};
use crate::policy::{Policy, decide};
use crate::report::{Coverage, Report, SourceState, State};
use crate::rules::Need;
use crate::rules::package::Knowledge;
use crate::source::cache::Cache;
use crate::source::cargo_config;
use crate::source::crate_archive::{self, Archives, Effort};
use crate::source::http::Http;
use crate::source::index::{Freshness, Registries, Summary, Wanted};
use crate::source::repository::{self, Trees, display_path};
use crate::subject::dependencies::Dependencies;
use crate::subject::package::{Package, Registry, Source};
use crate::subject::target::Target;

/// Longest time that is spent on asking one registry about all its packages.
const TIME_FOR_A_REGISTRY: Duration = Duration::from_mins(1);

/// What to look at, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// The world it runs in.
    pub environment: Environment,
    /// Which lock files.
    pub lockfiles: Lockfiles,
    /// Never touch the network.
    pub offline: bool,
    /// Open every `.crate`, and download those that cargo has not.
    pub deep: bool,
    /// Advisory databases to use in place of the cached one.
    pub advisory_db: Vec<PathBuf>,
    /// A list of names to use in place of the one built in.
    pub names: Option<PathBuf>,
    /// A policy to use in place of the repository's.
    pub policy: Option<PathBuf>,
}

/// Which lock files are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lockfiles {
    /// Every one of the repository around this folder.
    OfRepository(PathBuf),
    /// These.
    Named(Vec<PathBuf>),
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The policy could not be read.
    #[error(transparent)]
    Policy(#[from] policy::Error),
    /// Lock files or manifests could not be read.
    #[error(transparent)]
    Repository(#[from] repository::Error),
    /// Cargo's configuration could not be read.
    #[error(transparent)]
    CargoConfig(#[from] cargo_config::Error),
    /// A list of names or an advisory database that was named could not be read.
    #[error(transparent)]
    Knowledge(#[from] knowledge::Error),
}

/// Looks at the lock files and reports.
///
/// # Errors
///
/// [`Error`] if something that was named or that belongs to the repository cannot be read. What could not be had from
/// elsewhere is in the report.
pub fn run(request: &Request, watch: Watch<'_>) -> Result<Report, Error> {
    let environment = &request.environment;
    let root = root(request);
    let loaded = policy::load(&root, request.policy.as_deref())?;
    let policy = &loaded.policy;
    let Look { dependencies, knowledge, stale, mut coverage, sources, texts } =
        look(request, &root, policy, &policy.needs(), watch)?;
    let observed = audit::dependencies(&dependencies, &knowledge, policy, &stale, environment.now);
    for key in &loaded.not_carried_over {
        coverage.skip(&key.key, 1, "is not carried over");
    }
    let decision = decide(observed, policy, &coverage, environment.now);
    Ok(Report {
        tool: environment.tool.clone(),
        command: "deps".to_owned(),
        verdict: decision.verdict,
        time: environment.now,
        findings: decision.findings,
        exempted: decision.exempted,
        not_checked: decision.not_checked,
        coverage,
        sources,
        texts: texts.into_iter().chain(loaded.texts).collect(),
    })
}

/// What is known of dependency trees before any rule looked.
pub(super) struct Look {
    pub(super) dependencies: Dependencies,
    pub(super) knowledge: Knowledge,
    /// Facts that are older than the policy takes.
    pub(super) stale: BTreeMap<Need, Unknown>,
    pub(super) coverage: Coverage,
    /// Sorted.
    pub(super) sources: Vec<SourceState>,
    pub(super) texts: BTreeMap<String, String>,
}

/// Reads the trees, and collects the facts about them that are needed.
pub(super) fn look(
    request: &Request,
    root: &Path,
    policy: &Policy,
    needs: &BTreeSet<Need>,
    watch: Watch<'_>,
) -> Result<Look, Error> {
    let environment = &request.environment;
    let mut coverage = Coverage::default();
    let mut trees = read_trees(request, root, policy, &mut coverage)?;
    let texts = std::mem::take(&mut trees.texts);
    let mut dependencies = dependencies_of(trees);
    coverage.count("packages", dependencies.packages.len());
    for (lockfile, member, name) in dependencies.missing() {
        let why = format!("is not in `{lockfile}`, although `{member}` is to have it: `cargo metadata` writes it anew");
        coverage.could_not_look(name, why);
    }

    let config = network::cargo_config(environment)?;
    let cache = Cache::new(environment.cache.clone());
    let registries = registries(&dependencies);
    let http = network::http(environment, &config, request.offline, registries.iter());
    let http = http.unwrap_or_else(|unknown| {
        coverage.skip("the network", 1, unknown.reason);
        Http::offline()
    });
    let mut collected = knowledge::collect(request, policy, needs, &cache, &http, watch)?;
    let sources = Registries::new(&config, &cache, &http);
    collected.knowledge.cached_names = cached_names(&dependencies, sources);
    if needs.contains(&Need::Index) || needs.contains(&Need::FreshIndex) {
        add_listings(&mut dependencies, sources, request, policy, &mut coverage, &mut collected.sources, watch);
    }
    dependencies.work_out_usage(&Target::new(&environment.host));
    if needs.contains(&Need::ArchiveDigest) || needs.contains(&Need::ArchiveManifest) {
        watch(Step { what: "archives", done: 0, total: 0 });
        let effort = Effort { manifests: needs.contains(&Need::ArchiveManifest), deep: request.deep };
        add_archives(&mut dependencies, &mut coverage, |wanted| {
            crate_archive::read(&config, &cache, &http, wanted, effort)
        });
    }
    coverage.skipped.extend(collected.skipped);
    collected.sources.sort();
    let knowledge::Collected { knowledge, stale, sources, .. } = collected;
    Ok(Look { dependencies, knowledge, stale, coverage, sources, texts })
}

/// The dependency trees alone.
pub(super) fn trees(request: &Request) -> Result<Dependencies, Error> {
    let root = root(request);
    let loaded = policy::load(&root, request.policy.as_deref())?;
    let trees = read_trees(request, &root, &loaded.policy, &mut Coverage::default())?;
    Ok(dependencies_of(trees))
}

fn dependencies_of(trees: Trees) -> Dependencies {
    Dependencies { patched: trees.patched, ..Dependencies::new(trees.lockfiles, trees.members) }
}

/// The folder that paths are told relative to, and that holds the policy.
///
/// For lock files that are named it is the repository around the first, as that is whose policy is meant.
fn root(request: &Request) -> PathBuf {
    let directory = &request.environment.directory;
    match &request.lockfiles {
        Lockfiles::OfRepository(folder) => repository::root_of(folder).unwrap_or(folder).to_owned(),
        Lockfiles::Named(paths) => {
            let first = paths.first().map_or(directory.as_path(), PathBuf::as_path);
            let around = first.parent().and_then(repository::root_of).map(Path::to_owned);
            // The same folder may be written in two ways; the one that the lock file has gives the shorter names.
            let canonical = || std::fs::canonicalize(directory).ok().filter(|root| first.starts_with(root));
            around.or_else(canonical).unwrap_or_else(|| directory.clone())
        }
    }
}

fn read_trees(request: &Request, root: &Path, policy: &Policy, coverage: &mut Coverage) -> Result<Trees, Error> {
    let lockfiles = match &request.lockfiles {
        Lockfiles::Named(paths) => paths.clone(),
        Lockfiles::OfRepository(_) => {
            let found = repository::find_lockfiles(root, coverage);
            if found.is_empty() {
                return Err(repository::Error::NoLockfile { root: root.to_owned() }.into());
            }
            let (excluded, kept): (Vec<_>, Vec<_>) =
                found.into_iter().partition(|path| policy.excludes_from_deps(&display_path(root, path)));
            if !excluded.is_empty() {
                coverage.skip("lock files", excluded.len(), "excluded by the policy (`[deps] exclude`)");
            }
            coverage.saw_nothing = kept.is_empty();
            kept
        }
    };
    Ok(repository::read(root, &lockfiles, coverage)?)
}

fn registries(dependencies: &Dependencies) -> BTreeSet<Registry> {
    let registries = dependencies.packages.iter().filter_map(|package| match &package.source {
        Source::Registry(registry) => Some(registry.clone()),
        Source::Path | Source::Git { .. } | Source::Other(_) => None,
    });
    registries.collect()
}

/// The names that members ask for and of which an index entry of crates.io is on the machine; nothing is sent anywhere.
fn cached_names(dependencies: &Dependencies, registries: Registries<'_>) -> BTreeSet<String> {
    let crates_io = Registry::new(Registry::CRATES_IO);
    let declared = dependencies.members.iter().flat_map(|member| &member.requirements);
    let names = declared.map(|declared| declared.requirement.name.as_str()).collect::<BTreeSet<_>>();
    names.into_iter().filter(|name| registries.is_cached(&crates_io, name)).map(str::to_owned).collect()
}

/// Adds what the registries' indexes say of each package.
fn add_listings(
    dependencies: &mut Dependencies,
    registries: Registries<'_>,
    request: &Request,
    policy: &Policy,
    coverage: &mut Coverage,
    sources: &mut Vec<SourceState>,
    watch: Watch<'_>,
) {
    let mut wanted = Wanted::new();
    for package in &dependencies.packages {
        if let Source::Registry(registry) = &package.source {
            let versions = wanted.entry((registry.clone(), package.name.clone())).or_default();
            versions.insert(package.version.clone());
        }
    }
    watch(Step { what: "index entries", done: 0, total: 0 });
    let freshness =
        Freshness { now: request.environment.now, max_age: policy.data.max_age, total: TIME_FOR_A_REGISTRY };
    let listings = registries.listings(&wanted, freshness);
    let mut known = BTreeSet::new();
    for package in &mut dependencies.packages {
        if let Source::Registry(registry) = &package.source {
            let key = (registry.clone(), package.name.clone(), package.version.clone());
            package.listing = listings.entries.get(&key).cloned();
            known.extend(matches!(package.listing, Some(Fact::Known(_))).then(|| registry.clone()));
        }
    }
    for summary in &listings.summaries {
        coverage.count("index-entries", summary.crates());
        coverage.count("index-entries-fetched", summary.fetched + summary.unchanged);
        if summary.failed > 0 {
            coverage.skip(format!("index entries of {}", summary.place), summary.failed, "not known, or not recently");
        }
        sources.push(index_state(summary, known.contains(&summary.registry)));
    }
    if let Some(error) = listings.not_kept {
        coverage.skip("index entries that were fetched", 1, format!("not kept for the next run: {error}"));
    }
}

/// Adds what cargo's cached archives say of each package.
fn add_archives(
    dependencies: &mut Dependencies,
    coverage: &mut Coverage,
    read: impl FnOnce(&crate_archive::Wanted) -> Archives,
) {
    let key =
        |registry: &Registry, package: &Package| (registry.clone(), package.name.clone(), package.version.clone());
    let mut wanted = crate_archive::Wanted::new();
    for package in &dependencies.packages {
        if let Source::Registry(registry) = &package.source {
            wanted.insert(key(registry, package), package.checksum);
        }
    }
    let archives = read(&wanted);
    for package in &mut dependencies.packages {
        if let Source::Registry(registry) = &package.source {
            package.archive = archives.entries.get(&key(registry, package)).cloned();
        }
    }
    coverage.count("archives", archives.coverage.cached + archives.coverage.downloaded);
    if archives.coverage.missing > 0 {
        coverage.skip("archives", archives.coverage.missing, "not in cargo's cache; --deep downloads them");
    }
    if let Some(error) = archives.not_kept {
        coverage.skip("digests of archives", 1, format!("not kept for the next run: {error}"));
    }
}

fn index_state(summary: &Summary, is_known: bool) -> SourceState {
    let state = match (summary.failed, is_known) {
        (0, _) => State::Fresh,
        (_, true) => State::Stale,
        (_, false) => State::Missing,
    };
    let date = summary.oldest.map(|oldest| oldest.to_string());
    SourceState { name: format!("index {}", summary.place), date, digest: None, state }
}
