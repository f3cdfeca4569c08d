//! Reads archives of advisory databases into memory: nothing is ever written to the paths in them.

use std::collections::BTreeMap;
use std::io::{self, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::super::zip::{DEFLATED, ENCRYPTED, EndOfDirectory, Entry, LocalHeader, STORED};
use super::{Kind, LARGEST_RECORD, LINKS, MOST_FILES};

/// What all entries may have together; RustSec's has 1.5 MB, OSV's of crates.io some 10.
const LARGEST_CONTENT: u64 = 512 << 20;
/// How often larger than the archive its content may be, beyond the first megabyte. Advisories shrink to a quarter.
const LARGEST_RATIO: u64 = 100;

/// What is in an archive.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Path and content of each file that may hold an advisory.
    pub(super) entries: Vec<(String, Vec<u8>)>,
    pub(super) skipped: BTreeMap<&'static str, usize>,
    /// When the newest entry was changed.
    pub(super) date: Option<Date>,
}

/// Bounds what comes out of one archive.
struct Budget {
    bytes: u64,
    entries: usize,
}

impl Budget {
    fn new(archive: &[u8]) -> Self {
        let archive = u64::try_from(archive.len()).unwrap_or(u64::MAX);
        let bytes = archive.saturating_mul(LARGEST_RATIO).saturating_add(1 << 20).min(LARGEST_CONTENT);
        Self { bytes, entries: MOST_FILES }
    }

    fn count(&mut self) -> Result<(), String> {
        self.entries = self.entries.checked_sub(1).ok_or(format!("more than {MOST_FILES} entries"))?;
        Ok(())
    }

    /// Reads an entry to its end.
    fn read(&mut self, entry: &mut dyn Read, path: &str) -> Result<Vec<u8>, String> {
        let limit = self.bytes.min(LARGEST_RECORD);
        let mut content = Vec::new();
        entry.take(limit + 1).read_to_end(&mut content).map_err(|error| format!("entry `{path}`: {error}"))?;
        let len = u64::try_from(content.len()).unwrap_or(u64::MAX);
        if len > limit {
            return Err(format!("entry `{path}`: unpacks to more than {limit} bytes"));
        }
        self.bytes -= len;
        Ok(content)
    }
}

/// Reads an archive as forges make them of a repository: everything is in one folder.
pub(super) fn tar_gz(archive: &[u8]) -> Result<Contents, String> {
    let mut budget = Budget::new(archive);
    // The archive as a whole is bounded as well, since names and what is skipped unpack too.
    let unpacked = MultiGzDecoder::new(archive).take(budget.bytes.saturating_mul(2));
    let mut tar = tar::Archive::new(unpacked);
    let mut contents = Contents::default();
    for entry in tar.entries().map_err(|error| error.to_string())? {
        let mut entry = entry.map_err(|error| error.to_string())?;
        budget.count()?;
        let kind = entry.header().entry_type();
        if kind.is_symlink() || kind.is_hard_link() {
            *contents.skipped.entry(LINKS).or_default() += 1;
        }
        if !kind.is_file() {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).replace('\\', "/");
        let path = path.split_once('/').map_or(path.as_str(), |(_, within)| within).to_owned();
        if Kind::of(&path).is_none() {
            continue;
        }
        let changed = entry.header().mtime().ok().and_then(|seconds| i64::try_from(seconds).ok());
        let changed = changed.and_then(|seconds| Timestamp::from_second(seconds).ok());
        contents.date = contents.date.max(changed.map(|time| TimeZone::UTC.to_datetime(time).date()));
        let content = budget.read(&mut entry, &path)?;
        contents.entries.push((path, content));
    }
    // What follows has the checksum of it all; an archive that was cut could otherwise look like a smaller one.
    let mut rest = tar.into_inner();
    io::copy(&mut rest, &mut io::sink()).map_err(|error| error.to_string())?;
    if rest.limit() == 0 {
        return Err("unpacks to more than a database would".to_owned());
    }
    Ok(contents)
}

/// Reads an archive as osv.dev makes them of an ecosystem: all records side by side, stored or deflated.
pub(super) fn zip(archive: &[u8]) -> Result<Contents, String> {
    let mut budget = Budget::new(archive);
    let mut contents = Contents::default();
    let end = EndOfDirectory::find(archive).ok_or("expected the end of a ZIP directory")?;
    let mut rest = archive.get(usize_of(end.offset)..end.at).ok_or("expected the directory within the file")?;
    for _ in 0..end.entries {
        budget.count()?;
        let entry = Entry::read(rest).ok_or("expected an entry of the directory")?;
        rest = &rest[entry.len..];
        let path = String::from_utf8_lossy(entry.name).replace('\\', "/");
        if path.ends_with('/') || Kind::of(&path).is_none() {
            continue;
        }
        if entry.flags & ENCRYPTED != 0 {
            return Err(format!("entry `{path}`: encrypted"));
        }
        let place =
            archive.get(usize_of(entry.offset)..).ok_or(format!("entry `{path}`: expected it within the file"))?;
        let local = LocalHeader::read(place).ok_or(format!("entry `{path}`: expected its header"))?;
        // The lengths here may differ from those in the directory; the sizes are only certain there.
        let packed = place.get(local.len..).and_then(|packed| packed.get(..usize_of(entry.packed)));
        let packed = packed.ok_or("expected more of the file")?;
        let content = match entry.method {
            STORED => budget.read(&mut &*packed, &path)?,
            DEFLATED => budget.read(&mut DeflateDecoder::new(packed), &path)?,
            other => return Err(format!("entry `{path}`: packed in a way that is not known ({other})")),
        };
        let mut crc = flate2::Crc::new();
        crc.update(&content);
        if crc.sum() != entry.checksum {
            return Err(format!("entry `{path}`: damaged"));
        }
        contents.entries.push((path, content));
    }
    if !rest.is_empty() {
        return Err("expected as many entries as the directory says".to_owned());
    }
    Ok(contents)
}

