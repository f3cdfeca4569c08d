#![doc = include_str!("fresh_release.md")]

use super::{Context, listed};
use crate::finding::{Fact, Finding, Fix, Level, Outcome, Unknown};
use crate::rules::options::{OptionDefault, RuleOption};
use crate::rules::{Capability, Check, Need, Rule, Scope, Severity};
use crate::subject::advisory::{Advisories, AdvisoryKind};
use crate::subject::package::{Listing, Package};

static MIN_AGE: RuleOption =
    RuleOption { name: "min-age", default: OptionDefault::Days(7), about: "a release has to be out for so long" };

/// The rule.
pub static RULE: Rule = Rule {
    id: "fresh-release",
    summary: "the locked version was published only just now",
    capability: Capability::SecureDependencySelection,
    threats: &["TBT-2300", "TBT-4200"],
    cwe: &[],
    severity: Severity::Low,
    default: Level::Warn,
    weaker: None,
    scope: Scope::TimeDependent,
    options: &[&MIN_AGE],
    needs: &[Need::Advisories, Need::Index],
    explanation: include_str!("fresh_release.md"),
    check: Check::Package(check),
};

fn check(package: &Package, context: &Context<'_>) -> Outcome {
    let listing = match listed::listing(package) {
        Ok(listing) => listing,
        Err(outcome) => return outcome,
    };
    // What is not listed at all is for `unlisted-version`.
    let Some(release) = &listing.release else { return Outcome::clean() };
    let Some(published) = release.published else {
        return Unknown::new("the index does not say when the version was published").of(&package.subject());
    };
    let age = listed::age(published, context.now);
    let min_age = context.options.age(&MIN_AGE);
    if age >= min_age || fixed_advisory(package, listing, &context.knowledge.advisories).is_some() {
        return Outcome::clean();
    }
    let when = match listed::days(age) {
        0 => "less than a day ago".to_owned(),
        _ => format!("{} ago", listed::in_days(age)),
    };
    let older = listing.available.iter().rev().find(|version| **version < package.version);
    let fix = match older {
        Some(older) => format!("wait until it is {} old, or stay at `{older}`", listed::in_days(min_age)),
        None => format!("wait until it is {} old", listed::in_days(min_age)),
    };
    Finding::new(package.subject(), format!("was published {when}"))
        .fact("published", published.to_string())
        .fact("min-age-days", listed::days(min_age))
        .at(package.locations.iter().cloned())
        .fix(Fix::new(fix))
        .into()
}

/// The advisory that the locked version puts right: the version before it is affected, and it is not.
///
/// Only the version right before counts. Otherwise every release of a package that once had an advisory would be
/// exempt for ever.
fn fixed_advisory<'a>(package: &Package, listing: &Listing, advisories: &'a Fact<Advisories>) -> Option<&'a str> {
    if !package.source.is_crates_io() {
        return None;
    }
    let before = listing.available.iter().rev().find(|version| **version < package.version)?;
    let is_harm = |kind| match kind {
        AdvisoryKind::Malicious | AdvisoryKind::Vulnerability | AdvisoryKind::Unsound => true,
        AdvisoryKind::Unmaintained | AdvisoryKind::Notice => false,
    };
    advisories
        .known()?
        .about(&package.name)
        .iter()
        .find(|advisory| is_harm(advisory.kind) && advisory.affects(before) && !advisory.affects(&package.version))
        .map(|advisory| advisory.id.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::listed::tests::{
        check, check_with, listing, messages, needs_an_index, package, reasons, version,
    };
    use super::*;
    use crate::rules::options::OptionValue;
    use crate::subject::advisory::Advisory;
    use crate::subject::affected_versions::{AffectedVersions, Interval};

    fn published(time: &str) -> Package {
        let mut package = package();
        listing(&mut package).release.as_mut().unwrap().published = time.parse().ok();
        package
    }

    #[test]
    fn releases_younger_than_the_least_age_are_findings() {
        assert_eq!(check(&RULE, &published("2026-06-23T12:00:00Z")), Outcome::clean(), "seven days to the second");
        let outcome = check(&RULE, &published("2026-06-23T12:00:01Z"));
        assert_eq!(messages(&outcome), ["was published 6 days ago"]);
        let fix = &outcome.findings[0].fix.as_ref().unwrap().summary;
        assert_eq!(fix, "wait until it is 7 days old, or stay at `1.1.0`");
        assert_eq!(messages(&check(&RULE, &published("2026-06-30T11:00:00Z"))), ["was published less than a day ago"]);
        assert_eq!(messages(&check(&RULE, &published("2027-01-01T00:00:00Z"))).len(), 1, "a time in the future");
    }

    #[test]
    fn policy_sets_the_least_age() {
        let long = OptionValue::Age(std::time::Duration::from_hours(24 * 30));
        let outcome = check_with(&RULE, &package(), &[(&MIN_AGE, long)], Fact::Known(Advisories::default()));
        assert_eq!(messages(&outcome), ["was published 10 days ago"]);
    }

    #[test]
    fn an_index_without_times_cannot_be_judged() {
        assert_eq!(reasons(&check(&RULE, &published(""))), ["the index does not say when the version was published"]);
        needs_an_index(&RULE);
    }

    #[test]
    fn the_release_that_fixes_an_advisory_is_exempt_and_later_ones_are_not() {
        for (until, findings) in [("1.2.0", 0), ("1.1.0", 1), ("2.0.0", 1)] {
            let advisory = Advisory {
                id: "RUSTSEC-2026-0001".to_owned(),
                aliases: Vec::new(),
                package: "one".to_owned(),
                title: String::new(),
                kind: AdvisoryKind::Vulnerability,
                date: None,
                withdrawn: None,
                url: None,
                references: Vec::new(),
                cvss: None,
                rating: None,
                affected: AffectedVersions::within([Interval::new(None, Some(version(until)))]),
                patched: Vec::new(),
                os: Vec::new(),
                arch: Vec::new(),
                functions: Vec::new(),
            };
            let advisories = Fact::Known(Advisories::new([advisory], []));
            let outcome = check_with(&RULE, &published("2026-06-29T12:00:00Z"), &[], advisories);
            assert_eq!(outcome.findings.len(), findings, "affected until {until}");
        }
    }
}
