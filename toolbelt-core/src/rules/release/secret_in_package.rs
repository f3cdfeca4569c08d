#![doc = include_str!("secret_in_package.md")]

use std::collections::{BTreeMap, BTreeSet};

use super::allowed::Allowed;
use super::file_kind::is_fixture;
use super::wording::PLACES;
use super::{Context, known};
use crate::finding::{Acceptance, ExemptedBy, Finding, Fix, Level, Outcome};
use crate::rules::blob::{self, connection_string, exposed_credential, exposed_token, private_key};
use crate::rules::options::{OptionDefault, Options, RuleOption};
use crate::rules::{Capability, Check, Need, Rule, Scope, Severity};
use crate::subject::Location;
use crate::subject::release::Release;
use crate::subject::sighting::{Candidate, Observation, Sighting};

static ALLOW: RuleOption = RuleOption {
    name: "allow",
    default: OptionDefault::List(&[]),
    about: "globs of files in the `.crate` whose secrets were made to be published",
};

/// The rules of a scan that say what is a secret.
const OF_SCAN: [&Rule; 4] =
    [&connection_string::RULE, &exposed_credential::RULE, &exposed_token::RULE, &private_key::RULE];
/// The manifest that cargo makes, without comments, and the one that it is made of.
const MADE: &str = "Cargo.toml";
const WRITTEN: &str = "Cargo.toml.orig";

/// The rule.
pub static RULE: Rule = Rule {
    id: "secret-in-package",
    summary: "a file of the `.crate` holds a secret",
    capability: Capability::SecurePublication,
    threats: &["TBT-1200", "TBT-5200"],
    cwe: &[540],
    severity: Severity::High,
    default: Level::Deny,
    weaker: Some(Level::Warn),
    scope: Scope::Deterministic,
    options: &[&ALLOW],
    needs: &[Need::CrateContents],
    explanation: include_str!("secret_in_package.md"),
    check: Check::Release(check),
};

fn check(release: &Release, context: &Context<'_>) -> Outcome {
    let sightings = match known(&release.sightings, release) {
        Ok(sightings) => sightings,
        Err(outcome) => return outcome,
    };
    let (allowed, mut outcome) = Allowed::read(&ALLOW, release, context);
    let written: BTreeSet<(&str, &[u8])> = sightings.iter().filter_map(|seen| within(seen, WRITTEN)).collect();
    let mut alike: BTreeMap<Alike, Vec<Finding>> = BTreeMap::new();
    for sighting in sightings {
        let Observation::Secret(candidate) = &sighting.observation else { continue };
        // Cargo copies what is written there, and a marker beside it is lost on the way.
        let is_copy = within(sighting, MADE).is_some_and(|secret| written.contains(&secret));
        if is_copy || sighting.place.path.as_deref().is_some_and(|path| allowed.has(path)) {
            continue;
        }
        for finding in judge(release, sighting, candidate) {
            alike.entry(Alike::of(&finding)).or_default().push(finding);
        }
    }
    outcome.findings.extend(alike.into_values().filter_map(told_once));
    outcome
}

/// What makes findings one: files with test vectors hold dozens of the same kind.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Alike {
    message: String,
    weaker: bool,
    accepted: Option<String>,
}

impl Alike {
    fn of(finding: &Finding) -> Self {
        let accepted = finding.accepted.as_ref().map(|accepted| accepted.reason.clone());
        Self { message: finding.message.clone(), weaker: finding.weaker, accepted }
    }
}

/// One finding for some that are alike. How many they are tells it apart: a digest of a weak secret would give it away.
fn told_once(alike: Vec<Finding>) -> Option<Finding> {
    let count = alike.len();
    let places: Vec<Location> = alike.iter().flat_map(|finding| finding.locations.clone()).take(PLACES).collect();
    let mut finding = alike.into_iter().next()?;
    finding.locations = places;
    if count > 1 {
        finding.message = format!("{} ({count} times)", finding.message);
    }
    finding.discriminator = format!("{}\n{count}\n{}", finding.discriminator, finding.accepted.is_some());
    Some(finding.fact("count", count))
}

/// Pattern and value of a secret in this file.
fn within<'a>(sighting: &'a Sighting, path: &str) -> Option<(&'a str, &'a [u8])> {
    match &sighting.observation {
        Observation::Secret(candidate) if sighting.place.path.as_deref() == Some(path) => {
            Some((candidate.pattern.id.as_str(), candidate.value.expose()))
        }
        _ => None,
    }
}

