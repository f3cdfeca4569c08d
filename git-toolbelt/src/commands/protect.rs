use cargo_toolbelt::global::Format;
use cargo_toolbelt::ui::{Hinted, Ui};
use clap::{Args, Subcommand};
use toolbelt_core::ops::protect::{self, Mode, Side};
use toolbelt_core::output::protect as output;
use toolbelt_core::source::git;
use toolbelt_core::source::hooks::Error;

use super::environment;

/// A hook that is not installed, or does not fire.
const NOT_WELL: u8 = 1;

/// Check what is committed and pushed, from git's own hooks
#[derive(Debug, Subcommand)]
pub(crate) enum ProtectCommand {
    /// Put hooks in, beside those that are there: nothing is overwritten
    Install(InstallArgs),
    /// Say which hooks are installed, how, and who else is there
    Status,
    /// Prove that the hooks fire, with something that they have to see, without running the hooks of others
    Doctor,
    /// Take the hooks out, and give back what was there
    Uninstall(UninstallArgs),
}

#[derive(Debug, Args)]
pub(crate) struct InstallArgs {
    /// The hook of a server, pre-receive, in place of those of somebody who commits
    #[arg(long)]
    server: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct UninstallArgs {
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(command: &ProtectCommand, ui: &Ui) -> anyhow::Result<u8> {
    let environment = environment()?;
    let is_json = matches!(ui.format(), Format::Json | Format::Sarif);
    let mode = |dry_run: bool| if dry_run { Mode::Say } else { Mode::Do };
    match command {
        ProtectCommand::Install(InstallArgs { server, dry_run }) => {
            let side = if *server { Side::Server } else { Side::Client };
            let installed = protect::install(&environment, side, mode(*dry_run)).map_err(hinted)?;
            let write = if is_json { output::write_installed_json } else { output::write_installed };
            ui.write(|out| write(&installed, out))?;
        }
        ProtectCommand::Status => {
            let status = protect::status(&environment).map_err(hinted)?;
            let write = if is_json { output::write_status_json } else { output::write_status };
            ui.write(|out| write(&status, out))?;
        }
        ProtectCommand::Doctor => {
            let examined = protect::doctor(&environment).map_err(hinted)?;
            let write = if is_json { output::write_examined_json } else { output::write_examined };
            ui.write(|out| write(&examined, out))?;
            return Ok(if examined.is_well() { 0 } else { NOT_WELL });
        }
        ProtectCommand::Uninstall(UninstallArgs { dry_run }) => {
            let uninstalled = protect::uninstall(&environment, mode(*dry_run)).map_err(hinted)?;
            let write = if is_json { output::write_uninstalled_json } else { output::write_uninstalled };
            ui.write(|out| write(&uninstalled, out))?;
        }
    }
    Ok(0)
}

/// Adds what the reader can do, where that is known.
fn hinted(error: Error) -> anyhow::Error {
    let hint = match &error {
        Error::Bare { .. } => {
            "`git toolbelt protect install --server` installs pre-receive, which looks at pushes".to_owned()
        }
        Error::SwitchedOff { .. } => "take that line out, or let it name a folder, and install again".to_owned(),
        Error::Locked { path } => format!("if no git is running, remove it: rm '{}'", path.display()),
        Error::Repository(git::Error::NotOwned { directory }) => {
            format!("git config --global --add safe.directory '{}'", directory.display())
        }
        _ => return error.into(),
    };
    Hinted { message: error.to_string(), hint }.into()
}
