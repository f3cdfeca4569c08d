//! What is inside a content: archives, compressed files and text in wide encodings, opened in memory.
//!
//! Contents come from strangers, who may want something not to be found or a scan not to end. So everything is read in
//! every way that some program would read it, all of it is bounded, and what was not opened is counted. Ordinary text
//! costs a look at its first bytes.

mod gzip;
mod inflate;
mod kind;
mod tar;
mod text;
mod zip;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use inflate::Inflater;
pub use kind::Kind;

/// What may come out of contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes out of one content, all that is nested included.
    pub bytes: u64,
    /// How often larger than the content that may be, beyond the first megabyte.
    pub ratio: u64,
    /// Entries of archives in one content.
    pub entries: usize,
    /// Archives within each other, and as many compressed files: 2 opens a ZIP in a tar in a gzip.
    pub nested: u8,
    /// Bytes out of all contents of a run.
    pub run: u64,
}

impl Default for Limits {
    /// 64 MiB of a content, at most 200 times its size, 100,000 entries, nested once, 8 GiB in a run.
    fn default() -> Self {
        Self { bytes: 64 << 20, ratio: 200, entries: 100_000, nested: 2, run: 8 << 30 }
    }
}

/// Something inside a content.
#[derive(Debug)]
pub struct Part<'a> {
    /// The bytes, as they are inside.
    pub bytes: &'a [u8],
    /// What was opened to get there, outermost first: `gzip`, `tar: a/b.txt`, `zip: a/b.txt`, `UTF-16`; never empty.
    ///
    /// Names are as the archive has them, cut at 256 characters; what is not UTF-8 is replaced.
    pub layers: &'a [String],
    /// The part of the content that holds it.
    pub span: Range<usize>,
}

/// What was done with a content, or with many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opened {
    /// Parts that were handed out.
    pub parts: u64,
    /// Bytes that were unpacked or decoded.
    pub bytes: u64,
    /// The ranges of the content that were handed out in parts, as they are or unpacked: nobody has to look at them
    /// again. Ascending, not overlapping; empty of what [`Opened::add`] made.
    pub covered: Vec<Range<usize>>,
    /// What was not looked into, and how often.
    pub cut: BTreeMap<Cut, u64>,
}

impl Opened {
    /// Adds what was done with another content.
    pub fn add(&mut self, other: &Self) {
        self.parts += other.parts;
        self.bytes += other.bytes;
        self.covered.clear();
        for (cut, count) in &other.cut {
            *self.cut.entry(*cut).or_default() += count;
        }
    }

    /// What is left of these ranges of the content once that which parts showed is taken away.
    pub fn rest(&self, ranges: &[Range<usize>]) -> Vec<Range<usize>> {
        ranges.iter().flat_map(|range| gaps(&self.covered, range.clone())).collect()
    }
}

/// Something that was not looked into, or not to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cut {
    /// What it is, in the plural.
    pub what: &'static str,
    /// Why.
    pub why: Why,
}

/// Why something was not looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// Its bytes were looked at as they are.
    Format,
    /// See [`Limits::nested`].
    Nested,
    /// Only who knows the password can.
    Encrypted,
    /// What was readable was looked at.
    Damaged,
    /// See [`Limits::entries`].
    Entries,
    /// See [`Limits::bytes`] and [`Limits::ratio`].
    Size,
    /// See [`Limits::run`].
    Run,
}

impl Why {
    /// For reports: one line, lower case, without a full stop.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Format => "this format is not opened; the packed bytes were looked at",
            Self::Nested => "nested too deep",
            Self::Encrypted => "encrypted",
            Self::Damaged => "damaged; what is readable was looked at",
            Self::Entries => "too many in one content",
            Self::Size => "unpacks to more than the limit; what fits was looked at",
            Self::Run => "the limit of unpacked bytes of one run was reached",
        }
    }
}

/// Opens the contents of one run; may be shared by threads.
#[derive(Debug)]
pub struct Opener {
    limits: Limits,
    /// What the run may still unpack.
    left: AtomicU64,
}

impl Opener {
    /// Starts a run.
    pub fn new(limits: Limits) -> Self {
        Self { limits, left: AtomicU64::new(limits.run) }
    }