fn usize_of(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder};
    use std::io::Write as _;

    /// A ZIP of deflated entries, written by hand so that it can lie.
    fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        let word = |value: usize| u32::try_from(value).unwrap().to_le_bytes();
        let half = |value: usize| u16::try_from(value).unwrap().to_le_bytes();
        for (path, content) in entries {
            let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
            packed.write_all(content).unwrap();
            let packed = packed.finish().unwrap();
            let mut crc = flate2::Crc::new();
            crc.update(content);
            let offset = out.len();
            out.extend([b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0", &crc.sum().to_le_bytes()[..]].concat());
            out.extend([word(packed.len()), word(content.len())].concat());
            out.extend([half(path.len()), half(0)].concat());
            out.extend(path.bytes().chain(packed.iter().copied()));
            directory.extend([b"PK\x01\x02\x14\0\x14\0\0\0\x08\0\0\0\0\0", &crc.sum().to_le_bytes()[..]].concat());
            directory.extend([word(packed.len()), word(content.len())].concat());
            directory.extend([half(path.len()), half(0), half(0), half(0), half(0)].concat());
            directory.extend([word(0), word(offset)].concat());
            directory.extend(path.bytes());
        }
        let at = out.len();
        out.extend(&directory);
        out.extend([b"PK\x05\x06\0\0\0\0", &half(entries.len())[..], &half(entries.len())].concat());
        out.extend([word(directory.len()), word(at)].concat());
        out.extend(half(0));
        out
    }

    fn tar_gz_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
        for (path, content) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mtime(1_700_000_000);
            header.set_cksum();
            tar.append_data(&mut header, path, *content).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn only_what_may_be_an_advisory_is_unpacked() {
        let contents = zip_of(&[("GHSA-1.json", b"{}"), ("../../etc/GHSA-2.json", b"[]"), ("LICENSE", b"x")]);
        let contents = zip(&contents).unwrap();
        let paths: Vec<&str> = contents.entries.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["GHSA-1.json", "../../etc/GHSA-2.json"]);
        assert_eq!(contents.entries[1].1, b"[]");

        let contents = tar_gz_of(&[("db-main/crates/foo/RUSTSEC-2020-0001.md", b"x"), ("db-main/README.md", b"y")]);
        let contents = tar_gz(&contents).unwrap();
        assert_eq!(contents.entries, [("crates/foo/RUSTSEC-2020-0001.md".to_owned(), b"x".to_vec())]);
        assert_eq!(contents.date.unwrap().to_string(), "2023-11-14");
    }

    #[test]
    fn what_unpacks_to_too_much_is_no_database() {
        let zeros = vec![0; 3 << 20];
        let many: Vec<(String, &[u8])> = (0..40).map(|index| (format!("{index}.json"), &zeros[..])).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|(path, zeros)| (path.as_str(), *zeros)).collect();
        assert!(zip(&zip_of(&many)).unwrap_err().contains("unpacks to more"));
        let large = vec![0; 5 << 20];
        assert!(zip(&zip_of(&[("a.json", &large)])).unwrap_err().contains("unpacks to more"));
        assert!(tar_gz(&tar_gz_of(&[("db/a.json", &large)])).unwrap_err().contains("unpacks to more"));
        // Also where it is in what is not read.
        let rest: Vec<(&str, &[u8])> = vec![("db/LICENSE", &large); 20];
        tar_gz(&tar_gz_of(&rest)).unwrap_err();
    }

    #[test]
    fn a_cut_or_damaged_archive_is_an_error_and_no_panic() {
        let entries: [(&str, &[u8]); 2] = [("db/a.json", b"{\"id\": 1}"), ("db/b.json", b"[1, 2, 3, 4, 5]")];
        let (whole_zip, whole_tar) = (zip_of(&entries), tar_gz_of(&entries));
        let expected = zip(&whole_zip).unwrap().entries;
        for at in 0..whole_zip.len() {
            zip(&whole_zip[..at]).unwrap_err();
            let mut damaged = whole_zip.clone();
            damaged[at] ^= 0x41;
            if let Ok(contents) = zip(&damaged) {
                // Names and dates have no checksum.
                let content = |entries: &[(String, Vec<u8>)]| entries.iter().map(|it| it.1.clone()).collect::<Vec<_>>();
                assert!(
                    content(&contents.entries).iter().all(|one| content(&expected).contains(one)),
                    "damaged at {at}"
                );
            }
        }
        for at in 0..whole_tar.len() {
            tar_gz(&whole_tar[..at]).unwrap_err();
        }
    }
}
