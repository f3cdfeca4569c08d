//! One file per subcommand: its flags, its request, its call.

pub(crate) mod completions;
pub(crate) mod explain;
pub(crate) mod man;

use crate::cli::Command;

/// Runs a command and returns the exit code.
pub(crate) fn run(command: Command) -> anyhow::Result<u8> {
    match command {
        Command::Explain(args) => explain::run(&args)?,
        Command::Completions(args) => completions::run(&args)?,
        Command::Man(args) => man::run(&args)?,
    }
    Ok(0)
}
