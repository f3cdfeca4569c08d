//! Where a token may begin and end.

use std::ops::Range;

/// Whether the bytes around a match leave it alone: a token is no part of a longer word.
///
/// Only an edge of the match that is itself part of a word asks for a break. Escapes and colours before the match are
/// breaks, although they end in a letter or digit: `\n`, `\x1b[0m`, `\u0022`, `%3D`.
pub(super) fn is_apart(text: &[u8], found: &Range<usize>) -> bool {
    let (Some(&first), Some(&last)) = (text.get(found.start), text[..found.end].last()) else { return false };
    let ends = !is_word(last) || !text.get(found.end).is_some_and(|&byte| is_word(byte));
    ends && (!is_word(first) || found.start == 0 || !is_word(text[found.start - 1]) || is_escape(&text[..found.start]))
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a text ends with an escape.
fn is_escape(before: &[u8]) -> bool {
    let hex = |count: usize| before.len() > count && before[before.len() - count..].iter().all(u8::is_ascii_hexdigit);
    let stands = |mark: &[u8], count: usize| hex(count) && before[..before.len() - count].ends_with(mark);
    let named = before.len() > 1 && before[before.len() - 2] == b'\\' && b"nrtbfv0".contains(&before[before.len() - 1]);
    named || stands(b"%", 2) || stands(b"\\x", 2) || stands(b"\\u", 4) || is_colour(before)
}

/// Whether a text ends with `ESC [ … m`, the escape written out or not.
fn is_colour(before: &[u8]) -> bool {
    let Some(before) = before.strip_suffix(b"m") else { return false };
    let digits = before.iter().rev().take(12).take_while(|&&byte| byte.is_ascii_digit() || byte == b';').count();
    let before = &before[..before.len() - digits];
    [b"\x1b[".as_slice(), b"\\x1b[", b"\\e[", b"\\033[", b"\\u001b[", b"\\u001B["]
        .iter()
        .any(|esc| before.ends_with(esc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_no_part_of_a_word() {
        for text in [
            "ghp_a",
            "(ghp_a)",
            "=ghp_a\n",
            "\\nghp_a\\n",
            "%3Dghp_a",
            "\\u0022ghp_a",
            "\x1b[32mghp_a",
            "\\x1b[0mghp_a",
        ] {
            let at = text.find("ghp").unwrap();
            assert!(is_apart(text.as_bytes(), &(at..at + 5)), "{text}");
        }
        for text in ["aghp_a", "_ghp_a", "ghp_ab", "ghp_a_", "nghp_a", "3Dghp_a"] {
            let at = text.find("ghp").unwrap();
            assert!(!is_apart(text.as_bytes(), &(at..at + 5)), "{text}");
        }
    }

    #[test]
    fn an_edge_that_is_no_word_needs_no_break() {
        assert!(is_apart(b"https://a:b@c", &(5..12)));
    }
}
