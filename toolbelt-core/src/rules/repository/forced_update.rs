#![doc = include_str!("forced_update.md")]

use super::Context;
use super::movable::{self, MOVABLE_TAGS};
use crate::finding::{Fact, Finding, Fix, Level, NotChecked, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::Subject;
use crate::subject::ref_update::{Movement, Protection, RefUpdate, described};

/// The rule.
pub static RULE: Rule = Rule {
    id: "forced-update",
    summary: "a protected ref would lose commits, or a tag would move",
    capability: Capability::SecureSourceCodeManagement,
    threats: &["TBT-3100", "TBT-3120"],
    cwe: &[],
    severity: Severity::High,
    default: Level::Deny,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[&MOVABLE_TAGS],
    needs: &[],
    explanation: include_str!("forced_update.md"),
    check: Check::RefUpdate(check),
};

fn check(update: &RefUpdate, context: &Context<'_>) -> Outcome {
    if update.protection == Protection::Tag && movable::is_movable(&update.name, context.options) {
        return Outcome::clean();
    }
    match &update.movement {
        Movement::Created | Movement::Unchanged | Movement::Deleted => Outcome::clean(),
        // Who fetched a tag keeps it, wherever it moves.
        Movement::Forward if !update.is_tag() => Outcome::clean(),
        Movement::Forward => moved_tag(update).into(),
        Movement::Forced { .. } | Movement::Unknown(_) if update.is_tag() => moved_tag(update).into(),
        Movement::Forced { lost } => forced(update, lost).into(),
        Movement::Unknown(why) => {
            NotChecked { subject: Some(Subject::git_ref(&update.name)), reason: why.clone() }.into()
        }
    }
}

fn moved_tag(update: &RefUpdate) -> Finding {
    finding(update, format!("would move the {}, which others may have", described(&update.name)))
        .fix(Fix::new("give what is new a name of its own; tags that are meant to move are named in `movable-tags`"))
}

fn forced(update: &RefUpdate, lost: &Fact<usize>) -> Finding {
    let what = match lost {
        Fact::Known(1) => "1 commit".to_owned(),
        Fact::Known(count) => format!("{count} commits"),
        Fact::Unknown(_) => "commits that are not here".to_owned(),
    };
    let finding = finding(update, format!("would take {what} off the {}", described(&update.name)));
    let finding = match lost {
        Fact::Known(count) => finding.fact("lost", *count),
        Fact::Unknown(_) => finding,
    };
    finding.fix(Fix::new("bring in what is there and push on top of it; to take something back, revert it"))
}

fn finding(update: &RefUpdate, message: String) -> Finding {
    let id = |id: Option<_>| id.map_or_else(String::new, |id: crate::subject::content::ObjectId| id.to_string());
    Finding::new(Subject::git_ref(&update.name), message)
        .fact("old", id(update.old))
        .fact("new", id(update.new))
        .told_apart_by(id(update.new))
}
