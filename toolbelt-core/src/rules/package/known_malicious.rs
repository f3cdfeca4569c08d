#![doc = include_str!("known_malicious.md")]

use super::{Context, affected};
use crate::finding::{Level, Outcome};
use crate::rules::{Capability, Check, Need, Rule, Scope, Severity};
use crate::subject::advisory::AdvisoryKind;
use crate::subject::package::Package;

/// The rule.
pub static RULE: Rule = Rule {
    id: "known-malicious",
    summary: "the locked version was published to do harm",
    capability: Capability::SecureDependencySelection,
    threats: &["TBT-2220", "TBT-4200"],
    cwe: &[506],
    severity: Severity::Critical,
    default: Level::Deny,
    weaker: None,
    scope: Scope::TimeDependent,
    options: &[],
    needs: &[Need::Advisories],
    explanation: include_str!("known_malicious.md"),
    check: Check::Package(check),
};

fn check(package: &Package, context: &Context<'_>) -> Outcome {
    affected::judge(package, context, AdvisoryKind::Malicious, "is on record as malicious")
}
