//! Reads the policy of a repository, and what other tools' configuration adds to it.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::Path;

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

/// Reads `toolbelt.toml` at the root and other tools' configuration beside it, or the file named and nothing else: who
/// names a policy does not want the tree that is judged to have a say in it.
///
/// # Errors
///
/// [`Error`] if a file cannot be read or understood. That there is no `toolbelt.toml` is no error unless it was named.
pub fn load(root: &Path, named: Option<&Path>) -> Result<Loaded, Error> {
    if let Some(path) = named {
        let mut loaded = Loaded::default();
        loaded.read(root, path)?;
        return Ok(loaded);
    }
    load_with(|name| Ok(read(root, name)?))
}

/// Reads the same from wherever files are to be had by their paths relative to the root.
///
/// # Errors
///
/// What `read` says, and if a file cannot be understood.
pub fn load_with<E: From<Malformed>>(read: impl Fn(&str) -> Result<Option<String>, E>) -> Result<Loaded, E> {
    let mut loaded = Loaded::default();
    if let Some(text) = read(policy::FILE)? {
        loaded.understand(policy::FILE, text)?;
    }
    for (tool, names) in FOREIGN {
        for name in names {
            if let Some(text) = read(name)? {
                loaded.not_carried_over.extend(loaded.policy.carry_over(tool, name, &text)?);
                loaded.texts.insert((*name).to_owned(), text);
                break;
            }
        }
    }
    Ok(loaded)
}

/// Reads a file of the tree that says how it is judged; none if it is not there.
///
/// # Errors
///
/// [`file::Error`] if it is there and cannot be read, or is no regular file.
pub fn read(root: &Path, name: &str) -> Result<Option<String>, file::Error> {
    let path = root.join(name);
    is_there(&path)?.then(|| file::read_text(&path, MAX_BYTES)).transpose()
}

impl Loaded {
    fn read(&mut self, root: &Path, path: &Path) -> Result<(), Error> {
        let name = repository::display_path(root, path);
        let text = file::read_text(path, MAX_BYTES)?;
        Ok(self.understand(&name, text)?)
    }

    /// Takes a text for the policy; `name` is what errors call it.
    pub(super) fn understand(&mut self, name: &str, text: String) -> Result<(), Malformed> {
        self.policy = Policy::parse(name, &text)?;
        self.texts.insert(name.to_owned(), text);
        Ok(())
    }
}

/// Whether there is a file. What is there without being one, such as a link to nowhere, is an error: it must not pass for
/// a tree that has no policy.
fn is_there(path: &Path) -> Result<bool, file::Error> {
    let failed = |source| file::Error::Io { path: path.to_owned(), source };
    match path.symlink_metadata() {
        // A file in place of the folder: nothing can be below it.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(failed(error)),
        // Opening a pipe would wait for a writer.
        Ok(_) if path.metadata().map_err(failed)?.is_file() => Ok(true),
        Ok(_) => Err(failed(io::Error::other("it is not a regular file"))),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_policy_that_is_named_takes_nothing_from_the_tree() {
        let tree = tempfile::tempdir().unwrap();
        fs::write(tree.path().join("deny.toml"), "advisories.ignore = ['RUSTSEC-2026-0001']").unwrap();
        fs::write(tree.path().join("audit.toml"), "advisories.ignore = ['RUSTSEC-2026-0002']").unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let named = elsewhere.path().join("trusted.toml");
        fs::write(&named, "version = 1").unwrap();
        let loaded = load(tree.path(), Some(&named)).unwrap();
        assert_eq!(loaded.policy, Policy::default());
        assert_eq!(loaded.texts.len(), 1);
        assert!(!load(tree.path(), None).unwrap().policy.exemptions.is_empty());
    }

    #[test]
    fn only_what_is_not_there_is_no_policy() {
        let tree = tempfile::tempdir().unwrap();
        // `.cargo` as a file: what would be below it is not there either.
        fs::write(tree.path().join(".cargo"), "").unwrap();
        assert!(load(tree.path(), None).unwrap().texts.is_empty());
        for name in ["toolbelt.toml", "deny.toml", "audit.toml"] {
            let path = tree.path().join(name);
            fs::create_dir(&path).unwrap();
            assert!(matches!(load(tree.path(), None), Err(Error::File(_))), "{name}");
            fs::remove_dir(&path).unwrap();
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_policy_that_links_to_nowhere_is_an_error() {
        for name in ["toolbelt.toml", ".deny.toml", "audit.toml"] {
            let tree = tempfile::tempdir().unwrap();
            std::os::unix::fs::symlink("nowhere", tree.path().join(name)).unwrap();
            let error = load(tree.path(), None).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
