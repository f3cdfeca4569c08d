//! The `.crate` files in cargo's cache, read in place: their digests, the licences in their manifests, and whether the
//! source that cargo unpacked from them is still what they hold.
//!
//! They come from strangers: what is read of one is bounded in size, number and ratio, nothing is ever unpacked, and no
//! symbolic link is followed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use rayon::prelude::*;
use semver::Version;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tar::EntryType;

use super::cache::{self, Cache};
use super::cargo_config::{CargoConfig, Folders, IndexLocation, Origin};
use super::http::{Answer, Http, Validators};
use super::index::{RegistryConfig, Stamp};
use crate::finding::{Fact, Unknown};
use crate::subject::digest::Sha256Digest;
use crate::subject::package::{Archive, ArchiveManifest, Registry};

/// Largest manifest that is read.
const MAX_MANIFEST: u64 = 1 << 20;
/// Longest path in an archive.
const MAX_PATH: u64 = 4096;
/// Most files in an archive, or in an unpacked package.
const MAX_FILES: usize = 100_000;
/// What an archive may unpack to: so much, or [`MAX_RATIO`] times its own size. Cargo's limits, too.
const MAX_UNPACKED: u64 = 512 << 20;
const MAX_RATIO: u64 = 20;
/// Largest `.crate` that is downloaded; crates.io allows 10 MiB, and more on request.
const MAX_DOWNLOAD: u64 = 64 << 20;
/// How many differing files are named.
const MAX_NAMED: usize = 1000;
/// Where digests are remembered.
const MEMORY: &str = "archives/digests";

/// A release of a registry: the registry, the name and the version.
pub type Key = (Registry, String, Version);

/// What is wanted of archives besides their digest.
#[derive(Debug, Clone, Copy, Default)]
pub struct Effort {
    /// Read the manifests in them.
    pub manifests: bool,
    /// Hash anew what was hashed before, compare unpacked sources, and download what cargo's cache does not have.
    pub deep: bool,
}

/// What the archives say.
#[derive(Debug, Default)]
pub struct Archives {
    /// One for each release whose archive was had, or was to be downloaded.
    pub entries: BTreeMap<Key, Fact<Archive>>,
    /// How much that was.
    pub coverage: Coverage,
    /// Why digests could not be kept for the next run.
    pub not_kept: Option<cache::Error>,
}

/// How many archives were looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Releases that were asked for.
    pub asked: usize,
    /// Archives in cargo's cache.
    pub cached: usize,
    /// Those of them that had not changed since they were hashed.
    pub remembered: usize,
    /// Archives that were downloaded, and not kept.
    pub downloaded: usize,
    /// Releases without an archive.
    pub missing: usize,
}

/// What is remembered of an archive that does not change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Memory {
    path: String,
    size: u64,
    modified: u128,
    sha256: String,
    /// None if the manifest was not read.
    manifest: Option<Licences>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Licences {
    license: Option<String>,
    license_file: Option<String>,
}

/// Releases, with the checksum that the lock file has for them; some registries name downloads by it.
pub type Wanted = BTreeMap<Key, Option<Sha256Digest>>;

/// Reads the archives of these releases.
pub fn read(config: &CargoConfig, cache: &Cache, http: &Http, wanted: &Wanted, effort: Effort) -> Archives {
    let mut origins: BTreeMap<&Registry, Option<Origin>> = BTreeMap::new();
    for (registry, _, _) in wanted.keys() {
        origins.entry(registry).or_insert_with(|| config.origin(registry).ok());
    }
    let memory = recall(cache);
    let read: Vec<(&Key, Option<Look>)> = wanted
        .par_iter()
        .map(|(key, _)| {
            let origin = origins.get(&key.0).and_then(Option::as_ref);
            (key, origin.and_then(|origin| look(origin, key, &memory, effort)))
        })
        .collect();
    let mut archives = Archives::default();
    archives.coverage.asked = wanted.len();
    let mut new = Vec::new();
    let mut missing = Vec::new();
    for (key, look) in read {
        let Some(look) = look else {
            missing.push(key);
            continue;
        };
        archives.coverage.cached += 1;
        archives.coverage.remembered += usize::from(look.is_remembered);
        new.extend(look.memory.filter(|_| !look.is_remembered));
        archives.entries.insert(key.clone(), look.archive);
    }
    if effort.deep {
        for (key, archive) in download(http, &origins, &missing, wanted) {
            archives.coverage.downloaded += usize::from(archive.known().is_some());
            archives.entries.insert(key.clone(), archive);
        }
    }
    archives.coverage.missing = archives.coverage.asked - archives.coverage.cached - archives.coverage.downloaded;
    if !new.is_empty() {
        archives.not_kept = keep(cache, new).err();
    }
    archives
}

