#![doc = include_str!("missing_evidence.md")]

use super::{Context, known};
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::options::{OptionDefault, RuleOption};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::attestation::{Attestation, Claim, Signer};
use crate::subject::release::Release;

static REQUIRE: RuleOption = RuleOption {
    name: "require",
    default: OptionDefault::List(&[]),
    about: "names of checks of which signed results have to be there: `deps`, `scan`, or what else was agreed on",
};

/// The rule.
pub static RULE: Rule = Rule {
    id: "missing-evidence",
    summary: "evidence that the policy asks for is not there",
    capability: Capability::SecurePublication,
    threats: &["TBT-4370", "TBT-5120"],
    cwe: &[],
    severity: Severity::High,
    default: Level::Deny,
    weaker: Some(Level::Warn),
    // It can be signed later.
    scope: Scope::TimeDependent,
    options: &[&REQUIRE],
    needs: &[],
    explanation: include_str!("missing_evidence.md"),
    check: Check::Release(check),
};

fn check(release: &Release, context: &Context<'_>) -> Outcome {
    let mut required = context.options.list(&REQUIRE);
    required.sort_unstable();
    required.dedup();
    if required.is_empty() {
        return Outcome::clean();
    }
    let attestations = match known(&release.attestations, release) {
        Ok(attestations) => attestations,
        Err(outcome) => return outcome,
    };
    let about: Vec<&Attestation> = attestations.iter().filter(|attestation| is_about(release, attestation)).collect();
    required.into_iter().filter_map(|name| judge(release, &about, name)).collect()
}

/// Whether it is about the commit, its tree, or the `.crate`.
fn is_about(release: &Release, attestation: &Attestation) -> bool {
    let of_commit = release.revision.known().is_some_and(|revision| {
        attestation.is_about("gitCommit", &revision.commit) || attestation.is_about("gitTree", &revision.tree)
    });
    let archive = release.archive.known();
    of_commit || archive.is_some_and(|archive| attestation.is_about("sha256", &archive.digest.to_string()))
}

/// What the results under this name come to: a failure counts even where another run passed.
fn judge(release: &Release, about: &[&Attestation], name: &str) -> Option<Finding> {
    let failed = about.iter().find(|attestation| results(attestation).is_some_and(|results| results.failed(name)));
    if let Some(attestation) = failed {
        let who = attestation.signers().first().map_or("its signer", principal);
        let finding = Finding::new(release.subject(), format!("failed `{name}`, says {who}"))
            .fact("check", name)
            .told_apart_by(format!("failed {name}"))
            .fix(Fix::new(format!("correct what `{name}` says, and release the commit that passes")));
        return Some(finding);
    }
    if about.iter().any(|attestation| results(attestation).is_some_and(|results| results.passed(name))) {
        return None;
    }
    let rejected = match release.rejected.len() {
        0 => String::new(),
        1 => "; 1 statement does not count".to_owned(),
        count => format!("; {count} statements do not count"),
    };
    let message = format!("has no signed result of `{name}` for this commit, tree or `.crate`{rejected}");
    let finding = Finding::new(release.subject(), message)
        .fact("check", name)
        .fact("rejected", release.rejected.clone())
        .told_apart_by(format!("missing {name}"))
        .fix(fix(name));
    // What is signed at the end is not there when a change is proposed.
    Some(if release.is_rehearsal() { finding.weaker() } else { finding })
}

fn fix(name: &str) -> Fix {
    let fix = Fix::new(format!("run `{name}` on this commit and sign its result"));
    match name {
        "deps" => fix.command("cargo toolbelt deps --attest"),
        "scan" => fix.command("git toolbelt scan --attest"),
        _ => fix.command("cargo toolbelt evidence list"),
    }
}

fn principal(signer: &Signer) -> &str {
    signer.principals.first().unwrap_or(&signer.key)
}

/// What in-toto's test results name.
struct Results<'a> {
    passed: [&'a [String]; 2],
    failed: &'a [String],
}

impl Results<'_> {
    fn passed(&self, name: &str) -> bool {
        self.passed.iter().any(|names| names.iter().any(|passed| passed == name))
    }

    fn failed(&self, name: &str) -> bool {
        self.failed.iter().any(|failed| failed == name)
    }
}

