//! Findings that were there when a repository began to be scanned: accepted as they are, so that only what is new counts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::table::Document;
use crate::report::Judged;
use crate::rules;
use crate::subject::exemption::{Covers, Exemption};
use crate::subject::malformed::Malformed;
use crate::subject::{LineIndex, Location};

/// The format that this version of toolbelt reads and writes.
const VERSION: u32 = 1;

/// Accepted findings by their fingerprints.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Baseline {
    entries: BTreeMap<String, Exemption>,
}

impl Baseline {
    /// The file, relative to the root of the repository.
    pub const FILE: &str = ".toolbelt/baseline.toml";

    /// Reads the file; `path` is what errors call it.
    ///
    /// # Errors
    ///
    /// [`Malformed`] at the first thing that is not understood.
    pub fn parse(path: &str, text: &str) -> Result<Self, Malformed> {
        let mut root = Document { path, text }.parse()?;
        let version = root.require("version")?;
        if version.count()? != VERSION {
            return Err(version.error(format!("baseline version {} is not known, only {VERSION} is", version.count()?)));
        }
        let lines = LineIndex::new(text);
        let mut entries = BTreeMap::new();
        for entry in root.take("finding").map(super::table::Value::values).transpose()?.unwrap_or_default() {
            let mut table = entry.table()?;
            let location = Location::within(path, lines.region(table.span.clone()));
            let id = table.require("rule")?;
            // A rule of a newer toolbelt: what it found then, this one does not find.
            let rule = rules::find(&id.string()?);
            let subject = table.require("subject")?.string()?;
            let fingerprint = table.require("fingerprint")?.string()?;
            table.end(&["rule", "subject", "fingerprint"])?;
            let Some(rule) = rule else { continue };
            let exemption = Exemption {
                rule: rule.id,
                covers: Covers { subject: Some(subject), ..Covers::default() },
                reason: "was there when the baseline was made".to_owned(),
                owner: path.to_owned(),
                until: None,
                location,
                carried_over: false,
                by_the_change_itself: false,
            };
            entries.insert(fingerprint, exemption);
        }
        root.end(&["version", "finding"])?;
        Ok(Self { entries })
    }

    /// The text of a file that accepts these findings.
    pub fn to_text<'a>(findings: impl Iterator<Item = &'a Judged>) -> String {
        let entries = findings.map(|judged| {
            let finding = &judged.finding;
            (finding.fingerprint(judged.rule.id), (judged.rule.id, finding.subject.name.as_str()))
        });
        let mut entries =
            entries.map(|(fingerprint, (rule, subject))| (subject, rule, fingerprint)).collect::<Vec<_>>();
        entries.sort();
        entries.dedup();
        let mut text = format!(
            "# Findings that were there when this was written; `git toolbelt scan baseline` writes it.\nversion = {VERSION}\n"
        );
        for (subject, rule, fingerprint) in entries {
            let subject = quoted(subject);
            // Writing to a string does not fail.
            let _ = write!(
                text,
                "\n[[finding]]\nrule = \"{rule}\"\nsubject = {subject}\nfingerprint = \"{fingerprint}\"\n"
            );
        }
        text
    }

    /// The entry that accepts the finding of this fingerprint.
    pub fn get(&self, fingerprint: &str) -> Option<&Exemption> {
        self.entries.get(fingerprint)
    }

    /// Every entry with its fingerprint.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Exemption)> {
        self.entries.iter().map(|(fingerprint, exemption)| (fingerprint.as_str(), exemption))
    }

    /// Adds what a change accepts and this does not: it is told as the change's own.
    pub fn propose(&mut self, change: &Self) {
        for (fingerprint, exemption) in &change.entries {
            let proposed = || Exemption { by_the_change_itself: true, ..exemption.clone() };
            self.entries.entry(fingerprint.clone()).or_insert_with(proposed);
        }
    }
}

/// A basic string of TOML: it escapes what JSON does, and DEL.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Finding, Level};
    use crate::subject::Subject;

    #[test]
    fn what_is_written_is_read_back_whatever_the_path() {
        let rule = rules::all().next().unwrap();
        let paths = ["src/a.rs", "with \"quotes\" and \\", "a\nb\u{7f}\u{1}", "ä"];
        let judged = |path: &&str| Judged {
            rule,
            level: Level::Warn,
            finding: Finding::new(Subject::blob(path.to_owned()), "m"),
        };
        let judged = paths.iter().map(judged).collect::<Vec<_>>();
        let text = Baseline::to_text(judged.iter().chain(&judged));
        let baseline = Baseline::parse("baseline.toml", &text).unwrap();
        assert_eq!(baseline.iter().count(), paths.len());
        for judged in &judged {
            let entry = baseline.get(&judged.finding.fingerprint(rule.id)).unwrap();
            assert_eq!(entry.covers.subject.as_deref(), Some(judged.finding.subject.name.as_str()));
        }
        assert_eq!(baseline.get("0"), None);
    }

    #[test]
    fn what_is_no_baseline_is_an_error_with_its_place() {
        for (text, place) in
            [("version = 2", ":1:11:"), ("version = 1\n[[finding]]\nrule = 'a'\nb = 1", ":2:"), ("", ":1:")]
        {
            let error = Baseline::parse("b.toml", text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("b.toml{place}")), "{error}");
        }
        let newer = "version = 1\n[[finding]]\nrule = 'a-rule-to-come'\nsubject = 'a'\nfingerprint = 'f'";
        assert_eq!(Baseline::parse("b.toml", newer).unwrap(), Baseline::default());
    }
}
