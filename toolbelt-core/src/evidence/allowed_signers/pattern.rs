//! Lists of patterns, as `ssh_config(5)` describes them under PATTERNS.

/// The longest pattern that OpenSSH looks at; a list with a longer one lets nobody through.
const MAX_PATTERN: usize = 1023;

/// Whether a list of patterns between commas lets a name through: one of them is like it, and none after `!` is.
pub(super) fn list_matches(list: &str, name: &str) -> bool {
    let mut is_like_one = false;
    for pattern in list.split(',') {
        let (is_negated, pattern) = match pattern.strip_prefix('!') {
            Some(pattern) => (true, pattern),
            None => (false, pattern),
        };
        if pattern.len() >= MAX_PATTERN {
            return false;
        }
        if matches(pattern.as_bytes(), name.as_bytes()) {
            if is_negated {
                return false;
            }
            is_like_one = true;
        }
    }
    is_like_one
}

/// Whether a name is like a pattern: `*` stands for any bytes, `?` for one.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut here) = (0, 0);
    // Where to go on if what follows the last star is not there: after the star, with one more byte for it.
    let mut star = None;
    while here < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                at += 1;
                star = Some((at, here));
            }
            Some(sign) if *sign == b'?' || *sign == name[here] => {
                at += 1;
                here += 1;
            }
            _ => match star {
                Some((after, from)) => {
                    (at, here) = (after, from + 1);
                    star = Some((after, here));
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|sign| *sign == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_others() {
        for (pattern, name) in
            [("*", ""), ("a*c", "abbc"), ("*b*", "abc"), ("a?c", "abc"), ("**", "x"), ("a*b*c", "aXbYbc"), ("", "")]
        {
            assert!(matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
        for (pattern, name) in [("a?c", "ac"), ("a*c", "abd"), ("?", ""), ("", "a"), ("A", "a"), ("a*b*c", "acb")] {
            assert!(!matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
        let long = "a".repeat(5000);
        assert!(!matches(format!("{}b", "*a".repeat(400)).as_bytes(), long.as_bytes()));
    }

    #[test]
    fn one_negated_pattern_outweighs_the_others() {
        assert!(list_matches("*@example.com,!bob@*", "alice@example.com"));
        assert!(!list_matches("*@example.com,!bob@*", "bob@example.com"));
        assert!(!list_matches("!bob", "alice"));
        assert!(!list_matches(&format!("alice,{}", "x".repeat(1023)), "alice"));
    }
}
