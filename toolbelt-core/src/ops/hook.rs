//! What an installed hook runs: the checks that the policy wants in it, and one answer.

mod deps;

use std::path::{Path, PathBuf};

use crate::finding::Level;
use crate::ops::scan::{self, Inline, Memory, Target};
use crate::ops::{Environment, Step, Watch, causes, refs};
use crate::policy::Policy;
use crate::policy::protect::OnIncomplete;
use crate::report::{Coverage, Report, Verdict};
use crate::rules::blob::exposed_token;
use crate::source::git;
use crate::source::git::repository::GitRepository;
use crate::source::git::settings::Form;
use crate::source::receipts::{Receipt, Receipts};
use crate::subject::hook::{Hook, HookCheck};

/// The setting of a server that pins the policy, which nobody who pushes can change then.
const POLICY: &str = "toolbelt.policy";

/// Which hook runs, and what git tells it.
#[derive(Debug, Clone)]
pub struct Request {
    /// The world it runs in, with the variables that git sets for hooks.
    pub environment: Environment,
    /// The hook.
    pub hook: Hook,
    /// What git calls it with.
    pub arguments: Vec<String>,
    /// Its standard input; empty for hooks that are told nothing there.
    pub input: String,
    /// Whether it is only tried: then no trace is left.
    pub is_trial: bool,
}

/// What came of a hook.
#[derive(Debug, Clone)]
pub struct Ran {
    /// What all checks said, as one.
    pub report: Report,
    /// Whether the commit or the push is stopped.
    pub stops: bool,
}

