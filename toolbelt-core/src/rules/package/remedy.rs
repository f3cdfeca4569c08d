//! Which version puts an advisory right, and what stands in the way of taking it.

use semver::{Version, VersionReq};

use super::Context;
use crate::finding::{Fact, Fix};
use crate::subject::advisory::{Advisory, AdvisoryKind};
use crate::subject::affected_versions::Interval;
use crate::subject::package::{Package, Requirement, Source};

/// How many packages a fix names.
const MOST_NAMES: usize = 3;

/// The fix for what an advisory says of a package.
pub(super) fn fix(package: &Package, advisory: &Advisory, context: &Context<'_>) -> Fix {
    match target(package, advisory, context) {
        Target::Version(version) => update(package, &version, context),
        Target::Meets(requirements) => Fix::new(format!("update to a version that meets {requirements}")),
        Target::Nothing => leave(package, advisory, context),
    }
}

/// Where to go from the locked version.
enum Target {
    /// To this version.
    Version(Version),
    /// To one of these, of which none is known by its number.
    Meets(String),
    /// There is nothing to go to.
    Nothing,
}

/// The smallest version after the locked one that puts it right; one that every requirement on the locked one takes, if
/// there is one.
fn target(package: &Package, advisory: &Advisory, context: &Context<'_>) -> Target {
    let listing = package.listing.as_ref().and_then(Fact::known);
    let locked = &package.version;
    let mut candidates: Vec<Version> = match listing {
        Some(listing) => {
            let stable = listing.available.iter().filter(|version| version.pre.is_empty() || !locked.pre.is_empty());
            stable.filter(|version| is_way_out(advisory, version)).cloned().collect()
        }
        None => advisory.patched.iter().filter_map(first_of).collect(),
    };
    if advisory.kind == AdvisoryKind::Malicious && candidates.iter().all(|version| version < locked) {
        // Releases from before an account was taken over are as good as they were.
        candidates.sort();
        return candidates.pop().map_or(Target::Nothing, Target::Version);
    }
    candidates.retain(|version| version > locked);
    // Compatible before incompatible, then without other advisories before with, then the smallest.
    let other = |version: &Version| listing.is_some() && has_other(package, advisory, version, context);
    candidates.sort_by_cached_key(|version| (!is_compatible(locked, version), other(version), version.clone()));
    match candidates.into_iter().next() {
        Some(version) => Target::Version(version),
        None if listing.is_none() && advisory.patched.iter().any(|patched| is_after(patched, locked)) => {
            Target::Meets(quoted(advisory.patched.iter().filter(|patched| is_after(patched, locked))))
        }
        None => Target::Nothing,
    }
}

/// Whether a version puts it right. Where the database lists no fix, what is not affected is as good.
fn is_way_out(advisory: &Advisory, version: &Version) -> bool {
    if advisory.patched.is_empty() { !advisory.affects(version) } else { advisory.is_patched(version) }
}

/// The first version that meets a requirement, if it is known by its number.
fn first_of(requirement: &VersionReq) -> Option<Version> {
    let from = Interval::of(requirement)?.from?;
    // `> 1.2.3` begins with `1.2.4-0`, which nobody released.
    let is_written = requirement.comparators.iter().any(|comparator| {
        (comparator.major, comparator.minor.unwrap_or(0), comparator.patch.unwrap_or(0), &comparator.pre)
            == (from.major, from.minor, from.patch, &from.pre)
    });
    is_written.then_some(from)
}

fn is_after(requirement: &VersionReq, locked: &Version) -> bool {
    Interval::of(requirement).is_some_and(|interval| interval.until.is_none_or(|until| until > *locked))
}

/// Whether something else that is dangerous is known about a version.
fn has_other(package: &Package, advisory: &Advisory, version: &Version, context: &Context<'_>) -> bool {
    let about = context.knowledge.advisories.known().map_or(&[][..], |advisories| advisories.about(&package.name));
    about.iter().any(|other| {
        let dangerous = match other.kind {
            AdvisoryKind::Malicious | AdvisoryKind::Vulnerability | AdvisoryKind::Unsound => true,
            AdvisoryKind::Unmaintained | AdvisoryKind::Notice => false,
        };
        dangerous && other.id != advisory.id && other.affects(version)
    })
}

/// Whether cargo takes one version where the other one is asked for in the usual way.
pub(super) fn is_compatible(locked: &Version, version: &Version) -> bool {
    let significant = |version: &Version| match (version.major, version.minor) {
        (0, 0) => (0, 0, version.patch),
        (0, minor) => (0, minor, 0),
        (major, _) => (major, 0, 0),
    };
    version >= locked && significant(locked) == significant(version)
}