/// What was seen of one archive.
struct Look {
    archive: Fact<Archive>,
    memory: Option<Memory>,
    is_remembered: bool,
}

/// Looks at the archive of a release in cargo's cache; none if it is not there.
fn look(origin: &Origin, key: &Key, memory: &BTreeMap<String, Memory>, effort: Effort) -> Option<Look> {
    let (_, name, version) = key;
    let package = format!("{name}-{version}");
    // Names in lock files are foreign, and so may be paths.
    if package.contains(['/', '\\']) || package.contains("..") {
        return None;
    }
    let place = |folders: &Folders| folders.archives.join(format!("{package}.crate"));
    let (folders, path, metadata) = origin.folders.iter().find_map(|folders| {
        let path = place(folders);
        let metadata = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?;
        Some((folders, path, metadata))
    })?;
    let unreadable = |error: &io::Error| Look {
        archive: Fact::Unknown(Unknown::new(format!("cargo's cached `.crate` cannot be read: {}", error.kind()))),
        memory: None,
        is_remembered: false,
    };
    let (mut size, mut stamp) = (metadata.len(), Stamp::of(&metadata));
    let text = path.to_string_lossy().into_owned();
    let known = memory
        .get(&text)
        .filter(|known| stamp.is_some_and(|stamp| (known.size, known.modified) == (stamp.size, stamp.modified)))
        .filter(|_| !effort.deep);
    let checksum = match known.and_then(|known| Sha256Digest::parse(&known.sha256)) {
        Some(checksum) => Ok(checksum),
        // What is remembered of a file is the size and time of the very one that was read.
        None => open(&path).and_then(|(file, opened, at)| {
            (size, stamp) = (opened, at);
            digest(&file)
        }),
    };
    let checksum = match checksum {
        Ok(checksum) => checksum,
        Err(error) => return Some(unreadable(&error)),
    };
    let remembered = known.and_then(|known| known.manifest.as_ref());
    let is_remembered = known.is_some() && (remembered.is_some() || !effort.manifests);
    let manifest = match remembered {
        Some(Licences { license, license_file }) => {
            Fact::Known(ArchiveManifest { license: license.clone(), license_file: license_file.clone() })
        }
        None if effort.manifests => match File::open(&path) {
            Ok(file) => manifest(file, size, &package),
            Err(error) => return Some(unreadable(&error)),
        },
        None => Fact::Unknown(Unknown::new("the manifest in the `.crate` was not asked for")),
    };
    let unpacked = if effort.deep { compare(&path, size, &package, &folders.sources.join(&package)) } else { None };
    let memory = stamp.map(|stamp| Memory {
        path: text,
        size: stamp.size,
        modified: stamp.modified,
        sha256: checksum.to_string(),
        manifest: manifest
            .known()
            .map(|known| Licences { license: known.license.clone(), license_file: known.license_file.clone() }),
    });
    Some(Look { archive: Fact::Known(Archive { checksum, manifest, unpacked }), memory, is_remembered })
}

fn open(path: &Path) -> io::Result<(File, u64, Option<Stamp>)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    Ok((file, metadata.len(), Stamp::of(&metadata)))
}

