//! `completions`: scripts for shells.

use clap::Args;

use crate::ui::Ui;

/// Write completions for a shell to standard output
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    shell: clap_complete::Shell,
}

/// Writes the script for a shell that completes this command line.
///
/// # Errors
///
/// If it cannot be written.
pub fn run(args: &CompletionsArgs, mut command: clap::Command, ui: &Ui) -> anyhow::Result<u8> {
    // The generator panics where it cannot write, so it writes to memory.
    let mut script = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    ui.write(|out| out.write_all(&script))?;
    Ok(0)
}
