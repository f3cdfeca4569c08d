#![doc = include_str!("advisory_notice.md")]

use super::{Context, affected};
use crate::finding::{Level, Outcome};
use crate::rules::{Capability, Check, Need, Rule, Scope, Severity};
use crate::subject::advisory::AdvisoryKind;
use crate::subject::package::Package;

/// The rule.
pub static RULE: Rule = Rule {
    id: "advisory-notice",
    summary: "an advisory tells something that is no vulnerability",
    capability: Capability::SecureMaintenance,
    threats: &["TBT-2220"],
    cwe: &[],
    severity: Severity::Low,
    default: Level::Warn,
    weaker: None,
    scope: Scope::TimeDependent,
    options: &[],
    needs: &[Need::Advisories],
    explanation: include_str!("advisory_notice.md"),
    check: Check::Package(check),
};

fn check(package: &Package, context: &Context<'_>) -> Outcome {
    affected::judge(package, context, AdvisoryKind::Notice, "has a notice")
}
