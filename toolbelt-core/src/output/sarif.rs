//! SARIF 2.1.0 ([OASIS](https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html)), as GitHub code scanning and
//! other viewers take it. What goes where is described in `docs/output.md`.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;
use serde_json::Value;

use super::summary::{self, named, title};
use super::{escape, json, plain};
use crate::finding::Level;
use crate::report::{Exempted, ExemptedBy, Gap, Judged, Report, Verdict};
use crate::rules::{Rule, Severity};
use crate::subject::{LineIndex, Location, Subject, digest};

/// Where the rules' pages are.
const PAGES: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/rules");
/// Places given for one result; GitHub shows no more.
const PLACES: usize = 100;
/// Tags given for one rule; GitHub takes no more.
const TAGS: usize = 10;
/// The descriptor of notifications about what could not be looked at.
const NOT_CHECKED: &str = "not-checked";
/// The base of relative addresses: the root of the repository, which only the reader knows.
const ROOT: &str = "%SRCROOT%";

/// Writes the report as one SARIF run, indented and ended by a newline.
///
/// # Errors
///
/// Those of `out`.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    escape::write_json(&Log::from(report), out)
}

#[derive(Debug, Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    invocations: [Invocation; 1],
    automation_details: AutomationDetails,
    original_uri_base_ids: BTreeMap<&'static str, Base>,
    column_kind: &'static str,
    results: Vec<ResultOf<'a>>,
    properties: RunProperties<'a>,
}

#[derive(Debug, Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'a str,
    organization: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    semantic_version: Option<&'a str>,
    information_uri: &'static str,
    rules: Vec<Descriptor>,
    notifications: [NotificationDescriptor; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: &'static str,
    name: String,
    short_description: Text,
    full_description: Text,
    help_uri: String,
    help: Help,
    default_configuration: Configuration,
    properties: RuleProperties,
}

/// The kind of all our notifications.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NotificationDescriptor {
    id: &'static str,
    name: &'static str,
    short_description: Text,
    full_description: Text,
    help: Text,
}

#[derive(Debug, Serialize)]
struct Text {
    text: String,
}

#[derive(Debug, Serialize)]
struct Help {
    text: String,
    markdown: &'static str,
}

#[derive(Debug, Serialize)]
struct Configuration {
    enabled: bool,
    level: &'static str,
}

#[derive(Debug, Serialize)]
struct RuleProperties {
    tags: Vec<String>,
    precision: &'static str,
    #[serde(rename = "security-severity")]
    security_severity: &'static str,
    severity: &'static str,
    capability: &'static str,
    scope: &'static str,
    threats: &'static [&'static str],
    cwe: &'static [u32],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    exit_code: u8,
    start_time_utc: String,
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    descriptor: DescriptorReference,
    #[serde(skip_serializing_if = "Option::is_none")]
    associated_rule: Option<DescriptorReference>,
    level: &'static str,
    message: Text,
}

#[derive(Debug, Serialize)]
struct DescriptorReference {
    id: &'static str,
    index: usize,
}

#[derive(Debug, Serialize)]
struct AutomationDetails {
    id: String,
}

#[derive(Debug, Serialize)]
struct Base {
    description: Text,
}

#[derive(Debug, Serialize)]
struct RunProperties<'a> {
    verdict: &'static str,
    coverage: json::Coverage<'a>,
    sources: Vec<json::SourceState<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultOf<'a> {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: Vec<Place>,
    partial_fingerprints: Fingerprints,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression<'a>>,
    properties: ResultProperties<'a>,
}

#[derive(Debug, Serialize)]
struct Fingerprints {
    #[serde(rename = "toolbelt/v1")]
    toolbelt: String,
    /// The one that GitHub tells alerts apart by. Left out, it would be computed from the line, so that two advisories
    /// about one package would be one alert.
    #[serde(rename = "primaryLocationLineHash")]
    github: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<LogicalLocation>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
    #[serde(flatten)]
    bytes: Option<Bytes>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Bytes {
    byte_offset: usize,
    byte_length: usize,
}

impl Region {
    /// A place without extent.
    fn point(line: u32, column: u32) -> Self {
        Self { start_line: line, start_column: column, end_line: line, end_column: column, bytes: None }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    name: String,
    fully_qualified_name: String,
    kind: &'static str,
}

#[derive(Debug, Serialize)]
struct Suppression<'a> {
    kind: &'static str,
    status: &'static str,
    justification: String,
    properties: SuppressionProperties<'a>,
}

#[derive(Debug, Serialize)]
struct SuppressionProperties<'a> {
    by: &'static str,
    owner: Option<&'a str>,
    until: Option<String>,
    #[serde(rename = "self")]
    by_the_change_itself: bool,
}

