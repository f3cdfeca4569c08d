//! `git toolbelt`: supply-chain checks where git users already work.

mod cli;
mod commands;

use std::process::ExitCode;

use cargo_toolbelt::ui;
use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    ui::run(&cli.global, |ui| commands::run(cli.command, ui))
}
