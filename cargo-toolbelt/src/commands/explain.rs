use anyhow::bail;
use clap::Args;
use toolbelt_core::output;
use toolbelt_core::rules;

use crate::ui::Ui;

/// Explain a rule: what it detects, why it matters, how to fix it and where it is wrong
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The rule's id; without one, all rules are listed
    rule: Option<String>,
}

pub(crate) fn run(args: &ExplainArgs, ui: &Ui) -> anyhow::Result<u8> {
    let Some(id) = &args.rule else { return super::rules::run(&super::rules::RulesArgs {}, ui) };
    let Some(rule) = rules::find(id) else {
        match rules::nearest(id) {
            Some(rule) => bail!("unknown rule `{id}`; did you mean `{}`?", rule.id),
            None => bail!("unknown rule `{id}`; `cargo toolbelt rules` lists them"),
        }
    };
    ui.write(|out| output::rules::write_explanation(rule, ui.style().width, out))?;
    Ok(0)
}
