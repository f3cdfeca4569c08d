//! Reads `toolbelt.toml`.

use std::collections::BTreeMap;
use std::ops::Range;

use super::allow_list::AllowLists;
use super::baseline::Baseline;
use super::protect;
use super::table::{Document, Table, Value};
use super::{Data, OnNotChecked, Policy, Publish, Scan, Setting, Targets};
use crate::finding::Level;
use crate::rules::options::{OptionDefault, OptionValue, is_package, parse_age};
use crate::rules::{self, Check, Rule};
use crate::subject::exemption::{Covers, Exemption};
use crate::subject::malformed::Malformed;
use crate::subject::package::DependencyKind;
use crate::subject::{LineIndex, Location};

/// The format that this version of toolbelt reads.
const VERSION: u32 = 1;

impl Policy {
    /// Reads a policy; `path` is what errors and exemptions call it.
    ///
    /// # Errors
    ///
    /// [`Malformed`] at the first thing that is not understood: unknown keys, rules and options included.
    pub fn parse(path: &str, text: &str) -> Result<Self, Malformed> {
        let document = Document { path, text };
        let mut root = document.parse()?;
        let version = root.require("version")?;
        if version.count()? != VERSION {
            return Err(version
                .error(format!("policy version {} is not known, only {VERSION} is", version.count()?))
                .hint("a newer toolbelt may read it"));
        }
        let settings = settings(root.take_table("rules")?)?;
        let (not_checked_default, not_checked) = not_checked(root.take_table("not-checked")?)?;
        let lines = LineIndex::new(text);
        let entries = root.take("exemption").map(Value::values).transpose()?.unwrap_or_default();
        let exemptions =
            entries.into_iter().map(|entry| exemption(entry.table()?, path, &lines)).collect::<Result<_, _>>()?;
        let data = data(root.take_table("data")?)?;
        let mut deps = root.take_table("deps")?;
        let deps_exclude = match deps.take("exclude") {
            Some(value) => globs(value)?,
            None => Vec::new(),
        };
        deps.end(&["exclude"])?;
        let scan = scan(root.take_table("scan")?)?;
        let publish = publish(root.take_table("publish")?)?;
        let protect = protect::parse(root.take_table("protect")?)?;
        root.end(&["version", "rules", "not-checked", "exemption", "data", "deps", "scan", "publish", "protect"])?;
        Ok(Self {
            settings,
            not_checked,
            not_checked_default,
            exemptions,
            data,
            deps_exclude,
            scan,
            publish,
            protect,
            allow_lists: AllowLists::default(),
            baseline: Baseline::default(),
        })
    }
}

