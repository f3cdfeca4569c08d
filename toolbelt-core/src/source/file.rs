//! Reads files of the repository: bounded, and as text.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is not there, or may not be read.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is a pipe or a device, which may never end.
    #[error("`{}` is not a file", path.display())]
    NotAFile {
        /// What it was taken for.
        path: PathBuf,
    },
    /// It is larger than such a file can honestly be.
    #[error("`{}` is larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest that is read.
        limit: u64,
    },
    /// It is not text.
    #[error("`{}` is not UTF-8 after byte {valid}", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// How many bytes are.
        valid: usize,
    },
}

/// Reads a text of at most `limit` bytes.
///
/// # Errors
///
/// [`Error`] if it cannot be read, is larger, or is not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> Result<String, Error> {
    let bytes = read(path, limit)?;
    String::from_utf8(bytes)
        .map_err(|error| Error::NotText { path: path.to_owned(), valid: error.utf8_error().valid_up_to() })
}

/// Opens a file to read it. A pipe is not even opened, as that waits for whoever writes to it.
///
/// # Errors
///
/// [`Error`] if it cannot be opened, or is a pipe or a device.
pub(super) fn open(path: &Path) -> Result<File, Error> {
    let failed = |source| Error::Io { path: path.to_owned(), source };
    let kind = std::fs::metadata(path).map_err(failed)?.file_type();
    if !kind.is_file() && !kind.is_dir() {
        return Err(Error::NotAFile { path: path.to_owned() });
    }
    File::open(path).map_err(failed)
}

/// Reads at most `limit` bytes.
///
/// # Errors
///
/// [`Error`] if it cannot be read, is no file, or is larger.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Io { path: path.to_owned(), source };
    let file = open(path)?;
    let length = file.metadata().map_err(failed)?.len();
    let mut bytes = Vec::with_capacity(usize::try_from(length.min(limit)).unwrap_or(0));
    // A growing file does not say how long it will be.
    file.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(Error::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

/// The names of what is in a folder, sorted; none if there is no such folder.
///
/// # Errors
///
/// [`Error::Io`] if it is there and cannot be read. Names that are not UTF-8 are left out.
pub fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let failed = |source| Error::Io { path: folder.to_owned(), source };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(failed)?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

/// A path as programs write it.
#[cfg(unix)]
pub(crate) fn path_of(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt as _;

    std::ffi::OsString::from_vec(bytes).into()
}

/// A path as programs write it.
#[cfg(not(unix))]
pub(crate) fn path_of(bytes: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_and_encoding_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, b"ab\xff").unwrap();
        assert!(matches!(read_text(&path, 3), Err(Error::NotText { valid: 2, .. })));
        assert!(matches!(read_text(&path, 2), Err(Error::TooLarge { .. })));
        assert!(matches!(read_text(&folder.path().join("b"), 2), Err(Error::Io { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert!(matches!(read(&path, 2), Err(Error::NotAFile { .. })));
    }
}
