#![doc = include_str!("semver_violation.md")]

use super::{Context, known};
use crate::finding::{Finding, Fix, Level, Outcome, Unknown};
use crate::rules::{Capability, Check, Need, Rule, Scope, Severity};
use crate::subject::release::{Release, SemverCheck, SemverFailure};

/// The rule.
pub static RULE: Rule = Rule {
    id: "semver-violation",
    summary: "the interface changed more than the version says",
    capability: Capability::SecurePublication,
    threats: &["TBT-1100"],
    cwe: &[],
    severity: Severity::Medium,
    default: Level::Warn,
    weaker: None,
    scope: Scope::TimeDependent,
    options: &[],
    needs: &[Need::SemverChecks],
    explanation: include_str!("semver_violation.md"),
    check: Check::Release(check),
};

fn check(release: &Release, _: &Context<'_>) -> Outcome {
    match known(&release.semver, release) {
        Ok(SemverCheck::NothingToCompare) => Outcome::clean(),
        Ok(SemverCheck::Ran { checks: 0, failures }) if failures.is_empty() => {
            // It says success then, too.
            Unknown::new("cargo-semver-checks ran none of its checks").of(&release.subject())
        }
        Ok(SemverCheck::Ran { failures, .. }) => failures.iter().map(|failure| finding(release, failure)).collect(),
        Err(outcome) => outcome,
    }
}

fn finding(release: &Release, failure: &SemverFailure) -> Finding {
    let SemverFailure { lint, summary, required } = failure;
    Finding::new(release.subject(), format!("asks for a new {required} version: {summary} (`{lint}`)"))
        .fact("lint", lint.as_str())
        .fact("required", required.as_str())
        .at(release.metadata.location.clone())
        .told_apart_by(lint.as_str())
        .fix(
            Fix::new(format!("take back the change, or raise the {required} version"))
                .command(format!("cargo semver-checks --package {}", release.name)),
        )
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, messages, reasons, release};
    use super::*;
    use crate::finding::Fact;

    fn ran(checks: u32, failures: &[&str]) -> Release {
        let failure = |lint: &&str| SemverFailure {
            lint: (*lint).to_owned(),
            summary: "a public struct is gone".to_owned(),
            required: "major".to_owned(),
        };
        let failures = failures.iter().map(failure).collect();
        Release { semver: Fact::Known(SemverCheck::Ran { checks, failures }), ..release() }
    }

    #[test]
    fn each_lint_is_a_finding() {
        let outcome = check(&RULE, &ran(150, &["struct_missing", "enum_missing"]));
        assert_eq!(
            messages(&outcome),
            [
                "asks for a new major version: a public struct is gone (`struct_missing`)",
                "asks for a new major version: a public struct is gone (`enum_missing`)",
            ]
        );
        let [one, two] = outcome.findings.as_slice() else { panic!("not two") };
        assert_ne!(one.fingerprint(RULE.id), two.fingerprint(RULE.id));
    }

    #[test]
    fn no_check_is_no_pass() {
        assert_eq!(reasons(&check(&RULE, &ran(0, &[]))), ["cargo-semver-checks ran none of its checks"]);
        assert_eq!(messages(&check(&RULE, &ran(0, &["struct_missing"]))).len(), 1);
        assert_eq!(check(&RULE, &ran(1, &[])), Outcome::clean());
    }

    #[test]
    fn without_an_earlier_release_there_is_nothing_to_compare() {
        let first = Release { semver: Fact::Known(SemverCheck::NothingToCompare), ..release() };
        assert_eq!(check(&RULE, &first), Outcome::clean());
        let unknown = Fact::Unknown(Unknown::new("cargo-semver-checks is not installed"));
        let missing = Release { semver: unknown, ..release() };
        assert_eq!(reasons(&check(&RULE, &missing)), ["cargo-semver-checks is not installed"]);
    }
}
