//! Reads records in the [OSV format](https://ossf.github.io/osv-schema/) as far as they are about crates.io.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use semver::{Comparator, Op, Version, VersionReq};
use serde::Deserialize;
use serde_json::Value;

use super::rustsec;
use crate::subject::advisory::{Advisory, AdvisoryKind, AffectedFunction, Rating, Unreadable};
use crate::subject::affected_versions::{AffectedVersions, Interval};

/// What OSV calls crates.io.
const ECOSYSTEM: &str = "crates.io";
/// [Embedded malicious code](https://cwe.mitre.org/data/definitions/506.html), by which GitHub marks malware.
const EMBEDDED_MALICIOUS_CODE: &str = "CWE-506";
/// Where records that do not list RustSec among their aliases refer to it.
const RUSTSEC_PAGES: &str = "https://rustsec.org/advisories/";
/// Links that are kept of one record.
const MOST_REFERENCES: usize = 32;

/// What a file in the OSV format says.
#[derive(Debug, Default, PartialEq)]
pub struct Parsed {
    /// One for each record and package of crates.io.
    pub advisories: Vec<Advisory>,
    /// Records about crates.io that could not be read, and files that are not in the format.
    pub unreadable: Vec<Unreadable>,
    /// How many records are about other ecosystems alone.
    pub elsewhere: usize,
    /// When the newest record was last changed.
    pub modified: Option<Date>,
}

/// Reads a record, a list of records, or an answer of OSV's API (`{"vulns": […]}`).
///
/// `path` is what unreadable records are named by.
pub fn parse(content: &[u8], path: &str) -> Parsed {
    let mut parsed = Parsed::default();
    match content.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[') => match serde_json::from_slice::<Vec<Value>>(content) {
            Ok(records) => parsed.add_values(&records, path),
            Err(error) => parsed.unreadable.push(not_json(&error, path)),
        },
        _ => match serde_json::from_slice::<Record<'_>>(content) {
            Ok(Record { vulns: Some(records), .. }) => parsed.add_values(&records, path),
            Ok(record) => parsed.add(&record, path),
            Err(error) => match serde_json::from_slice(content) {
                Ok(record) => parsed.add_unreadable(&record, &error, path),
                Err(error) => parsed.unreadable.push(not_json(&error, path)),
            },
        },
    }
    parsed
}

fn not_json(error: &serde_json::Error, path: &str) -> Unreadable {
    Unreadable {
        path: path.to_owned(),
        line: u32::try_from(error.line()).ok(),
        reason: format!("expected a record of OSV: {error}"),
        package: None,
    }
}

impl Parsed {
    fn add_values(&mut self, records: &[Value], path: &str) {
        for value in records {
            match Record::deserialize(value) {
                Ok(record) => self.add(&record, path),
                Err(error) => self.add_unreadable(value, &error, path),
            }
        }
    }

    /// Names the packages of a record of which only that can be read.
    fn add_unreadable(&mut self, record: &Value, error: &serde_json::Error, path: &str) {
        let affected = record.get("affected").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut known = !affected.is_empty();
        let mut packages = Vec::new();
        for affected in affected {
            let word = |key: &str| affected.get("package").and_then(|package| package.get(key)).and_then(Value::as_str);
            match (word("ecosystem"), word("name")) {
                (Some(ecosystem), _) if !is_crates_io(ecosystem) => {}
                (Some(_), Some(name)) => packages.push(Some(name.to_owned())),
                _ => known = false,
            }
        }
        if !known {
            packages.push(None);
        }
        if packages.is_empty() {
            self.elsewhere += 1;
        }
        packages.dedup();
        self.unreadable.extend(packages.into_iter().map(|package| Unreadable {
            path: path.to_owned(),
            line: u32::try_from(error.line()).ok().filter(|line| *line > 0),
            reason: format!("expected a record of OSV: {error}"),
            package,
        }));
    }

    fn add(&mut self, record: &Record<'_>, path: &str) {
        self.modified = self.modified.max(record.modified.as_deref().and_then(super::date));
        let mut by_package: BTreeMap<&str, Vec<&Affected<'_>>> = BTreeMap::new();
        for affected in &record.affected {
            if let Some(package) = affected.package.as_ref().filter(|package| is_crates_io(&package.ecosystem)) {
                by_package.entry(&package.name).or_default().push(affected);
            }
        }
        if by_package.is_empty() {
            self.elsewhere += 1;
        }
        for (package, affected) in by_package {
            match advisory(record, package, &affected) {
                Ok(advisory) => self.advisories.push(advisory),
                Err(reason) => self.unreadable.push(Unreadable {
                    path: path.to_owned(),
                    line: None,
                    reason,
                    package: Some(package.to_owned()),
                }),
            }
        }
    }
}