/// Goes to a version, or says who has to let it first.
pub(super) fn update(package: &Package, version: &Version, context: &Context<'_>) -> Fix {
    let dependents = context.dependencies.dependents_of(package);
    let blockers: Vec<String> = dependents
        .iter()
        .filter_map(|dependent| {
            let asked: Vec<&str> = requirements(dependent, package, context);
            let refuses = |text: &&str| VersionReq::parse(text).is_ok_and(|asked| !asked.matches(version));
            match asked.iter().copied().find(refuses) {
                Some(asked) => Some(format!("`{}` {} (asks for `{asked}`)", dependent.name, dependent.version)),
                None if asked.is_empty() && !is_compatible(&package.version, version) => {
                    Some(format!("`{}` {}", dependent.name, dependent.version))
                }
                None => None,
            }
        })
        .collect();
    let direction = if *version < package.version { "go back to" } else { "update to" };
    if !blockers.is_empty() {
        let summary = format!("{direction} `{version}`; the requirement of {} has to change first", listed(&blockers));
        return Fix::new(summary).command(format!("cargo toolbelt deps why {}", package.name));
    }
    if dependents.is_empty() && !is_compatible(&package.version, version) {
        return Fix::new(format!("{direction} `{version}`, for which the requirement in the manifest has to change"));
    }
    Fix::new(format!("{direction} `{version}`"))
        .command(format!("cargo update -p {}@{} --precise {version}", package.name, package.version))
}

/// What a package asks of another one, as far as that is known: the requirements that its locked version meets.
fn requirements<'a>(dependent: &'a Package, package: &Package, context: &Context<'a>) -> Vec<&'a str> {
    let members = context.dependencies.members.iter();
    let own: Vec<&Requirement> = match &dependent.source {
        Source::Path => members
            .filter(|member| member.name == dependent.name)
            .flat_map(|member| &member.requirements)
            .map(|declared| &declared.requirement)
            .collect(),
        Source::Registry(_) | Source::Git { .. } | Source::Other(_) => {
            let listing = dependent.listing.as_ref().and_then(Fact::known);
            listing
                .and_then(|listing| listing.release.as_ref())
                .map_or(Vec::new(), |it| it.dependencies.iter().collect())
        }
    };
    own.into_iter()
        .filter(|requirement| requirement.name == package.name)
        .filter_map(|requirement| requirement.requirement.as_deref())
        .filter(|text| VersionReq::parse(text).is_ok_and(|asked| asked.matches(&package.version)))
        .collect()
}

/// There is no version to go to.
fn leave(package: &Package, advisory: &Advisory, context: &Context<'_>) -> Fix {
    let dependents = context.dependencies.dependents_of(package);
    let names: Vec<String> =
        dependents.iter().map(|dependent| format!("`{}` {}", dependent.name, dependent.version)).collect();
    let from = if names.is_empty() { String::new() } else { format!(", which {} depends on", listed(&names)) };
    let why = if advisory.patched.is_empty() {
        "no version is known to put this right".to_owned()
    } else {
        format!("no later version is known to put this right ({} would)", quoted(&advisory.patched))
    };
    let what = match advisory.kind {
        AdvisoryKind::Malicious => {
            // Of a package that was taken over only some versions are meant.
            let what = match advisory.affected.intervals() {
                [interval] if *interval == Interval::ALL => format!("remove `{}`", package.name),
                _ => format!("go to a version of `{}` that is not affected", package.name),
            };
            let what = format!("{what}{from}, and take what built or ran this one for compromised");
            return Fix::new(what).command(format!("cargo toolbelt deps why {}", package.name));
        }
        AdvisoryKind::Unmaintained => "replace it by something maintained",
        AdvisoryKind::Vulnerability | AdvisoryKind::Unsound | AdvisoryKind::Notice => {
            "replace it, or show that it does not matter here"
        }
    };
    Fix::new(format!("{why}: {what}{from}")).command(format!("cargo toolbelt deps why {}", package.name))
}

fn listed(names: &[String]) -> String {
    let rest = names.len().saturating_sub(MOST_NAMES);
    let first = names[..names.len() - rest].join(", ");
    if rest == 0 { first } else { format!("{first} and {rest} more") }
}

fn quoted<'a>(requirements: impl IntoIterator<Item = &'a VersionReq>) -> String {
    requirements.into_iter().map(|requirement| format!("`{requirement}`")).collect::<Vec<_>>().join(" or ")
}
