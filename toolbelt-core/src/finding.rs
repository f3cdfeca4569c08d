//! What a rule says: findings, and what it could not look at.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::subject::{Location, Subject};

/// What one rule says about one subject: what it saw, and beside it what it could not see.
///
/// Both at once, so that findings already made are not lost because a later fact was missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What could not be looked at.
    pub not_checked: Vec<NotChecked>,
}

impl Outcome {
    /// The rule looked and found nothing.
    pub fn clean() -> Self {
        Self::default()
    }

    /// Adds what another look at the same subject said.
    pub fn extend(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.not_checked.extend(other.not_checked);
    }
}

impl From<Finding> for Outcome {
    fn from(finding: Finding) -> Self {
        Self { findings: vec![finding], not_checked: Vec::new() }
    }
}

impl From<Option<Finding>> for Outcome {
    fn from(finding: Option<Finding>) -> Self {
        Self { findings: finding.into_iter().collect(), not_checked: Vec::new() }
    }
}

impl From<NotChecked> for Outcome {
    fn from(not_checked: NotChecked) -> Self {
        Self { findings: Vec::new(), not_checked: vec![not_checked] }
    }
}

impl FromIterator<Finding> for Outcome {
    fn from_iter<I: IntoIterator<Item = Finding>>(findings: I) -> Self {
        Self { findings: findings.into_iter().collect(), not_checked: Vec::new() }
    }
}

/// Something that is wrong with a subject, as a rule saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What it is about.
    pub subject: Subject,
    /// One line, lower case, without a full stop; names in backticks.
    pub message: String,
    /// What the message was made of, for machines. Keys are kebab-case and stay.
    pub facts: BTreeMap<&'static str, Value>,
    /// Where it is, most important place first.
    pub locations: Vec<Location>,
    /// What would put it right, where that is known.
    pub fix: Option<Fix>,
    /// Tells this finding from others of the same rule about the same subject; empty where there can be only one.
    pub discriminator: String,
    /// Whether this is the rule's weaker form, which has a level of its own ([`crate::rules::Rule::weaker`]).
    pub weaker: bool,
    /// What accepts it besides the policy: a marker beside the place, a list of accepted values.
    pub accepted: Option<Acceptance>,
}

/// Why a finding is accepted, where it is not an entry of the policy that accepts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// What accepts it.
    pub by: ExemptedBy,
    /// Why, in the words of whoever accepted it.
    pub reason: String,
    /// Whether the very change under judgement brought the acceptance along.
    pub by_the_change_itself: bool,
}

impl Finding {
    /// Creates a finding without facts, places or a fix.
    pub fn new(subject: Subject, message: impl Into<String>) -> Self {
        Self {
            subject,
            message: message.into(),
            facts: BTreeMap::new(),
            locations: Vec::new(),
            fix: None,
            discriminator: String::new(),
            weaker: false,
            accepted: None,
        }
    }

    /// Adds a fact.
    #[must_use]
    pub fn fact(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.facts.insert(key, value.into());
        self
    }

    /// Sets where it is.
    #[must_use]
    pub fn at(mut self, locations: impl IntoIterator<Item = Location>) -> Self {
        self.locations.extend(locations);
        self
    }

    /// Sets what would put it right.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }

    /// Tells it from other findings of the same rule about the same subject.
    #[must_use]
    pub fn told_apart_by(mut self, discriminator: impl Into<String>) -> Self {
        self.discriminator = discriminator.into();
        self
    }

    /// Says that this is the rule's weaker form.
    #[must_use]
    pub fn weaker(mut self) -> Self {
        self.weaker = true;
        self
    }

    /// Names this finding for as long as it is the same one: rebases, moved lines and reordering do not change it.
    ///
    /// 32 lower-case hexadecimal digits: half of a SHA-256 over rule, subject and discriminator.
    pub fn fingerprint(&self, rule: &str) -> String {
        let mut hash = Sha256::new();
        for part in ["toolbelt/1", rule, &self.subject.key(), &self.discriminator] {
            // The length keeps ("a", "bc") and ("ab", "c") apart.
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        crate::subject::digest::hex(&hash.finalize()[..16])
    }
}

/// What accepts a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExemptedBy {
    /// An entry of the policy.
    Exemption,
    /// A marker beside the place.
    Inline,
    /// It was there when the baseline was made.
    Baseline,
}

impl ExemptedBy {
    /// The word used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exemption => "exemption",
            Self::Inline => "inline",
            Self::Baseline => "baseline",
        }
    }
}

/// What would put a finding right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// One line in the imperative.
    pub summary: String,
    /// Commands that do it, in order; empty where there is none.
    pub commands: Vec<String>,
}

impl Fix {
    /// A fix that a person has to make.
    pub fn new(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), commands: Vec::new() }
    }

    /// Adds a command that does it.
    #[must_use]
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.commands.push(command.into());
        self
    }
}

/// Something a rule could not look at: a check that could not look has not passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotChecked {
    /// What was not looked at; none when it was everything the rule is for.
    pub subject: Option<Subject>,
    /// Why.
    pub reason: Unknown,
}

/// Why a fact is not known, and what the reader can do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unknown {
    /// One line, lower case, without a full stop. Does not name the subject, so that equal reasons can be told once.
    pub reason: String,
    /// A command or an action, where there is one.
    pub hint: Option<String>,
}

impl Unknown {
    /// A reason without a hint.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: None }
    }

    /// Adds what the reader can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The outcome of a rule that needed this fact about `subject`.
    pub fn of(&self, subject: &Subject) -> Outcome {
        NotChecked { subject: Some(subject.clone()), reason: self.clone() }.into()
    }
}

/// A fact that had to be looked up: known, or not known for a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact<T> {
    /// It was looked up; this is the answer.
    Known(T),
    /// It could not be looked up.
    Unknown(Unknown),
}

impl<T> Fact<T> {
    /// Borrows what is known.
    pub fn as_ref(&self) -> Fact<&T> {
        match self {
            Self::Known(value) => Fact::Known(value),
            Self::Unknown(unknown) => Fact::Unknown(unknown.clone()),
        }
    }

    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }
}

/// What policy makes of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Not looked at, or not reported.
    Allow,
    /// Reported; does not fail the run.
    Warn,
    /// Reported; fails the run.
    Deny,
}

impl Level {
    /// The word used in policies and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }

    /// Reads the word used in policies.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Allow, Self::Warn, Self::Deny].into_iter().find(|level| level.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::Subject;

    fn finding() -> Finding {
        Finding::new(Subject::package("foo", "1.2.3"), "is yanked")
    }

    #[test]
    fn fingerprint_does_not_depend_on_message_place_or_facts() {
        let moved = finding().fact("since", "yesterday").at([Location::whole_file("Cargo.lock")]);
        assert_eq!(finding().fingerprint("yanked-version"), moved.fingerprint("yanked-version"));
    }

    #[test]
    fn fingerprint_tells_rules_subjects_and_discriminators_apart() {
        let one = finding().fingerprint("yanked-version");
        assert_eq!(one.len(), 32);
        assert_ne!(one, finding().fingerprint("fresh-release"));
        assert_ne!(one, finding().told_apart_by("RUSTSEC-2020-0001").fingerprint("yanked-version"));
        assert_ne!(one, Finding::new(Subject::package("foo", "1.2.4"), "is yanked").fingerprint("yanked-version"));
    }
}
