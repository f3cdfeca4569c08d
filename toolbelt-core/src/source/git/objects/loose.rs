//! Objects that are files of their own: `objects/ab/cdef…`, deflated, with a header of kind and size.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use gix::{ObjectId, hash};

use super::inflate::Inflater;
use super::pack::Kind;
use super::room::Room;
use super::{Damage, Fault};

/// The longest header: a kind, a blank, twenty digits and a NUL.
const HEADER: usize = 32;

/// A file that is named like an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Loose {
    /// Its id, as its name says.
    pub id: ObjectId,
    /// The number of its object directory.
    pub directory: usize,
}

impl Loose {
    /// Where it is.
    pub fn path(&self, directories: &[PathBuf]) -> PathBuf {
        let name = self.id.to_string();
        let (folder, file) = name.split_at(2);
        directories.get(self.directory).map(|path| path.join(folder).join(file)).unwrap_or_default()
    }
}

/// The loose objects of an object directory, in no order. What is named otherwise is none.
pub fn list(directory: usize, path: &Path, kind: hash::Kind, found: &mut Vec<Loose>, missing: &mut Vec<Damage>) {
    for folder in 0..=u8::MAX {
        let prefix = format!("{folder:02x}");
        let entries = match fs::read_dir(path.join(&prefix)) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => continue,
            Err(error) => {
                missing.push(Damage { path: path.join(&prefix), object: None, why: error.to_string() });
                continue;
            }
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| name.len() + 2 == kind.len_in_hex()) else { continue };
            if let Ok(id) = ObjectId::from_hex(format!("{prefix}{name}").as_bytes()) {
                found.push(Loose { id, directory });
            }
        }
    }
}

/// What became of reading a loose object.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// Its kind; its bytes are in the buffer from here on.
    Object(Kind, usize),
    /// The file is not there any more.
    Gone,
}

/// Reads a loose object into `buffer`; of a tree only the header.
///
/// # Errors
///
/// If it cannot be read or is damaged, or there is no room for it.
pub(super) fn read(
    path: &Path,
    inflater: &mut Inflater,
    file: &mut Vec<u8>,
    buffer: &mut Vec<u8>,
    room: &mut Room<'_>,
) -> Result<Found, Fault> {
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => Ok(Found::Gone),
        kind => Err(Fault::Unreadable(kind)),
    };
    let opened = match File::open(path) {
        Ok(opened) => opened,
        Err(error) => return unreadable(error),
    };
    let length = match opened.metadata() {
        Ok(metadata) if metadata.is_file() => metadata.len(),
        Ok(_) => return Err(Fault::Header("is not in a file")),
        Err(error) => return unreadable(error),
    };
    room.admit(length)?;
    file.clear();
    if let Err(error) = opened.take(length).read_to_end(file) {
        return unreadable(error);
    }
    inflater.begin(file, HEADER, buffer)?;
    let (kind, size, start) = header(buffer).ok_or(Fault::Header("is not that of an object"))?;
    if kind != Kind::Tree {
        let size = room.admit(size)?;
        inflater.go_on(file, start + size, buffer)?;
    }
    Ok(Found::Object(kind, start))
}

/// Kind and size of an object, and where it starts behind its header.
fn header(bytes: &[u8]) -> Option<(Kind, u64, usize)> {
    let end = memchr::memchr(0, bytes)?;
    let blank = memchr::memchr(b' ', &bytes[..end])?;
    let digits = &bytes[blank + 1..end];
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let size = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((Kind::from_word(&bytes[..blank])?, size, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::content::ContentKind;

    #[test]
    fn headers_are_read_as_git_writes_them() {
        assert_eq!(header(b"blob 12\0abc"), Some((Kind::Content(ContentKind::Blob), 12, 8)));
        assert_eq!(header(b"tree 0\0"), Some((Kind::Tree, 0, 7)));
        for wrong in ["blob 12", "blob \0", "blob +1\0", "file 1\0", "blob12\0", "blob 99999999999999999999999\0"] {
            assert_eq!(header(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
