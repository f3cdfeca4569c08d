//! What is in a `.crate`, whoever made it: its files, and what no file of an honest one is.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use flate2::bufread::GzDecoder;
use gix::hash::Kind as HashKind;
use gix::objs::Kind;
use semver::Version;
use sha2::{Digest as _, Sha256};

use crate::finding::{Fact, Unknown};
use crate::source::cargo_metadata::Member;
use crate::source::crate_archive::{Bounded, Broken, Walk, walk_tar};
use crate::subject::content::ObjectId;
use crate::subject::digest::Sha256Digest;
use crate::subject::release::{CrateFile, PackagedFile};

/// The largest `.crate` that is read.
pub const MAX_BYTES: u64 = 256 << 20;

/// The largest manifest, lock file or other file that cargo writes.
const MAX_TEXT: usize = 16 << 20;

/// What is wrong with an archive as a whole is told under this path.
const WHOLE: &str = ".";

/// How many irregular paths are told.
const MAX_IRREGULAR: usize = 1000;

/// Why a `.crate` could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is not what it should be.
    #[error("cannot read the `.crate`: {0}")]
    Broken(#[from] Broken),
    /// It is larger than [`MAX_BYTES`].
    #[error("the `.crate` is larger than {MAX_BYTES} bytes")]
    TooLarge,
}

/// What a `.crate` holds.
#[derive(Debug, Clone)]
pub struct Contents {
    /// What is known of it; not yet compared with anything.
    pub file: CrateFile,
    /// What is there and should not be, by path (`.` for the archive as a whole): `a symbolic link`.
    pub irregular: BTreeMap<String, String>,
    /// The id that git would give to each file.
    pub blobs: BTreeMap<String, ObjectId>,
    /// The files that cargo writes: `Cargo.toml`, `Cargo.toml.orig`, `Cargo.lock`, `.cargo_vcs_info.json`.
    pub written: BTreeMap<String, Vec<u8>>,
}

/// The files that cargo writes into a `.crate`, and the manifest that it keeps under another name.
const WRITTEN: &[&str] = &[MANIFEST, ORIGINAL, LOCKFILE, VCS_INFO];
/// The manifest as cargo rewrote it.
pub const MANIFEST: &str = "Cargo.toml";
/// The manifest as it is in the repository.
pub const ORIGINAL: &str = "Cargo.toml.orig";
/// The lock file, which cargo makes anew for the package alone.
pub const LOCKFILE: &str = "Cargo.lock";
/// The commit that cargo found.
pub const VCS_INFO: &str = ".cargo_vcs_info.json";

/// A package as a `.crate` names its folder.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its version.
    pub version: &'a Version,
}

impl<'a> From<&'a Member> for Named<'a> {
    fn from(member: &'a Member) -> Self {
        Self { name: &member.name, version: &member.version }
    }
}

impl Named<'_> {
    /// The folder in the archive: `name-1.2.3`.
    pub fn folder(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    /// The name of the archive: `name-1.2.3.crate`.
    pub fn file(&self) -> String {
        format!("{}.crate", self.folder())
    }
}

