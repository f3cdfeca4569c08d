//! Options that every command of both programs has.

use clap::{Args, ValueEnum};

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct Global {
    /// How to write the result
    #[arg(long, value_enum, default_value_t, global = true)]
    pub format: Format,
    /// Whether to use colour
    #[arg(long, value_enum, default_value_t, global = true, value_name = "WHEN")]
    pub color: When,
    /// Show everything in full, with the source of every finding
    #[arg(long, short, global = true)]
    pub verbose: bool,
    /// Show no progress
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// Formats of a result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal
    #[default]
    Human,
    /// The report as documented in docs/output.md
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// For comments and job summaries
    Markdown,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// When the output is a terminal that has colours
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
