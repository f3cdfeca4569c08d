//! The JSON report, version 1: a public format, described in `docs/output.md` and `docs/output.schema.json`.
//!
//! Every key is always there. `null` stands for what is not known or does not apply, an empty list or object for none.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;
use serde_json::Value;

use super::escape;
use crate::finding::Fix;
use crate::report;
use crate::subject::{Location, Subject};

/// The version of the format. Added keys do not change it; renamed, removed or reinterpreted ones do.
pub const VERSION: u32 = 1;

/// The key of [`Coverage`] that no count can have.
const SKIPPED: &str = "skipped";

/// Writes the report as indented JSON, ended by a newline.
///
/// # Errors
///
/// Those of `out`.
pub fn write(report: &report::Report, out: &mut dyn io::Write) -> io::Result<()> {
    escape::write_json(&Report::from(report), out)
}

/// The whole report.
#[derive(Debug, Serialize)]
pub(super) struct Report<'a> {
    version: u32,
    tool: &'a str,
    command: &'a str,
    verdict: &'static str,
    time: String,
    findings: Vec<Finding<'a>>,
    exempted: Vec<Exempted<'a>>,
    not_checked: Vec<NotChecked<'a>>,
    coverage: Coverage<'a>,
    sources: Vec<SourceState<'a>>,
}

impl<'a> From<&'a report::Report> for Report<'a> {
    fn from(report: &'a report::Report) -> Self {
        Self {
            version: VERSION,
            tool: &report.tool,
            command: &report.command,
            verdict: report.verdict.as_str(),
            time: report.time.to_string(),
            findings: report.findings.iter().map(Finding::from).collect(),
            exempted: report.exempted.iter().map(Exempted::from).collect(),
            not_checked: report.not_checked.iter().map(NotChecked::from).collect(),
            coverage: Coverage::from(&report.coverage),
            sources: report.sources.iter().map(SourceState::from).collect(),
        }
    }
}

/// One finding after policy.
#[derive(Debug, Serialize)]
struct Finding<'a> {
    rule: &'static str,
    level: &'static str,
    severity: &'static str,
    scope: &'static str,
    subject: JsonSubject<'a>,
    message: &'a str,
    facts: &'a BTreeMap<&'static str, Value>,
    locations: Vec<JsonLocation<'a>>,
    fix: Option<JsonFix<'a>>,
    fingerprint: String,
}

impl<'a> From<&'a report::Judged> for Finding<'a> {
    fn from(judged: &'a report::Judged) -> Self {
        let report::Judged { rule, level, finding } = judged;
        Self {
            rule: rule.id,
            level: level.as_str(),
            severity: rule.severity.as_str(),
            scope: rule.scope.as_str(),
            subject: JsonSubject::from(&finding.subject),
            message: &finding.message,
            facts: &finding.facts,
            locations: finding.locations.iter().map(JsonLocation::from).collect(),
            fix: finding.fix.as_ref().map(JsonFix::from),
            fingerprint: finding.fingerprint(rule.id),
        }
    }
}

/// What a finding is about.
#[derive(Debug, Serialize)]
pub(super) struct JsonSubject<'a> {
    kind: &'static str,
    name: &'a str,
    version: Option<&'a str>,
    purl: Option<&'a str>,
    digest: &'a BTreeMap<&'static str, String>,
}

impl<'a> From<&'a Subject> for JsonSubject<'a> {
    fn from(subject: &'a Subject) -> Self {
        Self {
            kind: subject.kind.as_str(),
            name: &subject.name,
            version: subject.version.as_deref(),
            purl: subject.purl.as_deref(),
            digest: &subject.digest,
        }
    }
}

/// A place; without a region it is the file as a whole.
#[derive(Debug, Serialize)]
struct JsonLocation<'a> {
    path: &'a str,
    line: Option<u32>,
    column: Option<u32>,
    span: Option<[usize; 2]>,
}

impl<'a> From<&'a Location> for JsonLocation<'a> {
    fn from(location: &'a Location) -> Self {
        let region = location.region.as_ref();
        Self {
            path: &location.path,
            line: region.map(|region| region.line),
            column: region.map(|region| region.column),
            span: region.map(|region| [region.start, region.end]),
        }
    }
}

/// What would put it right.
#[derive(Debug, Serialize)]
pub(super) struct JsonFix<'a> {
    summary: &'a str,
    commands: &'a [String],
}

impl<'a> From<&'a Fix> for JsonFix<'a> {
    fn from(fix: &'a Fix) -> Self {
        Self { summary: &fix.summary, commands: &fix.commands }
    }
}

/// A finding that is accepted.
#[derive(Debug, Serialize)]
struct Exempted<'a> {
    finding: Finding<'a>,
    by: &'static str,
    reason: &'a str,
    owner: Option<&'a str>,
    until: Option<String>,
    #[serde(rename = "self")]
    by_the_change_itself: bool,
}

impl<'a> From<&'a report::Exempted> for Exempted<'a> {
    fn from(exempted: &'a report::Exempted) -> Self {
        Self {
            finding: Finding::from(&exempted.judged),
            by: exempted.by.as_str(),
            reason: &exempted.reason,
            owner: exempted.owner.as_deref(),
            until: exempted.until.map(|date| date.to_string()),
            by_the_change_itself: exempted.by_the_change_itself,
        }
    }
}

/// What an active rule could not look at.
#[derive(Debug, Serialize)]
struct NotChecked<'a> {
    rule: &'static str,
    subject: Option<JsonSubject<'a>>,
    reason: &'a str,
    hint: Option<&'a str>,
}

