//! `man`: manual pages.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use crate::ui::Ui;

/// Write the manual page, or install the pages of all commands into a folder
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Folder of section 1, such as ~/.local/share/man/man1
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

/// Writes the page of this command line, or installs those of all its commands.
///
/// # Errors
///
/// If a page cannot be written.
pub fn run(args: &ManArgs, command: clap::Command, ui: &Ui) -> anyhow::Result<u8> {
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
