//! What the rules share that judge a package by its registry's index.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::finding::{Fact, NotChecked, Outcome, Unknown};
use crate::subject::package::{Listing, Package, Source};

/// What the index says of a package; the outcome of a rule that needed it where it says nothing.
pub(super) fn listing(package: &Package) -> Result<&Listing, Outcome> {
    match (&package.listing, &package.source) {
        (Some(Fact::Known(listing)), _) => Ok(listing),
        (Some(Fact::Unknown(unknown)), _) => Err(unknown.of(&package.subject())),
        (None, Source::Registry(_)) => {
            Err(Unknown::new("the registry's index was not looked at").of(&package.subject()))
        }
        // No index lists what comes from a path or a git repository.
        (None, Source::Path | Source::Git { .. } | Source::Other(_)) => Err(Outcome::clean()),
    }
}

/// Makes sure that the index was confirmed lately; else that is what there is to say.
pub(super) fn require_confirmed(package: &Package, listing: &Listing) -> Result<(), NotChecked> {
    match &listing.confirmed {
        Fact::Known(_) => Ok(()),
        Fact::Unknown(unknown) => Err(NotChecked { subject: Some(package.subject()), reason: unknown.clone() }),
    }
}

/// How long ago something was; not at all if it lies in the future.
pub(super) fn age(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then).max(SignedDuration::ZERO)).unwrap_or(Duration::MAX)
}

/// Whole days.
pub(super) fn days(age: Duration) -> u64 {
    age.as_secs() / (24 * 60 * 60)
}

/// "1 day", "2 days".
pub(super) fn in_days(age: Duration) -> String {
    match days(age) {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use semver::Version;

    use crate::finding::{Fact, Outcome, Unknown};
    use crate::rules::options::{OptionValue, Options, RuleOption};
    use crate::rules::package::{Context, Knowledge};
    use crate::rules::{Check, Rule};
    use crate::subject::advisory::Advisories;
    use crate::subject::dependencies::Dependencies;
    use crate::subject::digest::Sha256Digest;
    use crate::subject::package::{Listing, Package, Release, Source};

    /// The day of the run.
    pub(in crate::rules::package) const NOW: &str = "2026-06-30T12:00:00Z";

    pub(in crate::rules::package) fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    /// Version 1.2.0 of `one`, published ten days before the run, with 1.1.0, 1.2.1 and 2.0.0 beside it.
    pub(in crate::rules::package) fn package() -> Package {
        let checksum = Sha256Digest::new([7; 32]);
        let published = "2026-06-20T12:00:00Z".parse().ok();
        let release = Release { checksum, yanked: false, published, dependencies: Vec::new() };
        Package {
            name: "one".to_owned(),
            version: version("1.2.0"),
            source: Source::crates_io(),
            checksum: Some(checksum),
            locations: Vec::new(),
            usage: Fact::Unknown(Unknown::new("no manifest")),
            listing: Some(Fact::Known(Listing {
                release: Some(release),
                releases: 4,
                first_published: "2020-01-01T00:00:00Z".parse().ok(),
                last_published: Some((version("2.0.0"), "2026-06-25T12:00:00Z".parse().unwrap())),
                available: ["1.1.0", "1.2.0", "1.2.1", "2.0.0"].map(version).to_vec(),
                confirmed: Fact::Known("2026-06-30T00:00:00Z".parse().unwrap()),
            })),
            archive: None,
        }
    }

    pub(in crate::rules::package) fn listing(package: &mut Package) -> &mut Listing {
        match &mut package.listing {
            Some(Fact::Known(listing)) => listing,
            _ => panic!("not listed"),
        }
    }

    pub(in crate::rules::package) fn unconfirmed() -> Fact<jiff::Timestamp> {
        Fact::Unknown(Unknown::new("too old"))
    }

    pub(in crate::rules::package) fn check(rule: &'static Rule, package: &Package) -> Outcome {
        check_with(rule, package, &[], Fact::Known(Advisories::default()))
    }

    pub(in crate::rules::package) fn check_with(
        rule: &'static Rule,
        package: &Package,
        options: &[(&'static RuleOption, OptionValue)],
        advisories: Fact<Advisories>,
    ) -> Outcome {
        let mut set = Options::default();
        for (option, value) in options {
            set.set(option, value.clone());
        }
        let dependencies = Dependencies { packages: vec![package.clone()], ..Dependencies::default() };
        let knowledge = Knowledge {
            advisories,
            names: Fact::Unknown(Unknown::new("no names")),
            cached_names: std::collections::BTreeSet::new(),
        };
        let context =
            Context { now: NOW.parse().unwrap(), options: &set, dependencies: &dependencies, knowledge: &knowledge };
        let Check::Package(check) = rule.check else { panic!("not a rule for packages") };
        check(package, &context)
    }

    pub(in crate::rules::package) fn messages(outcome: &Outcome) -> Vec<&str> {
        outcome.findings.iter().map(|finding| finding.message.as_str()).collect()
    }

    pub(in crate::rules::package) fn reasons(outcome: &Outcome) -> Vec<&str> {
        outcome.not_checked.iter().map(|not_checked| not_checked.reason.reason.as_str()).collect()
    }

    /// What every rule that reads the index owes: silence on other sources, and a reason where there is no index.
    pub(in crate::rules::package) fn needs_an_index(rule: &'static Rule) {
        let local = Package { source: Source::Path, listing: None, checksum: None, ..package() };
        assert_eq!(check(rule, &local), Outcome::clean());
        let unknown = Package { listing: Some(Fact::Unknown(Unknown::new("no network"))), ..package() };
        assert_eq!(reasons(&check(rule, &unknown)), ["no network"]);
        let unasked = Package { listing: None, ..package() };
        let outcome = check(rule, &unasked);
        assert_eq!((outcome.findings.len(), reasons(&outcome)), (0, vec!["the registry's index was not looked at"]));
    }
}
