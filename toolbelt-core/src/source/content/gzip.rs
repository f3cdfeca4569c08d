//! Opens gzip ([RFC 1952](https://www.rfc-editor.org/rfc/rfc1952)) and zlib.

use std::ops::Range;

use super::{Depth, Kind, Visit, Why};

/// Opens all members of a gzip file, which are one content.
pub(super) fn open(
    visit: &mut Visit<'_>,
    bytes: &[u8],
    depth: Depth,
    span: Option<&Range<usize>>,
) -> Vec<Range<usize>> {
    let (mut at, mut content, mut covered) = (0, Vec::new(), Vec::new());
    // What follows a member and is none is left to whoever looks at the rest.
    while let Some(header) = header(&bytes[at..]) {
        if !visit.may_enter("gzip members") {
            break;
        }
        let start = at + header;
        let inflated = visit.inflate(&bytes[start..], false);
        at = start + inflated.read;
        covered.push(start..at);
        if content.is_empty() {
            content = inflated.bytes;
        } else {
            content.extend_from_slice(&inflated.bytes);
        }
        if let Some(why) = inflated.cut {
            visit.cut(Kind::Gzip.plural(), why);
            break;
        }
        // The checksum and the length, which nobody has to believe.
        at = (at + 8).min(bytes.len());
    }
    let span = span.cloned().unwrap_or(0..bytes.len());
    let depth = Depth { compressed: depth.compressed + 1, ..depth };
    visit.inside(&content, "gzip".to_owned(), depth, &span);
    covered
}

/// Opens a zlib stream; what only looks like one is nothing.
pub(super) fn open_zlib(
    visit: &mut Visit<'_>,
    bytes: &[u8],
    depth: Depth,
    span: Option<&Range<usize>>,
) -> Vec<Range<usize>> {
    let inflated = visit.inflate(bytes, true);
    match inflated.cut {
        Some(Why::Damaged) if inflated.bytes.len() < 64 => return Vec::new(),
        Some(why) => visit.cut(Kind::Zlib.plural(), why),
        None => {}
    }
    let span = span.cloned().unwrap_or(0..bytes.len());
    let depth = Depth { compressed: depth.compressed + 1, ..depth };
    visit.inside(&inflated.bytes, "zlib".to_owned(), depth, &span);
    std::iter::once(0..inflated.read).collect()
}

/// The length of a member's header (section 2.3), if there is one.
fn header(bytes: &[u8]) -> Option<usize> {
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    const CHECKSUM: u8 = 2;
    if !bytes.starts_with(b"\x1f\x8b\x08") {
        return None;
    }
    let flags = *bytes.get(3)?;
    let mut at = 10;
    if flags & EXTRA != 0 {
        at += 2 + usize::from(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            at += memchr::memchr(0, bytes.get(at..)?)? + 1;
        }
    }
    if flags & CHECKSUM != 0 {
        at += 2;
    }
    (at <= bytes.len()).then_some(at)
}
