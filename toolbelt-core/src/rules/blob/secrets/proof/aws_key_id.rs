//! The AWS account that an access key id is for.

/// Returns the twelve-digit account number in an access key id (`AKIA…`, `ASIA…`).
///
/// AWS writes it into the first 40 of the bits behind the prefix, in base 32, the highest bit not used. Ids from before
/// 2019 hold something else, and every id decodes to something, so this proves nothing: it tells the reader whose key it
/// may be. `None` for what is no such id, and for numbers of more than twelve digits.
pub fn account(id: &[u8]) -> Option<String> {
    if id.len() != 20 || !(id.starts_with(b"AKIA") || id.starts_with(b"ASIA")) {
        return None;
    }
    let mut bits = 0_u64;
    for &byte in &id[4..14] {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return None,
        };
        bits = (bits << 5) | u64::from(digit);
    }
    // 50 bits; the first 48 are six bytes, of which the account is 40 bits behind the first.
    let account = ((bits >> 2) >> 7) & ((1 << 40) - 1);
    (account < 1_000_000_000_000).then(|| format!("{account:012}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_is_read_from_the_id() {
        // Two ids that AWS and others publish with the account that they are for.
        assert_eq!(account(concat!("ASIA", "QNZGKIQY56JQ7WML").as_bytes()).as_deref(), Some("029608264753"));
        assert_eq!(account(concat!("ASIA", "Y34FZKBOKMUTVV7A").as_bytes()).as_deref(), Some("609629065308"));
    }

    #[test]
    fn other_texts_have_none() {
        for id in [b"AKIA1111111111111111".as_slice(), b"AKIA", b"XXXXQNZGKIQY56JQ7WML", b""] {
            assert_eq!(account(id), None);
        }
    }
}
