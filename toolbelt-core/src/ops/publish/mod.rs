//! Is what we publish what we reviewed?
//!
//! Packages once, judges, signs, uploads these very bytes, and reads them back. Nothing is uploaded unless the verdict is
//! pass.

pub mod approve;
mod base;
mod collect;
mod documents;
mod gathered;
mod ground;
mod locked;
mod statements;
mod upload;

use std::path::PathBuf;
use std::time::Duration;

use semver::Version;

use crate::audit;
use crate::evidence::statement;
use crate::ops::evidence::trust::Sources;
use crate::ops::{Environment, Step, Watch, deps, evidence, policy, sbom, scan};
use crate::policy::decide;
use crate::report::{Coverage, Report, SourceState, Verdict};
use crate::rules::release::missing_approval;
use crate::source::registry::api;
use crate::source::registry::order::Cycle;
pub use crate::source::registry::through_cargo::Proof;
use crate::source::{cache, cargo_config, cargo_metadata, file, git, release};
use crate::subject::digest::Sha256Digest;
use crate::subject::malformed::Malformed;
use crate::subject::release::Stage;
use collect::{Candidate, Collected, collect};
use ground::Ground;
pub use upload::Failure;

/// What to publish, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// The world it runs in.
    pub environment: Environment,
    /// A `Cargo.toml`, in place of the nearest one from the working directory upwards.
    pub manifest_path: Option<PathBuf>,
    /// Which packages of the workspace.
    pub packages: Packages,
    /// A registry's name in cargo's configuration; none for the one that the packages or cargo's configuration say.
    pub registry: Option<String>,
    /// Do everything but upload.
    pub dry_run: bool,
    /// Never touch the network.
    pub offline: bool,
    /// How many approvals the command line asks for.
    pub approvals: Option<u32>,
    /// A `.crate` that is judged and published in place of one that is made now.
    pub crate_file: Option<PathBuf>,
    /// Whether what was packaged is built.
    pub build: Build,
    /// How long the registry's index may take to list what was uploaded.
    pub index_wait: Duration,
    /// Publish also where nothing can be signed.
    pub unsigned: bool,
    /// A private key, in place of the one that git signs with.
    pub key: Option<PathBuf>,
    /// Whose signatures count.
    pub trust: Sources,
    /// Advisory databases to use in place of the cached one.
    pub advisory_db: Vec<PathBuf>,
    /// A policy to use in place of the repository's.
    pub policy: Option<PathBuf>,
    /// A program that guards uploads through cargo: this one, called with `--cargo-plugin`.
    pub gate: Option<PathBuf>,
}

/// Which packages of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packages {
    /// The one that the manifest means; every one that may be published where it means none.
    Meant,
    /// These.
    Named(Vec<String>),
    /// Every one that may be published.
    Workspace,
}

/// Whether what was packaged is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// It is, without a credential in reach.
    Verified,
    /// It is not.
    Skipped,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What the rules and the policy say.
    pub report: Report,
    /// The releases in the order in which they are published; empty where cargo could not package.
    pub releases: Vec<Prepared>,
}

/// A release that was packaged.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The registry's name.
    pub registry: String,
    /// Its `.crate`.
    pub archive: PathBuf,
    /// The digest of these bytes.
    pub digest: Sha256Digest,
    /// What was written beside it: SBOMs, evidence.
    pub documents: Vec<PathBuf>,
    /// The fingerprint of the key that signed the evidence; none without any.
    pub signed_by: Option<String>,
    /// Who has approved of it, besides the author.
    pub approved_by: Vec<String>,
    /// Where it is listed whose signatures count; none if it is not known.
    pub signers: Option<String>,
    /// Whether it was looked at as a release, or before there was one.
    pub stage: Stage,
    /// How far it has come.
    pub state: State,
}

/// How far a release has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It was packaged and judged, and nothing was uploaded.
    Judged,
    /// The registry has these bytes now.
    Published {
        /// What the registry remarked on.
        warnings: Vec<String>,
        /// What stands for cargo's upload being of these bytes, where cargo uploaded.
        by_cargo: Option<Proof>,
    },
    /// The registry had these bytes already.
    AlreadyThere,
    /// It could not be published.
    Failed(Failure),
}

impl Answer {
    /// The exit code: that of the verdict, unless an upload failed.
    pub fn exit_code(&self) -> u8 {
        let failure = self.releases.iter().find_map(|release| match &release.state {
            State::Failed(failure) => Some(failure),
            State::Judged | State::Published { .. } | State::AlreadyThere => None,
        });
        match failure {
            // What the registry has is not what was judged: that is an answer, and a bad one.
            Some(failure) if failure.is_alarm => Verdict::Fail.exit_code(),
            Some(_) => 2,
            None => self.report.verdict.exit_code(),
        }
    }
}