fn digest(mut file: &File) -> io::Result<Sha256Digest> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Sha256Digest::new(hash.finalize().into())),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// Reads the manifest of a package out of its archive.
fn manifest(archive: impl Read, size: u64, package: &str) -> Fact<ArchiveManifest> {
    let wanted = format!("{package}/Cargo.toml");
    let mut text = None;
    let walked = walk(archive, size, |path, kind, content| {
        if path != wanted || !kind.is_file() {
            return Ok(Walk::On);
        }
        let mut bytes = Vec::new();
        content.take(MAX_MANIFEST + 1).read_to_end(&mut bytes).map_err(Broken::from)?;
        text = Some(bytes);
        Ok(Walk::Enough)
    });
    let unknown = |why: &str| Fact::Unknown(Unknown::new(format!("the manifest in the `.crate` {why}")));
    let bytes = match (walked, text) {
        (_, Some(bytes)) => bytes,
        (Ok(()), None) => return unknown("is missing"),
        (Err(broken), None) => return unknown(&format!("cannot be read: {broken}")),
    };
    if bytes.len() as u64 > MAX_MANIFEST {
        return unknown("is larger than 1 MiB");
    }
    let parsed = std::str::from_utf8(&bytes).ok().and_then(|text| toml::from_str::<Manifest>(text).ok());
    // `[project]` is what `[package]` was called before 1.0.
    match parsed.and_then(|manifest| manifest.package.or(manifest.project)) {
        Some(ManifestPackage { license, license_file }) => {
            let string = |value: Option<toml::Value>| value.and_then(|value| value.as_str().map(str::to_owned));
            Fact::Known(ArchiveManifest { license: string(license), license_file: string(license_file) })
        }
        None => unknown("is malformed"),
    }
}

#[derive(Deserialize)]
struct Manifest {
    package: Option<ManifestPackage>,
    project: Option<ManifestPackage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ManifestPackage {
    license: Option<toml::Value>,
    license_file: Option<toml::Value>,
}

/// Compares what cargo unpacked with the archive; none if nothing is unpacked.
fn compare(archive: &Path, size: u64, package: &str, source: &Path) -> Option<Fact<Vec<String>>> {
    let metadata = fs::symlink_metadata(source).ok()?;
    if !metadata.is_dir() {
        return Some(Fact::Known(vec![".".to_owned()]));
    }
    let unknown = |why: String| Some(Fact::Unknown(Unknown::new(format!("unpacked source and archive: {why}"))));
    let mut unpacked = match files_below(source) {
        Ok(files) => files,
        Err(error) => return unknown(error.to_string()),
    };
    // Cargo's own mark that it finished unpacking.
    unpacked.remove(".cargo-ok");
    let mut seen = BTreeSet::new();
    let mut different = BTreeSet::new();
    let file = match File::open(archive) {
        Ok(file) => file,
        Err(error) => return unknown(error.kind().to_string()),
    };
    let walked = walk(BufReader::new(file), size, |path, kind, content| {
        if kind.is_dir() {
            return Ok(Walk::On);
        }
        let path = path.strip_prefix(package).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path).to_owned();
        // Of two entries with one path the last one is what lies on the disk; no honest archive has two.
        let is_first = seen.insert(path.clone());
        let is_same = match unpacked.get(&path) {
            Some(Found::File(place)) if kind.is_file() && is_first => is_same(place, content)?,
            Some(Found::File(_) | Found::Other) | None => false,
        };
        if !is_same && different.len() < MAX_NAMED {
            different.insert(path);
        }
        Ok(Walk::On)
    });
    if let Err(broken) = walked {
        return unknown(broken.to_string());
    }
    let extra = unpacked.into_keys().filter(|path| !seen.contains(path));
    different.extend(extra.take(MAX_NAMED));
    Some(Fact::Known(different.into_iter().take(MAX_NAMED).collect()))
}

/// Something in an unpacked package.
enum Found {
    File(PathBuf),
    /// A link, or anything else that no archive of cargo's holds.
    Other,
}

/// All files below a folder, by their path relative to it with `/`.
fn files_below(folder: &Path) -> io::Result<BTreeMap<String, Found>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push((entry.path(), format!("{path}/")));
            } else {
                found.insert(path, if kind.is_file() { Found::File(entry.path()) } else { Found::Other });
            }
            if found.len() + folders.len() > MAX_FILES {
                return Err(io::Error::other("more files than a package can have"));
            }
        }
    }
    Ok(found)
}

/// Whether a file has this content.
fn is_same(place: &Path, content: &mut dyn Read) -> Result<bool, Broken> {
    let Ok(mut file) = File::open(place) else { return Ok(false) };
    let (mut ours, mut theirs) = ([0; 8 << 10], [0; 8 << 10]);
    loop {
        let read = content.read(&mut theirs)?;
        if read == 0 {
            return Ok(file.read(&mut ours).is_ok_and(|rest| rest == 0));
        }
        if file.read_exact(&mut ours[..read]).is_err() || ours[..read] != theirs[..read] {
            return Ok(false);
        }
    }
}

