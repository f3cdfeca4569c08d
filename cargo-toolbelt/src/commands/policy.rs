use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use cargo_toolbelt::ui::{Hinted, Ui};
use clap::Subcommand;
use toolbelt_core::ops::policy;
use toolbelt_core::output;
use toolbelt_core::policy::{FILE, TEMPLATE};
use toolbelt_core::source::repository;

use super::environment;

/// Write or check the policy
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Write a commented toolbelt.toml at the root of the repository
    Init,
    /// Check toolbelt.toml, and say what is taken from deny.toml and audit.toml
    Check {
        /// Policy to check in place of the repository's toolbelt.toml
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
    },
}

pub(crate) fn run(command: &PolicyCommand, ui: &Ui) -> anyhow::Result<u8> {
    let directory = environment()?.directory;
    let root = repository::root_of(&directory).unwrap_or(&directory);
    match command {
        PolicyCommand::Init => {
            let path = root.join(FILE);
            let mut file = match File::create_new(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    let hint = "`cargo toolbelt policy check` says what is in it".to_owned();
                    return Err(Hinted { message: format!("there is a `{FILE}` already"), hint }.into());
                }
                created => created.with_context(|| format!("cannot create `{}`", path.display()))?,
            };
            file.write_all(TEMPLATE.as_bytes()).with_context(|| format!("cannot write `{}`", path.display()))?;
            ui.write(|out| writeln!(out, "wrote {FILE}; `cargo toolbelt rules` lists what can be set"))?;
        }
        PolicyCommand::Check { policy } => {
            let loaded = policy::load(root, policy.as_deref())?;
            ui.write(|out| output::policy::write(&loaded, out))?;
        }
    }
    Ok(0)
}
