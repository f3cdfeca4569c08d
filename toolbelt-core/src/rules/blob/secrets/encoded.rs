//! Keywords within base64, and the text around them.
//!
//! Nothing is decoded on suspicion: the keywords themselves are looked for in each of the three ways in which base64 writes
//! them, depending on where they begin in a group of three bytes, and only a run that holds one is decoded.

use std::ops::Range;

use super::proof;

/// The shortest run that is decoded.
const MIN_RUN: usize = 24;
/// The longest run that is decoded; of a longer one, this much around the keyword.
const MAX_RUN: usize = 64 << 10;

/// How base64 writes a text, for each place in a group of three bytes that it may begin at.
///
/// Digits that depend on what stands before or after are left out; nothing is told of texts under four bytes.
pub(super) fn shifted(text: &[u8]) -> Vec<(u8, Vec<u8>)> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if text.len() < 4 {
        return Vec::new();
    }
    let encode = |shift: u8| {
        let lead = usize::from(shift) * 8;
        let bit = |at: usize| {
            let at = at - lead;
            text[at / 8] >> (7 - at % 8) & 1
        };
        let (first, end) = (lead.div_ceil(6), (lead + text.len() * 8) / 6);
        let digit = |place: usize| (place * 6..place * 6 + 6).fold(0, |value, at| value * 2 + bit(at));
        (shift, (first..end).map(|place| ALPHABET[usize::from(digit(place))]).collect())
    };
    (0..3).map(encode).collect()
}

/// The text that the run of base64 around a keyword stands for, and the run.
///
/// `shift` is where the keyword begins in a group of three bytes. `None` if the run is short or stands for no text.
pub(super) fn decode(line: &[u8], keyword: Range<usize>, shift: u8) -> Option<(Range<usize>, Vec<u8>)> {
    let run = run(line, keyword.clone());
    if run.len() < MIN_RUN {
        return None;
    }
    // Groups of four digits begin where the keyword says, whatever stands before the first.
    let digits = [0, 2, 3][usize::from(shift)];
    let begin = run.start + (keyword.start + 4 - digits - run.start) % 4;
    let length = run.end.checked_sub(begin)?;
    let text = proof::base64(&line[begin..begin + length - usize::from(length % 4 == 1)])?;
    let text = if is_wide(&text) { narrow(&text) } else { text };
    is_text(&text).then_some((run, text))
}

/// The run of base64 digits around a place.
pub(super) fn run(line: &[u8], keyword: Range<usize>) -> Range<usize> {
    let is_digit = |byte: &&u8| proof::sextet(**byte).is_some();
    let before = &line[keyword.start.saturating_sub(MAX_RUN / 2)..keyword.start];
    let after = &line[keyword.end..line.len().min(keyword.end + MAX_RUN / 2)];
    let start = keyword.start - before.iter().rev().take_while(is_digit).count();
    start..keyword.end + after.iter().take_while(is_digit).count()
}

/// Whether it is text: hardly a byte that no text has.
fn is_text(text: &[u8]) -> bool {
    let is_odd = |byte: &&u8| **byte < 0x20 && !b"\t\n\r\x1b".contains(byte) || **byte == 0x7f;
    let odd = text.iter().filter(is_odd).count();
    let high = text.iter().filter(|byte| **byte >= 0x80).count();
    odd * 50 <= text.len() && (high * 5 <= text.len() || std::str::from_utf8(text).is_ok())
}

/// Whether every other byte is mostly zero, as in ASCII written as UTF-16.
fn is_wide(text: &[u8]) -> bool {
    let zeros = memchr::memchr_iter(0, text).count();
    text.len() >= 8 && zeros * 5 >= text.len() * 2
}

/// Takes the zeros out of UTF-16.
fn narrow(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|byte| *byte != 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyword_is_found_wherever_it_begins() {
        // `password=hunter2-hunter2` behind no, one and two further bytes.
        let runs = [
            ("cGFzc3dvcmQ9aHVudGVyMi1odW50ZXIy", "password=hunter2-hunter2"),
            ("eHBhc3N3b3JkPWh1bnRlcjItaHVudGVyMg==", "xpassword=hunter2-hunter2"),
            ("eHhwYXNzd29yZD1odW50ZXIyLWh1bnRlcjI=", "xxpassword=hunter2-hunter2"),
        ];
        for (run, text) in runs {
            let line = format!("data: {run}");
            let found = shifted(b"password").into_iter().find_map(|(shift, literal)| {
                let at = memchr::memmem::find(line.as_bytes(), &literal)?;
                decode(line.as_bytes(), at..at + literal.len(), shift)
            });
            let (span, decoded) = found.unwrap();
            assert_eq!((span.start, decoded), (6, text.as_bytes().to_vec()));
        }
    }

    #[test]
    fn bytes_are_no_text() {
        assert!(is_text("a schöner text\n".as_bytes()));
        assert!(!is_text(&[0, 1, 2, 3, b'a']));
        assert!(is_wide(b"p\0a\0s\0s\0"));
    }
}
