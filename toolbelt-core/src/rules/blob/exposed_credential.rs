#![doc = include_str!("exposed_credential.md")]

use super::Context;
use super::secrets::credential::{self, FileKind};
use super::secrets::wording;
use crate::finding::{Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::pattern::SecretKind;
use crate::subject::sighting::{Candidate, Observation, Proof, Sighting};

/// The rule.
pub static RULE: Rule = Rule {
    id: "exposed-credential",
    summary: "a value that its name calls a password, token or key is in the repository",
    capability: Capability::SecureSourceCodeManagement,
    threats: &["TBT-1200", "TBT-5200"],
    cwe: &[540, 798],
    severity: Severity::High,
    default: Level::Warn,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[],
    needs: &[],
    explanation: include_str!("exposed_credential.md"),
    check: Check::Sighting(check),
};

fn check(sighting: &Sighting, _: &Context<'_>) -> Outcome {
    let Observation::Secret(candidate) = &sighting.observation else { return Outcome::clean() };
    if candidate.pattern.rule != SecretKind::Credential || !fits(sighting, candidate) {
        return Outcome::clean();
    }
    wording::finding(sighting, candidate).into()
}

/// Whether it is a credential in a file of this kind. What a judgement found by its name is judged again; a pattern of its
/// own, or a proof, has said enough.
fn fits(sighting: &Sighting, candidate: &Candidate) -> bool {
    let name = match &candidate.name {
        Some(name) if credential::is_generic(&candidate.pattern) && candidate.proof == Proof::None => name,
        _ => return true,
    };
    // Within an archive the path that counts is the one inside.
    let inner = sighting.layers.iter().rev().find_map(|layer| layer.split_once(": ").map(|(_, path)| path));
    let kind = FileKind::of(inner.or(sighting.place.path.as_deref()));
    credential::holds_in(kind, name.as_bytes(), candidate.value.expose(), &candidate.surroundings)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::secrets::wording::tests::seen;
    use super::*;
    use crate::rules::options::Options;
    use crate::subject::pattern::Pattern;
    use crate::subject::sighting::SecretValue;

    /// What the rule says of `name = "value"` in the file.
    fn judge(path: &str, name: &str, surroundings: &str, value: &str) -> Outcome {
        let mut sighting = seen(SecretKind::Credential, "password", Proof::None);
        sighting.place.path = Some(path.to_owned());
        let Observation::Secret(candidate) = &mut sighting.observation else { panic!("not a secret") };
        let generic: Vec<Pattern> = credential::patterns();
        candidate.pattern = Arc::new(generic[0].clone());
        candidate.name = Some(name.to_owned());
        candidate.surroundings = surroundings.to_owned();
        candidate.value = SecretValue::new(value);
        check(&sighting, &Context { options: &Options::default() })
    }

    #[test]
    fn what_stands_without_quotes_in_a_program_is_a_variable() {
        assert_eq!(judge("src/a.py", "password", "password = …", "passw0rd1").findings.len(), 0);
        assert_eq!(judge("src/a.py", "password", "password = \"…\"", "w1nter").findings.len(), 1);
        assert_eq!(judge("src/a.py", "password", "# password: …", "w1nter").findings.len(), 1);
        assert_eq!(judge("conf/a.yml", "password", "password: …", "w1nter").findings.len(), 1);
    }

    #[test]
    fn lock_files_and_translations_are_quiet() {
        assert_eq!(judge("locales/de.yml", "password", "password: …", "w1nter").findings.len(), 0);
        assert_eq!(judge("package-lock.json", "password", "\"password\": \"…\"", "w1nter").findings.len(), 0);
    }

    #[test]
    fn the_message_does_not_hold_the_value() {
        let outcome = judge("conf/a.yml", "db.password", "db.password: …", "w1nter");
        assert_eq!(outcome.findings[0].message, "holds what looks like a password");
        assert!(!format!("{outcome:?}").contains("w1nter"));
    }
}
