//! Files that are keys as a whole, known by their first bytes: DER, PKCS#12, Java's key stores, OpenPGP packets and others.

use memchr::memmem;

use super::{PASSPHRASE, Told, der, openpgp, openssh, published};
use crate::subject::sighting::Proof;

/// What a file is that holds a private key: the id and the name of its kind, and what is proven.
pub(in crate::rules::blob::secrets) type Found = (&'static str, &'static str, Proof);

/// Looks at a whole content; a byte tells that most are none.
pub(in crate::rules::blob::secrets) fn look(bytes: &[u8]) -> Option<Found> {
    let starts = |mark: &[u8]| bytes.starts_with(mark);
    let (id, name, told) = match bytes.first()? {
        0x30 => sequence(bytes)?,
        0xfe if starts(b"\xfe\xed\xfe\xed") => ("java-key-store", "Java key store", java(bytes)?),
        0xce if starts(b"\xce\xce\xce\xce") => ("java-key-store", "Java key store", java(bytes)?),
        0x94..=0x97 | 0xc5 => ("openpgp-secret-key-file", "OpenPGP secret key", openpgp::whole(bytes)?),
        b'S' if starts(b"SSH PRIVATE KEY FILE FORMAT 1.1\n\0") => {
            // The cipher: 0 is none.
            let told = if bytes.get(33) == Some(&0) { Told::Plain("an RSA key".to_owned()) } else { PASSPHRASE };
            ("ssh1-private-key", "SSH1 private key", told)
        }
        b'=' if starts(b"== ed25519v1-secret: type0 ==\0\0\0") && bytes.len() >= 96 => {
            ("tor-hidden-service-key", "Tor onion service key", Told::Plain("an Ed25519 key".to_owned()))
        }
        b'(' if starts(b"(11:private-key(") => {
            ("gnupg-private-key", "GnuPG private key", Told::Plain("a key".to_owned()))
        }
        b'(' if starts(b"(21:protected-private-key(") => ("gnupg-private-key", "GnuPG private key", PASSPHRASE),
        0x1e if starts(b"\x1e\xf1\xb5\xb0") => ("pvk-private-key", "PVK private key", pvk(bytes)?),
        _ => return None,
    };
    Some((id, name, told.into()))
}

/// Every kind that [`look`] knows: id and name.
pub(in crate::rules::blob::secrets) const KINDS: &[(&str, &str)] = &[
    ("der-private-key", "private key in DER"),
    ("gnupg-private-key", "GnuPG private key"),
    ("java-key-store", "Java key store"),
    ("openpgp-secret-key-file", "OpenPGP secret key"),
    ("pkcs12-key-store", "PKCS#12 key store"),
    ("pvk-private-key", "PVK private key"),
    ("ssh1-private-key", "SSH1 private key"),
    ("tor-hidden-service-key", "Tor onion service key"),
];

/// DER: a key, or a PKCS#12 store ([RFC 7292](https://www.rfc-editor.org/rfc/rfc7292), 4).
fn sequence(bytes: &[u8]) -> Option<(&'static str, &'static str, Told)> {
    const DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
    const KEY_BAG: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x01";
    const SHROUDED_KEY_BAG: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x02";
    const ENCRYPTED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06";
    let (tag, inside) = der::Der(bytes).next()?;
    debug_assert_eq!(tag, 0x30);
    let is_store = inside.starts_with(&[2, 1, 3]) && memmem::find(&inside[..inside.len().min(64)], DATA).is_some();
    if !is_store {
        let told = if published::is_known(bytes) { published::KNOWN } else { der::whole(bytes)? };
        return Some(("der-private-key", "private key in DER", told));
    }
    let holds = |id: &[u8]| memmem::find(inside, id).is_some();
    let told = if holds(KEY_BAG) {
        Told::Plain("a key in a bag".to_owned())
    } else if holds(SHROUDED_KEY_BAG) {
        Told::Guarded("its key is protected by a password, which may be empty")
    } else if holds(ENCRYPTED_DATA) {
        Told::Guarded("all of it is encrypted, so that a key in it cannot be told from certificates")
    } else {
        return None;
    };
    Some(("pkcs12-key-store", "PKCS#12 key store", told))
}

