#![doc = include_str!("invisible_character.md")]

use super::Context;
use super::kind::FileKind;
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::sighting::{Observation, Sighting};

/// The rule.
pub static RULE: Rule = Rule {
    id: "invisible-character",
    summary: "a character that nobody sees is where it has nothing to do",
    capability: Capability::SecureSourceCodeManagement,
    threats: &["TBT-1100", "TBT-1340"],
    cwe: &[],
    severity: Severity::Medium,
    default: Level::Warn,
    weaker: Some(Level::Allow),
    scope: Scope::Deterministic,
    options: &[],
    needs: &[],
    explanation: include_str!("invisible_character.md"),
    check: Check::Sighting(check),
};

fn check(sighting: &Sighting, _: &Context<'_>) -> Outcome {
    let Observation::InvisibleCharacter(characters) = &sighting.observation else { return Outcome::clean() };
    let names = super::names(characters);
    let hidden = characters.iter().filter(|character| carries_bytes(**character)).count();
    let message = if hidden > 1 {
        format!("holds characters that are not shown and can spell bytes: {names}")
    } else {
        format!("holds characters that are not shown: {names}")
    };
    let finding = Finding::new(sighting.place.subject(), message)
        .fact("characters", super::code_points(characters))
        .at(sighting.location())
        .told_apart_by(names)
        .fix(Fix::new("remove them, or write them as escapes (`\\u{200B}`) where they are meant"));
    let kind = sighting.place.path.as_deref().map_or(FileKind::Prose, FileKind::of);
    if hidden > 1 || kind == FileKind::Code { finding } else { finding.weaker() }.into()
}

/// Whether it is one of those that whole alphabets of hidden text are made of: tags and variation selectors.
fn carries_bytes(character: char) -> bool {
    matches!(character, '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e01ef}')
}
