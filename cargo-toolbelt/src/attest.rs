//! Signing what a run said, for commands whose verdict other gates ask for.

use std::path::PathBuf;

use clap::Args;
use toolbelt_core::ops::Environment;
use toolbelt_core::ops::attest::{self, Request};
use toolbelt_core::report::Report;

use crate::ui::Ui;

/// Options for signing a verdict.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Evidence")]
pub struct AttestArgs {
    /// Sign the verdict as evidence about the commit, and keep it as a note in refs/notes/toolbelt
    #[arg(long)]
    pub attest: bool,
    /// Private key to sign with, in place of the one that git signs with
    #[arg(long, value_name = "FILE", requires = "attest")]
    key: Option<PathBuf>,
}

/// Signs, if that was asked for, and says so on standard error.
///
/// # Errors
///
/// If the work tree is not the commit, the run did not see everything, or nothing can be signed.
pub fn attest(args: AttestArgs, environment: &Environment, report: &Report, ui: &Ui) -> anyhow::Result<()> {
    if !args.attest {
        return Ok(());
    }
    let attested = attest::run(&Request { environment, report, key: args.key })?;
    ui.note(&format!("signed {} about commit {} with {}", attested.result, attested.commit, attested.key))
}
