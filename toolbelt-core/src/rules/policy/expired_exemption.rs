#![doc = include_str!("expired_exemption.md")]

use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::Subject;
use crate::subject::exemption::ExemptionUse;

/// The rule.
pub static RULE: Rule = Rule {
    id: "expired-exemption",
    summary: "an exemption of the policy has ended",
    capability: Capability::SupplyChainControlPlane,
    threats: &["TBT-1310"],
    cwe: &[],
    severity: Severity::Low,
    default: Level::Warn,
    weaker: None,
    scope: Scope::TimeDependent,
    options: &[],
    needs: &[],
    explanation: include_str!("expired_exemption.md"),
    check: Check::Exemption(check),
};

fn check(entry: &ExemptionUse<'_>) -> Outcome {
    let exemption = entry.exemption;
    let (true, Some(until)) = (entry.expired, exemption.until) else { return Outcome::clean() };
    let what = super::what(exemption);
    Finding::new(Subject::blob(&exemption.location.path), format!("the exemption from {what} ended on {until}"))
        .fact("rule", exemption.rule)
        .fact("until", until.to_string())
        .fact("owner", exemption.owner.as_str())
        .at([exemption.location.clone()])
        .told_apart_by(what)
        .fix(Fix::new(format!("ask {} whether it still holds; renew `until` or remove the entry", exemption.owner)))
        .into()
}
