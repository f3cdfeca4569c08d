//! Does anything leave this machine that must not?
//!
//! A walk over the repository hands out contents, with the part of each that is new. Each is searched once, for
//! everything; what was seen is placed, judged by the rules, and weighed by the policy.

mod collect;
mod history;
pub(super) mod trust;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use collect::{Collector, Seen, SignOffs};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use trust::{Judge, Revisions};

use crate::audit::{self, Acceptances};
use crate::ops::{Environment, Step, Watch, policy};
use crate::policy::baseline::Baseline;
use crate::policy::{Policy, decide};
use crate::report::{Coverage, Report, SourceState, State};
use crate::rules::blob::marks::Limits;
use crate::rules::blob::secrets::engine::Engine;
use crate::rules::blob::{self, large_file, missing_sign_off};
use crate::source::cache::Cache;
use crate::source::git;
use crate::source::git::repository::GitRepository;
use crate::source::git::store::Missing;
use crate::subject::content::{Content, ContentKind, News, ObjectId};
use crate::subject::malformed::Malformed;
use crate::subject::sighting::{Exposure, Observation, Place, Sighting};
use crate::subject::tree::TreeChange;

/// What to look at, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// The world it runs in.
    pub environment: Environment,
    /// What to look at.
    pub target: Target,
    /// Whether markers beside a finding accept it.
    pub inline: Inline,
    /// Whether what earlier runs saw may be used, and kept.
    pub memory: Memory,
    /// A policy to use in place of the repository's.
    pub policy: Option<PathBuf>,
    /// The revision whose policy and exemptions count, in place of the one that the target implies.
    pub base: Option<String>,
}

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// What the next commit would bring: the index.
    Staged,
    /// The message of the next commit, in the file that the commit-msg hook is told.
    Message(PathBuf),
    /// The commits of a range such as `main..topic`.
    Range(String),
    /// What a push would bring, as the pre-push hook is told.
    Push {
        /// The remote's name, or its URL where it has none.
        remote: String,
        /// The remote's URL.
        url: String,
        /// The hook's standard input.
        refs: String,
    },
    /// What is being received, as the pre-receive hook is told on its standard input.
    Receive(String),
    /// Everything that ever was.
    History {
        /// Also what only reflogs have, and what nothing has.
        with_unreachable: bool,
    },
    /// Files of the work tree below these paths.
    Paths(Vec<PathBuf>),
}

/// Whether markers beside a finding accept it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inline {
    /// They do, and are listed.
    Honoured,
    /// They do not.
    Ignored,
}