    /// Hands out each part of what is inside a content; none of ordinary text.
    ///
    /// The content itself is not handed out: the caller looks at [`Opened::rest`] of it.
    pub fn open(&self, bytes: &[u8], each: &mut dyn FnMut(&Part<'_>)) -> Opened {
        let Some(kind) = Kind::of(bytes) else { return Opened::default() };
        let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let of_content = len.saturating_mul(self.limits.ratio).saturating_add(1 << 20).min(self.limits.bytes);
        let of_run = self.left.load(Ordering::Relaxed);
        let left = of_content.min(of_run);
        let mut visit = Visit {
            limits: self.limits,
            each,
            opened: Opened::default(),
            left,
            full: if of_run < of_content { Why::Run } else { Why::Size },
            // What is deflated may be long and hold nothing, and entries may share it.
            fuel: left.saturating_mul(2).saturating_add(len.saturating_mul(8)),
            entries: self.limits.entries,
            inflater: None,
            layers: Vec::new(),
        };
        let covered = visit.open(bytes, kind, Depth::default(), None);
        let mut opened = visit.opened;
        let unpacked = opened.bytes;
        // Threads that end at the same time may go below by what each was granted.
        let less = |left: u64| Some(left.saturating_sub(unpacked));
        let _ = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        opened.covered = merged(covered);
        opened
    }
}

/// How many archives and compressed files one is in.
#[derive(Debug, Clone, Copy, Default)]
struct Depth {
    archives: u8,
    compressed: u8,
}

/// One content while it is opened.
struct Visit<'v> {
    limits: Limits,
    each: &'v mut dyn FnMut(&Part<'_>),
    opened: Opened,
    /// Bytes that may still come out.
    left: u64,
    /// Why not more.
    full: Why,
    /// Bytes that may still be read and written, whatever comes of it.
    fuel: u64,
    /// Entries that may still be looked at.
    entries: usize,
    inflater: Option<Inflater>,
    layers: Vec<String>,
}

impl Visit<'_> {
    /// Opens bytes of this kind. `span` is the range of the content that they come from; none for the content itself.
    ///
    /// Returns which of the bytes need not be looked at any more.
    fn open(&mut self, bytes: &[u8], kind: Kind, depth: Depth, span: Option<&Range<usize>>) -> Vec<Range<usize>> {
        match kind {
            Kind::Gzip | Kind::Zlib if depth.compressed >= self.limits.nested => self.too_deep(kind),
            Kind::Tar | Kind::Zip if depth.archives >= self.limits.nested => self.too_deep(kind),
            Kind::Gzip => gzip::open(self, bytes, depth, span),
            Kind::Zlib => gzip::open_zlib(self, bytes, depth, span),
            Kind::Tar => tar::open(self, bytes, depth, span),
            Kind::Zip => zip::open(self, bytes, depth, span),
            Kind::Wide(encoding) => text::open(self, bytes, encoding, span),
            Kind::Packed(what) => {
                self.cut(what, Why::Format);
                Vec::new()
            }
        }
    }

    fn too_deep(&mut self, kind: Kind) -> Vec<Range<usize>> {
        self.cut(kind.plural(), Why::Nested);
        Vec::new()
    }

    /// Opens what is inside something, and hands out what of it is not.
    fn inside(&mut self, bytes: &[u8], layer: String, depth: Depth, span: &Range<usize>) {
        self.layers.push(layer);
        let covered = match Kind::of(bytes) {
            Some(kind) => merged(self.open(bytes, kind, depth, Some(span))),
            None => Vec::new(),
        };
        for gap in gaps(&covered, 0..bytes.len()) {
            self.hand_out(&bytes[gap], span);
        }
        self.layers.pop();
    }

    fn hand_out(&mut self, bytes: &[u8], span: &Range<usize>) {
        // The padding of tar.
        if bytes.iter().all(|byte| *byte == 0) {
            return;
        }
        self.opened.parts += 1;
        (self.each)(&Part { bytes, layers: &self.layers, span: span.clone() });
    }

    fn cut(&mut self, what: &'static str, why: Why) {
        *self.opened.cut.entry(Cut { what, why }).or_default() += 1;
    }

    /// Whether one more entry may be looked at.
    fn may_enter(&mut self, what: &'static str) -> bool {
        let Some(left) = self.entries.checked_sub(1) else {
            self.cut(what, Why::Entries);
            return false;
        };
        self.entries = left;
        true
    }
}

/// A name from an archive, for a layer.
fn name(kind: &str, bytes: &[u8]) -> String {
    const LONGEST: usize = 256;
    // No character has more than four bytes.
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * LONGEST)]);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{kind}: {}…", &text[..end]),
        None => format!("{kind}: {text}"),
    }
}

