//! A finding that the policy accepts, as the policy states it.

use jiff::civil::Date;

use super::Location;

/// An entry that accepts findings of one rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemption {
    /// The rule's id.
    pub rule: &'static str,
    /// What it covers.
    pub covers: Covers,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it holds (UTC); none only for entries carried over from a configuration without end dates.
    pub until: Option<Date>,
    /// Where it is written.
    pub location: Location,
    /// Whether it was carried over from another tool's configuration.
    pub carried_over: bool,
    /// Whether the very change under judgement adds it.
    pub by_the_change_itself: bool,
}

/// What an exemption covers: everything that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Covers {
    /// A purl with or without a version, a ref, or a path glob; none means every subject.
    pub subject: Option<String>,
    /// An advisory's id or alias.
    pub advisory: Option<String>,
    /// A secret, by its name under the repository's key ([`super::value_key::ValueKey::name`]).
    pub value: Option<String>,
}

/// An exemption after a run.
#[derive(Debug, Clone, PartialEq)]
pub struct ExemptionUse<'a> {
    /// The entry.
    pub exemption: &'a Exemption,
    /// Whether it has ended.
    pub expired: bool,
    /// Whether a finding of this run falls under it.
    pub matched: bool,
    /// Whether the run could have met what it is for: the rule ran, and looked at everything it is for.
    pub covered: bool,
}
