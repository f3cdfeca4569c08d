use std::io::Write as _;

use anyhow::{Context as _, bail};
use clap::Args;
use toolbelt_core::{output, rules};

/// Width of a terminal that does not say how wide it is.
const WIDTH: usize = 100;

/// Explain a rule: what it detects, why it matters, how to fix it and where it is wrong
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The rule's id; without one, all rules are listed
    rule: Option<String>,
}

pub(crate) fn run(args: &ExplainArgs) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let written = match args.rule.as_deref().map(|id| (id, rules::find(id))) {
        None => output::rules::write_table(&rules::all().collect::<Vec<_>>(), &mut out),
        Some((_, Some(rule))) => output::rules::write_explanation(rule, width(), &mut out),
        Some((id, None)) => bail!("unknown rule `{id}`\nhint: {}", rules::hint(id, "git toolbelt explain")),
    };
    written.and_then(|()| out.flush()).context("cannot write the explanation")
}

fn width() -> usize {
    terminal_size::terminal_size().map_or(WIDTH, |(width, _)| usize::from(width.0))
}
