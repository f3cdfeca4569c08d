//! toolbelt's own cache: files that can be fetched again, replaced whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A folder of files that are replaced atomically.
///
/// Without a folder (no home directory) nothing is found and nothing is kept.
#[derive(Debug, Clone)]
pub struct Cache {
    directory: Option<PathBuf>,
}

/// Why something could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`", path.display())]
pub struct Error {
    path: PathBuf,
    source: io::Error,
}

/// Holds the right to replace files of a cache; given back when dropped.
#[derive(Debug)]
pub struct Guard {
    _file: Option<File>,
}

impl Cache {
    /// A cache in this folder, which need not exist yet.
    pub fn new(directory: Option<PathBuf>) -> Self {
        Self { directory }
    }

    /// Where `name` (relative, with `/`) is kept; none without a folder.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.directory.as_ref().map(|directory| directory.join(name))
    }

    /// Reads a file; none if it is not there or cannot be read, which for a cache is the same.
    pub fn read(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.path(name)?).ok()
    }

    /// Replaces a file: readers see the old content or the new one, also when the process is killed meanwhile.
    ///
    /// # Errors
    ///
    /// [`Error`] if the folder cannot be written to; the old content is then still there. Nothing is done, and that is
    /// no error, where there is no folder.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        let Some(path) = self.path(name) else { return Ok(()) };
        replace(&path, content).map_err(|source| Error { path, source })
    }

    /// Waits until no other process replaces files under `name`.
    ///
    /// # Errors
    ///
    /// [`Error`] if the lock file cannot be made.
    pub fn lock(&self, name: &str) -> Result<Guard, Error> {
        let Some(path) = self.path(&format!("{name}.lock")) else { return Ok(Guard { _file: None }) };
        let lock = || {
            fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
            let file = File::options().create(true).truncate(false).write(true).open(&path)?;
            file.lock()?;
            Ok(file)
        };
        let file = lock().map_err(|source| Error { path: path.clone(), source })?;
        Ok(Guard { _file: Some(file) })
    }
}

/// Writes beside the target, flushes to disk, then renames.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(Some(folder.path().join("not/there/yet")));
        assert_eq!(cache.read("a/b"), None);
        cache.write("a/b", b"one").unwrap();
        cache.write("a/b", b"two").unwrap();
        assert_eq!(cache.read("a/b").unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path().join("not/there/yet/a")).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn a_cache_without_a_folder_keeps_nothing_and_does_not_fail() {
        let cache = Cache::new(None);
        cache.write("a", b"one").unwrap();
        assert_eq!(cache.read("a"), None);
        cache.lock("a").unwrap();
    }

    #[test]
    fn a_folder_that_is_a_file_is_an_error_that_names_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Cache::new(Some(file.path().to_owned())).write("a", b"one").unwrap_err();
        assert!(error.to_string().contains(&file.path().join("a").display().to_string()));
    }
}
