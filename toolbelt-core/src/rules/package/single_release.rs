#![doc = include_str!("single_release.md")]

use super::{Context, listed};
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Need, Rule, Scope, Severity};
use crate::subject::package::Package;

/// The rule.
pub static RULE: Rule = Rule {
    id: "single-release",
    summary: "the package was released only once",
    capability: Capability::SecureDependencySelection,
    threats: &["TBT-2300"],
    cwe: &[],
    severity: Severity::Low,
    default: Level::Allow,
    weaker: None,
    scope: Scope::TimeDependent,
    options: &[],
    needs: &[Need::FreshIndex],
    explanation: include_str!("single_release.md"),
    check: Check::Package(check),
};

fn check(package: &Package, context: &Context<'_>) -> Outcome {
    let listing = match listed::listing(package) {
        Ok(listing) => listing,
        Err(outcome) => return outcome,
    };
    // None at all is for `unlisted-version`.
    if listing.releases != 1 {
        return Outcome::clean();
    }
    if let Err(not_checked) = listed::require_confirmed(package, listing) {
        return not_checked.into();
    }
    let when = listing.first_published;
    let ago = when.map(|when| format!(", {} ago", listed::in_days(listed::age(when, context.now)))).unwrap_or_default();
    let mut finding = Finding::new(package.subject(), format!("has had one release ever{ago}"))
        .at(package.locations.iter().cloned())
        .fix(Fix::new("look at the package and its publisher before relying on it"));
    if let Some(when) = when {
        finding = finding.fact("published", when.to_string());
    }
    finding.into()
}

#[cfg(test)]
mod tests {
    use super::super::listed::tests::{check, listing, messages, needs_an_index, package, reasons, unconfirmed};
    use super::*;

    #[test]
    fn one_release_ever_is_a_finding() {
        let mut package = package();
        assert_eq!(check(&RULE, &package), Outcome::clean());
        listing(&mut package).releases = 1;
        assert_eq!(messages(&check(&RULE, &package)), ["has had one release ever, 2372 days ago"]);
        listing(&mut package).first_published = None;
        assert_eq!(messages(&check(&RULE, &package)), ["has had one release ever"]);
        listing(&mut package).confirmed = unconfirmed();
        assert_eq!(reasons(&check(&RULE, &package)), ["too old"]);
        listing(&mut package).releases = 2;
        assert_eq!(check(&RULE, &package), Outcome::clean(), "two stay two");
        needs_an_index(&RULE);
    }
}
