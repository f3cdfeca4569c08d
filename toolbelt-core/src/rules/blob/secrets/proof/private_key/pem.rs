//! Reads text armour: PEM ([RFC 7468](https://www.rfc-editor.org/rfc/rfc7468)), OpenPGP's and SSH2's, also within strings of
//! programs, JSON and YAML, on one line or on many.

use super::{PASSPHRASE, Told, UNREADABLE, der, openpgp, openssh, published};

/// What is in a block that begins with `-----BEGIN` or `---- BEGIN`.
pub(super) fn tell(value: &[u8]) -> Told {
    let text = unescaped(value);
    let Some(block) = Block::read(&text) else { return UNREADABLE };
    let Some(bytes) = block.content() else { return UNREADABLE };
    if published::is_known(&bytes) {
        return published::KNOWN;
    }
    let label = block.label;
    let is = |part: &[u8]| memchr::memmem::find(label, part).is_some();
    if is(b"OPENSSH") {
        openssh::tell(&bytes)
    } else if is(b"PGP") {
        openpgp::tell(&bytes)
    } else if is(b"SSH2") {
        openssh::tell_ssh2(&bytes)
    } else if is(b"TSS2") {
        Told::Guarded("only the TPM that wrapped it can use it")
    } else if block.is_encrypted() {
        PASSPHRASE
    } else {
        der::tell(&bytes)
    }
}

/// A block of text armour.
struct Block<'a> {
    /// What stands behind `BEGIN`.
    label: &'a [u8],
    /// What stands between the lines of dashes.
    body: &'a [u8],
}

impl<'a> Block<'a> {
    fn read(text: &'a [u8]) -> Option<Self> {
        let start = memchr::memmem::find(text, b"BEGIN ")? + 6;
        let label = &text[start..start + memchr::memmem::find(&text[start..], b"----")?];
        let body = text[start + label.len()..].trim_ascii_start();
        let body = &body[body.iter().take_while(|byte| **byte == b'-').count()..];
        let end = memchr::memmem::find(body, b"----").unwrap_or(body.len());
        Some(Self { label, body: &body[..end] })
    }

    /// By the label, or by the header of OpenSSL's own encryption.
    fn is_encrypted(&self) -> bool {
        memchr::memmem::find(self.label, b"ENCRYPTED").is_some()
            || memchr::memmem::find(self.body, b"Proc-Type: 4,ENCRYPTED").is_some()
    }

    /// The bytes that the block stands for; none if there are none, or no base64.
    fn content(&self) -> Option<Vec<u8>> {
        let mut digits = Vec::with_capacity(self.body.len());
        let mut is_continued = false;
        for line in self.body.split(|byte| matches!(byte, b'\n' | b'\r')) {
            // A header, which base64 cannot look like; one that ends with a backslash goes on.
            let is_header = is_continued || line.contains(&b':');
            is_continued = is_header && line.ends_with(b"\\");
            if is_header {
                continue;
            }
            for word in line.split(|byte| !is_digit(*byte)) {
                // What joins strings, and what comments begin with; `=abcd` is OpenPGP's checksum.
                let is_sign = word.len() < 4 && word.iter().all(|byte| matches!(byte, b'+' | b'/'));
                let is_checksum = word.len() == 5 && word[0] == b'=';
                if !is_sign && !is_checksum {
                    digits.extend_from_slice(word);
                }
            }
        }
        decode(&digits).filter(|bytes| !bytes.is_empty())
    }
}

const fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// Undoes the escapes of strings, however often: `\n`, `\\n`, `\/`, `\u003d`.
fn unescaped(value: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        text.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        rest = &rest[rest.iter().take_while(|byte| **byte == b'\\').count()..];
        match rest {
            [b'n' | b'r', after @ ..] => {
                text.push(b'\n');
                rest = after;
            }
            [b't', after @ ..] => {
                text.push(b' ');
                rest = after;
            }
            [b'u', digits @ ..] => {
                let code = digits.get(..4).and_then(|digits| std::str::from_utf8(digits).ok());
                let Some(sign) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) else { continue };
                text.push(sign);
                rest = &digits[4..];
            }
            _ => {}
        }
    }
    text.extend_from_slice(rest);
    text
}

/// Decodes base64 of either alphabet up to its padding; none if a digit is missing.
pub(super) fn decode(digits: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 3);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for digit in digits.iter().take_while(|digit| **digit != b'=') {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xfff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count).to_le_bytes()[0]);
        }
    }
    (count != 6).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_read_however_it_is_written() {
        let begin = ["-----BEGIN ", "RSA PRIVATE", " KEY-----"].concat();
        for body in [
            "\naGVs\nbG8h\n-----END",
            "\r\n  aGVs\r\n  bG8h\r\n  -----END",
            "\\naGVs\\nbG8h\\n-----END",
            "\\\\naGVs\\\\nbG8h\\\\n-----END",
            "\\n\" +\n  \"aGVs\\n\" +\n  \"bG8h\\n\" +\n  \"-----END",
            "\\n\"\n\"aGVs\\n\"\n\"bG8h\\n\"\n\"-----END",
            "\", \"aGVs\", \"bG8h\", \"-----END",
            "\n// aGVs\n// bG8h\n// -----END",
            "\nVersion: GnuPG v2\nComment: b c\n\naGVs\nbG8h\n=abcd\n-----END",
            " aGVs bG8h -----END",
            "\naGVs\nbG8h",
        ] {
            let text = unescaped(format!("{begin}{body}").as_bytes());
            let block = Block::read(&text).unwrap();
            assert_eq!(block.label, b"RSA PRIVATE KEY");
            assert_eq!(block.content().as_deref(), Some(&b"hello!"[..]), "{body:?}");
        }
    }

    #[test]
    fn escapes_of_json_are_undone() {
        assert_eq!(unescaped(b"a\\/b\\u003d\\u002B\\\nc\\"), b"a/b=+\nc");
        assert_eq!(decode(b"aGVsbG8="), Some(b"hello".to_vec()));
        assert_eq!(decode(b"aGVsb"), None);
        assert_eq!(decode(b"aG\xffs"), None);
    }

    #[test]
    fn what_is_encrypted_says_so() {
        let legacy =
            ["-----BEGIN ", "RSA PRIVATE", " KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\naGVs\n"];
        assert_eq!(tell(legacy.concat().as_bytes()), PASSPHRASE);
        let sealed = ["-----BEGIN ENCRYPTED SIGSTORE", " PRIVATE KEY-----\naGVs\n"].concat();
        assert_eq!(tell(sealed.as_bytes()), PASSPHRASE);
        let tpm = ["-----BEGIN TSS2", " PRIVATE KEY-----\naGVs\n"].concat();
        assert!(matches!(tell(tpm.as_bytes()), Told::Guarded(_)));
    }
}
