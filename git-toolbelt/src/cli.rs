//! The command line.

use cargo_toolbelt::global::Global;
use cargo_toolbelt::{completions, explain, man};
use clap::{Parser, Subcommand};

use crate::commands::{hook, identity, protect, scan, verify};

/// Supply-chain checks where git users already work
///
/// Exit codes: 0 pass, 1 fail, 2 toolbelt could not do its work, 3 incomplete (something that the policy denies could
/// not be checked).
///
/// `git toolbelt --help` opens the manual page; `git-toolbelt man DIR` installs it, and `git toolbelt -h` needs none.
#[derive(Debug, Parser)]
#[command(name = "git-toolbelt", bin_name = "git toolbelt", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Scan(Box<scan::ScanArgs>),
    Verify(verify::VerifyArgs),
    Identity(identity::IdentityArgs),
    #[command(subcommand)]
    Protect(protect::ProtectCommand),
    #[command(hide = true)]
    Hook(hook::HookArgs),
    Explain(explain::ExplainArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
