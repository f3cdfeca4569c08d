//! Characters that are not shown, or that change the order in which others are shown.
//!
//! A line is looked at as a whole, once it holds one such character: whether it is in its place depends on its
//! neighbours. Text without any is only searched for a few lead bytes.

use std::ops::Range;

use super::marks::Mark;
use crate::subject::sighting::{Bidi, Observation};

/// Looked at for being ASCII in one go.
const CHUNK: usize = 8 << 10;
/// More nested directions than this are not in effect ([UAX #9](https://www.unicode.org/reports/tr9/#BD2)).
const MAX_DEPTH: usize = 125;

/// Adds what is seen in a part that begins and ends with whole lines.
pub(super) fn mark(bytes: &[u8], part: Range<usize>, found: &mut Vec<Mark>) {
    let mut at = part.start;
    while at < part.end {
        let end = part.end.min(at + CHUNK);
        if !bytes[at..end].is_ascii()
            && let Some(hit) = find(bytes, at..end, part.end)
        {
            let start = memchr::memrchr(b'\n', &bytes[at.max(part.start)..hit]).map_or_else(
                // The chunk before this one may hold the line's start; lines looked at are not looked at again.
                || memchr::memrchr(b'\n', &bytes[part.start..at]).map_or(part.start, |before| part.start + before + 1),
                |before| at + before + 1,
            );
            let line_end = memchr::memchr(b'\n', &bytes[hit..part.end]).map_or(part.end, |after| hit + after);
            look_at_line(bytes, start..line_end, found);
            at = line_end + 1;
        } else {
            at = end;
        }
    }
}

/// The first byte of a character that is looked for, in a range; the character may end after it, but not after `limit`.
fn find(bytes: &[u8], range: Range<usize>, limit: usize) -> Option<usize> {
    let text = &bytes[range.clone()];
    let is_suspect = |at: &usize| is_suspect(&bytes[range.start + at..limit]);
    let common = memchr::memchr3_iter(0xe2, 0xef, 0xf3, text).find(is_suspect);
    let text = &text[..common.unwrap_or(text.len())];
    let rare = memchr::memchr3_iter(0xe1, 0xe3, 0xcd, text).find(is_suspect);
    let text = &text[..rare.unwrap_or(text.len())];
    let arabic = memchr::memchr_iter(0xd8, text).find(is_suspect);
    arabic.or(rare).or(common).map(|at| range.start + at)
}

/// Whether these bytes begin with a character that is looked for.
fn is_suspect(bytes: &[u8]) -> bool {
    match bytes {
        [0xe2, 0x80, third, ..] => matches!(third, 0x8b..=0x8f | 0xaa..=0xae),
        [0xe2, 0x81, third, ..] => matches!(third, 0xa0..=0xa4 | 0xa6..=0xaf),
        [0xef, 0xb8, third, ..] => *third <= 0x8f,
        [0xef, 0xbf, third, ..] => matches!(third, 0xb9..=0xbb),
        [0xf3, 0xa0, third, ..] => matches!(third, 0x80 | 0x81 | 0x84..=0x87),
        [0xe1, 0x85, third, ..] => matches!(third, 0x9f | 0xa0),
        [0xe1, 0xa0, third, ..] => matches!(third, 0x8b..=0x8f),
        [0xef, 0xbb, 0xbf, ..]
        | [0xef, 0xbe, 0xa0, ..]
        | [0xe3, 0x85, 0xa4, ..]
        | [0xcd, 0x8f, ..]
        | [0xd8, 0x9c, ..] => true,
        _ => false,
    }
}

/// A character's neighbours.
struct Neighbours {
    before: Option<char>,
    after: Option<char>,
    /// Whether it is the first of the file.
    first: bool,
}

/// What a line was found to hold.
#[derive(Default)]
struct Seen {
    characters: Vec<char>,
    span: Option<Range<usize>>,
}

impl Seen {
    fn add(&mut self, character: char, at: usize) {
        if !self.characters.contains(&character) && self.characters.len() < 64 {
            self.characters.push(character);
        }
        let end = at + character.len_utf8();
        self.span = Some(self.span.as_ref().map_or(at, |span| span.start)..end);
    }

    fn extend(&mut self, other: Self) {
        for character in other.characters {
            if !self.characters.contains(&character) {
                self.characters.push(character);
            }
        }
        self.span = match (self.span.take(), other.span) {
            (Some(one), Some(next)) => Some(one.start.min(next.start)..one.end.max(next.end)),
            (one, next) => one.or(next),
        };
    }
}

