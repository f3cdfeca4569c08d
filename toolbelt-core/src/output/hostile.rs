//! Reports whose every text was written by an attacker, for the property tests of the formats.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::example;
use crate::finding::{Finding, Fix, Level, NotChecked, Unknown};
use crate::report::{Coverage, Exempted, ExemptedBy, Gap, Judged, Report, SourceState, State, Verdict};
use crate::subject::{Kind, Location, Region, Subject};

const BAIT: &[&str] = &[
    "\u{1b}[31m",
    "\u{1b}]8;;http://x\u{7}",
    "\u{9b}",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "\u{202e}",
    "\u{200b}",
    "\u{2028}",
    "\u{e0041}",
    "|",
    "`",
    "``",
    "\\",
    "\\|",
    "<script>",
    "</details>",
    "<!--",
    "@octocat",
    "&amp;",
    "#1",
    "[x](y)",
    "![x](y)",
    "*",
    "_",
    "~~",
    "https://x.example",
    " ",
    "%",
    ":",
    "\"",
    "\u{3000}",
    "ä",
    "日本",
];

/// Any text, with what terminals, tables and pages react to more often than chance would have it.
pub(super) fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![select(BAIT).prop_map(str::to_owned), any::<char>().prop_map(String::from), "[a-z]{1,8}"];
    vec(part, 0..8).prop_map(|parts| parts.concat())
}

fn subject() -> impl Strategy<Value = Subject> {
    let kind = select(&[Kind::Package, Kind::Blob, Kind::Ref][..]);
    (kind, text(), proptest::option::of(text()), proptest::option::of(text()), text()).prop_map(
        |(kind, name, version, purl, digest)| Subject {
            kind,
            name,
            version,
            purl,
            digest: BTreeMap::from([("sha256", digest)]),
        },
    )
}

fn region() -> impl Strategy<Value = Region> {
    // Whether it fits the text or not.
    (1..40u32, 1..40u32, 0..60usize, 0..60usize).prop_map(|(line, column, start, end)| Region {
        line,
        column,
        start,
        end,
    })
}

fn judged() -> impl Strategy<Value = Judged> {
    let rule = select(vec![&example::VULNERABLE, &example::LOOKALIKE]);
    let level = select(&[Level::Warn, Level::Deny][..]);
    let location = (text(), proptest::option::of(region())).prop_map(|(path, region)| Location { path, region });
    let fix = (text(), vec(text(), 0..3)).prop_map(|(summary, commands)| Fix { summary, commands });
    (rule, level, subject(), text(), text(), vec(location, 0..6), proptest::option::of(fix)).prop_map(
        |(rule, level, subject, message, fact, locations, fix)| {
            let mut finding = Finding::new(subject, message).fact("target", fact).at(locations);
            finding.fix = fix;
            Judged { rule, level, finding }
        },
    )
}

fn gap() -> impl Strategy<Value = Gap> {
    let reason = (text(), proptest::option::of(text())).prop_map(|(reason, hint)| Unknown { reason, hint });
    let level = select(&[Level::Warn, Level::Deny][..]);
    (level, proptest::option::of(subject()), reason).prop_map(|(level, subject, reason)| Gap {
        rule: &example::VULNERABLE,
        level,
        not_checked: NotChecked { subject, reason },
    })
}

/// A report with every text, place and number left to chance.
pub(super) fn report() -> impl Strategy<Value = Report> {
    let verdict = select(&[Verdict::Pass, Verdict::Incomplete, Verdict::Fail][..]);
    let exempted = (judged(), text(), proptest::option::of(text()), any::<bool>());
    let exempted = exempted.prop_map(|(judged, reason, owner, by_the_change_itself)| Exempted {
        judged,
        by: if by_the_change_itself { ExemptedBy::Inline } else { ExemptedBy::Exemption },
        reason,
        owner,
        until: None,
        by_the_change_itself,
    });
    let source = (text(), proptest::option::of(text()), proptest::option::of(text()));
    let source = source.prop_map(|(name, date, digest)| SourceState { name, date, digest, state: State::Stale });
    let skipped = vec((text(), text()), 0..3);
    let parts = (vec(judged(), 0..8), vec(exempted, 0..3), vec(gap(), 0..4), vec(source, 0..3), skipped);
    (text(), verdict, parts, text()).prop_map(|(tool, verdict, parts, source)| {
        let (findings, exempted, not_checked, sources, skipped) = parts;
        let mut coverage = Coverage::default();
        coverage.count("packages", 7);
        for (what, why) in skipped {
            coverage.skip(what, 1, why);
        }
        let places = findings.iter().flat_map(|judged| &judged.finding.locations);
        let texts = places.map(|location| (location.path.clone(), source.clone())).collect();
        Report { tool, verdict, findings, exempted, not_checked, coverage, sources, texts, ..example::clean() }
    })
}
