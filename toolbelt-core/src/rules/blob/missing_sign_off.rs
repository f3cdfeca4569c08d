#![doc = include_str!("missing_sign_off.md")]

use super::Context;
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::sighting::{Exposure, Observation, Place, Sighting};

/// The rule.
pub static RULE: Rule = Rule {
    id: "missing-sign-off",
    summary: "a commit is not signed off by its author or committer",
    capability: Capability::SecureSourceCodeManagement,
    threats: &["TBT-2300"],
    cwe: &[],
    severity: Severity::Low,
    default: Level::Allow,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[],
    needs: &[],
    explanation: include_str!("missing_sign_off.md"),
    check: Check::Sighting(check),
};

fn check(sighting: &Sighting, _: &Context<'_>) -> Outcome {
    let Observation::MissingSignOff(others) = &sighting.observation else { return Outcome::clean() };
    let message = match others.as_slice() {
        [] => "is not signed off".to_owned(),
        [one] => format!("is signed off by `{one}`, who is neither its author nor its committer"),
        [one, rest @ ..] => {
            format!("is signed off by `{one}` and {} more, of whom none is its author or committer", rest.len())
        }
    };
    Finding::new(sighting.place.subject(), message)
        .fact("signed-off-by", others.clone())
        .at(sighting.location())
        .fix(fix(&sighting.place))
        .into()
}

fn fix(place: &Place) -> Fix {
    match place.exposure {
        Exposure::WorkTree | Exposure::Staged => {
            Fix::new("sign it off; the message is kept").command(super::secrets::wording::commit_again("--signoff "))
        }
        Exposure::Unpushed | Exposure::Pushed(_) | Exposure::Unreachable => {
            Fix::new("sign off the commits from this one on, before they are pushed")
                .command(format!("git rebase --signoff {}^", place.object))
        }
    }
}
