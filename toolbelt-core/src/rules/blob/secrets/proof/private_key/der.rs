//! Reads private keys in DER: PKCS#1 ([RFC 8017](https://www.rfc-editor.org/rfc/rfc8017), A.1.2), PKCS#8
//! ([RFC 5958](https://www.rfc-editor.org/rfc/rfc5958)), SEC 1 ([RFC 5915](https://www.rfc-editor.org/rfc/rfc5915)) and
//! OpenSSL's form of DSA.

use super::{PASSPHRASE, Told, UNREADABLE};

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// Elements one after the other.
#[derive(Clone, Copy)]
pub(super) struct Der<'a>(pub(super) &'a [u8]);

impl<'a> Der<'a> {
    /// The next element: its tag and its content.
    pub(super) fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[tag, first], mut rest) = self.0.split_first_chunk()?;
        let mut len = usize::from(first);
        if first & 0x80 != 0 {
            let count = usize::from(first & 0x7f);
            if count == 0 || count > 4 {
                return None;
            }
            len = rest.get(..count)?.iter().fold(0, |len, byte| len << 8 | usize::from(*byte));
            rest = &rest[count..];
        }
        let content = rest.get(..len)?;
        self.0 = &rest[len..];
        Some((tag, content))
    }

    /// The content of the next element, if it has this tag.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let (there, content) = ahead.next()?;
        (there == tag).then(|| {
            *self = ahead;
            content
        })
    }
}

/// What is in a DER structure, if it is a private key of any kind.
pub(super) fn tell(bytes: &[u8]) -> Told {
    key(bytes).unwrap_or(UNREADABLE)
}

/// Like [`tell`], for bytes that are nothing but the structure; none if they are no private key.
pub(super) fn whole(bytes: &[u8]) -> Option<Told> {
    let mut outer = Der(bytes);
    outer.take(SEQUENCE)?;
    if !outer.0.is_empty() {
        return None;
    }
    key(bytes).filter(|told| !matches!(told, Told::Broken(_)))
}

fn key(bytes: &[u8]) -> Option<Told> {
    let mut inside = Der(Der(bytes).take(SEQUENCE)?);
    let (tag, first) = inside.next()?;
    match tag {
        SEQUENCE => is_encryption(first).then_some(())?,
        INTEGER => return unencrypted(first, inside),
        _ => return None,
    }
    inside.take(OCTETS).filter(|packed| !packed.is_empty()).map(|_| PASSPHRASE)
}

/// Whether an algorithm is one of PKCS#5 or PKCS#12 for encrypting.
fn is_encryption(algorithm: &[u8]) -> bool {
    const PKCS5: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05";
    const PKCS12: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01";
    Der(algorithm).take(OID).is_some_and(|id| id.starts_with(PKCS5) || id.starts_with(PKCS12))
}

fn unencrypted(version: &[u8], mut inside: Der<'_>) -> Option<Told> {
    match inside.next()? {
        (SEQUENCE, algorithm) if version.len() == 1 && version[0] <= 1 => {
            let id = Der(algorithm).take(OID)?;
            wrapped(id, inside.take(OCTETS)?)
        }
        (OCTETS, scalar) if version == [1] => {
            // From 112 to 521 bits.
            (14..=66).contains(&scalar.len()).then(|| Told::Plain("an elliptic-curve key".to_owned()))
        }
        (INTEGER, first) => {
            let mut numbers = vec![first];
            while let Some(number) = inside.take(INTEGER) {
                numbers.push(number);
            }
            numbers_of(version, &numbers)
        }
        _ => None,
    }
}

/// The key in a PKCS#8 structure.
fn wrapped(id: &[u8], key: &[u8]) -> Option<Told> {
    const RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01";
    const EC: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
    if id.starts_with(RSA) || id == EC {
        let mut inside = Der(Der(key).take(SEQUENCE)?);
        let version = inside.take(INTEGER)?;
        return unencrypted(version, inside);
    }
    let what = match id {
        b"\x2b\x65\x70" => "an Ed25519 key",
        b"\x2b\x65\x71" => "an Ed448 key",
        b"\x2b\x65\x6e" => "an X25519 key",
        b"\x2b\x65\x6f" => "an X448 key",
        b"\x2a\x86\x48\xce\x38\x04\x01" => "a DSA key",
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x03\x01" => "a Diffie-Hellman key",
        _ => "a key",
    };
    let is_of_curve = id.starts_with(b"\x2b\x65");
    let is_right = if is_of_curve { Der(key).take(OCTETS).is_some_and(|key| key.len() >= 32) } else { key.len() > 8 };
    is_right.then(|| Told::Plain(what.to_owned()))
}

