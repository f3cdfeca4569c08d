use clap::{Args, CommandFactory as _};

use crate::cli::Cli;

/// Write completions for a shell to standard output
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: clap_complete::Shell,
}

#[expect(clippy::unnecessary_wraps, reason = "commands have one signature")]
pub(crate) fn run(args: &CompletionsArgs) -> anyhow::Result<u8> {
    clap_complete::generate(args.shell, &mut Cli::command(), "cargo-toolbelt", &mut std::io::stdout().lock());
    Ok(0)
}
