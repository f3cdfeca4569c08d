use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use cargo_toolbelt::global::Format;
use cargo_toolbelt::ui::{Hinted, Ui};
use clap::{Args, Subcommand};
use toolbelt_core::ops::evidence::trust::Sources;
use toolbelt_core::ops::publish::approve::{self, Rebuild};
use toolbelt_core::ops::publish::{self, Build, Packages, Request};
use toolbelt_core::output;
use toolbelt_core::subject::digest::Sha256Digest;

use super::environment;

/// Seconds. crates.io takes a few as a rule, and minutes when it is busy.
const INDEX_WAIT: u32 = 300;

/// Publish what was reviewed: package once, judge, sign, upload these very bytes, read them back
///
/// Nothing is uploaded unless the verdict is pass. `--dry-run` does everything up to the upload; on a commit without a
/// release tag it is a rehearsal, in which what only matters on the day of the release warns.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct PublishArgs {
    #[command(subcommand)]
    command: Option<PublishCommand>,
    #[command(flatten)]
    what: WhatArgs,
    /// Do everything but upload
    #[arg(long)]
    dry_run: bool,
    /// How many people other than the author have to have approved the very bytes
    #[arg(long, value_name = "N")]
    approvals: Option<u32>,
    /// Judge and publish this .crate in place of packaging one
    #[arg(long = "crate", value_name = "FILE", conflicts_with = "workspace")]
    crate_file: Option<PathBuf>,
    /// Do not build what was packaged
    #[arg(long)]
    no_verify: bool,
    /// How long to wait for the registry's index to list what was uploaded
    #[arg(long, value_name = "SECONDS", default_value_t = INDEX_WAIT)]
    index_wait: u32,
    /// Publish without signed evidence
    #[arg(long)]
    unsigned: bool,
    #[command(flatten)]
    trust: TrustArgs,
    /// Advisory databases to use: a RustSec folder, an OSV folder, .json or .zip
    #[arg(long, value_name = "DIR")]
    advisory_db: Vec<PathBuf>,
    /// Policy to use in place of the repository's toolbelt.toml
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

/// What to publish, and where.
#[derive(Debug, Args)]
struct WhatArgs {
    /// Package to publish; may be given several times
    #[arg(long, short, value_name = "NAME", conflicts_with = "workspace")]
    package: Vec<String>,
    /// Publish every package of the workspace that may be published
    #[arg(long)]
    workspace: bool,
    /// Look at the workspace of this Cargo.toml
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<PathBuf>,
    /// Registry to publish to, by its name in cargo's configuration
    #[arg(long, value_name = "NAME")]
    registry: Option<String>,
    /// Never touch the network; facts that need it are reported as not checked
    #[arg(long)]
    offline: bool,
    /// Private key to sign with, in place of the one that git signs with
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// Whose signatures count.
#[derive(Debug, Args)]
struct TrustArgs {
    /// Keys that are trusted, in the format of ssh-keygen's allowed signers
    #[arg(long, value_name = "FILE")]
    allowed_signers: Option<PathBuf>,
    /// Revision whose `.toolbelt/allowed_signers` counts, in place of the previous release's
    #[arg(long, value_name = "REVISION", conflicts_with = "allowed_signers")]
    base: Option<String>,
}

#[derive(Debug, Subcommand)]
enum PublishCommand {
    /// Approve the .crate with this digest: packages the commit, and signs if the bytes are the same
    Approve {
        /// SHA-256 of the .crate, as `publish --dry-run` prints it
        #[arg(value_name = "DIGEST")]
        digest: String,
        /// Why, in a few words
        #[arg(long, short, value_name = "TEXT")]
        message: Option<String>,
        /// Approve a .crate that was reviewed elsewhere, without packaging the commit
        #[arg(long)]
        no_rebuild: bool,
        /// Write the approval to this file in place of a note on the commit
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        #[command(flatten)]
        what: WhatArgs,
    },
}

pub(crate) fn run(args: PublishArgs, ui: &mut Ui) -> anyhow::Result<u8> {
    match args.command {
        Some(PublishCommand::Approve { digest, message, no_rebuild, output, what }) => {
            let digits = digest.strip_prefix("sha256:").unwrap_or(&digest);
            let request = approve::Request {
                digest: Sha256Digest::parse(digits).context("expected a SHA-256, 64 hexadecimal digits")?,
                message,
                rebuild: if no_rebuild { Rebuild::Skipped } else { Rebuild::Required },
                output,
                publish: what.request()?,
            };
            approve(&request, ui)
        }
        None => publish(args, ui),
    }
}

fn publish(args: PublishArgs, ui: &mut Ui) -> anyhow::Result<u8> {
    let request = Request {
        dry_run: args.dry_run,
        approvals: args.approvals,
        crate_file: args.crate_file,
        build: if args.no_verify { Build::Skipped } else { Build::Verified },
        index_wait: Duration::from_secs(args.index_wait.into()),
        unsigned: args.unsigned,
        trust: Sources { named: args.trust.allowed_signers, base: args.trust.base },
        advisory_db: args.advisory_db,
        policy: args.policy,
        gate: std::env::current_exe().ok(),
        ..args.what.request()?
    };
    let answer = {
        let progress = ui.progress();
        publish::run(&request, &|step| progress.show(step)).map_err(hinted)?
    };
    match ui.format() {
        Format::Human => {
            ui.report(&answer.report)?;
            ui.write(|out| output::publish::write(&answer, out))?;
        }
        Format::Json => ui.write(|out| output::publish::write_json(&answer, out))?,
        Format::Sarif | Format::Markdown => ui.report(&answer.report)?,
    }
    Ok(answer.exit_code())
}

fn approve(request: &approve::Request, ui: &Ui) -> anyhow::Result<u8> {
    let approved = approve::run(request).map_err(|error| match error.hint() {
        Some(hint) => Hinted { message: format!("{:#}", anyhow::Error::from(error)), hint: hint.to_owned() }.into(),
        None => anyhow::Error::from(error),
    })?;
    ui.write(|out| output::publish::write_approved(&approved, out))?;
    Ok(0)
}

/// Adds what the reader can do, where that is known.
fn hinted(error: publish::Error) -> anyhow::Error {
    match error.hint() {
        Some(hint) => {
            let hint = hint.to_owned();
            Hinted { message: format!("{:#}", anyhow::Error::from(error)), hint }.into()
        }
        None => error.into(),
    }
}

impl WhatArgs {
    fn request(self) -> anyhow::Result<Request> {
        let packages = match (self.workspace, self.package.is_empty()) {
            (true, _) => Packages::Workspace,
            (false, true) => Packages::Meant,
            (false, false) => Packages::Named(self.package),
        };
        Ok(Request {
            environment: environment()?,
            manifest_path: self.manifest_path,
            packages,
            registry: self.registry,
            dry_run: true,
            offline: self.offline,
            approvals: None,
            crate_file: None,
            build: Build::Skipped,
            index_wait: Duration::ZERO,
            unsigned: false,
            key: self.key,
            trust: Sources::default(),
            advisory_db: Vec::new(),
            policy: None,
            gate: None,
        })
    }
}
