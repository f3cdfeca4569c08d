use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};

use crate::cli::Cli;

/// Write the manual page, or install the pages of all commands into a folder
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Folder of section 1, such as ~/.local/share/man/man1
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

pub(crate) fn run(args: &ManArgs) -> anyhow::Result<()> {
    let command = Cli::command();
    match &args.directory {
        None => clap_mangen::Man::new(command).render(&mut std::io::stdout().lock()).context("cannot write the page"),
        Some(directory) => install(command, directory),
    }
}

fn install(command: clap::Command, directory: &Path) -> anyhow::Result<()> {
    let context = || format!("cannot write manual pages to `{}`", directory.display());
    std::fs::create_dir_all(directory).with_context(context)?;
    clap_mangen::generate_to(command, directory).with_context(context)
}