fn settings(mut table: Table<'_>) -> Result<BTreeMap<&'static str, Setting>, Malformed> {
    let mut settings = BTreeMap::new();
    for (id, span, value) in table.take_all() {
        let rule = known_rule(&id, &value, &span)?;
        settings.insert(rule.id, setting(rule, value)?);
    }
    Ok(settings)
}

/// The rule of this id; `span` is where the id is written.
fn known_rule(id: &str, value: &Value<'_>, span: &Range<usize>) -> Result<&'static Rule, Malformed> {
    rules::find(id).ok_or_else(|| {
        let hint = rules::hint(id, "cargo toolbelt rules");
        value.error(format!("unknown rule `{id}`")).moved_to(span.clone()).hint(hint)
    })
}

fn setting(rule: &'static Rule, value: Value<'_>) -> Result<Setting, Malformed> {
    if !value.is_table() {
        return Ok(Setting { level: Some(level(&value)?), ..Setting::default() });
    }
    let mut table = value.table()?;
    let mut known = vec!["level"];
    let mut setting = Setting { level: table.take("level").as_ref().map(level).transpose()?, ..Setting::default() };
    if rule.weaker.is_some() {
        known.push("weaker");
        setting.weaker = table.take("weaker").as_ref().map(level).transpose()?;
    }
    if matches!(rule.check, Check::Package(_)) {
        known.extend(["uses", "targets"]);
        setting.uses = table.take("uses").map(uses).transpose()?;
        setting.targets = table.take("targets").as_ref().map(targets).transpose()?.unwrap_or_default();
    }
    for option in rule.options {
        known.push(option.name);
        if let Some(value) = table.take(option.name) {
            setting.options.set(option, option_value(option.default, value)?);
        }
    }
    table.end(&known)?;
    Ok(setting)
}

fn option_value(default: OptionDefault, value: Value<'_>) -> Result<OptionValue, Malformed> {
    match default {
        OptionDefault::Days(_) => age(&value).map(OptionValue::Age),
        OptionDefault::Count(_) => value.count().map(OptionValue::Count),
        OptionDefault::List(_) => value.strings().map(OptionValue::List),
        OptionDefault::Packages(_) => packages(value).map(OptionValue::List),
    }
}

fn packages(value: Value<'_>) -> Result<Vec<String>, Malformed> {
    let package = |value: &Value<'_>| {
        let package = value.string()?;
        if is_package(&package) { Ok(package) } else { Err(value.error("expected `name` or `name@requirement`")) }
    };
    value.values()?.iter().map(package).collect()
}

fn level(value: &Value<'_>) -> Result<Level, Malformed> {
    Level::parse(&value.string()?).ok_or_else(|| value.error("expected `deny`, `warn` or `allow`"))
}

fn age(value: &Value<'_>) -> Result<std::time::Duration, Malformed> {
    parse_age(&value.string()?).ok_or_else(|| value.error("expected a number of hours, days or weeks such as `7d`"))
}

fn uses(value: Value<'_>) -> Result<Vec<DependencyKind>, Malformed> {
    let kind = |value: &Value<'_>| {
        let word = value.string()?;
        let kind = DependencyKind::ALL.into_iter().find(|kind| kind.as_str() == word);
        kind.ok_or_else(|| value.error("expected `normal`, `build` or `dev`"))
    };
    // A rule that looks at no use would pass everything.
    let empty = value.error("expected at least one of `normal`, `build` and `dev`");
    let kinds = value.values()?.iter().map(kind).collect::<Result<Vec<_>, _>>()?;
    if kinds.is_empty() { Err(empty) } else { Ok(kinds) }
}

fn targets(value: &Value<'_>) -> Result<Targets, Malformed> {
    match value.string()?.as_str() {
        "all" => Ok(Targets::All),
        "host" => Ok(Targets::Host),
        _ => Err(value.error("expected `all` or `host`")),
    }
}

fn not_checked(mut table: Table<'_>) -> Result<(OnNotChecked, BTreeMap<&'static str, OnNotChecked>), Malformed> {
    let effect = |value: &Value<'_>| match value.string()?.as_str() {
        "incomplete" => Ok(OnNotChecked::Incomplete),
        "warn" => Ok(OnNotChecked::Warn),
        "deny" => Ok(OnNotChecked::Deny),
        _ => Err(value.error("expected `incomplete`, `warn` or `deny`")),
    };
    let default = table.take("default").as_ref().map(effect).transpose()?.unwrap_or(OnNotChecked::Incomplete);
    let mut effects = BTreeMap::new();
    for (id, span, value) in table.take_all() {
        let rule = known_rule(&id, &value, &span)?;
        effects.insert(rule.id, effect(&value)?);
    }
    Ok((default, effects))
}

fn exemption(mut table: Table<'_>, path: &str, lines: &LineIndex<'_>) -> Result<Exemption, Malformed> {
    let span = table.span.clone();
    let id = table.require("rule")?;
    let rule = known_rule(&id.string()?, &id, &id.span)?;
    let covers = Covers {
        subject: table.take_string("subject")?,
        advisory: table.take_string("advisory")?,
        value: table.take_string("value")?,
    };
    if covers == Covers::default() {
        return Err(id.error("an exemption needs a `subject`, an `advisory` or a `value`").moved_to(span));
    }
    if let Some(subject) = covers.subject.as_deref().filter(|subject| !subject.starts_with("pkg:")) {
        globset::Glob::new(subject)
            .map_err(|error| id.error(format!("`subject` is no purl, ref or glob: {}", error.kind())))?;
    }
    let (reason, owner) = (table.require("reason")?, table.require("owner")?);
    for said in [&reason, &owner] {
        if said.string()?.trim().is_empty() {
            return Err(said.error("must not be empty"));
        }
    }
    let until = table.require("until")?.date()?;
    table.end(&["rule", "subject", "advisory", "value", "reason", "owner", "until"])?;
    Ok(Exemption {
        rule: rule.id,
        covers,
        reason: reason.string()?,
        owner: owner.string()?,
        until: Some(until),
        location: Location::within(path, lines.region(span)),
        carried_over: false,
        by_the_change_itself: false,
    })
}

