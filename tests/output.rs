//! The public formats, held against their descriptions.
//!
//! Each format is also left in cargo's directory for test output, where `.ci/run` has other people's validators read
//! it.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, which clippy does not see")]

mod support {
    pub(crate) mod schema;
}

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use toolbelt_core::finding::{Finding, Fix, Level, NotChecked, Outcome, Unknown};
use toolbelt_core::output::human::{Colour, Style};
use toolbelt_core::output::{human, json, markdown, sarif};
use toolbelt_core::report::{Coverage, Exempted, ExemptedBy, Gap, Judged, Report, SourceState, State, Verdict};
use toolbelt_core::rules::{Capability, Check, Rule, Scope, Severity};
use toolbelt_core::subject::{Kind, LineIndex, Location, Subject};

static RULE: Rule = Rule {
    id: "yanked-version",
    summary: "locked version was yanked",
    capability: Capability::SecureDependencySelection,
    threats: &["TBT-4200"],
    cwe: &[],
    severity: Severity::Medium,
    default: Level::Warn,
    weaker: None,
    scope: Scope::TimeDependent,
    options: &[],
    needs: &[],
    explanation: "## What it detects\n\nA locked version that its publisher withdrew.\n\n## Fix\n\n```sh\ncargo update\n```\n",
    check: Check::Package(|_, _| Outcome::clean()),
};

const LOCKFILE: &str = "version = 4\n\n[[package]]\nname = \"foo\"\nversion = \"1.2.3\"\n";

fn judged(level: Level) -> Judged {
    let start = LOCKFILE.find("name").unwrap();
    let region = LineIndex::new(LOCKFILE).region(start..LOCKFILE.len() - 1);
    let mut subject = Subject::package("foo", "1.2.3");
    subject.digest = BTreeMap::from([("sha256", "ab".repeat(32))]);
    let finding = Finding::new(subject, "was yanked")
        .fact("since", "2026-01-01")
        .fact("others", json!(["1.2.2", 4, null]))
        .at([Location::within("sub dir/Cargo.lock", region), Location::whole_file("other/Cargo.lock")])
        .fix(Fix::new("update to 1.2.4").command("cargo update -p foo"));
    Judged { rule: &RULE, level, finding }
}

fn empty(verdict: Verdict) -> Report {
    Report {
        tool: "cargo-toolbelt 0.1.0".to_owned(),
        command: "deps".to_owned(),
        verdict,
        time: "2026-11-22T10:00:00.5Z".parse().unwrap(),
        findings: Vec::new(),
        exempted: Vec::new(),
        not_checked: Vec::new(),
        coverage: Coverage::default(),
        sources: Vec::new(),
        texts: BTreeMap::new(),
    }
}

fn full(verdict: Verdict) -> Report {
    let gap = |subject, hint: Option<&str>| Gap {
        rule: &RULE,
        level: Level::Deny,
        not_checked: NotChecked {
            subject,
            reason: Unknown { reason: "no answer within 10 s".to_owned(), hint: hint.map(str::to_owned) },
        },
    };
    let plain =
        Subject { kind: Kind::Commit, name: "abc".to_owned(), version: None, purl: None, digest: BTreeMap::new() };
    let bare =
        Judged { rule: &RULE, level: Level::Warn, finding: Finding::new(plain.clone(), "a \u{1b}[31m\u{202e}b") };
    let exempted = |by, owner: Option<&str>, until: Option<&str>| Exempted {
        judged: judged(Level::Deny),
        by,
        reason: "known".to_owned(),
        owner: owner.map(str::to_owned),
        until: until.map(|date| date.parse().unwrap()),
        by_the_change_itself: until.is_none(),
    };
    let source = |name: &str, date: Option<&str>, state| SourceState {
        name: name.to_owned(),
        date: date.map(str::to_owned),
        digest: date.map(|_| "cd".repeat(32)),
        state,
    };
    let mut report = empty(verdict);
    report.findings = vec![judged(Level::Deny), judged(Level::Warn), bare];
    report.exempted = vec![
        exempted(ExemptedBy::Exemption, Some("release team"), Some("2027-01-31")),
        exempted(ExemptedBy::Inline, None, None),
        exempted(ExemptedBy::Baseline, None, None),
    ];
    report.not_checked = vec![gap(None, None), gap(Some(plain), Some("cargo toolbelt data update"))];
    report.coverage.count("packages", 1);
    report.coverage.skip("lockfile", 2, "excluded");
    report.sources = vec![
        source("advisory-db", Some("2026-08-21"), State::Fresh),
        source("index", Some("2026-08-21T00:00:00Z"), State::Stale),
        source("names", None, State::Missing),
    ];
    report.texts = BTreeMap::from([("sub dir/Cargo.lock".to_owned(), LOCKFILE.to_owned())]);
    report
}

