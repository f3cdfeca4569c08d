//! Tells from its first bytes what a content is.

use super::super::zip::EndOfDirectory;
use super::tar;
use super::text::Encoding;

/// How much of a content is searched for a NUL, as git does to tell text from the rest.
const HEAD: usize = 8 << 10;

/// What a content is, where it is more than its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A gzip member, or several.
    Gzip,
    /// A zlib stream.
    Zlib,
    /// A tar archive.
    Tar,
    /// A ZIP archive, perhaps with something before it.
    Zip,
    /// Text in an encoding of more than one byte for each character.
    Wide(Encoding),
    /// Something packed that is not opened: its name, in the plural.
    Packed(&'static str),
}

impl Kind {
    /// Looks at the first bytes, and at the last if it is no text.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if let Some(kind) = Self::by_magic(bytes) {
            return Some(kind);
        }
        // A program with an archive behind it may begin as text.
        if EndOfDirectory::is_last(bytes) {
            return Some(Self::Zip);
        }
        let head = &bytes[..bytes.len().min(HEAD)];
        memchr::memchr(0, head)?;
        if tar::is_header(bytes) {
            return Some(Self::Tar);
        }
        if let Some(encoding) = Encoding::guess(head) {
            return Some(Self::Wide(encoding));
        }
        EndOfDirectory::find_anyhow(bytes).map(|_| Self::Zip)
    }

    fn by_magic(bytes: &[u8]) -> Option<Self> {
        let starts = |magic: &[u8]| bytes.starts_with(magic);
        match bytes.first()? {
            0x1f if starts(b"\x1f\x8b\x08") => Some(Self::Gzip),
            0x1f if starts(b"\x1f\x9d") => Some(Self::Packed("files packed by compress")),
            b'P' if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") => Some(Self::Zip),
            b'P' if starts(b"PACK\0\0\0") => Some(Self::Packed("git packs")),
            b'#' if starts(b"# v2 git bundle\n") || starts(b"# v3 git bundle\n") => Some(Self::Packed("git bundles")),
            0x78 if bytes.len() > 6 && is_zlib(bytes[1]) => Some(Self::Zlib),
            0xff | 0xfe | 0x00 => Encoding::by_mark(bytes).map(Self::Wide),
            b'B' if starts(b"BZh") && bytes.get(4..10) == Some(b"1AY&SY") => Some(Self::Packed("bzip2 files")),
            0xfd if starts(b"\xfd7zXZ\0") => Some(Self::Packed("xz files")),
            0x5d if starts(b"\x5d\0\0") && bytes.len() > 13 => Some(Self::Packed("LZMA files")),
            b'L' if starts(b"LZIP\x01") => Some(Self::Packed("lzip files")),
            0x28 if starts(b"\x28\xb5\x2f\xfd") => Some(Self::Packed("zstd files")),
            0x04 if starts(b"\x04\x22\x4d\x18") => Some(Self::Packed("LZ4 files")),
            b'7' if starts(b"7z\xbc\xaf\x27\x1c") => Some(Self::Packed("7z archives")),
            b'R' if starts(b"Rar!\x1a\x07") => Some(Self::Packed("RAR archives")),
            b'M' if starts(b"MSCF\0\0\0\0") => Some(Self::Packed("cabinet archives")),
            _ => None,
        }
    }

    /// What several of it are called in a report.
    pub(super) const fn plural(self) -> &'static str {
        match self {
            Self::Gzip => "gzip files",
            Self::Zlib => "zlib streams",
            Self::Tar => "tar archives",
            Self::Zip => "ZIP archives",
            Self::Wide(_) => "wide texts",
            Self::Packed(what) => what,
        }
    }
}

/// The second byte of a zlib stream with the usual window ([RFC 1950](https://www.rfc-editor.org/rfc/rfc1950), 2.2).
const fn is_zlib(flags: u8) -> bool {
    matches!(flags, 0x01 | 0x5e | 0x9c | 0xda)
}
