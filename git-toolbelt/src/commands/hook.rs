use std::ffi::OsString;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use cargo_toolbelt::global::Format;
use cargo_toolbelt::ui::Ui;
use clap::Args;
use toolbelt_core::ops::hook::{self, Ran, Request};
use toolbelt_core::output;
use toolbelt_core::source::hooks::{canary, previous};
use toolbelt_core::subject::hook::Hook;

use super::environment;

/// The most that a hook is told on standard input: a million refs.
const MAX_INPUT: u64 = 256 << 20;

/// Run what the policy wants in a hook: what installed hooks call
///
/// `[protect]` in toolbelt.toml says what is checked. Exit code 0: the commit or the push goes on; anything else stops it.
/// What could not be checked stops no commit, and a push only where the policy says so. The network is never used.
#[derive(Debug, Args)]
pub(crate) struct HookArgs {
    /// The hook: pre-commit, pre-merge-commit, pre-applypatch, commit-msg, pre-push or pre-receive
    #[arg(value_name = "HOOK", value_parser = parse)]
    hook: Hook,
    /// The hook that was there before: it runs too, before a commit first, as it may change what is committed, else last
    #[arg(long, value_name = "PATH")]
    previous: Option<OsString>,
    /// What git calls the hook with
    #[arg(value_name = "ARGUMENT", last = true)]
    arguments: Vec<OsString>,
}

fn parse(name: &str) -> Result<Hook, String> {
    let names = Hook::ALL.map(Hook::as_str).join(", ");
    Hook::parse(name).ok_or_else(|| format!("expected one of {names}"))
}

pub(crate) fn run(args: &HookArgs, ui: &mut Ui) -> anyhow::Result<u8> {
    let input = match args.hook {
        Hook::PrePush | Hook::PreReceive => Some(standard_input(args.hook)?),
        Hook::PreCommit | Hook::PreMergeCommit | Hook::PreApplypatch | Hook::CommitMsg => None,
    };
    // A trial is about our hook alone.
    let trial = std::env::var_os(canary::VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    let previous = args.previous.as_ref().map(Path::new).filter(|path| trial.is_none() && !path.as_os_str().is_empty());
    let run_previous = |path: &Path| {
        let code = previous::run(path, &args.arguments, input.as_deref());
        code.with_context(|| format!("cannot run the hook that was there before, `{}`", path.display()))
    };
    if let (Some(path), true) = (previous, args.hook.is_before_commit())
        && let Some(code) = run_previous(path)?.filter(|code| *code != 0)
    {
        return Ok(code);
    }
    let ran = check(args, input.as_deref().unwrap_or_default(), trial.is_some())?;
    if let Some(path) = trial {
        let is_canary = |path: &str| canary::is_canary(path);
        canary::answer(&path, args.hook, ran.has_denied_secret(&is_canary))?;
    } else {
        tell(&ran, args.hook, ui)?;
    }
    let code = ran.exit_code();
    match previous {
        Some(path) if code == 0 && !args.hook.is_before_commit() => Ok(run_previous(path)?.unwrap_or(0)),
        _ => Ok(code),
    }
}

fn check(args: &HookArgs, input: &[u8], is_trial: bool) -> anyhow::Result<Ran> {
    let request = Request {
        environment: environment()?,
        hook: args.hook,
        arguments: args.arguments.iter().map(|argument| argument.to_string_lossy().into_owned()).collect(),
        // Ids and the shape of a line are in ASCII; a name that is not UTF-8 is only shown.
        input: String::from_utf8_lossy(input).into_owned(),
        is_trial,
    };
    hook::run(&request, &|_| {}).with_context(|| format!("toolbelt {}", args.hook.as_str()))
}

fn tell(ran: &Ran, hook: Hook, ui: &mut Ui) -> anyhow::Result<()> {
    match ui.format() {
        Format::Human => {
            let (style, about) = (ui.style(), output::hook::About { hook, stops: ran.stops });
            ui.write(|out| output::hook::write(&ran.report, about, style, out))
        }
        Format::Json | Format::Sarif | Format::Markdown => ui.report(&ran.report),
    }
}

fn standard_input(hook: Hook) -> anyhow::Result<Vec<u8>> {
    let mut input = std::io::stdin().lock();
    if input.is_terminal() {
        bail!("`{}` is told by git, on standard input, which refs are moved", hook.as_str());
    }
    let mut bytes = Vec::new();
    input.by_ref().take(MAX_INPUT + 1).read_to_end(&mut bytes).context("cannot read what git tells the hook")?;
    if bytes.len() as u64 > MAX_INPUT {
        bail!("standard input is longer than {MAX_INPUT} bytes, expected a line for each ref");
    }
    Ok(bytes)
}