/// Sorts ranges and joins those that touch.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.retain(|range| range.start < range.end);
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// What of a range is in none of these, which are ascending and do not overlap.
fn gaps(covered: &[Range<usize>], range: Range<usize>) -> Vec<Range<usize>> {
    let first = covered.partition_point(|covered| covered.end <= range.start);
    let (mut gaps, mut at) = (Vec::new(), range.start);
    for covered in covered[first..].iter().take_while(|covered| covered.start < range.end) {
        if at < covered.start {
            gaps.push(at..covered.start);
        }
        at = at.max(covered.end);
    }
    if at < range.end {
        gaps.push(at..range.end);
    }
    gaps
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "ranges are what is asked for")]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;

    use super::*;

    /// What is handed out: layers, joined, and bytes.
    fn parts_within(bytes: &[u8], limits: Limits) -> (Vec<(String, Vec<u8>)>, Opened) {
        let mut parts = Vec::new();
        let opened = Opener::new(limits).open(bytes, &mut |part| {
            assert!(part.span.start <= part.span.end && part.span.end <= bytes.len(), "{:?}", part.span);
            assert!(!part.layers.is_empty());
            parts.push((part.layers.join(" > "), part.bytes.to_vec()));
        });
        assert!(opened.covered.is_sorted_by(|one, next| one.end < next.start), "{:?}", opened.covered);
        assert!(opened.covered.iter().all(|range| range.start < range.end && range.end <= bytes.len()));
        assert!(opened.bytes <= limits.bytes);
        assert_eq!(opened.parts, parts.len() as u64);
        (parts, opened)
    }

    fn parts(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
        parts_within(bytes, Limits::default()).0
    }

    /// The one part of these layers.
    #[track_caller]
    fn part<'p>(parts: &'p [(String, Vec<u8>)], layers: &str) -> &'p [u8] {
        let mut found = parts.iter().filter(|(there, _)| there == layers);
        let part = found.next().unwrap_or_else(|| panic!("no {layers} in {:?}", layers_of(parts)));
        assert!(found.next().is_none(), "{layers} twice");
        &part.1
    }

    fn layers_of(parts: &[(String, Vec<u8>)]) -> Vec<&str> {
        parts.iter().map(|(layers, _)| layers.as_str()).collect()
    }

    fn cuts(opened: &Opened) -> Vec<(&'static str, Why)> {
        opened.cut.keys().map(|cut| (cut.what, cut.why)).collect()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::best());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = ::tar::Builder::new(Vec::new());
        for (path, content) in entries {
            let mut header = ::tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            out.append_data(&mut header, path, *content).unwrap();
        }
        out.into_inner().unwrap()
    }

    fn half(value: usize) -> [u8; 2] {
        u16::try_from(value).unwrap().to_le_bytes()
    }

    fn word(value: usize) -> [u8; 4] {
        u32::try_from(value).unwrap().to_le_bytes()
    }

    /// A ZIP written by hand, so that it can lie: each entry is deflated if it says so, and listed if it says so.
    fn zip(entries: &[(&str, &[u8], bool, bool)]) -> Vec<u8> {
        let (mut out, mut directory, mut count) = (Vec::new(), Vec::new(), 0);
        for (path, content, is_deflated, is_listed) in entries {
            let packed = if *is_deflated {
                let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
                packed.write_all(content).unwrap();
                packed.finish().unwrap()
            } else {
                content.to_vec()
            };
            let method = if *is_deflated { [8, 0] } else { [0, 0] };
            let sizes = [word(packed.len()), word(content.len())].concat();
            if *is_listed {
                count += 1;
                let head: [&[u8]; 9] = [
                    b"PK\x01\x02\x14\0\x14\0\0\0",
                    &method,
                    &[0; 8],
                    &sizes,
                    &half(path.len()),
                    &[0; 12],
                    &word(out.len()),
                    path.as_bytes(),
                    &[],
                ];
                directory.extend(head.concat());
            }
            let head: [&[u8]; 8] = [
                b"PK\x03\x04\x14\0\0\0",
                &method,
                &[0; 8],
                &sizes,
                &half(path.len()),
                &[0; 2],
                path.as_bytes(),
                &packed,
            ];
            out.extend(head.concat());
        }
        let at = out.len();
        out.extend(&directory);
        let end: [&[u8]; 6] =
            [b"PK\x05\x06\0\0\0\0", &half(count), &half(count), &word(directory.len()), &word(at), &[0; 2]];
        out.extend(end.concat());
        out
    }

    const SECRET: &[u8] = b"something that must be found\n";

    #[test]
    fn ordinary_text_has_no_parts() {
        for text in [&b""[..], b"fn main() {}\n", b"P", b"PK", b"x^2 + y^2 = z^2\n", "x\u{1}\u{feff}".as_bytes()] {
            let (found, opened) = parts_within(text, Limits::default());
            assert_eq!((found, opened.covered, opened.cut), (vec![], vec![], BTreeMap::new()));
        }
        // Nor has what is binary without being anything that is known.
        assert_eq!(parts(&[0; 4096]), []);
        assert_eq!(parts(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0"), []);
    }

    #[test]
    fn every_member_of_a_gzip_is_read() {
        let both = [gzip(b"one "), gzip(SECRET)].concat();
        let (found, opened) = parts_within(&both, Limits::default());
        assert_eq!(part(&found, "gzip"), [b"one ", SECRET].concat());
        assert_eq!(cuts(&opened), []);
        // What lies behind is left to who looks at the rest.
        let more = [&both[..], b"and more"].concat();
        let (_, opened) = parts_within(&more, Limits::default());
        assert!(opened.rest(&[0..more.len()]).iter().any(|range| more[range.clone()].ends_with(b"and more")));
    }

    #[test]
    fn what_is_cut_short_is_read_as_far_as_it_goes() {
        let noise: Vec<u8> = (0..4000u32).flat_map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let text = [SECRET, &noise].concat();
        let whole = gzip(&text);
        let (found, opened) = parts_within(&whole[..whole.len() / 2], Limits::default());
        assert!(part(&found, "gzip").starts_with(SECRET));
        assert_eq!(cuts(&opened), [("gzip files", Why::Damaged)]);
    }

    #[test]
    fn zlib_streams_are_opened() {
        for level in [0, 1, 6, 9] {
            let mut out = ZlibEncoder::new(Vec::new(), Compression::new(level));
            out.write_all(SECRET).unwrap();
            assert_eq!(part(&parts(&out.finish().unwrap()), "zlib"), SECRET);
        }
    }

    #[test]
    fn a_tar_shows_its_entries_and_what_lies_between_them() {
        let long = format!("{}/b.txt", "a".repeat(150));
        let archive = tar(&[("a.txt", b"one"), (&long, SECRET), ("empty", b"")]);
        let (found, opened) = parts_within(&archive, Limits::default());
        assert_eq!(layers_of(&found), ["tar: a.txt", &format!("tar: {long}")]);
        assert_eq!(part(&found, "tar: a.txt"), b"one");
        assert_eq!(cuts(&opened), []);
        let rest = opened.rest(&[0..archive.len()]);
        assert_eq!(rest.iter().map(Range::len).sum::<usize>(), archive.len() - 3 - SECRET.len());

        let found = parts(&gzip(&archive));
        assert_eq!(part(&found, "gzip > tar: a.txt"), b"one");
        let names: Vec<&[u8]> = found.iter().filter(|(layers, _)| layers == "gzip").map(|(_, it)| &it[..]).collect();
        assert!(names.iter().any(|bytes| bytes.starts_with(b"a.txt\0")), "the headers are looked at");
    }

    #[test]
    fn a_tar_behind_the_end_of_a_tar_is_read() {
        let both = [tar(&[("a", b"one")]), tar(&[("b", SECRET)])].concat();
        assert_eq!(layers_of(&parts(&both)), ["tar: a", "tar: b"]);
    }

    #[test]
    fn a_zip_shows_stored_and_deflated_entries() {
        let archive = zip(&[("a.txt", b"one", false, true), ("b.txt", SECRET, true, true)]);
        for archive in [archive.clone(), [b"#!/bin/sh\nexec me\n", &archive[..]].concat()] {
            let (found, opened) = parts_within(&archive, Limits::default());
            assert_eq!(layers_of(&found), ["zip: a.txt", "zip: b.txt"]);
            assert_eq!(part(&found, "zip: b.txt"), SECRET);
            assert_eq!(cuts(&opened), []);
        }
    }

    #[test]
    fn entries_that_the_directory_does_not_list_are_read_too() {
        let archive = zip(&[("a.txt", b"one", true, true), ("hidden", SECRET, true, false), ("b", b"two", true, true)]);
        assert_eq!(part(&parts(&archive), "zip: hidden"), SECRET);
        // Also within the size that a stored entry claims, and without any directory.
        let mut lying = archive.clone();
        lying[8] = 0;
        lying[18..22].copy_from_slice(&word(archive.len()));
        assert!(parts(&lying).iter().any(|(_, bytes)| bytes == SECRET));
        let cut = &archive[..archive.len() - 22];
        let (found, opened) = parts_within(cut, Limits::default());
        assert_eq!(part(&found, "zip: hidden"), SECRET);
        assert_eq!(cuts(&opened), [("ZIP archives", Why::Damaged)]);
    }

    #[test]
    fn an_entry_with_two_methods_is_read_in_both_ways() {
        let mut archive = zip(&[("a", SECRET, true, true)]);
        let directory = archive.len() - 22 - 47;
        assert_eq!(archive[directory..directory + 4], *b"PK\x01\x02");
        archive[directory + 10] = 0;
        assert!(parts(&archive).iter().any(|(_, bytes)| bytes == SECRET));
    }

    #[test]
    fn a_size_or_a_flag_that_lies_hides_nothing() {
        let mut archive = zip(&[("a", SECRET, true, true)]);
        archive[18..22].copy_from_slice(&word(1));
        archive[6] = 1;
        let directory = archive.len() - 22 - 47;
        archive[directory + 20..directory + 24].copy_from_slice(&word(1));
        assert_eq!(part(&parts(&archive), "zip: a"), SECRET);
    }

    #[test]
    fn what_is_encrypted_or_packed_otherwise_is_counted() {
        let mut archive = zip(&[("a", SECRET, false, true), ("b", b"xx", false, true)]);
        archive[6] = 1;
        let (found, opened) = parts_within(&archive, Limits::default());
        assert_eq!(layers_of(&found), ["zip: b"]);
        assert_eq!(cuts(&opened), [("entries of ZIP archives", Why::Encrypted)]);
        for (bytes, what) in [
            (&b"BZh91AY&SY\0\0\0\0"[..], "bzip2 files"),
            (b"\xfd7zXZ\0\0\x04", "xz files"),
            (b"\x28\xb5\x2f\xfd\0", "zstd files"),
            (b"7z\xbc\xaf\x27\x1c\0", "7z archives"),
            (b"Rar!\x1a\x07\x01\0", "RAR archives"),
        ] {
            let (found, opened) = parts_within(bytes, Limits::default());
            assert_eq!((found.len(), cuts(&opened)), (0, vec![(what, Why::Format)]));
            assert_eq!(opened.rest(&[0..bytes.len()]), [0..bytes.len()]);
        }
    }

    #[test]
    fn nested_once_and_no_deeper() {
        let inner = zip(&[("b.txt", SECRET, true, true)]);
        let middle = gzip(&tar(&[("in.zip", &inner)]));
        assert_eq!(part(&parts(&middle), "gzip > tar: in.zip > zip: b.txt"), SECRET);
        let outer = zip(&[("out.tgz", &gzip(&tar(&[("a", &gzip(&gzip(SECRET)))])), true, true)]);
        assert!(parts(&outer).iter().all(|(_, bytes)| bytes != SECRET), "three compressed files, one in the other");
        let outer = zip(&[("mid.tgz", &middle, true, true)]);
        let (found, opened) = parts_within(&outer, Limits::default());
        assert!(found.iter().all(|(_, bytes)| bytes != SECRET));
        assert_eq!(cuts(&opened), [("ZIP archives", Why::Nested)]);
    }

    #[test]
    fn wide_text_is_read_with_and_without_a_mark() {
        let text = "key = \"größer\" 𝄞\n".repeat(3);
        let units: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        for bytes in [[&b"\xff\xfe"[..], &little].concat(), [&b"\xfe\xff"[..], &big].concat(), little, big] {
            assert_eq!(part(&parts(&bytes), "UTF-16"), text.as_bytes());
        }
        let wide: Vec<u8> = text.chars().flat_map(|sign| u32::from(sign).to_le_bytes()).collect();
        let wide = [&b"\xff\xfe\0\0"[..], &wide].concat();
        assert_eq!(part(&parts(&wide), "UTF-32"), text.as_bytes());
        assert_eq!(part(&parts(&gzip(&wide)), "gzip > UTF-32"), text.as_bytes());
    }

    #[test]
    fn bombs_are_cut_and_told() {
        let zeros = gzip(&vec![b'0'; 32 << 20]);
        let (found, opened) = parts_within(&zeros, Limits::default());
        assert_eq!(cuts(&opened), [("gzip files", Why::Size)]);
        assert!(found[0].1.len() < 8 << 20, "the ratio bounds it");
        let small = Limits { bytes: 1000, ..Limits::default() };
        let (found, opened) = parts_within(&gzip(&[b'a'; 1000]), small);
        assert_eq!((found[0].1.len(), cuts(&opened)), (1000, vec![]));
        let (found, opened) = parts_within(&gzip(&[b'a'; 1001]), small);
        assert_eq!((found[0].1.len(), cuts(&opened)), (1000, vec![("gzip files", Why::Size)]));

        let many: Vec<(&str, &[u8], bool, bool)> = vec![("a", b"", false, true); 50];
        let few = Limits { entries: 20, ..Limits::default() };
        let (_, opened) = parts_within(&zip(&many), few);
        assert!(cuts(&opened).contains(&("entries of ZIP archives", Why::Entries)));
    }

    #[test]
    fn a_run_has_a_limit_of_its_own() {
        let opener = Opener::new(Limits { run: 1500, ..Limits::default() });
        let archive = gzip(&[b'a'; 1000]);
        let cuts: Vec<_> = (0..3).map(|_| cuts(&opener.open(&archive, &mut |_| {}))).collect();
        assert_eq!(cuts, [vec![], vec![("gzip files", Why::Run)], vec![("gzip files", Why::Run)]]);
    }

    #[test]
    fn entries_over_each_other_do_not_multiply() {
        // Every header claims all that follows.
        let mut archive = Vec::new();
        for at in 0..2000u16 {
            let size = word(1 << 20);
            let head: [&[u8]; 7] = [
                b"PK\x03\x04\x14\0\0\0\0\0",
                &[0; 8],
                &size,
                &size,
                &half(1),
                &[0; 2],
                &[b'a' + (at % 26).to_le_bytes()[0]],
            ];
            archive.extend(head.concat());
        }
        let mut shown = 0;
        let opened = Opener::new(Limits::default()).open(&archive, &mut |part| shown += part.bytes.len());
        assert!(shown <= 2 * (archive.len() * 200 + (1 << 20)) + 8 * archive.len(), "{shown}");
        assert!(opened.cut.contains_key(&Cut { what: "entries of ZIP archives", why: Why::Size }));
    }

    #[test]
    fn ranges_leave_gaps() {
        let opened = Opened { covered: vec![2..4, 6..8], ..Opened::default() };
        assert_eq!(opened.rest(&[0..10]), [0..2, 4..6, 8..10]);
        assert_eq!(opened.rest(&[3..7, 7..8, 9..9]), [4..6]);
        assert_eq!(Opened::default().rest(&[1..3]), [1..3]);
        assert_eq!(merged(vec![5..6, 0..2, 1..3, 3..4, 9..9]), [0..4, 5..6]);
    }

    proptest! {
        #[test]
        fn what_is_packed_is_found(content in proptest::collection::vec(any::<u8>(), 1..2000), prefix in 0..64usize) {
            // Noise could be an archive by itself, and padding is not shown.
            let content = [&b"text "[..], &content, b"."].concat();
            let found = |bytes: &[u8]| parts(bytes).iter().any(|(_, part)| *part == content);
            prop_assert!(found(&gzip(&content)));
            prop_assert!(found(&gzip(&tar(&[("a", b"b"), ("c", &content)]))));
            for is_deflated in [false, true] {
                let archive = zip(&[("a", b"b", false, true), ("c", &content, is_deflated, true)]);
                prop_assert!(found(&archive));
                prop_assert!(found(&[&vec![b'#'; prefix][..], &archive].concat()));
            }
        }

        #[test]
        fn damage_is_survived(at in 0..4000usize, byte in any::<u8>(), len in 0..4000usize) {
            let archive = tar(&[("a", SECRET), ("in.zip", &zip(&[("b", SECRET, true, true), ("c", b"x", false, true)]))]);
            let zipped = zip(&[("t.tgz", &gzip(&archive), false, true), ("b", &archive, true, true)]);
            for mut bytes in [archive.clone(), gzip(&archive), zipped] {
                let there = at % bytes.len();
                bytes[there] ^= byte;
                bytes.truncate(len.max(1));
                parts(&bytes);
            }
        }
    }
}
