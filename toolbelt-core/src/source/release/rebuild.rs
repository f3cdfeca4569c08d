//! Packages a commit alone, from a clone of its own: what cargo makes of it when nothing else is there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use semver::Version;
use tempfile::TempDir;

use super::archive::{self, Contents, Named};
use super::package::{self, Options, Packaging, Verify};
use crate::finding::{Fact, Unknown};
use crate::source::git::clone;
use crate::source::git::snapshot::{Snapshot, without_repository};
use crate::source::{file, git};

/// What is to be packaged.
#[derive(Clone)]
pub struct Request<'a> {
    /// The commit.
    pub snapshot: &'a Snapshot,
    /// The folder of the workspace, relative to the root of the repository, with `/`.
    pub workspace: String,
    /// The lock file beside the work tree's manifest: it is used where the commit has none, as then no commit says which
    /// versions are the right ones.
    pub lockfile: Option<PathBuf>,
    /// The names of the packages.
    pub packages: &'a [&'a str],
    /// How cargo packages; it never compiles here.
    pub options: &'a Options,
    /// An existing folder outside of every repository and workspace, for temporary files.
    pub scratch: &'a Path,
    /// The environment.
    pub variables: &'a BTreeMap<String, String>,
}

/// A package that was made of a commit alone.
#[derive(Debug, Clone)]
pub struct Rebuilt {
    /// The version that the commit has.
    pub version: Version,
    /// The `.crate`.
    pub bytes: Vec<u8>,
    /// What it holds.
    pub contents: Contents,
}

/// Why a commit could not be packaged alone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It could not be checked out.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// Cargo could not package it.
    #[error(transparent)]
    Package(#[from] package::Error),
    /// What cargo made cannot be read.
    #[error(transparent)]
    File(#[from] file::Error),
    /// What cargo made is not a `.crate`.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// There is no place for it.
    #[error("cannot write below `{}`", path.display())]
    Scratch {
        /// The folder for temporary files.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Where and how a commit is packaged, as far as that must not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Surroundings {
    /// As it is here.
    Usual,
    /// Another path, other permissions, another time zone, another language.
    Other,
}

impl Surroundings {
    fn folder(self) -> &'static str {
        match self {
            Self::Usual => "clone",
            Self::Other => "elsewhere/of another name",
        }
    }

    fn variables(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Usual => &[],
            Self::Other => &[("TZ", "Pacific/Kiritimati"), ("LC_ALL", "C"), ("LANG", "C"), ("SOURCE_DATE_EPOCH", "1")],
        }
    }
}

/// Packages a commit alone. Every package that was asked for is in the answer.
pub fn rebuild(request: &Request<'_>) -> BTreeMap<String, Fact<Rebuilt>> {
    rebuild_in(request, Surroundings::Usual)
}

pub(super) fn rebuild_in(request: &Request<'_>, surroundings: Surroundings) -> BTreeMap<String, Fact<Rebuilt>> {
    let unknown = |error: &Error| {
        let why = match error {
            Error::Package(error) => error.in_one_line(),
            error => error.to_string(),
        };
        Fact::Unknown(Unknown::new(why).hint("check that the commit can be packaged from a fresh clone"))
    };
    match packaged(request, surroundings) {
        Ok((_folder, target)) => {
            let read = |name: &&str| {
                let rebuilt = crate_of(&target, name, request.snapshot.repository().hash());
                ((*name).to_owned(), rebuilt.map_or_else(|error| unknown(&error), Fact::Known))
            };
            request.packages.iter().map(read).collect()
        }
        Err(error) => request.packages.iter().map(|name| ((*name).to_owned(), unknown(&error))).collect(),
    }
}

/// Checks the commit out and packages it; the folder is removed when the first value is dropped.
fn packaged(request: &Request<'_>, surroundings: Surroundings) -> Result<(TempDir, PathBuf), Error> {
    let failed = |source| Error::Scratch { path: request.scratch.to_owned(), source };
    let folder = tempfile::Builder::new().prefix("toolbelt-").tempdir_in(request.scratch).map_err(failed)?;
    // Cargo follows symbolic links when it looks for a workspace, and compares paths.
    let place = fs::canonicalize(folder.path()).map_err(failed)?;
    let clone = place.join(surroundings.folder());
    clone::check_out(request.snapshot, &clone)?;
    let workspace = clone.join(&request.workspace);
    if let Some(lockfile) = request.lockfile.as_ref().filter(|_| !workspace.join(archive::LOCKFILE).exists()) {
        fs::copy(lockfile, workspace.join(archive::LOCKFILE)).map_err(failed)?;
        // A file that the commit does not have must not make it look changed.
        fs::write(clone.join(".git/info/exclude"), format!("{}\n", archive::LOCKFILE)).map_err(failed)?;
    }
    if surroundings == Surroundings::Other {
        restrict(&clone).map_err(failed)?;
    }
    let target = place.join("target");
    let mut variables = without_repository(request.variables);
    variables.extend(surroundings.variables().iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let options = Options { verify: Verify::No, ..request.options.clone() };
    let manifest = workspace.join(archive::MANIFEST);
    let packaging =
        Packaging { manifest: &manifest, members: &[], options: &options, target: &target, variables: &variables };
    packaging.cargo(request.packages.iter().map(|name| (*name).to_owned()))?;
    Ok((folder, target))
}

/// Reads the `.crate` of a package, whatever its version is.
fn crate_of(target: &Path, name: &str, hash: gix::hash::Kind) -> Result<Rebuilt, Error> {
    let folder = target.join("package");
    let version = file::names(&folder)?.into_iter().find_map(|file| {
        let version = file.strip_prefix(name)?.strip_prefix('-')?.strip_suffix(".crate")?;
        Version::parse(version).ok()
    });
    let version = version.ok_or_else(|| package::Error::NotMade { path: folder.join(format!("{name}-*.crate")) })?;
    let package = Named { name, version: &version };
    let bytes = file::read(&folder.join(package.file()), archive::MAX_BYTES)?;
    let contents = archive::read(&bytes, package, hash, &mut |_, _| {})?;
    Ok(Rebuilt { version, bytes, contents })
}

/// Takes everything away from everybody else, as a strict `umask` would.
#[cfg(unix)]
fn restrict(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                left.push(entry.path());
            }
            if metadata.is_dir() || metadata.is_file() {
                fs::set_permissions(entry.path(), fs::Permissions::from_mode(metadata.permissions().mode() & 0o700))?;
            }
        }
    }
    Ok(())
}

/// Other systems do not package permissions.
#[cfg(not(unix))]
fn restrict(_: &Path) -> std::io::Result<()> {
    Ok(())
}