/// Why a hook could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It was not called as git calls it.
    #[error("`{}` is called with {expected}", hook.as_str())]
    Arguments {
        /// The hook.
        hook: Hook,
        /// What git calls it with, in words.
        expected: &'static str,
    },
    /// What is committed, pushed or received could not be looked at.
    #[error(transparent)]
    Scan(#[from] scan::Error),
    /// Git's configuration could not be read.
    #[error(transparent)]
    Configuration(#[from] git::Error),
    /// The policy that the server's configuration pins is named by a path that depends on where one is.
    #[error("`{POLICY}` is `{path}`, which is not an absolute path")]
    PinnedPolicy {
        /// What it is set to.
        path: String,
    },
    /// What the push does to refs could not be looked at.
    #[error(transparent)]
    Refs(#[from] refs::Error),
    /// Dependencies could not be looked at.
    #[error("cannot check the dependencies of what is pushed")]
    Deps(#[from] deps::Error),
}

impl Ran {
    /// The exit code for git: 0 where it goes on, though something may have been said.
    pub fn exit_code(&self) -> u8 {
        if self.stops { self.report.verdict.exit_code() } else { 0 }
    }

    /// Whether a secret in a file for which `is_meant` says so would have stopped it.
    pub fn has_denied_secret(&self, is_meant: &dyn Fn(&str) -> bool) -> bool {
        self.report.findings.iter().any(|judged| {
            let mut paths = judged.finding.locations.iter().map(|location| location.path.as_str());
            judged.level == Level::Deny && judged.rule.id == exposed_token::RULE.id && paths.any(is_meant)
        })
    }
}

/// Runs the checks. The network is never used.
///
/// # Errors
///
/// [`Error`] if the hook was called in another way than git calls it, or the repository or what says how to judge cannot be
/// read. What could not be looked at is in the report.
pub fn run(request: &Request, watch: Watch<'_>) -> Result<Ran, Error> {
    let scan = scan_request(request)?;
    let policy = scan::policy(&scan)?;
    let mut report = nothing(request);
    for check in policy.protect.checks(request.hook) {
        match check {
            HookCheck::Scan | HookCheck::Message => report.join(scan::run(&scan, watch)?),
            // A trial is about what is in a commit, and what moves refs is written down.
            HookCheck::Refs if request.is_trial => {}
            HookCheck::Refs => {
                if let Some(said) = refs(request, scan.policy.clone())? {
                    report.join(said);
                }
            }
            HookCheck::Deps => {
                watch(Step { what: "dependencies", done: 0, total: 0 });
                if let Some(said) = deps::run(&scan, watch)? {
                    report.join(said);
                }
            }
        }
    }
    if policy.protect.checks(request.hook).is_empty() {
        report.coverage.skip("checks", 1, format!("the policy wants none (`protect.{}`)", request.hook.as_str()));
    }
    if !request.is_trial {
        receipts(request, &mut report);
    }
    let stops = stops(request.hook, report.verdict, &policy);
    Ok(Ran { report, stops })
}

/// What a push does to refs, and who vouches for what it brings; none for hooks that move none.
fn refs(request: &Request, policy: Option<PathBuf>) -> Result<Option<Report>, refs::Error> {
    let asked = refs::Request {
        environment: request.environment.clone(),
        policy,
        base: None,
        allowed_signers: None,
        required: &[],
    };
    let observed = match (request.hook, request.arguments.as_slice()) {
        (Hook::PrePush, [remote, url]) => refs::judge_push(&asked, remote, url, &request.input)?,
        (Hook::PreReceive, _) => refs::judge_receive(&asked, &request.input)?,
        (Hook::PreCommit | Hook::PreMergeCommit | Hook::PreApplypatch | Hook::CommitMsg | Hook::PrePush, _) => {
            return Ok(None);
        }
    };
    Ok(Some(observed.report(&format!("hook {}", request.hook.as_str()), &request.environment)))
}

/// Whether it ends here. What could not be checked never holds up a commit, so that nobody learns to pass by the hook; a
/// push it does where the policy says so.
fn stops(hook: Hook, verdict: Verdict, policy: &Policy) -> bool {
    match verdict {
        Verdict::Pass => false,
        Verdict::Fail => true,
        Verdict::Incomplete => !hook.is_before_commit() && policy.protect.incomplete == OnIncomplete::Deny,
    }
}

/// A report of nothing yet.
fn nothing(request: &Request) -> Report {
    Report {
        tool: request.environment.tool.clone(),
        command: format!("hook {}", request.hook.as_str()),
        verdict: Verdict::Pass,
        time: request.environment.now,
        findings: Vec::new(),
        exempted: Vec::new(),
        not_checked: Vec::new(),
        coverage: Coverage { is_partial: true, ..Coverage::default() },
        sources: Vec::new(),
        texts: std::collections::BTreeMap::new(),
    }
}

/// What there is to scan.
fn scan_request(request: &Request) -> Result<scan::Request, Error> {
    let wrong = |expected| Error::Arguments { hook: request.hook, expected };
    let target = match (request.hook, request.arguments.as_slice()) {
        (Hook::PreCommit | Hook::PreMergeCommit | Hook::PreApplypatch, _) => Target::Staged,
        (Hook::CommitMsg, [path]) => Target::Message(PathBuf::from(path)),
        (Hook::CommitMsg, _) => return Err(wrong("the file that holds the message")),
        (Hook::PrePush, [remote, url]) => {
            Target::Push { remote: remote.clone(), url: url.clone(), refs: request.input.clone() }
        }
        (Hook::PrePush, _) => return Err(wrong("the name of the remote and its URL")),
        (Hook::PreReceive, _) => Target::Receive(request.input.clone()),
    };
    Ok(scan::Request {
        environment: request.environment.clone(),
        target,
        inline: Inline::Honoured,
        memory: Memory::Bypassed,
        policy: pinned_policy(request)?,
        base: None,
    })
}

/// The policy that a server's own configuration names.
fn pinned_policy(request: &Request) -> Result<Option<PathBuf>, Error> {
    let Environment { directory, variables, .. } = &request.environment;
    if request.hook != Hook::PreReceive {
        return Ok(None);
    }
    match git::settings::get(directory, variables, POLICY, Form::Path)? {
        Some(path) if !Path::new(&path).is_absolute() => Err(Error::PinnedPolicy { path }),
        path => Ok(path.map(PathBuf::from)),
    }
}

/// Leaves a receipt for a tree that may be committed, and counts the commits of a push that have none.
///
/// None of it changes the verdict, nor does it stop anything: a git directory may be read-only.
fn receipts(request: &Request, report: &mut Report) {
    let Environment { directory, variables, .. } = &request.environment;
    let Ok(repository) = GitRepository::open(directory, variables) else { return };
    let receipts = Receipts::of(&repository);
    match (request.hook, request.arguments.as_slice()) {
        (Hook::PreCommit | Hook::PreMergeCommit | Hook::PreApplypatch, _) => {
            if report.verdict != Verdict::Fail
                && let Err(why) = leave(request, report.verdict, &repository, &receipts)
            {
                report.coverage.skip("a receipt", 1, why);
            }
        }
        (Hook::PrePush, [remote, url]) => {
            let Ok(commits) = git::push::commits(&repository, remote, url, request.input.as_bytes()) else { return };
            if !commits.is_empty() {
                let known = receipts.trees();
                let without = commits.iter().filter(|(_, tree)| !known.contains(tree)).count();
                report.coverage.count("commits-without-receipt", without);
            }
        }
        (Hook::CommitMsg | Hook::PrePush | Hook::PreReceive, _) => {}
    }
}

fn leave(request: &Request, verdict: Verdict, repository: &GitRepository, receipts: &Receipts) -> Result<(), String> {
    let tree = git::staged::tree_id(repository).map_err(|error| causes(&error))?;
    // A commit with conflicts cannot be made.
    let Some(tree) = tree else { return Ok(()) };
    let Environment { now, tool, .. } = &request.environment;
    let receipt = Receipt { tree, hook: request.hook, verdict, time: *now, tool };
    receipts.add(&receipt).map_err(|error| format!("cannot be written: {error}"))
}