fn look_at_line(bytes: &[u8], line: Range<usize>, found: &mut Vec<Mark>) {
    let text = &bytes[line.clone()];
    if !is_text(text) {
        return;
    }
    let (mut invisible, mut bidi, mut direction_marks) = (Seen::default(), Seen::default(), Seen::default());
    let (mut is_override, mut has_rtl) = (false, false);
    let mut open = Vec::new();
    let mut flag = Flag::default();
    let mut before = None;
    let mut at = line.start;
    let mut rest = characters(text).peekable();
    while let Some((length, character)) = rest.next() {
        has_rtl |= is_right_to_left(character);
        flag.next(character);
        let neighbours = Neighbours { before, after: rest.peek().map(|(_, after)| *after), first: at == 0 };
        match character {
            '\0'..='\x7f' => {}
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                bidi.add(character, at);
                is_override |= matches!(character, '\u{202d}' | '\u{202e}');
                step(&mut open, character);
            }
            '\u{200e}' | '\u{200f}' | '\u{61c}' => direction_marks.add(character, at),
            '\u{e0000}'..='\u{e007f}' if flag.is_flag => {}
            _ if is_out_of_place(character, &neighbours) => invisible.add(character, at),
            _ => {}
        }
        before = Some(character);
        at += length;
    }
    // Beside letters that run from right to left they set punctuation right; elsewhere they have nothing to do.
    if !has_rtl {
        invisible.extend(direction_marks);
    }
    if bidi.span.is_some() {
        let observation = Bidi {
            characters: bidi.characters,
            is_left_open: !open.is_empty(),
            is_override,
            is_right_to_left_text: has_rtl,
        };
        found.push(Mark { span: bidi.span, observation: Observation::BidiControl(observation) });
    }
    if invisible.span.is_some() {
        found.push(Mark { span: invisible.span, observation: Observation::InvisibleCharacter(invisible.characters) });
    }
}

/// Whether a line is text: bytes of a picture or an archive can look like any character.
///
/// A few bytes that are no text do not make a line binary. They could have been put there to hide the rest.
fn is_text(line: &[u8]) -> bool {
    let is_control = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\r' | b'\x0c' | b'\x1b');
    let mut noise = 0;
    for chunk in line.utf8_chunks() {
        noise += chunk.invalid().len() + chunk.valid().as_bytes().iter().filter(|byte| is_control(byte)).count();
        if noise * 16 > line.len() {
            return false;
        }
    }
    true
}

/// The characters of a text with their lengths in bytes; what is no UTF-8 is a replacement character.
fn characters(text: &[u8]) -> impl Iterator<Item = (usize, char)> {
    text.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid().chars().map(|character| (character.len_utf8(), character));
        let invalid = (!chunk.invalid().is_empty()).then(|| (chunk.invalid().len(), char::REPLACEMENT_CHARACTER));
        valid.chain(invalid)
    })
}

/// Opens and closes directions, as UAX #9 does; what is open at the end of the line ends there.
fn step(open: &mut Vec<char>, character: char) {
    let is_isolate = |open: &char| matches!(open, '\u{2066}'..='\u{2068}');
    match character {
        '\u{202c}' => drop(open.pop_if(|last| !is_isolate(last))),
        '\u{2069}' => {
            if let Some(isolate) = open.iter().rposition(is_isolate) {
                open.truncate(isolate);
            }
        }
        _ if open.len() < MAX_DEPTH => open.push(character),
        _ => {}
    }
}

/// Follows flags of regions, which are spelled in tags: a black flag, letters and digits, an end.
#[derive(Default)]
struct Flag {
    length: Option<usize>,
    /// Whether the last character belongs to one.
    is_flag: bool,
}

impl Flag {
    fn next(&mut self, character: char) {
        let (length, is_flag) = match (character, self.length) {
            ('\u{1f3f4}', _) => (Some(0), true),
            // The longest are of five letters, such as England's.
            ('\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}', Some(length @ 0..6)) => (Some(length + 1), true),
            ('\u{e007f}', Some(3..=6)) => (None, true),
            _ => (None, false),
        };
        (self.length, self.is_flag) = (length, is_flag);
    }
}

