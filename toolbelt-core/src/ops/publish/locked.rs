//! What the lock file has for a release: whether it is withdrawn or vulnerable.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use semver::Version;

use super::Request;
use crate::finding::{Fact, Unknown};
use crate::ops::Watch;
use crate::ops::deps::{self, Lockfiles, Look};
use crate::policy::Policy;
use crate::report::{Coverage, SourceState};
use crate::rules::options::Options;
use crate::rules::package::{Context, known_vulnerability};
use crate::rules::{Check, Need};
use crate::subject::package::{Package, Source};
use crate::subject::release::LockedDependency;

/// What is known of the packages of a lock file, for every release that is made from it.
pub(super) struct LockedPackages {
    look: Look,
    now: jiff::Timestamp,
}

/// Names and versions that a release depends on, each with whether its manifest asks for it itself.
pub(super) type Closure = BTreeMap<(String, Version), bool>;

impl LockedPackages {
    /// Looks up the packages of this lock file.
    ///
    /// # Errors
    ///
    /// As [`deps::run`].
    pub(super) fn look_up(
        request: &Request,
        root: &Path,
        lockfile: &Path,
        policy: &Policy,
        watch: Watch<'_>,
    ) -> Result<Self, deps::Error> {
        let needs = BTreeSet::from([Need::Advisories, Need::Index, Need::FreshIndex]);
        let request = deps::Request {
            environment: request.environment.clone(),
            lockfiles: Lockfiles::Named(vec![lockfile.to_owned()]),
            offline: request.offline,
            deep: false,
            advisory_db: request.advisory_db.clone(),
            names: None,
            policy: request.policy.clone(),
        };
        let look = deps::look(&request, root, policy, &needs, watch)?;
        Ok(Self { look, now: request.environment.now })
    }

    /// What was looked at, and the data that it rests on.
    pub(super) fn told(&self) -> (&Coverage, &[SourceState]) {
        (&self.look.coverage, &self.look.sources)
    }

    /// What a release depends on; `closure` is what its features and targets need.
    pub(super) fn of(&self, closure: &Closure) -> Vec<LockedDependency> {
        let packages = self.look.dependencies.packages.iter();
        let wanted = packages.filter_map(|package| {
            let is_direct = *closure.get(&(package.name.clone(), package.version.clone()))?;
            // Members are judged as releases of their own, or are not published at all.
            matches!(package.source, Source::Registry(_)).then(|| self.locked(package, is_direct))
        });
        wanted.collect()
    }

    fn locked(&self, package: &Package, is_direct: bool) -> LockedDependency {
        LockedDependency {
            name: package.name.clone(),
            version: package.version.clone(),
            is_direct,
            is_yanked: is_yanked(package),
            vulnerabilities: self.vulnerabilities(package),
        }
    }

    /// What the rule for dependencies says, whatever the policy makes of it there.
    fn vulnerabilities(&self, package: &Package) -> Fact<Vec<String>> {
        let Check::Package(check) = known_vulnerability::RULE.check else {
            return Fact::Unknown(Unknown::new("the rule for vulnerabilities judges no packages"));
        };
        let options = Options::default();
        let context = Context {
            now: self.now,
            options: &options,
            dependencies: &self.look.dependencies,
            knowledge: &self.look.knowledge,
        };
        let outcome = check(package, &context);
        let ids = outcome.findings.into_iter().map(|finding| finding.discriminator).collect::<BTreeSet<_>>();
        let stale = self.look.stale.get(&Need::Advisories).cloned();
        let gap = outcome.not_checked.into_iter().map(|gap| gap.reason).next().or(stale);
        match gap {
            // What was seen counts, also where more could be there.
            Some(unknown) if ids.is_empty() => Fact::Unknown(unknown),
            _ => Fact::Known(ids.into_iter().collect()),
        }
    }
}

fn is_yanked(package: &Package) -> Fact<bool> {
    match &package.listing {
        Some(Fact::Known(listing)) => match (&listing.release, &listing.confirmed) {
            (_, Fact::Unknown(unknown)) => Fact::Unknown(unknown.clone()),
            (Some(release), Fact::Known(_)) => Fact::Known(release.yanked),
            (None, Fact::Known(_)) => Fact::Unknown(Unknown::new("the registry does not list this version")),
        },
        Some(Fact::Unknown(unknown)) => Fact::Unknown(unknown.clone()),
        None => Fact::Unknown(Unknown::new("no registry lists it")),
    }
}