fn results(attestation: &Attestation) -> Option<Results<'_>> {
    match attestation.claim() {
        Claim::TestResult { passed, warned, failed, .. } => Some(Results { passed: [passed, warned], failed }),
        Claim::Approval { .. } | Claim::VerificationSummary { .. } | Claim::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{COMMIT, OTHER, check, check_with, digest, list, messages, reasons, rehearsal, release};
    use super::*;
    use crate::finding::{Fact, Unknown};
    use crate::subject::attestation::TestOutcome;

    fn result(algorithm: &str, digits: &str, passed: &[&str], warned: &[&str], failed: &[&str]) -> Attestation {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let result = if failed.is_empty() { TestOutcome::Passed } else { TestOutcome::Failed };
        let claim = Claim::TestResult { result, passed: names(passed), warned: names(warned), failed: names(failed) };
        let signer = Signer { principals: vec!["ci@example.org".to_owned()], key: "SHA256:ci".to_owned() };
        let predicate = "https://in-toto.io/attestation/test-result/v0.1".to_owned();
        Attestation::new(predicate, vec![(algorithm.to_owned(), digits.to_owned())], vec![signer], claim)
    }

    fn said(release: Release, attestations: Vec<Attestation>, require: &[&str]) -> Vec<String> {
        let release = Release { attestations: Fact::Known(attestations), ..release };
        messages(&check_with(&RULE, &release, &[(&REQUIRE, list(require))], None))
    }

    #[test]
    fn what_the_policy_does_not_ask_for_is_not_missed() {
        let unknown = Release { attestations: Fact::Unknown(Unknown::new("no trust root")), ..release() };
        assert_eq!(check(&RULE, &unknown), Outcome::clean());
        let outcome = check_with(&RULE, &unknown, &[(&REQUIRE, list(&["ci"]))], None);
        assert_eq!(reasons(&outcome), ["no trust root"]);
    }

    #[test]
    fn a_result_counts_for_this_commit_tree_or_archive_alone() {
        let tree = "3333333333333333333333333333333333333333";
        let crate_digest = digest(7).to_string();
        for (algorithm, digits) in [("gitCommit", COMMIT), ("gitTree", tree), ("sha256", &crate_digest)] {
            let passed = result(algorithm, digits, &["ci"], &["deps"], &[]);
            assert_eq!(said(release(), vec![passed], &["ci", "deps", "ci"]), [""; 0], "{algorithm}");
        }
        let message = "has no signed result of `ci` for this commit, tree or `.crate`";
        for (algorithm, digits) in [("gitCommit", OTHER), ("sha256", COMMIT), ("gitTree", COMMIT)] {
            let other = result(algorithm, digits, &["ci"], &[], &[]);
            assert_eq!(said(release(), vec![other], &["ci"]), [message], "{algorithm}");
        }
    }

    #[test]
    fn a_failure_counts_even_where_another_run_passed() {
        let runs =
            || vec![result("gitCommit", COMMIT, &["ci"], &[], &[]), result("gitCommit", COMMIT, &[], &[], &["ci"])];
        assert_eq!(said(release(), runs(), &["ci"]), ["failed `ci`, says ci@example.org"]);
        assert_eq!(said(rehearsal(), runs(), &["ci"]), ["failed `ci`, says ci@example.org"]);
        assert_eq!(
            said(release(), runs(), &["scan"]),
            ["has no signed result of `scan` for this commit, tree or `.crate`"]
        );
    }

    #[test]
    fn what_does_not_count_is_told_and_a_rehearsal_is_weaker() {
        let rejected = vec!["one-1.2.3.intoto.jsonl: no trusted key".to_owned()];
        let rehearsal = Release { rejected: rejected.clone(), ..rehearsal() };
        let outcome = check_with(&RULE, &rehearsal, &[(&REQUIRE, list(&["scan"]))], None);
        assert_eq!(
            messages(&outcome),
            ["weaker: has no signed result of `scan` for this commit, tree or `.crate`; 1 statement does not count"]
        );
        assert_eq!(outcome.findings[0].facts["rejected"], serde_json::Value::from(rejected));
    }
}
