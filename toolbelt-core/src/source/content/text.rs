//! Reads text in encodings of two and four bytes for each character.

use std::ops::Range;

use super::{Kind, Visit};

/// An encoding of more than one byte for each character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-16, little-endian.
    Utf16Le,
    /// UTF-16, big-endian.
    Utf16Be,
    /// UTF-32, little-endian.
    Utf32Le,
    /// UTF-32, big-endian.
    Utf32Be,
}

impl Encoding {
    /// By the byte order mark.
    pub(super) fn by_mark(bytes: &[u8]) -> Option<Self> {
        match bytes {
            // Before UTF-16, whose mark it begins with.
            [0xff, 0xfe, 0, 0, ..] => Some(Self::Utf32Le),
            [0, 0, 0xfe, 0xff, ..] => Some(Self::Utf32Be),
            [0xff, 0xfe, ..] => Some(Self::Utf16Le),
            [0xfe, 0xff, ..] => Some(Self::Utf16Be),
            _ => None,
        }
    }

    /// Without a mark: half of the pairs, or more, are a character of ASCII that people write.
    pub(super) fn guess(head: &[u8]) -> Option<Self> {
        let is_written = |byte: u8| byte == b'\t' || byte == b'\n' || byte == b'\r' || (b' '..=b'~').contains(&byte);
        let (mut little, mut big) = (0, 0);
        let pairs = head.chunks_exact(2);
        let half = pairs.len().div_ceil(2);
        for pair in pairs {
            little += usize::from(pair[1] == 0 && is_written(pair[0]));
            big += usize::from(pair[0] == 0 && is_written(pair[1]));
        }
        if half == 0 {
            None
        } else if little >= half {
            Some(Self::Utf16Le)
        } else if big >= half {
            Some(Self::Utf16Be)
        } else {
            None
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Utf16Le | Self::Utf16Be => "UTF-16",
            Self::Utf32Le | Self::Utf32Be => "UTF-32",
        }
    }

    /// As UTF-8, up to so many bytes; what is no character is replaced. Returns whether that is all.
    fn decode(self, bytes: &[u8], limit: usize) -> (String, bool) {
        match self {
            Self::Utf16Le => utf16(bytes, u16::from_le_bytes, limit),
            Self::Utf16Be => utf16(bytes, u16::from_be_bytes, limit),
            Self::Utf32Le => utf32(bytes, u32::from_le_bytes, limit),
            Self::Utf32Be => utf32(bytes, u32::from_be_bytes, limit),
        }
    }
}

/// Hands out the text as UTF-8. Its bytes stay to be looked at: a mark alone proves nothing.
pub(super) fn open(
    visit: &mut Visit<'_>,
    bytes: &[u8],
    encoding: Encoding,
    span: Option<&Range<usize>>,
) -> Vec<Range<usize>> {
    let (text, is_all) = encoding.decode(bytes, usize::try_from(visit.left).unwrap_or(usize::MAX));
    if !is_all {
        visit.cut(Kind::Wide(encoding).plural(), visit.full);
    }
    visit.left = visit.left.saturating_sub(text.len() as u64);
    visit.opened.bytes += text.len() as u64;
    visit.layers.push(encoding.as_str().to_owned());
    let span = span.cloned().unwrap_or(0..bytes.len());
    visit.hand_out(text.as_bytes(), &span);
    visit.layers.pop();
    Vec::new()
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16, limit: usize) -> (String, bool) {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let characters = char::decode_utf16(units).map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER));
    collect(characters, bytes.len() / 2, limit)
}

fn utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32, limit: usize) -> (String, bool) {
    let units = bytes.chunks_exact(4).map(|four| unit([four[0], four[1], four[2], four[3]]));
    let characters = units.map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
    collect(characters, bytes.len() / 4, limit)
}

fn collect(characters: impl Iterator<Item = char>, expected: usize, limit: usize) -> (String, bool) {
    let mut text = String::with_capacity(expected.min(limit));
    let mut characters = characters.skip_while(|character| *character == '\u{feff}');
    for character in &mut characters {
        if text.len() + character.len_utf8() > limit {
            return (text, false);
        }
        text.push(character);
    }
    (text, true)
}
