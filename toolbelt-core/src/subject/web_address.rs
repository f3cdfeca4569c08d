//! An address that a manifest gives, if a browser or git could go there.

/// Schemes that lead to a host; a `file:` would tell of somebody's machine.
const SCHEMES: [&str; 3] = ["https", "http", "git"];
/// The longest address that is kept.
const MAX_BYTES: usize = 2048;

/// A valid URI of a public scheme, without a user name or password.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WebAddress(String);

impl WebAddress {
    /// Reads an address; none if it is not one in the sense of [RFC 3986](https://www.rfc-editor.org/rfc/rfc3986), or not
    /// for everybody.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        if text.len() > MAX_BYTES || !SCHEMES.contains(&&*scheme) || !is_uri(rest) {
            return None;
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (name, port) = host.split_once(':').unwrap_or((host, ""));
        let is_host = !name.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        is_host.then(|| Self(format!("{scheme}://{host}{path}")))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether these are characters of a URI, `%` begins two digits, and there is one fragment at most.
fn is_uri(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=%".contains(&byte);
    let mut escapes = text.split('%').skip(1);
    text.bytes().all(is_plain)
        && text.bytes().filter(|byte| *byte == b'#').count() <= 1
        && escapes.all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        WebAddress::parse(text).map(|address| address.0)
    }

    #[test]
    fn public_addresses_are_kept() {
        for address in [
            "https://github.com/serde-rs/serde",
            "http://example.org:8080/a%20b?c=d#e",
            "git://git.kernel.org/pub/scm/git/git.git",
            "https://example.org",
        ] {
            assert_eq!(read(address).as_deref(), Some(address));
        }
        assert_eq!(read(" HTTPS://example.org/ ").as_deref(), Some("https://example.org/"));
    }

    #[test]
    fn names_and_passwords_are_not() {
        assert_eq!(read("https://me:secret@example.org/x").as_deref(), Some("https://example.org/x"));
        assert_eq!(read("https://token@example.org/x@y").as_deref(), Some("https://example.org/x@y"));
    }

    #[test]
    fn what_is_no_address_or_names_a_machine_is_left_out() {
        for text in [
            "file:///home/me/x",
            "/home/me/x",
            "git@github.com:serde-rs/serde",
            "javascript://%0aalert(1)",
            "https://",
            "https:///x",
            "https://example.org/a b",
            "https://example.org/%zz",
            "https://example.org/\u{202e}",
            "https://example.org/a#b#c",
            "https://example.org:x/",
            "",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&format!("https://example.org/{}", "x".repeat(3000))), None);
    }
}