/// A key store of Java, if one of its entries is a key.
fn java(bytes: &[u8]) -> Option<Told> {
    const KEY: u32 = 1;
    const CERTIFICATE: u32 = 2;
    let mut fields = openssh::Fields(bytes.get(4..)?);
    let version = fields.u32()?;
    let count = fields.u32()?;
    if !matches!(version, 1 | 2) {
        return None;
    }
    for _ in 0..count.min(10_000) {
        match fields.u32()? {
            CERTIFICATE => {
                pass_over_short(&mut fields)?;
                fields.0 = fields.0.get(8..)?;
                if version == 2 {
                    pass_over_short(&mut fields)?;
                }
                fields.string()?;
            }
            KEY => return Some(Told::Guarded("its key is protected by a password")),
            // A secret key, which only the newer kind has.
            _ => return Some(Told::Guarded("its secrets are protected by a password")),
        }
    }
    None
}

/// A text with a length of two bytes.
fn pass_over_short(fields: &mut openssh::Fields<'_>) -> Option<()> {
    let (len, rest) = fields.0.split_first_chunk()?;
    fields.0 = rest.get(usize::from(u16::from_be_bytes(*len))..)?;
    Some(())
}

/// Microsoft's PVK: a reserved word, the use, whether it is encrypted, and two lengths.
fn pvk(bytes: &[u8]) -> Option<Told> {
    let word = |at: usize| bytes.get(at..at + 4)?.first_chunk().copied().map(u32::from_le_bytes);
    let (encrypted, len) = (word(12)?, word(20)?);
    (usize::try_from(len).ok()? + 24 <= bytes.len() && len > 100)
        .then(|| if encrypted == 0 { Told::Plain("an RSA key".to_owned()) } else { PASSPHRASE })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(bytes: &[u8]) -> Option<(&'static str, bool)> {
        look(bytes).map(|(id, name, proof)| {
            assert!(KINDS.contains(&(id, name)));
            (id, matches!(proof, Proof::Holds(_)))
        })
    }

    #[test]
    fn stores_of_java_count_when_they_hold_keys() {
        let certificate =
            [&2u32.to_be_bytes()[..], b"\0\x01a", &[0; 8], b"\0\x05X.509", &3u32.to_be_bytes(), b"abc"].concat();
        let head = |count: u32| [b"\xfe\xed\xfe\xed\0\0\0\x02".to_vec(), count.to_be_bytes().to_vec()].concat();
        assert_eq!(ids(&[head(1), certificate.clone()].concat()), None);
        let both = [head(2), certificate, 1u32.to_be_bytes().to_vec()].concat();
        assert_eq!(ids(&both), Some(("java-key-store", false)));
        for end in 0..both.len() {
            let _ = look(&both[..end]);
        }
    }

    #[test]
    fn files_are_known_by_their_first_bytes() {
        let tor = [&b"== ed25519v1-secret: type0 ==\0\0\0"[..], &[7; 64]].concat();
        assert_eq!(ids(&tor), Some(("tor-hidden-service-key", true)));
        assert_eq!(ids(b"SSH PRIVATE KEY FILE FORMAT 1.1\n\0\0"), Some(("ssh1-private-key", true)));
        assert_eq!(ids(b"SSH PRIVATE KEY FILE FORMAT 1.1\n\0\x03"), Some(("ssh1-private-key", false)));
        assert_eq!(ids(b"(21:protected-private-key(3:rsa"), Some(("gnupg-private-key", false)));
        for none in [&b""[..], b"text", b"\x30\x03\x02\x01\x00", b"\xc5", b"\x95\x01\x02", b"\xfe\xed\xfe\xed", b"0"] {
            assert_eq!(ids(none), None);
        }
    }
}
