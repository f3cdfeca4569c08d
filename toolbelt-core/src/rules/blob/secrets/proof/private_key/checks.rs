//! Keys that are one word or a few numbers: check digits and lengths.

use sha2::{Digest as _, Sha256};

use super::{PASSPHRASE, Told, UNREADABLE, pem, published};

/// A key in Bech32 ([BIP 173](https://github.com/bitcoin/bips/blob/master/bip-0173.mediawiki)): age and Nostr.
pub(super) fn bech32(value: &[u8]) -> Told {
    const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const WRONG: Told = Told::Broken("its check digits are wrong");
    let lower = value.to_ascii_lowercase();
    let Some(at) = memchr::memrchr(b'1', &lower) else { return UNREADABLE };
    let (prefix, digits) = (&lower[..at], &lower[at + 1..]);
    let high = prefix.iter().map(|byte| byte >> 5);
    let low = prefix.iter().map(|byte| byte & 31);
    let mut sum = high.chain([0]).chain(low).fold(1, bech32_step);
    for digit in digits {
        let Some(value) = ALPHABET.iter().position(|sign| sign == digit) else { return WRONG };
        sum = bech32_step(sum, u8::try_from(value).unwrap_or_default());
    }
    if sum != 1 {
        return WRONG;
    }
    Told::Plain(if prefix.starts_with(b"age") { "an age key" } else { "a Nostr key" }.to_owned())
}

fn bech32_step(sum: u32, value: u8) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let top = sum >> 25;
    let shifted = (sum & 0x01ff_ffff) << 5 ^ u32::from(value);
    (0..5).filter(|bit| top >> bit & 1 == 1).fold(shifted, |sum, bit| sum ^ GENERATOR[bit])
}

/// An extended private key ([BIP 32](https://github.com/bitcoin/bips/blob/master/bip-0032.mediawiki)).
pub(super) fn extended(value: &[u8]) -> Told {
    match base58_check(value) {
        Some(key) if key.len() == 78 && key[45] == 0 => Told::Plain("an extended key of a wallet".to_owned()),
        Some(_) => UNREADABLE,
        None => Told::Broken("its check digits are wrong"),
    }
}

/// A key that only the name beside it tells: 32 bytes in base64 (WireGuard), hexadecimal digits (Ethereum) or base 58
/// (Bitcoin).
pub(super) fn short(value: &[u8]) -> Told {
    if let Some(key) = hexadecimal(value) {
        return if published::is_known(&key) { published::KNOWN } else { Told::Nothing };
    }
    if value.len() == 44 && value.ends_with(b"=") {
        return match pem::decode(value) {
            // What Curve25519 asks of a key, and `wg genkey` does.
            Some(key) if key.len() == 32 && key[0].trailing_zeros() >= 3 && key[31] & 0xc0 == 0x40 => {
                Told::Plain("a key of Curve25519".to_owned())
            }
            _ => Told::Nothing,
        };
    }
    if matches!(value.len(), 51 | 52) {
        return match base58_check(value) {
            Some(key) if matches!(key.len(), 33 | 34) => Told::Plain("a key of a wallet".to_owned()),
            _ => Told::Broken("its check digits are wrong"),
        };
    }
    Told::Nothing
}

/// 32 bytes in hexadecimal digits.
fn hexadecimal(value: &[u8]) -> Option<Vec<u8>> {
    let digits = value.strip_prefix(b"0x").unwrap_or(value);
    let nibble = |digit: u8| char::from(digit).to_digit(16);
    let pairs = digits.chunks_exact(2).map(|pair| u8::try_from(nibble(pair[0])? << 4 | nibble(pair[1])?).ok());
    if digits.len() == 64 { pairs.collect() } else { None }
}

