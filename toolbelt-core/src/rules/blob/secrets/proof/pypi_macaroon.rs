//! Tokens of `PyPI`: `pypi-` and a macaroon in its binary format, version 2, whose location is `pypi.org`.
//!
//! The format is that of [libmacaroons](https://github.com/rescrv/libmacaroons/blob/master/doc/format.txt): fields of a
//! type, a length and bytes; sections end with a field of type 0; the signature is 32 bytes.

use super::base64;
use crate::subject::sighting::Proof;

const END: u8 = 0;
const LOCATION: u8 = 1;
const SIGNATURE: u8 = 6;

pub(super) fn prove(value: &[u8]) -> Proof {
    let token = value.strip_prefix(b"pypi-").unwrap_or(value);
    match base64(token).as_deref().and_then(read) {
        Some(b"pypi.org" | b"test.pypi.org") => Proof::Holds("is a whole macaroon of PyPI".to_owned()),
        Some(_) => Proof::Fails("is a macaroon of another place".to_owned()),
        None => Proof::Fails("is no whole macaroon".to_owned()),
    }
}

/// The location of a macaroon that is read to its end.
fn read(mut bytes: &[u8]) -> Option<&[u8]> {
    bytes = bytes.strip_prefix(&[2])?;
    let mut location = None;
    loop {
        let (&kind, rest) = bytes.split_first()?;
        bytes = rest;
        if kind == END {
            continue;
        }
        let length = length(&mut bytes)?;
        let (content, rest) = bytes.split_at_checked(length)?;
        bytes = rest;
        match kind {
            LOCATION if location.is_none() => location = Some(content),
            SIGNATURE => return location.filter(|_| content.len() == 32),
            _ => {}
        }
    }
}

/// A length: seven bits a byte, the lowest first.
fn length(bytes: &mut &[u8]) -> Option<usize> {
    let mut length = 0_usize;
    for shift in [0, 7, 14] {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        length |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(length);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_macaroon_is_read_to_its_signature() {
        let mut bytes = vec![2, 1, 8];
        bytes.extend(b"pypi.org");
        bytes.extend([2, 1, b'i', 0, 0, 6, 32]);
        bytes.extend([7; 32]);
        assert_eq!(read(&bytes), Some(b"pypi.org".as_slice()));
        bytes.pop();
        assert_eq!(read(&bytes), None);
        assert_eq!(read(&[2, 1, 0xff, 0xff, 0xff, 0xff]), None);
        assert!(matches!(prove(b"pypi-AgEI"), Proof::Fails(_)));
    }
}
