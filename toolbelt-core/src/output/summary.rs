//! What human and Markdown output say alike: titles, counts, groups and the verdict in words.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::{Finding, Level, Unknown};
use crate::report::{Exempted, Gap, Judged, Report, State, Verdict};
use crate::subject::{Location, Subject};

/// `time 0.1.44`, or the name alone where there is no version.
pub(super) fn named(subject: &Subject) -> String {
    match &subject.version {
        Some(version) => format!("{} {version}", subject.name),
        None => subject.name.clone(),
    }
}

/// Subject and message; a file that the place names already is not named again.
pub(super) fn title(judged: &Judged) -> String {
    let finding = &judged.finding;
    let commit = commit(finding);
    match finding.locations.first() {
        Some(location) if location.path == finding.subject.name => format!("{}{commit}", finding.message),
        _ => format!("{}: {}{commit}", named(&finding.subject), finding.message),
    }
}

/// The commit that has it, where one does and is not the subject itself.
fn commit(finding: &Finding) -> String {
    let commit = finding.facts.get("commit").and_then(|commit| commit.as_str());
    match commit.filter(|commit| *commit != finding.subject.name) {
        Some(commit) => format!(" (commit {})", commit.get(..12).unwrap_or(commit)),
        None => String::new(),
    }
}

/// `Cargo.lock:8:1`.
pub(super) fn place(location: &Location) -> String {
    match &location.region {
        Some(region) => format!("{}:{}:{}", location.path, region.line, region.column),
        None => location.path.clone(),
    }
}

/// How many findings are denied, and how many are warned of.
pub(super) fn levels(report: &Report) -> (usize, usize) {
    let denied = report.findings.iter().filter(|judged| judged.level == Level::Deny).count();
    (denied, report.findings.len() - denied)
}

/// How many rules that deny could not look, counted once for each subject.
pub(super) fn denying_gaps(report: &Report) -> usize {
    report.not_checked.iter().filter(|gap| gap.level == Level::Deny).count()
}

/// What the verdict rests on: `2 denied, 3 warned`. Empty for a pass without anything to add.
pub(super) fn because(report: &Report) -> String {
    let (denied, warned) = levels(report);
    let gaps = denying_gaps(report);
    let mut parts = Vec::new();
    match report.verdict {
        Verdict::Pass => {}
        Verdict::Incomplete if report.coverage.saw_nothing => parts.push("nothing was looked at".to_owned()),
        Verdict::Incomplete => {
            if report.coverage.could_not_look {
                parts.push("not everything could be looked at".to_owned());
            }
            if gaps > 0 {
                parts.push(plural(gaps, "denying check could not be made", "denying checks could not be made"));
            }
        }
        Verdict::Fail if denied == 0 => parts.push(format!("{gaps} not checked")),
        Verdict::Fail => parts.push(format!("{denied} denied")),
    }
    if warned > 0 {
        parts.push(format!("{warned} warned"));
    }
    if !report.exempted.is_empty() {
        parts.push(format!("{} exempted", report.exempted.len()));
    }
    parts.join(", ")
}

/// `1 finding`, `2 findings`.
pub(super) fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// What was looked at: `lockfiles 1, packages 1128`.
pub(super) fn looked_at(report: &Report) -> String {
    let counts = report.coverage.counts.iter();
    let counts: Vec<String> = counts.map(|(what, number)| format!("{} {number}", what.replace('-', " "))).collect();
    if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") }
}

/// What was not looked at, one text for each kind.
pub(super) fn skipped(report: &Report) -> impl Iterator<Item = String> {
    report.coverage.skipped.iter().map(|skipped| format!("{} {} ({})", skipped.count, skipped.what, skipped.why))
}

/// The data sources that are not fresh: `advisory-db stale (2026-08-21)`.
pub(super) fn unreliable_sources(report: &Report) -> Vec<String> {
    let unreliable = report.sources.iter().filter(|source| match source.state {
        State::Fresh => false,
        State::Stale | State::Missing => true,
    });
    unreliable
        .map(|source| match &source.date {
            Some(date) => format!("{} {} ({date})", source.name, source.state.as_str()),
            None => format!("{} {}", source.name, source.state.as_str()),
        })
        .collect()
}