#[derive(Debug, Serialize)]
struct ResultProperties<'a> {
    subject: json::JsonSubject<'a>,
    facts: &'a BTreeMap<&'static str, Value>,
    fix: Option<json::JsonFix<'a>>,
    scope: &'static str,
    severity: &'static str,
}

impl<'a> From<&'a Report> for Log<'a> {
    fn from(report: &'a Report) -> Self {
        let rules = Rules::of(report);
        let texts = report.texts.iter().map(|(path, text)| (path.as_str(), LineIndex::new(text))).collect();
        let places = Places { texts, fallback: fallback(report) };
        let found = report.findings.iter().map(|judged| result(judged, None, &rules, &places));
        let exempted = report.exempted.iter().map(|one| result(&one.judged, Some(one), &rules, &places));
        let (name, version) = match report.tool.rsplit_once(' ') {
            Some((name, version)) => (name, Some(version)),
            None => (report.tool.as_str(), None),
        };
        let run = Run {
            tool: Tool {
                driver: Driver {
                    name,
                    organization: "toolbelt",
                    semantic_version: version,
                    information_uri: env!("CARGO_PKG_REPOSITORY"),
                    rules: rules.0.iter().copied().map(descriptor).collect(),
                    notifications: [NotificationDescriptor {
                        id: NOT_CHECKED,
                        name: "NotChecked",
                        short_description: sentence("a rule could not look"),
                        full_description: sentence("a check that could not look has not passed; the message says why"),
                        help: sentence("do what the message's hint says and run again"),
                    }],
                },
            },
            invocations: [invocation(report, &rules)],
            automation_details: AutomationDetails { id: format!("{name}/{}/", report.command) },
            original_uri_base_ids: BTreeMap::from([(
                ROOT,
                Base { description: sentence("the root of the repository") },
            )]),
            column_kind: "unicodeCodePoints",
            results: found.chain(exempted).collect(),
            properties: RunProperties {
                verdict: report.verdict.as_str(),
                coverage: json::Coverage::from(&report.coverage),
                sources: report.sources.iter().map(json::SourceState::from).collect(),
            },
        };
        Self { schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [run] }
    }
}

