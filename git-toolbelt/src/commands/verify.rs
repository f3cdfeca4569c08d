use std::path::PathBuf;

use cargo_toolbelt::ui::Ui;
use clap::Args;
use toolbelt_core::ops::refs::Rewrites;
use toolbelt_core::ops::verify::{self, Request, Signatures};

use super::environment;

/// Check who vouches for the commits and tags of a range, and whether refs were rewritten
///
/// Keys are trusted by a file that is named with --allowed-signers, pinned in git's configuration as
/// `toolbelt.allowedSigners`, or part of the revision named with --base: never by what is itself verified. Without one the
/// answer is incomplete.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// A range such as main..topic, or a revision: all that it leads to
    #[arg(value_name = "RANGE | REVISION", default_value = "HEAD")]
    range: String,
    /// Trusted keys, in the format of ssh-keygen's ALLOWED SIGNERS
    #[arg(long, value_name = "FILE")]
    allowed_signers: Option<PathBuf>,
    /// Revision whose policy and trusted keys (`.toolbelt/allowed_signers`) count
    #[arg(long, value_name = "REVISION")]
    base: Option<String>,
    /// Policy to use in place of the base's toolbelt.toml
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Fail where a commit or tag is not signed, whatever the policy says
    #[arg(long)]
    signed: bool,
    /// Take refs that lost commits since they were last seen for right as they are now
    #[arg(long)]
    accept_rewritten: bool,
}

pub(crate) fn run(args: VerifyArgs, ui: &mut Ui) -> anyhow::Result<u8> {
    let request = Request {
        environment: environment()?,
        range: args.range,
        base: args.base,
        policy: args.policy,
        allowed_signers: args.allowed_signers,
        signatures: if args.signed { Signatures::Required } else { Signatures::ByPolicy },
        rewrites: if args.accept_rewritten { Rewrites::Accepted } else { Rewrites::Told },
    };
    let report = verify::run(&request)?;
    ui.report(&report)?;
    Ok(report.verdict.exit_code())
}