fn is_crates_io(ecosystem: &str) -> bool {
    // What follows a colon is a repository or a release within the ecosystem.
    ecosystem.split(':').next() == Some(ECOSYSTEM)
}

/// What a record says about one package, in one or more entries.
fn advisory(record: &Record<'_>, package: &str, affected: &[&Affected<'_>]) -> Result<Advisory, String> {
    let id = record.id.as_deref().filter(|id| !id.is_empty()).ok_or("expected an `id`")?;
    let mut intervals = Vec::new();
    let mut fixed = Vec::new();
    for entry in affected {
        let before = intervals.len();
        let mut ranges = 0;
        for range in &entry.ranges {
            match range.kind.as_ref() {
                // Versions of crates.io are semantic ones, so that both words mean the same order.
                "SEMVER" | "ECOSYSTEM" => {
                    ranges += 1;
                    timeline(&range.events, last_known(entry, range), &mut intervals, &mut fixed)?;
                }
                // Commits of a repository, which a lock file of registry packages does not name.
                "GIT" => {}
                other => return Err(format!("expected a range of type SEMVER or ECOSYSTEM, not `{other}`")),
            }
        }
        // Nothing else than a semantic version is in a lock file, so that nothing else has to be remembered.
        intervals.extend(entry.versions.iter().filter_map(|text| Version::parse(text).ok()).map(Interval::only));
        if ranges == 0 && intervals.len() == before {
            return Err(format!("expected the versions of `{package}` that are affected"));
        }
    }
    let affected_versions = AffectedVersions::within(intervals);
    let patched = patched(fixed, &affected_versions);

    let mut aliases: Vec<String> = record.aliases.iter().map(|alias| alias.clone().into_owned()).collect();
    // GitHub's records leave RustSec's id to a link.
    aliases.extend(record.references.iter().filter_map(|reference| rustsec_page(&reference.url)).map(str::to_owned));
    aliases.sort();
    aliases.dedup();
    aliases.retain(|alias| alias != id);
    // What narrows it down counts only if every entry says so.
    let narrowed = |key: &str| {
        let all = affected.iter().all(|entry| texts(&entry.ecosystem_specific["affects"], key).next().is_some());
        let words = affected.iter().flat_map(|entry| texts(&entry.ecosystem_specific["affects"], key));
        if all { words.map(str::to_owned).collect::<BTreeSet<_>>() } else { BTreeSet::new() }
    };
    let functions: BTreeSet<&str> = affected
        .iter()
        .map(|entry| &entry.ecosystem_specific)
        .flat_map(|own| texts(&own["affects"], "functions").chain(texts(own, "affected_functions")))
        .collect();
    let title = record.summary.as_deref().or(record.details.as_deref().and_then(|details| details.lines().next()));
    Ok(Advisory {
        id: id.to_owned(),
        package: package.to_owned(),
        title: super::title(title.unwrap_or_default().trim_start_matches('#')),
        kind: kind(id, &aliases, record, affected),
        date: record.published.as_deref().and_then(super::date),
        withdrawn: record.withdrawn.as_deref().map(|date| super::date(date).unwrap_or_default()),
        url: record
            .references
            .iter()
            .find(|reference| reference.kind == "REPORT")
            .map(|it| it.url.clone().into_owned()),
        references: record.references.iter().take(MOST_REFERENCES).map(|it| it.url.clone().into_owned()).collect(),
        cvss: vector(record, affected),
        rating: record.database_specific["severity"].as_str().and_then(rating),
        affected: affected_versions,
        patched,
        os: narrowed("os").into_iter().collect(),
        arch: narrowed("arch").into_iter().collect(),
        functions: functions
            .into_iter()
            .map(|path| AffectedFunction { path: path.to_owned(), versions: Vec::new() })
            .collect(),
        aliases,
    })
}