/// Downloads archives into memory, a few at a time; nothing is kept.
fn download<'a>(
    http: &Http,
    origins: &BTreeMap<&Registry, Option<Origin>>,
    missing: &[&'a Key],
    wanted: &Wanted,
) -> Vec<(&'a Key, Fact<Archive>)> {
    let registries: BTreeSet<&Registry> = missing.iter().map(|(registry, _, _)| registry).collect();
    let configs: BTreeMap<&Registry, Result<RegistryConfig, Unknown>> = registries
        .into_iter()
        .map(|registry| {
            let config = match origins.get(registry).and_then(Option::as_ref).map(|origin| &origin.index) {
                Some(IndexLocation::Sparse(index)) => {
                    RegistryConfig::fetch(http, index).map_err(|error| Unknown::new(error.to_string()))
                }
                Some(IndexLocation::Git(_) | IndexLocation::Local(_) | IndexLocation::Directory(_)) | None => {
                    Err(Unknown::new("cargo's cache does not have the `.crate`").hint("run `cargo fetch`"))
                }
            };
            (registry, config)
        })
        .collect();
    missing
        .par_iter()
        .map(|key| {
            let (registry, name, version) = *key;
            let archive = match configs.get(registry) {
                Some(Ok(config)) => {
                    let checksum = wanted.get(*key).copied().flatten();
                    fetch(http, config, name, version, checksum)
                }
                Some(Err(unknown)) => Fact::Unknown(unknown.clone()),
                None => Fact::Unknown(Unknown::new("cargo's cache does not have the `.crate`")),
            };
            (*key, archive)
        })
        .collect()
}

fn fetch(
    http: &Http,
    config: &RegistryConfig,
    name: &str,
    version: &Version,
    checksum: Option<Sha256Digest>,
) -> Fact<Archive> {
    let unknown = |why: &str| Fact::Unknown(Unknown::new(format!("the `.crate` cannot be downloaded: {why}")));
    let checksum = checksum.map(|checksum| checksum.to_string()).unwrap_or_default();
    let url = config.download(name, &version.to_string(), &checksum);
    match http.get(&url, MAX_DOWNLOAD, &Validators::default()) {
        Ok(Answer::Content { bytes, .. }) => {
            let checksum = Sha256Digest::new(Sha256::digest(&bytes).into());
            let manifest = manifest(bytes.as_slice(), bytes.len() as u64, &format!("{name}-{version}"));
            Fact::Known(Archive { checksum, manifest, unpacked: None })
        }
        Ok(Answer::NotFound | Answer::NotModified) => unknown("the registry does not have it"),
        Err(error) => unknown(&error.to_string()),
    }
}

/// Whether to go on.
pub(super) enum Walk {
    On,
    Enough,
}

/// Why an archive cannot be walked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// It is no such archive, or not a whole one.
    #[error("not a gzip-compressed tar archive, or a damaged one")]
    Damaged,
    /// It is a bomb, or might as well be one.
    #[error("it unpacks to more than such an archive may")]
    TooLarge,
    /// It has too many entries.
    #[error("it has more than {MAX_FILES} files")]
    TooMany,
    /// An entry cannot be named.
    #[error("it has a path that is too long or not UTF-8")]
    Path,
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::FileTooLarge { Self::TooLarge } else { Self::Damaged }
    }
}

/// Fails with [`io::ErrorKind::FileTooLarge`] once more is read than may be.
pub(super) struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R> Bounded<R> {
    /// What an archive of `size` bytes may unpack to.
    pub(super) fn new(inner: R, size: u64) -> Self {
        Self { inner, left: MAX_UNPACKED.max(size.saturating_mul(MAX_RATIO)) }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(read)
    }
}

/// Shows every entry of a `.crate`: its path, its type and its content.
///
/// Long names are put together here and not by the tar reader, which would hold one of any length in memory.
pub(super) fn walk(
    archive: impl Read,
    size: u64,
    mut show: impl FnMut(&str, EntryType, &mut dyn Read) -> Result<Walk, Broken>,
) -> Result<(), Broken> {
    walk_tar(Bounded::new(GzDecoder::new(archive), size), |path, header, content| {
        show(path, header.entry_type(), content)
    })
    .map(|_| ())
}

