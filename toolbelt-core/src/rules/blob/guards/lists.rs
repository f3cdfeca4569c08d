//! Lists of what is accepted or trusted: more of it is a weaker guard.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Said;

/// Lists with one accepted finding a line.
pub(super) fn accepted(before: &str, after: &str) -> Vec<Said> {
    grown(before, after).into_iter().map(|(entry, line)| (format!("accepts `{}`", shown(entry)), Some(line))).collect()
}

/// `allowed_signers` of OpenSSH.
pub(super) fn signers(before: &str, after: &str) -> Vec<Said> {
    let principals = |entry: &str| entry.split_ascii_whitespace().next().map(shown).unwrap_or_default();
    let new = grown(before, after).into_iter();
    new.map(|(entry, line)| (format!("trusts a key of `{}`", principals(entry)), Some(line))).collect()
}

/// The baseline of detect-secrets: results by file.
pub(super) fn baseline(before: &str, after: &str) -> Vec<Said> {
    let (Ok(before), Ok(after)) = (serde_json::from_str::<Value>(before), serde_json::from_str::<Value>(after)) else {
        return Vec::new();
    };
    let mut said = Vec::new();
    let (old, new) = (results(&before), results(&after));
    let more = new.difference(&old).count();
    if more > 0 {
        said.push((format!("accepts {more} more secrets"), None));
    }
    let (old, new) = (plugins(&before), plugins(&after));
    said.extend(old.difference(&new).map(|name| (format!("does not look for `{}` any more", shown(name)), None)));
    said
}

fn results(baseline: &Value) -> BTreeSet<(&str, &str)> {
    let files = baseline.get("results").and_then(Value::as_object).into_iter().flatten();
    let entries =
        files.flat_map(|(file, entries)| entries.as_array().into_iter().flatten().map(move |entry| (file, entry)));
    entries.filter_map(|(file, entry)| Some((file.as_str(), entry.get("hashed_secret")?.as_str()?))).collect()
}

fn plugins(baseline: &Value) -> BTreeSet<&str> {
    let plugins = baseline.get("plugins_used").and_then(Value::as_array).into_iter().flatten();
    plugins.filter_map(|plugin| plugin.get("name")?.as_str()).collect()
}

/// The entries that were not there before, with their lines.
fn grown<'a>(before: &str, after: &'a str) -> Vec<(&'a str, usize)> {
    let is_entry = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let old: BTreeSet<&str> = before.lines().map(str::trim).filter(is_entry).collect();
    let new = after.lines().map(str::trim).enumerate().filter(|(_, line)| is_entry(line) && !old.contains(line));
    new.map(|(number, line)| (line, number)).collect()
}

/// A text from a file, in a message.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 80;
    let cut: String = text.chars().take(MOST).collect();
    if cut.len() < text.len() { cut + "…" } else { cut }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{change, messages};

    #[test]
    fn only_what_is_more_is_told() {
        let said = messages(&[change(".gitleaksignore", Some("# x\na:b:1\n"), Some("c:d:2\n# y\na:b:1\n"))]);
        assert_eq!(said, ["accepts `c:d:2`"]);
        let said = messages(&[change(".toolbelt/allowed_signers", Some(""), Some("eve@x.org ssh-ed25519 AAAA\n"))]);
        assert_eq!(said, ["trusts a key of `eve@x.org`"]);
        assert!(messages(&[change(".gitleaksignore", Some("a\nb\n"), Some("b\n"))]).is_empty());
    }

    #[test]
    fn a_baseline_is_compared_by_its_entries() {
        let old = r#"{"plugins_used": [{"name": "A"}, {"name": "B"}], "results": {"x": [{"hashed_secret": "1", "line_number": 3}]}}"#;
        let new = r#"{"plugins_used": [{"name": "B"}], "results": {"x": [{"hashed_secret": "1", "line_number": 9}, {"hashed_secret": "2"}]}}"#;
        assert_eq!(
            messages(&[change(".secrets.baseline", Some(old), Some(new))]),
            ["accepts 1 more secrets", "does not look for `A` any more"]
        );
        assert!(messages(&[change(".secrets.baseline", Some(old), Some(&old.replace('3', "4")))]).is_empty());
        assert!(messages(&[change(".secrets.baseline", Some(old), Some("{"))]).is_empty());
    }
}