fn scan(mut table: Table<'_>) -> Result<Scan, Malformed> {
    let exclude = table.take("exclude").map(globs).transpose()?.unwrap_or_default();
    let self_exempted = match table.take("self-exempted") {
        None => Level::Warn,
        Some(value) => match level(&value)? {
            Level::Allow => return Err(value.error("expected `deny` or `warn`")),
            level => level,
        },
    };
    table.end(&["exclude", "self-exempted"])?;
    Ok(Scan { exclude, self_exempted })
}

fn publish(mut table: Table<'_>) -> Result<Publish, Malformed> {
    let tag = table.take("tag").as_ref().map(tag_pattern).transpose()?;
    table.end(&["tag"])?;
    Ok(Publish { tag })
}

/// A pattern for the names of tags: what git takes for one once the braces are filled in.
fn tag_pattern(value: &Value<'_>) -> Result<String, Malformed> {
    let pattern = value.string()?;
    if !pattern.contains("{version}") {
        return Err(value.error("expected `{version}` in the name of a tag"));
    }
    let name = pattern.replace("{version}", "1.0.0").replace("{name}", "name");
    match gix::validate::reference::name(format!("refs/tags/{name}").as_str().into()) {
        Ok(_) if !name.contains(['{', '}']) => Ok(pattern),
        _ => Err(value.error("expected the name of a tag with `{version}` and, at most, `{name}`")),
    }
}

fn data(mut table: Table<'_>) -> Result<Data, Malformed> {
    let mut data = Data::default();
    if let Some(value) = table.take("max-age") {
        data.max_age = age(&value)?;
    }
    for (key, target) in [("advisory-db", &mut data.advisory_db), ("osv", &mut data.osv), ("names", &mut data.names)] {
        let Some(value) = table.take(key) else { continue };
        let url = value.string()?;
        if !url.starts_with("https://") && !is_loopback(&url) {
            return Err(value.error("expected an `https://` URL"));
        }
        *target = Some(url);
    }
    table.end(&["max-age", "advisory-db", "osv", "names"])?;
    Ok(data)
}