/// Why nothing could be judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The policy could not be read.
    #[error(transparent)]
    Policy(#[from] policy::Error),
    /// The policy of the commit could not be understood.
    #[error("cannot understand `{}` of the commit", .0.location.path)]
    PolicyOfTheCommit(#[from] Malformed),
    /// The repository could not be read.
    #[error(transparent)]
    Repository(#[from] git::Error),
    /// An object of the commit could not be read.
    #[error("an object of the commit {0}")]
    Object(git::store::Missing),
    /// Cargo's configuration could not be read.
    #[error(transparent)]
    CargoConfig(#[from] cargo_config::Error),
    /// Cargo did not say what it resolved.
    #[error(transparent)]
    Metadata(#[from] cargo_metadata::Error),
    /// There is no such registry, or nothing can be published to it.
    #[error(transparent)]
    Registry(#[from] api::Error),
    /// Cargo could not package.
    #[error(transparent)]
    Package(#[from] release::package::Error),
    /// A `.crate` could not be read.
    #[error(transparent)]
    Archive(#[from] release::archive::Error),
    /// A file could not be read.
    #[error(transparent)]
    File(#[from] file::Error),
    /// The manifest in a `.crate` could not be understood.
    #[error("cannot understand the manifest in the `.crate` of `{name}`: {why}")]
    Manifest {
        /// The package.
        name: String,
        /// Why.
        why: String,
    },
    /// The packages depend on each other.
    #[error(transparent)]
    Cycle(#[from] Cycle),
    /// What a package is made of is not known.
    #[error(transparent)]
    BillOfMaterials(#[from] sbom::Error),
    /// Dependencies could not be looked up.
    #[error(transparent)]
    Dependencies(#[from] deps::Error),
    /// The files could not be searched.
    #[error(transparent)]
    Scan(#[from] scan::Error),
    /// Evidence could not be read or made.
    #[error(transparent)]
    Evidence(#[from] evidence::Error),
    /// A statement cannot be made.
    #[error(transparent)]
    Statement(#[from] statement::Error),
    /// There is no place for temporary files.
    #[error("cannot make a temporary folder")]
    Scratch(#[source] std::io::Error),
    /// The workspace has no such package.
    #[error("the workspace has no package `{name}`")]
    NoSuchPackage {
        /// What was asked for.
        name: String,
    },
    /// The manifest says that a package is not for publishing.
    #[error("`{name}` has `publish = false`")]
    NotForPublishing {
        /// The package.
        name: String,
    },
    /// Nothing of the workspace is for publishing.
    #[error("the workspace has no package that may be published")]
    NothingToPublish,
    /// The manifest allows other registries only.
    #[error("`{name}` may not be published to `{registry}`, by its manifest")]
    OtherRegistry {
        /// The package.
        name: String,
        /// The registry.
        registry: String,
    },
    /// One `.crate` stands for several packages.
    #[error("`--crate` is for one package")]
    WhichCrate,
    /// What belongs to a release could not be written.
    #[error(transparent)]
    Write(#[from] cache::Error),
}

impl Error {
    /// What the reader can do, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Metadata(error) => error.hint(),
            Self::BillOfMaterials(error) => error.hint(),
            Self::Evidence(error @ evidence::Error::NoKey { .. }) => error.hint(),
            Self::NotForPublishing { .. } => {
                Some("take that out of its `Cargo.toml`, or name another package with `-p NAME`")
            }
            Self::OtherRegistry { .. } => Some("`--registry NAME` says which one"),
            Self::WhichCrate => Some("`-p NAME` says which one"),
            _ => None,
        }
    }
}

/// Packages, judges, signs, and, unless it is a dry run or the verdict is not pass, publishes.
///
/// # Errors
///
/// [`Error`] if something that is needed to judge cannot be had. What cannot be looked at is in the report; an upload that
/// fails is in the answer.
pub fn run(request: &Request, watch: Watch<'_>) -> Result<Answer, Error> {
    let mut coverage = Coverage::default();
    let ground = Ground::find(request, &mut coverage)?;
    let key = documents::key(&ground, &mut coverage)?;
    let Collected { candidates, sources } = collect(&ground, &mut coverage, watch)?;
    let report = judge(&ground, &candidates, coverage, sources);
    let mut releases = candidates.iter().map(|candidate| prepared(&ground, candidate)).collect::<Vec<_>>();
    if report.verdict == Verdict::Pass {
        watch(Step { what: "evidence", done: 0, total: 0 });
        for (candidate, release) in candidates.iter().zip(&mut releases) {
            documents::write(&ground, candidate, key.as_ref(), release)?;
        }
        if !request.dry_run {
            upload::all(&ground, &mut releases, watch);
        }
    }
    Ok(Answer { report, releases })
}

fn judge(ground: &Ground<'_>, candidates: &[Candidate], coverage: Coverage, sources: Vec<SourceState>) -> Report {
    let request = ground.request;
    let mut policy = ground.loaded.policy.clone();
    if request.approvals.is_some_and(|wanted| wanted > 0) {
        // Who asks on the command line does not leave it to the tree that is judged.
        policy.require(&missing_approval::RULE);
        policy.exemptions.retain(|exemption| exemption.rule != missing_approval::RULE.id);
    }
    let now = request.environment.now;
    let releases = candidates.iter().map(|candidate| &candidate.release).collect::<Vec<_>>();
    let observed = audit::releases(&releases, &policy, request.approvals, now);
    let decision = decide(observed, &policy, &coverage, now);
    Report {
        tool: request.environment.tool.clone(),
        command: "publish".to_owned(),
        verdict: decision.verdict,
        time: now,
        findings: decision.findings,
        exempted: decision.exempted,
        not_checked: decision.not_checked,
        coverage,
        sources,
        texts: ground.loaded.texts.clone(),
    }
}

fn prepared(ground: &Ground<'_>, candidate: &Candidate) -> Prepared {
    Prepared {
        name: candidate.release.name.clone(),
        version: candidate.release.version.clone(),
        registry: ground.target.name.clone(),
        archive: candidate.archive.clone(),
        digest: candidate.digest,
        documents: Vec::new(),
        signed_by: None,
        approved_by: missing_approval::approvers(&candidate.release),
        signers: candidate.gathered.signers.clone(),
        stage: candidate.release.stage,
        state: State::Judged,
    }
}