/// Whether a character that is not shown has nothing to do between its neighbours.
fn is_out_of_place(character: char, neighbours: &Neighbours) -> bool {
    let Neighbours { before, after, first } = *neighbours;
    let either = |test: fn(char) -> bool| before.is_some_and(test) || after.is_some_and(test);
    match character {
        // Where words may be broken, in scripts that write none apart.
        '\u{200b}' => !either(|letter| is_complex(letter) || is_east_asian(letter)),
        '\u{200c}' => !before.is_some_and(is_complex),
        '\u{200d}' => {
            !(before.is_some_and(is_complex) || before.is_some_and(is_emoji_part) && after.is_some_and(is_emoji_part))
        }
        '\u{feff}' => !first,
        // One after what has variants; after ASCII these are the digits and signs of keycaps alone.
        '\u{fe00}'..='\u{fe0f}' => !before.is_some_and(has_variants),
        '\u{e0100}'..='\u{e01ef}' => !before.is_some_and(is_ideograph),
        '\u{180b}'..='\u{180f}' => !before.is_some_and(|letter| matches!(letter, '\u{1800}'..='\u{18af}')),
        '\u{115f}' | '\u{1160}' => !either(is_jamo),
        '\u{34f}' => !before.is_some_and(|letter| {
            is_complex(letter)
                || matches!(letter, '\u{300}'..='\u{34e}' | '\u{350}'..='\u{36f}' | '\u{590}'..='\u{5ff}')
        }),
        '\u{2060}'..='\u{2064}'
        | '\u{206a}'..='\u{206f}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{3164}'
        | '\u{ffa0}'
        | '\u{e0000}'..='\u{e007f}' => true,
        _ => false,
    }
}

/// Scripts whose letters join, stack, or are written without spaces between words: Arabic to Tibetan, and those of the
/// later blocks of South and South-East Asia.
fn is_complex(letter: char) -> bool {
    matches!(letter, '\u{600}'..='\u{60b}' | '\u{620}'..='\u{109f}' | '\u{1780}'..='\u{180a}' | '\u{1810}'..='\u{1cff}'
        | '\u{a800}'..='\u{abff}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10a00}'..='\u{11fff}')
}

