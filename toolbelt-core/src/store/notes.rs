//! Evidence about commits and trees as git notes, which travel with the repository.

use super::{MAX_BYTES, Stored, appended};
use crate::evidence::envelope::Envelope;
use crate::source::git::program::{git, git_with_input};
use crate::source::git::repository::GitRepository;
use crate::source::git::{self};
use crate::subject::content::ObjectId;

/// The ref of the notes.
pub const REF: &str = "refs/notes/toolbelt";

/// How often a note is written anew because somebody else wrote one meanwhile.
const ATTEMPTS: u32 = 50;

/// Why notes could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The repository cannot be read, or git cannot be run.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// Git did not do what it was asked to.
    #[error("`git {command}` failed: {why}")]
    Failed {
        /// Its arguments.
        command: String,
        /// What it said.
        why: String,
    },
    /// Only what is in the repository has notes.
    #[error("there is no object {0} in this repository")]
    NoObject(ObjectId),
    /// Others write all the time.
    #[error("`{REF}` was changed by somebody else {ATTEMPTS} times in a row")]
    Contended,
    /// A note is larger than notes are.
    #[error("the note of {0} is longer than {MAX_BYTES} bytes")]
    TooLarge(ObjectId),
}

/// Reads the envelopes about an object; none if it has no note.
///
/// # Errors
///
/// [`Error`] if git cannot be run, or the note cannot be read. Lines that are no envelope are in what is returned.
pub fn read(repository: &GitRepository, object: ObjectId) -> Result<Stored, Error> {
    let content = content(repository, REF, object)?;
    Ok(Stored::parse(&format!("{REF}:{object}"), &content))
}

/// The objects that have notes, sorted.
///
/// # Errors
///
/// [`Error`] if git cannot be run.
pub fn objects(repository: &GitRepository) -> Result<Vec<ObjectId>, Error> {
    if tip(repository, REF)?.is_none() {
        return Ok(Vec::new());
    }
    let lines = said(repository, &["notes", "--ref", REF, "list"])?;
    let ids = lines.lines().filter_map(|line| line.split_once(' '));
    let mut objects: Vec<_> = ids.filter_map(|(_, object)| ObjectId::from_hex(object.as_bytes()).ok()).collect();
    objects.sort_unstable();
    Ok(objects)
}

/// Adds envelopes about an object that its note does not have yet.
///
/// The new note is made under a ref of its own, and the real one is moved only if nobody else moved it meanwhile: who
/// reads sees the old notes or the new ones, and nobody's are lost.
///
/// # Errors
///
/// [`Error::NoObject`] if there is no such object; else if git cannot be run, or knows nobody to be the committer.
pub fn append(repository: &GitRepository, object: ObjectId, envelopes: &[Envelope]) -> Result<(), Error> {
    // Git would take any digits.
    if !repository.store()?.has(&object) {
        return Err(Error::NoObject(object));
    }
    for attempt in 0..ATTEMPTS {
        let old = tip(repository, REF)?;
        let own = OwnRef::at(repository, old.as_deref(), attempt)?;
        let Some(new) = appended(&content(repository, &own.name, object)?, envelopes) else { return Ok(()) };
        if new.len() > MAX_BYTES {
            return Err(Error::TooLarge(object));
        }
        let blob = said_with(repository, &["hash-object", "-w", "--stdin"], &new)?;
        // `-C` takes the note as it is; other ways tidy it up.
        said(repository, &["notes", "--ref", &own.name, "add", "-f", "-C", blob.trim(), &object.to_string()])?;
        let Some(tip) = tip(repository, &own.name)? else { continue };
        let none = "0".repeat(tip.len());
        let before = old.as_deref().unwrap_or(&none);
        let message = format!("evidence about {object}");
        let moved = git(repository, &["update-ref", "-m", &message, REF, &tip, before])?;
        if moved.status.success() {
            return Ok(());
        }
    }
    Err(Error::Contended)
}

/// A ref that only this run knows of; deleted when dropped.
struct OwnRef<'a> {
    repository: &'a GitRepository,
    name: String,
}

impl<'a> OwnRef<'a> {
    /// Makes one that stands where the notes stand; nowhere if there are none yet.
    fn at(repository: &'a GitRepository, tip: Option<&str>, attempt: u32) -> Result<Self, Error> {
        let mut random = [0; 8];
        // Without random numbers the process still tells one run from another.
        if getrandom::fill(&mut random).is_err() {
            random[..4].copy_from_slice(&std::process::id().to_le_bytes());
            random[4..].copy_from_slice(&attempt.to_le_bytes());
        }
        let own = Self { repository, name: format!("{REF}-{}", crate::subject::digest::hex(&random)) };
        if let Some(tip) = tip {
            said(repository, &["update-ref", &own.name, tip])?;
        }
        Ok(own)
    }
}

impl Drop for OwnRef<'_> {
    fn drop(&mut self) {
        // A ref that stays does no harm.
        let _ = git(self.repository, &["update-ref", "-d", &self.name]);
    }
}

/// The commit that a ref stands for, in hexadecimal digits; none if there is no such ref.
fn tip(repository: &GitRepository, name: &str) -> Result<Option<String>, Error> {
    let output = git(repository, &["rev-parse", "--verify", "--quiet", name])?;
    let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(output.status.success().then_some(id).filter(|id| !id.is_empty()))
}

