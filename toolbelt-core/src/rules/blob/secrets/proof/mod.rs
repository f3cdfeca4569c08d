//! What can be said of a value offline: one file for each kind of proof.

pub mod aws_key_id;
pub(super) mod base62_crc32;
mod jwt;
pub(super) mod private_key;
mod pypi_macaroon;

use crate::subject::pattern::ProofKind;
use crate::subject::sighting::Proof;

/// What a value proves by itself.
pub(super) fn prove(kind: ProofKind, value: &[u8]) -> Proof {
    match kind {
        ProofKind::Base62Crc32 => base62_crc32::prove(value),
        ProofKind::Jwt => jwt::prove(value),
        // Every key id decodes to some account, so it proves nothing.
        ProofKind::AwsKeyId => Proof::None,
        ProofKind::PypiMacaroon => pypi_macaroon::prove(value),
        ProofKind::PrivateKey => private_key::prove(value),
    }
}

/// Decodes base64 of either alphabet, up to the first byte of neither; `None` if a part of it cannot be.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for &byte in text {
        let Some(digit) = sextet(byte) else { break };
        bits = (bits << 6) | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    // A single digit behind the last whole group stands for nothing.
    (count != 6).then_some(bytes)
}

/// The value of a digit of base64, of either alphabet.
pub(super) const fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_both_alphabets() {
        assert_eq!(base64(b"aGk_aGk-").unwrap(), base64(b"aGk/aGk+").unwrap());
        assert_eq!(base64(b"aGVsbG8=").unwrap(), b"hello");
        assert_eq!(base64(b"aGVsbG8").unwrap(), b"hello");
        assert_eq!(base64(b"aGVsb"), None);
    }
}
