//! Operations: one a file, each from a request to a report.
//!
//! An operation collects subjects from the sources, has the rules judge them, and lets the policy decide.

pub mod attest;
pub mod baseline;
pub mod data;
pub mod deps;
pub mod evidence;
pub mod identity;
pub mod knowledge;
pub mod names;
mod network;
pub mod patterns;
pub mod policy;
pub mod publish;
pub mod refs;
pub mod sbom;
pub mod scan;
pub mod verify;
pub mod why;

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;

/// What an operation may know of the world it runs in: core itself reads neither clock nor environment.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Binary and version, as reports name it.
    pub tool: String,
    /// The start of the run.
    pub now: Timestamp,
    /// The working directory, absolute.
    pub directory: PathBuf,
    /// Where toolbelt keeps what can be fetched again; none without a home directory.
    pub cache: Option<PathBuf>,
    /// Cargo's home; none without a home directory.
    pub cargo_home: Option<PathBuf>,
    /// The environment variables that cargo's configuration and the network client look at.
    pub variables: BTreeMap<String, String>,
    /// The target triple of the host.
    pub host: String,
}

/// What an operation is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Lower case, for people: `index entries`.
    pub what: &'static str,
    /// How many are done.
    pub done: usize,
    /// How many there are; 0 if that is not known.
    pub total: usize,
}

/// Told while an operation runs, from any thread.
pub type Watch<'a> = &'a (dyn Fn(Step) + Sync);

/// An error with its causes, in one line.
fn causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source()).map(|cause| format!(": {cause}"));
    format!("{error}{}", causes.collect::<String>())
}
