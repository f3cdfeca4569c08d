//! One file per subcommand: its flags, its request, its call.

pub(crate) mod hook;
pub(crate) mod identity;
pub(crate) mod protect;
pub(crate) mod scan;
pub(crate) mod verify;

use cargo_toolbelt::ui::Ui;
use cargo_toolbelt::{completions, explain, man};
use clap::CommandFactory as _;
use toolbelt_core::ops::Environment;

use crate::cli::{Cli, Command};

/// Runs a command and returns the exit code.
pub(crate) fn run(command: Command, ui: &mut Ui) -> anyhow::Result<u8> {
    match command {
        Command::Scan(args) => scan::run(*args, ui),
        Command::Verify(args) => verify::run(args, ui),
        Command::Identity(args) => identity::run(args, ui),
        Command::Protect(command) => protect::run(&command, ui),
        Command::Hook(args) => hook::run(&args, ui),
        Command::Explain(args) => explain::run(&args, "git toolbelt explain", ui),
        Command::Completions(args) => completions::run(&args, Cli::command(), ui),
        Command::Man(args) => man::run(&args, Cli::command(), ui),
    }
}

/// What core may know of the world.
fn environment() -> anyhow::Result<Environment> {
    cargo_toolbelt::environment::environment(concat!("git-toolbelt ", env!("CARGO_PKG_VERSION")))
}