/// The rules that a report mentions, sorted by id.
struct Rules(Vec<&'static Rule>);

impl Rules {
    fn of(report: &Report) -> Self {
        let found = report.findings.iter().map(|judged| judged.rule);
        let exempted = report.exempted.iter().map(|exempted| exempted.judged.rule);
        let rules = found.chain(exempted).chain(report.not_checked.iter().map(|gap| gap.rule));
        Self(rules.map(|rule| (rule.id, rule)).collect::<BTreeMap<_, _>>().into_values().collect())
    }

    fn index(&self, rule: &Rule) -> usize {
        // Every rule that is asked for comes from the same report.
        self.0.partition_point(|other| other.id < rule.id)
    }
}

fn descriptor(rule: &'static Rule) -> Descriptor {
    let about = plain::first_paragraph(rule.explanation);
    Descriptor {
        id: rule.id,
        name: pascal_case(rule.id),
        short_description: sentence(rule.summary),
        full_description: if about.is_empty() { sentence(rule.summary) } else { Text { text: about } },
        help_uri: format!("{PAGES}/{}.md", rule.id),
        help: Help { text: plain::plain(rule.explanation, usize::MAX), markdown: rule.explanation },
        default_configuration: Configuration {
            enabled: rule.default != Level::Allow,
            level: match rule.default {
                Level::Deny => "error",
                Level::Warn | Level::Allow => "warning",
            },
        },
        properties: RuleProperties {
            tags: tags(rule),
            // Only what is a fact denies by default; anything else depends on whom it is about.
            precision: match rule.default {
                Level::Deny => "very-high",
                Level::Warn | Level::Allow => "medium",
            },
            // The middle of the ranges in which GitHub shows these words (CVSS: low < 4 ≤ medium < 7 ≤ high < 9).
            security_severity: match rule.severity {
                Severity::Low => "2.0",
                Severity::Medium => "5.5",
                Severity::High => "8.0",
                Severity::Critical => "9.5",
            },
            severity: rule.severity.as_str(),
            capability: rule.capability.as_str(),
            scope: rule.scope.as_str(),
            threats: rule.threats,
            cwe: rule.cwe,
        },
    }
}

/// `security` is what makes GitHub look at `security-severity`; weaknesses are written as its filters expect.
fn tags(rule: &Rule) -> Vec<String> {
    let mut tags = vec!["security".to_owned(), "supply-chain".to_owned()];
    tags.extend(rule.cwe.iter().map(|cwe| format!("external/cwe/cwe-{cwe:03}")));
    tags.extend(rule.threats.iter().map(|threat| (*threat).to_owned()));
    tags.truncate(TAGS);
    tags
}

fn invocation(report: &Report, rules: &Rules) -> Invocation {
    let mut notifications = Vec::new();
    let coverage = &report.coverage;
    for (is_so, what) in [
        (coverage.saw_nothing, "nothing was looked at although there was something to look at"),
        (coverage.could_not_look, "not everything could be looked at; the coverage says what was skipped"),
    ] {
        notifications.extend(is_so.then(|| Notification {
            descriptor: DescriptorReference { id: NOT_CHECKED, index: 0 },
            associated_rule: None,
            level: "error",
            message: sentence(what),
        }));
    }
    for rule in &rules.0 {
        let gaps: Vec<Gap> = report.not_checked.iter().filter(|gap| gap.rule.id == rule.id).cloned().collect();
        for group in summary::gap_groups(&gaps) {
            let subjects: Vec<String> = group.subjects.iter().take(PLACES).map(|subject| named(subject)).collect();
            let rest = group.subjects.len() - subjects.len();
            let mut text = group.unknown.reason.clone();
            if !subjects.is_empty() {
                let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
                text = format!("{text} (about {}{rest})", subjects.join(", "));
            }
            if let Some(hint) = &group.unknown.hint {
                text = format!("{text}; hint: {hint}");
            }
            notifications.push(Notification {
                descriptor: DescriptorReference { id: NOT_CHECKED, index: 0 },
                associated_rule: Some(DescriptorReference { id: rule.id, index: rules.index(rule) }),
                level: match (group.level, report.verdict) {
                    (Level::Deny, Verdict::Fail | Verdict::Incomplete) => "error",
                    (Level::Deny, Verdict::Pass) => "warning",
                    (Level::Warn | Level::Allow, _) => "note",
                },
                message: sentence(&text),
            });
        }
    }
    Invocation {
        execution_successful: report.verdict != Verdict::Incomplete
            && notifications.iter().all(|notification| notification.level != "error"),
        exit_code: report.verdict.exit_code(),
        start_time_utc: report.time.to_string(),
        tool_execution_notifications: notifications,
    }
}

fn result<'a>(judged: &'a Judged, exempted: Option<&'a Exempted>, rules: &Rules, places: &Places<'_>) -> ResultOf<'a> {
    let Judged { rule, level, finding } = judged;
    let mut text = title(judged);
    if let Some(fix) = &finding.fix {
        text = format!("{text}; fix: {}", fix.summary);
        let commands: Vec<String> = fix.commands.iter().map(|command| format!("`{command}`")).collect();
        if !commands.is_empty() {
            text = format!("{text} ({})", commands.join(", "));
        }
    }
    let fingerprint = finding.fingerprint(rule.id);
    ResultOf {
        rule_id: rule.id,
        rule_index: rules.index(rule),
        level: match level {
            Level::Deny => "error",
            Level::Warn => "warning",
            Level::Allow => "note",
        },
        message: sentence(&text),
        locations: places.of(&finding.subject, &finding.locations),
        partial_fingerprints: Fingerprints { github: format!("{fingerprint}:1"), toolbelt: fingerprint },
        suppressions: exempted.into_iter().map(suppression).collect(),
        properties: ResultProperties {
            subject: json::JsonSubject::from(&finding.subject),
            facts: &finding.facts,
            fix: finding.fix.as_ref().map(json::JsonFix::from),
            scope: rule.scope.as_str(),
            severity: rule.severity.as_str(),
        },
    }
}

