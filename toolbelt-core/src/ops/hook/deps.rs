//! The gate over dependencies of a push: what `deps` says of the lock files that are pushed, not of those that lie around.

use std::fs;
use std::io;

use crate::audit;
use crate::ops::deps::{self, Lockfiles, Look};
use crate::ops::scan::{self, Target};
use crate::ops::{Watch, policy};
use crate::policy::decide;
use crate::report::{Coverage, Report};
use crate::source::git;
use crate::source::git::push::Changed;
use crate::source::git::repository::GitRepository;
use crate::source::repository;
use crate::subject::content::ObjectId;

/// Why the gate could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The repository could not be read.
    #[error(transparent)]
    Repository(#[from] git::Error),
    /// What says whose policy counts could not be read.
    #[error(transparent)]
    Scan(#[from] scan::Error),
    /// The dependencies could not be read.
    #[error(transparent)]
    Deps(#[from] deps::Error),
    /// The policy could not be read.
    #[error(transparent)]
    Policy(#[from] policy::Error),
    /// There is no room for the files.
    #[error("cannot write to a temporary folder")]
    Folder(#[source] io::Error),
}

/// Files whose change is about dependencies.
const MANIFESTS: [&str; 2] = ["Cargo.lock", "Cargo.toml"];
/// Files that say of a folder that it is none of ours.
const MARKERS: [&str; 2] = [".cargo-checksum.json", "CACHEDIR.TAG"];
/// Files that say how dependencies are judged.
const POLICIES: [&str; 6] =
    ["toolbelt.toml", "deny.toml", ".deny.toml", ".cargo/deny.toml", ".cargo/audit.toml", "audit.toml"];

/// Looks at the dependencies of each commit that a ref is moved to; none if no manifest and no lock file changed.
///
/// The policy is that of the base, with what the change adds to it as the change's own.
pub(super) fn run(scan: &scan::Request, watch: Watch<'_>) -> Result<Option<Report>, Error> {
    let Target::Push { remote, url, refs } = &scan.target else { return Ok(None) };
    let repository = GitRepository::open(&scan.environment.directory, &scan.environment.variables)?;
    let mut coverage = Coverage::default();
    let changed = git::push::changed(&repository, remote, url, refs.as_bytes(), &mut coverage)?;
    let mut joined: Option<Report> = None;
    for tip in changed.iter().filter(|tip| is_about_dependencies(tip)) {
        let base = scan::base(scan, &repository)?;
        if let Some(report) = judge(scan, &repository, base, tip.commit, watch)? {
            match &mut joined {
                None => joined = Some(report),
                Some(joined) => joined.join(report),
            }
        }
    }
    if let Some(report) = &mut joined {
        report.coverage.join(coverage);
    }
    Ok(joined)
}

fn is_about_dependencies(tip: &Changed) -> bool {
    tip.paths.iter().any(|path| MANIFESTS.iter().any(|name| has_name(path, name)))
}

fn has_name(path: &[u8], name: &str) -> bool {
    path.strip_suffix(name.as_bytes()).is_some_and(|folder| folder.is_empty() || folder.ends_with(b"/"))
}

fn judge(
    scan: &scan::Request,
    repository: &GitRepository,
    base: Option<ObjectId>,
    commit: ObjectId,
    watch: Watch<'_>,
) -> Result<Option<Report>, Error> {
    let folder = tempfile::tempdir().map_err(Error::Folder)?;
    let (change, trusted) = (folder.path().join("change"), folder.path().join("base"));
    let mut exported = Coverage::default();
    let is_policy = |path: &[u8]| POLICIES.iter().any(|name| path == name.as_bytes());
    let is_wanted = |path: &[u8]| is_policy(path) || MANIFESTS.iter().chain(&MARKERS).any(|name| has_name(path, name));
    // What is below a `.git` is a repository of its own, and its top is where the policy is.
    fs::create_dir_all(change.join(".git")).map_err(Error::Folder)?;
    fs::create_dir_all(&trusted).map_err(Error::Folder)?;
    git::export::export(repository, commit, &is_wanted, &change, &mut exported)?;
    if let Some(base) = base {
        git::export::export(repository, base, &is_policy, &trusted, &mut exported)?;
    }
    let mut loaded = policy::load(&trusted, None)?;
    let proposed = policy::load(&change, None)?;
    loaded.policy.propose(&proposed.policy);
    let request = deps::Request {
        environment: scan.environment.clone(),
        lockfiles: Lockfiles::OfRepository(change.clone()),
        offline: true,
        deep: false,
        advisory_db: Vec::new(),
        names: None,
        policy: None,
    };
    let policy = &loaded.policy;
    let looked = deps::look(&request, &change, policy, &policy.needs(), watch);
    // A library may keep its lock file to itself.
    if matches!(looked, Err(deps::Error::Repository(repository::Error::NoLockfile { .. }))) {
        return Ok(None);
    }
    let Look { dependencies, knowledge, stale, mut coverage, sources, texts } = looked?;
    coverage.join(exported);
    let now = scan.environment.now;
    let observed = audit::dependencies(&dependencies, &knowledge, policy, &stale, now);
    let decision = decide(observed, policy, &coverage, now);
    Ok(Some(Report {
        tool: scan.environment.tool.clone(),
        command: "deps".to_owned(),
        verdict: decision.verdict,
        time: now,
        findings: decision.findings,
        exempted: decision.exempted,
        not_checked: decision.not_checked,
        coverage,
        sources,
        texts: texts.into_iter().chain(proposed.texts).collect(),
    }))
}
