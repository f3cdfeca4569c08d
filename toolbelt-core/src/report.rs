//! What a run says: findings after policy, what was accepted, what was not checked, and what was looked at.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

pub use crate::finding::ExemptedBy;
use crate::finding::{Finding, Level, NotChecked};
use crate::rules::Rule;

/// The result of one command.
#[derive(Debug, Clone)]
pub struct Report {
    /// Binary and version: `cargo-toolbelt 0.1.0`.
    pub tool: String,
    /// The subcommand: `deps`.
    pub command: String,
    /// What it comes to.
    pub verdict: Verdict,
    /// The start of the run.
    pub time: Timestamp,
    /// Findings at warn or deny: deny first, then by severity, rule and subject.
    pub findings: Vec<Judged>,
    /// Findings that the policy accepts, in the same order.
    pub exempted: Vec<Exempted>,
    /// What active rules could not look at, by rule and subject.
    pub not_checked: Vec<Gap>,
    /// What was looked at.
    pub coverage: Coverage,
    /// The data that the answer rests on, by name.
    pub sources: Vec<SourceState>,
    /// The text of each file that a location points into, by path: for showing the place.
    pub texts: BTreeMap<String, String>,
}

impl Report {
    /// Adds what another check of the same run said: one verdict, one list of findings.
    pub(crate) fn join(&mut self, other: Self) {
        self.verdict = self.verdict.max(other.verdict);
        self.findings.extend(other.findings);
        self.findings.sort_by_cached_key(Judged::order);
        self.findings.dedup_by(|one, next| one.rule.id == next.rule.id && one.finding == next.finding);
        self.exempted.extend(other.exempted);
        self.exempted.sort_by_cached_key(|exempted| exempted.judged.order());
        self.not_checked.extend(other.not_checked);
        self.not_checked.sort_by_cached_key(Gap::order);
        self.coverage.join(other.coverage);
        self.sources.extend(other.sources);
        self.sources.sort();
        self.sources.dedup();
        self.texts.extend(other.texts);
    }
}

/// What a run comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing is denied, and every rule that denies could look.
    Pass,
    /// A rule that denies could not look, or the run looked at nothing though there was something.
    Incomplete,
    /// A finding at level deny.
    Fail,
}

impl Verdict {
    /// The word used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Incomplete => "incomplete",
            Self::Fail => "fail",
        }
    }

    /// The exit code of both binaries; 2 is for runs that could not do their work.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Incomplete => 3,
        }
    }
}

/// A finding with its rule and the level that policy gives it.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The rule that saw it.
    pub rule: &'static Rule,
    /// Warn or deny.
    pub level: Level,
    /// What it saw.
    pub finding: Finding,
}

impl Judged {
    /// Deny first, then the more severe, then by rule, subject and what tells findings apart.
    pub(crate) fn order(&self) -> impl Ord + use<> {
        let finding = &self.finding;
        (
            Reverse(self.level),
            Reverse(self.rule.severity),
            self.rule.id,
            finding.subject.clone(),
            finding.discriminator.clone(),
            finding.locations.clone(),
        )
    }
}

/// A finding that is accepted.
#[derive(Debug, Clone)]
pub struct Exempted {
    /// The finding, at the level it would have.
    pub judged: Judged,
    /// What accepts it.
    pub by: ExemptedBy,
    /// Why, in the words of whoever accepted it.
    pub reason: String,
    /// Who answers for it; none for inline markers and baselines.
    pub owner: Option<String>,
    /// The last day on which it holds; none if it was carried over from a configuration without end dates.
    pub until: Option<Date>,
    /// Whether the very change under judgement brought the acceptance along.
    pub by_the_change_itself: bool,
}

/// Something that an active rule could not look at.
#[derive(Debug, Clone)]
pub struct Gap {
    /// The rule that wanted to look.
    pub rule: &'static Rule,
    /// The rule's level.
    pub level: Level,
    /// What, and why not.
    pub not_checked: NotChecked,
}

impl Gap {
    /// Those of rules that deny first, then by rule, reason and subject.
    pub(crate) fn order(&self) -> impl Ord + use<> {
        (Reverse(self.level), self.rule.id, self.not_checked.reason.clone(), self.not_checked.subject.clone())
    }
}

/// What was looked at, in numbers, and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// How many of each (`packages`, `lockfiles`, …); keys are kebab-case and stay.
    pub counts: BTreeMap<&'static str, u64>,
    /// What was skipped, excluded or cut, in the order in which it was met.
    pub skipped: Vec<Skipped>,
    /// Whether nothing at all was looked at although there was something.
    pub saw_nothing: bool,
    /// Whether the search for what is to be looked at stopped early; `skipped` says where.
    pub could_not_look: bool,
    /// Whether only a part of the repository was to be looked at: what accepts nothing in it may accept something else.
    pub is_partial: bool,
}

impl Coverage {
    /// Adds to a number.
    pub fn count(&mut self, what: &'static str, number: usize) {
        *self.counts.entry(what).or_default() += number as u64;
    }

    /// Adds what another check of the same run looked at. What both looked at counts twice, each with its own work.
    pub(crate) fn join(&mut self, other: Self) {
        for (what, number) in other.counts {
            *self.counts.entry(what).or_default() += number;
        }
        // Two checks that meet the same gap say so in the same words.
        let new = other.skipped.into_iter().filter(|skipped| !self.skipped.contains(skipped)).collect::<Vec<_>>();
        self.skipped.extend(new);
        self.saw_nothing |= other.saw_nothing;
        self.could_not_look |= other.could_not_look;
        self.is_partial |= other.is_partial;
    }

    /// Adds something that could not be searched: what it holds is not known, so the run is incomplete.
    pub fn could_not_look(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.could_not_look = true;
        self.skip(what, 1, why);
    }

    /// Adds something that was not looked at.
    pub fn skip(&mut self, what: impl Into<String>, count: usize, why: impl Into<String>) {
        self.skipped.push(Skipped { what: what.into(), count: count as u64, why: why.into() });
    }
}

/// Something that was skipped, excluded or cut.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// What it is.
    pub what: String,
    /// How many of it.
    pub count: u64,
    /// Why.
    pub why: String,
}

/// Data that the answer rests on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceState {
    /// `advisory-db`, `osv`, `names`, `index`.
    pub name: String,
    /// How old its content is: a date or a timestamp (RFC 3339), where it says so.
    pub date: Option<String>,
    /// SHA-256 of its content, in hexadecimal digits.
    pub digest: Option<String>,
    /// Whether it can be relied on.
    pub state: State,
}

/// Whether data can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Not older than the policy's `max-age`.
    Fresh,
    /// Older than that.
    Stale,
    /// Not there.
    Missing,
}

impl State {
    /// The word used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Missing => "missing",
        }
    }
}
