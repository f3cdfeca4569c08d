//! What a push would do to refs, and who vouches for what it brings: the same before a push, on a server, and over a range.

mod log;
mod root;
mod signatures;
mod updates;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::audit;
use crate::finding::Outcome;
use crate::ops::Environment;
use crate::ops::scan::trust::{Judge, Revisions};
use crate::ops::scan::{self, Inline, Memory, Target};
use crate::policy::{Policy, decide};
use crate::report::{Coverage, Report, SourceState};
use crate::rules::Rule;
use crate::rules::repository::{rewritten_history, unsigned_commit, unsigned_tag, untrusted_signer};
use crate::source::git::repository::GitRepository;
use crate::source::git::signed::{self, News};
use crate::source::{file, git};
use crate::subject::malformed::Malformed;
use crate::subject::signed_object::{ObjectKind, Signature};

/// How to judge.
#[derive(Debug, Clone)]
pub struct Request {
    /// The world it runs in.
    pub environment: Environment,
    /// A policy to use in place of the base's.
    pub policy: Option<PathBuf>,
    /// The revision whose policy and trusted keys count, in place of the one that the push implies.
    pub base: Option<String>,
    /// The file of trusted keys, in place of the base's.
    pub allowed_signers: Option<PathBuf>,
    /// Rules that deny, whatever the policy says.
    pub required: &'static [&'static Rule],
}

