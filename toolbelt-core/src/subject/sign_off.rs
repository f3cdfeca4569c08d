//! Sign-offs: the lines of a message in which somebody takes responsibility for a change.

use memchr::memmem;

/// What a commit says of its sign-offs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignOff {
    /// One of its author or its committer; of anybody where neither is known.
    Given,
    /// It needs none: a merge brings nothing of its own.
    Merge,
    /// None of theirs; those of others, by their e-mail addresses, in the order of the message.
    Missing(Vec<String>),
}

/// Reads a commit object.
///
/// One that cannot be understood counts as a commit of nobody known: then any sign-off will do.
pub fn of_commit(commit: &[u8]) -> SignOff {
    let end = memmem::find(commit, b"\n\n").unwrap_or(commit.len());
    let (headers, message) = commit.split_at(end);
    let headers = headers.split(|byte| *byte == b'\n');
    let mut people = Vec::new();
    let mut parents = 0;
    for header in headers {
        if header.starts_with(b"parent ") {
            parents += 1;
        } else if header.starts_with(b"author ") || header.starts_with(b"committer ") {
            people.extend(address(header));
        }
    }
    if parents > 1 { SignOff::Merge } else { of_message(message, &people) }
}

/// Reads a message; `people` are the addresses of its author and committer, as far as they are known.
pub fn of_message(message: &[u8], people: &[String]) -> SignOff {
    let mut others = Vec::new();
    for line in message.split(|byte| *byte == b'\n') {
        let Some((key, value)) = line.split_at_checked(KEY.len()) else { continue };
        let Some(address) = address(value).filter(|_| key.eq_ignore_ascii_case(KEY)) else { continue };
        if people.is_empty() || people.iter().any(|one| one.eq_ignore_ascii_case(&address)) {
            return SignOff::Given;
        }
        others.push(address);
    }
    SignOff::Missing(others)
}

/// How `git commit --signoff` begins the line.
const KEY: &[u8] = b"Signed-off-by:";

/// The address in `Name <address> …`; none where there is none.
fn address(line: &[u8]) -> Option<String> {
    let start = memchr::memchr(b'<', line)? + 1;
    let length = memchr::memchr(b'>', &line[start..])?;
    let address = String::from_utf8_lossy(line[start..start + length].trim_ascii()).into_owned();
    (!address.is_empty()).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(parents: usize, message: &str) -> Vec<u8> {
        let parents = "parent 0123\n".repeat(parents);
        format!(
            "tree 4567\n{parents}author A <a@example.com> 0 +0000\ncommitter B <b@example.com> 0 +0000\n\n{message}"
        )
        .into_bytes()
    }

    #[test]
    fn author_or_committer_have_to_sign_off() {
        assert_eq!(of_commit(&commit(1, "x\n\nsigned-off-BY: B <B@example.com>\n")), SignOff::Given);
        let others = SignOff::Missing(vec!["c@example.com".to_owned()]);
        assert_eq!(of_commit(&commit(1, "x\n\nSigned-off-by: C <c@example.com>\n")), others);
        assert_eq!(of_commit(&commit(0, "x\n")), SignOff::Missing(Vec::new()));
        assert_eq!(of_commit(&commit(2, "x\n")), SignOff::Merge);
    }

    #[test]
    fn a_line_without_an_address_is_none() {
        for line in ["Signed-off-by: A", "Signed-off-by: <>", "Signed-off-by", " Signed-off-by: A <a@example.com>", ""]
        {
            assert_eq!(of_message(line.as_bytes(), &[]), SignOff::Missing(Vec::new()), "{line}");
        }
        assert_eq!(of_message(b"Signed-off-by: A <a@example.com>", &[]), SignOff::Given);
        assert_eq!(of_commit(b""), SignOff::Missing(Vec::new()));
    }
}