fn is_right_to_left(letter: char) -> bool {
    matches!(letter, '\u{5d0}'..='\u{60b}' | '\u{620}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

fn is_east_asian(letter: char) -> bool {
    is_ideograph(letter)
        || matches!(letter, '\u{3000}'..='\u{3163}' | '\u{3165}'..='\u{33ff}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff00}'..='\u{ff9f}')
}

fn is_ideograph(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn is_jamo(letter: char) -> bool {
    matches!(letter, '\u{1100}'..='\u{115e}' | '\u{1161}'..='\u{11ff}' | '\u{a960}'..='\u{a97f}' | '\u{d7b0}'..='\u{d7ff}')
}

/// What joins to one emoji: pictures, the selector that asks for their coloured form, tones of skin.
fn is_emoji_part(sign: char) -> bool {
    sign == '\u{fe0f}' || matches!(sign, '\u{2190}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{1f000}'..='\u{1faff}')
}

fn has_variants(sign: char) -> bool {
    // Selectors and joiners select nothing of each other.
    let is_invisible = matches!(sign, '\u{fe00}'..='\u{fe0f}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}'
        | '\u{e0000}'..='\u{e01ef}' | '\u{feff}' | char::REPLACEMENT_CHARACTER);
    matches!(sign, '0'..='9' | '#' | '*') || !sign.is_ascii() && !is_invisible
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::blob::marks::{Limits, marks};

    fn all(text: &[u8]) -> Vec<Mark> {
        let mut found = Vec::new();
        marks(text, std::slice::from_ref(&(0..text.len())), Limits::default(), &mut found);
        found
    }

    /// What is out of place in a text.
    fn invisible(text: &str) -> Vec<char> {
        all(text.as_bytes())
            .into_iter()
            .flat_map(|mark| match mark.observation {
                Observation::InvisibleCharacter(characters) => characters,
                _ => Vec::new(),
            })
            .collect()
    }

    fn bidi(text: &str) -> Option<Bidi> {
        all(text.as_bytes()).into_iter().find_map(|mark| match mark.observation {
            Observation::BidiControl(bidi) => Some(bidi),
            _ => None,
        })
    }

    #[test]
    fn characters_in_their_place_are_quiet() {
        for text in [
            "\u{feff}fn main() {}",
            "family 👨\u{200d}👩\u{200d}👧 and ❤\u{fe0f}\u{200d}🔥, 🏳\u{fe0f}\u{200d}🌈",
            "keycap 1\u{fe0f}\u{20e3}, ©\u{fe0f}, ✔\u{fe0e}",
            "می\u{200c}خواهم",
            "क्\u{200d}ष and ক\u{200c}্ষ",
            "ไทย\u{200b}ภาษา",
            "東京\u{200b}都, 葛\u{e0100}飾",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "שלום\u{200f}!",
            "em dash — and “quotes”, ellipsis…",
            "가나다 と かな",
        ] {
            assert_eq!(invisible(text), Vec::<char>::new(), "{text:?}");
        }
    }

    #[test]
    fn characters_out_of_their_place_are_marked() {
        for (text, expected) in [
            ("let a\u{200b}b = 1;", "\u{200b}"),
            ("is_\u{200c}admin", "\u{200c}"),
            ("a\u{200d}b", "\u{200d}"),
            ("x\u{feff}y", "\u{feff}"),
            ("a\u{fe01}\u{fe02}", "\u{fe01}\u{fe02}"),
            ("😀\u{e0101}\u{e0102}", "\u{e0101}\u{e0102}"),
            ("😀\u{fe0f}\u{fe0e}", "\u{fe0e}"),
            ("hi\u{e0068}\u{e0069}", "\u{e0068}\u{e0069}"),
            ("🏴\u{e0067}\u{e0020}", "\u{e0020}"),
            ("if (\u{3164}) {", "\u{3164}"),
            ("\u{ffa0}", "\u{ffa0}"),
            ("\u{2062}\u{2064}", "\u{2062}\u{2064}"),
            ("\u{200e}7a 3f", "\u{200e}"),
            ("a\u{61c}b", "\u{61c}"),
        ] {
            assert_eq!(invisible(text).into_iter().collect::<String>(), expected, "{text:?}");
        }
    }

    #[test]
    fn the_attacks_of_the_paper_leave_directions_open() {
        for text in [
            "/*\u{202e} } \u{2066}if (isAdmin)\u{2069} \u{2066} begin admins only */",
            "if access_level != \"user\u{202e} \u{2066}// Check if admin\u{2069} \u{2066}\" {",
            "''' Subtract funds then \u{2067}''' ;return",
        ] {
            let bidi = bidi(text).unwrap();
            assert!(bidi.is_left_open && !bidi.is_right_to_left_text, "{text:?}");
        }
    }

    #[test]
    fn closed_directions_are_told_from_open_ones() {
        assert!(!bidi("hello \u{2068}name\u{2069}").unwrap().is_left_open);
        assert!(!bidi("\u{202b}שלום\u{202c}").unwrap().is_left_open);
        assert!(bidi("\u{2067}a\u{202c}").unwrap().is_left_open);
        assert!(!bidi("\u{2067}\u{202e}a\u{2069}").unwrap().is_left_open);
        assert!(bidi("\u{202e}a\u{202c}").unwrap().is_override);
        let nested = "\u{202b}".repeat(100_000);
        assert!(bidi(&nested).unwrap().is_left_open);
    }

    #[test]
    fn a_span_reaches_from_the_first_to_the_last_and_stays_in_its_line() {
        let text = format!("{}\nab\u{200b}c\u{200b}d\nx\u{200c}\n", "é".repeat(9_000));
        let spans: Vec<_> = all(text.as_bytes()).into_iter().filter_map(|mark| mark.span).collect();
        assert_eq!(spans, [18_003..18_010, 18_013..18_016]);
    }

    #[test]
    fn bytes_that_are_no_text_are_not_looked_at_but_a_few_do_not_hide_a_line() {
        let mut random = 0x2545_f491_u32;
        let mut noise: Vec<u8> = std::iter::repeat_with(|| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 24) as u8
        })
        .take(1 << 16)
        .collect();
        for at in (0..noise.len() - 8).step_by(61) {
            noise[at..at + 3].copy_from_slice("\u{200b}".as_bytes());
        }
        assert!(all(&noise).len() < 3);
        assert_eq!(all(b"if x: # \xff and some more text \xe2\x80\xae and so on\n").len(), 1);
        assert_eq!(all(b"if x: # \0 and some more text \xe2\x80\xae and so on\n").len(), 1);
        assert_eq!(all(b"\xe2\x80"), []);
    }
}
