//! `explain`: the page of a rule.

use clap::Args;
use toolbelt_core::output;
use toolbelt_core::rules;

use crate::global::Format;
use crate::ui::{Hinted, Ui};

/// Explain a rule: what it detects, why it matters, how to fix it and where it is wrong
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The rule's id; without one, all rules are listed
    rule: Option<String>,
}

/// Writes the page of one rule, or the list of all; `list` is the command that lists them.
///
/// # Errors
///
/// If there is no such rule, or the page cannot be written.
pub fn run(args: &ExplainArgs, list: &str, ui: &Ui) -> anyhow::Result<u8> {
    let Some(id) = &args.rule else { return write_list(ui) };
    let Some(rule) = rules::find(id) else {
        let hint = rules::hint(id, list);
        return Err(Hinted { message: format!("unknown rule `{id}`"), hint }.into());
    };
    ui.write(|out| output::rules::write_explanation(rule, ui.style().width, out))?;
    Ok(0)
}

/// Writes the list of all rules.
///
/// # Errors
///
/// If it cannot be written.
pub fn write_list(ui: &Ui) -> anyhow::Result<u8> {
    let rules = rules::all().collect::<Vec<_>>();
    ui.write(|out| match ui.format() {
        Format::Human => output::rules::write_table(&rules, out),
        Format::Markdown => output::rules::write_index(&rules, out),
        Format::Json | Format::Sarif => output::rules::write_json(&rules, out),
    })?;
    Ok(0)
}
