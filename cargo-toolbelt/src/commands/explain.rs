use clap::Args;
use toolbelt_core::output;
use toolbelt_core::rules;

use crate::ui::{Hinted, Ui};

/// Explain a rule: what it detects, why it matters, how to fix it and where it is wrong
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The rule's id; without one, all rules are listed
    rule: Option<String>,
}

pub(crate) fn run(args: &ExplainArgs, ui: &Ui) -> anyhow::Result<u8> {
    let Some(id) = &args.rule else { return super::rules::run(&super::rules::RulesArgs {}, ui) };
    let Some(rule) = rules::find(id) else {
        let hint = rules::hint(id, "cargo toolbelt rules");
        return Err(Hinted { message: format!("unknown rule `{id}`"), hint }.into());
    };
    ui.write(|out| output::rules::write_explanation(rule, ui.style().width, out))?;
    Ok(0)
}
