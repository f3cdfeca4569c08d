//! toolbelt's own policy. Who reads a policy to apply it is somebody else; here two are compared.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::Said;
use super::lists::shown;
use super::settings::{added, list, parse};
use crate::finding::Level;
use crate::rules::options::{self, OptionDefault};
use crate::rules::{self, Rule};
use crate::subject::hook::Hook;

pub(super) fn weakened(before: &str, after: &str) -> Vec<Said> {
    let Some((before, after)) = parse(before, after) else { return Vec::new() };
    let mut said = Vec::new();
    for rule in rules::all() {
        compare(rule, setting(&before, rule), setting(&after, rule), &mut said);
    }
    not_checked(&before, &after, &mut said);
    let new = added(&exemptions(&before), exemptions(&after));
    said.extend(new.into_iter().map(|exemption| (format!("exempts {exemption}"), None)));
    for path in [["scan", "exclude"], ["deps", "exclude"]] {
        let new = added(&list(&before, &path), list(&after, &path));
        said.extend(new.into_iter().map(|glob| (format!("`{}` leaves out {glob}", path.join(".")), None)));
    }
    let self_exempted = |table: &Table| text(table, &["scan", "self-exempted"]) == Some("deny");
    if self_exempted(&before) && !self_exempted(&after) {
        said.push(("`scan.self-exempted` is not \"deny\" any more".to_owned(), None));
    }
    protect(&before, &after, &mut said);
    if let (Some(old), Some(new)) = (text(&before, &["data", "max-age"]), text(&after, &["data", "max-age"]))
        && options::parse_age(old) < options::parse_age(new)
    {
        said.push((format!("`data.max-age` is \"{}\", was \"{}\"", shown(new), shown(old)), None));
    }
    said
}

/// What a policy makes weaker than it is without any: not what it leaves out or accepts, which every first policy does.
pub(super) fn introduced(policy: &str) -> Vec<Said> {
    let Some((before, after)) = parse("", policy) else { return Vec::new() };
    let mut said = Vec::new();
    for rule in rules::all() {
        let (was, is) = (level(rule, None), level(rule, setting(&after, rule)));
        if was == Level::Deny && is < was {
            said.push((format!("`{}` is at {}, was at {}", rule.id, is.as_str(), was.as_str()), None));
        }
    }
    protect(&before, &after, &mut said);
    said
}

/// What is not checked in a hook any more, and what is not protected any more.
fn protect(before: &Table, after: &Table, said: &mut Vec<Said>) {
    for hook in Hook::ALL {
        let key = ["protect", hook.as_str()];
        let checks = |table: &Table| {
            let all = || hook.possible().iter().map(|check| format!("`{}`", check.as_str())).collect();
            if at(table, &key).is_some() { list(table, &key) } else { all() }
        };
        let gone = added(&checks(after), checks(before));
        said.extend(
            gone.into_iter().map(|check| (format!("`{}` does not check {check} any more", key.join(".")), None)),
        );
    }
    let incomplete = |table: &Table| text(table, &["protect", "incomplete"]) == Some("deny");
    if incomplete(before) && !incomplete(after) {
        said.push(("`protect.incomplete` is not \"deny\" any more".to_owned(), None));
    }
    let refs = |table: &Table| list(table, &["protect", "refs"]);
    let gone = added(&refs(after), refs(before));
    said.extend(gone.into_iter().map(|glob| (format!("`protect.refs` does not name {glob} any more"), None)));
}

/// What a policy says of a rule.
fn setting<'a>(policy: &'a Table, rule: &Rule) -> Option<&'a Value> {
    policy.get("rules")?.get(rule.id)
}

