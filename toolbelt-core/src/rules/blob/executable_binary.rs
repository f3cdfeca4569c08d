#![doc = include_str!("executable_binary.md")]

use super::Context;
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::sighting::{Observation, Sighting};

/// The rule.
pub static RULE: Rule = Rule {
    id: "executable-binary",
    summary: "a program is there in machine code",
    capability: Capability::SecureSourceCodeManagement,
    threats: &["TBT-2300"],
    cwe: &[],
    severity: Severity::Medium,
    default: Level::Warn,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[],
    needs: &[],
    explanation: include_str!("executable_binary.md"),
    check: Check::Sighting(check),
};

fn check(sighting: &Sighting, _: &Context<'_>) -> Outcome {
    let Observation::Executable(kind) = sighting.observation else { return Outcome::clean() };
    let within = match sighting.layers.as_slice() {
        [] => String::new(),
        layers => format!(", within {}", layers.join(", ")),
    };
    Finding::new(sighting.place.subject(), format!("is machine code ({kind}){within}"))
        .fact("format", kind)
        .at(sighting.location())
        .told_apart_by(format!("{kind}{within}"))
        .fix(Fix::new("build it from its source where it is needed, or take it from a registry that has checksums"))
        .into()
}
