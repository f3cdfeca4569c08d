//! Rules: pure functions that judge subjects.
//!
//! One rule is two files side by side, `<rule_id>.rs` and `<rule_id>.md`, in the folder of the subject it judges. A
//! rule reads no file, no clock and no environment: what it needs is in its subject and its context.

pub mod blob;
pub mod options;
pub mod package;
pub mod policy;
pub mod release;
pub mod repository;

use crate::finding::{Level, Outcome};
use crate::subject::exemption::ExemptionUse;
use crate::subject::package::Package;
use crate::subject::ref_log::RefLog;
use crate::subject::ref_update::RefUpdate;
use crate::subject::release::Release;
use crate::subject::sighting::Sighting;
use crate::subject::signed_object::SignedObject;
use crate::subject::tree::TreeChange;
use options::RuleOption;

/// One thing that can be wrong.
#[derive(Debug)]
pub struct Rule {
    /// Kebab-case noun phrase for what is wrong; never renamed or reused.
    pub id: &'static str,
    /// One line, lower case, without a full stop.
    pub summary: &'static str,
    /// Which of the Security Toolbelt's capabilities it belongs to.
    pub capability: Capability,
    /// The Security Toolbelt's threats that it answers (`TBT-…`), ascending.
    pub threats: &'static [&'static str],
    /// Weaknesses ([CWE](https://cwe.mitre.org)) where the mapping is exact, ascending.
    pub cwe: &'static [u32],
    /// How bad it is when it is so.
    pub severity: Severity,
    /// What a run without a policy makes of it.
    pub default: Level,
    /// The level of its weaker form without a policy, for rules that have one.
    pub weaker: Option<Level>,
    /// Whether time alone can change the answer.
    pub scope: Scope,
    /// What the policy can set besides the level.
    pub options: &'static [&'static RuleOption],
    /// Facts that have to be collected for it.
    pub needs: &'static [Need],
    /// The rule's page, in Markdown.
    pub explanation: &'static str,
    /// The judgement.
    pub check: Check,
}

/// What a rule judges, and how.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// Each package of the dependency trees by itself.
    Package(fn(&Package, &package::Context<'_>) -> Outcome),
    /// The dependency trees as a whole.
    Dependencies(fn(&package::Context<'_>) -> Outcome),
    /// Each thing that was seen in a content by itself.
    Sighting(fn(&Sighting, &blob::Context<'_>) -> Outcome),
    /// Each change to a tree.
    Tree(fn(&TreeChange, &blob::Context<'_>) -> Outcome),
    /// Each ref that would move.
    RefUpdate(fn(&RefUpdate, &repository::Context<'_>) -> Outcome),
    /// Each commit and tag, with who vouches for it.
    SignedObject(fn(&SignedObject, &repository::Context<'_>) -> Outcome),
    /// What the refs of each remote were, compared with what they are.
    RefLog(fn(&RefLog, &repository::Context<'_>) -> Outcome),
    /// Each version that is about to be published.
    Release(fn(&Release, &release::Context<'_>) -> Outcome),
    /// Each exemption of the policy, after the run.
    Exemption(fn(&ExemptionUse<'_>) -> Outcome),
}

/// The capabilities of the Security Toolbelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the Security Toolbelt's own")]
pub enum Capability {
    SecureDeveloper,
    SecureDevelopmentEnvironment,
    SecureDependencySelection,
    SecureSourceCodeManagement,
    SecureBuild,
    SecurePublication,
    SecureIngestion,
    SecureImplementation,
    SecureMaintenance,
    SupplyChainMetadataStorage,
    SupplyChainControlPlane,
}

impl Capability {
    /// The Security Toolbelt's name for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecureDeveloper => "Secure Developer",
            Self::SecureDevelopmentEnvironment => "Secure Development Environment",
            Self::SecureDependencySelection => "Secure Dependency Selection",
            Self::SecureSourceCodeManagement => "Secure Source Code Management",
            Self::SecureBuild => "Secure Build / CI",
            Self::SecurePublication => "Secure Publication / Distribution",
            Self::SecureIngestion => "Secure Ingestion",
            Self::SecureImplementation => "Secure Implementation",
            Self::SecureMaintenance => "Secure Maintenance",
            Self::SupplyChainMetadataStorage => "Supply Chain Metadata Storage",
            Self::SupplyChainControlPlane => "Supply Chain Control Plane",
        }
    }
}

/// How bad a finding is when it is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the words explain themselves")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// The word used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Whether time alone can change a rule's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The same input has the same answer for ever.
    Deterministic,
    /// Advisories, yanks or the passing of days can change the answer.
    TimeDependent,
}

impl Scope {
    /// The word used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deterministic => "deterministic",
            Self::TimeDependent => "time-dependent",
        }
    }
}

/// A kind of facts that is collected only when an active rule needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// The advisory database.
    Advisories,
    /// The registry's index entry of every locked package, however old.
    Index,
    /// An index entry confirmed within the policy's `max-age`.
    FreshIndex,
    /// The digest of every `.crate` in cargo's cache.
    ArchiveDigest,
    /// The manifest inside every `.crate`.
    ArchiveManifest,
    /// The names of established crates.
    Names,
    /// What the files of a `.crate` hold: secrets, machine code.
    CrateContents,
    /// What packaging a commit from two fresh clones gives.
    Repackaging,
    /// What cargo-semver-checks says.
    SemverChecks,
}

/// Every rule, in the order in which they are listed.
pub static RULES: &[&[&Rule]] = &[package::RULES, blob::RULES, repository::RULES, release::RULES, policy::RULES];

/// Every rule, in the order in which they are listed.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().flat_map(|folder| folder.iter().copied())
}

/// The rule of this id.
pub fn find(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}

/// What to tell who asked for a rule that is none; `list` is the command that lists them.
pub fn hint(word: &str, list: &str) -> String {
    match nearest(word) {
        Some(rule) => format!("did you mean `{}`?", rule.id),
        None => format!("`{list}` lists them"),
    }
}

/// The rule whose id is nearest to a word that is none, if one is near.
fn nearest(word: &str) -> Option<&'static Rule> {
    let near = all().map(|rule| (strsim::osa_distance(word, rule.id), rule));
    near.filter(|(distance, _)| *distance <= 2 + word.len() / 8)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, rule)| rule)
}
