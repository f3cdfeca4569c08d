use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};

use crate::cli::Cli;
use crate::ui::Ui;

/// Write the manual page, or install the pages of all commands into a folder
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Folder of section 1, such as ~/.local/share/man/man1
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

pub(crate) fn run(args: &ManArgs, ui: &Ui) -> anyhow::Result<u8> {
    let command = Cli::command();
    match &args.directory {
        None => ui.write(|out| clap_mangen::Man::new(command).render(out))?,
        Some(directory) => install(command, directory)?,
    }
    Ok(0)
}

fn install(command: clap::Command, directory: &Path) -> anyhow::Result<()> {
    let context = || format!("cannot write manual pages to `{}`", directory.display());
    std::fs::create_dir_all(directory).with_context(context)?;
    clap_mangen::generate_to(command, directory).with_context(context)
}
