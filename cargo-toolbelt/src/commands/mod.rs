//! One file per subcommand: its flags, its request, its call.

pub(crate) mod completions;
pub(crate) mod data;
pub(crate) mod deps;
pub(crate) mod explain;
pub(crate) mod man;
pub(crate) mod policy;
pub(crate) mod rules;

use crate::cli::Command;
use crate::ui::Ui;

/// Runs a command and returns the exit code.
pub(crate) fn run(command: Command, ui: &mut Ui) -> anyhow::Result<u8> {
    match command {
        Command::Deps(args) => deps::run(*args, ui),
        Command::Rules(args) => rules::run(&args, ui),
        Command::Explain(args) => explain::run(&args, ui),
        Command::Policy(command) => policy::run(&command, ui),
        Command::Data(command) => data::run(&command, ui),
        Command::Completions(args) => completions::run(&args, ui),
        Command::Man(args) => man::run(&args, ui),
    }
}
