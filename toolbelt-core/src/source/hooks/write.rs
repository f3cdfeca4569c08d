//! Writing files of other people: whole or not at all, with the mode that they had.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::Error;
use crate::source::file;

/// Replaces a file by another content. Its mode stays; a new one gets `mode`. Of a symbolic link, what it points to is
/// replaced.
pub(super) fn replace(path: &Path, content: &[u8], mode: u32) -> Result<(), Error> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let kept = fs::metadata(&target).ok().map(|metadata| metadata.permissions());
    put(&target, content, kept.map_or(Mode::New(mode), Mode::Kept))
}

/// Puts a new file in the place of whatever is there, a symbolic link included.
pub(super) fn put_over(path: &Path, content: &[u8], mode: u32) -> Result<(), Error> {
    put(path, content, Mode::New(mode))
}

/// How the names begin of files that are being written.
const UNFINISHED: &str = ".toolbelt-";
/// How many letters and digits follow.
const RANDOM: usize = 6;

/// Whether a file of this name was being written.
pub(super) fn is_unfinished(name: &str) -> bool {
    name.strip_prefix(UNFINISHED).is_some_and(|rest| rest.len() == RANDOM)
}

enum Mode {
    Kept(Permissions),
    New(u32),
}

fn put(path: &Path, content: &[u8], mode: Mode) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || {
        fs::create_dir_all(folder)?;
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).rand_bytes(RANDOM).tempfile_in(folder)?;
        file.write_all(content)?;
        match mode {
            Mode::Kept(permissions) => file.as_file().set_permissions(permissions)?,
            Mode::New(mode) => set_mode(file.as_file(), mode)?,
        }
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(Error::file("write", path))
}

/// Replaces a file that git locks by a file beside it, as it does itself.
pub(super) fn replace_locked(path: &Path, content: &[u8]) -> Result<(), Error> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    let lock = target.with_file_name(name);
    let mut file = match File::create_new(&lock) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(Error::Locked { path: lock }),
        created => created.map_err(Error::file("write", &lock))?,
    };
    let mut write = || {
        file.write_all(content)?;
        if let Ok(metadata) = fs::metadata(&target) {
            file.set_permissions(metadata.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&lock, &target)
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&lock);
        Error::file("write", &target)(error)
    })
}

/// Gives what is at `path` a name in a folder beside it as well, so that it can be replaced without ever being gone. Where
/// the file system has no links, it is renamed.
pub(super) fn set_aside(path: &Path, aside: &Path) -> Result<(), Error> {
    if is_moved(path, aside) {
        return Ok(());
    }
    if aside.symlink_metadata().is_ok() {
        return Err(Error::InTheWay {
            path: aside.to_owned(),
            why: "it has the name that the hook which is there now is to get",
        });
    }
    if let Some(folder) = aside.parent() {
        fs::create_dir_all(folder).map_err(Error::file("write", folder))?;
    }
    match deeper_link(path) {
        Some(target) => link(&target, aside),
        None => fs::hard_link(path, aside).or_else(|_| fs::rename(path, aside)),
    }
    .map_err(Error::file("rename", path))
}

/// Gives a file the name that it had.
pub(super) fn bring_back(aside: &Path, path: &Path) -> Result<(), Error> {
    if is_moved(path, aside) {
        // Renaming one name of a file over another does nothing.
        remove(aside)?;
    } else if let Some(target) = higher_link(aside) {
        let new = path.with_file_name(format!("{UNFINISHED}a-link"));
        remove(&new)?;
        link(&target, &new).and_then(|()| fs::rename(&new, path)).map_err(Error::file("rename", aside))?;
        remove(aside)?;
    } else {
        fs::rename(aside, path).map_err(Error::file("rename", aside))?;
    }
    if let Some(folder) = aside.parent() {
        // It is not empty where others are.
        let _ = fs::remove_dir(folder);
    }
    Ok(())
}

/// Whether what is at `path` has its other name already.
pub(super) fn is_moved(path: &Path, aside: &Path) -> bool {
    is_same(path, aside)
        || deeper_link(path).is_some_and(|target| fs::read_link(aside).is_ok_and(|link| link == target))
}

/// Where a relative symbolic link has to point from a folder deeper.
#[cfg(unix)]
fn deeper_link(path: &Path) -> Option<PathBuf> {
    // Joined as text, as a path would lose a `./`.
    let target = fs::read_link(path).ok().filter(|target| target.is_relative())?.into_os_string();
    let mut deeper = std::ffi::OsString::from("../");
    deeper.push(target);
    Some(deeper.into())
}

/// Where such a link pointed before.
#[cfg(unix)]
fn higher_link(path: &Path) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    let target = fs::read_link(path).ok()?.into_os_string();
    target.as_bytes().strip_prefix(b"../").map(|target| file::path_of(target.to_owned()))
}

#[cfg(unix)]
fn link(target: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(not(unix))]
fn deeper_link(_: &Path) -> Option<PathBuf> {
    None
}

#[cfg(not(unix))]
fn higher_link(_: &Path) -> Option<PathBuf> {
    None
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Removes a file; that it is not there is as good.
pub(super) fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::file("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Whether two names are those of one file.
#[cfg(unix)]
fn is_same(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (one.symlink_metadata(), other.symlink_metadata()) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_same(one: &Path, other: &Path) -> bool {
    matches!((fs::read(one), fs::read(other)), (Ok(one), Ok(other)) if one == other)
}

#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

/// Whether git would run this file as a hook.
#[cfg(unix)]
pub(super) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
pub(super) fn is_executable(path: &Path) -> bool {
    path.is_file()
}
