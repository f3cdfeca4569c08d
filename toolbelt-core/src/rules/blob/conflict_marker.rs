#![doc = include_str!("conflict_marker.md")]

use super::Context;
use super::kind::{self, FileKind};
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::sighting::{Observation, Sighting};

/// The rule.
pub static RULE: Rule = Rule {
    id: "conflict-marker",
    summary: "a merge was committed without being finished",
    capability: Capability::SecureSourceCodeManagement,
    threats: &["TBT-1100"],
    cwe: &[],
    severity: Severity::Low,
    default: Level::Warn,
    weaker: Some(Level::Allow),
    scope: Scope::Deterministic,
    options: &[],
    needs: &[],
    explanation: include_str!("conflict_marker.md"),
    check: Check::Sighting(check),
};

fn check(sighting: &Sighting, _: &Context<'_>) -> Outcome {
    let Observation::ConflictMarker(marker) = sighting.observation else { return Outcome::clean() };
    // What is quoted in a message is no file, and what an archive holds was not merged here.
    let Some(path) = sighting.place.path.as_deref().filter(|_| sighting.layers.is_empty()) else {
        return Outcome::clean();
    };
    let finding = Finding::new(sighting.place.subject(), format!("a line begins with the conflict marker `{marker}`"))
        .fact("marker", marker)
        .at(sighting.location())
        .told_apart_by(marker)
        .fix(Fix::new("resolve the conflict and remove its markers"));
    let shows_one = FileKind::of(path) == FileKind::Prose || kind::is_test(path);
    if shows_one { finding.weaker() } else { finding }.into()
}