/// What is affected between the events of a range, whatever order they are written in.
fn timeline(
    events: &[Event<'_>],
    last_known: Option<Interval>,
    intervals: &mut Vec<Interval>,
    fixed: &mut Vec<Version>,
) -> Result<(), String> {
    // Where an end and a beginning meet, the end comes first, so that the beginning is not lost. `None` is before
    // every version.
    let mut turns: Vec<(Option<Version>, bool)> = Vec::new();
    let mut limits = Vec::new();
    for event in events {
        if let Some(text) = &event.introduced {
            turns.push((if text == "0" { None } else { Some(version(text)?) }, true));
        }
        if let Some(text) = &event.fixed {
            let version = version(text)?;
            fixed.push(version.clone());
            turns.push((Some(version), false));
        }
        if let Some(text) = &event.last_affected {
            // What has no successor ends nothing.
            if let Some(after) = Interval::only(version(text)?).until {
                turns.push((Some(after), false));
            }
        }
        if let Some(text) = &event.limit {
            limits.push(if text == "*" { None } else { Some(version(text)?) });
        }
    }
    turns.sort();
    // The farthest of the limits counts; `None` is no limit.
    let unlimited = limits.iter().any(Option::is_none);
    let limit = Interval::new(None, limits.into_iter().max().flatten().filter(|_| !unlimited));
    let mut from = None;
    for (at, introduced) in turns {
        if introduced {
            from.get_or_insert(at);
        } else if let Some(from) = from.take() {
            intervals.push(Interval::new(from, at).and(limit.clone()));
        }
    }
    if let Some(from) = from {
        intervals.push(Interval::new(from, None).and(limit).and(last_known.unwrap_or(Interval::ALL)));
    }
    Ok(())
}

/// Where a range ends that no event ends.
///
/// GitHub's records say in a field of their own how far a vulnerability went when no release fixed it (`< 0.2`).
fn last_known(entry: &Affected<'_>, range: &Range<'_>) -> Option<Interval> {
    let ended = |event: &Event<'_>| event.fixed.is_some() || event.last_affected.is_some();
    if range.events.iter().any(ended) {
        return None;
    }
    let text = |specific: &Value| specific["last_known_affected_version_range"].as_str().map(str::to_owned);
    let text = text(&range.database_specific).or_else(|| text(&entry.database_specific))?;
    let requirement = VersionReq::parse(&text).ok()?;
    let ends = requirement.comparators.iter().all(|comparator| matches!(comparator.op, Op::Less | Op::LessEq));
    if ends { Interval::of(&requirement) } else { None }
}

/// Each fix, up to where it is affected again.
fn patched(mut fixed: Vec<Version>, affected: &AffectedVersions) -> Vec<VersionReq> {
    fixed.sort();
    fixed.dedup();
    fixed.retain(|version| !affected.contains(version));
    let comparator = |op: Op, version: &Version| Comparator {
        op,
        major: version.major,
        minor: Some(version.minor),
        patch: Some(version.patch),
        pre: version.pre.clone(),
    };
    let again = |version: &Version| {
        affected.intervals().iter().filter_map(|interval| interval.from.as_ref()).find(|from| *from > version)
    };
    fixed
        .iter()
        .map(|version| VersionReq {
            comparators: std::iter::once(comparator(Op::GreaterEq, version))
                .chain(again(version).map(|from| comparator(Op::Less, from)))
                .collect(),
        })
        .collect()
}

/// Reads a version of an event; some leave out what is zero.
fn version(text: &str) -> Result<Version, String> {
    let padded = match text.split(['-', '+']).next().map(|core| core.matches('.').count()) {
        Some(0) if !text.contains(['-', '+']) => Cow::Owned(format!("{text}.0.0")),
        Some(1) if !text.contains(['-', '+']) => Cow::Owned(format!("{text}.0")),
        _ => Cow::Borrowed(text),
    };
    Version::parse(&padded).map_err(|error| format!("expected a version, not `{text}`: {error}"))
}

fn kind(id: &str, aliases: &[String], record: &Record<'_>, affected: &[&Affected<'_>]) -> AdvisoryKind {
    let own = || affected.iter().map(|entry| &entry.database_specific);
    let is_malicious = id.starts_with("MAL-")
        || aliases.iter().any(|alias| alias.starts_with("MAL-"))
        || own().any(|specific| texts(specific, "categories").any(|category| category == "malicious"))
        || texts(&record.database_specific, "cwe_ids").any(|cwe| cwe == EMBEDDED_MALICIOUS_CODE);
    if is_malicious {
        return AdvisoryKind::Malicious;
    }
    rustsec::informational(own().find_map(|specific| specific["informational"].as_str()))
}

