//! Names secrets without telling them.

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::digest::hex;

/// What takes the place of a key where a repository has none: names then say nothing across versions of the key, and
/// the same secret has the same name in every repository without one.
const WITHOUT_A_KEY: &[u8] = b"toolbelt: no key";

/// The key under which a repository names the secrets that it accepts.
///
/// It is committed beside the policy, so it keeps nobody who has the repository from guessing a weak password; it keeps
/// one repository's names from being looked up in a table, or compared with another's.
#[derive(Clone, PartialEq, Eq)]
pub struct ValueKey(Option<[u8; 32]>);

impl ValueKey {
    /// The key's file, relative to the root of the repository.
    pub const FILE: &str = ".toolbelt/key";

    /// The stand-in for a repository without a key.
    pub const fn none() -> Self {
        Self(None)
    }

    /// A key of 32 random bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(Some(bytes))
    }

    /// Reads 64 hexadecimal digits, with white space around them.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(Some(bytes)))
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        self.0.map_or_else(String::new, |bytes| hex(&bytes) + "\n")
    }

    /// Whether this is a key, and not its stand-in.
    pub const fn is_real(&self) -> bool {
        self.0.is_some()
    }

    /// The name of a value as findings of one rule have it: 32 hexadecimal digits, half of an HMAC-SHA-256.
    ///
    /// # Panics
    ///
    /// Never: HMAC takes keys of every length.
    pub fn name(&self, rule: &str, value: &[u8]) -> String {
        let key = self.0.as_ref().map_or(WITHOUT_A_KEY, |bytes| bytes.as_slice());
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
        mac.update(&(rule.len() as u64).to_le_bytes());
        mac.update(rule.as_bytes());
        mac.update(value);
        hex(&mac.finalize().into_bytes()[..16])
    }
}

impl std::fmt::Debug for ValueKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if self.is_real() { "ValueKey(…)" } else { "ValueKey(none)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_depend_on_key_rule_and_value() {
        let (one, other) = (ValueKey::new([1; 32]), ValueKey::new([2; 32]));
        let name = one.name("exposed-token", b"a");
        assert_eq!(name.len(), 32);
        assert_eq!(name, one.name("exposed-token", b"a"));
        for different in [
            other.name("exposed-token", b"a"),
            one.name("private-key", b"a"),
            one.name("exposed-token", b"b"),
            ValueKey::none().name("exposed-token", b"a"),
        ] {
            assert_ne!(name, different);
        }
    }

    #[test]
    fn the_file_is_read_back_and_nothing_else_is() {
        let key = ValueKey::new([0xab; 32]);
        assert_eq!(ValueKey::parse(&key.to_text()), Some(key.clone()));
        for bad in ["", "ab", &"g".repeat(64), &"a".repeat(63), &"+a".repeat(32), &"é".repeat(32)] {
            assert_eq!(ValueKey::parse(bad), None, "{bad}");
        }
        assert_eq!(format!("{key:?}"), "ValueKey(…)");
    }
}
