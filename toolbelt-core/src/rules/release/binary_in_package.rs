#![doc = include_str!("binary_in_package.md")]

use std::collections::BTreeSet;

use super::allowed::Allowed;
use super::wording::{files, places, some_of};
use super::{Context, known};
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::options::{OptionDefault, RuleOption};
use crate::rules::{Capability, Check, Need, Rule, Scope, Severity};
use crate::subject::release::Release;
use crate::subject::sighting::Observation;

static ALLOW: RuleOption = RuleOption {
    name: "allow",
    default: OptionDefault::List(&[]),
    about: "globs of files in the `.crate` that may be machine code",
};

/// The rule.
pub static RULE: Rule = Rule {
    id: "binary-in-package",
    summary: "a file of the `.crate` is machine code",
    capability: Capability::SecurePublication,
    threats: &["TBT-2300", "TBT-5100"],
    cwe: &[],
    severity: Severity::Medium,
    default: Level::Warn,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[&ALLOW],
    needs: &[Need::CrateContents],
    explanation: include_str!("binary_in_package.md"),
    check: Check::Release(check),
};

fn check(release: &Release, context: &Context<'_>) -> Outcome {
    let sightings = match known(&release.sightings, release) {
        Ok(sightings) => sightings,
        Err(outcome) => return outcome,
    };
    let (allowed, mut outcome) = Allowed::read(&ALLOW, release, context);
    let mut found: BTreeSet<(&str, &str)> = BTreeSet::new();
    for sighting in sightings {
        if let (Observation::Executable(kind), Some(path)) = (&sighting.observation, &sighting.place.path)
            && !allowed.has(path)
        {
            found.insert((path, kind));
        }
    }
    if !found.is_empty() {
        outcome.extend(finding(release, &found).into());
    }
    outcome
}

fn finding(release: &Release, found: &BTreeSet<(&str, &str)>) -> Finding {
    let named = some_of(found.iter().map(|(path, kind)| format!("`{path}` ({kind})")));
    let paths: BTreeSet<&str> = found.iter().map(|(path, _)| *path).collect();
    let formats: BTreeSet<&str> = found.iter().map(|(_, kind)| *kind).collect();
    Finding::new(release.subject(), format!("holds {} of machine code: {named}", files(paths.len())))
        .fact("files", paths.len())
        .fact("formats", formats.into_iter().collect::<Vec<_>>())
        .at(places(paths.iter().map(|path| release.path(path))))
        .told_apart_by(paths.into_iter().collect::<Vec<_>>().join("\n"))
        .fix(
            Fix::new("build it from its source, or leave it out: `exclude` in `Cargo.toml`")
                .command("cargo package --list"),
        )
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_with, list, messages, reasons, release};
    use super::*;
    use crate::finding::{Fact, Unknown};
    use crate::subject::content::{ContentKind, ObjectId};
    use crate::subject::sighting::{Exposure, Place, Sighting};

    fn seen(path: &str, observation: Observation) -> Sighting {
        let place = Place {
            path: Some(path.to_owned()),
            object: ObjectId::null(gix::hash::Kind::Sha1),
            kind: ContentKind::Blob,
            commit: None,
            exposure: Exposure::WorkTree,
        };
        Sighting { observation, region: None, layers: Vec::new(), marker: None, place }
    }

    #[test]
    fn all_machine_code_is_one_finding() {
        let sightings = ["d.a", "c.so", "b.exe", "a.so", "a.so"].map(|path| seen(path, Observation::Executable("ELF")));
        let release = Release { sightings: Fact::Known(sightings.into()), ..release() };
        let outcome = check(&RULE, &release);
        assert_eq!(
            messages(&outcome),
            ["holds 4 files of machine code: `a.so` (ELF), `b.exe` (ELF), `c.so` (ELF) and 1 more"]
        );
        let outcome = check_with(&RULE, &release, &[(&ALLOW, list(&["*.so", "*.a"]))], None);
        assert_eq!(messages(&outcome), ["holds 1 file of machine code: `b.exe` (ELF)"]);
        assert_eq!(check_with(&RULE, &release, &[(&ALLOW, list(&["*"]))], None), Outcome::clean());
    }

    #[test]
    fn other_sightings_are_for_others_and_what_was_not_read_is_not_checked() {
        let large = Fact::Known(vec![seen("a", Observation::Large(1 << 30))]);
        assert_eq!(check(&RULE, &Release { sightings: large, ..release() }), Outcome::clean());
        let unread = Release { sightings: Fact::Unknown(Unknown::new("no archive")), ..release() };
        assert_eq!(reasons(&check(&RULE, &unread)), ["no archive"]);
    }
}
