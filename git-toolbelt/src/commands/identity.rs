use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use anyhow::bail;
use cargo_toolbelt::global::Format;
use cargo_toolbelt::ui::{Hinted, Ui};
use clap::{Args, Subcommand};
use toolbelt_core::ops::identity::setup::{self, Scope};
use toolbelt_core::ops::identity::{self, Error, Request, Trial};
use toolbelt_core::output;

use super::environment;

/// Check whether git signs here, with which key, and whether others will trust it
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct IdentityArgs {
    #[command(subcommand)]
    command: Option<IdentityCommand>,
    /// Sign a line and check it: tells whether a FIDO token wants to be touched, and its PIN
    #[arg(long)]
    test: bool,
}

#[derive(Debug, Subcommand)]
enum IdentityCommand {
    /// Make git sign commits and tags with an SSH key, after showing what changes
    Setup(SetupArgs),
}

#[derive(Debug, Args)]
struct SetupArgs {
    /// Key to sign with: the private half or the public one
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Change your configuration for all repositories in place of this one's
    #[arg(long)]
    global: bool,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

pub(crate) fn run(args: IdentityArgs, ui: &mut Ui) -> anyhow::Result<u8> {
    if let Some(IdentityCommand::Setup(args)) = args.command {
        return set_up(args, ui);
    }
    let trial = if args.test { Trial::Signed } else { Trial::Skipped };
    let identity = identity::run(&Request { environment: environment()?, trial }).map_err(hinted)?;
    ui.write(|out| match ui.format() {
        Format::Json | Format::Sarif => output::identity::write_json(&identity, out),
        Format::Human | Format::Markdown => output::identity::write(&identity, out),
    })?;
    Ok(identity.verdict().exit_code())
}

fn set_up(args: SetupArgs, ui: &Ui) -> anyhow::Result<u8> {
    let scope = if args.global { Scope::Global } else { Scope::Local };
    let request = setup::Request { environment: environment()?, key: args.key, scope };
    let plan = setup::plan(&request).map_err(hinted)?;
    ui.write(|out| output::identity::write_plan(&plan, out))?;
    if args.dry_run || plan.changes.is_empty() {
        return Ok(0);
    }
    if !args.yes && !is_confirmed()? {
        bail!("nothing was changed");
    }
    setup::apply(&request, &plan).map_err(hinted)?;
    Ok(0)
}

/// Asks whoever sits at the terminal.
fn is_confirmed() -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        let message = "nobody can be asked here whether to change this".to_owned();
        return Err(Hinted { message, hint: "--yes changes it without asking".to_owned() }.into());
    }
    let mut terminal = io::stderr().lock();
    write!(terminal, "change this? [y/N] ")?;
    terminal.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Adds what the reader can do, where that is known.
fn hinted(error: Error) -> anyhow::Error {
    let hint = match &error {
        Error::NoKey { .. } => "make one with `ssh-keygen -t ed25519`, or name one with --key FILE",
        Error::NoEmail => "git config --global user.email ADDRESS",
        _ => return error.into(),
    };
    Hinted { message: error.to_string(), hint: hint.to_owned() }.into()
}