/// The vector of the newest version of CVSS.
fn vector(record: &Record<'_>, affected: &[&Affected<'_>]) -> Option<String> {
    let of = |kind: &str| record.severity.iter().find(|severity| severity.kind == kind).map(|it| it.score.as_ref());
    of("CVSS_V4")
        .or_else(|| of("CVSS_V3"))
        .or_else(|| affected.iter().find_map(|entry| entry.database_specific["cvss"].as_str()))
        .map(str::to_owned)
}

/// The strings of a list in a free-form object.
fn texts<'a>(object: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    object[key].as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn rating(word: &str) -> Option<Rating> {
    match word.to_ascii_uppercase().as_str() {
        "LOW" => Some(Rating::Low),
        "MODERATE" | "MEDIUM" => Some(Rating::Medium),
        "HIGH" => Some(Rating::High),
        "CRITICAL" => Some(Rating::Critical),
        _ => None,
    }
}

fn rustsec_page(url: &str) -> Option<&str> {
    let id = url.strip_prefix(RUSTSEC_PAGES)?;
    let id = id.split(['.', '#', '?', '/']).next()?;
    id.starts_with("RUSTSEC-").then_some(id)
}

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    modified: Option<Cow<'a, str>>,
    #[serde(borrow)]
    published: Option<Cow<'a, str>>,
    #[serde(borrow)]
    withdrawn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    summary: Option<Cow<'a, str>>,
    #[serde(borrow)]
    details: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    aliases: Vec<Cow<'a, str>>,
    #[serde(borrow, default)]
    severity: Vec<Severity<'a>>,
    #[serde(borrow, default)]
    affected: Vec<Affected<'a>>,
    #[serde(borrow, default)]
    references: Vec<Reference<'a>>,
    /// Each database has its own, of which nothing is certain; so with the others of this kind.
    #[serde(default)]
    database_specific: Value,
    /// Only in an answer of OSV's API.
    vulns: Option<Vec<Value>>,
}

#[derive(Deserialize)]
struct Severity<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    score: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow, rename = "type", default)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    url: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Affected<'a> {
    #[serde(borrow)]
    package: Option<Package<'a>>,
    #[serde(borrow, default)]
    ranges: Vec<Range<'a>>,
    #[serde(borrow, default)]
    versions: Vec<Cow<'a, str>>,
    #[serde(default)]
    ecosystem_specific: Value,
    #[serde(default)]
    database_specific: Value,
}

