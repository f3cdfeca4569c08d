#![doc = include_str!("version_not_increased.md")]

use semver::Version;

use super::{Context, known};
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Need, Rule, Scope, Severity};
use crate::subject::release::Release;

/// The rule.
pub static RULE: Rule = Rule {
    id: "version-not-increased",
    summary: "a greater version is published, and this one continues no older line",
    capability: Capability::SecurePublication,
    threats: &["TBT-5410"],
    cwe: &[],
    severity: Severity::Medium,
    default: Level::Deny,
    weaker: Some(Level::Warn),
    scope: Scope::TimeDependent,
    options: &[],
    needs: &[Need::FreshIndex],
    explanation: include_str!("version_not_increased.md"),
    check: Check::Release(check),
};

fn check(release: &Release, _: &Context<'_>) -> Outcome {
    let published = match known(&release.published, release) {
        Ok(published) => published,
        Err(outcome) => return outcome,
    };
    let versions: Vec<&Version> = published.iter().map(|published| &published.version).collect();
    let version = &release.version;
    // One that is there already is for `version-taken`.
    if versions.iter().any(|other| other.cmp_precedence(version).is_eq()) {
        return Outcome::clean();
    }
    let Some(greatest) = versions.iter().copied().max().filter(|greatest| *greatest > version) else {
        return Outcome::clean();
    };
    let continues = |is_in_line: fn(&Version, &Version) -> bool| {
        let line = versions.iter().filter(|other| is_in_line(other, version)).max();
        line.is_some_and(|last| *last < version)
    };
    if continues(is_same_minor) || continues(is_same_major) {
        return Outcome::clean();
    }
    finding(release, nearest(&versions, version), greatest).into()
}

/// The line of patch releases: `1.2.x`.
fn is_same_minor(one: &Version, other: &Version) -> bool {
    is_same_major(one, other) && one.minor == other.minor
}

/// The line of compatible releases: `1.x`. Of `0.x` each minor version is a line of its own, as it is to cargo.
fn is_same_major(one: &Version, other: &Version) -> bool {
    one.major == other.major && (one.major > 0 || one.minor == other.minor)
}

/// The next greater version, which the message names: of its own line where there is one.
fn nearest<'a>(versions: &[&'a Version], version: &Version) -> &'a Version {
    let greater = || versions.iter().copied().filter(|other| *other > version);
    let own = greater().filter(|other| is_same_major(other, version)).min();
    own.or_else(|| greater().min()).expect("the greatest one is greater")
}

fn finding(release: &Release, nearest: &Version, greatest: &Version) -> Finding {
    let greatest_too = if nearest == greatest { String::new() } else { format!(", and even {greatest}") };
    let message = format!("goes back: {nearest} is published{greatest_too}");
    let finding = Finding::new(release.subject(), message)
        .fact("nearest", nearest.to_string())
        .fact("greatest", greatest.to_string())
        .at(release.metadata.location.clone())
        .fix(Fix::new(format!(
            "take a version above {greatest}, or one that follows the last of the line that it continues"
        )));
    if release.is_rehearsal() { finding.weaker() } else { finding }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, messages, published, reasons, rehearsal, release, version};
    use super::*;
    use crate::finding::{Fact, Unknown};

    fn said(wanted: &str, versions: &[&str]) -> Vec<String> {
        let published = versions.iter().map(|version| published(version, 1)).collect();
        let release = Release { version: version(wanted), published: Fact::Known(published), ..release() };
        messages(&check(&RULE, &release))
    }

    #[test]
    fn a_version_below_its_own_line_goes_back() {
        for (wanted, versions, message) in [
            ("1.2.3", &["1.2.4"][..], "goes back: 1.2.4 is published"),
            ("1.2.3", &["1.2.2", "1.2.4", "2.0.0"], "goes back: 1.2.4 is published, and even 2.0.0"),
            ("1.1.0", &["1.0.0", "1.2.0"], "goes back: 1.2.0 is published"),
            ("1.5.0", &["2.0.0"], "goes back: 2.0.0 is published"),
            ("0.3.0", &["0.2.0", "0.4.0"], "goes back: 0.4.0 is published"),
            ("0.0.3", &["0.0.5"], "goes back: 0.0.5 is published"),
            ("1.0.0-beta.1", &["1.0.0-beta.2"], "goes back: 1.0.0-beta.2 is published"),
            ("1.2.4-rc.1", &["1.2.4"], "goes back: 1.2.4 is published"),
        ] {
            assert_eq!(said(wanted, versions), [message], "{wanted} after {versions:?}");
        }
    }

    #[test]
    fn what_continues_an_older_line_is_a_backport() {
        for (wanted, versions) in [
            ("1.2.3", &[][..]),
            ("1.2.3", &["1.2.2"]),
            ("1.2.4", &["1.2.3", "2.0.0"]),
            ("1.2.4", &["1.2.3", "1.3.0", "2.0.0"]),
            ("1.3.0", &["1.2.3", "2.0.0"]),
            ("0.2.5", &["0.2.4", "0.3.0", "1.0.0"]),
            ("0.0.3", &["0.0.2", "0.1.0"]),
            ("1.2.4", &["1.2.3", "1.3.0-alpha.1"]),
            ("1.3.0", &["1.3.0-rc.1"]),
            ("2.0.0-alpha.2", &["2.0.0-alpha.1", "3.0.0"]),
        ] {
            assert_eq!(said(wanted, versions), [""; 0], "{wanted} after {versions:?}");
        }
    }

    #[test]
    fn a_version_that_is_there_is_for_another_rule() {
        assert_eq!(said("1.2.3", &["1.2.3", "1.2.4"]), [""; 0]);
        assert_eq!(said("1.2.3+b", &["1.2.3+a", "1.2.4"]), [""; 0]);
    }

    #[test]
    fn yanked_versions_count_and_a_rehearsal_is_weaker() {
        let mut yanked = published("1.2.4", 1);
        yanked.is_yanked = true;
        let release = Release { published: Fact::Known(vec![yanked]), ..rehearsal() };
        assert_eq!(messages(&check(&RULE, &release)), ["weaker: goes back: 1.2.4 is published"]);
    }

    #[test]
    fn an_index_that_was_not_had_is_not_checked() {
        let unknown = Release { published: Fact::Unknown(Unknown::new("offline")), ..release() };
        assert_eq!(reasons(&check(&RULE, &unknown)), ["offline"]);
    }
}