/// Reads a `.crate` to its end, and shows every file with its path below `NAME-VERSION/`.
///
/// # Errors
///
/// [`Error`] if it is damaged, or more than such an archive may be.
pub fn read(
    bytes: &[u8],
    package: Named<'_>,
    hash: HashKind,
    show: &mut dyn FnMut(&str, &[u8]),
) -> Result<Contents, Error> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::TooLarge);
    }
    let mut reader = Reader { files: BTreeMap::new(), irregular: BTreeMap::new(), seen: BTreeSet::new() };
    let (mut blobs, mut written) = (BTreeMap::new(), BTreeMap::new());
    let mut buffer = Vec::new();
    let folder = package.folder();
    let mut unread = bytes;
    let mut tar = Bounded::new(GzDecoder::new(&mut unread), bytes.len() as u64);
    let extended = walk_tar(&mut tar, |path, header, content| {
        let Some(path) = reader.path(&folder, path, header) else { return Ok(Walk::On) };
        buffer.clear();
        content.read_to_end(&mut buffer)?;
        reader.file(&path, header, &buffer);
        if let Ok(id) = gix::objs::compute_hash(hash, Kind::Blob, &buffer) {
            blobs.insert(path.clone(), id);
        }
        show(&path, &buffer);
        if WRITTEN.contains(&path.as_str()) && buffer.len() <= MAX_TEXT {
            written.insert(path, buffer.clone());
        }
        Ok(Walk::On)
    })?;
    if extended > 0 {
        reader.irregular(WHOLE, "extended headers, which not every reader heeds alike");
    }
    if has_more(&mut tar)? || !unread.is_empty() {
        reader.irregular(WHOLE, "something after the end of the archive");
    }
    let Reader { files, irregular, .. } = reader;
    let has_binaries = has_binaries(&files, written.get(MANIFEST));
    let comparison = Fact::Unknown(Unknown::new("the `.crate` was not compared with a commit"));
    let digest = Sha256Digest::new(Sha256::digest(bytes).into());
    let file = CrateFile { digest, size: bytes.len() as u64, files, has_binaries, comparison };
    Ok(Contents { file, irregular, blobs, written })
}

/// Reads some files of a `.crate` that was read before, as long as they are not more than `most` bytes together.
///
/// # Errors
///
/// As [`read`].
pub fn select(
    bytes: &[u8],
    package: Named<'_>,
    wanted: &BTreeSet<&str>,
    most: usize,
) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let prefix = format!("{}/", package.folder());
    let mut found = BTreeMap::new();
    let mut left = most;
    walk_tar(Bounded::new(GzDecoder::new(bytes), bytes.len() as u64), |path, header, content| {
        let path = path.strip_prefix(&prefix).unwrap_or_default();
        if !header.entry_type().is_file() || !wanted.contains(path) || found.contains_key(path) {
            return Ok(Walk::On);
        }
        let mut bytes = Vec::new();
        content.take(left as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() <= left {
            left -= bytes.len();
            found.insert(path.to_owned(), bytes);
        }
        Ok(if found.len() == wanted.len() { Walk::Enough } else { Walk::On })
    })?;
    Ok(found)
}

struct Reader {
    files: BTreeMap<String, PackagedFile>,
    irregular: BTreeMap<String, String>,
    seen: BTreeSet<String>,
}

impl Reader {
    fn irregular(&mut self, path: &str, what: &str) {
        if self.irregular.len() < MAX_IRREGULAR {
            self.irregular.insert(path.to_owned(), what.to_owned());
        }
    }

    /// The path of a file below the package's folder; none if that is not what it is.
    fn path(&mut self, folder: &str, path: &str, header: &tar::Header) -> Option<String> {
        let below = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
        let Some(below) = below.filter(|below| is_plain(below)) else {
            self.irregular(path, "a path that is not one of a file in the package's folder");
            return None;
        };
        if let Some(what) = not_a_file(header) {
            self.irregular(below, what);
            return None;
        }
        if !self.seen.insert(below.to_owned()) {
            self.irregular(below, "a second file of this path");
            return None;
        }
        Some(below.to_owned())
    }

    fn file(&mut self, path: &str, header: &tar::Header, content: &[u8]) {
        let is_executable = header.mode().is_ok_and(|mode| mode & 0o111 != 0);
        let digest = Sha256Digest::new(Sha256::digest(content).into());
        self.files.insert(path.to_owned(), PackagedFile { size: content.len() as u64, is_executable, digest });
    }
}

