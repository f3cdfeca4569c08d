use std::path::PathBuf;

use cargo_toolbelt::global::Format;
use cargo_toolbelt::ui::{Hinted, Ui};
use clap::{Args, Subcommand};
use toolbelt_core::ops::evidence::sign::Destination;
use toolbelt_core::ops::evidence::trust::Sources;
use toolbelt_core::ops::evidence::{Error, list, sign, verify};
use toolbelt_core::output::evidence as output;

use super::environment;

/// Sign statements about files, commits and digests, and verify those of others
#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceCommand {
    Sign(SignArgs),
    Verify(VerifyArgs),
    /// Show the statements in a file as they are written there: not verified
    Show {
        /// A file with an envelope on each line
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// List what is said about a commit, a file or a digest, or all notes of the repository: not verified
    List {
        /// A revision, a file or a digest
        #[arg(value_name = "SUBJECT")]
        subject: Option<String>,
    },
}

/// Sign a statement with the SSH key that git signs with
///
/// Without --output and --note the envelope is written to standard output.
#[derive(Debug, Args)]
pub(crate) struct SignArgs {
    /// What it is about: files, revisions, or digests (sha256:…, gitCommit:…, gitTree:…)
    #[arg(required = true, value_name = "SUBJECT")]
    subjects: Vec<String>,
    /// What kind of claim it is
    #[arg(long, value_name = "URI")]
    predicate_type: String,
    /// The claim, in JSON
    #[arg(long, value_name = "FILE")]
    predicate: PathBuf,
    /// Key to sign with, in place of git's user.signingkey
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Add the envelope to this file
    #[arg(long, value_name = "FILE", conflicts_with = "note")]
    output: Option<PathBuf>,
    /// Keep the envelope as a git note of each subject
    #[arg(long)]
    note: bool,
}

/// Verify what is said about a file, a commit or a digest
///
/// Exit codes: 0 somebody trusted has signed a statement, 1 nobody has or evidence is broken, 3 there is none or it could
/// not be checked.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// A file, a revision, or a digest (sha256:…, gitCommit:…, gitTree:…)
    #[arg(value_name = "SUBJECT")]
    subject: String,
    /// Files with evidence, in place of the one beside the file or the commit's notes
    #[arg(long, value_name = "FILE")]
    evidence: Vec<PathBuf>,
    /// OpenSSH list of whose signatures count, in place of the pinned one
    #[arg(long, value_name = "FILE")]
    allowed_signers: Option<PathBuf>,
    /// Trusted revision whose own list (in the folder .toolbelt) counts if none is named or pinned
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// Look at claims of this kind alone
    #[arg(long, value_name = "URI")]
    predicate_type: Option<String>,
}

pub(crate) fn run(command: EvidenceCommand, ui: &Ui) -> anyhow::Result<u8> {
    match command {
        EvidenceCommand::Sign(args) => sign(args, ui),
        EvidenceCommand::Verify(args) => verify(args, ui),
        EvidenceCommand::Show { file } => {
            let listing = list::of_file(&environment()?, &file).map_err(hinted)?;
            write_listing(&listing, true, ui)
        }
        EvidenceCommand::List { subject } => {
            let listing = list::of_repository(&environment()?, subject.as_deref()).map_err(hinted)?;
            write_listing(&listing, false, ui)
        }
    }
}

fn sign(args: SignArgs, ui: &Ui) -> anyhow::Result<u8> {
    let kept = match &args.output {
        Some(path) => Some(path.display().to_string()),
        None => args.note.then(|| "refs/notes/toolbelt".to_owned()),
    };
    let destination = match args.output {
        Some(path) => Destination::File(path),
        None if args.note => Destination::Notes,
        None => Destination::Returned,
    };
    let signed = sign::run(&sign::Request {
        environment: environment()?,
        subjects: args.subjects,
        predicate_type: args.predicate_type,
        predicate: args.predicate,
        key: args.key,
        destination,
    });
    let signed = signed.map_err(hinted)?;
    ui.write(|out| match ui.format() {
        Format::Json => output::write_signed_json(&signed, kept.as_deref(), out),
        Format::Human | Format::Markdown | Format::Sarif => output::write_signed(&signed, kept.as_deref(), out),
    })?;
    Ok(0)
}

fn verify(args: VerifyArgs, ui: &Ui) -> anyhow::Result<u8> {
    let answer = verify::run(&verify::Request {
        environment: environment()?,
        subject: args.subject,
        evidence: args.evidence,
        trust: Sources { named: args.allowed_signers, base: args.base },
        predicate_type: args.predicate_type,
    });
    let answer = answer.map_err(hinted)?;
    ui.write(|out| match ui.format() {
        Format::Json => output::write_json(&answer, out),
        Format::Human | Format::Markdown | Format::Sarif => output::write(&answer, out),
    })?;
    Ok(answer.verdict.exit_code())
}

fn write_listing(listing: &list::Listing, with_predicates: bool, ui: &Ui) -> anyhow::Result<u8> {
    ui.write(|out| match ui.format() {
        Format::Json => output::write_listing_json(listing, with_predicates, out),
        Format::Human | Format::Markdown | Format::Sarif => output::write_listing(listing, with_predicates, out),
    })?;
    Ok(0)
}

/// Adds what the reader can do, where that is known.
fn hinted(error: Error) -> anyhow::Error {
    match error.hint() {
        Some(hint) => Hinted { message: error.to_string(), hint: hint.to_owned() }.into(),
        None => error.into(),
    }
}
