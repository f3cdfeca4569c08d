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
        Err(error) => {
            anstream::eprintln!("error: {error:#}");
            ExitCode::from(COULD_NOT_WORK)
        }
    }
}
