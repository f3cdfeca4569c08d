#![doc = include_str!("connection_string.md")]

use super::Context;
use super::secrets::wording;
use crate::finding::{Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::pattern::SecretKind;
use crate::subject::sighting::{Observation, Sighting};

/// The rule.
pub static RULE: Rule = Rule {
    id: "connection-string",
    summary: "an address or connection string with a password is in the repository",
    capability: Capability::SecureSourceCodeManagement,
    threats: &["TBT-1200", "TBT-5200"],
    cwe: &[540, 798],
    severity: Severity::High,
    default: Level::Warn,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[],
    needs: &[],
    explanation: include_str!("connection_string.md"),
    check: Check::Sighting(check),
};

fn check(sighting: &Sighting, _: &Context<'_>) -> Outcome {
    let Observation::Secret(candidate) = &sighting.observation else { return Outcome::clean() };
    if candidate.pattern.rule != SecretKind::ConnectionString {
        return Outcome::clean();
    }
    wording::finding(sighting, candidate).into()
}

#[cfg(test)]
mod tests {
    use super::super::secrets::wording::tests::seen;
    use super::*;
    use crate::rules::options::Options;
    use crate::subject::sighting::Proof;

    #[test]
    fn only_connection_strings_are_its_own() {
        let judge = |kind| {
            let sighting = seen(kind, "URL with a password", Proof::None);
            check(&sighting, &Context { options: &Options::default() })
        };
        let said = judge(SecretKind::ConnectionString);
        assert_eq!(said.findings[0].message, "holds what looks like a URL with a password");
        assert_eq!(judge(SecretKind::Credential), Outcome::clean());
        assert_eq!(judge(SecretKind::Token), Outcome::clean());
    }
}
