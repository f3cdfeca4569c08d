#![doc = include_str!("unmaintained_package.md")]

use super::{Context, affected};
use crate::finding::{Level, Outcome};
use crate::rules::{Capability, Check, Need, Rule, Scope, Severity};
use crate::subject::advisory::AdvisoryKind;
use crate::subject::package::Package;

/// The rule.
pub static RULE: Rule = Rule {
    id: "unmaintained-package",
    summary: "nobody looks after the package any more",
    capability: Capability::SecureDependencySelection,
    threats: &["TBT-2220"],
    cwe: &[1104],
    severity: Severity::Low,
    default: Level::Warn,
    weaker: None,
    scope: Scope::TimeDependent,
    options: &[],
    needs: &[Need::Advisories],
    explanation: include_str!("unmaintained_package.md"),
    check: Check::Package(check),
};

fn check(package: &Package, context: &Context<'_>) -> Outcome {
    affected::judge(package, context, AdvisoryKind::Unmaintained, "is unmaintained")
}
