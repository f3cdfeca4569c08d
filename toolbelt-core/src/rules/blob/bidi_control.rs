#![doc = include_str!("bidi_control.md")]

use super::Context;
use super::kind::FileKind;
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::sighting::{Observation, Sighting};

/// The rule.
pub static RULE: Rule = Rule {
    id: "bidi-control",
    summary: "a character makes text be shown in another order than it is read in",
    capability: Capability::SecureSourceCodeManagement,
    threats: &["TBT-1100", "TBT-1340"],
    cwe: &[],
    severity: Severity::High,
    default: Level::Deny,
    weaker: Some(Level::Warn),
    scope: Scope::Deterministic,
    options: &[],
    needs: &[],
    explanation: include_str!("bidi_control.md"),
    check: Check::Sighting(check),
};

fn check(sighting: &Sighting, _: &Context<'_>) -> Outcome {
    let Observation::BidiControl(bidi) = &sighting.observation else { return Outcome::clean() };
    let kind = sighting.place.path.as_deref().map_or(FileKind::Prose, FileKind::of);
    let reorders = bidi.is_left_open || bidi.is_override;
    // Text for people sets names and numbers apart like this, and closes what it opens.
    if !reorders && kind != FileKind::Code {
        return Outcome::clean();
    }
    let names = super::names(&bidi.characters);
    let message = match (bidi.is_left_open, bidi.is_override) {
        (true, _) => format!("a line is shown in another order than it is read in: {names}, still open at its end"),
        (false, true) => format!("a part of a line is shown in another order than it is read in: {names}"),
        (false, false) => format!("holds characters that change the direction of text: {names}"),
    };
    let finding = Finding::new(sighting.place.subject(), message)
        .fact("characters", super::code_points(&bidi.characters))
        .fact("open", bidi.is_left_open)
        .at(sighting.location())
        .told_apart_by(names)
        .fix(Fix::new("remove them, or write them as escapes (`\\u{202E}`) where they are meant"));
    // What runs from right to left may need them; code without such a letter does not.
    let is_attack = bidi.is_left_open && kind == FileKind::Code && !bidi.is_right_to_left_text;
    if is_attack { finding } else { finding.weaker() }.into()
}