/// What the rules of a scan say of it, as findings of this rule.
fn judge(release: &Release, sighting: &Sighting, candidate: &Candidate) -> Vec<Finding> {
    // None of them has options.
    let options = Options::default();
    let context = blob::Context { options: &options };
    let mut findings = Vec::new();
    for rule in OF_SCAN {
        let Check::Sighting(check) = rule.check else { continue };
        let said = check(sighting, &context).findings;
        findings.extend(said.into_iter().map(|finding| rewritten(release, sighting, candidate, rule, finding)));
    }
    findings
}

fn rewritten(release: &Release, sighting: &Sighting, candidate: &Candidate, rule: &Rule, said: Finding) -> Finding {
    let path = sighting.place.path.as_deref().unwrap_or("a file without a path");
    // A key that is there for a test was made for it, and a scan has asked about it.
    let is_for_tests = rule.id == private_key::RULE.id && is_fixture(path);
    let is_strong = rule.default == Level::Deny && !said.weaker && !is_for_tests;
    let mut finding = Finding::new(release.subject(), format!("`{path}` {}", said.message))
        .fact("path", path)
        .fact("rule", rule.id)
        .at(location(release, sighting))
        .told_apart_by(format!("{path}\n{}", candidate.pattern.id))
        .fix(fix(candidate));
    let told = said.facts.into_iter().filter(|(name, _)| *name != "exposure");
    finding.facts.extend(told);
    let marker = sighting.marker.as_ref();
    let marker = marker.filter(|marker| marker.is_for(RULE.id, true) || marker.is_for(rule.id, true));
    finding.accepted = marker.map(|marker| Acceptance {
        by: ExemptedBy::Inline,
        reason: marker.reason.clone(),
        by_the_change_itself: false,
    });
    if is_strong { finding } else { finding.weaker() }
}

/// Where it is in the repository: lines of the manifest that cargo makes are in no file of it.
fn location(release: &Release, sighting: &Sighting) -> Option<Location> {
    let place = sighting.location()?;
    Some(match place.path.as_str() {
        MADE => Location::whole_file(release.path(MADE)),
        WRITTEN => Location { path: release.path(MADE), ..place },
        path => Location { path: release.path(path), region: place.region.clone() },
    })
}

