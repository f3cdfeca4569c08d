//! The command line.

use std::ffi::OsString;

use cargo_toolbelt::global::Global;
use cargo_toolbelt::{completions, explain, man};
use clap::{Parser, Subcommand};

use crate::commands::{data, deps, evidence, policy, publish, rules, sbom};

/// Supply-chain checks where cargo users already work
///
/// Exit codes: 0 pass, 1 fail, 2 toolbelt could not do its work, 3 incomplete (something that the policy denies could
/// not be checked).
#[derive(Debug, Parser)]
#[command(
    name = "cargo-toolbelt",
    bin_name = "cargo toolbelt",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Deps(Box<deps::DepsArgs>),
    Publish(Box<publish::PublishArgs>),
    Sbom(Box<sbom::SbomArgs>),
    #[command(subcommand)]
    Evidence(evidence::EvidenceCommand),
    Rules(rules::RulesArgs),
    Explain(explain::ExplainArgs),
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    #[command(subcommand)]
    Data(data::DataCommand),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// The arguments without the word that cargo puts in front of them.
///
/// `cargo toolbelt deps` runs `cargo-toolbelt toolbelt deps`.
pub(crate) fn arguments(given: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    given.enumerate().filter(|(index, word)| *index != 1 || word != "toolbelt").map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_word_that_cargo_adds_is_left_out_once() {
        let words = |given: &[&str]| arguments(given.iter().map(OsString::from)).collect::<Vec<_>>();
        assert_eq!(words(&["cargo-toolbelt", "toolbelt", "deps"]), ["cargo-toolbelt", "deps"]);
        assert_eq!(words(&["cargo-toolbelt", "deps", "toolbelt"]), ["cargo-toolbelt", "deps", "toolbelt"]);
        assert_eq!(words(&["cargo-toolbelt"]), ["cargo-toolbelt"]);
    }
}
