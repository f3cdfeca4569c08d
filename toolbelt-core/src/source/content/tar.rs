//! Reads tar in place: the old format, POSIX.1-2001 (`ustar` and pax) and GNU's.

use std::ops::Range;

use super::{Depth, Kind, Visit, Why, name};

const BLOCK: usize = 512;
const ENTRIES: &str = "entries of tar archives";

/// Whether bytes begin with an entry's header: its checksum is right, which nothing else has by chance.
pub(super) fn is_header(bytes: &[u8]) -> bool {
    bytes.first_chunk::<BLOCK>().is_some_and(|block| block[0] != 0 && has_checksum(block))
}

/// Hands out the content of every entry.
pub(super) fn open(
    visit: &mut Visit<'_>,
    bytes: &[u8],
    depth: Depth,
    span: Option<&Range<usize>>,
) -> Vec<Range<usize>> {
    let depth = Depth { archives: depth.archives + 1, ..depth };
    let mut covered = Vec::new();
    let (mut long_name, mut long_size) = (None, None);
    let mut at = 0;
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk::<BLOCK>) {
        if block.iter().all(|byte| *byte == 0) {
            // The end; programs that are told to go on find what follows (`tar --ignore-zeros`).
            at += BLOCK;
            continue;
        }
        if !has_checksum(block) {
            visit.cut(Kind::Tar.plural(), Why::Damaged);
            break;
        }
        if !visit.may_enter(ENTRIES) {
            break;
        }
        let told = number(&block[124..136]);
        let kind = block[156];
        let is_about_next = matches!(kind, b'L' | b'K' | b'x' | b'X' | b'g');
        let size = if is_about_next { told } else { long_size.take().or(told) };
        if size.is_some() && told.is_some_and(|told| told != 0 && Some(told) != size) {
            // A header that says two sizes is read in two ways; this is the one of the standard.
            visit.cut(ENTRIES, Why::Damaged);
        }
        let Some(size) = size.and_then(|size| usize::try_from(size).ok()) else {
            visit.cut(Kind::Tar.plural(), Why::Damaged);
            break;
        };
        let mut start = at + BLOCK;
        if kind == b'S' && block[482] != 0 {
            // Where more holes are described than the header has room for.
            while let Some(more) = bytes.get(start..).and_then(<[u8]>::first_chunk::<BLOCK>) {
                start += BLOCK;
                if more[504] == 0 {
                    break;
                }
            }
        }
        let end = start.saturating_add(size).min(bytes.len());
        if end - start < size {
            visit.cut(ENTRIES, Why::Damaged);
        }
        let content = &bytes[start..end];
        match kind {
            b'L' => long_name = Some(until_nul(content).to_vec()),
            b'x' | b'X' => {
                let (path, size) = pax(content);
                long_name = path.map(<[u8]>::to_vec).or(long_name);
                long_size = size.or(long_size);
            }
            b'K' | b'g' => {}
            _ => {
                let path = long_name.take().unwrap_or_else(|| short_name(block));
                let span = span.cloned().unwrap_or(start..end);
                visit.inside(content, name("tar", &path), depth, &span);
                covered.push(start..end);
            }
        }
        at = start.saturating_add(size.next_multiple_of(BLOCK).max(size));
    }
    covered
}

/// The sum of all bytes, those of the checksum itself counted as spaces; some old programs add signed numbers.
fn has_checksum(block: &[u8; BLOCK]) -> bool {
    let Some(told) = number(&block[148..156]) else { return false };
    let counted = || block.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { b' ' } else { *byte });
    let unsigned: u64 = counted().map(u64::from).sum();
    let signed: i64 = counted().map(|byte| i64::from(byte.cast_signed())).sum();
    told == unsigned || i64::try_from(told) == Ok(signed)
}

/// An octal number, or GNU's binary one.
fn number(field: &[u8]) -> Option<u64> {
    if field.first()? & 0x80 != 0 {
        let (head, tail) = field.split_last_chunk::<8>()?;
        let is_small = head.iter().enumerate().all(|(at, byte)| *byte == if at == 0 { 0x80 } else { 0 });
        return is_small.then(|| u64::from_be_bytes(*tail));
    }
    let text = until_nul(field).trim_ascii();
    text.iter().try_fold(0u64, |value, digit| match digit {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    &bytes[..memchr::memchr(0, bytes).unwrap_or(bytes.len())]
}

fn short_name(block: &[u8; BLOCK]) -> Vec<u8> {
    let name = until_nul(&block[..100]);
    let prefix = if &block[257..263] == b"ustar\0" { until_nul(&block[345..500]) } else { &[] };
    if prefix.is_empty() { name.to_vec() } else { [prefix, name].join(&b'/') }
}

/// The path and the size in records of pax: `LENGTH KEY=VALUE`, each with a line feed at its end.
fn pax(mut records: &[u8]) -> (Option<&[u8]>, Option<u64>) {
    let (mut path, mut size) = (None, None);
    while let Some(blank) = memchr::memchr(b' ', &records[..records.len().min(20)]) {
        let len = std::str::from_utf8(&records[..blank]).ok().and_then(|len| len.parse::<usize>().ok());
        let Some(record) = len.and_then(|len| records.get(blank + 1..len)) else { break };
        records = &records[blank + 1 + record.len()..];
        let record = record.strip_suffix(b"\n").unwrap_or(record);
        if let Some(value) = record.strip_prefix(b"path=") {
            path = Some(value);
        } else if let Some(value) = record.strip_prefix(b"size=") {
            size = std::str::from_utf8(value).ok().and_then(|size| size.parse().ok());
        }
    }
    (path, size)
}
