#![doc = include_str!("private_key.md")]

use super::Context;
use super::secrets::wording;
use crate::finding::{Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::pattern::SecretKind;
use crate::subject::sighting::{Observation, Proof, Sighting};

/// The rule.
pub static RULE: Rule = Rule {
    id: "private-key",
    summary: "a private key is in the repository",
    capability: Capability::SecureSourceCodeManagement,
    threats: &["TBT-1330", "TBT-2150", "TBT-5200"],
    cwe: &[321, 540],
    severity: Severity::High,
    default: Level::Deny,
    weaker: Some(Level::Warn),
    scope: Scope::Deterministic,
    options: &[],
    needs: &[],
    explanation: include_str!("private_key.md"),
    check: Check::Sighting(check),
};

fn check(sighting: &Sighting, _: &Context<'_>) -> Outcome {
    let Observation::Secret(candidate) = &sighting.observation else { return Outcome::clean() };
    if candidate.pattern.rule != SecretKind::PrivateKey {
        return Outcome::clean();
    }
    let finding = match &candidate.proof {
        Proof::Holds(_) => wording::finding(sighting, candidate),
        // Keys that are protected, published for tests, or cannot be read.
        Proof::Fails(_) | Proof::None => wording::finding(sighting, candidate).weaker(),
    };
    finding.into()
}

#[cfg(test)]
mod tests {
    use super::super::secrets::wording::tests::seen;
    use super::*;
    use crate::rules::options::Options;

    fn judge(kind: SecretKind, proof: Proof) -> Outcome {
        let sighting = seen(kind, "OpenSSH private key", proof);
        check(&sighting, &Context { options: &Options::default() })
    }

    #[test]
    fn a_key_that_nothing_protects_is_the_stronger_form() {
        let plain = judge(SecretKind::PrivateKey, Proof::Holds("it is an RSA key that nothing protects".to_owned()));
        assert!(!plain.findings[0].weaker);
        assert_eq!(plain.findings[0].message, "holds an OpenSSH private key: it is an RSA key that nothing protects");
        let guarded = judge(SecretKind::PrivateKey, Proof::Fails("it is protected by a passphrase".to_owned()));
        assert!(guarded.findings[0].weaker);
        assert_eq!(
            guarded.findings[0].message,
            "holds what looks like an OpenSSH private key, but it is protected by a passphrase"
        );
        assert!(judge(SecretKind::PrivateKey, Proof::None).findings[0].weaker);
    }

    #[test]
    fn other_kinds_of_secrets_are_for_other_rules() {
        for kind in [SecretKind::Token, SecretKind::ConnectionString, SecretKind::Credential] {
            assert_eq!(judge(kind, Proof::None), Outcome::clean());
        }
    }
}