/// What the rules said, for the policy to decide on.
#[derive(Debug, Clone)]
pub struct Observed {
    /// Each rule that ran, those that said nothing included.
    pub outcomes: Vec<(&'static Rule, Outcome)>,
    /// What was looked at.
    pub coverage: Coverage,
    /// How many commits and tags nobody has signed.
    pub unsigned: BTreeMap<ObjectKind, usize>,
    /// The policy that was judged by: that of the base.
    pub policy: Policy,
    /// The file of trusted keys.
    pub sources: Vec<SourceState>,
}

impl Observed {
    /// What the policy makes of it, as a report of this command.
    pub fn report(self, command: &str, environment: &Environment) -> Report {
        let decision = decide(self.outcomes, &self.policy, &self.coverage, environment.now);
        Report {
            tool: environment.tool.clone(),
            command: command.to_owned(),
            verdict: decision.verdict,
            time: environment.now,
            findings: decision.findings,
            exempted: decision.exempted,
            not_checked: decision.not_checked,
            coverage: self.coverage,
            sources: self.sources,
            texts: BTreeMap::new(),
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The policy could not be read.
    #[error(transparent)]
    Policy(#[from] scan::Error),
    /// The repository could not be read.
    #[error(transparent)]
    Repository(#[from] git::Error),
    /// The file of trusted keys could not be read.
    #[error(transparent)]
    File(#[from] file::Error),
    /// The file of trusted keys could not be understood.
    #[error("cannot understand `{}`", .0.location.path)]
    Malformed(#[from] Malformed),
}

/// What becomes of refs that lost commits since they were noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rewrites {
    /// They are told, every time.
    Told,
    /// What is there now is taken for right.
    Accepted,
}

/// Judges what a push would do, as the pre-push hook is told: `remote` and `url` are its arguments, `refs` is what it
/// reads.
///
/// # Errors
///
/// [`Error`] if the input is malformed, or repository, policy or trusted keys cannot be read.
pub fn judge_push(request: &Request, remote: &str, url: &str, refs: &str) -> Result<Observed, Error> {
    let target = Target::Push { remote: remote.to_owned(), url: url.to_owned(), refs: refs.to_owned() };
    Run::of(request, target, Asked::WherePolicySpeaks)?.observe(Rewrites::Told)
}

/// Judges what a server would take, as the pre-receive hook is told on its standard input.
///
/// # Errors
///
/// As [`judge_push`].
pub fn judge_receive(request: &Request, refs: &str) -> Result<Observed, Error> {
    Run::of(request, Target::Receive(refs.to_owned()), Asked::WherePolicySpeaks)?.observe(Rewrites::Told)
}

/// Judges the commits and tags of a range, and what became of the refs of all remotes since they were noted.
///
/// Keys are trusted only where the request names the file or the base, or local configuration pins the file.
///
/// # Errors
///
/// As [`judge_push`].
pub fn judge_range(request: &Request, range: &str, rewrites: Rewrites) -> Result<Observed, Error> {
    Run::of(request, Target::Range(range.to_owned()), Asked::Always)?.observe(rewrites)
}

/// Whether somebody wants to know who signed, also where nothing says whom to trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// It is what the run is for.
    Always,
    /// The policy has to say something of signatures.
    WherePolicySpeaks,
}

/// One run.
struct Run<'a> {
    request: &'a Request,
    repository: GitRepository,
    judge: Judge,
    target: Target,
    asked: Asked,
}

impl<'a> Run<'a> {
    fn of(request: &'a Request, target: Target, asked: Asked) -> Result<Self, Error> {
        let Environment { directory, variables, .. } = &request.environment;
        let repository = GitRepository::open(directory, variables)?;
        let root = repository.root().unwrap_or_else(|| repository.git_dir()).to_owned();
        let judged = scan::Request {
            environment: request.environment.clone(),
            target: target.clone(),
            inline: Inline::Ignored,
            memory: Memory::Bypassed,
            policy: request.policy.clone(),
            base: request.base.clone(),
        };
        let mut revisions = Revisions::of(&judged, &repository)?;
        if asked == Asked::Always && request.base.is_none() {
            // A range has a start, which need not be any better than what follows.
            revisions.base = None;
        }
        let mut judge = Judge::of(&judged, Some(&repository), &root, revisions)?;
        request.required.iter().for_each(|rule| judge.loaded.policy.require(rule));
        Ok(Self { request, repository, judge, target, asked })
    }

    fn policy(&self) -> &Policy {
        &self.judge.loaded.policy
    }

    fn observe(self, rewrites: Rewrites) -> Result<Observed, Error> {
        let mut coverage = Coverage { is_partial: true, ..Coverage::default() };
        self.judge.tell(&mut coverage);
        let news = self.news(&mut coverage)?;
        let updates = updates::of(&self.repository, &self.target, &self.policy().protect.refs, &mut coverage)?;
        let (objects, sources) = self.objects(&news, &mut coverage)?;
        let logs = if self.policy().is_active(&rewritten_history::RULE) {
            log::look(&self, rewrites, &mut coverage)?
        } else {
            Vec::new()
        };
        let mut unsigned = BTreeMap::new();
        for object in objects.iter().filter(|object| object.signature == Signature::None) {
            *unsigned.entry(object.kind).or_default() += 1;
        }
        let outcomes = audit::refs(&audit::Refs { updates, objects, logs }, self.policy());
        Ok(Observed { outcomes, coverage, unsigned, policy: self.judge.loaded.policy, sources })
    }

    fn news(&self, coverage: &mut Coverage) -> Result<News, Error> {
        let repository = &self.repository;
        Ok(match &self.target {
            Target::Push { remote, url, refs } => signed::pushed(repository, remote, url, refs.as_bytes(), coverage)?,
            Target::Receive(refs) => signed::received(repository, refs.as_bytes(), coverage)?,
            Target::Range(range) => signed::ranged(repository, range, coverage)?,
            Target::Staged | Target::Message(_) | Target::History { .. } | Target::Paths(_) => News::default(),
        })
    }

    /// Whether it is to be said that nothing says whom to trust.
    fn wants_trust(&self) -> bool {
        let rules = [&untrusted_signer::RULE, &unsigned_commit::RULE, &unsigned_tag::RULE];
        match self.asked {
            Asked::Always => true,
            Asked::WherePolicySpeaks => rules.iter().any(|rule| self.policy().speaks_of(rule)),
        }
    }
}
