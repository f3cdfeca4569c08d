use clap::{Args, CommandFactory as _};

use crate::cli::Cli;

/// Write completions for a shell to standard output
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: clap_complete::Shell,
}

pub(crate) fn run(args: &CompletionsArgs) {
    clap_complete::generate(args.shell, &mut Cli::command(), "git-toolbelt", &mut std::io::stdout().lock());
}
