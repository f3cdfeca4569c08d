#![doc = include_str!("unsound_package.md")]

use super::{Context, affected};
use crate::finding::{Level, Outcome};
use crate::rules::{Capability, Check, Need, Rule, Scope, Severity};
use crate::subject::advisory::AdvisoryKind;
use crate::subject::package::Package;

/// The rule.
pub static RULE: Rule = Rule {
    id: "unsound-package",
    summary: "safe code can cause undefined behaviour through the locked version",
    capability: Capability::SecureMaintenance,
    threats: &["TBT-2220", "TBT-4200"],
    cwe: &[],
    severity: Severity::Medium,
    default: Level::Warn,
    weaker: None,
    scope: Scope::TimeDependent,
    options: &[],
    needs: &[Need::Advisories],
    explanation: include_str!("unsound_package.md"),
    check: Check::Package(check),
};

fn check(package: &Package, context: &Context<'_>) -> Outcome {
    affected::judge(package, context, AdvisoryKind::Unsound, "is unsound")
}
