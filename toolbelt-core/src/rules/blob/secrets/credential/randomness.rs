//! Tells values that a machine drew from words that a person wrote, without a word list.
//!
//! A text costs what a reader of identifiers would pay to guess it, letter by letter; a drawn value costs what its
//! alphabet says, whatever the order. What is cheaper as text is text.

/// What each letter costs after another one, in half bits: a row for each letter before (the first row: the start of a
/// word), a column for each letter, one digit of base 36 each.
///
/// Counted over the 38,000 distinct words that make up the identifiers and the prose of 21 repositories in ten languages.
const LETTERS: [&[u8; 26]; 27] = [
    b"897899ba9cda8ab8f878abbggf",
    b"f879gdaiakd697j9k685bcefcg",
    b"6bbd6egg7dg5df7dk98c7gkibj",
    b"6hbf6gj69n89fh5ei9b69hjjdm",
    b"7bda3edg5ggbcd8ela8e9efhdk",
    b"9d86bbcheih9a6fae568fcdadk",
    b"7ied78ek4jh7ef6fg8aa8ihhbl",
    b"8ede4ea96khac98cj68d8ghieh",
    b"5ffd4hhg6kfcde5eh9c8ajhlbj",
    b"ab899balikg8947bia87hamdma",
    b"5dcb5fge9hcece5bde6e6faiij",
    b"8dfb3dbg5ieacbacgb6b9fdjci",
    b"6eea4fhi5kf7ff6dnhaaaejk8l",
    b"5aed4gfk6kgb9f76ggad9gihbm",
    b"8f877a5g8hceeb9ehe75cchjfk",
    b"cb99fdbicgc88499j6998baffj",
    b"6fdd6fea8ne7ff78l598aigjdn",
    b"cececijfejj6ecddecde1hdfgf",
    b"6eba4eci6mccab7cla78acgkbm",
    b"9g9f5eg87kcbde98ee748gekck",
    b"7hbe4eh85kjcdf7dn78aaifiai",
    b"a8ab9dbk9mh785e8q666hhleji",
    b"5icf2ffh5nfdcf9enecdddjiek",
    b"5eec5eg86mecg86em88bejfegh",
    b"9f7c6cgc7fjc9gb5hdb5dlg8bf",
    b"8b9b8cce8hf98895ic68cdbgdc",
    b"6ddf2dfd7hgdce9didcdbhggc9",
];

/// What a value is made of, counted in one pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Bytes.
    pub(crate) length: usize,
    /// `a` to `z`.
    pub(crate) lower: usize,
    /// `A` to `Z`.
    pub(crate) upper: usize,
    /// `0` to `9`.
    pub(crate) digits: usize,
    /// The longest run of digits.
    pub(crate) longest_number: usize,
    /// The longest run of letters.
    pub(crate) longest_word: usize,
    /// `_`, `-`, `.`, `/`, `:` and blanks: what separates words.
    pub(crate) separators: usize,
    /// Other printable ASCII.
    pub(crate) symbols: usize,
    /// Control characters and what is not ASCII.
    pub(crate) foreign: usize,
    /// Letters `g` to `z`, in either case.
    not_hex: usize,
    /// Different bytes.
    pub(crate) distinct: usize,
    /// As text, in half bits.
    text: usize,
    /// What its letters cost within their words, in half bits.
    words: usize,
}

impl Shape {
    /// Looks at the first 256 bytes.
    pub(crate) fn of(value: &[u8]) -> Self {
        let mut shape = Self::default();
        let mut seen = 0u128;
        let (mut number, mut word) = (0, 0);
        let mut before = b' ';
        let mut row = 0;
        for &byte in value.iter().take(256) {
            shape.length += 1;
            seen |= 1 << (byte & 0x7f);
            if byte.is_ascii_alphabetic() {
                let letter = usize::from(byte.to_ascii_lowercase() - b'a');
                let change = if before.is_ascii_digit() {
                    row = 0;
                    8
                } else if !before.is_ascii_alphabetic() {
                    row = 0;
                    4
                } else if before.is_ascii_lowercase() && byte.is_ascii_uppercase() {
                    row = 0;
                    7
                } else if before.is_ascii_uppercase() && byte.is_ascii_lowercase() && word > 1 {
                    6
                } else {
                    1
                };
                let cost = digit_of_base_36(LETTERS[row][letter]);
                shape.words += cost;
                shape.text += cost + change;
                row = letter + 1;
                number = 0;
                word += 1;
                if byte.is_ascii_lowercase() {
                    shape.lower += 1;
                } else {
                    shape.upper += 1;
                }
                shape.not_hex += usize::from(letter > 5);
            } else {
                word = 0;
                if byte.is_ascii_digit() {
                    shape.digits += 1;
                    shape.text += if before.is_ascii_digit() { 8 } else { 15 };
                    number += 1;
                } else {
                    number = 0;
                    match byte {
                        b'_' | b'-' | b'.' | b'/' | b':' | b' ' => {
                            shape.separators += 1;
                            shape.text += 8;
                        }
                        0x21..=0x7e => {
                            shape.symbols += 1;
                            shape.text += 14;
                        }
                        _ => shape.foreign += 1,
                    }
                }
            }
            shape.longest_number = shape.longest_number.max(number);
            shape.longest_word = shape.longest_word.max(word);
            before = byte;
        }
        shape.distinct = seen.count_ones() as usize;
        shape
    }

    /// Letters.
    pub(crate) fn letters(&self) -> usize {
        self.lower + self.upper
    }

    /// Whether it is hexadecimal digits of one case and nothing else.
    pub(crate) fn is_hex(&self) -> bool {
        self.letters() + self.digits == self.length && self.not_hex == 0 && (self.lower == 0 || self.upper == 0)
    }

