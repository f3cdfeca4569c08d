//! Fills in the examples of pattern files, so that the repository itself holds nothing that looks like a token.

use super::engine::Engine;
use super::pattern_file::Described;

/// Runs the examples of a pattern, and says which do not come out as they are listed; empty when all is well.
///
/// An example of `matches` has to be found by this pattern, or by another that knows the same value better. Texts are not
/// repeated: they may be real.
pub fn check(engine: &Engine, described: &Described) -> Vec<String> {
    let id = described.pattern.id.as_str();
    let found_by = |example: &String| {
        let mut found = Vec::new();
        engine.scan_all(expand(id, example).as_bytes(), &mut found);
        found.into_iter().map(|found| found.candidate.pattern).collect::<Vec<_>>()
    };
    let mut wrong = Vec::new();
    for (number, example) in (1..).zip(&described.matches) {
        if !found_by(example).iter().any(|pattern| pattern.id == id || pattern.provider != "generic credential") {
            wrong.push(format!("`{id}`: example {number} of `matches` is not found"));
        }
    }
    for (number, example) in (1..).zip(&described.ignores) {
        if found_by(example).iter().any(|pattern| pattern.id == id) {
            wrong.push(format!("`{id}`: example {number} of `ignores` is found by it"));
        }
    }
    wrong
}

/// Fills in `{alnum:36}`, `{uuid}` and `{base62-crc32:ghp_:30}`; `{{` and `}}` are literal braces.
///
/// The characters are pseudo-random and depend on the pattern's id and the place in the example alone. A brace that
/// opens none of these stays as it is.
pub fn expand(id: &str, example: &str) -> String {
    let mut random = Random::new(id);
    let mut expanded = String::with_capacity(example.len() * 2);
    let mut rest = example;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, brace) = rest.split_at(at);
        expanded.push_str(before);
        if brace.starts_with("{{") || brace.starts_with("}}") {
            expanded.push_str(&brace[..1]);
            rest = &brace[2..];
            continue;
        }
        let inner = brace.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let filled = inner.and_then(|(inner, behind)| Some((fill(inner, &mut random)?, behind)));
        if let Some((text, behind)) = filled {
            expanded.push_str(&text);
            rest = behind;
        } else {
            expanded.push_str(&brace[..1]);
            rest = &brace[1..];
        }
    }
    expanded + rest
}

const DIGITS: &str = "0123456789";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn class(name: &str) -> Option<String> {
    Some(match name {
        "alnum" => [DIGITS, UPPER, LOWER].concat(),
        "lower-alnum" => [DIGITS, LOWER].concat(),
        "upper-alnum" => [DIGITS, UPPER].concat(),
        "alpha" => [UPPER, LOWER].concat(),
        "lower" => LOWER.to_owned(),
        "upper" => UPPER.to_owned(),
        "digit" => DIGITS.to_owned(),
        "hex" => [DIGITS, "abcdef"].concat(),
        "upper-hex" => [DIGITS, "ABCDEF"].concat(),
        "base64" => [DIGITS, UPPER, LOWER, "+/"].concat(),
        "base64url" => [DIGITS, UPPER, LOWER, "_-"].concat(),
        "base32" => [UPPER, "234567"].concat(),
        "word" => [DIGITS, UPPER, LOWER, "_"].concat(),
        _ => return None,
    })
}

/// What stands for the text between two braces.
fn fill(inner: &str, random: &mut Random) -> Option<String> {
    if inner == "uuid" {
        let mut hex = |count| random.characters("0123456789abcdef", count);
        return Some(format!("{}-{}-4{}-a{}-{}", hex(8), hex(4), hex(3), hex(3), hex(12)));
    }
    let mut parts = inner.split(':');
    let name = parts.next()?;
    if name == "base62-crc32" {
        let (prefix, count) = (parts.next()?, number(parts.next()?)?);
        let token = random.characters(&class("alnum")?, count);
        let digits = super::proof::base62_crc32::digits(token.as_bytes());
        return parts.next().is_none().then(|| format!("{prefix}{token}{digits}"));
    }
    let (characters, count) = (class(name)?, number(parts.next()?)?);
    parts.next().is_none().then(|| random.characters(&characters, count))
}

/// A number of characters; none that would make the example huge.
fn number(digits: &str) -> Option<usize> {
    digits.parse().ok().filter(|&count| count <= 10_000)
}

/// A generator (splitmix64) that starts at a hash (FNV-1a) of a pattern's id.
struct Random(u64);

impl Random {
    fn new(id: &str) -> Self {
        Self(
            id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)),
        )
    }

    fn characters(&mut self, class: &str, count: usize) -> String {
        let class = class.as_bytes();
        let mut one = || {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut bits = self.0;
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let index = ((bits >> 33) as usize) % class.len();
            char::from(class[index])
        };
        (0..count).map(|_| one()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_and_ids_are_filled_in_the_same_way_each_time() {
        let text = expand("a", "x={alnum:36} {uuid}");
        assert_eq!(text.len(), 2 + 36 + 1 + 36);
        assert_eq!(text, expand("a", "x={alnum:36} {uuid}"));
        assert_ne!(text, expand("b", "x={alnum:36} {uuid}"));
        assert!(expand("a", "{hex:40}").bytes().all(|byte| byte.is_ascii_hexdigit()));
    }

    #[test]
    fn other_braces_stay() {
        for text in
            ["${TOKEN}", "{a: 1}", "{", "}", "{alnum}", "{alnum:}", "{nothing:3}", "{alnum:3:4}", "{alnum:99999}"]
        {
            assert_eq!(expand("a", text), text);
        }
        assert_eq!(expand("a", "{{alnum:3}}"), "{alnum:3}");
    }

    #[test]
    fn check_digits_are_appended() {
        let token = expand("a", "{base62-crc32:ghp_:30}");
        assert_eq!((token.len(), &token[..4]), (40, "ghp_"));
    }
}
