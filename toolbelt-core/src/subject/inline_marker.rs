//! Words beside a finding that accept it: our own marker, and those of other tools.

use memchr::memmem;

/// Our own marker: `toolbelt:allow RULE reason`.
const OWN: &str = "toolbelt:allow";
/// The marker of gitleaks and betterleaks.
const GITLEAKS: &[&str] = &["gitleaks:allow", "betterleaks:allow"];
/// The markers of detect-secrets, trufflehog, bandit, semgrep and the like: they accept whatever secret is on the line.
const OTHERS: &[&str] =
    &["pragma: allowlist secret", "pragma: whitelist secret", "trufflehog:ignore", "nosecret", "nosec"];
/// The longest reason that is kept, in bytes.
const REASON: usize = 200;

/// What a line says about the findings on it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InlineMarker {
    /// The rule that is accepted; none for other tools' markers, which are about secrets of every kind.
    pub rule: Option<String>,
    /// Why; for other tools' markers, the marker.
    pub reason: String,
}

impl InlineMarker {
    /// Finds the marker on a line: ours before others', the first of several.
    ///
    /// Our own without a rule or a reason is none: who accepts something has to say what and why.
    pub fn find(line: &[u8]) -> Option<Self> {
        // Every marker has one of these words; most lines have none.
        if memmem::find(line, b"allow").is_none()
            && memmem::find(line, b"nosec").is_none()
            && !has(line, "pragma")
            && !has(line, "ignore")
        {
            return None;
        }
        let own = memmem::find(line, OWN.as_bytes()).and_then(|at| Self::own(&line[at + OWN.len()..]));
        own.or_else(|| Self::foreign(line))
    }

    fn own(rest: &[u8]) -> Option<Self> {
        let rest = String::from_utf8_lossy(&rest[..rest.len().min(REASON + 64)]);
        let (rule, reason) = rest.trim_start().split_once(char::is_whitespace)?;
        if rest.starts_with(|c: char| !c.is_whitespace()) || rule.is_empty() {
            return None;
        }
        // What closes a comment is not part of the reason.
        let reason = reason.trim().trim_end_matches("-->").trim_end_matches("*/").trim_end_matches("#}").trim();
        if !reason.contains(char::is_alphanumeric) {
            return None;
        }
        let reason = reason.chars().take(REASON).collect();
        Some(Self { rule: Some(rule.to_owned()), reason })
    }

    fn foreign(line: &[u8]) -> Option<Self> {
        let all = GITLEAKS.iter().chain(OTHERS);
        let marker = all.copied().find(|marker| has_word(line, marker))?;
        Some(Self { rule: None, reason: format!("marked `{marker}`") })
    }

    /// Whether it is for findings of this rule; other tools' markers are for rules over secrets alone.
    pub fn is_for(&self, rule: &str, is_secret: bool) -> bool {
        self.rule.as_deref().map_or(is_secret, |named| named == rule)
    }
}

fn has(line: &[u8], word: &str) -> bool {
    memmem::find(line, word.as_bytes()).is_some()
}

/// Whether the marker stands by itself: `nosec` is no part of `nanosecond`.
fn has_word(line: &[u8], marker: &str) -> bool {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    memmem::find_iter(line, marker.as_bytes()).any(|at| {
        let before = at.checked_sub(1).and_then(|before| line.get(before));
        !is_part(before) && !is_part(line.get(at + marker.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(line: &str) -> Option<(Option<String>, String)> {
        InlineMarker::find(line.as_bytes()).map(|marker| (marker.rule, marker.reason))
    }

    #[test]
    fn our_own_marker_needs_a_rule_and_a_reason() {
        let found = find("let k = \"…\"; // toolbelt:allow exposed-token a key of the test server");
        assert_eq!(found, Some((Some("exposed-token".into()), "a key of the test server".into())));
        let found = find("<k>…</k> <!-- toolbelt:allow private-key for tests -->");
        assert_eq!(found, Some((Some("private-key".into()), "for tests".into())));
        for none in [
            "toolbelt:allow",
            "toolbelt:allow exposed-token",
            "toolbelt:allow exposed-token -->",
            "toolbelt:allowance a b",
        ] {
            assert_eq!(find(none), None, "{none}");
        }
    }

    #[test]
    fn other_tools_markers_are_for_secrets_alone() {
        for line in [
            "a # gitleaks:allow",
            "a # pragma: allowlist secret",
            "a # nosec",
            "a // nosec B105",
            "x trufflehog:ignore",
        ] {
            let marker = InlineMarker::find(line.as_bytes()).unwrap();
            assert!(marker.is_for("exposed-token", true) && !marker.is_for("bidi-control", false), "{line}");
        }
        assert_eq!(find("let nanoseconds = 5; // allow"), None);
        assert_eq!(find("nosecrets = 1"), None);
    }
}
