//! `cargo toolbelt`: supply-chain checks where cargo users already work.

mod cli;
mod commands;

use std::process::ExitCode;

use cargo_toolbelt::ui;
use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse_from(cli::arguments(std::env::args_os()));
    ui::run(&cli.global, |ui| commands::run(cli.command, ui))
}
