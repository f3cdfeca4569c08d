//! The armour of `ssh-keygen -Y sign`, and what is in it besides the signature itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::PublicKey;
use super::wire::Reader;

/// What a signature says of itself, by
/// [PROTOCOL.sshsig](https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig). Nothing of it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Armoured {
    /// The key that it says made it.
    pub key: PublicKey,
    /// What it is for.
    pub namespace: String,
    /// What the message was hashed with.
    pub hash: HashName,
    /// The encoded signature.
    pub blob: Vec<u8>,
}

/// What a message is hashed with before it is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashName {
    /// `sha256`.
    Sha256,
    /// `sha512`, which `ssh-keygen` takes unless it is told otherwise.
    Sha512,
}

/// Why something is no such signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is no SSH signature: {0}")]
pub struct NotASignature(pub(crate) &'static str);

/// The first line.
pub const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
pub(crate) const END: &str = "-----END SSH SIGNATURE-----";
/// How the bytes begin, and what is signed.
pub(crate) const MAGIC: &[u8] = b"SSHSIG";
/// The only version.
pub(crate) const VERSION: u32 = 1;
/// The largest armour: a key and a signature of at most 16 KiB each, in base64.
pub const MAX_BYTES: usize = 64 << 10;
/// The longest namespace.
const MAX_NAMESPACE: usize = 256;

impl Armoured {
    /// Reads the armour, however its lines are broken.
    ///
    /// # Errors
    ///
    /// [`NotASignature`] if it is not whole, of another version, or too large.
    pub fn parse(armour: &str) -> Result<Self, NotASignature> {
        if armour.len() > MAX_BYTES {
            return Err(NotASignature("it is too long"));
        }
        let body = armour.trim().strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END));
        let body = body.ok_or(NotASignature("its first or last line is not there"))?;
        let digits: Vec<u8> = body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let bytes = STANDARD.decode(digits).map_err(|_| NotASignature("it is not base64"))?;
        Self::from_bytes(&bytes)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, NotASignature> {
        let ends = || NotASignature("it ends too early");
        let mut reader = Reader::new(bytes);
        if reader.take(MAGIC.len()) != Some(MAGIC) {
            return Err(NotASignature("it does not begin with `SSHSIG`"));
        }
        if reader.number().ok_or_else(ends)? != VERSION {
            return Err(NotASignature("it is of another version than 1"));
        }
        let key = PublicKey::from_blob(reader.string().ok_or_else(ends)?);
        let key = key.map_err(|_| NotASignature("its key cannot be read"))?;
        let namespace = std::str::from_utf8(reader.string().ok_or_else(ends)?).ok();
        let namespace =
            namespace.filter(|name| !name.is_empty() && name.len() <= MAX_NAMESPACE && !name.contains('\0'));
        let namespace = namespace.ok_or(NotASignature("its namespace is none"))?.to_owned();
        // Reserved: to be ignored, and not covered by the signature.
        reader.string().ok_or_else(ends)?;
        let hash = HashName::parse(reader.string().ok_or_else(ends)?);
        let hash = hash.ok_or(NotASignature("its hash is neither sha256 nor sha512"))?;
        let blob = reader.string().ok_or_else(ends)?.to_owned();
        if !reader.is_empty() {
            return Err(NotASignature("something follows it"));
        }
        Ok(Self { key, namespace, hash, blob })
    }
}

impl HashName {
    fn parse(name: &[u8]) -> Option<Self> {
        [Self::Sha256, Self::Sha512].into_iter().find(|hash| hash.as_str().as_bytes() == name)
    }

    /// As signatures name it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }
}