fn fix(candidate: &Candidate) -> Fix {
    let revoke = match &candidate.pattern.revoke {
        Some(revoke) => format!("revoke it: {revoke}"),
        None => "revoke it where it was issued".to_owned(),
    };
    Fix::new(format!("keep it out of the package; if the commit was pushed or an earlier version has it, {revoke}"))
        .command("git toolbelt scan --history")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::tests::{check, check_with, list, messages, reasons, release};
    use super::*;
    use crate::finding::{Fact, Unknown};
    use crate::subject::Region;
    use crate::subject::content::{ContentKind, ObjectId};
    use crate::subject::inline_marker::InlineMarker;
    use crate::subject::pattern::{Pattern, SecretKind, Shape};
    use crate::subject::sighting::{Exposure, Place, Proof, SecretValue};

    const VALUE: &str = "never-to-be-shown";

    fn seen(path: &str, rule: SecretKind, proof: Proof) -> Sighting {
        let pattern = Pattern {
            id: "example-token".to_owned(),
            name: "Example token".to_owned(),
            provider: "Example".to_owned(),
            rule,
            shape: Shape::Text { keywords: vec!["exm_".to_owned()], regex: "exm_[a-z]+".to_owned() },
            proof: None,
            entropy: 0,
            spans_lines: false,
            revoke: None,
        };
        let candidate = Candidate {
            pattern: Arc::new(pattern),
            value: SecretValue::new(VALUE),
            name: None,
            proof,
            surroundings: "token = …".to_owned(),
        };
        Sighting {
            observation: Observation::Secret(candidate),
            region: Some(Region { line: 3, column: 9, start: 40, end: 57 }),
            layers: Vec::new(),
            marker: None,
            place: Place {
                path: Some(path.to_owned()),
                object: ObjectId::null(gix::hash::Kind::Sha1),
                kind: ContentKind::Blob,
                commit: None,
                exposure: Exposure::WorkTree,
            },
        }
    }

    fn holding(sightings: Vec<Sighting>) -> Release {
        Release { sightings: Fact::Known(sightings), ..release() }
    }

    fn proven() -> Proof {
        Proof::Holds("its check digits are right".to_owned())
    }

    #[test]
    fn what_a_scan_denies_is_the_stronger_form() {
        let said = |kind, proof| messages(&check(&RULE, &holding(vec![seen("src/a.rs", kind, proof)])));
        let strong = "`src/a.rs` holds an Example token: its check digits are right";
        let weak = "weaker: `src/a.rs` holds what looks like an Example token";
        assert_eq!(said(SecretKind::Token, proven()), [strong]);
        assert_eq!(said(SecretKind::PrivateKey, proven()), [strong]);
        assert_eq!(said(SecretKind::Token, Proof::None), [weak]);
        assert_eq!(said(SecretKind::ConnectionString, Proof::None), [weak]);
        assert_eq!(said(SecretKind::Credential, proven()), [format!("weaker: {strong}")]);
    }

    #[test]
    fn the_place_is_in_the_repository_and_the_value_in_nothing() {
        let outcome = check(&RULE, &holding(vec![seen("src/a.rs", SecretKind::Token, proven())]));
        let place = &outcome.findings[0].locations[0];
        assert_eq!((place.path.as_str(), place.region.as_ref().unwrap().line), ("crates/one/src/a.rs", 3));
        assert_eq!(outcome.findings[0].facts["rule"], "exposed-token");
        assert!(!format!("{outcome:?}").contains(VALUE));
    }

    #[test]
    fn secrets_of_a_kind_in_a_file_are_one_finding_that_counts_them() {
        let token = |path: &str| seen(path, SecretKind::Token, proven());
        let fingerprint = |outcome: &Outcome| outcome.findings[0].fingerprint(RULE.id);
        let twice = check(&RULE, &holding(vec![token("src/a.rs"), token("src/b.rs"), token("src/a.rs")]));
        assert_eq!(
            messages(&twice),
            [
                "`src/a.rs` holds an Example token: its check digits are right (2 times)",
                "`src/b.rs` holds an Example token: its check digits are right",
            ]
        );
        assert_eq!((twice.findings[0].locations.len(), &twice.findings[0].facts["count"]), (2, &2.into()));
        let once = check(&RULE, &holding(vec![token("src/a.rs")]));
        assert_ne!(fingerprint(&once), fingerprint(&twice), "one more is another finding");
    }

    #[test]
    fn keys_for_tests_are_the_weaker_form_and_the_policy_can_take_files() {
        let key = |path: &str| holding(vec![seen(path, SecretKind::PrivateKey, proven())]);
        assert!(!check(&RULE, &key("src/key.pem")).findings[0].weaker);
        assert!(check(&RULE, &key("tests/data/key.pem")).findings[0].weaker);
        let token = holding(vec![seen("tests/data/token", SecretKind::Token, proven())]);
        assert!(!check(&RULE, &token).findings[0].weaker);
        assert_eq!(check_with(&RULE, &key("src/key.pem"), &[(&ALLOW, list(&["src/*.pem"]))], None), Outcome::clean());
        assert_eq!(check_with(&RULE, &key("src/key.pem"), &[(&ALLOW, list(&["*.pem"]))], None).findings.len(), 1);
    }

    #[test]
    fn what_cargo_copies_from_the_manifest_is_told_where_it_is_written() {
        let manifests = ["Cargo.toml", "Cargo.toml.orig"].map(|path| seen(path, SecretKind::Token, proven()));
        let outcome = check(&RULE, &holding(manifests.into()));
        assert_eq!(messages(&outcome), ["`Cargo.toml.orig` holds an Example token: its check digits are right"]);
        assert_eq!(outcome.findings[0].locations[0].path, "crates/one/Cargo.toml");
        let inherited = check(&RULE, &holding(vec![seen("Cargo.toml", SecretKind::Token, proven())]));
        assert_eq!(inherited.findings[0].locations[0].region, None);
    }

    #[test]
    fn a_marker_for_the_scan_or_for_this_rule_accepts() {
        let marked = |rule: Option<&str>| {
            let mut sighting = seen("src/a.rs", SecretKind::Token, proven());
            sighting.marker = Some(InlineMarker { rule: rule.map(str::to_owned), reason: "for a test".to_owned() });
            check(&RULE, &holding(vec![sighting])).findings[0].accepted.is_some()
        };
        assert!(marked(Some("exposed-token")));
        assert!(marked(Some("secret-in-package")));
        assert!(marked(None), "markers of other tools are for every secret");
        assert!(!marked(Some("private-key")));
    }

    #[test]
    fn what_is_no_secret_is_for_others_and_what_was_not_read_is_not_checked() {
        let mut sighting = seen("lib.so", SecretKind::Token, proven());
        sighting.observation = Observation::Executable("ELF");
        assert_eq!(check(&RULE, &holding(vec![sighting])), Outcome::clean());
        let unread = Release { sightings: Fact::Unknown(Unknown::new("no archive")), ..release() };
        assert_eq!(reasons(&check(&RULE, &unread)), ["no archive"]);
    }
}