fn numbers_of(version: &[u8], numbers: &[&[u8]]) -> Option<Told> {
    match numbers {
        [n, _, _, p, q, _, _, _, ..] => {
            let bits = bits(n);
            if bits < 256 || version.len() != 1 || version[0] > 1 {
                return None;
            }
            // More than two primes are rare, and not worth the arithmetic.
            if version == [0] && !is_product(n, p, q) {
                return Some(Told::Broken("its numbers do not fit together"));
            }
            Some(Told::Plain(format!("an RSA key of {bits} bits")))
        }
        // p, q, g, y and x.
        [p, q, _, _, x] if version == [0] && bits(p) >= 512 && bits(q) >= 160 && bits(x) > 64 => {
            Some(Told::Plain(format!("a DSA key of {} bits", bits(p))))
        }
        _ => None,
    }
}

/// How many bits a number has, its sign aside.
fn bits(number: &[u8]) -> usize {
    let first = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let number = &number[first..];
    number.len() * 8 - number.first().map_or(0, |byte| byte.leading_zeros() as usize)
}

/// Whether `n` is `p` times `q`, as far as division by some primes shows: a changed digit is always seen, and of wrong
/// numbers one in 10^28 is not.
pub(super) fn is_product(n: &[u8], p: &[u8], q: &[u8]) -> bool {
    const PRIMES: [u64; 3] = [4_294_967_291, 4_294_967_279, 4_294_967_231];
    let rest = |number: &[u8], prime| number.iter().fold(0, |rest, byte| (rest << 8 | u64::from(*byte)) % prime);
    bits(p) > 1 && bits(q) > 1 && PRIMES.iter().all(|&prime| rest(p, prime) * rest(q, prime) % prime == rest(n, prime))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let len = content.len();
        let len = u8::try_from(len).unwrap();
        let len = if len < 128 { vec![len] } else { vec![0x81, len] };
        [&[tag][..], &len, content].concat()
    }

    fn sequence(elements: &[Vec<u8>]) -> Vec<u8> {
        element(SEQUENCE, &elements.concat())
    }

    #[test]
    fn small_keys_are_read() {
        let scalar = element(OCTETS, &[7; 32]);
        let ec = sequence(&[element(INTEGER, &[1]), scalar.clone()]);
        assert_eq!(tell(&ec), Told::Plain("an elliptic-curve key".to_owned()));
        let ed25519 = sequence(&[element(OID, b"\x2b\x65\x70")]);
        let pkcs8 = sequence(&[element(INTEGER, &[0]), ed25519.clone(), element(OCTETS, &scalar)]);
        assert_eq!(whole(&pkcs8), Some(Told::Plain("an Ed25519 key".to_owned())));
        assert_eq!(whole(&[&pkcs8[..], b"\0"].concat()), None);
        let public = sequence(&[ed25519, element(3, &[0; 33])]);
        assert_eq!((tell(&public), whole(&public)), (UNREADABLE, None));
        let pbes2 = sequence(&[element(OID, b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d")]);
        assert_eq!(tell(&sequence(&[pbes2, element(OCTETS, &[1; 64])])), PASSPHRASE);
    }

    #[test]
    fn numbers_have_to_fit_together() {
        let (p, q) = (0xffff_ffff_ffff_ffc5_u64, 0xffff_ffff_ffff_ff43_u64);
        let n = (u128::from(p) * u128::from(q)).to_be_bytes();
        assert!(is_product(&n, &p.to_be_bytes(), &q.to_be_bytes()));
        assert!(!is_product(&n, &(p - 2).to_be_bytes(), &q.to_be_bytes()));
        assert!(!is_product(&[0], &[0], &[0]));
    }

    #[test]
    fn lengths_that_lie_are_survived() {
        for bytes in
            [&b"\x30"[..], b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\x30\x85\0\0\0\0\x01", b"\x30\x02\x02\x01"]
        {
            assert_eq!(tell(bytes), UNREADABLE);
        }
    }
}
