use clap::Args;
use toolbelt_core::output;

use crate::cli::Format;
use crate::ui::Ui;

/// List the rules with their capability, severity, scope and threats
#[derive(Debug, Args)]
pub(crate) struct RulesArgs {}

pub(crate) fn run(_: &RulesArgs, ui: &Ui) -> anyhow::Result<u8> {
    let rules = toolbelt_core::rules::all().collect::<Vec<_>>();
    ui.write(|out| match ui.format() {
        Format::Human => output::rules::write_table(&rules, out),
        Format::Markdown => output::rules::write_index(&rules, out),
        Format::Json | Format::Sarif => output::rules::write_json(&rules, out),
    })?;
    Ok(0)
}
