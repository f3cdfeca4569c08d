#![doc = include_str!("untrusted_signer.md")]

use super::Context;
use crate::finding::{Finding, Fix, Level, NotChecked, Outcome};
use crate::rules::options::{OptionDefault, RuleOption};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::signed_object::{Checked, ObjectKind, Signature, SignedObject, Standing};

/// The rule.
pub static RULE: Rule = Rule {
    id: "untrusted-signer",
    summary: "a signature is wrong, or its key is nobody's that is trusted",
    capability: Capability::SecureSourceCodeManagement,
    threats: &["TBT-1210", "TBT-1330", "TBT-3130"],
    cwe: &[347],
    severity: Severity::High,
    default: Level::Deny,
    weaker: None,
    // A date in the future is one of the past some day.
    scope: Scope::TimeDependent,
    options: &[&KEYS],
    needs: &[],
    explanation: include_str!("untrusted_signer.md"),
    check: Check::SignedObject(check),
};

/// Keys that `allowed_signers` cannot hold.
pub static KEYS: RuleOption = RuleOption {
    name: "keys",
    default: OptionDefault::List(&[]),
    about: "OpenPGP and X.509 keys that are trusted, each as `FINGERPRINT ADDRESS,…`",
};

fn check(object: &SignedObject, _: &Context<'_>) -> Outcome {
    match &object.signature {
        Signature::None | Signature::NotAsked => Outcome::clean(),
        Signature::Unverifiable { why, .. } => {
            NotChecked { subject: Some(object.subject()), reason: why.clone() }.into()
        }
        Signature::Checked(checked) => judge(object, checked),
    }
}

fn judge(object: &SignedObject, checked: &Checked) -> Outcome {
    let format = checked.format.as_str();
    match &checked.standing {
        Standing::Bad { why } => finding(object, checked, format!("has a bad signature: {why}"))
            .fix(Fix::new("do not take it; ask whoever is said to have made it for the object that they signed"))
            .into(),
        Standing::Refused { why } => finding(object, checked, format!("is signed, but its {format} key {why}"))
            .fix(Fix::new("if the key is to be trusted, add it to `.toolbelt/allowed_signers` in a change of its own"))
            .into(),
        Standing::Trusted { .. } => renamed(object, checked).into(),
        Standing::Unknown(why) => {
            let mut outcome = Outcome::from(renamed(object, checked));
            outcome.not_checked.push(NotChecked { subject: Some(object.subject()), reason: why.clone() });
            outcome
        }
    }
}

/// What is signed includes the tag's name, and a ref of another name can be made to lead to it.
fn renamed(object: &SignedObject, checked: &Checked) -> Option<Finding> {
    let signed = object.calls_itself.as_ref().filter(|name| object.kind == ObjectKind::Tag && **name != object.name)?;
    let message = format!("leads to a tag that was signed as `{signed}`");
    Some(
        finding(object, checked, message)
            .fix(Fix::new("sign a tag of this name; a signature is for the name that it was made for")),
    )
}

fn finding(object: &SignedObject, checked: &Checked, message: String) -> Finding {
    let finding = Finding::new(object.subject(), message)
        .fact("format", checked.format.as_str())
        .fact("key", checked.key.as_str())
        .told_apart_by(checked.key.as_str());
    match object.kind {
        ObjectKind::Commit => finding,
        ObjectKind::Tag | ObjectKind::LightweightTag => finding.fact("object", object.id.to_string()),
    }
}
