//! Advisory databases: the folder of RustSec, exports of OSV, and archives of both.

mod archive;
pub mod osv;
pub mod rustsec;
pub mod snapshot;
pub mod update;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use sha2::{Digest as _, Sha256};

use crate::subject::advisory::{Advisories, Advisory, Unreadable};
use crate::subject::digest::Sha256Digest;

/// A single record may be this large. The largest of RustSec has 17 kB, a record of OSV lists versions one by one.
const LARGEST_RECORD: u64 = 4 << 20;
/// A file with many records, or an archive as it is stored.
const LARGEST_FILE: u64 = 256 << 20;
/// Files in a database; RustSec has 1,200 and GitHub's, with all ecosystems, 300,000.
const MOST_FILES: usize = 500_000;
/// Folders within folders; GitHub's database has five.
const DEEPEST: usize = 8;

/// What advisory databases say, and how much of them that is.
#[derive(Debug, Clone, PartialEq)]
pub struct Database {
    /// What they say.
    pub advisories: Advisories,
    /// The day of the newest record, or of the archive where that is later.
    pub date: Option<Date>,
    /// A digest of every record read and its path, whatever their order.
    pub digest: Sha256Digest,
    /// Records that were read.
    pub records: usize,
    /// Files that were left out, with their number and the reason.
    pub skipped: BTreeMap<&'static str, usize>,
}

/// Why a database could not be read at all. What is wrong with single records is in [`Advisories::unreadable`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A folder or a file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An archive is not one, or is larger than anything that would be a database.
    #[error("`{name}` is not an advisory database: {reason}")]
    Archive {
        /// Which.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There are more files than in any database, or they are nested more deeply.
    #[error("`{}` is not an advisory database: more than {limit} {what}", path.display())]
    TooMuch {
        /// Which folder.
        path: PathBuf,
        /// Of what.
        what: &'static str,
        /// How many would have been read.
        limit: usize,
    },
    /// There is nothing in it.
    #[error("`{name}` holds no advisory")]
    Empty {
        /// Which.
        name: String,
    },
}

/// Reads databases from folders and files, each one of:
///
/// - a folder with RustSec's layout, or with records of OSV (`*.json`) at any depth;
/// - a ZIP or a compressed tar of either;
/// - a file of OSV records.
///
/// Of two records with one id the one from the earlier path counts.
///
/// # Errors
///
/// [`Error`] if one of them cannot be read at all or holds no advisory.
pub fn read(paths: &[PathBuf]) -> Result<Database, Error> {
    let mut all = Records::default();
    for path in paths {
        let metadata = fs::metadata(path).map_err(|source| Error::Io { path: path.clone(), source })?;
        let records = if metadata.is_dir() { folder(path)? } else { file(path)? };
        all.append(records.some(&path.display().to_string())?);
    }
    Ok(all.finish())
}

/// Reads archives and files from memory, as [`read`] does; each with a name for messages.
///
/// # Errors
///
/// As [`read`].
pub fn read_bytes(contents: &[(&str, &[u8])]) -> Result<Database, Error> {
    let mut all = Records::default();
    for (name, content) in contents {
        all.append(bytes(name, content)?.some(name)?);
    }
    Ok(all.finish())
}

fn bytes(name: &str, content: &[u8]) -> Result<Records, Error> {
    // A name can be a URL that says nothing of what is behind it.
    let entries = match content {
        [b'P', b'K', ..] => archive::zip(content),
        [0x1f, 0x8b, ..] => archive::tar_gz(content),
        _ => {
            let mut records = Records::default();
            let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
            records.add_as(Kind::Osv, name, content);
            return Ok(records);
        }
    };
    let archive::Contents { entries, skipped, date } =
        entries.map_err(|reason| Error::Archive { name: name.to_owned(), reason })?;
    let mut records = entries
        .into_par_iter()
        .fold(Records::default, |mut records, (path, content)| {
            records.add(&path, &content);
            records
        })
        .reduce(Records::default, Records::and);
    for (what, count) in skipped {
        *records.skipped.entry(what).or_default() += count;
    }
    records.newest = records.newest.max(date);
    Ok(records)
}

fn file(path: &Path) -> Result<Records, Error> {
    let content = read_file(path, LARGEST_FILE).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    bytes(&path.to_string_lossy(), &content)
}

