#![doc = include_str!("stale_package.md")]

use super::{Context, listed};
use crate::finding::{Finding, Fix, Level, Outcome, Unknown};
use crate::rules::options::{OptionDefault, RuleOption};
use crate::rules::{Capability, Check, Need, Rule, Scope, Severity};
use crate::subject::package::Package;

static MAX_AGE: RuleOption = RuleOption {
    name: "max-age",
    default: OptionDefault::Days(1095),
    about: "a package has to have had a release within so long",
};

/// The rule.
pub static RULE: Rule = Rule {
    id: "stale-package",
    summary: "the package has had no release for years",
    capability: Capability::SecureDependencySelection,
    threats: &["TBT-2300"],
    cwe: &[],
    severity: Severity::Low,
    default: Level::Allow,
    weaker: None,
    scope: Scope::TimeDependent,
    options: &[&MAX_AGE],
    needs: &[Need::FreshIndex],
    explanation: include_str!("stale_package.md"),
    check: Check::Package(check),
};

fn check(package: &Package, context: &Context<'_>) -> Outcome {
    let listing = match listed::listing(package) {
        Ok(listing) => listing,
        Err(outcome) => return outcome,
    };
    // What is not listed at all is for `unlisted-version`.
    if listing.releases == 0 {
        return Outcome::clean();
    }
    let Some((last, published)) = &listing.last_published else {
        return Unknown::new("the index does not say when the last version was published").of(&package.subject());
    };
    let age = listed::age(*published, context.now);
    if age <= context.options.age(&MAX_AGE) {
        return Outcome::clean();
    }
    // Only an entry that says so now shows that nothing came after.
    if let Err(not_checked) = listed::require_confirmed(package, listing) {
        return not_checked.into();
    }
    let message = format!("has had no release for {} (the last one is `{last}`)", listed::in_days(age));
    Finding::new(package.subject(), message)
        .fact("last-release", last.to_string())
        .fact("last-published", published.to_string())
        .fact("releases", listing.releases)
        .at(package.locations.iter().cloned())
        .fix(Fix::new("see whether somebody still looks after it, or whether it is simply finished"))
        .into()
}

#[cfg(test)]
mod tests {
    use super::super::listed::tests::{
        check, listing, messages, needs_an_index, package, reasons, unconfirmed, version,
    };
    use super::*;

    fn last(time: &str) -> Package {
        let mut package = package();
        listing(&mut package).last_published = time.parse().ok().map(|time| (version("1.2.0"), time));
        package
    }

    #[test]
    fn years_without_a_release_are_a_finding() {
        assert_eq!(check(&RULE, &last("2023-07-02T00:00:00Z")), Outcome::clean());
        let outcome = check(&RULE, &last("2023-06-30T00:00:00Z"));
        assert_eq!(messages(&outcome), ["has had no release for 1096 days (the last one is `1.2.0`)"]);
        assert_eq!(outcome.findings[0].facts["releases"], 4);
    }

    #[test]
    fn an_older_entry_can_show_a_release_but_not_that_there_was_none() {
        for (time, expected) in [("2026-01-01T00:00:00Z", vec![]), ("2020-01-01T00:00:00Z", vec!["too old"])] {
            let mut package = last(time);
            listing(&mut package).confirmed = unconfirmed();
            assert_eq!(reasons(&check(&RULE, &package)), expected);
        }
        assert_eq!(reasons(&check(&RULE, &last(""))), ["the index does not say when the last version was published"]);
        needs_an_index(&RULE);
    }
}
