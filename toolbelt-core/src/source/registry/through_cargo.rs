//! Uploads through cargo, where only cargo can get the token.
//!
//! Cargo cannot upload a prepared `.crate`: it packages anew. That the result is what was approved is proven before
//! anything is sent, twice. First by packaging into a scratch folder and comparing digests. Then by a credential provider
//! of ours that stands before the user's own ([`super::gate`]): cargo tells it the digest of what it is about to upload, so
//! that a file which changed meanwhile cannot get past it. Cargo asks global providers alone in a row. For a registry with
//! a provider of its own, and for one that wants a login for reading, the first proof has to do ([`Proof`]).

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::super::cargo_config::Login;
use super::super::file;
use super::clean_environment::clean_environment;
use super::provider::Publish;
use crate::source::program::{self, Program};
use crate::subject::digest::Sha256Digest;

/// How long packaging may take; it may have to download index entries.
const PACKAGE_LIMIT: Duration = Duration::from_mins(5);
/// Largest `.crate`.
const MAX_CRATE: u64 = 64 << 20;
/// The name by which cargo is told of the provider.
const ALIAS: &str = "toolbelt-gate";

/// What is needed to have cargo publish.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The cargo program.
    pub cargo: &'a str,
    /// The workspace; `.crate` files come from what it holds now.
    pub directory: &'a Path,
    /// The variables of the run, credentials included: cargo needs what its own providers need.
    pub variables: &'a BTreeMap<String, String>,
    /// An empty folder that cargo may fill.
    pub scratch: &'a Path,
    /// `crates-io`, or the name in `[registries]`.
    pub registry: &'a str,
    /// What was approved.
    pub publish: Publish<'a>,
    /// How cargo would log in.
    pub login: &'a Login,
    /// Whether the registry wants a login for reading.
    pub is_auth_required: bool,
    /// A program that runs [`super::gate::stand`] when it is called with `--cargo-plugin`.
    pub gate: Option<&'a Path>,
    /// How long uploading may take, cargo's waiting for the index included.
    pub limit: Duration,
}

/// How it was proven that cargo uploads the approved bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Cargo told the gate the digest just before it asked for the token.
    Gate,
    /// Cargo packaged the same bytes just before; files could have changed in between.
    PackagedBefore,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Cargo says that it uploaded; what the registry has is still to be read back.
    Uploaded(Proof),
    /// Cargo failed, or did not end in time: ask the index.
    Unknown {
        /// What had been proven.
        proof: Proof,
        /// The end of what cargo said.
        reason: String,
    },
}

/// Why cargo was not asked to publish. Nothing was sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Cargo cannot be started, or took too long.
    #[error(transparent)]
    Program(#[from] program::Error),
    /// Cargo could not package.
    #[error("`cargo package` failed: {0}")]
    Package(String),
    /// What cargo packaged cannot be read.
    #[error(transparent)]
    Archive(#[from] file::Error),
    /// Cargo would upload something else.
    #[error("cargo would upload `{name}` with the digest {packaged}, and {approved} was approved")]
    Different {
        /// The package.
        name: String,
        /// What cargo made.
        packaged: Sha256Digest,
        /// What was approved.
        approved: Sha256Digest,
    },
    /// The gate's path cannot be told to cargo.
    #[error("`{0}` is not a path that can be told to cargo")]
    Gate(String),
}

/// Proves that cargo makes the approved bytes, and has it upload them.
///
/// # Errors
///
/// [`Error`], if nothing was uploaded because the proof failed.
pub fn publish(request: &Request<'_>) -> Result<Outcome, Error> {
    prove(request)?;
    let mut arguments = arguments("publish", request);
    let gate = request.gate.filter(|_| !request.login.is_own && !request.is_auth_required);
    let proof = match gate {
        Some(gate) => {
            arguments.extend(gate_configuration(gate, request)?);
            Proof::Gate
        }
        None => Proof::PackagedBefore,
    };
    match run(request, &arguments, request.variables, request.limit) {
        Ok(output) if output.status.success() => Ok(Outcome::Uploaded(proof)),
        Ok(output) => Ok(Outcome::Unknown { proof, reason: said(&output) }),
        // Ended in the midst of it.
        Err(error @ (program::Error::TooLong { .. } | program::Error::TooMuch { .. })) => {
            Ok(Outcome::Unknown { proof, reason: error.to_string() })
        }
        Err(error @ (program::Error::Missing { .. } | program::Error::Start { .. })) => Err(error.into()),
    }
}

/// Packages, without credentials where that can be, and compares.
fn prove(request: &Request<'_>) -> Result<(), Error> {
    let Publish { name, version, digest: approved } = request.publish;
    // A registry that wants a login for reading has to be read here, too; no build script runs.
    let variables =
        if request.is_auth_required { request.variables.clone() } else { clean_environment(request.variables) };
    let output = run(request, &arguments("package", request), &variables, PACKAGE_LIMIT)?;
    if !output.status.success() {
        return Err(Error::Package(said(&output)));
    }
    let archive = file::read(&request.scratch.join(format!("package/{name}-{version}.crate")), MAX_CRATE)?;
    let packaged = Sha256Digest::new(Sha256::digest(&archive).into());
    if packaged == approved { Ok(()) } else { Err(Error::Different { name: name.to_owned(), packaged, approved }) }
}

fn arguments(command: &str, request: &Request<'_>) -> Vec<String> {
    let scratch = request.scratch.to_string_lossy();
    let fixed =
        [command, "--no-verify", "--color", "never", "-p", request.publish.name, "--registry", request.registry];
    fixed.into_iter().chain(["--target-dir", &scratch]).map(str::to_owned).collect()
}

/// Tells cargo to ask the gate before all others.
fn gate_configuration(gate: &Path, request: &Request<'_>) -> Result<Vec<String>, Error> {
    let program = gate.to_str().ok_or_else(|| Error::Gate(gate.display().to_string()))?;
    let Publish { name, version, digest } = request.publish;
    let words = [program, name, version, &digest.to_string()].map(|word| toml::Value::String(word.to_owned()));
    // Cargo adds this list to those of its files, and asks the last one first. `cargo:token` is what it asks if there is
    // no list; asked twice, it gives the same answer.
    let has_list = request.login.providers.iter().any(|provider| provider.program != "cargo:token");
    let list: &[&str] = if has_list { &[ALIAS] } else { &["cargo:token", ALIAS] };
    let list = list.iter().map(|word| toml::Value::String((*word).to_owned())).collect();
    Ok([
        format!("credential-alias.{ALIAS}={}", toml::Value::Array(words.to_vec())),
        format!("registry.global-credential-providers={}", toml::Value::Array(list)),
    ]
    .into_iter()
    .flat_map(|setting| ["--config".to_owned(), setting])
    .collect())
}

fn run(
    request: &Request<'_>,
    arguments: &[String],
    variables: &BTreeMap<String, String>,
    limit: Duration,
) -> Result<Output, program::Error> {
    let program = Program::new(request.cargo, request.directory, variables).arguments(arguments);
    Program { limit, ..program }.run()
}

/// The last lines of what cargo said, without control characters.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(8)..];
    last.join("; ").chars().filter(|letter| !letter.is_control()).take(2000).collect()
}
