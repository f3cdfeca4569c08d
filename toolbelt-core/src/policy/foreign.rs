//! What the configuration of other tools says that policies say too.
//!
//! A repository that already lists accepted advisories for cargo-audit or cargo-deny need not list them again. What has
//! no counterpart here is named, so that nobody believes it still holds.

use super::Policy;
use super::table::{Document, Table, Value};
use crate::finding::Level;
use crate::rules;
use crate::rules::options::{OptionValue, is_package};
use crate::subject::exemption::{Covers, Exemption};
use crate::subject::malformed::Malformed;
use crate::subject::{LineIndex, Location};

/// A configuration of another tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// `deny.toml` of cargo-deny.
    Deny,
    /// `audit.toml` or `.cargo/audit.toml` of cargo-audit.
    Audit,
}

/// What did not become part of the policy: it has no counterpart there, was not understood, or would loosen a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotCarriedOver {
    /// `deny.toml: bans.skip`, with the value where the key alone is not the reason.
    pub key: String,
}

/// The rules that a listed advisory may belong to: the lists do not say which.
const ADVISORY_RULES: [&str; 5] =
    ["known-vulnerability", "unsound-package", "unmaintained-package", "advisory-notice", "known-malicious"];

impl Policy {
    /// Adds what another tool's configuration says; what this policy says itself stays.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the text is no TOML or a key that is read has another type than its tool wants.
    pub fn carry_over(&mut self, tool: Foreign, path: &str, text: &str) -> Result<Vec<NotCarriedOver>, Malformed> {
        let mut root = Document { path, text }.parse()?;
        let lines = LineIndex::new(text);
        let mut left = Left { path, keys: Vec::new() };
        let mut advisories = root.take_table("advisories")?;
        if let Some(ignored) = advisories.take("ignore") {
            for entry in ignored.values()? {
                self.ignore_advisory(entry, path, &lines, &mut left)?;
            }
        }
        left.rest("advisories", advisories);
        if tool == Foreign::Deny {
            self.carry_over_licenses(root.take_table("licenses")?, &mut left)?;
            self.carry_over_bans(root.take_table("bans")?, &mut left)?;
            self.carry_over_sources(root.take_table("sources")?, &mut left)?;
        }
        left.rest("", root);
        Ok(left.keys)
    }

    fn ignore_advisory(
        &mut self,
        entry: Value<'_>,
        path: &str,
        lines: &LineIndex<'_>,
        left: &mut Left<'_>,
    ) -> Result<(), Malformed> {
        let location = Location::within(path, lines.region(entry.span.clone()));
        let (id, reason) = if entry.is_table() {
            let mut table = entry.table()?;
            let reason = table.take_string("reason")?;
            if let Some(id) = table.take_string("id")? {
                (id, reason)
            } else {
                // cargo-deny also takes yanked crates here.
                left.key("advisories.ignore[].crate");
                return Ok(());
            }
        } else {
            (entry.string()?, None)
        };
        if !is_advisory(&id) {
            // A yanked crate, in the short form.
            left.key(&format!("advisories.ignore[] \"{id}\""));
            return Ok(());
        }
        let reason = reason.unwrap_or_else(|| format!("ignored in `{path}`"));
        for rule in ADVISORY_RULES.into_iter().filter_map(rules::find) {
            self.exemptions.push(Exemption {
                rule: rule.id,
                covers: Covers { advisory: Some(id.clone()), ..Covers::default() },
                reason: reason.clone(),
                owner: path.to_owned(),
                until: None,
                location: location.clone(),
                carried_over: true,
                by_the_change_itself: false,
            });
        }
        Ok(())
    }

    fn carry_over_licenses(&mut self, mut table: Table<'_>, left: &mut Left<'_>) -> Result<(), Malformed> {
        if let Some(allow) = table.take_strings("allow")? {
            self.default_list("disallowed-license", "allow", allow);
        }
        left.rest("licenses", table);
        Ok(())
    }