/// Shows every entry of a tar archive: its path, its header and its content. Returns how many extended headers it has,
/// which cargo never writes, and of which others may heed more than the path.
///
/// Long names are put together here and not by the tar reader, which would hold one of any length in memory.
pub(super) fn walk_tar(
    archive: impl Read,
    mut show: impl FnMut(&str, &tar::Header, &mut dyn Read) -> Result<Walk, Broken>,
) -> Result<usize, Broken> {
    let mut archive = tar::Archive::new(archive);
    let mut extended = 0;
    let mut long_path: Option<String> = None;
    for (count, entry) in archive.entries()?.raw(true).enumerate() {
        if count >= MAX_FILES {
            return Err(Broken::TooMany);
        }
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        match kind {
            EntryType::GNULongName => {
                let mut bytes = short(&mut entry)?;
                bytes.truncate(memchr::memchr(0, &bytes).unwrap_or(bytes.len()));
                long_path = Some(String::from_utf8(bytes).map_err(|_| Broken::Path)?);
            }
            EntryType::XHeader => {
                extended += 1;
                let bytes = short(&mut entry)?;
                for extension in tar::PaxExtensions::new(&bytes) {
                    let extension = extension?;
                    if extension.key() == Ok("path") {
                        long_path = Some(extension.value().map_err(|_| Broken::Path)?.to_owned());
                    }
                }
            }
            EntryType::XGlobalHeader | EntryType::GNULongLink => extended += 1,
            _ => {
                let path = match long_path.take() {
                    Some(path) => path,
                    None => String::from_utf8(entry.path_bytes().into_owned()).map_err(|_| Broken::Path)?,
                };
                let header = entry.header().clone();
                if let Walk::Enough = show(&path, &header, &mut entry)? {
                    return Ok(extended);
                }
            }
        }
    }
    Ok(extended)
}