fn suppression(exempted: &Exempted) -> Suppression<'_> {
    Suppression {
        kind: match exempted.by {
            ExemptedBy::Inline => "inSource",
            ExemptedBy::Exemption | ExemptedBy::Baseline => "external",
        },
        status: "accepted",
        justification: escape::visible(&exempted.reason).into_owned(),
        properties: SuppressionProperties {
            by: exempted.by.as_str(),
            owner: exempted.owner.as_deref(),
            until: exempted.until.map(|date| date.to_string()),
            by_the_change_itself: exempted.by_the_change_itself,
        },
    }
}

/// The file that stands for findings without a place: GitHub refuses results without one.
fn fallback(report: &Report) -> String {
    let lockfile = |path: &&String| *path == "Cargo.lock" || path.ends_with("/Cargo.lock");
    match report.texts.keys().find(lockfile).or_else(|| report.texts.keys().next()) {
        Some(path) => path.clone(),
        None => "Cargo.lock".to_owned(),
    }
}

struct Places<'a> {
    texts: BTreeMap<&'a str, LineIndex<'a>>,
    fallback: String,
}

impl Places<'_> {
    fn of(&self, subject: &Subject, locations: &[Location]) -> Vec<Place> {
        let mut places: Vec<Place> = locations.iter().take(PLACES).map(|location| self.physical(location)).collect();
        if places.is_empty() {
            places.push(self.physical(&Location::whole_file(&self.fallback)));
        }
        places[0].logical_locations.push(LogicalLocation {
            name: named(subject),
            fully_qualified_name: subject.key(),
            kind: subject.kind.as_str(),
        });
        places
    }

    fn physical(&self, location: &Location) -> Place {
        let text = self.texts.get(location.path.as_str());
        let region = match (&location.region, text) {
            // Viewers show a file as a whole at its top.
            (None, _) => Region::point(1, 1),
            (Some(region), None) => Region::point(region.line, region.column),
            (Some(region), Some(text)) => {
                let start = text.region(region.start..region.end);
                let end = text.region(start.end..start.end);
                Region {
                    start_line: start.line,
                    start_column: start.column,
                    end_line: end.line,
                    end_column: end.column,
                    bytes: Some(Bytes { byte_offset: start.start, byte_length: start.end - start.start }),
                }
            }
        };
        Place {
            physical_location: PhysicalLocation { artifact_location: artifact(&location.path), region },
            logical_locations: Vec::new(),
        }
    }
}

fn artifact(path: &str) -> ArtifactLocation {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(byte.into()),
            _ => {
                uri.push('%');
                uri.push_str(&digest::hex(&[byte]).to_uppercase());
            }
        }
    }
    if uri.starts_with('/') {
        return ArtifactLocation { uri: format!("file://{uri}"), uri_base_id: None };
    }
    if uri.is_empty() {
        uri.push('.');
    }
    ArtifactLocation { uri, uri_base_id: Some(ROOT) }
}

/// A message as SARIF wants it: one line that ends with a full stop, in which nothing is a link (§3.11.6).
fn sentence(text: &str) -> Text {
    let mut text = escape::visible(text).into_owned();
    if text.contains("](") {
        text = text.replace('[', "\\[");
    }
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    Text { text }
}

