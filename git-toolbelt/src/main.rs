//! `git toolbelt`: supply-chain checks where git users already work.

mod cli;
mod commands;

use std::process::ExitCode;

use clap::Parser as _;

/// toolbelt could not do its work: usage, configuration, input or output.
const COULD_NOT_WORK: u8 = 2;

fn main() -> ExitCode {
    match commands::run(cli::Cli::parse().command) {
        Ok(code) => ExitCode::from(code),
        Err(error) if is_broken_pipe(&error) => ExitCode::from(COULD_NOT_WORK),
        Err(error) => {
            anstream::eprintln!("error: {error:#}");
            ExitCode::from(COULD_NOT_WORK)
        }
    }
}

/// Whether the reader went away, as `head` does.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let is_it = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    };
    error.chain().any(is_it)
}