impl<'a> From<&'a report::Gap> for NotChecked<'a> {
    fn from(gap: &'a report::Gap) -> Self {
        Self {
            rule: gap.rule.id,
            subject: gap.not_checked.subject.as_ref().map(JsonSubject::from),
            reason: &gap.not_checked.reason.reason,
            hint: gap.not_checked.reason.hint.as_deref(),
        }
    }
}

/// The counts, beside what was skipped.
#[derive(Debug, Serialize)]
pub(super) struct Coverage<'a> {
    #[serde(flatten)]
    counts: BTreeMap<&'static str, u64>,
    skipped: Vec<Skipped<'a>>,
}

impl<'a> From<&'a report::Coverage> for Coverage<'a> {
    fn from(coverage: &'a report::Coverage) -> Self {
        let counts = coverage.counts.iter().map(|(what, number)| (*what, *number));
        Self {
            // Two equal keys would not be JSON that every reader takes.
            counts: counts.filter(|(what, _)| *what != SKIPPED).collect(),
            skipped: coverage.skipped.iter().map(Skipped::from).collect(),
        }
    }
}

/// What was skipped, excluded or cut.
#[derive(Debug, Serialize)]
struct Skipped<'a> {
    what: &'a str,
    count: u64,
    why: &'a str,
}

impl<'a> From<&'a report::Skipped> for Skipped<'a> {
    fn from(skipped: &'a report::Skipped) -> Self {
        Self { what: &skipped.what, count: skipped.count, why: &skipped.why }
    }
}

/// Data that the answer rests on.
#[derive(Debug, Serialize)]
pub(super) struct SourceState<'a> {
    name: &'a str,
    date: Option<&'a str>,
    digest: Option<&'a str>,
    state: &'static str,
}

impl<'a> From<&'a report::SourceState> for SourceState<'a> {
    fn from(source: &'a report::SourceState) -> Self {
        Self {
            name: &source.name,
            date: source.date.as_deref(),
            digest: source.digest.as_deref(),
            state: source.state.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::output::{example, hostile};

    fn written(report: &report::Report) -> Value {
        let mut written = Vec::new();
        write(report, &mut written).unwrap();
        assert_eq!(written.last(), Some(&b'\n'));
        serde_json::from_slice(&written).unwrap()
    }

    #[test]
    fn every_part_has_its_name() {
        let lookalike = json!({
            "rule": "lookalike-name", "level": "warn", "severity": "medium", "scope": "deterministic",
            "subject": { "kind": "package", "name": "envlogger", "version": "0.1.0",
                "purl": "pkg:cargo/envlogger@0.1.0", "digest": {} },
            "message": "resembles `env_logger`, which ranks 45th",
            "facts": { "rank": 45, "target": "env_logger" },
            "locations": [{ "path": "Cargo.lock", "line": 4, "column": 1, "span": [25, 61] }],
            "fix": { "summary": "depend on `env_logger`",
                "commands": ["cargo remove envlogger", "cargo add env_logger"] },
            "fingerprint": "c21d9f91c11881074e13c35875c90c41",
        });
        let accepted = json!({
            "rule": "lookalike-name", "level": "warn", "severity": "medium", "scope": "deterministic",
            "subject": { "kind": "package", "name": "log", "version": "0.4.0",
                "purl": "pkg:cargo/log@0.4.0", "digest": {} },
            "message": "resembles `1og`", "facts": {}, "locations": [], "fix": null,
            "fingerprint": "58e3f7f28a4604a7abba900c25587f7d",
        });
        let report = written(&example::report());
        assert_eq!(report["findings"][1], lookalike);
        assert_eq!(
            report["exempted"],
            json!([{ "finding": accepted, "by": "exemption", "reason": "it is the real one", "owner": "release team",
                "until": "2027-01-31", "self": true }])
        );
        assert_eq!(
            report["not_checked"],
            json!([{ "rule": "lookalike-name", "subject": null, "reason": "the name list is missing",
                "hint": "cargo toolbelt data update" }])
        );
        assert_eq!(
            report["coverage"],
            json!({ "lockfiles": 1, "packages": 2,
                "skipped": [{ "what": "lockfile", "count": 1, "why": "excluded by [deps] exclude" }] })
        );
        assert_eq!(
            report["sources"],
            json!([{ "name": "advisory-db", "date": "2026-08-21", "digest": "00ff".repeat(16), "state": "stale" },
                { "name": "names", "date": null, "digest": null, "state": "missing" }])
        );
    }

    #[test]
    fn a_clean_run_has_every_key() {
        assert_eq!(
            written(&example::clean()),
            json!({ "version": 1, "tool": "cargo-toolbelt 0.1.0", "command": "deps", "verdict": "pass",
                "time": "2026-11-22T10:00:00Z", "findings": [], "exempted": [], "not_checked": [],
                "coverage": { "lockfiles": 1, "packages": 2, "skipped": [] }, "sources": [] })
        );
    }

    #[test]
    fn a_count_cannot_hide_what_was_skipped() {
        let mut report = example::clean();
        report.coverage.count("skipped", 7);
        assert_eq!(written(&report)["coverage"]["skipped"], json!([]));
    }

    proptest! {
        #[test]
        fn it_is_valid_and_harmless_whatever_strangers_wrote(report in hostile::report()) {
            let mut bytes = Vec::new();
            write(&report, &mut bytes).unwrap();
            let text = String::from_utf8(bytes).unwrap();
            prop_assert!(!text.contains(|character| character != '\n' && escape::is_hidden(character)));
            let read: Value = serde_json::from_str(&text).unwrap();
            for (finding, judged) in read["findings"].as_array().unwrap().iter().zip(&report.findings) {
                prop_assert_eq!(finding["message"].as_str().unwrap(), &judged.finding.message);
            }
        }
    }
}