fn pascal_case(id: &str) -> String {
    let words = id.split('-');
    words.flat_map(|word| word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::output::{example, hostile};

    fn written(report: &Report) -> Value {
        let mut written = Vec::new();
        write(report, &mut written).unwrap();
        serde_json::from_slice(&written).unwrap()
    }

    #[test]
    fn findings_are_results_with_rule_place_and_fix() {
        let run = &written(&example::report())["runs"][0];
        let result = &run["results"][0];
        assert_eq!(result["ruleId"], "known-vulnerability");
        assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "known-vulnerability");
        assert_eq!((&result["ruleIndex"], &result["level"]), (&json!(0), &json!("error")));
        assert_eq!(
            result["message"]["text"],
            "time 0.1.44: RUSTSEC-2020-0071: segfault in `localtime_r`; fix: update to 0.2.23 or later \
             (`cargo update -p time`)."
        );
        assert_eq!(
            result["locations"],
            json!([{
                "physicalLocation": {
                    "artifactLocation": { "uri": "Cargo.lock", "uriBaseId": "%SRCROOT%" },
                    "region": { "startLine": 8, "startColumn": 1, "endLine": 9, "endColumn": 19,
                        "byteOffset": 75, "byteLength": 32 },
                },
                "logicalLocations": [{ "name": "time 0.1.44", "fullyQualifiedName": "pkg:cargo/time@0.1.44",
                    "kind": "package" }],
            }])
        );
        let fingerprint = "2ae996c9bd8bf430d8f0ec842d56a183";
        assert_eq!(
            result["partialFingerprints"],
            json!({ "toolbelt/v1": fingerprint, "primaryLocationLineHash": format!("{fingerprint}:1") })
        );
        assert_eq!(result.get("suppressions"), None);
    }

    #[test]
    fn rules_carry_what_github_sorts_by() {
        let run = &written(&example::report())["runs"][0];
        let rule = &run["tool"]["driver"]["rules"][0];
        assert_eq!(rule["name"], "KnownVulnerability");
        assert_eq!(rule["fullDescription"]["text"], "A locked version that an advisory names as affected.");
        assert_eq!(rule["properties"]["security-severity"], "8.0");
        assert_eq!(
            rule["properties"]["tags"],
            json!(["security", "supply-chain", "external/cwe/cwe-1395", "TBT-1320", "TBT-4200"])
        );
        assert!(rule["help"]["markdown"].as_str().unwrap().contains("```sh"));
        assert!(rule["help"]["text"].as_str().unwrap().contains("    cargo update -p time"));
    }

    #[test]
    fn exempted_findings_are_suppressed() {
        let run = &written(&example::report())["runs"][0];
        assert_eq!(
            run["results"][2]["suppressions"],
            json!([{ "kind": "external", "status": "accepted", "justification": "it is the real one",
                "properties": { "by": "exemption", "owner": "release team", "until": "2027-01-31", "self": true } }])
        );
        // No place of its own: the lock file stands in.
        let place = &run["results"][2]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "Cargo.lock");
    }

    #[test]
    fn what_was_not_checked_is_a_notification() {
        let invocation = |report: &Report| written(report)["runs"][0]["invocations"][0].clone();
        let mut report = example::report();
        let warned = invocation(&report);
        assert_eq!(warned["executionSuccessful"], true);
        assert_eq!(
            warned["toolExecutionNotifications"],
            json!([{ "descriptor": { "id": "not-checked", "index": 0 },
                "associatedRule": { "id": "lookalike-name", "index": 1 }, "level": "note",
                "message": { "text": "the name list is missing; hint: cargo toolbelt data update." } }])
        );
        report.verdict = Verdict::Incomplete;
        report.not_checked[0].level = Level::Deny;
        let denied = invocation(&report);
        assert_eq!((&denied["executionSuccessful"], &denied["exitCode"]), (&json!(false), &json!(3)));
        assert_eq!(denied["toolExecutionNotifications"][0]["level"], "error");
    }

    #[test]
    fn addresses_are_relative_and_percent_encoded() {
        let uri = |path: &str| artifact(path).uri;
        assert_eq!(uri("a b/ü%#?.lock"), "a%20b/%C3%BC%25%23%3F.lock");
        assert_eq!(uri("c:x"), "c%3Ax");
        assert_eq!(artifact("/tmp/x").uri, "file:///tmp/x");
        assert_eq!(artifact("/tmp/x").uri_base_id, None);
    }

    #[test]
    fn nothing_in_a_message_is_a_link() {
        assert_eq!(sentence("a [x](https://evil.example) b").text, "a \\[x](https://evil.example) b.");
        assert_eq!(sentence("`[deps] exclude`").text, "`[deps] exclude`.");
    }

    proptest! {
        #[test]
        fn it_is_valid_whatever_strangers_wrote(report in hostile::report()) {
            let log = written(&report);
            let run = &log["runs"][0];
            let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
            for result in run["results"].as_array().unwrap() {
                let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
                prop_assert_eq!(&rule["id"], &result["ruleId"]);
                for location in result["locations"].as_array().unwrap() {
                    let physical = &location["physicalLocation"];
                    let uri = physical["artifactLocation"]["uri"].as_str().unwrap();
                    prop_assert!(uri.bytes().all(|byte| byte.is_ascii_graphic()), "{}", uri);
                    let at = |key: &str| physical["region"][key].as_u64().unwrap();
                    prop_assert!((at("startLine"), at("startColumn")) <= (at("endLine"), at("endColumn")));
                }
                let message = result["message"]["text"].as_str().unwrap();
                prop_assert!(!message.contains(escape::is_hidden), "{message:?}");
            }
        }
    }
}
