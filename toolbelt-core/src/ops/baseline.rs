//! Accepts what is there, so that only what is new is reported.

use std::io;

use crate::ops::Watch;
use crate::ops::scan::{self, Request};
use crate::policy::baseline::Baseline;
use crate::source::cache::{self, Cache};
use crate::subject::value_key::ValueKey;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// How many findings are accepted.
    pub accepted: usize,
    /// The file that lists them, relative to the root of the repository.
    pub baseline: &'static str,
    /// The file of the key that names secrets.
    pub key: &'static str,
    /// Whether the repository had no key, and has one now.
    pub key_is_new: bool,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The scan failed.
    #[error(transparent)]
    Scan(#[from] scan::Error),
    /// There is no work tree to write to.
    #[error("there is no work tree to write `{}` to", Baseline::FILE)]
    NoWorkTree,
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] cache::Error),
    /// The system gave no random bytes for a key.
    #[error("cannot make a key")]
    Random(#[source] io::Error),
}

/// Scans, and writes what was found to the baseline; makes the repository's key if there is none.
///
/// Findings that the policy or a marker accepts are left to them.
///
/// # Errors
///
/// [`Error`]; nothing is then written, or the key alone.
pub fn run(request: &Request, watch: Watch<'_>) -> Result<Written, Error> {
    let root = scan::work_tree(request)?.ok_or(Error::NoWorkTree)?;
    let files = Cache::new(Some(root.clone()));
    let key_is_new = files.read(ValueKey::FILE).is_none();
    if key_is_new {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| Error::Random(error.into()))?;
        files.write(ValueKey::FILE, ValueKey::new(bytes).to_text().as_bytes())?;
    }
    let report = scan::run_against(request, scan::Known::Nothing, watch)?;
    files.write(Baseline::FILE, Baseline::to_text(report.findings.iter()).as_bytes())?;
    let accepted = report.findings.len();
    Ok(Written { accepted, baseline: Baseline::FILE, key: ValueKey::FILE, key_is_new })
}
