//! Applies a delta, and tells which lines of its result are not lines of its base.
//!
//! A delta is a list of two instructions: *copy these bytes of the base*, *insert these bytes*. A line of the result that
//! came with one copy, with the bytes before and after it, stands in the base as it is. So only those lines are news
//! that touch an inserted byte or a seam: a place where two instructions meet and the second does not continue the
//! first one's copy in the base, the start of the result unless it is the start of the base, and its end unless it is
//! the base's end.
//!
//! The line *behind* a run or a seam counts too, even when the run ends with a newline: it may be the tail of a line of
//! the base, and it has another line before it than in the base. Hence the guarantee, which a test holds to:
//!
//! > Every line outside the ranges is, whole, a line of the base, and the byte sequence before it (back to the next
//! > range) is what stands before it in the base.
//!
//! Format: `gitformat-pack(5)`, "Deltified representation".

use std::ops::Range;

use memchr::{memchr, memrchr};

use super::Fault;

/// More ranges than this are not kept: the result is looked at as a whole.
///
/// They cost 16 bytes each, and a delta that changes so many places leaves little that is not new.
const RANGES: usize = 1 << 16;

/// Writes what `delta` makes of `base` into `target`, and the lines that are news into `lines`.
///
/// `most` is the longest result that is accepted. What is in `target` and `lines` after a fault means nothing.
///
/// # Errors
///
/// If the delta is for a base of another size, is cut, has the reserved instruction, copies from outside the base, or
/// makes more or less than it says; or if that is more than `most`.
pub fn apply(
    base: &[u8],
    delta: &[u8],
    most: usize,
    target: &mut Vec<u8>,
    lines: Option<&mut Lines>,
) -> Result<(), Fault> {
    target.clear();
    let (size, mut rest) = sizes(base, delta)?;
    let size = usize::try_from(size).ok().filter(|&size| size <= most).ok_or(Fault::TooLarge)?;
    // What a delta says about its result is believed when it has come true: until then the room grows with it.
    target.reserve(size.min(base.len() + delta.len()));
    let mut lines = lines;
    if let Some(lines) = &mut lines {
        lines.clear();
    }
    // Where the base goes on; none behind an insertion, whose range covers the seam.
    let mut continued = Some(0);
    while let Some((&code, tail)) = rest.split_first() {
        rest = tail;
        let before = target.len();
        if code & 0x80 != 0 {
            let (offset, length) = copy(code, &mut rest)?;
            let end = offset.checked_add(length).ok_or(Fault::Delta("copies from outside its base"))?;
            let part = base.get(offset..end).ok_or(Fault::Delta("copies from outside its base"))?;
            if length > size - before {
                return Err(Fault::Delta("makes more than it says"));
            }
            if let (Some(lines), Some(at)) = (&mut lines, continued)
                && at != offset
            {
                lines.mark(target, before);
            }
            target.extend_from_slice(part);
            continued = Some(end);
        } else if code == 0 {
            return Err(Fault::Delta("has an instruction that is reserved"));
        } else {
            let (part, tail) = rest.split_at_checked(usize::from(code)).ok_or(Fault::Delta("is cut"))?;
            rest = tail;
            if part.len() > size - before {
                return Err(Fault::Delta("makes more than it says"));
            }
            target.extend_from_slice(part);
            if let Some(lines) = &mut lines {
                lines.mark(target, before);
            }
            continued = None;
        }
    }
    if target.len() != size {
        return Err(Fault::Delta("makes less than it says"));
    }
    if let Some(lines) = lines {
        if continued.is_some_and(|at| at != base.len()) {
            lines.mark(target, target.len());
        }
        lines.finish(target);
    }
    Ok(())
}

/// How long the result of `delta` is, as it says.
///
/// # Errors
///
/// If the delta is cut, or for a base of another size.
pub fn size(base: &[u8], delta: &[u8]) -> Result<u64, Fault> {
    sizes(base, delta).map(|(size, _)| size)
}

/// How long the result of `delta` is, and its instructions; checks that it is for a base like this.
fn sizes<'a>(base: &[u8], delta: &'a [u8]) -> Result<(u64, &'a [u8]), Fault> {
    let (source, rest) = number(delta).ok_or(Fault::Delta("is cut"))?;
    if source != base.len() as u64 {
        return Err(Fault::Delta("is for a base of another size"));
    }
    number(rest).ok_or(Fault::Delta("is cut"))
}

/// A number of seven bits a byte, the lowest first.
fn number(mut bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for shift in (0..63).step_by(7) {
        let (&byte, tail) = bytes.split_first()?;
        bytes = tail;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((value, bytes));
        }
    }
    None
}