#[derive(Deserialize)]
struct Package<'a> {
    #[serde(borrow)]
    ecosystem: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Range<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    events: Vec<Event<'a>>,
    #[serde(default)]
    database_specific: Value,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    introduced: Option<Cow<'a, str>>,
    #[serde(borrow)]
    fixed: Option<Cow<'a, str>>,
    #[serde(borrow)]
    last_affected: Option<Cow<'a, str>>,
    #[serde(borrow)]
    limit: Option<Cow<'a, str>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(json: &str) -> Advisory {
        let parsed = parse(json.as_bytes(), "x.json");
        assert_eq!(parsed.unreadable, []);
        let [advisory] = <[Advisory; 1]>::try_from(parsed.advisories).unwrap();
        advisory
    }

    fn record(affected: &str) -> String {
        format!(
            r#"{{"id": "GHSA-1", "affected": [{{"package": {{"ecosystem": "crates.io", "name": "foo"}}, {affected}}}]}}"#
        )
    }

    fn range(events: &str) -> String {
        record(&format!(r#""ranges": [{{"type": "SEMVER", "events": [{events}]}}]"#))
    }

    fn affects(advisory: &Advisory, version: &str) -> bool {
        advisory.affects(&Version::parse(version).unwrap())
    }

    #[test]
    fn a_record_is_read_whole() {
        let advisory = one(r#"{"schema_version": "1.4.0", "id": "GHSA-1", "modified": "2022-12-06T00:16:25Z",
            "published": "2021-08-25T20:56:46Z", "aliases": ["CVE-1"], "summary": "A\n title", "details": "Text",
            "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],
            "affected": [{"package": {"ecosystem": "crates.io", "name": "foo", "purl": "pkg:cargo/foo"},
                "ranges": [{"type": "GIT", "repo": "https://example.org", "events": [{"introduced": "abc"}]},
                    {"type": "SEMVER", "events": [{"introduced": "0.0.0-0"}, {"fixed": "1.2.3"}]}],
                "ecosystem_specific": {"affects": {"os": ["linux"], "arch": [], "functions": ["foo::bar"]},
                    "affected_functions": null},
                "database_specific": {"cvss": 3, "informational": null, "categories": []}}],
            "references": [{"type": "WEB", "url": "https://rustsec.org/advisories/RUSTSEC-2020-0001.html"}],
            "database_specific": {"severity": "MODERATE", "cwe_ids": ["CWE-476"]}}"#);
        assert_eq!((advisory.id.as_str(), advisory.title.as_str()), ("GHSA-1", "A title"));
        assert_eq!(advisory.aliases, ["CVE-1", "RUSTSEC-2020-0001"]);
        assert_eq!(advisory.patched, [VersionReq::parse(">=1.2.3").unwrap()]);
        assert_eq!((advisory.os, advisory.arch), (vec!["linux".to_owned()], vec![]));
        assert_eq!(advisory.functions[0].path, "foo::bar");
        assert_eq!(advisory.kind, AdvisoryKind::Vulnerability);
        assert_eq!(advisory.date.unwrap().to_string(), "2021-08-25");
    }

    #[test]
    fn events_end_and_begin_again() {
        let advisory = one(&range(
            r#"{"fixed": "3.1.0"}, {"introduced": "0"}, {"introduced": "3"}, {"last_affected": "1.0.0"}, {"introduced": "2.0.0-a", "fixed": "2.1"}"#,
        ));
        for version in ["0.0.0-0", "1.0.0", "1.0.0+x", "2.0.0-a", "2.1.0-rc.1", "3.0.0", "3.1.0-0"] {
            assert!(affects(&advisory, version), "{version}");
        }
        for version in ["1.0.1-0", "1.0.1", "2.0.0-0", "2.1.0", "3.0.0-rc.1", "3.1.0", "4.0.0"] {
            assert!(!affects(&advisory, version), "{version}");
        }
        let patched: Vec<String> = advisory.patched.iter().map(ToString::to_string).collect();
        assert_eq!(patched, [">=2.1.0, <3.0.0", ">=3.1.0"]);
    }

    #[test]
    fn a_range_without_an_end_ends_where_its_database_says() {
        let ranges = r#""ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0.1"}]}]"#;
        let with = |known: &str| {
            one(&record(&format!(
                r#"{ranges}, "database_specific": {{"last_known_affected_version_range": "{known}"}}"#
            )))
        };
        assert!(affects(&with("< 0.2"), "0.1.44") && !affects(&with("< 0.2"), "0.2.0"));
        assert!(affects(&with("<= 0.2.1"), "0.2.1") && !affects(&with("<= 0.2.1"), "0.2.2"));
        assert!(
            affects(&with("unclear"), "9.0.0")
                && affects(&with("> 3"), "9.0.0")
                && affects(&one(&record(ranges)), "9.0.0")
        );
    }

    #[test]
    fn limits_and_single_versions_count() {
        let limited = one(&range(r#"{"introduced": "0"}, {"limit": "1.0.0"}, {"limit": "2.0.0"}"#));
        assert!(affects(&limited, "1.5.0") && !affects(&limited, "2.0.0"));
        let listed = one(&record(r#""versions": ["1.0.0", "not one", "1.2.0+x"]"#));
        assert!(affects(&listed, "1.2.0") && affects(&listed, "1.0.0") && !affects(&listed, "1.1.0"));
        assert_eq!(listed.patched, []);
    }

    #[test]
    fn malware_is_known_by_id_alias_category_or_weakness() {
        let kind = |json: &str| one(json).kind;
        let plain = record(r#""versions": ["1.0.0"]"#);
        assert_eq!(kind(&plain), AdvisoryKind::Vulnerability);
        assert_eq!(kind(&plain.replace("GHSA-1", "MAL-2025-1")), AdvisoryKind::Malicious);
        assert_eq!(kind(&plain.replacen('{', r#"{"aliases": ["MAL-2025-1"], "#, 1)), AdvisoryKind::Malicious);
        let weakness = plain.replacen('{', r#"{"database_specific": {"cwe_ids": ["CWE-506"]}, "#, 1);
        assert_eq!(kind(&weakness), AdvisoryKind::Malicious);
        let category = record(r#""versions": ["1.0.0"], "database_specific": {"categories": ["malicious"]}"#);
        assert_eq!(kind(&category), AdvisoryKind::Malicious);
        let unsound = record(r#""versions": ["1.0.0"], "database_specific": {"informational": "unsound"}"#);
        assert_eq!(kind(&unsound), AdvisoryKind::Unsound);
    }

    #[test]
    fn records_about_other_ecosystems_are_counted() {
        let parsed = parse(record(r#""versions": ["1"]"#).replace("crates.io", "npm").as_bytes(), "x.json");
        assert_eq!((parsed.elsewhere, parsed.advisories, parsed.unreadable), (1, vec![], vec![]));
    }

    #[test]
    fn what_cannot_be_read_names_its_package_where_it_can() {
        let cases = [
            (String::new(), None),
            ("{".to_owned(), None),
            ("[{]".to_owned(), None),
            ("3".to_owned(), None),
            (record(r#""versions": ["1.0.0"#), None),
            (record(r#""versions": 3"#), Some("foo")),
            (record(r#""versions": []"#), Some("foo")),
            (record(r#""ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]"#), Some("foo")),
            (record(r#""ranges": [{"type": "NEW", "events": []}]"#), Some("foo")),
            (range(r#"{"introduced": "one"}"#), Some("foo")),
            (range(r#"{"introduced": "0"}, {"fixed": "1.2.3.4"}"#), Some("foo")),
            (record(r#""versions": ["1.0.0"]"#).replace("\"id\"", "\"no\""), Some("foo")),
        ];
        for (json, package) in cases {
            let parsed = parse(json.as_bytes(), "x.json");
            assert_eq!(parsed.unreadable.len(), 1, "{json}: {parsed:?}");
            assert_eq!(parsed.unreadable[0].package.as_deref(), package, "{json}");
            assert_eq!(parsed.advisories, [], "{json}");
        }
        let nested = "[".repeat(100_000);
        assert_eq!(parse(nested.as_bytes(), "x.json").unreadable.len(), 1);
    }

    #[test]
    fn a_list_and_an_answer_of_the_api_hold_many_records() {
        let (good, bad) = (record(r#""versions": ["1.0.0"]"#), record(r#""versions": 3"#));
        for json in [format!("[{good}, {bad}]"), format!(r#"{{"vulns": [{good}, {bad}]}}"#)] {
            let parsed = parse(json.as_bytes(), "x.json");
            assert_eq!((parsed.advisories.len(), parsed.unreadable.len()), (1, 1), "{json}");
        }
    }

    #[test]
    fn a_hundred_thousand_versions_are_read() {
        let versions: Vec<String> = (0..100_000).map(|index| format!("\"1.{index}.0\"")).collect();
        let advisory = one(&record(&format!(r#""versions": [{}]"#, versions.join(","))));
        assert!(affects(&advisory, "1.99999.0") && !affects(&advisory, "1.99999.1"));
    }

    /// What the OSV schema says in so many words: walk the sorted events up to the version.
    fn walk(events: &[(u8, Version)], version: &Version) -> bool {
        let mut sorted = events.to_vec();
        // At one version an end comes before a beginning; `last_affected` ends right after it.
        sorted.sort_by_key(|(kind, at)| (at.clone(), [1, 0, 2][usize::from(*kind)]));
        let mut affected = false;
        for (kind, at) in &sorted {
            match kind {
                0 if version >= at => affected = true,
                1 if version >= at => affected = false,
                2 if version > at => affected = false,
                _ => {}
            }
        }
        affected
    }

    fn versions() -> impl Strategy<Value = Version> {
        (0..4u64, 0..3u64, prop::sample::select(vec!["", "-0", "-a", "-a.0", "-rc.1"]))
            .prop_map(|(minor, patch, pre)| Version::parse(&format!("1.{minor}.{patch}{pre}")).unwrap())
    }

    proptest! {
        #[test]
        fn events_mean_what_the_schema_says(
            events in prop::collection::vec((0..3u8, versions()), 1..6),
            asked in prop::collection::vec(versions(), 8),
        ) {
            let words = ["introduced", "fixed", "last_affected"];
            let json: Vec<String> =
                events.iter().map(|(kind, at)| format!(r#"{{"{}": "{at}"}}"#, words[usize::from(*kind)])).collect();
            let advisory = one(&range(&json.join(",")));
            for version in asked {
                prop_assert_eq!(advisory.affects(&version), walk(&events, &version), "{}", version);
            }
        }

        #[test]
        fn any_bytes_are_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            parse(&bytes, "x.json");
            drop(rustsec::parse(&bytes, "crates/foo/RUSTSEC-2020-0001.md"));
        }
    }
}
