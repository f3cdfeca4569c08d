//! `cargo toolbelt`: supply-chain checks where cargo users already work.

mod cli;
mod commands;
mod environment;
mod progress;
mod ui;

use std::process::ExitCode;

use clap::Parser as _;
use ui::Ui;

/// toolbelt could not do its work: usage, configuration, input or output.
const COULD_NOT_WORK: u8 = 2;

fn main() -> ExitCode {
    let cli = cli::Cli::parse_from(cli::arguments(std::env::args_os()));
    let mut ui = Ui::new(&cli.global);
    match commands::run(cli.command, &mut ui) {
        Ok(code) => ExitCode::from(code),
        Err(error) if ui::is_broken_pipe(&error) => ExitCode::from(COULD_NOT_WORK),
        Err(error) => {
            ui.error(&error);
            ExitCode::from(COULD_NOT_WORK)
        }
    }
}
