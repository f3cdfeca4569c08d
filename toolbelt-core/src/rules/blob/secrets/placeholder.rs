//! Values that stand for a secret and are none.

/// Words that nobody's secret holds: six letters or more, so that chance does not write them into a real one.
const WORDS: &[&[u8]] = &[
    b"example",
    b"placeholder",
    b"changeme",
    b"change_me",
    b"change-me",
    b"redacted",
    b"replace",
    b"dummykey",
    b"dummytoken",
    b"not-real",
    b"notreal",
    b"fake-",
    b"fake_",
    b"your-",
    b"your_",
    b"yourkey",
    b"yourtoken",
    b"yourapi",
    b"insert",
    b"sample",
    b"goes-here",
    b"goes_here",
    b"goeshere",
    b"mytoken",
    b"mysecret",
    b"redacted",
];

/// Whether a value is a stand-in: `xxxx`, `EXAMPLE`, one character over and over, `…`, `<…>`, `${…}`, `123456789`.
///
/// Meant for values that a pattern has already found the shape of a token in, so short words are not looked for.
pub fn is_placeholder(value: &[u8]) -> bool {
    if value.is_empty() {
        return true;
    }
    is_reference(value) || has_word(value) || has_run(value) || has_few(value)
}

/// Whether a value names where the secret is, or leaves a gap for it.
pub fn is_reference(value: &[u8]) -> bool {
    let wrapped = |open: &[u8], close: &[u8]| {
        value.len() >= open.len() + close.len() && value.starts_with(open) && value.ends_with(close)
    };
    wrapped(b"<", b">")
        || wrapped(b"${", b"}")
        || wrapped(b"{{", b"}}")
        || wrapped(b"%", b"%")
        || wrapped(b"$(", b")")
        || wrapped(b"[", b"]")
        || [b"${".as_slice(), b"#{", b"{{", b"...", "…".as_bytes(), b"***", b"<%"]
            .iter()
            .any(|mark| memchr::memmem::find(value, mark).is_some())
}

fn has_word(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    WORDS.iter().any(|word| memchr::memmem::find(&lower, word).is_some())
}

/// Whether it holds `xxxx`, a byte eight times in a row, or eight in the order of the alphabet or of the digits.
fn has_run(value: &[u8]) -> bool {
    let (mut same, mut up) = (1, 1);
    for pair in value.windows(2) {
        let (one, two) = (pair[0], pair[1]);
        same = if one.eq_ignore_ascii_case(&two) { same + 1 } else { 1 };
        let is_next = two.is_ascii_alphanumeric() && (two == one.wrapping_add(1) || (one == b'9' && two == b'0'));
        up = if is_next { up + 1 } else { 1 };
        let is_filler = matches!(two, b'x' | b'X' | b'*');
        if same >= 8 || up >= 9 || (is_filler && same >= 4) {
            return true;
        }
    }
    false
}

/// Whether it is long and made of next to nothing.
fn has_few(value: &[u8]) -> bool {
    let mut seen = [false; 256];
    for &byte in value {
        seen[usize::from(byte)] = true;
    }
    let kinds = seen.iter().filter(|&&is_there| is_there).count();
    value.len() >= 16 && kinds <= 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stand_ins_are_told() {
        for value in [
            "xxxxxxxx",
            "ghp_XXXXabcd",
            "AKIAIOSFODNN7EXAMPLE",
            "${TOKEN}",
            "<token>",
            "{{ token }}",
            "sk-...",
            "abc…",
            "0123456789abcdef",
            "0000000000000000",
            "abababababababab",
            "your-api-key",
            "********",
            "$(cat x)",
        ] {
            assert!(is_placeholder(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn tokens_are_not() {
        for value in ["k3J9dQz0PvW8", "hunter2", "zha93uwgxsker48", "4f420561d61f1a23f62f53a893fc5f76a5ab3df7"] {
            assert!(!is_placeholder(value.as_bytes()), "{value}");
        }
    }
}