    fn carry_over_bans(&mut self, mut table: Table<'_>, left: &mut Left<'_>) -> Result<(), Malformed> {
        for (key, rule) in [("multiple-versions", "duplicate-version"), ("wildcards", "wildcard-requirement")] {
            let Some(word) = table.take_string(key)? else { continue };
            match Level::parse(&word) {
                Some(level) if self.tighten(rule, level) => {}
                Some(_) => left.key(&format!("bans.{key} = \"{word}\" (`{rule}` is stricter)")),
                None => left.key(&format!("bans.{key} = \"{word}\"")),
            }
        }
        let mut banned = Vec::new();
        for entry in table.take("deny").map(Value::values).transpose()?.unwrap_or_default() {
            match ban(entry)? {
                Ok(package) => banned.push(package),
                Err(key) => left.key(&key),
            }
        }
        if !banned.is_empty() {
            self.default_list("banned-package", "packages", banned);
            self.tighten("banned-package", Level::Deny);
        }
        left.rest("bans", table);
        Ok(())
    }

    fn carry_over_sources(&mut self, mut table: Table<'_>, left: &mut Left<'_>) -> Result<(), Malformed> {
        for (key, option) in [("allow-registry", "registries"), ("allow-git", "git")] {
            if let Some(allow) = table.take_strings(key)? {
                self.default_list("untrusted-source", option, allow);
            }
        }
        left.rest("sources", table);
        Ok(())
    }

    /// Sets a rule's option unless the policy already says something about that rule.
    fn default_list(&mut self, rule: &str, option: &str, value: Vec<String>) {
        let Some(rule) = rules::find(rule) else { return };
        let Some(option) = rule.options.iter().find(|candidate| candidate.name == option) else { return };
        let setting = self.settings.entry(rule.id).or_default();
        if !setting.options.is_set(option) {
            setting.options.set(option, OptionValue::List(value));
        }
    }

    /// Raises a rule's level, unless the policy itself sets one; false if the level asked for is below the rule's.
    fn tighten(&mut self, rule: &str, level: Level) -> bool {
        let Some(rule) = rules::find(rule) else { return false };
        let now = self.level(rule);
        let own = &mut self.settings.entry(rule.id).or_default().level;
        if own.is_none() && level > now {
            *own = Some(level);
        }
        own.is_some() || level == now
    }
}

/// Whether this is the id of an advisory; cargo-deny tells packages from advisories in the same way.
fn is_advisory(id: &str) -> bool {
    ["RUSTSEC-", "CVE-", "GHSA-", "MAL-", "TALOS-"].iter().any(|prefix| id.starts_with(prefix)) && !id.contains('@')
}

/// A package to ban, or what to say of an entry that is none or says more than that: `"foo"`, `"foo@1.0"`, `"foo:1.0"`, or
/// a table with `crate` or `name`, and in older files `version`.
fn ban(entry: Value<'_>) -> Result<Result<String, String>, Malformed> {
    let written = if entry.is_table() {
        let mut table = entry.table()?;
        let name = table.take_string("crate")?;
        let name = if name.is_some() { name } else { table.take_string("name")? };
        let version = table.take_string("version")?;
        table.take("reason");
        table.take("use-instead");
        match (name.filter(|_| table.take_all().is_empty()), version) {
            (None, _) => return Ok(Err("bans.deny[] with wrappers or without a name".to_owned())),
            (Some(name), None) => name,
            (Some(name), Some(version)) => format!("{name}@{version}"),
        }
    } else {
        entry.string()?
    };
    let package = written.split_once([':', '@']).map(|(name, requirement)| format!("{name}@{requirement}"));
    let package = package.unwrap_or_else(|| written.clone());
    Ok(if is_package(&package) { Ok(package) } else { Err(format!("bans.deny[] \"{written}\"")) })
}

/// What was not carried over.
struct Left<'a> {
    path: &'a str,
    keys: Vec<NotCarriedOver>,
}

