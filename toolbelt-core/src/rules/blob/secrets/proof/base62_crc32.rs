//! Tokens of GitHub and npm: a prefix up to a `_`, random characters, and their CRC-32 in base 62.
//!
//! GitHub describes it in its post on the [formats of its tokens][post]: the checksum is six digits of base
//! 62, filled up with zeros. npm took over the format.
//!
//! [post]: https://github.blog/engineering/behind-githubs-new-authentication-token-formats/

use crate::subject::sighting::Proof;

const DIGITS: usize = 6;

pub(super) fn prove(value: &[u8]) -> Proof {
    let token = value.iter().position(|&byte| byte == b'_').map_or(value, |at| &value[at + 1..]);
    if token.len() <= DIGITS {
        return Proof::None;
    }
    let (random, check) = token.split_at(token.len() - DIGITS);
    if digits(random).as_bytes() == check {
        Proof::Holds("its check digits are right".to_owned())
    } else {
        Proof::Fails("its check digits are wrong".to_owned())
    }
}

/// The check digits of random characters.
pub(in super::super) fn digits(random: &[u8]) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut crc = flate2::Crc::new();
    crc.update(random);
    let mut sum = crc.sum();
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(sum % 62) as usize];
        sum /= 62;
    }
    digits.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_those_of_github() {
        // Random characters of a token that GitHub revoked long ago.
        assert_eq!(digits(b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ"), "0mLq17");
    }

    #[test]
    fn wrong_digits_fail() {
        let random = "1".repeat(30);
        let right = format!("ghp_{random}{}", digits(random.as_bytes()));
        assert!(matches!(prove(right.as_bytes()), Proof::Holds(_)));
        assert!(matches!(prove(format!("ghp_{random}000000").as_bytes()), Proof::Fails(_)));
        assert_eq!(prove(b"ghp_1"), Proof::None);
    }
}