/// Whether this is `http://127.0.0.1:PORT`, alone or with a path; `http://127.0.0.1:80@host/` is a URL of that host.
fn is_loopback(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://127.0.0.1:") else { return false };
    let port = rest.split_once('/').map_or(rest, |(port, _)| port);
    port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

fn globs(value: Value<'_>) -> Result<Vec<String>, Malformed> {
    let glob = |value: &Value<'_>| {
        let glob = value.string()?;
        globset::Glob::new(&glob).map_err(|error| value.error(format!("not a glob: {}", error.kind())))?;
        Ok(glob)
    };
    value.values()?.iter().map(glob).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> (String, Option<String>) {
        let error = Policy::parse("toolbelt.toml", text).unwrap_err();
        (error.to_string(), error.hint)
    }

    #[test]
    fn template_is_a_policy_that_changes_nothing() {
        assert_eq!(Policy::parse("toolbelt.toml", super::super::TEMPLATE).unwrap(), Policy::default());
    }

    #[test]
    fn unknown_keys_point_at_their_line_and_suggest_the_nearest() {
        let (message, hint) = error("version = 1\n[data]\nmax-agee = \"3d\"\n");
        assert_eq!(message, "toolbelt.toml:3:1: unknown key `max-agee`");
        assert_eq!(hint.unwrap(), "did you mean `max-age`?");
    }

    #[test]
    fn unknown_rules_are_errors_in_every_table() {
        let (message, hint) = error("version = 1\n[rules]\nexpired-exemptions = \"deny\"\n");
        assert_eq!(message, "toolbelt.toml:3:1: unknown rule `expired-exemptions`");
        assert_eq!(hint.unwrap(), "did you mean `expired-exemption`?");
        assert!(error("version = 1\n[not-checked]\nfoo = \"warn\"\n").0.contains("unknown rule `foo`"));
    }

    #[test]
    fn exemption_needs_reason_owner_end_and_something_it_covers() {
        let full = [
            ("rule", "'unused-exemption'"),
            ("subject", "'pkg:cargo/a'"),
            ("reason", "'r'"),
            ("owner", "'o'"),
            ("until", "2027-01-31"),
        ];
        let write = |without: &str| {
            let keys = full.iter().filter(|(key, _)| *key != without);
            keys.fold("version = 1\n[[exemption]]\n".to_owned(), |text, (key, value)| {
                format!("{text}{key} = {value}\n")
            })
        };
        let policy = Policy::parse("toolbelt.toml", &write("")).unwrap();
        assert_eq!(policy.exemptions[0].location.region.as_ref().unwrap().line, 2);
        for (key, _) in full {
            let message = error(&write(key)).0;
            assert!(message.contains(&format!("`{key}`")), "{message}");
        }
        assert!(error(&write("").replace("2027-01-31", "'soon'")).0.contains("a date such as 2027-01-31"));
        assert!(error(&write("").replace("2027-01-31", "2027-02-31")).0.starts_with("toolbelt.toml:7:"));
        assert!(error(&write("").replace("'r'", "' '")).0.contains("must not be empty"));
    }

    #[test]
    fn a_rule_that_looks_at_no_use_is_an_error() {
        let (message, _) = error("version = 1\n[rules.yanked-version]\nuses = []\n");
        assert_eq!(message, "toolbelt.toml:3:8: expected at least one of `normal`, `build` and `dev`");
    }

    #[test]
    fn bans_that_name_no_package_are_errors_at_their_place() {
        let (message, _) = error("version = 1\n[rules.banned-package]\npackages = [\"a@<1\", \"foo@bogus!\"]\n");
        assert_eq!(message, "toolbelt.toml:3:21: expected `name` or `name@requirement`");
    }

    #[test]
    fn data_comes_in_the_clear_from_this_machine_only() {
        let read = |url: &str| Policy::parse("toolbelt.toml", &format!("version = 1\ndata.names = '{url}'"));
        for good in ["https://a.example/", "http://127.0.0.1:80", "http://127.0.0.1:8080/a?b@c"] {
            assert!(read(good).is_ok(), "{good}");
        }
        let other = ["http://127.0.0.1:80@evil.example/", "http://127.0.0.1:@evil.example/", "http://127.0.0.1:1?@b/"];
        for bad in other.into_iter().chain(["http://127.0.0.1:+8/", "http://127.0.0.1.evil.example/", "http://b/"]) {
            assert!(read(bad).unwrap_err().to_string().contains("expected an `https://` URL"), "{bad}");
        }
    }

    #[test]
    fn tags_of_releases_are_names_that_git_takes() {
        let read = |tag: &str| Policy::parse("toolbelt.toml", &format!("version = 1\npublish.tag = '{tag}'"));
        for good in ["v{version}", "{name}-v{version}", "release/{name}/{version}"] {
            assert_eq!(read(good).unwrap().publish.tag.as_deref(), Some(good));
        }
        for bad in ["", "v1", "{name}", "v{version} ", "v{version}{other}", "../{version}", "-{version}.lock"] {
            assert!(read(bad).unwrap_err().to_string().starts_with("toolbelt.toml:2:15: expected"), "{bad}");
        }
    }

    #[test]
    fn other_versions_and_broken_toml_are_errors() {
        assert!(error("").0.contains("`version` is missing"));
        assert!(error("version = 2").0.contains("policy version 2 is not known"));
        assert!(error("version = ").0.starts_with("toolbelt.toml:1:"));
    }
}
