use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use cargo_toolbelt::attest::{AttestArgs, attest};
use cargo_toolbelt::global::Format;
use cargo_toolbelt::ui::{Hinted, Ui};
use clap::{Args, Subcommand};
use toolbelt_core::ops::deps::{self, Lockfiles, Request};
use toolbelt_core::ops::{names, why};
use toolbelt_core::output;
use toolbelt_core::source::repository;

use super::environment;

/// The most that is read from standard input: every name of the registry, twice.
const MAX_NAMES: u64 = 4 << 20;

/// Check what the lock files of the repository name: are these dependencies what they claim to be?
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct DepsArgs {
    #[command(subcommand)]
    command: Option<DepsCommand>,
    #[command(flatten)]
    look: LookArgs,
    #[command(flatten)]
    attest: AttestArgs,
}

/// What to look at.
#[derive(Debug, Args)]
pub(crate) struct LookArgs {
    /// Look at the repository around this Cargo.toml
    #[arg(long, value_name = "PATH", conflicts_with = "lockfile")]
    manifest_path: Option<PathBuf>,
    /// Look at these lock files alone
    #[arg(long, value_name = "FILE", num_args = 1..)]
    lockfile: Vec<PathBuf>,
    /// Never touch the network; facts that need it are reported as not checked
    #[arg(long)]
    offline: bool,
    /// Open every .crate, and download those that cargo has not: licences, and source against archive
    #[arg(long)]
    deep: bool,
    /// Advisory databases to use: a RustSec folder, an OSV folder, .json or .zip
    #[arg(long, value_name = "DIR")]
    advisory_db: Vec<PathBuf>,
    /// List of established names to use: name, rank and repository, separated by tabs
    #[arg(long, value_name = "FILE")]
    names: Option<PathBuf>,
    /// Policy to use in place of the repository's toolbelt.toml
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum DepsCommand {
    /// Check names before they are added: does one resemble an established crate?
    Names {
        /// Names to check; - reads them from standard input, one per line
        #[arg(required = true, value_name = "NAME")]
        name: Vec<String>,
        /// List of established names to use: name, rank and repository, separated by tabs
        #[arg(long, value_name = "FILE")]
        names: Option<PathBuf>,
    },
    /// Show how a package got in: every shortest way from a workspace member
    Why {
        /// A package, NAME or NAME@VERSION
        #[arg(value_name = "NAME")]
        package: String,
        #[command(flatten)]
        look: LookArgs,
    },
}

pub(crate) fn run(args: DepsArgs, ui: &mut Ui) -> anyhow::Result<u8> {
    match args.command {
        None => check(args.look, args.attest, ui),
        Some(DepsCommand::Names { name, names }) => check_names(name, names, ui),
        Some(DepsCommand::Why { package, look }) => explain_presence(&package, look, ui),
    }
}

fn check(look: LookArgs, signing: AttestArgs, ui: &mut Ui) -> anyhow::Result<u8> {
    let request = request(look)?;
    if signing.attest && request.lockfiles != Lockfiles::OfRepository(request.environment.directory.clone()) {
        bail!("`--attest` is for the repository in the working directory as a whole");
    }
    let report = {
        let progress = ui.progress();
        deps::run(&request, &|step| progress.show(step)).map_err(hinted)?
    };
    ui.report(&report)?;
    attest(signing, &request.environment, &report, ui)?;
    Ok(report.verdict.exit_code())
}

/// Adds what the reader can do, where that is known.
fn hinted(error: deps::Error) -> anyhow::Error {
    match &error {
        deps::Error::Repository(repository::Error::NoLockfile { .. }) => {
            let hint = "`cargo generate-lockfile` writes one; `--lockfile FILE` looks at one elsewhere".to_owned();
            Hinted { message: error.to_string(), hint }.into()
        }
        _ => error.into(),
    }
}

fn check_names(asked: Vec<String>, names: Option<PathBuf>, ui: &mut Ui) -> anyhow::Result<u8> {
    let mut all = Vec::new();
    for name in asked {
        if name == "-" {
            let mut text = String::new();
            let mut input = std::io::stdin().lock().take(MAX_NAMES + 1);
            input.read_to_string(&mut text).context("cannot read names from standard input")?;
            if text.len() as u64 > MAX_NAMES {
                bail!("standard input is longer than {MAX_NAMES} bytes, expected names");
            }
            all.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
        } else {
            all.push(name);
        }
    }
    let report = names::run(&names::Request { environment: environment()?, asked: all, names })?;
    ui.report(&report)?;
    Ok(report.verdict.exit_code())
}

fn explain_presence(package: &str, look: LookArgs, ui: &Ui) -> anyhow::Result<u8> {
    let answer = why::run(&request(look)?, package).map_err(hinted)?;
    ui.write(|out| match ui.format() {
        Format::Json => output::why::write_json(&answer, out),
        Format::Human | Format::Markdown | Format::Sarif => output::why::write(&answer, out),
    })?;
    Ok(0)
}

fn request(look: LookArgs) -> anyhow::Result<Request> {
    let environment = environment()?;
    let directory = &environment.directory;
    let lockfiles = match &look.manifest_path {
        Some(path) => Lockfiles::OfRepository(folder_of_manifest(directory, path)?),
        None if look.lockfile.is_empty() => Lockfiles::OfRepository(directory.clone()),
        None => Lockfiles::Named(look.lockfile.iter().map(|path| resolved(directory, path)).collect()),
    };
    Ok(Request {
        lockfiles,
        offline: look.offline,
        deep: look.deep,
        advisory_db: look.advisory_db,
        names: look.names,
        policy: look.policy,
        environment,
    })
}

/// The folder of a manifest that has to be there.
fn folder_of_manifest(directory: &Path, path: &Path) -> anyhow::Result<PathBuf> {
    let manifest = resolved(directory, path);
    match manifest.parent() {
        Some(folder) if manifest.is_file() => Ok(folder.to_owned()),
        _ => {
            let message = format!("there is no file `{}`", path.display());
            let hint = "`--manifest-path` takes the path of a Cargo.toml".to_owned();
            Err(Hinted { message, hint }.into())
        }
    }
}

/// A path from the root on whose folder is where it really is: `..` and links are resolved. The file itself may be a
/// link, as what belongs to it lies beside the link.
fn resolved(directory: &Path, path: &Path) -> PathBuf {
    let path = directory.join(path);
    match (path.parent().map(std::fs::canonicalize), path.file_name()) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_their_dots_and_manifests_have_to_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(folder.path()).unwrap();
        let (a, b) = (root.join("a"), root.join("b"));
        std::fs::create_dir(&a).unwrap();
        std::fs::create_dir(&b).unwrap();
        std::fs::write(b.join("Cargo.toml"), "").unwrap();
        assert_eq!(resolved(&a, Path::new("../b/./Cargo.lock")), b.join("Cargo.lock"));
        assert_eq!(folder_of_manifest(&a, Path::new("../b/Cargo.toml")).unwrap(), b);
        assert_eq!(folder_of_manifest(&b, Path::new("Cargo.toml")).unwrap(), b);
        for path in ["./nonexistent.toml", "../b", "..", "../c/Cargo.toml"] {
            let error = folder_of_manifest(&a, Path::new(path)).unwrap_err();
            assert_eq!(error.to_string(), format!("there is no file `{path}`"));
        }
    }
}
