//! The id of a document that follows from its content: the same document has the same id, wherever it is written.

use sha2::{Digest as _, Sha256};

use crate::subject::digest::hex;

/// A UUID of version 8 ([RFC 9562](https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8)) made of a SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ContentId([u8; 16]);

impl ContentId {
    /// The id of these bytes, which cannot hold it themselves.
    pub(super) fn of(content: &[u8]) -> Self {
        let digest = Sha256::digest(content);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }

    /// `urn:uuid:…`
    pub(super) fn urn(self) -> String {
        let digits = hex(&self.0);
        let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
        format!("urn:uuid:{}", parts.join("-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_version_variant_and_the_content_in_it() {
        // The SHA-256 of nothing is e3b0c44298fc1c149afbf4c8996fb924…
        assert_eq!(ContentId::of(b"").urn(), "urn:uuid:e3b0c442-98fc-8c14-9afb-f4c8996fb924");
        assert_ne!(ContentId::of(b"a"), ContentId::of(b"b"));
    }
}