fn reports() -> Vec<(&'static str, Report)> {
    vec![
        ("clean", empty(Verdict::Pass)),
        ("incomplete", full(Verdict::Incomplete)),
        ("full", full(Verdict::Fail)),
        (
            "nothing",
            Report { coverage: Coverage { saw_nothing: true, ..Coverage::default() }, ..empty(Verdict::Incomplete) },
        ),
    ]
}

fn schema() -> Value {
    serde_json::from_str(include_str!("../docs/output.schema.json")).unwrap()
}

#[test]
fn reports_are_as_the_schema_says() {
    for (name, report) in reports() {
        let mut written = Vec::new();
        json::write(&report, &mut written).unwrap();
        let value = serde_json::from_slice(&written).unwrap();
        assert_eq!(support::schema::mistakes(&schema(), &value), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn schema_notices_what_is_missing_wrong_or_not_described() {
    let mut written = Vec::new();
    json::write(&full(Verdict::Fail), &mut written).unwrap();
    let good: Value = serde_json::from_slice(&written).unwrap();
    let mistakes = |change: &dyn Fn(&mut Value)| {
        let mut value = good.clone();
        change(&mut value);
        support::schema::mistakes(&schema(), &value).len()
    };
    assert_eq!(mistakes(&|_| ()), 0);
    assert_eq!(mistakes(&|value| value["verdict"] = json!("passed")), 1);
    assert_eq!(mistakes(&|value| value["surprise"] = json!(1)), 1);
    assert_eq!(mistakes(&|value| value["findings"][0]["locations"][0]["line"] = json!(0)), 1);
    assert_eq!(mistakes(&|value| value["exempted"][0]["finding"]["fix"] = json!({})), 1);
    assert_eq!(mistakes(&|value| value["coverage"]["packages"] = json!("1")), 1);
    let remove = |value: &mut Value| drop(value.as_object_mut().unwrap().remove("sources"));
    assert_eq!(mistakes(&remove), 1);
}

#[test]
fn output_page_names_every_key_of_the_schema() {
    fn keys(schema: &Value, found: &mut Vec<String>) {
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            found.extend(properties.keys().cloned());
        }
        for part in schema.as_object().into_iter().flat_map(|object| object.values()) {
            keys(part, found);
        }
    }
    let page = include_str!("../docs/output.md");
    let mut found = Vec::new();
    keys(&schema(), &mut found);
    assert!(found.len() > 30);
    for key in found {
        assert!(page.contains(&format!("{key}`")), "docs/output.md does not mention `{key}`");
    }
}

#[test]
fn same_report_is_written_in_the_same_bytes() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("output");
    std::fs::create_dir_all(&folder).unwrap();
    let style = Style { colour: Colour::Always, width: 80, verbose: true };
    for (name, report) in reports() {
        let written = || {
            let mut formats: [(&str, Vec<u8>); 4] = ["json", "sarif", "md", "txt"].map(|format| (format, Vec::new()));
            json::write(&report, &mut formats[0].1).unwrap();
            sarif::write(&report, &mut formats[1].1).unwrap();
            markdown::write(&report, &mut formats[2].1).unwrap();
            human::write(&report, style, &mut formats[3].1).unwrap();
            formats
        };
        let formats = written();
        assert_eq!(formats, written());
        for (format, bytes) in formats {
            std::fs::write(folder.join(format!("{name}.{format}")), bytes).unwrap();
        }
    }
}
