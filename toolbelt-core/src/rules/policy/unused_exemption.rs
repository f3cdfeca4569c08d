#![doc = include_str!("unused_exemption.md")]

use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::Subject;
use crate::subject::exemption::ExemptionUse;

/// The rule.
pub static RULE: Rule = Rule {
    id: "unused-exemption",
    summary: "an exemption of the policy accepts nothing",
    capability: Capability::SupplyChainControlPlane,
    threats: &["TBT-1310"],
    cwe: &[],
    severity: Severity::Low,
    default: Level::Warn,
    weaker: None,
    scope: Scope::TimeDependent,
    options: &[],
    needs: &[],
    explanation: include_str!("unused_exemption.md"),
    check: Check::Exemption(check),
};

fn check(entry: &ExemptionUse<'_>) -> Outcome {
    let exemption = entry.exemption;
    // An expired entry is reported as such; one of another tool is that tool's business.
    if entry.matched || entry.expired || !entry.covered || exemption.carried_over {
        return Outcome::clean();
    }
    let what = super::what(exemption);
    Finding::new(Subject::blob(&exemption.location.path), format!("the exemption from {what} accepts nothing"))
        .fact("rule", exemption.rule)
        .fact("owner", exemption.owner.as_str())
        .at([exemption.location.clone()])
        .told_apart_by(what)
        .fix(Fix::new("remove the entry, or correct what it names"))
        .into()
}