fn short(content: impl Read) -> Result<Vec<u8>, Broken> {
    let mut bytes = Vec::new();
    content.take(MAX_PATH + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_PATH { Err(Broken::Path) } else { Ok(bytes) }
}

/// What is remembered, by path.
fn recall(cache: &Cache) -> BTreeMap<String, Memory> {
    let bytes = cache.read(MEMORY).unwrap_or_default();
    let lines = bytes.split(|byte| *byte == b'\n');
    lines
        .filter_map(|line| serde_json::from_slice::<Memory>(line).ok())
        .map(|memory| (memory.path.clone(), memory))
        .collect()
}

/// Adds to what is remembered, and forgets archives that are gone.
fn keep(cache: &Cache, new: Vec<Memory>) -> Result<(), cache::Error> {
    let _guard = cache.lock(MEMORY)?;
    let mut memory = recall(cache);
    memory.retain(|path, _| Path::new(path).is_file());
    memory.extend(new.into_iter().map(|memory| (memory.path.clone(), memory)));
    let mut text = Vec::new();
    for memory in memory.values() {
        // Strings and numbers are always JSON.
        if let Ok(line) = serde_json::to_vec(memory) {
            text.extend(line);
            text.push(b'\n');
        }
    }
    cache.write(MEMORY, &text)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tempfile::TempDir;

    use super::*;

    const MANIFEST: &str = "[package]\nname = 'one'\nversion = '1.0.0'\nlicense = 'MIT'\n";
    const HONEST: &[(&str, &str)] = &[("one-1.0.0/Cargo.toml", MANIFEST), ("one-1.0.0/src/lib.rs", "fn one() {}\n")];

    struct Machine {
        folder: TempDir,
        config: CargoConfig,
        cache: Cache,
    }

    impl Machine {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let config = CargoConfig::read(Path::new("/"), folder.path(), &BTreeMap::new()).unwrap();
            let cache = Cache::new(Some(folder.path().join("own")));
            Self { folder, config, cache }
        }

        fn folders(&self) -> Folders {
            self.config.origin(&key().0).unwrap().folders[0].clone()
        }

        /// Puts an archive into cargo's cache.
        fn archive(&self, bytes: &[u8]) {
            fs::create_dir_all(self.folders().archives).unwrap();
            fs::write(self.folders().archives.join("one-1.0.0.crate"), bytes).unwrap();
        }

        /// Puts a file into cargo's unpacked source.
        fn unpacked(&self, path: &str, content: &str) {
            let path = self.folders().sources.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }

        fn read(&self, effort: Effort) -> Archives {
            read(&self.config, &self.cache, &Http::offline(), &BTreeMap::from([(key(), None)]), effort)
        }

        fn manifest(&self) -> Fact<ArchiveManifest> {
            let archives = self.read(Effort { manifests: true, deep: false });
            archives.entries[&key()].known().unwrap().manifest.clone()
        }

        fn differences(&self) -> Option<Vec<String>> {
            let archives = self.read(Effort { manifests: false, deep: true });
            let unpacked = archives.entries[&key()].known().unwrap().unpacked.clone();
            unpacked.map(|files| files.known().unwrap().clone())
        }
    }

    fn key() -> Key {
        (Registry { index: Registry::CRATES_IO.to_owned() }, "one".to_owned(), Version::new(1, 0, 0))
    }

    fn pack(files: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, path, content.as_bytes()).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap()
    }

    fn reason(fact: Fact<ArchiveManifest>) -> String {
        match fact {
            Fact::Known(manifest) => format!("{manifest:?}"),
            Fact::Unknown(unknown) => unknown.reason,
        }
    }

    #[test]
    fn digests_and_licences_are_read_once() {
        let machine = Machine::new();
        assert_eq!(machine.read(Effort::default()).coverage, Coverage { asked: 1, missing: 1, ..Coverage::default() });
        let bytes = pack(HONEST);
        machine.archive(&bytes);
        let effort = Effort { manifests: true, deep: false };
        for remembered in [0, 1] {
            let archives = machine.read(effort);
            assert_eq!(archives.coverage, Coverage { asked: 1, cached: 1, remembered, ..Coverage::default() });
            let archive = archives.entries[&key()].known().unwrap();
            assert_eq!(archive.checksum, Sha256Digest::new(Sha256::digest(&bytes).into()));
            assert_eq!(archive.manifest.known().unwrap().license.as_deref(), Some("MIT"));
        }
        // Another size, so that it is seen whatever the clock of the file system counts in.
        let other = pack(&[("one-1.0.0/Cargo.toml", "[package]\nlicense-file = 'LICENSE.very.long.name.txt'\n")]);
        machine.archive(&other);
        assert_ne!(bytes.len(), other.len());
        let archives = machine.read(effort);
        assert_eq!(archives.coverage.remembered, 0);
        assert_eq!(
            archives.entries[&key()].known().unwrap().manifest.known().unwrap().license_file.as_deref(),
            Some("LICENSE.very.long.name.txt")
        );
        assert_eq!(machine.read(Effort { manifests: true, deep: true }).coverage.remembered, 0, "hashed anew");
    }

    #[test]
    fn manifests_are_found_under_the_name_of_the_package_only() {
        let machine = Machine::new();
        machine.archive(&pack(&[("two-1.0.0/Cargo.toml", MANIFEST), ("one-1.0.0/a/Cargo.toml", MANIFEST)]));
        assert_eq!(reason(machine.manifest()), "the manifest in the `.crate` is missing");
        let deep = format!("one-1.0.0/{}/x", "long".repeat(60));
        machine.archive(&pack(&[(&deep, "x"), ("one-1.0.0/Cargo.toml", MANIFEST)]));
        assert!(machine.manifest().known().is_some(), "a long name before it");
        machine.archive(&pack(&[("one-1.0.0/Cargo.toml", "[project]\nname = 'one'\nlicense = 'MIT/Apache-2.0'\n")]));
        assert_eq!(machine.manifest().known().unwrap().license.as_deref(), Some("MIT/Apache-2.0"));
        for broken in ["[package", "", "[package]\nlicense =", "\u{0}"] {
            machine.archive(&pack(&[("one-1.0.0/Cargo.toml", broken)]));
            assert_eq!(reason(machine.manifest()), "the manifest in the `.crate` is malformed", "{broken}");
        }
    }

    #[test]
    fn damaged_archives_keep_their_digest_and_have_a_reason() {
        let machine = Machine::new();
        let whole = pack(HONEST);
        for bytes in [b"".as_slice(), b"not an archive", &whole[..40]] {
            machine.archive(bytes);
            let archives = machine.read(Effort { manifests: true, deep: true });
            let archive = archives.entries[&key()].known().unwrap();
            assert_eq!(archive.checksum, Sha256Digest::new(Sha256::digest(bytes).into()));
            let reason = reason(archive.manifest.clone());
            assert!(reason.starts_with("the manifest in the `.crate` "), "{reason}");
        }
        for end in 0..whole.len() {
            let _ = manifest(&whole[..end], end as u64, "one-1.0.0");
        }
    }

    #[test]
    fn bombs_end_at_the_limits() {
        // A long name of a gigabyte, in a megabyte.
        let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(EntryType::GNULongName);
        header.set_size(1 << 30);
        header.set_cksum();
        bomb.write_all(header.as_bytes()).unwrap();
        bomb.write_all(&vec![b'a'; 1 << 20]).unwrap();
        let bomb = bomb.finish().unwrap();
        assert!(matches!(walk(bomb.as_slice(), bomb.len() as u64, |_, _, _| Ok(Walk::On)), Err(Broken::Path)));
        let large = "x".repeat(usize::try_from(MAX_MANIFEST).unwrap() + 1);
        let bomb = pack(&[("one-1.0.0/Cargo.toml", &large)]);
        assert_eq!(
            reason(manifest(bomb.as_slice(), 1, "one-1.0.0")),
            "the manifest in the `.crate` is larger than 1 MiB"
        );
        let mut bounded = Bounded { inner: io::repeat(0), left: 100 };
        let error = bounded.read_to_end(&mut Vec::new()).unwrap_err();
        assert!(matches!(Broken::from(error), Broken::TooLarge));
    }

    #[test]
    fn unpacked_source_is_compared_file_by_file() {
        let machine = Machine::new();
        machine.archive(&pack(HONEST));
        assert_eq!(machine.differences(), None);
        machine.unpacked("one-1.0.0/Cargo.toml", MANIFEST);
        machine.unpacked("one-1.0.0/src/lib.rs", "fn one() {}\n");
        machine.unpacked("one-1.0.0/.cargo-ok", "{\"v\":1}");
        assert_eq!(machine.differences(), Some(Vec::new()));
        machine.unpacked("one-1.0.0/src/lib.rs", "fn two() {}\n");
        machine.unpacked("one-1.0.0/build.rs", "fn main() {}\n");
        assert_eq!(machine.differences().unwrap(), ["build.rs", "src/lib.rs"]);
        for changed in ["fn one() {}", "fn one() {}\n\n", ""] {
            machine.unpacked("one-1.0.0/src/lib.rs", changed);
            assert_eq!(machine.differences().unwrap(), ["build.rs", "src/lib.rs"], "{changed:?}");
        }
        fs::remove_file(machine.folders().sources.join("one-1.0.0/src/lib.rs")).unwrap();
        assert_eq!(machine.differences().unwrap(), ["build.rs", "src/lib.rs"]);
        let twice = [HONEST, &[("one-1.0.0/Cargo.toml", MANIFEST)]].concat();
        machine.archive(&pack(&twice));
        assert_eq!(machine.differences().unwrap(), ["Cargo.toml", "build.rs", "src/lib.rs"], "an entry twice");
    }

    #[cfg(unix)]
    #[test]
    fn links_in_unpacked_source_are_differences_and_not_followed() {
        let machine = Machine::new();
        machine.archive(&pack(HONEST));
        machine.unpacked("one-1.0.0/src/lib.rs", "fn one() {}\n");
        machine.unpacked("elsewhere/Cargo.toml", MANIFEST);
        let (sources, link) = (machine.folders().sources, std::os::unix::fs::symlink::<PathBuf, PathBuf>);
        link(sources.join("elsewhere/Cargo.toml"), sources.join("one-1.0.0/Cargo.toml")).unwrap();
        link(sources.clone(), sources.join("one-1.0.0/loop")).unwrap();
        assert_eq!(machine.differences().unwrap(), ["Cargo.toml", "loop"]);
        assert!(machine.folder.path().exists());
    }
}
