#![doc = include_str!("unsigned_tag.md")]

use super::Context;
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::signed_object::{ObjectKind, Signature, SignedObject};

/// The rule.
pub static RULE: Rule = Rule {
    id: "unsigned-tag",
    summary: "a tag has no signature",
    capability: Capability::SecureSourceCodeManagement,
    threats: &["TBT-3130", "TBT-3150"],
    cwe: &[],
    severity: Severity::Medium,
    default: Level::Allow,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[],
    needs: &[],
    explanation: include_str!("unsigned_tag.md"),
    check: Check::SignedObject(check),
};

fn check(object: &SignedObject, _: &Context<'_>) -> Outcome {
    let why = match (object.kind, &object.signature) {
        (ObjectKind::Commit, _) => return Outcome::clean(),
        (ObjectKind::LightweightTag, _) => "is a name alone, which cannot be signed",
        (ObjectKind::Tag, Signature::None) => "is not signed",
        (ObjectKind::Tag, Signature::Checked(_) | Signature::Unverifiable { .. } | Signature::NotAsked) => {
            return Outcome::clean();
        }
    };
    Finding::new(object.subject(), why)
        .fact("object", object.id.to_string())
        .fix(Fix::new("make a signed tag, under a new name if this one is out already: `git tag --sign NAME`"))
        .into()
}
