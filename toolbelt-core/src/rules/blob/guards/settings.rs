//! Settings of other tools in TOML: what they deny, ignore and look for.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::Said;
use super::lists::shown;

/// `deny.toml` and `audit.toml`: levels, and lists that let something pass.
pub(super) fn cargo(before: &str, after: &str) -> Vec<Said> {
    const ACCEPTS: &[&[&str]] = &[
        &["advisories", "ignore"],
        &["bans", "allow"],
        &["bans", "skip"],
        &["bans", "skip-tree"],
        &["licenses", "allow"],
        &["licenses", "exceptions"],
        &["sources", "allow-git"],
        &["sources", "allow-registry"],
    ];
    let Some((before, after)) = parse(before, after) else { return Vec::new() };
    let mut said = Vec::new();
    for path in ACCEPTS {
        let name = path.join(".");
        let new = added(&list(&before, path), list(&after, path));
        said.extend(new.into_iter().map(|entry| (format!("`{name}` takes {entry}"), None)));
    }
    let banned = ["bans", "deny"];
    let gone = added(&list(&after, &banned), list(&before, &banned));
    said.extend(gone.into_iter().map(|entry| (format!("`bans.deny` does not name {entry} any more"), None)));
    levels(&before, &after, "", &mut said);
    said
}

/// Words of cargo-deny for what becomes of a finding, from weak to strong.
const LEVELS: [&str; 3] = ["allow", "warn", "deny"];

fn levels(before: &Table, after: &Table, at: &str, said: &mut Vec<Said>) {
    for (key, old) in before {
        let name = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
        let rank = |value: &Value| LEVELS.iter().position(|level| value.as_str() == Some(level));
        match (old, after.get(key)) {
            (Value::Table(old), Some(Value::Table(new))) => levels(old, new, &name, said),
            (old, Some(new)) => {
                if let (Some(was), Some(is)) = (rank(old), rank(new))
                    && is < was
                {
                    said.push((format!("`{name}` is \"{}\", was \"{}\"", LEVELS[is], LEVELS[was]), None));
                }
            }
            (old, None) if rank(old) == Some(2) => {
                said.push((format!("`{name}` was \"deny\" and is not set any more"), None));
            }
            (_, None) => {}
        }
    }
}

/// gitleaks: allowlists, rules, and whether its own rules are used.
pub(super) fn gitleaks(before: &str, after: &str) -> Vec<Said> {
    let Some((before, after)) = parse(before, after) else { return Vec::new() };
    let mut said = Vec::new();
    let new = added(&allowed(&before), allowed(&after));
    said.extend(new.into_iter().map(|entry| (format!("accepts {entry}"), None)));
    let ids = |table: &Table| -> BTreeSet<String> {
        let rules = table.get("rules").and_then(Value::as_array).into_iter().flatten();
        rules.filter_map(|rule| Some(rule.get("id")?.as_str()?.to_owned())).collect()
    };
    said.extend(
        ids(&before).difference(&ids(&after)).map(|id| (format!("has no rule `{}` any more", shown(id)), None)),
    );
    let disabled = ["extend", "disabledRules"];
    let off = added(&list(&before, &disabled), list(&after, &disabled));
    said.extend(off.into_iter().map(|entry| (format!("turns off the rule {entry}"), None)));
    let uses_own =
        |table: &Table| table.get("extend").and_then(|extend| extend.get("useDefault")?.as_bool()) == Some(true);
    if uses_own(&before) && !uses_own(&after) {
        said.push(("does not use the rules that come with it any more".to_owned(), None));
    }
    said
}

/// Everything in the allowlists of a file and of its rules.
fn allowed(table: &Table) -> BTreeSet<String> {
    let own = ["allowlist", "allowlists"].into_iter().filter_map(|key| table.get(key));
    let rules = table.get("rules").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table);
    let theirs = rules.flat_map(|rule| ["allowlist", "allowlists"].into_iter().filter_map(|key| rule.get(key)));
    let mut entries = BTreeSet::new();
    for list in own.chain(theirs) {
        let tables = match list {
            Value::Array(tables) => tables.iter().filter_map(Value::as_table).collect(),
            Value::Table(table) => vec![table],
            _ => Vec::new(),
        };
        for table in tables {
            for key in ["paths", "regexes", "stopwords", "commits"] {
                entries.extend(table.get(key).and_then(Value::as_array).into_iter().flatten().map(Value::to_string));
            }
        }
    }
    entries
}

/// The two sides, where both are TOML: a file that is none is an error to its own tool.
pub(super) fn parse(before: &str, after: &str) -> Option<(Table, Table)> {
    before.parse().ok().zip(after.parse().ok())
}

/// The entries of a list, as TOML writes them; a table by what names it.
pub(super) fn list(table: &Table, path: &[&str]) -> BTreeSet<String> {
    let value = path
        .split_first()
        .and_then(|(first, rest)| rest.iter().try_fold(table.get(*first)?, |value, key| value.get(key)));
    let name = |entry: &Value| {
        let named = ["id", "crate", "name", "git"].into_iter().find_map(|key| entry.get(key)).unwrap_or(entry);
        format!("`{}`", shown(named.as_str().map_or_else(|| named.to_string(), str::to_owned).as_str()))
    };
    value.and_then(Value::as_array).into_iter().flatten().map(name).collect()
}

/// What is in the second and not in the first.
pub(super) fn added(before: &BTreeSet<String>, after: BTreeSet<String>) -> Vec<String> {
    after.into_iter().filter(|entry| !before.contains(entry)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{change, messages};

    #[test]
    fn what_cargo_deny_takes_and_denies_is_compared() {
        let old = "[advisories]\nignore = [\"RUSTSEC-1\"]\nyanked = \"deny\"\n[bans]\nwildcards = \"deny\"\ndeny = [{ crate = \"openssl\" }]\n";
        let new = "[advisories]\nignore = [{ id = \"RUSTSEC-2\", reason = \"x\" }, \"RUSTSEC-1\"]\n[bans]\nwildcards = \"allow\"\nmultiple-versions = \"warn\"\n";
        assert_eq!(
            messages(&[change("deny.toml", Some(old), Some(new))]),
            [
                "`advisories.ignore` takes `RUSTSEC-2`",
                "`advisories.yanked` was \"deny\" and is not set any more",
                "`bans.deny` does not name `openssl` any more",
                "`bans.wildcards` is \"allow\", was \"deny\"",
            ]
        );
        assert_eq!(
            messages(&[change("deny.toml", Some(new), Some(&new.replace("\"allow\"", "\"deny\"")))]),
            [] as [&str; 0]
        );
        assert_eq!(messages(&[change("deny.toml", Some(old), Some("["))]), [] as [&str; 0]);
    }

    #[test]
    fn what_gitleaks_accepts_and_looks_for_is_compared() {
        let old = "[extend]\nuseDefault = true\n[[rules]]\nid = \"own\"\n[allowlist]\npaths = ['a']\n";
        let new = "[extend]\ndisabledRules = [\"jwt\"]\n[[allowlists]]\npaths = ['a', 'b']\n";
        assert_eq!(
            messages(&[change(".gitleaks.toml", Some(old), Some(new))]),
            [
                "accepts \"b\"",
                "does not use the rules that come with it any more",
                "has no rule `own` any more",
                "turns off the rule `jwt`",
            ]
        );
    }
}
