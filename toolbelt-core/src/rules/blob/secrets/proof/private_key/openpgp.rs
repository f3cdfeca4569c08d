//! Reads the first packet of OpenPGP keys ([RFC 9580](https://www.rfc-editor.org/rfc/rfc9580), 5.5).

use super::{PASSPHRASE, Told, UNREADABLE};

const SECRET_KEY: u8 = 5;

/// What is in a block of packets that begins with a secret key.
pub(super) fn tell(bytes: &[u8]) -> Told {
    read(bytes).unwrap_or(UNREADABLE)
}

/// Like [`tell`], for bytes that nothing else says to be a key; none if they are none.
pub(super) fn whole(bytes: &[u8]) -> Option<Told> {
    read(bytes)
}

fn read(bytes: &[u8]) -> Option<Told> {
    let (tag, mut body) = packet(bytes)?;
    if tag != SECRET_KEY {
        return None;
    }
    let version = take(&mut body, 1)?[0];
    take(&mut body, if version == 3 { 6 } else { 4 })?;
    let algorithm = take(&mut body, 1)?[0];
    if !matches!(version, 3..=6) {
        return None;
    }
    if version >= 5 {
        take(&mut body, 4)?;
    }
    let what = match algorithm {
        1..=3 => public(&mut body, b"mm").map(|()| "an RSA key"),
        16 | 20 => public(&mut body, b"mmm").map(|()| "an ElGamal key"),
        17 => public(&mut body, b"mmmm").map(|()| "a DSA key"),
        18 => public(&mut body, b"omo").map(|()| "an ECDH key"),
        19 | 22 => public(&mut body, b"om").map(|()| "an elliptic-curve key"),
        25 | 27 => take(&mut body, 32).map(|_| "a key of Curve25519"),
        26 => take(&mut body, 56).map(|_| "a key of Curve448"),
        28 => take(&mut body, 57).map(|_| "a key of Curve448"),
        _ => None,
    }?;
    match take(&mut body, 1)?[0] {
        0 => (body.len() > 8).then(|| Told::Plain(format!("{what} of OpenPGP"))),
        253..=255 => {
            // GnuPG's own: `GNU` behind the cipher, the kind of stretching and the hash.
            let is_stub = body.get(1) == Some(&101) && body.get(3..6) == Some(b"GNU");
            Some(if is_stub { Told::Guarded("it is a stub without the secret part") } else { PASSPHRASE })
        }
        // Older keys name the cipher here.
        1..=13 => Some(PASSPHRASE),
        _ => None,
    }
}

/// The first packet: its tag, and its body as far as it is there.
fn packet(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    if first & 0x80 == 0 {
        return None;
    }
    let (tag, header, len) = if first & 0x40 != 0 {
        match *rest.first()? {
            len @ 0..=191 => (first & 0x3f, 1, usize::from(len)),
            high @ 192..=223 => (first & 0x3f, 2, ((usize::from(high) - 192) << 8) + usize::from(*rest.get(1)?) + 192),
            255 => (first & 0x3f, 5, big_endian(rest.get(1..5)?)),
            // In parts, as keys never are.
            _ => return None,
        }
    } else {
        let width = match first & 3 {
            0 => 1,
            1 => 2,
            2 => 4,
            _ => return None,
        };
        (first >> 2 & 0x0f, width, big_endian(rest.get(..width)?))
    };
    Some((tag, rest.get(header..header.checked_add(len)?)?))
}

fn big_endian(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// Passes over the public part: `m` is a number, `o` bytes with their count before them.
fn public(body: &mut &[u8], fields: &[u8]) -> Option<()> {
    for field in fields {
        if *field == b'm' {
            let bits = big_endian(take(body, 2)?);
            take(body, bits.div_ceil(8))?;
        } else {
            let len = take(body, 1)?[0];
            take(body, len.into())?;
        }
    }
    Some(())
}

fn take<'a>(body: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, rest) = body.split_at_checked(len)?;
    *body = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(rest: &[u8]) -> Vec<u8> {
        let public = [&[4, 0, 0, 0, 0, 22, 3, 1, 2, 3, 0, 16][..], &[0xff, 0xff]].concat();
        let body = [&public[..], rest].concat();
        [&[0xc5, u8::try_from(body.len()).unwrap()][..], &body].concat()
    }

    #[test]
    fn the_usage_says_whether_a_passphrase_protects_it() {
        let secret = [0; 12];
        let plain = key(&[&[0][..], &secret].concat());
        assert_eq!(tell(&plain), Told::Plain("an elliptic-curve key of OpenPGP".to_owned()));
        assert_eq!(tell(&key(&[&[254, 9, 3, 8][..], &secret].concat())), PASSPHRASE);
        assert!(matches!(tell(&key(b"\xfe\x09\x65\x02GNU\x01")), Told::Guarded(words) if words.contains("stub")));
        for end in 0..plain.len() {
            assert_eq!(tell(&plain[..end]), UNREADABLE);
        }
        assert_eq!(whole(b"\xc6\x01\x04"), None);
    }
}
