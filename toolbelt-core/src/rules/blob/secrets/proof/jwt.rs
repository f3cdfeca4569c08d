//! JSON Web Tokens ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)): a header that names an algorithm, and claims.

use serde_json::Value;

use super::base64;
use crate::subject::sighting::Proof;

/// The longest part that is read.
const MAX_PART: usize = 64 << 10;

/// Whether it is a signed token. When it expires is said, not judged: rules read no clock.
pub(super) fn prove(value: &[u8]) -> Proof {
    let mut parts = value.split(|&byte| byte == b'.');
    let (Some(header), Some(claims)) = (parts.next().and_then(json), parts.next()) else {
        return Proof::Fails("its header is not JSON".to_owned());
    };
    let Some(algorithm) = header.get("alg").and_then(Value::as_str) else {
        return Proof::Fails("its header names no algorithm".to_owned());
    };
    if algorithm.eq_ignore_ascii_case("none") {
        return Proof::Fails("it is not signed".to_owned());
    }
    // Of an encrypted token (five parts) only the header can be read.
    if header.get("enc").is_some() {
        return Proof::Holds("is an encrypted token".to_owned());
    }
    let Some(claims) = json(claims) else { return Proof::Fails("its claims are not JSON".to_owned()) };
    if claims.get("name").and_then(Value::as_str) == Some("John Doe") {
        return Proof::Fails("it is a well-known example".to_owned());
    }
    match claims.get("exp").and_then(seconds).and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()) {
        Some(expiry) => {
            let day = expiry.to_zoned(jiff::tz::TimeZone::UTC).date();
            Proof::Holds(format!("is a signed token that is good until {day}"))
        }
        None => Proof::Holds("is a signed token that does not expire".to_owned()),
    }
}

fn seconds(claim: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "fractions of a second")]
    claim.as_i64().or_else(|| claim.as_f64().map(|seconds| seconds as i64)).or_else(|| claim.as_str()?.parse().ok())
}

fn json(part: &[u8]) -> Option<Value> {
    let part = part.get(..part.len().min(MAX_PART))?;
    serde_json::from_slice(&base64(part)?).ok().filter(Value::is_object)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token of these parts.
    fn token(header: &str, claims: &str) -> Vec<u8> {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let encode = |text: &str| {
            let bits: Vec<u8> = text.bytes().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
            let digit = |bits: &[u8]| {
                let value = (0..6).fold(0, |value, bit| value * 2 + bits.get(bit).copied().unwrap_or(0));
                char::from(ALPHABET[usize::from(value)])
            };
            bits.chunks(6).map(digit).collect::<String>()
        };
        format!("{}.{}.c2lnbmVk", encode(header), encode(claims)).into_bytes()
    }

    #[test]
    fn signed_tokens_hold_and_say_when_they_expire() {
        let dated = token(r#"{"alg":"HS256"}"#, r#"{"exp":1706659200}"#);
        assert_eq!(prove(&dated), Proof::Holds("is a signed token that is good until 2024-01-31".to_owned()));
        let open = token(r#"{"alg":"RS256"}"#, r#"{"sub":"a"}"#);
        assert_eq!(prove(&open), Proof::Holds("is a signed token that does not expire".to_owned()));
    }

    #[test]
    fn others_fail() {
        for (header, claims) in [
            (r#"{"alg":"none"}"#, "{}"),
            (r#"{"typ":"JWT"}"#, "{}"),
            ("x", "{}"),
            (r#"{"alg":"HS256"}"#, "x"),
            (r#"{"alg":"HS256"}"#, r#"{"name":"John Doe"}"#),
        ] {
            assert!(matches!(prove(&token(header, claims)), Proof::Fails(_)), "{header} {claims}");
        }
    }
}