/// Offset and length of a copy: the bits of its code say which of their bytes follow, the others are zero.
fn copy(code: u8, rest: &mut &[u8]) -> Result<(usize, usize), Fault> {
    let mut value = 0_u64;
    for bit in 0..7 {
        if code & (1 << bit) != 0 {
            let (&byte, tail) = rest.split_first().ok_or(Fault::Delta("is cut"))?;
            *rest = tail;
            value |= u64::from(byte) << (8 * bit);
        }
    }
    let length = match value >> 32 {
        0 => 0x1_0000,
        length => length,
    };
    let outside = |_| Fault::Delta("copies from outside its base");
    Ok((usize::try_from(value & 0xffff_ffff).map_err(outside)?, usize::try_from(length).map_err(outside)?))
}

/// The lines of a result that are news.
#[derive(Debug, Default)]
pub struct Lines {
    /// Ascending, with at least a line between two. All but the last end with their last line; the last one ends where
    /// the last mark did, and its line may go on behind that.
    ranges: Vec<Range<usize>>,
    too_many: bool,
}

impl Lines {
    /// The lines, unless there are too many to keep.
    pub fn get(&self) -> Option<&[Range<usize>]> {
        (!self.too_many).then_some(&self.ranges)
    }

    fn clear(&mut self) {
        self.ranges.clear();
        self.too_many = false;
    }

    /// Marks the bytes from `start` to the end of what there is of the target so far, or the seam there.
    ///
    /// Each gap between two marks is searched at most twice, from both sides, so all marks together cost no more than
    /// a walk over the target, however many a delta has.
    #[inline]
    fn mark(&mut self, target: &[u8], start: usize) {
        let end = target.len();
        let full = self.ranges.len() >= RANGES;
        let Some(last) = self.ranges.last_mut() else {
            let begin = memrchr(b'\n', &target[..start]).map_or(0, |newline| newline + 1);
            self.ranges.push(begin..end);
            return;
        };
        let gap = last.end..start;
        let close = match memchr(b'\n', &target[gap.clone()]) {
            Some(newline) => gap.start + newline + 1,
            None => return last.end = end,
        };
        match memrchr(b'\n', &target[close..start]) {
            Some(newline) if !full => {
                last.end = close;
                self.ranges.push(close + newline + 1..end);
            }
            Some(_) => {
                self.too_many = true;
                last.end = end;
            }
            None => last.end = end,
        }
    }