/// The note of an object; empty if it has none.
fn content(repository: &GitRepository, name: &str, object: ObjectId) -> Result<Vec<u8>, Error> {
    if tip(repository, name)?.is_none() {
        return Ok(Vec::new());
    }
    let output = git(repository, &["notes", "--ref", name, "list", &object.to_string()])?;
    let blob = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() {
        return Ok(Vec::new());
    }
    let size = said(repository, &["cat-file", "-s", &blob])?;
    if size.trim().parse::<usize>().is_ok_and(|size| size > MAX_BYTES) {
        return Err(Error::TooLarge(object));
    }
    let output = git(repository, &["cat-file", "blob", &blob])?;
    if output.status.success() { Ok(output.stdout) } else { Err(failed(&["cat-file", "blob", &blob], &output.stderr)) }
}

/// What a command says that has to succeed.
fn said(repository: &GitRepository, arguments: &[&str]) -> Result<String, Error> {
    said_with(repository, arguments, b"")
}

fn said_with(repository: &GitRepository, arguments: &[&str], input: &[u8]) -> Result<String, Error> {
    let output = git_with_input(repository, arguments, input)?;
    if !output.status.success() {
        return Err(failed(arguments, &output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn failed(arguments: &[&str], said: &[u8]) -> Error {
    let said = String::from_utf8_lossy(said);
    let why = said.lines().find(|line| line.starts_with("fatal:") || line.starts_with("error:"));
    Error::Failed { command: arguments.join(" "), why: why.or(said.lines().next()).unwrap_or_default().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::tests::envelope;
    use super::*;
    use crate::source::git::sandbox::Sandbox;

    /// A repository whose committer is known.
    fn sandbox() -> Sandbox {
        let sandbox = Sandbox::new(&[]);
        sandbox.git(&["config", "user.name", "A"]);
        sandbox.git(&["config", "user.email", "a@example.com"]);
        sandbox.commit("first");
        sandbox
    }

    fn payloads(stored: &Stored) -> Vec<u8> {
        stored.envelopes.iter().map(|kept| kept.envelope.payload()[0]).collect()
    }

    #[test]
    fn commits_and_trees_keep_what_is_said_of_them() {
        let sandbox = sandbox();
        let repository = sandbox.open();
        let (commit, tree) = (sandbox.id("HEAD"), sandbox.id("HEAD^{tree}"));
        assert_eq!(read(&repository, commit).unwrap(), Stored::default());
        assert!(objects(&repository).unwrap().is_empty());
        append(&repository, commit, &[envelope("AQ==")]).unwrap();
        append(&repository, commit, &[envelope("Ag=="), envelope("AQ==")]).unwrap();
        append(&repository, tree, &[envelope("Aw==")]).unwrap();
        assert_eq!(payloads(&read(&repository, commit).unwrap()), [1, 2]);
        assert_eq!(payloads(&read(&repository, tree).unwrap()), [3]);
        let mut both = vec![commit, tree];
        both.sort_unstable();
        assert_eq!(objects(&repository).unwrap(), both);
        let shown = sandbox.git(&["notes", "--ref", "toolbelt", "show", "HEAD"]);
        assert_eq!(shown, format!("{}\n{}", envelope("AQ==").to_json(), envelope("Ag==").to_json()));
        assert_eq!(sandbox.git(&["for-each-ref", "--format=%(refname)", "refs/notes/"]), REF);
    }

    #[test]
    fn many_who_write_at_once_lose_nothing() {
        let sandbox = sandbox();
        let (repository, commit) = (sandbox.open(), sandbox.id("HEAD"));
        std::thread::scope(|scope| {
            for number in 0..4 {
                let repository = &repository;
                scope.spawn(move || append(repository, commit, &[envelope(&format!("{number}A=="))]).unwrap());
            }
        });
        assert_eq!(read(&repository, commit).unwrap().envelopes.len(), 4);
    }

    #[test]
    fn two_clones_are_joined_by_git_itself() {
        let sandbox = sandbox();
        sandbox.git(&["clone", "--quiet", ".", "../other"]);
        let other = sandbox.beside("other");
        other.git(&["config", "user.name", "B"]);
        other.git(&["config", "user.email", "b@example.com"]);
        let commit = sandbox.id("HEAD");
        append(&sandbox.open(), commit, &[envelope("AQ==")]).unwrap();
        append(&other.open(), commit, &[envelope("Ag==")]).unwrap();
        other.git(&["fetch", "--quiet", "origin", &format!("{REF}:refs/notes/theirs")]);
        other.git(&["notes", "--ref", "toolbelt", "merge", "--quiet", "--strategy=cat_sort_uniq", "refs/notes/theirs"]);
        assert_eq!(payloads(&read(&other.open(), commit).unwrap()), [1, 2]);
    }

    #[test]
    fn an_object_that_is_not_there_is_an_error() {
        let sandbox = sandbox();
        let nowhere = ObjectId::from_hex(&[b'1'; 40]).unwrap();
        let error = append(&sandbox.open(), nowhere, &[envelope("AQ==")]).unwrap_err();
        assert!(matches!(error, Error::NoObject(_)), "{error}");
        assert_eq!(read(&sandbox.open(), nowhere).unwrap(), Stored::default());
    }
}
