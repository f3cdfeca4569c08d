#![doc = include_str!("exposed_token.md")]

use super::Context;
use super::secrets::wording;
use crate::finding::{Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::pattern::SecretKind;
use crate::subject::sighting::{Observation, Proof, Sighting};

/// The rule.
pub static RULE: Rule = Rule {
    id: "exposed-token",
    summary: "a token or key of a provider is in the repository",
    capability: Capability::SecureSourceCodeManagement,
    threats: &["TBT-1200", "TBT-5200"],
    cwe: &[540, 798],
    severity: Severity::High,
    default: Level::Deny,
    weaker: Some(Level::Warn),
    scope: Scope::Deterministic,
    options: &[],
    needs: &[],
    explanation: include_str!("exposed_token.md"),
    check: Check::Sighting(check),
};

fn check(sighting: &Sighting, _: &Context<'_>) -> Outcome {
    let Observation::Secret(candidate) = &sighting.observation else { return Outcome::clean() };
    if candidate.pattern.rule != SecretKind::Token {
        return Outcome::clean();
    }
    let finding = wording::finding(sighting, candidate);
    match candidate.proof {
        Proof::Holds(_) => finding,
        Proof::Fails(_) | Proof::None => finding.weaker(),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::super::secrets::wording::tests::seen;
    use super::*;
    use crate::rules::options::Options;

    fn judge(kind: SecretKind, proof: Proof) -> Outcome {
        let sighting = seen(kind, "Example token", proof);
        check(&sighting, &Context { options: &Options::default() })
    }

    #[test]
    fn only_what_is_proven_is_the_stronger_form() {
        let weaker = |proof| judge(SecretKind::Token, proof).findings[0].weaker;
        assert!(!weaker(Proof::Holds("its check digits are right".to_owned())));
        assert!(weaker(Proof::Fails("its check digits are wrong".to_owned())));
        assert!(weaker(Proof::None));
    }

    #[test]
    fn other_kinds_of_secrets_and_other_sightings_are_for_other_rules() {
        for kind in [SecretKind::PrivateKey, SecretKind::ConnectionString, SecretKind::Credential] {
            assert_eq!(judge(kind, Proof::None), Outcome::clean());
        }
        let mut sighting = seen(SecretKind::Token, "Example token", Proof::None);
        sighting.observation = Observation::ConflictMarker("<<<<<<<");
        assert_eq!(check(&sighting, &Context { options: &Options::default() }), Outcome::clean());
    }
}