/// Whether what earlier runs saw may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// It is used, and what this run saw is kept.
    Used,
    /// It is neither read nor written.
    Bypassed,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The policy could not be read.
    #[error(transparent)]
    Policy(#[from] policy::Error),
    /// The repository could not be read.
    #[error(transparent)]
    Repository(#[from] git::Error),
    /// Its objects could not be read.
    #[error(transparent)]
    Objects(#[from] git::objects::Error),
    /// A file that belongs to the policy could not be understood.
    #[error("cannot understand `{}`", .0.location.path)]
    Malformed(#[from] Malformed),
    /// There are no files to look at.
    #[error("`{}` is a bare repository, which has no files of its own", directory.display())]
    Bare {
        /// The git directory.
        directory: PathBuf,
    },
    /// An example of a pattern of the repository's own does not hold.
    #[error("`{path}`: {why}")]
    Example {
        /// The file.
        path: String,
        /// Which, and how.
        why: String,
    },
    /// A file that belongs to the policy could not be read from its commit.
    #[error("`{path}` {why}")]
    File {
        /// The file.
        path: String,
        /// Why.
        why: Missing,
    },
}

/// What of earlier runs is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// What the baseline lists.
    Baseline,
    /// Nothing: the baseline is about to be written anew.
    Nothing,
}

/// Looks, and reports.
///
/// # Errors
///
/// [`Error`] if there is no repository where one is needed, or what says how to judge cannot be read. What could not be
/// looked at is in the report.
pub fn run(request: &Request, watch: Watch<'_>) -> Result<Report, Error> {
    run_against(request, Known::Baseline, watch)
}

/// Looks, and reports what is not known.
pub(super) fn run_against(request: &Request, known: Known, watch: Watch<'_>) -> Result<Report, Error> {
    let environment = &request.environment;
    let ground = Ground::find(request)?;
    let mut judge = ground.judge(request)?;
    if known == Known::Nothing {
        judge.loaded.policy.baseline = Baseline::default();
    }
    let policy = &judge.loaded.policy;
    let engine = judge.engine()?;
    let excluded = excluded(policy);
    let mut coverage = Coverage { is_partial: request.target.is_partial(), ..Coverage::default() };
    let sign_offs =
        if policy.is_active(&missing_sign_off::RULE) { ground.sign_offs(request) } else { SignOffs::Ignored };
    let limits = Limits::new(&policy.options(&large_file::RULE));
    let collector = Collector::new(&engine, &excluded, limits, sign_offs);
    watch(Step { what: "files and objects", done: 0, total: 0 });
    let changes = ground.look(request, &collector, &mut coverage)?;
    let seen = collector.finish(&mut coverage);
    watch(Step { what: "commits", done: 0, total: 0 });
    let sightings = ground.place(request, &seen, &excluded, &mut coverage)?;
    let changes = changes.into_iter().map(|change| without(change, &excluded)).collect::<Vec<_>>();
    let acceptances = Acceptances { key: &judge.key, markers: judge.markers };
    let observed = audit::contents(&sightings, &changes, policy, acceptances);
    judge.tell(&mut coverage);
    for key in &judge.loaded.not_carried_over {
        coverage.skip(&key.key, 1, "is not carried over");
    }
    let decision = decide(observed, policy, &coverage, environment.now);
    let patterns =
        SourceState { name: "patterns".to_owned(), date: None, digest: Some(engine.digest()), state: State::Fresh };
    Ok(Report {
        tool: environment.tool.clone(),
        command: "scan".to_owned(),
        verdict: decision.verdict,
        time: environment.now,
        findings: decision.findings,
        exempted: decision.exempted,
        not_checked: decision.not_checked,
        coverage,
        sources: vec![patterns],
        texts: without_secrets(judge.loaded.texts, &sightings),
    })
}

/// The texts in which no secret was seen: the others must not be shown.
fn without_secrets(mut texts: BTreeMap<String, String>, sightings: &[Sighting]) -> BTreeMap<String, String> {
    for sighting in sightings {
        if let (Observation::Secret(_), Some(path)) = (&sighting.observation, &sighting.place.path) {
            texts.remove(path);
        }
    }
    texts
}

/// Searches files that are about to leave the machine, as the policy of the repository at `root` says.
///
/// `files` calls back with the path and the content of each. Places are those paths; what a list of accepted values
/// accepts is left out. What could not be looked at is added to the coverage.
///
/// # Errors
///
/// [`Error`] if what says how to judge cannot be read.
pub(super) fn search(
    environment: &Environment,
    root: &Path,
    files: impl FnOnce(&mut dyn FnMut(&str, &[u8])),
    coverage: &mut Coverage,
) -> Result<Vec<Sighting>, Error> {
    let request = Request {
        environment: Environment { directory: root.to_owned(), ..environment.clone() },
        target: Target::Paths(Vec::new()),
        inline: Inline::Honoured,
        memory: Memory::Bypassed,
        policy: None,
        base: None,
    };
    let judge = Ground::find(&request)?.judge(&request)?;
    let policy = &judge.loaded.policy;
    let engine = judge.engine()?;
    let nothing = GlobSet::empty();
    let limits = Limits::new(&policy.options(&large_file::RULE));
    let collector = Collector::new(&engine, &nothing, limits, SignOffs::Ignored);
    files(&mut |path, bytes| {
        let id = ObjectId::null(gix::hash::Kind::Sha1);
        let content = Content { id, kind: ContentKind::Blob, bytes, news: News::All };
        let place = Place {
            path: Some(path.to_owned()),
            object: id,
            kind: ContentKind::Blob,
            commit: None,
            exposure: Exposure::WorkTree,
        };
        collector.visit(&git::Met { content, place: Some(&place), pack: None });
    });
    let seen = collector.finish(coverage);
    let mut sightings = seen.iter().filter_map(|seen| Some(seen.at(seen.place.clone()?))).collect::<Vec<_>>();
    sightings.retain(|sighting| policy.allow_lists.accepts(sighting).is_none());
    Ok(sightings)
}

/// The policy that a run with this request would judge by.
pub(super) fn policy(request: &Request) -> Result<Policy, Error> {
    Ok(Ground::find(request)?.judge(request)?.loaded.policy)
}

/// The commit whose policy a run with this request would trust; none where it knows of none.
pub(super) fn base(request: &Request, repository: &GitRepository) -> Result<Option<ObjectId>, Error> {
    trust::base(request, repository)
}

/// What a run with this request would look for.
pub(super) fn engine(request: &Request) -> Result<Engine, Error> {
    let judge = Ground::find(request)?.judge(request)?;
    judge.engine()
}

/// The work tree that a run with this request would look at; none in a bare repository.
pub(super) fn work_tree(request: &Request) -> Result<Option<PathBuf>, Error> {
    let ground = Ground::find(request)?;
    Ok(ground.repository.map_or(Some(ground.root), |repository| repository.root().map(Path::to_owned)))
}

impl Target {
    /// Whether it is a change that somebody else judges, who trusts only what was there before.
    fn is_judged(&self) -> bool {
        match self {
            Self::Range(_) | Self::Push { .. } | Self::Receive(_) => true,
            Self::Staged | Self::Message(_) | Self::History { .. } | Self::Paths(_) => false,
        }
    }

    /// Whether it is less than the whole repository.
    fn is_partial(&self) -> bool {
        match self {
            Self::Staged | Self::Message(_) | Self::Range(_) | Self::Push { .. } | Self::Receive(_) => true,
            Self::History { .. } => false,
            Self::Paths(paths) => !paths.is_empty(),
        }
    }
}

/// Where a run looks.
struct Ground {
    /// None for files outside of repositories.
    repository: Option<GitRepository>,
    /// The folder that paths are relative to.
    root: PathBuf,
}

impl Ground {
    fn find(request: &Request) -> Result<Self, Error> {
        let Environment { directory, variables, .. } = &request.environment;
        match (GitRepository::open(directory, variables), &request.target) {
            (Ok(repository), _) => {
                let root = repository.root().unwrap_or_else(|| repository.git_dir()).to_owned();
                Ok(Self { repository: Some(repository), root })
            }
            (Err(git::Error::NotARepository { .. }), Target::Paths(_)) => {
                Ok(Self { repository: None, root: directory.clone() })
            }
            (Err(error), _) => Err(error.into()),
        }
    }

    fn judge(&self, request: &Request) -> Result<Judge, Error> {
        let revisions = match &self.repository {
            Some(repository) => Revisions::of(request, repository)?,
            None => Revisions::default(),
        };
        Judge::of(request, self.repository.as_ref(), &self.root, revisions)
    }

    /// Whose sign-offs are looked for: those of messages that are new.
    fn sign_offs(&self, request: &Request) -> SignOffs {
        match (&request.target, &self.repository) {
            (Target::Message(_), Some(repository)) if !git::message::is_merge(repository) => {
                let people = ["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"];
                let people = people.iter().filter_map(|name| request.environment.variables.get(*name));
                SignOffs::OfMessage(people.cloned().collect())
            }
            (Target::Range(_) | Target::Push { .. } | Target::Receive(_), _) => SignOffs::OfCommits,
            (Target::Staged | Target::Message(_) | Target::History { .. } | Target::Paths(_), _) => SignOffs::Ignored,
        }
    }

    /// Walks over what was asked for; returns the changes to trees that it met.
    fn look(
        &self,
        request: &Request,
        collector: &Collector<'_>,
        coverage: &mut Coverage,
    ) -> Result<Vec<TreeChange>, Error> {
        let visit = |met: &git::Met<'_>| collector.visit(met);
        let wanted = blob::wants;
        let directory = &request.environment.directory;
        if let Target::Paths(paths) = &request.target {
            if let Some(bare) = self.repository.as_ref().filter(|repository| repository.root().is_none()) {
                return Err(Error::Bare { directory: bare.git_dir().to_owned() });
            }
            let all = [self.root.clone()];
            let paths = if paths.is_empty() { all.as_slice() } else { paths };
            git::worktree::visit(directory, self.repository.as_ref(), paths, &visit, coverage)?;
        }
        let Some(repository) = &self.repository else { return Ok(Vec::new()) };
        match &request.target {
            Target::Staged => {
                git::staged::visit(repository, &visit, coverage)?;
                Ok(vec![git::staged::tree(repository, &wanted, coverage)?])
            }
            Target::Message(path) => {
                git::message::visit(repository, &directory.join(path), &visit, coverage)?;
                Ok(Vec::new())
            }
            Target::Range(range) => {
                git::range::visit(repository, range, &visit, coverage)?;
                Ok(git::range::trees(repository, range, &wanted, coverage)?)
            }
            Target::Push { remote, url, refs } => {
                git::push::visit(repository, remote, url, refs.as_bytes(), &visit, coverage)?;
                Ok(git::push::trees(repository, remote, url, refs.as_bytes(), &wanted, coverage)?)
            }
            Target::Receive(refs) => {
                git::receive::visit(repository, refs.as_bytes(), &visit, coverage)?;
                Ok(git::receive::trees(repository, refs.as_bytes(), &wanted, coverage)?)
            }
            Target::History { .. } => {
                let cache = Cache::new(Some(repository.common_dir().join("toolbelt")));
                let name = history::memory_name(&[&collector.digest(), env!("CARGO_PKG_VERSION")]);
                let memory = (request.memory == Memory::Used).then_some((&cache, name.as_str()));
                history::look(repository, memory, collector, coverage)?;
                Ok(git::history::tree(repository, &wanted, coverage)?.into_iter().collect())
            }
            Target::Paths(_) => Ok(git::history::tree(repository, &wanted, coverage)?.into_iter().collect()),
        }
    }

    /// Gives each thing that was seen the place that it was met at, or finds it.
    fn place(
        &self,
        request: &Request,
        seen: &[Seen],
        excluded: &GlobSet,
        coverage: &mut Coverage,
    ) -> Result<Vec<Sighting>, Error> {
        match (&request.target, &self.repository) {
            (Target::History { with_unreachable }, Some(repository)) => {
                let tips = git::history::tips(repository, *with_unreachable, coverage)?;
                let is_excluded = |path: &str| excluded.is_match(path);
                history::place(repository, seen, &tips, *with_unreachable, &is_excluded, coverage)
            }
            _ => Ok(seen.iter().filter_map(|seen| Some(seen.at(seen.place.clone()?))).collect()),
        }
    }
}

/// The paths that the policy leaves out.
fn excluded(policy: &Policy) -> GlobSet {
    let mut globs = GlobSetBuilder::new();
    for glob in &policy.scan.exclude {
        // The policy has seen to it that it is one.
        if let Ok(glob) = GlobBuilder::new(glob).literal_separator(true).build() {
            globs.add(glob);
        }
    }
    globs.build().unwrap_or_default()
}

/// A change without the paths that the policy leaves out.
fn without(mut change: TreeChange, excluded: &GlobSet) -> TreeChange {
    let is_excluded = |path: &[u8]| excluded.is_match(String::from_utf8_lossy(path).as_ref());
    change.entries.retain(|entry| !is_excluded(&entry.path));
    change.files.retain(|file| !is_excluded(&file.path));
    change
}
