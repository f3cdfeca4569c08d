use std::io::Read as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use cargo_toolbelt::attest::{AttestArgs, attest};
use cargo_toolbelt::global::Format;
use cargo_toolbelt::ui::{Hinted, Ui};
use clap::{Args, Subcommand};
use toolbelt_core::ops::scan::{self, Inline, Memory, Request, Target};
use toolbelt_core::ops::{baseline, patterns};
use toolbelt_core::output;
use toolbelt_core::source::git;

use super::environment;

/// The most that a hook is told on standard input: a million refs.
const MAX_INPUT: u64 = 256 << 20;

/// Look for secrets and hidden code in what is staged, about to be pushed, or ever was
///
/// Without options: the files of the work tree, as git would take them.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ScanArgs {
    #[command(subcommand)]
    command: Option<ScanCommand>,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    look: LookArgs,
    #[command(flatten)]
    attest: AttestArgs,
    /// List the patterns for secrets, built in and the repository's own, and count them
    #[arg(long, conflicts_with_all = ["target", "path"])]
    patterns: bool,
}

/// What to look at.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that people type")]
struct TargetArgs {
    /// Files and folders of the work tree; files that are named are looked at even if git ignores them
    #[arg(value_name = "PATH", conflicts_with = "target")]
    path: Vec<PathBuf>,
    /// What the next commit brings: the index
    #[arg(long, group = "target")]
    staged: bool,
    /// The commits of a range, such as main..topic
    #[arg(long, group = "target", value_name = "A..B")]
    range: Option<String>,
    /// What a push brings: reads what the pre-push hook is told on standard input
    #[arg(long, group = "target", num_args = 2, value_names = ["REMOTE", "URL"])]
    push: Vec<String>,
    /// What is being received: reads what the pre-receive hook is told on standard input
    #[arg(long, group = "target")]
    receive: bool,
    /// Everything that ever was: every ref, stash, note and message
    #[arg(long, group = "target")]
    history: bool,
    /// With --history: also what only reflogs have, and what nothing has
    #[arg(long, requires = "history")]
    reflog: bool,
}

/// How to look.
#[derive(Debug, Args)]
struct LookArgs {
    /// Neither use nor keep what an earlier scan of the history saw
    #[arg(long)]
    no_cache: bool,
    /// Ignore markers such as `toolbelt:allow RULE reason` beside a finding
    #[arg(long)]
    no_inline: bool,
    /// Revision whose policy and exemptions count, as a change must not excuse itself
    #[arg(long, value_name = "REVISION", conflicts_with = "policy")]
    base: Option<String>,
    /// Policy to use in place of the repository's toolbelt.toml
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum ScanCommand {
    /// Accept what is there now, so that only what is new is reported: writes .toolbelt/baseline.toml
    Baseline {
        #[command(flatten)]
        target: TargetArgs,
    },
}

pub(crate) fn run(args: ScanArgs, ui: &mut Ui) -> anyhow::Result<u8> {
    if let Some(ScanCommand::Baseline { target }) = args.command {
        let look = LookArgs { no_cache: false, no_inline: false, base: None, policy: None };
        return write_baseline(&request(target, look)?, ui);
    }
    let request = request(args.target, args.look)?;
    if args.patterns {
        return list_patterns(&request, ui);
    }
    let report = {
        let progress = ui.progress();
        scan::run(&request, &|step| progress.show(step)).map_err(hinted)?
    };
    ui.report(&report)?;
    attest(args.attest, &request.environment, &report, ui)?;
    Ok(report.verdict.exit_code())
}

/// Adds what the reader can do, where that is known.
fn hinted(error: scan::Error) -> anyhow::Error {
    let hint = match &error {
        scan::Error::Repository(git::Error::NotOwned { directory }) => {
            format!("git config --global --add safe.directory '{}'", directory.display())
        }
        scan::Error::Bare { .. } => "`git toolbelt scan --history` looks at what its refs lead to".to_owned(),
        _ => return error.into(),
    };
    Hinted { message: error.to_string(), hint }.into()
}

fn write_baseline(request: &Request, ui: &Ui) -> anyhow::Result<u8> {
    let written = {
        let progress = ui.progress();
        baseline::run(request, &|step| progress.show(step))?
    };
    ui.write(|out| output::baseline::write(&written, out))?;
    Ok(0)
}

fn list_patterns(request: &Request, ui: &Ui) -> anyhow::Result<u8> {
    let patterns = patterns::run(request)?;
    ui.write(|out| match ui.format() {
        Format::Json | Format::Sarif => output::patterns::write_json(&patterns, out),
        Format::Human | Format::Markdown => output::patterns::write(&patterns, out),
    })?;
    Ok(0)
}

fn request(target: TargetArgs, look: LookArgs) -> anyhow::Result<Request> {
    Ok(Request {
        environment: environment()?,
        target: target.read()?,
        inline: if look.no_inline { Inline::Ignored } else { Inline::Honoured },
        memory: if look.no_cache { Memory::Bypassed } else { Memory::Used },
        policy: look.policy,
        base: look.base,
    })
}

impl TargetArgs {
    fn read(self) -> anyhow::Result<Target> {
        if self.staged {
            return Ok(Target::Staged);
        }
        if let Some(range) = self.range {
            return Ok(Target::Range(range));
        }
        if let [remote, url] = self.push.as_slice() {
            return Ok(Target::Push { remote: remote.clone(), url: url.clone(), refs: standard_input()? });
        }
        if self.receive {
            return Ok(Target::Receive(standard_input()?));
        }
        if self.history {
            return Ok(Target::History { with_unreachable: self.reflog });
        }
        Ok(Target::Paths(self.path))
    }
}

fn standard_input() -> anyhow::Result<String> {
    let mut text = String::new();
    let mut input = std::io::stdin().lock().take(MAX_INPUT + 1);
    input.read_to_string(&mut text).context("cannot read what the hook is told from standard input")?;
    if text.len() as u64 > MAX_INPUT {
        bail!("standard input is longer than {MAX_INPUT} bytes, expected a line for each ref");
    }
    Ok(text)
}