fn folder(root: &Path) -> Result<Records, Error> {
    let mut records = Records::default();
    let mut files = Vec::new();
    // Each with its path relative to the root.
    let mut folders = vec![(root.to_owned(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        let error = |source| Error::Io { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(error)? {
            let entry = entry.map_err(error)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let kind = entry.file_type().map_err(error)?;
            let path = format!("{prefix}{name}");
            // `.git` and what editors leave.
            if name.starts_with('.') {
            } else if kind.is_dir() {
                if depth == DEEPEST {
                    return Err(Error::TooMuch { path: folder, what: "levels of folders", limit: DEEPEST });
                }
                folders.push((entry.path(), format!("{path}/"), depth + 1));
            } else if !kind.is_file() {
                // A link could lead out of the database.
                records.skip(LINKS);
            } else if let Some(kind) = Kind::of(&path) {
                if files.len() == MOST_FILES {
                    return Err(Error::TooMuch { path: root.to_owned(), what: "files", limit: MOST_FILES });
                }
                files.push((entry.path(), path, kind));
            }
        }
    }
    // Of two records with one id the first counts, on every machine the same one.
    files.sort_by(|(_, one, _), (_, two, _)| one.cmp(two));
    let read: Result<Records, Error> = files
        .into_par_iter()
        .try_fold(Records::default, |mut records, (file, path, kind)| {
            if let Kind::Skipped(why) = kind {
                records.skip(why);
                return Ok(records);
            }
            match read_file(&file, LARGEST_RECORD) {
                Ok(content) => records.add(&path, &content),
                Err(error) => records.unreadable.push(Unreadable {
                    package: if kind == Kind::RustSec { rustsec::package_of(&path).map(str::to_owned) } else { None },
                    path,
                    line: None,
                    reason: format!("expected a file that can be read: {error}"),
                }),
            }
            Ok(records)
        })
        .try_reduce(Records::default, |one, two| Ok(one.and(two)));
    records.append(read?);
    Ok(records)
}

/// Reads a file that is not larger than `limit`, whatever its directory entry says.
fn read_file(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    // Most advisories fit, so that one call reads all of it and another one sees the end.
    let mut content = Vec::with_capacity(8 << 10);
    File::open(path)?.take(limit + 1).read_to_end(&mut content)?;
    if u64::try_from(content.len()).is_ok_and(|len| len > limit) {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {limit} bytes")));
    }
    Ok(content)
}

/// What a file of a database is, by its path in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An advisory of RustSec.
    RustSec,
    /// One or more records of OSV.
    Osv,
    /// Something of a database that is no advisory about a package, and why.
    Skipped(&'static str),
}

impl Kind {
    /// None for files that belong to no database, such as a licence.
    fn of(path: &str) -> Option<Self> {
        if has_extension(path, "json") {
            return Some(Self::Osv);
        }
        let mut parts = path.rsplit('/');
        let (file, _, collection) = (parts.next()?, parts.next()?, parts.next()?);
        match collection {
            "crates" if file.starts_with("RUSTSEC-0000-") => Some(Self::Skipped(DRAFTS)),
            "crates" if file.starts_with("RUSTSEC-") => Some(Self::RustSec),
            "rust" if has_extension(file, "md") => Some(Self::Skipped(TOOLCHAIN)),
            _ => None,
        }
    }
}

const DRAFTS: &str = "drafts";
const TOOLCHAIN: &str = "advisories about the toolchain, which no lock file names";
const LINKS: &str = "links and special files";
const ELSEWHERE: &str = "records about other ecosystems";

/// The constant with this text; none if there is none.
fn known_skip(text: &str) -> Option<&'static str> {
    [DRAFTS, TOOLCHAIN, LINKS, ELSEWHERE].into_iter().find(|known| *known == text)
}

fn has_extension(name: &str, extension: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case(extension))
}

/// What was read so far.
#[derive(Debug, Default)]
struct Records {
    advisories: Vec<Advisory>,
    unreadable: Vec<Unreadable>,
    digests: Vec<[u8; 32]>,
    newest: Option<Date>,
    skipped: BTreeMap<&'static str, usize>,
}

impl Records {
    fn add(&mut self, path: &str, content: &[u8]) {
        if let Some(kind) = Kind::of(path) {
            self.add_as(kind, path, content);
        }
    }

    fn add_as(&mut self, kind: Kind, path: &str, content: &[u8]) {
        match kind {
            Kind::Skipped(why) => return self.skip(why),
            Kind::RustSec => match rustsec::parse(content, path) {
                Ok(advisory) => {
                    self.newest = self.newest.max(advisory.date).max(advisory.withdrawn);
                    self.advisories.push(advisory);
                }
                Err(unreadable) => self.unreadable.push(unreadable),
            },
            Kind::Osv => {
                let parsed = osv::parse(content, path);
                self.newest = self.newest.max(parsed.modified);
                self.advisories.extend(parsed.advisories);
                self.unreadable.extend(parsed.unreadable);
                if parsed.elsewhere > 0 {
                    *self.skipped.entry(ELSEWHERE).or_default() += parsed.elsewhere;
                }
            }
        }
        let mut digest = Sha256::new();
        digest.update((path.len() as u64).to_le_bytes());
        digest.update(path);
        digest.update(content);
        self.digests.push(digest.finalize().into());
    }

    fn skip(&mut self, what: &'static str) {
        *self.skipped.entry(what).or_default() += 1;
    }

    fn append(&mut self, other: Self) {
        self.advisories.extend(other.advisories);
        self.unreadable.extend(other.unreadable);
        self.digests.extend(other.digests);
        self.newest = self.newest.max(other.newest);
        for (what, count) in other.skipped {
            *self.skipped.entry(what).or_default() += count;
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.append(other);
        self
    }

    /// A database without anything in it is more likely a wrong path than good news.
    fn some(self, name: &str) -> Result<Self, Error> {
        if self.advisories.is_empty() && self.unreadable.is_empty() {
            return Err(Error::Empty { name: name.to_owned() });
        }
        Ok(self)
    }

    fn finish(mut self) -> Database {
        self.digests.sort_unstable();
        let mut digest = Sha256::new();
        self.digests.iter().for_each(|one| digest.update(one));
        Database {
            records: self.digests.len(),
            advisories: Advisories::new(self.advisories, self.unreadable),
            date: self.newest,
            digest: Sha256Digest::new(digest.finalize().into()),
            skipped: self.skipped,
        }
    }
}

/// Makes one line of a title, and not a long one.
fn title(text: &str) -> String {
    const LONGEST: usize = 300;
    let mut title = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if title.len() > LONGEST {
        title.truncate(title.floor_char_boundary(LONGEST));
        title.push('…');
    }
    title
}

/// Reads the day of an RFC 3339 date, with or without a time.
fn date(text: &str) -> Option<Date> {
    text.get(..10)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advisory(id: &str, package: &str) -> String {
        format!(
            "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{package}\"\ndate = \"2020-11-18\"\n[versions]\npatched = []\n```\n# T\n"
        )
    }

    fn write(root: &Path, path: &str, content: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    #[test]
    fn a_folder_is_read_with_what_is_wrong_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(root, "crates/foo/RUSTSEC-2020-0001.md", &advisory("RUSTSEC-2020-0001", "foo"));
        write(root, "crates/bar/RUSTSEC-2020-0002.md", "no advisory");
        write(root, "crates/bar/RUSTSEC-0000-0000.md", "a draft");
        write(root, "crates/bar/.DS_Store", "x");
        write(root, "crates/old/RUSTSEC-2016-0001.toml", "x");
        write(root, "rust/std/CVE-2020-1.md", "x");
        write(root, "README.md", "x");
        write(root, ".git/objects/x.json", "x");
        let database = read(&[root.to_owned()]).unwrap();
        assert_eq!(database.advisories.len(), 1);
        let unreadable: Vec<_> =
            database.advisories.unreadable().iter().map(|file| (file.path.as_str(), file.package.as_deref())).collect();
        assert_eq!(
            unreadable,
            [("crates/bar/RUSTSEC-2020-0002.md", Some("bar")), ("crates/old/RUSTSEC-2016-0001.toml", Some("old"))]
        );
        assert_eq!(database.skipped, BTreeMap::from([(DRAFTS, 1), (TOOLCHAIN, 1)]));
        assert_eq!(database.date.unwrap().to_string(), "2020-11-18");
    }

    #[test]
    fn the_digest_is_of_the_content_and_not_of_the_place() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let files = ["foo", "bar", "baz"]
            .map(|name| (format!("crates/{name}/RUSTSEC-2020-0001.md"), advisory("RUSTSEC-2020-0001", name)));
        for ((path, content), (last, content_of_last)) in files.iter().zip(files.iter().rev()) {
            write(one.path(), path, content);
            write(other.path(), last, content_of_last);
        }
        let digest = |root: &Path| read(&[root.to_owned()]).unwrap().digest;
        assert_eq!(digest(one.path()), digest(other.path()));
        write(other.path(), &files[0].0, &format!("{}x", files[0].1));
        assert_ne!(digest(one.path()), digest(other.path()));
    }

    #[test]
    fn a_folder_without_advisories_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(read(&[folder.path().to_owned()]), Err(Error::Empty { .. })));
        assert!(matches!(read(&[folder.path().join("x")]), Err(Error::Io { .. })));
        let deep = (0..12).fold(folder.path().to_owned(), |path, _| path.join("a"));
        fs::create_dir_all(deep).unwrap();
        assert!(matches!(read(&[folder.path().to_owned()]), Err(Error::TooMuch { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(elsewhere.path(), "RUSTSEC-2020-0001.md", &advisory("RUSTSEC-2020-0001", "foo"));
        write(folder.path(), "crates/bar/RUSTSEC-2020-0002.md", &advisory("RUSTSEC-2020-0002", "bar"));
        std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("crates/foo")).unwrap();
        let database = read(&[folder.path().to_owned()]).unwrap();
        assert_eq!((database.advisories.len(), database.skipped[LINKS]), (1, 1));
    }
}
