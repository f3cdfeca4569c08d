//! One file per subcommand: its flags, its request, its call.

pub(crate) mod data;
pub(crate) mod deps;
pub(crate) mod evidence;
pub(crate) mod policy;
pub(crate) mod publish;
pub(crate) mod rules;
pub(crate) mod sbom;

use cargo_toolbelt::ui::Ui;
use cargo_toolbelt::{completions, explain, man};
use clap::CommandFactory as _;
use toolbelt_core::ops::Environment;

use crate::cli::{Cli, Command};

/// Runs a command and returns the exit code.
pub(crate) fn run(command: Command, ui: &mut Ui) -> anyhow::Result<u8> {
    match command {
        Command::Deps(args) => deps::run(*args, ui),
        Command::Publish(args) => publish::run(*args, ui),
        Command::Sbom(args) => sbom::run(*args, ui),
        Command::Evidence(command) => evidence::run(command, ui),
        Command::Rules(args) => rules::run(&args, ui),
        Command::Explain(args) => explain::run(&args, "cargo toolbelt rules", ui),
        Command::Policy(command) => policy::run(&command, ui),
        Command::Data(command) => data::run(&command, ui),
        Command::Completions(args) => completions::run(&args, Cli::command(), ui),
        Command::Man(args) => man::run(&args, Cli::command(), ui),
    }
}

/// What core may know of the world.
fn environment() -> anyhow::Result<Environment> {
    cargo_toolbelt::environment::environment(concat!("cargo-toolbelt ", env!("CARGO_PKG_VERSION")))
}
