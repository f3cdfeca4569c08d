//! Whose signatures count: never for the tree under judgement to say.

use std::path::{Path, PathBuf};

use super::Error;
use crate::evidence::allowed_signers::{self, AllowedSigners};
use crate::evidence::trust::TrustRoot;
use crate::ops::Environment;
use crate::source::file;
use crate::source::git::files::CommitFiles;
use crate::source::git::repository::GitRepository;
use crate::source::git::{self, peel, range, settings};
use crate::subject::content::ObjectId;
use crate::subject::malformed::Malformed;

/// Where a repository says whose signatures count.
pub const FILE: &str = ".toolbelt/allowed_signers";
/// The setting that pins a list for a repository, or for a user.
pub const SETTING: &str = "toolbelt.allowedSigners";

/// What says whose signatures count, in the order in which it is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// A list that was named, relative to the working directory.
    pub named: Option<PathBuf>,
    /// A revision that is trusted, whose list counts: of a release the tag of the one before.
    pub base: Option<String>,
}

/// A list of allowed signers, and where it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    /// Who is allowed.
    pub signers: AllowedSigners,
    /// The file, or the file and the commit.
    pub origin: String,
    /// The list as it is written.
    pub text: String,
}

impl Trusted {
    /// Trusts whom the list names for evidence.
    pub fn for_evidence(&self) -> TrustRoot {
        TrustRoot::for_evidence(self.signers.clone())
    }

    /// Trusts whom the list names for commits and tags.
    pub fn for_git(&self) -> TrustRoot {
        TrustRoot::for_git(self.signers.clone())
    }
}

/// Finds out whose signatures count: whom the list that was named allows; else the one that git's configuration pins
/// (`toolbelt.allowedSigners`); else the one of the base revision. The work tree is never asked.
///
/// # Errors
///
/// [`Error::NoTrust`] if nothing of this is there, or the setting names a file of the work tree; [`Error::Malformed`] if
/// the list is too large. Lines that cannot be understood are among the list's problems, and trust nobody.
pub fn root(
    environment: &Environment,
    repository: Option<&GitRepository>,
    sources: &Sources,
) -> Result<Trusted, Error> {
    if let Some(named) = &sources.named {
        return from_file(&environment.directory.join(named), &named.display().to_string());
    }
    let directory = &environment.directory;
    if let Some(pinned) = settings::get(directory, &environment.variables, SETTING, settings::Form::Path)? {
        return from_pin(&pinned, repository);
    }
    let no_trust = |why: &str| Error::NoTrust { why: why.to_owned() };
    let Some(base) = &sources.base else {
        return Err(no_trust("no list was named, none is pinned, and there is no base"));
    };
    let Some(repository) = repository else { return Err(no_trust("a base needs a repository, and here is none")) };
    of_commit(repository, commit(repository, base)?, base)?
        .ok_or_else(|| Error::NoTrust { why: format!("the base `{base}` has no `{FILE}`") })
}

/// The commit that a base names.
///
/// # Errors
///
/// [`Error`] if it names none.
pub fn commit(repository: &GitRepository, base: &str) -> Result<ObjectId, Error> {
    let no_trust = || Error::NoTrust { why: format!("the base `{base}` is no commit of this repository") };
    let id = range::ends(repository, base).map_err(|_| no_trust())?.0.first().copied().ok_or_else(no_trust)?;
    peel::commit(repository, id).ok_or_else(no_trust)
}

/// The list of a commit that is trusted; none if it has none. `revision` is what people call it.
///
/// # Errors
///
/// As [`root`].
pub fn of_commit(repository: &GitRepository, commit: ObjectId, revision: &str) -> Result<Option<Trusted>, Error> {
    let files = CommitFiles::open(repository, commit)?;
    let read = files.read(FILE);
    let content = read.map_err(|why| Error::InCommit { path: FILE, revision: revision.to_owned(), why })?;
    let Some(content) = content else { return Ok(None) };
    let origin = format!("{FILE} of {revision}");
    let text = String::from_utf8(content).map_err(|_| Malformed::whole(&origin, "it is not UTF-8"))?;
    Ok(Some(Trusted { signers: AllowedSigners::parse(&origin, &text)?, origin, text }))
}

/// The path in the repository of a file of a work tree, if one of some commits that are judged has such a file too.
///
/// # Errors
///
/// [`git::Error`] if a commit cannot be read.
pub fn judged_file(repository: &GitRepository, tips: &[ObjectId], path: &Path) -> Result<Option<String>, git::Error> {
    let real = |path: &Path| -> PathBuf { std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()) };
    let path = real(path);
    let folder = path.parent().unwrap_or(&path);
    // Another work tree of the repository is no better than this one.
    let Ok(around) = GitRepository::open(folder, repository.variables()) else { return Ok(None) };
    let top = around.root().filter(|_| real(around.common_dir()) == real(repository.common_dir())).map(real);
    let Some(relative) = top.as_ref().and_then(|top| path.strip_prefix(top).ok()) else { return Ok(None) };
    let relative = relative.to_string_lossy().replace('\\', "/");
    for tip in tips.iter().filter_map(|tip| peel::commit(repository, *tip)) {
        // What cannot be read may be it.
        if CommitFiles::open(repository, tip)?.read(&relative).map_or(true, |bytes| bytes.is_some()) {
            return Ok(Some(relative));
        }
    }
    Ok(None)
}

fn from_file(path: &Path, name: &str) -> Result<Trusted, Error> {
    let text = file::read_text(path, allowed_signers::MAX_BYTES as u64)?;
    Ok(Trusted { signers: AllowedSigners::parse(name, &text)?, origin: name.to_owned(), text })
}

fn from_pin(pinned: &str, repository: Option<&GitRepository>) -> Result<Trusted, Error> {
    let wrong = |why: &str| Error::NoTrust { why: format!("`{SETTING}` is `{pinned}`, {why}") };
    let path = Path::new(pinned);
    if !path.is_absolute() {
        return Err(wrong("which is not an absolute path"));
    }
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let work_tree = repository.and_then(GitRepository::root);
    let is_judged = |root: &Path| real(path).starts_with(real(root)) && !real(path).starts_with(git_dir(repository));
    if work_tree.is_some_and(is_judged) {
        return Err(wrong("a file of the work tree, which would say itself whom to trust"));
    }
    from_file(path, pinned)
}

/// What lies in the git directory is not under judgement, also where that is in the work tree.
fn git_dir(repository: Option<&GitRepository>) -> PathBuf {
    let directory = repository.map_or(Path::new("/nowhere"), GitRepository::common_dir);
    std::fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned())
}
