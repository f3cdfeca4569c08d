#![doc = include_str!("identity_mismatch.md")]

use super::Context;
use crate::finding::{Fact, Finding, Fix, Level, NotChecked, Outcome};
use crate::rules::options::{OptionDefault, Options, RuleOption};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::signed_object::{Checked, MergeTree, ObjectKind, Person, Signature, SignedObject, Standing};

/// The rule.
pub static RULE: Rule = Rule {
    id: "identity-mismatch",
    summary: "author or committer is not whose key signed",
    capability: Capability::SecureSourceCodeManagement,
    threats: &["TBT-1210", "TBT-3130"],
    cwe: &[],
    severity: Severity::High,
    default: Level::Deny,
    weaker: Some(Level::Warn),
    scope: Scope::TimeDependent,
    options: &[&FORGE_KEYS, &FORGE_PRINCIPALS],
    needs: &[],
    explanation: include_str!("identity_mismatch.md"),
    check: Check::SignedObject(check),
};

/// Keys with which a forge signs the merges that it makes.
pub static FORGE_KEYS: RuleOption = RuleOption {
    name: "forge-keys",
    default: OptionDefault::List(&[]),
    about: "fingerprints of keys with which a forge signs the merges that it makes for others",
};

/// Principals of `allowed_signers` that stand for a forge.
pub static FORGE_PRINCIPALS: RuleOption = RuleOption {
    name: "forge-principals",
    default: OptionDefault::List(&[]),
    about: "principals that stand for a forge which makes merges for others",
};

/// Whether this signer is a forge that makes merges for others.
pub fn is_forge(key: &str, principals: &[String], options: &Options) -> bool {
    options.list(&FORGE_KEYS).iter().any(|forge| forge.eq_ignore_ascii_case(key))
        || options.list(&FORGE_PRINCIPALS).iter().any(|forge| principals.iter().any(|one| one == forge))
}

fn check(object: &SignedObject, context: &Context<'_>) -> Outcome {
    let Signature::Checked(checked) = &object.signature else { return Outcome::clean() };
    let Standing::Trusted { principals, author, committer } = &checked.standing else { return Outcome::clean() };
    let forge = is_forge(&checked.key, principals, context.options) && object.kind == ObjectKind::Commit;
    match (committer, author, &object.merge) {
        (true, true, _) => Outcome::clean(),
        (_, _, Some(Fact::Known(MergeTree::Clean))) if forge => Outcome::clean(),
        (_, _, Some(Fact::Unknown(why))) if forge => {
            NotChecked { subject: Some(object.subject()), reason: why.clone() }.into()
        }
        (_, _, Some(Fact::Known(MergeTree::Edited))) if forge => {
            finding(object, checked, "is a merge by a forge that is not what its parents give", principals).into()
        }
        (false, _, _) => {
            let who = object.committer.as_ref().map_or("", |person| person.email.as_str());
            let role = if object.kind == ObjectKind::Commit { "committer" } else { "tagger" };
            let message = format!("says that `{who}` is the {role}, whose key did not sign it");
            finding(object, checked, message, principals).into()
        }
        (true, false, _) => {
            let message = match &object.author {
                Some(Person { email, .. }) => format!("says that `{email}` is the author, whose key did not sign it"),
                None => "does not say who the author is, or says it twice".to_owned(),
            };
            finding(object, checked, message, principals).weaker().into()
        }
    }
}

fn finding(object: &SignedObject, checked: &Checked, message: impl Into<String>, principals: &[String]) -> Finding {
    Finding::new(object.subject(), message)
        .fact("key", checked.key.as_str())
        .fact("principals", principals.to_vec())
        .fix(Fix::new("commit under the address that `allowed_signers` has for the key, or add the address there"))
}
