#![doc = include_str!("protected_ref_deleted.md")]

use super::Context;
use super::movable::{self, MOVABLE_TAGS};
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::Subject;
use crate::subject::ref_update::{Movement, Protection, RefUpdate, described};

/// The rule.
pub static RULE: Rule = Rule {
    id: "protected-ref-deleted",
    summary: "a protected ref or a tag would be gone",
    capability: Capability::SecureSourceCodeManagement,
    threats: &["TBT-3100", "TBT-3120"],
    cwe: &[],
    severity: Severity::High,
    default: Level::Deny,
    weaker: Some(Level::Warn),
    scope: Scope::Deterministic,
    options: &[&MOVABLE_TAGS],
    needs: &[],
    explanation: include_str!("protected_ref_deleted.md"),
    check: Check::RefUpdate(check),
};

fn check(update: &RefUpdate, context: &Context<'_>) -> Outcome {
    match update.movement {
        Movement::Deleted => {}
        Movement::Created
        | Movement::Unchanged
        | Movement::Forward
        | Movement::Forced { .. }
        | Movement::Unknown(_) => return Outcome::clean(),
    }
    let finding = || {
        Finding::new(Subject::git_ref(&update.name), format!("would delete the {}", described(&update.name)))
            .fact("old", update.old.map_or_else(String::new, |old| old.to_string()))
            .fix(Fix::new("leave it; if it has to go, say so where it is protected"))
    };
    match update.protection {
        // A tag that is gone can come back as another one.
        Protection::Tag if movable::is_movable(&update.name, context.options) => Outcome::clean(),
        Protection::Tag => finding().weaker().into(),
        Protection::Policy | Protection::DefaultBranch => finding().into(),
    }
}
