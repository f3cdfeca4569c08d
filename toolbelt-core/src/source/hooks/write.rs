//! Writing files of other people: whole or not at all, with the mode that they had.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::Error;

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

enum Mode {
    Kept(Permissions),
    New(u32),
}

fn put(path: &Path, content: &[u8], mode: Mode) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || {
        fs::create_dir_all(folder)?;
        let mut file = tempfile::Builder::new().prefix(".toolbelt-").tempfile_in(folder)?;
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

/// Gives what is at `path` another name as well, so that it can be replaced without ever being gone. Where the file
/// system has no links, it is renamed.
pub(super) fn set_aside(path: &Path, aside: &Path) -> Result<(), Error> {
    if is_same(path, aside) {
        return Ok(());
    }
    if aside.symlink_metadata().is_ok() {
        return Err(Error::InTheWay {
            path: aside.to_owned(),
            why: "it has the name that the hook which is there now is to get",
        });
    }
    fs::hard_link(path, aside).or_else(|_| fs::rename(path, aside)).map_err(Error::file("rename", path))
}

/// Gives a file the name that it had.
pub(super) fn bring_back(aside: &Path, path: &Path) -> Result<(), Error> {
    if is_same(aside, path) {
        // Renaming one name of a file over another does nothing.
        return fs::remove_file(aside).map_err(Error::file("remove", aside));
    }
    fs::rename(aside, path).map_err(Error::file("rename", aside))
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
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (one.symlink_metadata(), other.symlink_metadata()) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
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

/// The path with something behind its name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}
