//! One pack with its index, and what stands at the start of each of its entries.

use std::path::{Path, PathBuf};

use gix::odb::pack::{FileData, MMap, data, index};
use gix::{ObjectId, hash, oid};

use super::Fault;
use crate::subject::content::ContentKind;

/// A pack and its index, mapped into memory (or held in it, in tests).
pub struct Pack<T = MMap> {
    /// Where the pack is.
    pub path: PathBuf,
    /// Its checksum, in hexadecimal digits.
    pub checksum: String,
    data: data::File<T>,
    index: index::File<T>,
}

impl Pack {
    /// Opens the pack whose index is at `index`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn open(index: &Path, kind: hash::Kind) -> Result<Self, String> {
        let path = index.with_extension("pack");
        let data = data::File::at(&path, kind).map_err(|error| error.to_string())?;
        let index = index::File::at(index, kind).map_err(|error| error.to_string())?;
        Self::of(path, data, index)
    }
}

impl<T: FileData + Send + Sync> Pack<T> {
    /// Takes the bytes of a pack and of its index.
    ///
    /// # Errors
    ///
    /// What is wrong with them, in words.
    pub fn from_bytes(path: PathBuf, pack: T, index: T, kind: hash::Kind) -> Result<Self, String> {
        let data = data::File::from_data(pack, path.clone(), kind).map_err(|error| error.to_string())?;
        let index = index::File::from_data(index, path.clone(), kind).map_err(|error| error.to_string())?;
        Self::of(path, data, index)
    }

    fn of(path: PathBuf, data: data::File<T>, index: index::File<T>) -> Result<Self, String> {
        let checksum = data.checksum();
        if checksum != index.pack_checksum() {
            return Err("its index is for another pack".into());
        }
        Ok(Self { path, checksum: checksum.to_string(), data, index })
    }

    /// How many objects the index lists.
    pub fn listed(&self) -> u32 {
        self.index.num_objects()
    }

    /// How many objects the pack says that it has.
    pub fn announced(&self) -> u32 {
        self.data.num_objects()
    }

    /// The pack up to its checksum.
    pub fn bytes(&self) -> &[u8] {
        self.data.entry_slice(0..self.data.pack_end() as u64).unwrap_or_default()
    }

    /// Where each object starts, in the order of the index.
    pub fn offsets(&self) -> impl Iterator<Item = u64> {
        self.index.iter().map(|entry| entry.pack_offset)
    }

    /// Where the object at a position below [`Self::listed`] starts.
    pub fn offset(&self, position: u32) -> u64 {
        self.index.pack_offset_at_index(position)
    }

    /// The id at a position below [`Self::listed`] in the index.
    pub fn id(&self, position: u32) -> &oid {
        self.index.oid_at_index(position)
    }

    /// The position of an object in the index.
    pub fn position(&self, id: &oid) -> Option<u32> {
        self.index.lookup(id)
    }
}

/// What stands at the start of an entry.
#[derive(Debug, PartialEq, Eq)]
pub struct Header {
    /// What the entry holds.
    pub form: Form,
    /// How long its data is when inflated, as it says.
    pub size: u64,
    /// How long the header is, in bytes.
    pub length: usize,
}

/// What an entry holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Form {
    /// An object.
    Object(Kind),
    /// A delta to the entry that starts this many bytes before.
    Before(u64),
    /// A delta to the object with this id.
    Named(ObjectId),
}

/// The four kinds of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One that is looked at.
    Content(ContentKind),
    /// A directory: only names and ids.
    Tree,
}

impl Kind {
    /// The kind that a loose object names.
    pub fn from_word(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"commit" => Self::Content(ContentKind::Commit),
            b"tree" => Self::Tree,
            b"blob" => Self::Content(ContentKind::Blob),
            b"tag" => Self::Content(ContentKind::Tag),
            _ => return None,
        })
    }
}

/// Reads the header at the start of an entry.
///
/// # Errors
///
/// If it is cut or of no known kind.
pub fn header(entry: &[u8], kind: hash::Kind) -> Result<Header, Fault> {
    let cut = Fault::Header("is cut");
    let (&first, mut rest) = entry.split_first().ok_or(cut)?;
    let (mut more, mut size, mut shift) = (first & 0x80 != 0, u64::from(first & 0x0f), 4);
    while more {
        let (&byte, tail) = rest.split_first().ok_or(cut)?;
        rest = tail;
        if shift > 56 {
            return Err(Fault::Header("has a size without end"));
        }
        size |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        more = byte & 0x80 != 0;
    }
    let form = match (first >> 4) & 7 {
        1 => Form::Object(Kind::Content(ContentKind::Commit)),
        2 => Form::Object(Kind::Tree),
        3 => Form::Object(Kind::Content(ContentKind::Blob)),
        4 => Form::Object(Kind::Content(ContentKind::Tag)),
        6 => {
            let (&byte, tail) = rest.split_first().ok_or(cut)?;
            rest = tail;
            let (mut more, mut distance) = (byte & 0x80 != 0, u64::from(byte & 0x7f));
            while more {
                let (&byte, tail) = rest.split_first().ok_or(cut)?;
                rest = tail;
                // Each further byte stands for one more than its bits say, so that no number has two forms.
                distance = distance
                    .checked_add(1)
                    .and_then(|distance| distance.checked_mul(0x80))
                    .ok_or(Fault::Header("names no base"))?
                    | u64::from(byte & 0x7f);
                more = byte & 0x80 != 0;
            }
            Form::Before(distance)
        }
        7 => {
            let (id, tail) = rest.split_at_checked(kind.len_in_bytes()).ok_or(cut)?;
            rest = tail;
            Form::Named(ObjectId::try_from(id).map_err(|_| cut)?)
        }
        _ => return Err(Fault::Header("is of no known kind")),
    };
    Ok(Header { form, size, length: entry.len() - rest.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_tell_kind_size_and_base() {
        let kind = hash::Kind::Sha1;
        let blob = Form::Object(Kind::Content(ContentKind::Blob));
        assert_eq!(header(&[0x3f, 9], kind), Ok(Header { form: blob, size: 15, length: 1 }));
        let tree = Form::Object(Kind::Tree);
        assert_eq!(header(&[0xa1, 0x81, 0x01], kind), Ok(Header { form: tree, size: 1 + 16 + 2048, length: 3 }));
        assert_eq!(header(&[0x61, 0x05], kind), Ok(Header { form: Form::Before(5), size: 1, length: 2 }));
        assert_eq!(header(&[0x61, 0x80, 0x00], kind), Ok(Header { form: Form::Before(128), size: 1, length: 3 }));
        let mut named = vec![0x71];
        named.extend([7; 20]);
        let id = ObjectId::from_bytes_or_panic(&[7; 20]);
        assert_eq!(header(&named, kind), Ok(Header { form: Form::Named(id), size: 1, length: 21 }));
        assert_eq!(header(&named, hash::Kind::Sha256), Err(Fault::Header("is cut")));
        for wrong in [&[][..], &[0x00], &[0x50], &[0x80], &[0x61], &[0x61, 0x80]] {
            assert!(header(wrong, kind).is_err(), "{wrong:?}");
        }
        assert!(header(&[0xff; 40], kind).is_err());
        let mut far = vec![0x61];
        far.extend([0xff; 40]);
        assert!(header(&far, kind).is_err());
    }
}
