#![doc = include_str!("yanked_version.md")]

use semver::Version;

use super::remedy::is_compatible;
use super::{Context, listed, remedy};
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Need, Rule, Scope, Severity};
use crate::subject::package::{Listing, Package};

/// The rule.
pub static RULE: Rule = Rule {
    id: "yanked-version",
    summary: "the locked version was yanked",
    capability: Capability::SecureDependencySelection,
    threats: &["TBT-4200", "TBT-5430"],
    cwe: &[],
    severity: Severity::Medium,
    default: Level::Warn,
    weaker: None,
    scope: Scope::TimeDependent,
    options: &[],
    needs: &[Need::FreshIndex],
    explanation: include_str!("yanked_version.md"),
    check: Check::Package(check),
};

fn check(package: &Package, context: &Context<'_>) -> Outcome {
    let listing = match listed::listing(package) {
        Ok(listing) => listing,
        Err(outcome) => return outcome,
    };
    // What is not listed at all is for `unlisted-version`.
    let Some(release) = &listing.release else { return Outcome::clean() };
    if let Err(not_checked) = listed::require_confirmed(package, listing) {
        return not_checked.into();
    }
    if !release.yanked {
        return Outcome::clean();
    }
    let finding = Finding::new(package.subject(), "was yanked by its publisher").at(package.locations.iter().cloned());
    match nearest(package, listing) {
        Some(version) => finding.fact("nearest", version.to_string()).fix(remedy::update(package, version, context)),
        None => finding.fix(Fix::new("replace the package: every version of it is yanked")),
    }
    .into()
}

/// The version to go to: the next compatible one, else the next one, else the one before.
fn nearest<'a>(package: &Package, listing: &'a Listing) -> Option<&'a Version> {
    let locked = &package.version;
    let stable = |version: &&Version| version.pre.is_empty() || !locked.pre.is_empty();
    let mut later = listing.available.iter().filter(|version| *version > locked).filter(stable).peekable();
    let next = later.peek().copied();
    let compatible = later.find(|version| is_compatible(locked, version));
    let before = || listing.available.iter().rev().filter(|version| *version < locked).find(stable);
    compatible.or_else(|| before().filter(|version| is_compatible(version, locked))).or(next).or_else(before)
}

#[cfg(test)]
mod tests {
    use super::super::listed::tests::{
        check, listing, messages, needs_an_index, package, reasons, unconfirmed, version,
    };
    use super::*;

    fn yanked() -> Package {
        let mut package = package();
        let listing = listing(&mut package);
        listing.release.as_mut().unwrap().yanked = true;
        listing.available.retain(|available| *available != version("1.2.0"));
        package
    }

    #[test]
    fn a_yank_in_a_confirmed_entry_is_a_finding_with_the_nearest_version() {
        assert_eq!(check(&RULE, &package()), Outcome::clean());
        let outcome = check(&RULE, &yanked());
        assert_eq!(messages(&outcome), ["was yanked by its publisher"]);
        assert_eq!(outcome.findings[0].facts["nearest"], "1.2.1");
        assert_eq!(outcome.findings[0].fix.as_ref().unwrap().commands, ["cargo update -p one@1.2.0 --precise 1.2.1"]);
    }

    #[test]
    fn without_a_later_compatible_version_an_earlier_one_is_nearest() {
        for (available, nearest) in [
            (vec!["1.1.0", "2.0.0"], Some("1.1.0")),
            (vec!["0.9.0", "2.0.0", "3.0.0"], Some("2.0.0")),
            (vec!["0.8.0", "0.9.0", "2.0.0-beta.1"], Some("0.9.0")),
            (vec![], None),
        ] {
            let mut package = yanked();
            listing(&mut package).available = available.into_iter().map(version).collect();
            let outcome = check(&RULE, &package);
            let fact = outcome.findings[0].facts.get("nearest").and_then(|fact| fact.as_str().map(str::to_owned));
            assert_eq!(fact.as_deref(), nearest);
        }
    }

    #[test]
    fn an_older_entry_says_nothing_either_way() {
        for mut package in [package(), yanked()] {
            listing(&mut package).confirmed = unconfirmed();
            let outcome = check(&RULE, &package);
            assert_eq!((messages(&outcome).len(), reasons(&outcome)), (0, vec!["too old"]));
        }
        needs_an_index(&RULE);
    }

    #[test]
    fn a_version_that_is_not_listed_is_for_another_rule() {
        let mut package = yanked();
        listing(&mut package).release = None;
        assert_eq!(check(&RULE, &package), Outcome::clean());
    }
}