impl Left<'_> {
    fn key(&mut self, key: &str) {
        self.keys.push(NotCarriedOver { key: format!("{}: {key}", self.path) });
    }

    fn rest(&mut self, section: &str, mut table: Table<'_>) {
        for (key, ..) in table.take_all() {
            let dot = if section.is_empty() { "" } else { "." };
            self.key(&format!("{section}{dot}{key}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a `deny.toml` adds to a policy, and what it does not.
    fn carried(policy: &str, deny: &str) -> (Policy, Vec<String>) {
        let mut policy = Policy::parse("toolbelt.toml", &format!("version = 1\n{policy}")).unwrap();
        let left = policy.carry_over(Foreign::Deny, "deny.toml", deny).unwrap();
        (policy, left.into_iter().map(|left| left.key).collect())
    }

    fn level(policy: &Policy, rule: &str) -> Level {
        policy.level(rules::find(rule).unwrap())
    }

    #[test]
    fn levels_are_carried_over_only_where_they_are_stricter() {
        let (policy, left) = carried("", "bans = { wildcards = 'allow', multiple-versions = 'deny' }");
        assert_eq!(level(&policy, "wildcard-requirement"), Level::Warn);
        assert_eq!(level(&policy, "duplicate-version"), Level::Deny);
        assert_eq!(left, ["deny.toml: bans.wildcards = \"allow\" (`wildcard-requirement` is stricter)"]);

        let (policy, left) = carried("", "bans = { wildcards = 'deny', multiple-versions = 'allow' }");
        assert_eq!(level(&policy, "wildcard-requirement"), Level::Deny);
        assert_eq!(level(&policy, "duplicate-version"), Level::Allow);
        assert!(left.is_empty(), "{left:?}");

        let own = "rules.duplicate-version.except = ['a']\nrules.wildcard-requirement = 'allow'";
        let (policy, left) = carried(own, "bans = { wildcards = 'deny', multiple-versions = 'allow' }");
        assert_eq!(level(&policy, "wildcard-requirement"), Level::Allow, "the policy comes first");
        assert_eq!(level(&policy, "duplicate-version"), Level::Warn);
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn what_is_not_understood_is_said() {
        let (policy, left) =
            carried("", "bans = { multiple-versions = 'dney', deny = ['a@bogus!', { name = 'b c' }] }");
        assert_eq!(level(&policy, "duplicate-version"), Level::Allow);
        assert_eq!(level(&policy, "banned-package"), Level::Warn);
        let expected = ["bans.multiple-versions = \"dney\"", "bans.deny[] \"a@bogus!\"", "bans.deny[] \"b c\""];
        assert_eq!(left, expected.map(|key| format!("deny.toml: {key}")));
    }

    #[test]
    fn bans_are_read_in_the_older_forms_too() {
        let deny = "bans.deny = ['time:<0.2', 'a', 'b@1', { name = 'c', version = '=1.0' }, { crate = 'd:2' }]";
        let (policy, left) = carried("", deny);
        let rule = rules::find("banned-package").unwrap();
        assert_eq!(policy.options(rule).list(rule.options[0]), ["time@<0.2", "a", "b@1", "c@=1.0", "d@2"]);
        assert_eq!(policy.level(rule), Level::Deny);
        assert!(left.is_empty(), "{left:?}");
    }

    #[test]
    fn an_ignored_crate_is_no_ignored_advisory() {
        let deny = "advisories.ignore = ['foo@1.2', 'bar', { id = 'b@1' }, { crate = 'c@1' }, 'RUSTSEC-2020-0001']";
        let (policy, left) = carried("", deny);
        let ids = policy.exemptions.iter().filter_map(|exemption| exemption.covers.advisory.as_deref());
        assert!(ids.eq(["RUSTSEC-2020-0001"; ADVISORY_RULES.len()]));
        assert_eq!(left.len(), 4, "{left:?}");
        assert_eq!(left[0], "deny.toml: advisories.ignore[] \"foo@1.2\"");
    }
}
