//! Reads ZIP in place, by its directory and by the headers of the entries: programs believe one or the other, and an
//! archive can say different things in both.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::zip::{DEFLATED, ENCRYPTED, EndOfDirectory, Entry, LocalHeader, SIZES_FOLLOW, STORED};
use super::{Depth, Kind, Visit, Why, name};

const ENTRIES: &str = "entries of ZIP archives";

/// Hands out the content of every entry.
pub(super) fn open(
    visit: &mut Visit<'_>,
    bytes: &[u8],
    depth: Depth,
    span: Option<&Range<usize>>,
) -> Vec<Range<usize>> {
    let listed = directory(visit, bytes);
    let mut archive =
        Archive { bytes, depth: Depth { archives: depth.archives + 1, ..depth }, span, covered: Vec::new() };
    let mut listed = listed.into_iter().peekable();
    // Where the content of the entry before ends: what looks like a header within it is none.
    let mut end = 0;
    let mut headers = memchr::memmem::find_iter(bytes, LocalHeader::MARK).peekable();
    loop {
        let at = match (listed.peek(), headers.peek()) {
            (Some((first, _)), Some(second)) => *first.min(second),
            (Some((first, _)), None) => *first,
            (None, Some(second)) => *second,
            (None, None) => break,
        };
        let entry = listed.next_if(|(first, _)| *first == at).map(|(_, entry)| entry);
        let _ = headers.next_if_eq(&at);
        if entry.is_none() && at < end {
            continue;
        }
        let Some(header) = LocalHeader::read(&bytes[at..]) else {
            if entry.is_some() {
                visit.cut(ENTRIES, Why::Damaged);
            }
            continue;
        };
        if !visit.may_enter(ENTRIES) {
            break;
        }
        end = end.max(archive.enter(visit, at, &header, entry.as_ref()));
    }
    archive.covered
}

/// What the directory lists, by where each entry begins. Of several for one place the first stays: they would show the
/// same bytes again.
fn directory<'a>(visit: &mut Visit<'_>, bytes: &'a [u8]) -> BTreeMap<usize, Entry<'a>> {
    let mut listed = BTreeMap::new();
    let Some(end) = EndOfDirectory::find_anyhow(bytes) else {
        visit.cut(Kind::Zip.plural(), Why::Damaged);
        return listed;
    };
    let (told, len) = (usize_of(end.offset), usize_of(end.len));
    // What lies before an archive moves everything.
    let moved = end.at.checked_sub(len).and_then(|start| start.checked_sub(told)).unwrap_or(0);
    let is_there = |start: usize| bytes.get(start..).is_some_and(|rest| Entry::read(rest).is_some());
    let moved = if is_there(told.saturating_add(moved)) { moved } else { 0 };
    let mut rest = bytes.get(told.saturating_add(moved)..).unwrap_or_default();
    let mut count = 0;
    while let Some(entry) = Entry::read(rest) {
        rest = &rest[entry.len..];
        count += 1;
        if listed.len() >= visit.limits.entries {
            break;
        }
        let at = usize_of(entry.offset).saturating_add(moved);
        if at < bytes.len() {
            listed.entry(at).or_insert(entry);
        }
    }
    if count < end.entries {
        visit.cut(Kind::Zip.plural(), Why::Damaged);
    }
    listed
}

/// An archive while its entries are read.
struct Archive<'a> {
    bytes: &'a [u8],
    depth: Depth,
    span: Option<&'a Range<usize>>,
    covered: Vec<Range<usize>>,
}

impl Archive<'_> {
    /// Opens the entry whose header begins here; returns where it ends, as far as it was understood.
    fn enter(
        &mut self,
        visit: &mut Visit<'_>,
        at: usize,
        header: &LocalHeader<'_>,
        entry: Option<&Entry<'_>>,
    ) -> usize {
        let start = at.saturating_add(header.len).min(self.bytes.len());
        let layer = name("zip", entry.map_or(header.name, |entry| entry.name));
        let listed = entry.map_or(header.method, |entry| entry.method);
        let mut end = start;
        // An entry that is stored to one program and deflated to another is both.
        let methods = if listed == header.method { vec![listed] } else { vec![listed, header.method] };
        let is_encrypted = (header.flags | entry.map_or(0, |entry| entry.flags)) & ENCRYPTED != 0;
        for method in methods {
            end = end.max(match method {
                STORED if is_encrypted => {
                    visit.cut(ENTRIES, Why::Encrypted);
                    start
                }
                STORED => self.stored(visit, start, header, entry, &layer),
                DEFLATED => self.deflated(visit, start, entry.is_some(), is_encrypted, &layer),
                _ => {
                    // Bytes that look like a header by chance are no entry.
                    if entry.is_some() {
                        visit.cut(ENTRIES, if is_encrypted { Why::Encrypted } else { Why::Format });
                    }
                    start
                }
            });
        }
        end
    }

    fn stored(
        &mut self,
        visit: &mut Visit<'_>,
        start: usize,
        header: &LocalHeader<'_>,
        entry: Option<&Entry<'_>>,
        layer: &str,
    ) -> usize {
        let told = if header.flags & SIZES_FOLLOW == 0 { header.packed } else { 0 };
        let len = usize_of(entry.map_or(told, |entry| entry.packed.max(told)));
        let end = start.saturating_add(len).min(self.bytes.len());
        if end - start < len {
            visit.cut(ENTRIES, Why::Damaged);
        }
        if start == end {
            return start;
        }
        // Entries that lie over each other could show the same bytes for ever.
        let Some(fuel) = visit.fuel.checked_sub((end - start) as u64) else {
            visit.cut(ENTRIES, visit.full);
            return start;
        };
        visit.fuel = fuel;
        let content = &self.bytes[start..end];
        let span = self.span.cloned().unwrap_or(start..end);
        visit.inside(content, layer.to_owned(), self.depth, &span);
        self.covered.push(start..end);
        // Headers within an archive that was opened are its own; others are entries that the size hides.
        let was_opened = content.starts_with(LocalHeader::MARK) && self.depth.archives < visit.limits.nested;
        if was_opened { end } else { start }
    }

    /// The stream says itself where it ends, whatever the sizes say.
    fn deflated(
        &mut self,
        visit: &mut Visit<'_>,
        start: usize,
        is_listed: bool,
        is_encrypted: bool,
        layer: &str,
    ) -> usize {
        let inflated = visit.inflate(&self.bytes[start..], false);
        let end = start + inflated.read;
        match inflated.cut {
            // What is encrypted is no stream; a flag that lies hides nothing.
            Some(Why::Damaged) if is_encrypted => {
                visit.cut(ENTRIES, Why::Encrypted);
                return start;
            }
            Some(Why::Damaged) if !is_listed && inflated.bytes.len() < 64 => return start,
            Some(why) => visit.cut(ENTRIES, why),
            None => self.covered.push(start..end),
        }
        if !inflated.bytes.is_empty() {
            let span = self.span.cloned().unwrap_or(start..end);
            visit.inside(&inflated.bytes, layer.to_owned(), self.depth, &span);
        }
        if inflated.cut.is_none() { end } else { start }
    }
}

fn usize_of(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
