#![doc = include_str!("unlisted_version.md")]

use super::{Context, listed};
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Need, Rule, Scope, Severity};
use crate::subject::package::Package;

/// The rule.
pub static RULE: Rule = Rule {
    id: "unlisted-version",
    summary: "the registry does not list the locked version",
    capability: Capability::SecureIngestion,
    threats: &["TBT-4200", "TBT-5410", "TBT-5420"],
    cwe: &[],
    severity: Severity::High,
    default: Level::Warn,
    weaker: None,
    scope: Scope::TimeDependent,
    options: &[],
    needs: &[Need::FreshIndex],
    explanation: include_str!("unlisted_version.md"),
    check: Check::Package(check),
};

fn check(package: &Package, _: &Context<'_>) -> Outcome {
    let listing = match listed::listing(package) {
        Ok(listing) => listing,
        Err(outcome) => return outcome,
    };
    if listing.release.is_some() {
        return Outcome::clean();
    }
    if let Err(not_checked) = listed::require_confirmed(package, listing) {
        return not_checked.into();
    }
    let message = match listing.releases {
        0 => "the registry does not list a package of this name",
        _ => "the registry does not list this version",
    };
    let finding = Finding::new(package.subject(), message)
        .fact("releases", listing.releases)
        .at(package.locations.iter().cloned());
    match listing.available.last() {
        Some(newest) => finding.fix(
            Fix::new(format!("find out why it was removed, then lock a version that is listed, such as `{newest}`"))
                .command(format!("cargo update -p {}@{}", package.name, package.version)),
        ),
        None => finding.fix(Fix::new("find out why it was removed, and replace the package")),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::super::listed::tests::{check, listing, messages, needs_an_index, package, reasons, unconfirmed};
    use super::*;

    #[test]
    fn versions_and_names_that_are_not_listed_are_findings() {
        let mut package = package();
        assert_eq!(check(&RULE, &package), Outcome::clean());
        listing(&mut package).release = None;
        assert_eq!(messages(&check(&RULE, &package)), ["the registry does not list this version"]);
        listing(&mut package).releases = 0;
        listing(&mut package).available.clear();
        assert_eq!(messages(&check(&RULE, &package)), ["the registry does not list a package of this name"]);
    }

    #[test]
    fn what_an_older_entry_lacks_may_have_been_published_since() {
        let mut package = package();
        listing(&mut package).confirmed = unconfirmed();
        assert_eq!(check(&RULE, &package), Outcome::clean(), "what is listed stays so");
        listing(&mut package).release = None;
        assert_eq!(reasons(&check(&RULE, &package)), ["too old"]);
        needs_an_index(&RULE);
    }
}