fn compare(rule: &Rule, before: Option<&Value>, after: Option<&Value>, said: &mut Vec<Said>) {
    let (was, is) = (level(rule, before), level(rule, after));
    if is < was {
        said.push((format!("`{}` is at {}, was at {}", rule.id, is.as_str(), was.as_str()), None));
    }
    if let Some(default) = rule.weaker {
        let weaker = |value: Option<&Value>| word(value, "weaker").and_then(Level::parse).unwrap_or(default);
        let (was, is) = (weaker(before), weaker(after));
        if is < was {
            said.push((
                format!("the weaker form of `{}` is at {}, was at {}", rule.id, is.as_str(), was.as_str()),
                None,
            ));
        }
    }
    for key in ["uses", "targets"] {
        let looks_at = |value: Option<&Value>| value.and_then(|value| value.get(key)).map(Value::to_string);
        let narrowed = match (looks_at(before), looks_at(after)) {
            (None, Some(is)) => is != "\"all\"",
            (Some(was), Some(is)) => is.len() < was.len() && key == "uses" || was == "\"all\"" && is != was,
            (_, None) => false,
        };
        if narrowed {
            said.push((format!("`{}` looks at less: `{key}`", rule.id), None));
        }
    }
    for option in rule.options {
        let values = |value: Option<&Value>| value.and_then(|value| value.get(option.name)).cloned();
        let (was, is) = (values(before), values(after));
        let name = format!("`{}.{}`", rule.id, option.name);
        match option.default {
            OptionDefault::List(_) | OptionDefault::Packages(_) => {
                let (was, is) = (entries(was.as_ref()), entries(is.as_ref()));
                // The longer a ban, the stricter; every other list says what may pass.
                if matches!(option.default, OptionDefault::Packages(_)) && rule.id.starts_with("banned") {
                    said.extend(
                        added(&is, was)
                            .into_iter()
                            .map(|entry| (format!("{name} does not name {entry} any more"), None)),
                    );
                } else {
                    said.extend(added(&was, is).into_iter().map(|entry| (format!("{name} takes {entry}"), None)));
                }
            }
            OptionDefault::Count(default) => {
                let count =
                    |value: Option<Value>| value.and_then(|value| value.as_integer()).unwrap_or(i64::from(default));
                bound(&name, option.name, &count(was), &count(is), said);
            }
            OptionDefault::Days(days) => {
                let hours = |value: Option<Value>| {
                    let age = value.as_ref().and_then(Value::as_str).and_then(options::parse_age);
                    age.map_or(u64::from(days) * 24, |age| age.as_secs() / 3600)
                };
                bound(&name, option.name, &hours(was), &hours(is), said);
            }
        }
    }
}

/// A bound that lets more pass than before: a higher `max-`, a lower `min-`.
fn bound<N: PartialOrd>(name: &str, option: &str, was: &N, is: &N, said: &mut Vec<Said>) {
    if option.starts_with("max-") && is > was {
        said.push((format!("{name} is higher than before"), None));
    } else if option.starts_with("min-") && is < was {
        said.push((format!("{name} is lower than before"), None));
    }
}

fn level(rule: &Rule, setting: Option<&Value>) -> Level {
    let word = setting.and_then(Value::as_str).or_else(|| word(setting, "level"));
    match (word.and_then(Level::parse), setting) {
        (Some(level), _) => level,
        // A rule that is off is on as soon as one of its own options is set.
        (None, Some(Value::Table(_))) => rule.default.max(Level::Warn),
        (None, _) => rule.default,
    }
}

fn word<'a>(setting: Option<&'a Value>, key: &str) -> Option<&'a str> {
    setting?.get(key)?.as_str()
}

fn text<'a>(table: &'a Table, path: &[&str; 2]) -> Option<&'a str> {
    at(table, path)?.as_str()
}

fn at<'a>(table: &'a Table, path: &[&str; 2]) -> Option<&'a Value> {
    table.get(path[0])?.get(path[1])
}

/// What becomes of a rule that could not look, from weak to strong.
const NOT_CHECKED: [&str; 3] = ["warn", "incomplete", "deny"];

fn not_checked(before: &Table, after: &Table, said: &mut Vec<Said>) {
    let words = |table: &Table| table.get("not-checked").and_then(Value::as_table).cloned().unwrap_or_default();
    let (before, after) = (words(before), words(after));
    let rank = |words: &Table, key: &str| {
        let word = words.get(key).or_else(|| words.get("default")).and_then(Value::as_str).unwrap_or("incomplete");
        NOT_CHECKED.iter().position(|known| *known == word).unwrap_or(1)
    };
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for key in keys {
        let (was, is) = (rank(&before, key), rank(&after, key));
        if is < was {
            said.push((format!("`not-checked.{key}` is \"{}\", was \"{}\"", NOT_CHECKED[is], NOT_CHECKED[was]), None));
        }
    }
}

/// What is exempted, in words: entries are told apart by everything but who answers for them and why.
fn exemptions(policy: &Table) -> BTreeSet<String> {
    let entries = policy.get("exemption").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table);
    let words = entries.map(|entry| {
        let named = entry.iter().filter(|(key, _)| !matches!(key.as_str(), "reason" | "owner"));
        let words = named.map(|(key, value)| {
            format!("{key} {}", value.as_str().map_or_else(|| value.to_string(), |text| format!("`{}`", shown(text))))
        });
        words.collect::<Vec<_>>().join(", ")
    });
    words.collect()
}

