use cargo_toolbelt::explain;
use cargo_toolbelt::ui::Ui;
use clap::Args;

/// List the rules with their capability, severity, scope and threats
#[derive(Debug, Args)]
pub(crate) struct RulesArgs {}

pub(crate) fn run(_: &RulesArgs, ui: &Ui) -> anyhow::Result<u8> {
    explain::write_list(ui)
}
