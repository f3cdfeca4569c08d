//! What the configuration of other tools says that policies say too.
//!
//! A repository that already lists accepted advisories for cargo-audit or cargo-deny need not list them again. What has
//! no counterpart here is named, so that nobody believes it still holds.

use super::Policy;
use super::table::{Document, Table, Value};
use crate::finding::Level;
use crate::rules;
use crate::rules::options::OptionValue;
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

/// A key that has no counterpart in a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotCarriedOver {
    /// `deny.toml: bans.skip`.
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
        let reason = reason.unwrap_or_else(|| format!("ignored in `{path}`"));
        for rule in ADVISORY_RULES.into_iter().filter_map(rules::find) {
            self.exemptions.push(Exemption {
                rule: rule.id,
                covers: Covers { subject: None, advisory: Some(id.clone()) },
                reason: reason.clone(),
                owner: path.to_owned(),
                until: None,
                location: location.clone(),
                carried_over: true,
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
            if let Some(level) = table.take_string(key)? {
                self.default_level(rule, Level::parse(&level));
            }
        }
        let mut banned = Vec::new();
        for entry in table.take("deny").map(Value::values).transpose()?.unwrap_or_default() {
            match banned_name(entry)? {
                Some(name) => banned.push(name),
                None => left.key("bans.deny[] with wrappers or without a name"),
            }
        }
        if !banned.is_empty() {
            self.default_list("banned-package", "packages", banned);
            self.default_level("banned-package", Some(Level::Deny));
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

    fn default_level(&mut self, rule: &str, level: Option<Level>) {
        let Some(rule) = rules::find(rule) else { return };
        let setting = self.settings.entry(rule.id).or_default();
        setting.level = setting.level.or(level);
    }
}

/// `"foo"`, `"foo@1.0"` or a table with `name` or `crate`; none if it says more than a package to ban.
fn banned_name(entry: Value<'_>) -> Result<Option<String>, Malformed> {
    if !entry.is_table() {
        return entry.string().map(Some);
    }
    let mut table = entry.table()?;
    let name = table.take_string("crate")?;
    let name = if name.is_some() { name } else { table.take_string("name")? };
    table.take("reason");
    table.take("use-instead");
    Ok(name.filter(|_| table.take_all().is_empty()))
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