/// What accepts a finding, until when, who answers for it and why: `exemption until 2027-01-31, release team: …`.
pub(super) fn acceptance(exempted: &Exempted) -> String {
    let mut text = exempted.by.as_str().to_owned();
    if let Some(until) = exempted.until {
        text = format!("{text} until {until}");
    }
    if let Some(owner) = &exempted.owner {
        text = format!("{text}, {owner}");
    }
    text = format!("{text}: {}", exempted.reason);
    if exempted.by_the_change_itself {
        text.push_str(" (added by the change itself)");
    }
    text
}

/// Checks that could not be made for the same reason.
#[derive(Debug)]
pub(super) struct GapGroup<'a> {
    pub(super) unknown: &'a Unknown,
    /// The highest level among the rules.
    pub(super) level: Level,
    pub(super) rules: BTreeSet<&'static str>,
    /// What was not looked at; empty when it was everything that the rules are for.
    pub(super) subjects: BTreeSet<&'a Subject>,
    /// How many checks.
    pub(super) count: usize,
}

/// Groups what was not checked by reason: those that the verdict can depend on first, then the largest.
pub(super) fn gap_groups(gaps: &[Gap]) -> Vec<GapGroup<'_>> {
    let mut groups: BTreeMap<&Unknown, GapGroup<'_>> = BTreeMap::new();
    for gap in gaps {
        let unknown = &gap.not_checked.reason;
        let group = groups.entry(unknown).or_insert_with(|| GapGroup {
            unknown,
            level: gap.level,
            rules: BTreeSet::new(),
            subjects: BTreeSet::new(),
            count: 0,
        });
        group.level = group.level.max(gap.level);
        group.rules.insert(gap.rule.id);
        group.subjects.extend(&gap.not_checked.subject);
        group.count += 1;
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|group| (std::cmp::Reverse(group.level), std::cmp::Reverse(group.count)));
    groups
}

/// Groups findings by rule, in the order in which the rules first occur.
pub(super) fn by_rule<'a>(findings: impl IntoIterator<Item = &'a Judged>) -> Vec<Vec<&'a Judged>> {
    let mut groups: Vec<Vec<&Judged>> = Vec::new();
    let mut index: BTreeMap<&str, usize> = BTreeMap::new();
    for judged in findings {
        let at = *index.entry(judged.rule.id).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(judged),
            None => groups.push(vec![judged]),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::example;

    #[test]
    fn a_verdict_says_what_it_rests_on() {
        let mut report = example::report();
        assert_eq!(because(&report), "1 denied, 1 warned, 1 exempted");
        report.findings.clear();
        report.exempted.clear();
        report.not_checked[0].level = Level::Deny;
        assert_eq!(because(&report), "1 not checked");
        report.verdict = Verdict::Incomplete;
        assert_eq!(because(&report), "1 denying check could not be made");
        report.coverage.could_not_look = true;
        assert_eq!(because(&report), "not everything could be looked at, 1 denying check could not be made");
        report.not_checked.clear();
        assert_eq!(because(&report), "not everything could be looked at");
        report.coverage.saw_nothing = true;
        assert_eq!(because(&report), "nothing was looked at");
        assert_eq!(because(&example::clean()), "");
    }

    #[test]
    fn gaps_with_the_same_reason_are_told_once_and_denying_ones_first() {
        let gap = |name: &str, level, reason: &str| Gap {
            rule: &example::VULNERABLE,
            level,
            not_checked: crate::finding::NotChecked {
                subject: Some(Subject::package(name, "1.0.0")),
                reason: Unknown::new(reason),
            },
        };
        let gaps = [
            gap("a", Level::Warn, "offline"),
            gap("b", Level::Warn, "offline"),
            gap("c", Level::Deny, "database missing"),
        ];
        let groups = gap_groups(&gaps);
        assert_eq!(groups[0].unknown.reason, "database missing");
        assert_eq!((groups[1].count, groups[1].subjects.len()), (2, 2));
    }
}