/// What an entry is, if it is no file.
fn not_a_file(header: &tar::Header) -> Option<&'static str> {
    match header.entry_type() {
        tar::EntryType::Regular => None,
        tar::EntryType::Symlink => Some("a symbolic link"),
        tar::EntryType::Link => Some("a hard link"),
        tar::EntryType::Directory => Some("a folder"),
        // Devices, pipes, sparse files: cargo writes none, and readers differ on what they are.
        _ => Some("something that is no file"),
    }
}

/// Whether a path below the package's folder stays there on every system.
fn is_plain(path: &str) -> bool {
    !path.contains(['\\', '\0']) && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// Whether anything but the zeros that fill up a tar archive follows its end.
fn has_more(rest: &mut impl Read) -> Result<bool, Broken> {
    let mut buffer = [0; 8 << 10];
    loop {
        match rest.read(&mut buffer)? {
            0 => return Ok(false),
            read if buffer[..read].iter().any(|byte| *byte != 0) => return Ok(true),
            _ => {}
        }
    }
}

/// Whether the package has binaries: cargo lists them in the manifest that it writes, and older ones did not.
fn has_binaries(files: &BTreeMap<String, PackagedFile>, manifest: Option<&Vec<u8>>) -> bool {
    let manifest = manifest.and_then(|bytes| std::str::from_utf8(bytes).ok());
    manifest
        .and_then(|text| crate::source::manifest::parse(MANIFEST, text).ok())
        .is_some_and(|manifest| manifest.has_binaries)
        || files.keys().any(|path| path == "src/main.rs" || path.starts_with("src/bin/"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tar::EntryType;

    use super::*;

    const MANIFEST_TEXT: &str = "[package]\nname = \"one\"\nversion = \"1.0.0\"\n[[bin]]\nname = \"one\"\n";

    /// An entry with a path as it is, whatever the tar library thinks of it.
    fn entry(path: &str, kind: EntryType, content: &[u8]) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o755);
        header.set_entry_type(kind);
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }

    fn gzip(tar: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(tar).unwrap();
        encoder.finish().unwrap()
    }

    fn pack(entries: &[Vec<u8>]) -> Vec<u8> {
        gzip(&[entries.concat(), vec![0; 1024]].concat())
    }

    fn file(path: &str, content: &str) -> Vec<u8> {
        entry(path, EntryType::Regular, content.as_bytes())
    }

    fn contents(bytes: &[u8]) -> Result<Contents, Error> {
        read(bytes, Named { name: "one", version: &Version::new(1, 0, 0) }, HashKind::Sha1, &mut |_, _| {})
    }

    fn irregular(entries: &[Vec<u8>]) -> Vec<(String, String)> {
        contents(&pack(entries)).unwrap().irregular.into_iter().collect()
    }

    #[test]
    fn files_are_listed_with_what_git_and_the_registry_call_them() {
        let bytes = pack(&[file("one-1.0.0/Cargo.toml", MANIFEST_TEXT), file("one-1.0.0/src/lib.rs", "hello\n")]);
        let contents = contents(&bytes).unwrap();
        assert_eq!(contents.irregular, BTreeMap::new());
        assert_eq!(contents.file.files.keys().collect::<Vec<_>>(), ["Cargo.toml", "src/lib.rs"]);
        let library = &contents.file.files["src/lib.rs"];
        assert_eq!((library.size, library.is_executable), (6, true));
        // As `printf 'hello\n' | git hash-object --stdin` says.
        assert_eq!(contents.blobs["src/lib.rs"].to_string(), "ce013625030ba8dba906f756967f9e9ca394464a");
        assert!(contents.file.has_binaries);
        assert_eq!(contents.written["Cargo.toml"], MANIFEST_TEXT.as_bytes());
        assert_eq!(contents.file.digest, Sha256Digest::new(Sha256::digest(&bytes).into()));
    }

    #[test]
    fn what_is_no_file_of_the_package_is_irregular() {
        let link = |kind| entry("one-1.0.0/a", kind, b"");
        assert_eq!(irregular(&[link(EntryType::Symlink)]), [("a".to_owned(), "a symbolic link".to_owned())]);
        for kind in [EntryType::Link, EntryType::Directory, EntryType::Fifo, EntryType::GNUSparse, EntryType::Char] {
            assert_eq!(irregular(&[link(kind)]).len(), 1, "{kind:?}");
        }
        let twice = [file("one-1.0.0/a", "1"), file("one-1.0.0/a", "2")];
        assert_eq!(irregular(&twice), [("a".to_owned(), "a second file of this path".to_owned())]);
        for path in [
            "../a",
            "/etc/passwd",
            "one-1.0.0/../a",
            "one-1.0.0/a/../../../b",
            "one-1.0.0/./a",
            "one-1.0.0//a",
            "one-1.0.0/a\\..\\b",
            "one-1.0.0",
            "one-1.0.0/",
            "one-1.0.01/a",
            "two-1.0.0/a",
            "a",
        ] {
            assert_eq!(irregular(&[file(path, "x")]).len(), 1, "{path}");
        }
    }

    #[test]
    fn what_follows_the_end_or_depends_on_the_reader_is_irregular() {
        let honest = [file("one-1.0.0/a", "x"), vec![0; 1024]].concat();
        let whole = |bytes: &[u8]| contents(bytes).unwrap().irregular.remove(".").unwrap_or_default();
        assert_eq!(whole(&gzip(&honest)), "");
        assert_eq!(whole(&gzip(&[honest.clone(), vec![0; 5000]].concat())), "");
        let after = "something after the end of the archive";
        assert_eq!(whole(&gzip(&[honest.clone(), file("one-1.0.0/b", "y")].concat())), after);
        assert_eq!(whole(&[gzip(&honest), gzip(&file("one-1.0.0/b", "y"))].concat()), after, "a second member");
        assert_eq!(whole(&[gzip(&honest), b"x".to_vec()].concat()), after);
        let extended = entry("pax", EntryType::XHeader, b"10 size=0\n");
        assert!(whole(&pack(&[extended, file("one-1.0.0/a", "x")])).starts_with("extended headers"));
    }

    #[test]
    fn what_is_no_archive_is_refused_wherever_it_ends() {
        let bytes = pack(&[file("one-1.0.0/Cargo.toml", MANIFEST_TEXT), file("one-1.0.0/a", &"x".repeat(2000))]);
        for end in 0..bytes.len() {
            assert!(contents(&bytes[..end]).is_err(), "{end} of {}", bytes.len());
        }
        for bytes in [b"".as_slice(), b"PK\x03\x04", &[0; 1000]] {
            assert!(matches!(contents(bytes), Err(Error::Broken(Broken::Damaged))));
        }
    }

    #[test]
    fn bombs_end_at_the_limit() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..11].copy_from_slice(b"one-1.0.0/a");
        header.set_size(1 << 40);
        header.set_cksum();
        encoder.write_all(header.as_bytes()).unwrap();
        let zeros = vec![0; 1 << 20];
        for _ in 0..513 {
            encoder.write_all(&zeros).unwrap();
        }
        let bomb = encoder.finish().unwrap();
        assert!(matches!(contents(&bomb), Err(Error::Broken(Broken::TooLarge))));
    }

    #[test]
    fn files_are_selected_as_far_as_they_fit() {
        let bytes = pack(&[file("one-1.0.0/a", "123"), file("one-1.0.0/b", "4567"), file("one-1.0.0/a", "xxx")]);
        let package = Named { name: "one", version: &Version::new(1, 0, 0) };
        let select = |most| select(&bytes, package, &BTreeSet::from(["a", "b", "c"]), most).unwrap();
        let texts = |found: BTreeMap<String, Vec<u8>>| found.into_values().map(|text| text.len()).collect::<Vec<_>>();
        assert_eq!([texts(select(7)), texts(select(6)), texts(select(2))], [vec![3, 4], vec![3], vec![]]);
    }
}
