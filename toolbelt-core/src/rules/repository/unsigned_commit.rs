#![doc = include_str!("unsigned_commit.md")]

use super::Context;
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::signed_object::{ObjectKind, Signature, SignedObject};

/// The rule.
pub static RULE: Rule = Rule {
    id: "unsigned-commit",
    summary: "a commit has no signature",
    capability: Capability::SecureSourceCodeManagement,
    threats: &["TBT-3130", "TBT-3150"],
    cwe: &[],
    severity: Severity::Medium,
    default: Level::Allow,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[],
    needs: &[],
    explanation: include_str!("unsigned_commit.md"),
    check: Check::SignedObject(check),
};

fn check(object: &SignedObject, _: &Context<'_>) -> Outcome {
    match (object.kind, &object.signature) {
        (ObjectKind::Commit, Signature::None) => {
            let who = object.committer.as_ref().map_or("", |person| person.email.as_str());
            Finding::new(object.subject(), "is not signed")
                .fact("committer", who)
                .fix(
                    Fix::new("sign it; `git toolbelt identity setup` makes git sign from now on")
                        .command("git rebase --exec 'git commit --amend --no-edit --gpg-sign' @{upstream}"),
                )
                .into()
        }
        (ObjectKind::Commit, Signature::Checked(_) | Signature::Unverifiable { .. } | Signature::NotAsked)
        | (ObjectKind::Tag | ObjectKind::LightweightTag, _) => Outcome::clean(),
    }
}
