//! `cargo toolbelt`: supply-chain checks where cargo users already work.

mod cli;
mod commands;

use std::process::ExitCode;

use cargo_toolbelt::ui;
use clap::Parser as _;
use toolbelt_core::source::registry::gate;

/// What cargo calls a credential provider with.
const PROVIDER: &str = "--cargo-plugin";

fn main() -> ExitCode {
    if std::env::args_os().skip(1).eq([PROVIDER]) {
        // Cargo is about to upload what `publish` handed to it: it gets a token for these bytes alone.
        let stood = gate::stand(&mut std::io::stdin().lock(), &mut std::io::stdout().lock());
        return if stood.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let cli = cli::Cli::parse_from(cli::arguments(std::env::args_os()));
    ui::run(&cli.global, |ui| commands::run(cli.command, ui))
}