/// What base 58 stands for, if its four check bytes are right.
fn base58_check(value: &[u8]) -> Option<Vec<u8>> {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    // Quadratic in a length that the pattern bounds.
    if value.len() > 128 {
        return None;
    }
    // Least significant first.
    let mut bytes: Vec<u8> = Vec::new();
    for digit in value {
        let mut carry = u32::try_from(ALPHABET.iter().position(|sign| sign == digit)?).ok()?;
        for byte in &mut bytes {
            carry += u32::from(*byte) * 58;
            *byte = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        while carry > 0 {
            bytes.push(carry.to_le_bytes()[0]);
            carry >>= 8;
        }
    }
    bytes.extend(value.iter().take_while(|digit| **digit == b'1').map(|_| 0));
    bytes.reverse();
    let (content, check) = bytes.split_last_chunk::<4>()?;
    Sha256::digest(Sha256::digest(content)).starts_with(check).then(|| content.to_vec())
}

/// A secret key of minisign or signify.
pub(super) fn minisign(value: &[u8]) -> Told {
    let Some(key) = pem::decode(value) else { return UNREADABLE };
    let plain = || Told::Plain("an Ed25519 key".to_owned());
    // Ed25519, then how the passphrase is stretched: `Sc` (scrypt), zeros (there is none), or `BK` and the rounds.
    match (key.get(..4), key.len()) {
        (Some([b'E', b'd', b'S', b'c']), 158) => PASSPHRASE,
        (Some([b'E', b'd', 0, 0]), 158) => plain(),
        (Some([b'E', b'd', b'B', b'K']), 104) => {
            if key[4..8] == [0; 4] {
                plain()
            } else {
                PASSPHRASE
            }
        }
        _ => UNREADABLE,
    }
}

/// A JSON Web Key ([RFC 7518](https://www.rfc-editor.org/rfc/rfc7518), 6) with its private part.
pub(super) fn jwk(value: &[u8]) -> Told {
    let member = |name: &str| member(value, name);
    let secret = match member("kty") {
        Some(b"RSA" | b"EC" | b"OKP") => member("d"),
        Some(b"oct") => member("k"),
        _ => None,
    };
    let Some(secret) = secret.and_then(pem::decode) else { return UNREADABLE };
    if published::is_known(&secret) {
        return published::KNOWN;
    }
    let what = match (member("kty"), member("crv")) {
        (Some(b"RSA"), _) => {
            let number = |name| member(name).and_then(pem::decode);
            match (number("n"), number("p"), number("q")) {
                (Some(n), Some(p), Some(q)) if !super::der::is_product(&n, &p, &q) => {
                    return Told::Broken("its numbers do not fit together");
                }
                (Some(n), ..) if n.len() >= 32 && secret.len() <= n.len() => {
                    format!("an RSA key of {} bits", n.len() * 8)
                }
                _ => return UNREADABLE,
            }
        }
        (Some(b"oct"), _) if secret.len() >= 16 => "a symmetric key".to_owned(),
        (Some(_), Some(curve)) if secret.len() == curve_len(curve) => "an elliptic-curve key".to_owned(),
        _ => return UNREADABLE,
    };
    Told::Plain(what)
}

/// The length of a private key on a curve, in bytes.
fn curve_len(curve: &[u8]) -> usize {
    match curve {
        b"P-256" | b"secp256k1" | b"Ed25519" | b"X25519" => 32,
        b"P-384" => 48,
        b"P-521" => 66,
        b"Ed448" => 57,
        b"X448" => 56,
        _ => 0,
    }
}

/// The string of a member of a flat JSON object, which may itself be within a string.
fn member<'a>(json: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let quoted = format!("\"{name}");
    let mut ends = memchr::memmem::find_iter(json, &quoted).map(|at| &json[at + quoted.len()..]);
    let is_sign = |byte: &u8| matches!(byte, b'\\' | b'"');
    let is_blank = |byte: &u8| byte.is_ascii_whitespace();
    let after =
        |text: &'a [u8], skipped: &dyn Fn(&u8) -> bool| &text[text.iter().take_while(|it| skipped(it)).count()..];
    ends.find_map(|rest| {
        let colon = after(after(rest, &is_sign), &is_blank).strip_prefix(b":")?;
        let value = after(after(colon, &is_blank), &is_sign);
        let end = value.iter().position(is_sign)?;
        (rest.first().is_some_and(is_sign)).then_some(&value[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The word with its check digits.
    fn with_digits(prefix: &str, data: &str) -> String {
        const ALPHABET: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
        // Found by counting: what the polynomial leaves is what has to be added.
        let low = prefix.bytes().map(|byte| byte & 31);
        let values =
            data.bytes().map(|digit| ALPHABET.iter().position(|sign| *sign == digit).unwrap().to_le_bytes()[0]);
        let all = prefix.bytes().map(|byte| byte >> 5).chain([0]).chain(low).chain(values).chain([0; 6]);
        let rest = all.fold(1, bech32_step) ^ 1;
        let digits = (0..6).map(|at| char::from(ALPHABET[(rest >> (25 - 5 * at) & 31) as usize]));
        format!("{prefix}1{data}{}", digits.collect::<String>())
    }

    fn base58_of(content: &[u8]) -> String {
        let digest = Sha256::digest(Sha256::digest(content));
        let mut number = [content, &digest[..4]].concat();
        let mut digits = Vec::new();
        while number.iter().any(|byte| *byte != 0) {
            let mut rest = 0u32;
            for byte in &mut number {
                let value = rest << 8 | u32::from(*byte);
                *byte = (value / 58).to_le_bytes()[0];
                rest = value % 58;
            }
            digits.push(b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[rest as usize]);
        }
        digits.extend(content.iter().take_while(|byte| **byte == 0).map(|_| b'1'));
        digits.reverse();
        String::from_utf8(digits).unwrap()
    }

    #[test]
    fn check_digits_of_bech32() {
        // BIP 173, test vectors.
        assert!(matches!(bech32(b"A12UEL5L"), Told::Plain(_)));
        assert!(matches!(bech32(b"split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w"), Told::Plain(_)));
        assert!(matches!(bech32(b"split1checkupstagehandshakeupstreamerranterredcaperred2y9e3v"), Told::Broken(_)));
        let key = with_digits("age-secret-key-", &"qpzry9x8gf2tvdw0".repeat(4)[..52]).to_ascii_uppercase();
        assert_eq!(super::super::tell(key.as_bytes()), Told::Plain("an age key".to_owned()));
        let plugin = with_digits("age-plugin-yubikey-", "qpzry9x8").to_ascii_uppercase();
        assert!(matches!(super::super::tell(plugin.as_bytes()), Told::Guarded(_)));
    }

    #[test]
    fn check_bytes_of_base_58() {
        let extended_key = base58_of(&[&[4, 0x88, 0xad, 0xe4][..], &[7; 41], &[0], &[9; 32]].concat());
        assert!(extended_key.starts_with("xprv"), "{extended_key}");
        assert!(matches!(super::super::tell(extended_key.as_bytes()), Told::Plain(_)));
        let wallet = base58_of(&[&[0x80][..], &[9; 32], &[1]].concat());
        assert_eq!(wallet.len(), 52);
        assert!(matches!(super::super::tell(wallet.as_bytes()), Told::Plain(_)));
        let changed = wallet.replace(&wallet[9..10], if &wallet[9..10] == "a" { "b" } else { "a" });
        assert!(matches!(super::super::tell(changed.as_bytes()), Told::Broken(_)));
        assert_eq!(base58_check(b"1111"), None);
    }

    #[test]
    fn short_keys_are_what_their_form_says() {
        let mut key = [0x55u8; 32];
        (key[0], key[31]) = (0x50, 0x40 | key[31] & 0x3f);
        assert_eq!(short(base64(&key).as_bytes()), Told::Plain("a key of Curve25519".to_owned()));
        key[0] = 0x51;
        assert_eq!(short(base64(&key).as_bytes()), Told::Nothing);
        assert_eq!(short(&[b'a'; 64]), Told::Nothing);
        assert_eq!(short("0x".as_bytes()), Told::Nothing);
    }

    fn base64(bytes: &[u8]) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let groups = bytes.chunks(3).map(|group| {
            let number = (0..3).fold(0u32, |number, at| number << 8 | u32::from(*group.get(at).unwrap_or(&0)));
            let digit = |at: usize| {
                if at > group.len() { '=' } else { char::from(ALPHABET[(number >> (18 - 6 * at) & 63) as usize]) }
            };
            (0..4).map(digit).collect::<String>()
        });
        groups.collect()
    }

    #[test]
    fn keys_of_minisign_and_signify() {
        let minisign_key = |kind: &[u8]| minisign(base64(&[b"Ed", kind, b"B2", &[1; 152]].concat()).as_bytes());
        assert_eq!(minisign_key(b"Sc"), PASSPHRASE);
        assert_eq!(minisign_key(&[0, 0]), Told::Plain("an Ed25519 key".to_owned()));
        let signify_key =
            |rounds: u8| minisign(base64(&[b"EdBK", &[0, 0, 0, rounds][..], &[1; 96]].concat()).as_bytes());
        assert_eq!(signify_key(42), PASSPHRASE);
        assert_eq!(signify_key(0), Told::Plain("an Ed25519 key".to_owned()));
    }

    #[test]
    fn json_web_keys_need_their_private_part() {
        let d = base64(&[3; 32]).replace('=', "");
        let key = format!("{{\"kty\": \"EC\", \"crv\":\"P-256\", \"x\":\"AA\", \"d\":\"{d}\"}}");
        assert_eq!(jwk(key.as_bytes()), Told::Plain("an elliptic-curve key".to_owned()));
        assert_eq!(jwk(key.replace('"', "\\\"").as_bytes()), Told::Plain("an elliptic-curve key".to_owned()));
        assert_eq!(jwk(key.replace("P-256", "P-384").as_bytes()), UNREADABLE);
        assert_eq!(jwk(key.replace("\"d\"", "\"e\"").as_bytes()), UNREADABLE);
        // RFC 8037, A.1.
        let published = "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\"}";
        assert_eq!(jwk(published.as_bytes()), published::KNOWN);
    }
}
