use std::io::Write as _;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};

use crate::cli::Cli;

/// Write completions for a shell to standard output
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: clap_complete::Shell,
}

pub(crate) fn run(args: &CompletionsArgs) -> anyhow::Result<()> {
    // The generator panics where it cannot write, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "git-toolbelt", &mut script);
    std::io::stdout().lock().write_all(&script).context("cannot write the completions")
}
