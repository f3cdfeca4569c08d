//! Looks into base64, as far as it hides words.

use super::value::{Look, Value};
use super::words;

/// The longest text that is decoded.
const LONGEST: usize = 128;

/// Whether a value is the base64 form of something that is no secret: `user:pass`, `changeme`, `{"typ":…`.
pub(crate) fn says_nothing(value: &[u8]) -> bool {
    let mut buffer = [0; LONGEST];
    let Some(text) = decode(value, &mut buffer) else { return false };
    let text = text.trim_ascii();
    if text.len() < 4 || !text.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t')) {
        return false;
    }
    let mut lower = [0; LONGEST];
    lower[..text.len()].copy_from_slice(text);
    lower.make_ascii_lowercase();
    let lower = &lower[..text.len()];
    if words::is_placeholder(lower) || words::are_trivial(lower) {
        return true;
    }
    // `user:password` of basic authentication.
    if let Some(colon) = memchr::memchr(b':', text) {
        let password = &text[colon + 1..];
        return Value::read(password, true).is_none_or(|value| value.look == Look::Words && password.len() < 6)
            || words::are_trivial(&lower[colon + 1..]);
    }
    false
}

/// Decodes base64 in either alphabet, with or without padding. `None` if it is none, or longer than the buffer.
fn decode<'a>(value: &[u8], buffer: &'a mut [u8; LONGEST]) -> Option<&'a [u8]> {
    let end = value.iter().rposition(|&byte| byte != b'=')? + 1;
    if end < 6 || value.len() - end > 2 || end / 4 * 3 + 3 > LONGEST {
        return None;
    }
    let (mut length, mut bits, mut held) = (0, 0u32, 0);
    for &byte in &value[..end] {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            *buffer.get_mut(length)? = u8::try_from(bits >> held & 0xff).ok()?;
            length += 1;
        }
    }
    Some(&buffer[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_base64_say_nothing() {
        for text in ["dXNlcjpwYXNz", "Q0hBTkdFTUUh", "dXNlcm5hbWU6cGFzc3dvcmQ=", "cGFzc3dvcmQ="] {
            assert!(says_nothing(text.as_bytes()), "{text}");
        }
        for text in
            ["YXBpOmtleS1hN2MzNDJ3MzNhNWQx", "5f4dcc3b5aa765d61d8327deb882cf99", "kX9mP2vN7qR4tY8w", "UEBzc3dvcmQxMjM="]
        {
            assert!(!says_nothing(text.as_bytes()), "{text}");
        }
    }
}
