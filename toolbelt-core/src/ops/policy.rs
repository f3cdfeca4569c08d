//! Reads the policy of a repository, and what other tools' configuration adds to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::policy::{self, Foreign, NotCarriedOver, Policy};
use crate::source::{file, repository};
use crate::subject::malformed::Malformed;

/// The largest policy that is read.
const MAX_BYTES: u64 = 4 << 20;

/// Where other tools keep what policies say too, relative to the root; of each tool the first that exists counts.
const FOREIGN: [(Foreign, &[&str]); 2] = [
    (Foreign::Deny, &["deny.toml", ".deny.toml", ".cargo/deny.toml"]),
    (Foreign::Audit, &[".cargo/audit.toml", "audit.toml"]),
];

/// Why a policy could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error(transparent)]
    File(#[from] file::Error),
    /// A file could not be understood.
    #[error("cannot understand `{}`", .0.location.path)]
    Malformed(#[from] Malformed),
}

/// A policy and where it comes from.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// What holds.
    pub policy: Policy,
    /// The files that say so, by their paths relative to the root, with their texts.
    pub texts: BTreeMap<String, String>,
    /// What other tools' configuration says without a counterpart here.
    pub not_carried_over: Vec<NotCarriedOver>,
}

/// Reads `toolbelt.toml` at the root, or the file named, and other tools' configuration beside it.
///
/// # Errors
///
/// [`Error`] if a file cannot be read or understood. That there is no `toolbelt.toml` is no error unless it was named.
pub fn load(root: &Path, named: Option<&Path>) -> Result<Loaded, Error> {
    let mut loaded = Loaded::default();
    let own = root.join(policy::FILE);
    let path: Option<PathBuf> = named.map(Path::to_owned).or_else(|| own.is_file().then_some(own));
    if let Some(path) = path {
        let name = repository::display_path(root, &path);
        let text = file::read_text(&path, MAX_BYTES)?;
        loaded.policy = Policy::parse(&name, &text)?;
        loaded.texts.insert(name, text);
    }
    for (tool, names) in FOREIGN {
        let Some(name) = names.iter().find(|name| root.join(name).is_file()) else { continue };
        let text = file::read_text(&root.join(name), MAX_BYTES)?;
        loaded.not_carried_over.extend(loaded.policy.carry_over(tool, name, &text)?);
        loaded.texts.insert((*name).to_owned(), text);
    }
    Ok(loaded)
}
