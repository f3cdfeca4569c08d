//! A pack and its index: any bytes, and bytes that are made to fit together as well as those of a pack can be.
//!
//! The first four bytes say how long the pack is, the next one how the rest is taken; what follows the pack is its index.

#![no_main]

use std::num::NonZero;

use libfuzzer_sys::fuzz_target;
use toolbelt_core::source::git::objects::delta::{self, Lines};
use toolbelt_core::source::git::objects::{Options, hash, visit_pack};
use toolbelt_core::subject::content::{Descendants, News};

fuzz_target!(|bytes: &[u8]| {
    let Some((head, rest)) = bytes.split_at_checked(5) else { return };
    let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize % (rest.len() + 1);
    let (pack, index) = rest.split_at(length);
    if head[4] & 1 == 1 {
        return delta_of(pack, index);
    }
    let kind = if head[4] & 2 == 0 { hash::Kind::Sha1 } else { hash::Kind::Sha256 };
    let (mut pack, index) = (pack.to_vec(), index);
    // The checksums agree, else nothing is read.
    let ends = kind.len_in_bytes();
    if pack.len() >= ends
        && let Some(checksum) = index.len().checked_sub(2 * ends).map(|at| &index[at..at + ends])
    {
        let at = pack.len() - ends;
        pack[at..].copy_from_slice(checksum);
    }
    let options = Options { largest: 1 << 16, threads: NonZero::new(1), ..Options::default() };
    let _ = visit_pack(&pack, index, kind, options, &|met| {
        if let News::Lines(lines) = met.content.news {
            check(met.content.bytes, lines);
        }
        Descendants::ByNews
    });
});

/// One delta and its base.
fn delta_of(base: &[u8], delta: &[u8]) {
    let (mut target, mut lines) = (Vec::new(), Lines::default());
    if delta::apply(base, delta, 1 << 16, &mut target, Some(&mut lines)).is_ok()
        && let Some(lines) = lines.get()
    {
        check(&target, lines);
    }
}

fn check(bytes: &[u8], lines: &[std::ops::Range<usize>]) {
    let mut last = 0;
    for line in lines {
        assert!(last <= line.start && line.start < line.end && line.end <= bytes.len());
        assert!(line.start == 0 || bytes[line.start - 1] == b'\n');
        assert!(line.end == bytes.len() || bytes[line.end - 1] == b'\n');
        last = line.end;
    }
}
