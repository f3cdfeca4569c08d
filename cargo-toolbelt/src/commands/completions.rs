use clap::{Args, CommandFactory as _};

use crate::cli::Cli;
use crate::ui::Ui;

/// Write completions for a shell to standard output
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: clap_complete::Shell,
}

pub(crate) fn run(args: &CompletionsArgs, ui: &Ui) -> anyhow::Result<u8> {
    // The generator panics where it cannot write, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "cargo-toolbelt", &mut script);
    ui.write(|out| out.write_all(&script))?;
    Ok(0)
}
