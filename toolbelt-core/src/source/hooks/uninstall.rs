//! Takes out what is ours, and gives back what was there.

use std::path::{Path, PathBuf};

use super::ground::{Ground, read};
use super::state::{self, State};
use super::{Error, block, entry, shim, write};
use crate::source::file;

/// What was done with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// The file.
    pub path: PathBuf,
    /// What became of it.
    pub what: What,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The hook that was there is there again.
    BroughtBack,
    /// It was ours alone, and is gone.
    Removed,
    /// Our lines are gone from it.
    LinesTakenOut,
    /// A hook that was set aside is still there: somebody has put another one in its place.
    LeftAside,
}

/// What there is to take out, and what would become of it.
pub fn find(ground: &Ground) -> Vec<Undone> {
    let state = State::read(&ground.repository);
    let paths = taken(ground, state.as_ref()).into_iter();
    paths.filter_map(|path| what(ground, &path, state.as_ref()).map(|what| Undone { path, what })).collect()
}

/// Where something of ours may be: what is known of hooks and managers, and what was written down.
pub(super) fn places(ground: &Ground, state: Option<&State>) -> Vec<PathBuf> {
    let known = state.iter().flat_map(|state| state.scripts.iter().chain(&state.files)).cloned();
    let mut paths: Vec<PathBuf> = ground.scripts().into_iter().chain(ground.files_of_others()).chain(known).collect();
    paths.sort();
    paths.dedup();
    paths
}

/// The places that an uninstall looks at: all, but in a linked work tree with hooks of its own not those that the others have.
fn taken(ground: &Ground, state: Option<&State>) -> Vec<PathBuf> {
    let repository = &ground.repository;
    let is_linked = repository.git_dir() != repository.common_dir();
    let is_alone = is_linked && state.is_some_and(|state| !state.shares(repository));
    let mut paths = places(ground, state);
    paths.retain(|path| !is_alone || !state::is_shared(repository, path));
    paths
}

/// Takes everything out. A run that was killed is finished by the next one: what was done is written down last.
///
/// # Errors
///
/// [`Error`] if a file cannot be written or renamed.
pub fn apply(ground: &Ground) -> Result<Vec<Undone>, Error> {
    let state = State::read(&ground.repository);
    sweep(ground, state.as_ref());
    let mut undone = Vec::new();
    for path in taken(ground, state.as_ref()) {
        undone.extend(one(ground, &path, state.as_ref())?.map(|what| Undone { path, what }));
    }
    let _ = std::fs::remove_dir(state::own_hooks(&ground.repository));
    state::forget(&ground.repository)?;
    Ok(undone)
}

/// Removes what a run that was killed was writing, wherever it may have been.
pub(super) fn sweep(ground: &Ground, state: Option<&State>) {
    let mut folders: Vec<PathBuf> =
        places(ground, state).iter().filter_map(|path| path.parent()).map(Path::to_owned).collect();
    folders.extend(state::path(&ground.repository).parent().map(Path::to_owned));
    folders.sort();
    folders.dedup();
    for folder in folders {
        for name in file::names(&folder).unwrap_or_default().iter().filter(|name| write::is_unfinished(name)) {
            // What cannot be removed is in nobody's way.
            let _ = write::remove(&folder.join(name));
        }
    }
}

/// What would become of a file; none if nothing of it is ours.
fn what(ground: &Ground, path: &Path, state: Option<&State>) -> Option<What> {
    let is_script = file::read(path, 1 << 20).is_ok_and(|text| shim::is_ours(&text));
    let aside = shim::aside_of(path);
    let is_set_aside = aside.symlink_metadata().is_ok();
    match (is_script, is_set_aside) {
        (true, true) => Some(What::BroughtBack),
        (true, false) => Some(What::Removed),
        // Also where a manager has written its own hook anew, which is the one that was set aside.
        (false, true) if path.symlink_metadata().is_err() || write::is_moved(path, &aside) || is_copy(path, &aside) => {
            Some(What::BroughtBack)
        }
        (false, true) => Some(What::LeftAside),
        (false, false) => {
            let without = without(ground, path)?;
            let is_created = state.is_some_and(|state| state.created.contains(path));
            Some(if without.is_empty() && is_created { What::Removed } else { What::LinesTakenOut })
        }
    }
}

pub(super) fn one(ground: &Ground, path: &Path, state: Option<&State>) -> Result<Option<What>, Error> {
    let Some(what) = what(ground, path, state) else { return Ok(None) };
    match what {
        What::BroughtBack => write::bring_back(&shim::aside_of(path), path)?,
        What::Removed => write::remove(path)?,
        What::LeftAside => {}
        What::LinesTakenOut => {
            if let Some(without) = without(ground, path) {
                if path == ground.configuration() {
                    write::replace_locked(path, without.as_bytes())?;
                } else {
                    write::replace(path, without.as_bytes(), 0o755)?;
                }
            }
        }
    }
    Ok(Some(what))
}

/// What a file of others is without our lines; none if there are none.
fn without(ground: &Ground, path: &Path) -> Option<String> {
    let text = read(path)?;
    if path == ground.configuration() { entry::configuration_without(&text) } else { block::remove(&text) }
}

/// Whether two files hold the same.
fn is_copy(one: &Path, other: &Path) -> bool {
    match (file::read(one, 1 << 20), file::read(other, 1 << 20)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
