//! Evidence beside the file that it is about: `foo-1.0.0.intoto.jsonl` beside `foo-1.0.0.crate`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{MAX_BYTES, Stored, appended};
use crate::evidence::envelope::Envelope;
use crate::source::cache::{self, Cache};
use crate::source::file;

/// The end of the name.
pub const EXTENSION: &str = "intoto.jsonl";

/// Why evidence beside a file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It could not be read.
    #[error(transparent)]
    File(#[from] file::Error),
    /// It could not be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Nobody could be kept from writing it at the same time.
    #[error(transparent)]
    Lock(#[from] cache::Error),
}

/// Where evidence about a file is kept: `.crate` is left out of the name, other extensions are part of it.
pub fn beside(file: &Path) -> PathBuf {
    match file.extension() {
        Some(extension) if extension == "crate" => file.with_extension(EXTENSION),
        _ => {
            let mut name = file.as_os_str().to_owned();
            name.push(".");
            name.push(EXTENSION);
            PathBuf::from(name)
        }
    }
}

/// Reads the envelopes in a file; none if there is no such file. `name` is what errors call it.
///
/// # Errors
///
/// [`Error::File`] if it is there and cannot be read, or is too large. Lines that are no envelope are in what is returned.
pub fn read(path: &Path, name: &str) -> Result<Stored, Error> {
    Ok(Stored::parse(name, &content(path)?))
}

/// Adds envelopes to a file that are not in it yet. Readers see the old content or the new one.
///
/// `cache` is where whoever else writes such files is made to wait.
///
/// # Errors
///
/// [`Error`] if it cannot be read or written; the old content is then still there.
pub fn append(path: &Path, envelopes: &[Envelope], cache: &Cache) -> Result<(), Error> {
    let _guard = cache.lock("evidence")?;
    let Some(new) = appended(&content(path)?, envelopes) else { return Ok(()) };
    replace(path, &new).map_err(|source| Error::Write { path: path.to_owned(), source })
}

/// Replaces the envelopes whose predicates are of such a type by these; everything else in the file stays.
///
/// Whoever can write the file can take evidence away: that it is there is for rules to ask.
///
/// # Errors
///
/// As [`append`].
pub fn renew(
    path: &Path,
    envelopes: &[Envelope],
    is_renewed: impl Fn(&str) -> bool,
    cache: &Cache,
) -> Result<(), Error> {
    let _guard = cache.lock("evidence")?;
    let old = content(path)?;
    let is_old = |line: &&[u8]| {
        let statement = Envelope::parse(line).ok().and_then(|envelope| envelope.unverified_statement().ok());
        statement.is_some_and(|statement| is_renewed(statement.predicate_type()))
    };
    let kept = old.split(|byte| *byte == b'\n').filter(|line| !is_old(line)).collect::<Vec<_>>().join(&b'\n');
    let new = appended(&kept, envelopes).unwrap_or(kept);
    replace(path, &new).map_err(|source| Error::Write { path: path.to_owned(), source })
}

fn content(path: &Path) -> Result<Vec<u8>, Error> {
    match file::read(path, MAX_BYTES as u64) {
        Ok(content) => Ok(content),
        Err(file::Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// Writes beside the target, flushes to disk, then renames. Evidence is for everybody to read, temporary files are not.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".evidence");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // What the umask leaves of it.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(directory)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::envelope;
    use super::*;

    #[test]
    fn names_follow_the_file() {
        assert_eq!(beside(Path::new("a/foo-1.0.0.crate")), Path::new("a/foo-1.0.0.intoto.jsonl"));
        assert_eq!(beside(Path::new("a/sbom.cdx.json")), Path::new("a/sbom.cdx.json.intoto.jsonl"));
    }

    #[test]
    fn what_is_added_is_read_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("foo-1.0.0.intoto.jsonl");
        let cache = Cache::new(Some(folder.path().join("cache")));
        assert_eq!(read(&path, "foo").unwrap(), Stored::default());
        for payload in ["AQ==", "Ag==", "AQ=="] {
            append(&path, &[envelope(payload)], &cache).unwrap();
        }
        let payloads =
            |stored: &Stored| stored.envelopes.iter().map(|kept| kept.envelope.payload()[0]).collect::<Vec<_>>();
        assert_eq!(payloads(&read(&path, "foo").unwrap()), [1, 2]);
        let names = file::names(folder.path()).unwrap();
        assert_eq!(names, ["cache", "foo-1.0.0.intoto.jsonl"], "nothing else stays");
    }

    #[test]
    fn many_who_write_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("foo.intoto.jsonl");
        let cache = Cache::new(Some(folder.path().join("cache")));
        std::thread::scope(|scope| {
            for number in 0..8 {
                let (path, cache) = (&path, &cache);
                scope.spawn(move || append(path, &[envelope(&format!("{number}A=="))], cache).unwrap());
            }
        });
        assert_eq!(read(&path, "foo").unwrap().envelopes.len(), 8);
    }

    #[test]
    fn a_folder_in_its_place_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("foo");
        std::fs::create_dir(&path).unwrap();
        let cache = Cache::new(None);
        assert!(append(&path, &[envelope("AQ==")], &cache).unwrap_err().to_string().contains("foo"));
    }
}