    /// How much dearer it is as text than as a drawn value, in tenths of a bit for a character. Words are at −10 to
    /// −30, drawn values at 15 to 40.
    pub(crate) fn surplus(&self) -> i32 {
        let drawn = if self.is_hex() && self.digits > 0 {
            40
        } else {
            let alphabet = 26 * usize::from(self.lower > 0)
                + 26 * usize::from(self.upper > 0)
                + 10 * usize::from(self.digits > 0)
                + 4 * usize::from(self.separators > 0)
                + 12 * usize::from(self.symbols > 0);
            match alphabet {
                0..=14 => 35,
                15..=27 => 47,
                28..=40 => 52,
                41..=56 => 57,
                _ => 61,
            }
        };
        let text = (self.text * 5).checked_div(self.length).unwrap_or(0);
        i32::try_from(text).unwrap_or(i32::MAX) - drawn
    }

    /// What a letter costs within its word on average, in tenths of a bit: words at 30 to 45, drawn letters at 50 to 70.
    pub(crate) fn letter_cost(&self) -> usize {
        (self.words * 5).checked_div(self.letters()).unwrap_or(0)
    }

    /// Whether a machine drew it, as far as its length lets one tell.
    pub(crate) fn is_random(&self) -> bool {
        if self.distinct * 4 < self.length.min(32) || self.distinct < 5 {
            return false;
        }
        if self.is_hex() {
            // Sixteen digits without a letter are a number; all letters are a word such as `deadbeef` or `facade`.
            return self.length >= 12 && self.digits > 0 && self.letters() * 8 >= self.length && self.distinct >= 6;
        }
        match self.length {
            0..6 => false,
            6..8 => self.surplus() >= 25,
            8..12 => self.surplus() >= 12,
            12..16 => self.surplus() >= 7,
            16..24 => self.surplus() >= 4,
            _ => self.surplus() >= 2,
        }
    }
}

fn digit_of_base_36(digit: u8) -> usize {
    usize::from(if digit.is_ascii_digit() { digit - b'0' } else { digit.saturating_sub(b'a') + 10 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_identifiers_are_not_random() {
        for text in [
            "password",
            "getPasswordFromUser",
            "DATABASE_PASSWORD",
            "spring.datasource.password",
            "authentication-token",
            "application/json",
            "AccessTokenResponse",
            "kubernetes-dashboard-token",
            "org.apache.commons.lang3",
            "UserSecretsConfigurationExtensions",
            "x-amz-security-token",
            "oauth2_client_credentials",
            "sha256",
            "base64",
            "mysupersecretpassword",
            "user1",
            "test1234",
            "deadbeef",
            "feedface",
            "1234567890",
            "00000000000000000000",
            "com.example.MyClass$Inner",
            "ValidateIssuerSigningKey",
            "AUTHENTICATION_ERROR",
            "en-US,en;q=0.9",
        ] {
            let shape = Shape::of(text.as_bytes());
            assert!(!shape.is_random(), "{text}: {} {}", shape.surplus(), shape.letter_cost());
        }
    }

    #[test]
    fn drawn_values_are_random() {
        for text in [
            "5f4dcc3b5aa765d61d8327deb882cf99",
            "kX9mP2vN7qR4tY8w",
            "wJalrXUtnFEMIK7MDENGbPxRfiCYzzzzKEYKEY",
            "q9V7nB2K4xL8",
            "zQ3bTf8LwVd2",
            "7f3a9c1e4b6d",
            "AbJ4kLmQ9ZxR",
            "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA==",
            "vhtQkzpwxjbnrdfg",
            "hg7fk2jd8s",
            "DVKQ7RT2PLX4WZ9M",
            "a8Kd_2-kWq9ZpLx0",
        ] {
            let shape = Shape::of(text.as_bytes());
            assert!(shape.is_random(), "{text}: {} {}", shape.surplus(), shape.letter_cost());
        }
    }

    #[test]
    fn few_drawn_values_pass_for_words() {
        const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
        const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        const DIGIT: &str = "0123456789";
        let mut state = 1_u64;
        let mut next = move |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        for (alphabet, length, least) in [
            (format!("{LOWER}{UPPER}{DIGIT}"), 12, 880),
            (format!("{LOWER}{UPPER}{DIGIT}"), 16, 980),
            (format!("{LOWER}{UPPER}{DIGIT}"), 20, 990),
            (format!("{LOWER}{UPPER}{DIGIT}"), 32, 999),
            (format!("{LOWER}{DIGIT}"), 10, 830),
            (format!("{LOWER}{DIGIT}"), 16, 990),
            (format!("{LOWER}{DIGIT}"), 24, 999),
            (format!("{LOWER}{UPPER}"), 16, 990),
            (format!("{LOWER}{UPPER}"), 24, 999),
            (LOWER.to_owned(), 8, 800),
            (LOWER.to_owned(), 12, 960),
            (LOWER.to_owned(), 16, 990),
            (LOWER.to_owned(), 24, 999),
            (format!("{DIGIT}abcdef"), 16, 990),
            (format!("{DIGIT}abcdef"), 32, 999),
            (format!("{LOWER}{UPPER}{DIGIT}+/"), 40, 999),
            (format!("{LOWER}{UPPER}{DIGIT}_-"), 43, 999),
        ] {
            let letters = alphabet.as_bytes();
            let drawn = |_| (0..length).map(|_| letters[next(letters.len())]).collect::<Vec<_>>();
            let values: Vec<Vec<u8>> = (0..1000).map(drawn).collect();
            let told = values.iter().filter(|value| Shape::of(value).is_random()).count();
            assert!(told >= least, "{told} of 1000 of length {length} over {alphabet}");
        }
    }
}
