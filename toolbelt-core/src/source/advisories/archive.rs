//! Reads archives of advisory databases into memory: nothing is ever written to the paths in them.

use std::collections::BTreeMap;
use std::io::{self, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

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
    let end = end_of_directory(archive).ok_or("expected the end of a ZIP directory")?;
    let count = end.u16(10)?;
    if count == u16::MAX {
        return Err("more entries than a ZIP without extensions can hold".to_owned());
    }
    let mut rest = archive.get(usize_of(end.u32(16)?)..).ok_or("expected the directory within the file")?;
    for _ in 0..count {
        budget.count()?;
        let header = Fields(rest);
        if header.u32(0)? != 0x0201_4b50 {
            return Err("expected an entry of the directory".to_owned());
        }
        let (name, extra, comment) = (header.u16(28)?, header.u16(30)?, header.u16(32)?);
        let path = String::from_utf8_lossy(header.bytes(46, usize::from(name))?).replace('\\', "/");
        let (flags, method) = (header.u16(8)?, header.u16(10)?);
        let (checksum, packed, offset) = (header.u32(16)?, usize_of(header.u32(20)?), usize_of(header.u32(42)?));
        rest = rest.get(46 + usize::from(name) + usize::from(extra) + usize::from(comment)..).unwrap_or_default();
        if path.ends_with('/') || Kind::of(&path).is_none() {
            continue;
        }
        if flags & 1 != 0 {
            return Err(format!("entry `{path}`: encrypted"));
        }
        let local = Fields(archive.get(offset..).ok_or(format!("entry `{path}`: expected it within the file"))?);
        if local.u32(0)? != 0x0403_4b50 {
            return Err(format!("entry `{path}`: expected its header"));
        }
        // The lengths here may differ from those in the directory; the sizes are only certain there.
        let start = 30 + usize::from(local.u16(26)?) + usize::from(local.u16(28)?);
        let packed = local.bytes(start, packed)?;
        let content = match method {
            0 => budget.read(&mut &*packed, &path)?,
            8 => budget.read(&mut DeflateDecoder::new(packed), &path)?,
            other => return Err(format!("entry `{path}`: packed in a way that is not known ({other})")),
        };
        let mut crc = flate2::Crc::new();
        crc.update(&content);
        if crc.sum() != checksum {
            return Err(format!("entry `{path}`: damaged"));
        }
        contents.entries.push((path, content));
    }
    Ok(contents)
}

/// Finds the record at the end of a ZIP, which only a comment may follow.
fn end_of_directory(archive: &[u8]) -> Option<Fields<'_>> {
    let earliest = archive.len().saturating_sub(22 + usize::from(u16::MAX));
    let tail = &archive[earliest..];
    let at = tail.windows(4).rposition(|window| window == [0x50, 0x4b, 0x05, 0x06])?;
    Some(Fields(&tail[at..]))
}

/// Little-endian numbers at fixed places.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&self, at: usize, len: usize) -> Result<&'a [u8], String> {
        let end = at.checked_add(len);
        end.and_then(|end| self.0.get(at..end)).ok_or_else(|| "expected more of the file".to_owned())
    }

    fn u16(&self, at: usize) -> Result<u16, String> {
        self.bytes(at, 2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    fn u32(&self, at: usize) -> Result<u32, String> {
        self.bytes(at, 4).map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }
}

fn usize_of(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