    /// Widens the last range to the end of its line, now that the target is complete.
    fn finish(&mut self, target: &[u8]) {
        if let Some(last) = self.ranges.last_mut() {
            last.end = memchr(b'\n', &target[last.end..]).map_or(target.len(), |newline| last.end + newline + 1);
            // The seam at the end of a target whose last line is complete.
            if last.start == last.end {
                self.ranges.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// An instruction of a test.
    #[derive(Debug, Clone)]
    enum Op {
        Copy(usize, usize),
        Insert(Vec<u8>),
    }

    fn varint(mut value: usize, out: &mut Vec<u8>) {
        loop {
            let byte = u8::try_from(value & 0x7f).unwrap();
            value >>= 7;
            if value == 0 {
                return out.push(byte);
            }
            out.push(byte | 0x80);
        }
    }

    fn encode(base: usize, target: usize, ops: &[Op]) -> Vec<u8> {
        let mut out = Vec::new();
        varint(base, &mut out);
        varint(target, &mut out);
        for op in ops {
            match op {
                Op::Copy(offset, length) => {
                    let at = out.len();
                    out.push(0x80);
                    let length = if *length == 0x1_0000 { 0 } else { *length };
                    let value = (*offset as u64) | ((length as u64) << 32);
                    for bit in 0..7 {
                        let byte = u8::try_from((value >> (8 * bit)) & 0xff).unwrap();
                        if byte != 0 {
                            out[at] |= 1 << bit;
                            out.push(byte);
                        }
                    }
                }
                Op::Insert(bytes) => {
                    out.push(u8::try_from(bytes.len()).unwrap());
                    out.extend(bytes);
                }
            }
        }
        out
    }

    fn run(base: &[u8], ops: &[Op]) -> (Vec<u8>, Vec<Range<usize>>) {
        let mut expected: Vec<u8> = Vec::new();
        for op in ops {
            match op {
                Op::Copy(offset, length) => expected.extend(&base[*offset..offset + length]),
                Op::Insert(bytes) => expected.extend(bytes),
            }
        }
        let (mut target, mut lines) = (Vec::new(), Lines::default());
        let delta = encode(base.len(), expected.len(), ops);
        apply(base, &delta, 1 << 20, &mut target, Some(&mut lines)).unwrap();
        assert_eq!(target, expected);
        (target, lines.get().unwrap().to_vec())
    }

    fn texts<'a>(target: &'a [u8], lines: &[Range<usize>]) -> Vec<&'a str> {
        lines.iter().map(|range| std::str::from_utf8(&target[range.clone()]).unwrap()).collect()
    }

    #[track_caller]
    fn check(base: &str, ops: &[Op], news: &[&str]) {
        let (target, lines) = run(base.as_bytes(), ops);
        assert_eq!(texts(&target, &lines), news);
    }

    fn insert(text: &str) -> Op {
        Op::Insert(text.into())
    }

    #[test]
    fn an_inserted_line_is_news_together_with_the_line_behind_it() {
        check("a\nb\nc\n", &[Op::Copy(0, 2), insert("x\n"), Op::Copy(2, 4)], &["x\nb\n"]);
    }

    #[test]
    fn a_line_that_is_half_new_is_news_as_a_whole() {
        check("one=1\ntwo=2\nthree\n", &[Op::Copy(0, 10), insert("9"), Op::Copy(11, 7)], &["two=9\n"]);
    }

    #[test]
    fn copies_that_continue_each_other_have_no_seam() {
        check("a\nb\nc\n", &[Op::Copy(0, 3), Op::Copy(3, 3)], &[]);
    }

    #[test]
    fn what_stands_before_a_seam_and_behind_it_makes_one_new_line() {
        check("user=joe\npass=abc\n", &[Op::Copy(0, 5), Op::Copy(14, 4)], &["user=abc\n"]);
    }

    #[test]
    fn a_seam_between_two_lines_makes_the_second_news() {
        check("a\nb\nc\n", &[Op::Copy(0, 2), Op::Copy(4, 2)], &["c\n"]);
    }

    #[test]
    fn the_first_line_of_a_target_may_be_the_tail_of_one_of_the_base() {
        check("hidden secret\nb\n", &[Op::Copy(7, 9)], &["secret\n"]);
    }

    #[test]
    fn the_last_line_of_a_target_may_be_the_head_of_one_of_the_base() {
        check("a\nsecret hidden\n", &[Op::Copy(0, 8)], &["secret"]);
        check("a\nb\nc\n", &[Op::Copy(0, 4)], &[]);
    }

    #[test]
    fn the_end_of_a_base_without_newline_is_a_line() {
        check("a\nb", &[insert("x\n"), Op::Copy(0, 3)], &["x\na\n"]);
        check("a\nb", &[Op::Copy(0, 3), insert("c\n"), Op::Copy(0, 2)], &["bc\na\n"]);
        check("a\nb", &[Op::Copy(0, 3), insert("\nc")], &["b\nc"]);
    }

    #[test]
    fn a_copy_in_the_middle_of_a_line_behind_an_inserted_newline_is_news() {
        check("say secret\nb\n", &[insert("x\n"), Op::Copy(4, 9)], &["x\nsecret\n"]);
    }

    #[test]
    fn empty_bases_and_targets_have_no_lines() {
        check("", &[], &[]);
        check("a\n", &[], &[]);
        check("", &[insert("a\n")], &["a\n"]);
    }

    #[test]
    fn a_copy_of_size_zero_copies_65536_bytes() {
        let base = vec![b'x'; 0x1_0000];
        assert_eq!(run(&base, &[Op::Copy(0, 0x1_0000)]).0, base);
    }

    #[test]
    fn news_in_too_many_places_is_all_there_is() {
        let base = "a\nb\n".repeat(RANGES + 1).into_bytes();
        let target = "a\nb\nx\n".repeat(RANGES + 1);
        let (mut delta, mut made, mut lines) = (Vec::new(), Vec::new(), Lines::default());
        varint(base.len(), &mut delta);
        varint(target.len(), &mut delta);
        for at in 0..=RANGES {
            let place = u32::try_from(at * 4).unwrap().to_le_bytes();
            delta.extend([&[0x9f][..], &place, &[4, 2, b'x', b'\n']].concat());
        }
        apply(&base, &delta, 1 << 20, &mut made, Some(&mut lines)).unwrap();
        assert_eq!(made, target.as_bytes());
        assert_eq!(lines.get(), None);
        assert!(lines.ranges.len() <= RANGES);
    }

    #[test]
    fn wrong_deltas_are_faults() {
        let mut target = Vec::new();
        let mut fault = |base: &[u8], delta: &[u8]| apply(base, delta, 100, &mut target, None).unwrap_err();
        assert_eq!(fault(b"", &[]), Fault::Delta("is cut"));
        assert_eq!(fault(b"", &[0x80]), Fault::Delta("is cut"));
        assert_eq!(fault(b"", &[1, 1, 1]), Fault::Delta("is for a base of another size"));
        assert_eq!(fault(b"", &[0, 1, 0]), Fault::Delta("has an instruction that is reserved"));
        assert_eq!(fault(b"", &[0, 2, 2, b'a']), Fault::Delta("is cut"));
        assert_eq!(fault(b"", &[0, 1, 2, b'a', b'a']), Fault::Delta("makes more than it says"));
        assert_eq!(fault(b"", &[0, 2, 1, b'a']), Fault::Delta("makes less than it says"));
        assert_eq!(fault(b"ab", &[2, 3, 0x90, 3]), Fault::Delta("copies from outside its base"));
        assert_eq!(fault(b"ab", &[2, 1, 0x90, 2]), Fault::Delta("makes more than it says"));
        assert_eq!(fault(b"ab", &[2, 2, 0x81]), Fault::Delta("is cut"));
        assert_eq!(fault(b"ab", &[2, 0xff, 0xff, 0xff, 0x7f, 0x90, 2]), Fault::TooLarge);
        assert_eq!(fault(b"", &[0xff; 30]), Fault::Delta("is cut"));
    }

    /// The lines of a text with what ends them, and where each starts.
    fn lines_of(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
        text.split_inclusive(|&byte| byte == b'\n').scan(0, |at, line| {
            let start = *at;
            *at += line.len();
            Some((start, line))
        })
    }

    fn base_and_ops() -> impl Strategy<Value = (Vec<u8>, Vec<Op>)> {
        let byte = prop_oneof![Just(b'a'), Just(b'b'), Just(b'\n')];
        vec(byte.clone(), 0..40).prop_flat_map(move |base| {
            let length = base.len();
            let copy = (0..length.max(1), 1..=length.max(1))
                .prop_filter_map("inside the base", move |(offset, size)| {
                    (offset + size <= length).then_some(Op::Copy(offset, size))
                });
            let insert = vec(byte.clone(), 1..6).prop_map(Op::Insert);
            let op = if length == 0 { insert.boxed() } else { prop_oneof![copy, insert].boxed() };
            (Just(base), vec(op, 0..8))
        })
    }

    proptest! {
        #[test]
        fn every_line_outside_the_ranges_is_a_line_of_the_base_behind_the_same_line((base, ops) in base_and_ops()) {
            let (target, news) = run(&base, &ops);
            let known: BTreeSet<(&[u8], Option<u8>)> =
                lines_of(&base).map(|(start, line)| (line, start.checked_sub(1).map(|at| base[at]))).collect();
            let pairs: BTreeSet<(&[u8], &[u8])> = lines_of(&base)
                .zip(lines_of(&base).skip(1))
                .map(|((_, first), (_, second))| (first, second))
                .collect();
            let inside = |at: usize| news.iter().any(|range| range.contains(&at));
            let mut before: Option<(usize, &[u8])> = None;
            for (start, line) in lines_of(&target) {
                let end = start + line.len();
                let whole = news.iter().all(|range| (range.start <= start && end <= range.end) || end <= range.start || range.end <= start);
                prop_assert!(whole, "a range cuts a line");
                if !inside(start) {
                    prop_assert!(known.contains(&(line, start.checked_sub(1).map(|at| target[at]))));
                    if let Some((at, previous)) = before && !inside(at) {
                        prop_assert!(pairs.contains(&(previous, line)));
                    }
                }
                before = Some((start, line));
            }
            for pair in news.windows(2) {
                prop_assert!(pair[0].end < pair[1].start);
            }
            prop_assert!(news.iter().all(|range| !range.is_empty() && range.end <= target.len()));
        }

        #[test]
        fn any_bytes_are_a_delta_or_a_fault(base in vec(any::<u8>(), 0..30), delta in vec(any::<u8>(), 0..60)) {
            let (mut target, mut lines) = (Vec::new(), Lines::default());
            if apply(&base, &delta, 1 << 16, &mut target, Some(&mut lines)).is_ok() {
                prop_assert!(lines.get().unwrap().iter().all(|range| range.end <= target.len()));
            }
        }
    }
}