fn entries(value: Option<&Value>) -> BTreeSet<String> {
    let entries = value.and_then(Value::as_array).into_iter().flatten();
    entries.map(|entry| format!("`{}`", shown(entry.as_str().unwrap_or_default()))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{change, messages};

    fn said(before: &str, after: &str) -> Vec<String> {
        let text = |rest: &str| format!("version = 1\n{rest}");
        messages(&[change("toolbelt.toml", Some(&text(before)), Some(&text(after)))])
    }

    #[test]
    fn levels_are_compared_with_what_they_are_without_a_word() {
        assert_eq!(
            said("", "[rules]\nknown-vulnerability = \"warn\"\n"),
            ["`known-vulnerability` is at warn, was at deny"]
        );
        assert_eq!(said("[rules]\nyanked-version = \"deny\"\n", ""), ["`yanked-version` is at warn, was at deny"]);
        assert_eq!(
            said("[rules]\nbidi-control = \"deny\"\n", "[rules]\nbidi-control = { weaker = \"allow\" }\n"),
            ["the weaker form of `bidi-control` is at allow, was at warn"]
        );
        assert!(
            said("[rules]\nyanked-version = \"warn\"\n", "[rules]\nyanked-version = { level = \"deny\" }\n").is_empty()
        );
        assert!(said("[rules]\na = \"deny\"\nlarge-file = \"warn\"\n", "[rules]\nlarge-file = \"warn\"\n").is_empty());
    }

    #[test]
    fn a_first_policy_is_compared_with_there_being_none() {
        let said = |policy: &str| messages(&[change("toolbelt.toml", None, Some(policy))]);
        assert_eq!(
            said("[rules]\nexposed-token = \"warn\"\n[protect]\npre-receive = [\"scan\"]\n"),
            ["`exposed-token` is at warn, was at deny", "`protect.pre-receive` does not check `refs` any more"]
        );
        assert!(said("[rules]\nlarge-file = \"allow\"\n[scan]\nexclude = [\"a\"]\n").is_empty());
    }

    #[test]
    fn options_exemptions_and_what_is_left_out_are_compared() {
        assert_eq!(
            said("[rules]\nlarge-file = { max-mib = 5 }\n", "[rules]\nlarge-file = { max-mib = 50 }\n"),
            ["`large-file.max-mib` is higher than before"]
        );
        assert_eq!(
            said("", "[rules]\nfresh-release = { min-age = \"1d\" }\n"),
            ["`fresh-release.min-age` is lower than before"]
        );
        assert_eq!(
            said(
                "[rules]\nbanned-package = { packages = [\"a\"] }\n",
                "[rules]\nbanned-package = { packages = [\"b\"] }\n"
            ),
            ["`banned-package.packages` does not name `a` any more"]
        );
        assert_eq!(
            said("[scan]\nexclude = [\"a\"]\n", "[scan]\nexclude = [\"b\", \"a\"]\n"),
            ["`scan.exclude` leaves out `b`"]
        );
        let one = "[[exemption]]\nrule = \"exposed-token\"\nsubject = \"a\"\nreason = \"x\"\nowner = \"y\"\nuntil = 2027-01-01\n";
        assert_eq!(said("", one), ["exempts rule `exposed-token`, subject `a`, until 2027-01-01"]);
        assert!(said(one, &one.replace("\"x\"", "\"z\"")).is_empty());
        assert!(said(one, "").is_empty());
        assert_eq!(
            said("[not-checked]\ndefault = \"deny\"\n", ""),
            ["`not-checked.default` is \"incomplete\", was \"deny\""]
        );
        assert_eq!(said("[scan]\nself-exempted = \"deny\"\n", ""), ["`scan.self-exempted` is not \"deny\" any more"]);
        assert_eq!(
            said("[data]\nmax-age = \"3d\"\n", "[data]\nmax-age = \"9d\"\n"),
            ["`data.max-age` is \"9d\", was \"3d\""]
        );
    }

    #[test]
    fn hooks_that_check_less_and_refs_that_are_not_protected_are_told() {
        assert_eq!(
            said("", "[protect]\npre-commit = []\npre-push = [\"scan\", \"refs\"]\n"),
            [
                "`protect.pre-commit` does not check `scan` any more",
                "`protect.pre-push` does not check `deps` any more"
            ]
        );
        assert_eq!(
            said("[protect]\nincomplete = \"deny\"\nrefs = [\"refs/heads/a\"]\n", "[protect]\nrefs = []\n"),
            ["`protect.incomplete` is not \"deny\" any more", "`protect.refs` does not name `refs/heads/a` any more"]
        );
        assert!(said("[protect]\npre-push = [\"refs\"]\n", "").is_empty());
    }
}
