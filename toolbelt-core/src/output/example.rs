//! A small report with something in every part, for the tests of the formats.

use std::collections::BTreeMap;

use crate::finding::{Finding, Fix, Level, NotChecked, Outcome, Unknown};
use crate::report::{Coverage, Exempted, ExemptedBy, Gap, Judged, Report, SourceState, State, Verdict};
use crate::rules::options::{OptionDefault, RuleOption};
use crate::rules::{Capability, Check, Need, Rule, Scope, Severity};
use crate::subject::{LineIndex, Location, Subject};

pub(super) static VULNERABLE: Rule = Rule {
    id: "known-vulnerability",
    summary: "package has a published vulnerability",
    capability: Capability::SecureDependencySelection,
    threats: &["TBT-1320", "TBT-4200"],
    cwe: &[1395],
    severity: Severity::High,
    default: Level::Deny,
    weaker: None,
    scope: Scope::TimeDependent,
    options: &[],
    needs: &[Need::Advisories],
    explanation: "## What it detects\n\nA locked version that an advisory names as affected.\n\n## Why it matters\n\n\
        The flaw is public, and so is the way to use it.\n\n## Fix\n\n```sh\ncargo update -p time\n```\n",
    check: Check::Package(|_, _| Outcome::clean()),
};

pub(super) static LOOKALIKE: Rule = Rule {
    id: "lookalike-name",
    summary: "name resembles that of a far more popular package",
    capability: Capability::SecureDependencySelection,
    threats: &["TBT-5300"],
    cwe: &[],
    severity: Severity::Medium,
    default: Level::Warn,
    weaker: Some(Level::Allow),
    scope: Scope::Deterministic,
    options: &[
        &RuleOption {
            name: "known",
            default: OptionDefault::List(&["log", "serde"]),
            about: "names that are never reported",
        },
        &RuleOption { name: "min-age", default: OptionDefault::Days(7), about: "youngest release | that is taken" },
    ],
    needs: &[Need::Names],
    explanation: "## What it detects\n\nA package whose name is one slip away from a popular one.\n",
    check: Check::Package(|_, _| Outcome::clean()),
};

pub(super) const LOCKFILE: &str = "version = 4\n\n[[package]]\nname = \"envlogger\"\nversion = \"0.1.0\"\n\n\
    [[package]]\nname = \"time\"\nversion = \"0.1.44\"\n";

pub(super) fn place(needle: &str) -> Location {
    let start = LOCKFILE.find(needle).unwrap();
    Location::within("Cargo.lock", LineIndex::new(LOCKFILE).region(start..start + needle.len()))
}

pub(super) fn vulnerable() -> Judged {
    Judged {
        rule: &VULNERABLE,
        level: Level::Deny,
        finding: Finding::new(Subject::package("time", "0.1.44"), "RUSTSEC-2020-0071: segfault in `localtime_r`")
            .fact("advisory", "RUSTSEC-2020-0071")
            .at([place("name = \"time\"\nversion = \"0.1.44\"")])
            .fix(Fix::new("update to 0.2.23 or later").command("cargo update -p time"))
            .told_apart_by("RUSTSEC-2020-0071"),
    }
}

pub(super) fn lookalike() -> Judged {
    Judged {
        rule: &LOOKALIKE,
        level: Level::Warn,
        finding: Finding::new(Subject::package("envlogger", "0.1.0"), "resembles `env_logger`, which ranks 45th")
            .fact("target", "env_logger")
            .fact("rank", 45)
            .at([place("name = \"envlogger\"\nversion = \"0.1.0\"")])
            .fix(Fix::new("depend on `env_logger`").command("cargo remove envlogger").command("cargo add env_logger")),
    }
}

pub(crate) fn report() -> Report {
    let mut coverage = Coverage::default();
    coverage.count("packages", 2);
    coverage.count("lockfiles", 1);
    coverage.skip("lockfile", 1, "excluded by [deps] exclude");
    Report {
        tool: "cargo-toolbelt 0.1.0".to_owned(),
        command: "deps".to_owned(),
        verdict: Verdict::Fail,
        time: "2026-11-22T10:00:00Z".parse().unwrap(),
        findings: vec![vulnerable(), lookalike()],
        exempted: vec![Exempted {
            judged: Judged {
                finding: Finding::new(Subject::package("log", "0.4.0"), "resembles `1og`"),
                ..lookalike()
            },
            by: ExemptedBy::Exemption,
            reason: "it is the real one".to_owned(),
            owner: Some("release team".to_owned()),
            until: Some("2027-01-31".parse().unwrap()),
            by_the_change_itself: true,
        }],
        not_checked: vec![Gap {
            rule: &LOOKALIKE,
            level: Level::Warn,
            not_checked: NotChecked {
                subject: None,
                reason: Unknown::new("the name list is missing").hint("cargo toolbelt data update"),
            },
        }],
        coverage,
        sources: vec![
            SourceState {
                name: "advisory-db".to_owned(),
                date: Some("2026-08-21".to_owned()),
                digest: Some("00ff".repeat(16)),
                state: State::Stale,
            },
            SourceState { name: "names".to_owned(), date: None, digest: None, state: State::Missing },
        ],
        texts: BTreeMap::from([("Cargo.lock".to_owned(), LOCKFILE.to_owned())]),
    }
}

/// A report about nothing: clean and complete.
pub(super) fn clean() -> Report {
    Report {
        verdict: Verdict::Pass,
        findings: Vec::new(),
        exempted: Vec::new(),
        not_checked: Vec::new(),
        coverage: Coverage { skipped: Vec::new(), ..report().coverage },
        sources: Vec::new(),
        ..report()
    }
}
