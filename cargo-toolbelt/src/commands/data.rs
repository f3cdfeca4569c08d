use cargo_toolbelt::global::Format;
use cargo_toolbelt::ui::Ui;
use clap::Subcommand;
use toolbelt_core::ops::data;
use toolbelt_core::output;

use super::environment;

/// Fetch or show the data that answers rest on
#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Fetch advisories, and a list of names where the policy says from where
    Update,
    /// Show where each source is, how old it is, and whether it can be relied on
    Status,
}

pub(crate) fn run(command: &DataCommand, ui: &mut Ui) -> anyhow::Result<u8> {
    let environment = environment()?;
    let answer = match command {
        DataCommand::Update => {
            let progress = ui.progress();
            data::update(&environment, &|step| progress.show(step))?
        }
        DataCommand::Status => data::status(&environment)?,
    };
    match ui.format() {
        Format::Human => ui.write(|out| output::data::write(&answer, out))?,
        Format::Json | Format::Sarif | Format::Markdown => ui.report(&answer.report)?,
    }
    Ok(answer.report.verdict.exit_code())
}
