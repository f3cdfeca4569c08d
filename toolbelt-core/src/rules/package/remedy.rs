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
    let needed = match names.as_slice() {
        [] => String::new(),
        [one] => format!(" ({one} depends on it)"),
        several => format!(" ({} depend on it)", listed(several)),
    };
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
            let what = format!("{what}{needed}, and take what built or ran this one for compromised");
            return Fix::new(what).command(format!("cargo toolbelt deps why {}", package.name));
        }
        AdvisoryKind::Unmaintained => "replace it by something maintained",
        AdvisoryKind::Vulnerability | AdvisoryKind::Unsound | AdvisoryKind::Notice => {
            "replace it, or show that it does not matter here"
        }
    };
    Fix::new(format!("{why}: {what}{needed}")).command(format!("cargo toolbelt deps why {}", package.name))
}

fn listed(names: &[String]) -> String {
    let rest = names.len().saturating_sub(MOST_NAMES);
    match &names[..names.len() - rest] {
        [first @ .., last] if rest == 0 && !first.is_empty() => format!("{} and {last}", first.join(", ")),
        first if rest == 0 => first.join(", "),
        first => format!("{} and {rest} more", first.join(", ")),
    }
}

fn quoted<'a>(requirements: impl IntoIterator<Item = &'a VersionReq>) -> String {
    requirements.into_iter().map(|requirement| format!("`{requirement}`")).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Unknown;
    use crate::rules::options::Options;
    use crate::rules::package::{Knowledge, affected};
    use crate::subject::Location;
    use crate::subject::advisory::{Advisories, Unreadable};
    use crate::subject::affected_versions::AffectedVersions;
    use crate::subject::dependencies::{Declared, DeclaredSource, Dependencies, Locked, LockedPackage, Member};
    use crate::subject::names::Names;
    use crate::subject::package::{DependencyKind, Listing, Registry};

    fn advisory(id: &str, patched: &[&str], unaffected: &[&str]) -> Advisory {
        let requirements =
            |texts: &[&str]| -> Vec<VersionReq> { texts.iter().map(|text| VersionReq::parse(text).unwrap()).collect() };
        let not_affected = requirements(&[patched, unaffected].concat());
        Advisory {
            id: id.to_owned(),
            aliases: Vec::new(),
            package: "foo".to_owned(),
            title: "title".to_owned(),
            kind: AdvisoryKind::Vulnerability,
            date: None,
            withdrawn: None,
            url: None,
            references: Vec::new(),
            cvss: None,
            rating: None,
            affected: AffectedVersions::outside(not_affected.iter().filter_map(Interval::of)),
            patched: requirements(patched),
            os: Vec::new(),
            arch: Vec::new(),
            functions: Vec::new(),
        }
    }

    /// An `app` that depends on `foo`, with what the index and the app's manifest say.
    fn tree(version: &str, source: Source, available: Option<&[&str]>, asks: Option<&str>) -> Dependencies {
        let locked = |name: &str, version: &str, source, dependencies| LockedPackage {
            name: name.to_owned(),
            version: Version::parse(version).unwrap(),
            source,
            checksum: None,
            location: Location::whole_file("Cargo.lock"),
            dependencies,
        };
        let packages = vec![locked("app", "1.0.0", Source::Path, vec![1]), locked("foo", version, source, vec![])];
        let declared = |requirement: &str| Declared {
            requirement: Requirement {
                name: "foo".to_owned(),
                requirement: Some(requirement.to_owned()),
                kind: DependencyKind::Normal,
                target: None,
                optional: false,
            },
            from: DeclaredSource::CratesIo,
            location: Location::whole_file("Cargo.toml"),
        };
        let member = Member {
            name: "app".to_owned(),
            manifest: "Cargo.toml".to_owned(),
            lockfile: "Cargo.lock".to_owned(),
            location: Location::whole_file("Cargo.toml"),
            publish: None,
            requirements: asks.map(declared).into_iter().collect(),
        };
        let locked = Locked { path: "Cargo.lock".to_owned(), packages };
        let mut dependencies = Dependencies::new(vec![locked], vec![member]);
        dependencies.packages[1].listing = available.map(|available| {
            Fact::Known(Listing {
                release: None,
                releases: available.len(),
                first_published: None,
                last_published: None,
                available: available.iter().map(|version| Version::parse(version).unwrap()).collect(),
                confirmed: Fact::Unknown(Unknown::new("not asked")),
            })
        });
        dependencies
    }

    fn judged(
        dependencies: &Dependencies,
        advisories: Fact<Advisories>,
        kind: AdvisoryKind,
    ) -> crate::finding::Outcome {
        let knowledge = Knowledge {
            advisories,
            names: Fact::Known(Names::default()),
            cached_names: std::collections::BTreeSet::new(),
        };
        let options = Options::default();
        let now = jiff::Timestamp::UNIX_EPOCH;
        let context = Context { now, options: &options, dependencies, knowledge: &knowledge };
        affected::judge(&dependencies.packages[1], &context, kind, "has a known vulnerability")
    }

    fn fix_of(dependencies: &Dependencies, advisories: &[Advisory]) -> Fix {
        let kind = advisories[0].kind;
        let outcome = judged(dependencies, Fact::Known(Advisories::new(advisories.to_vec(), [])), kind);
        let is_it = |finding: &crate::finding::Finding| finding.facts["advisory"] == advisories[0].id.as_str();
        outcome.findings.into_iter().find(is_it).unwrap().fix.unwrap()
    }

    const ID: &str = "RUSTSEC-2020-0001";
    const PATCHED: &[&str] = &["^1.2.3", ">= 2.0.1"];

    #[test]
    fn a_list_of_names_reads_as_a_sentence() {
        let names = ["a", "b", "c", "d", "e"].map(str::to_owned);
        let read = [1, 2, 3, 5].map(|count| listed(&names[..count]));
        assert_eq!(read, ["a", "a and b", "a, b and c", "a, b, c and 2 more"]);
    }

    #[test]
    fn the_smallest_patched_version_that_is_there_is_the_fix() {
        let one = [advisory(ID, PATCHED, &[])];
        let listed =
            tree("1.0.0", Source::crates_io(), Some(&["1.0.0", "1.2.5-rc.1", "1.2.5", "1.3.0", "2.0.1"]), None);
        let fix = fix_of(&listed, &one);
        assert_eq!(fix.commands, ["cargo update -p foo@1.0.0 --precise 1.2.5"]);
        // Without the index, what the advisory says.
        let fix = fix_of(&tree("1.0.0", Source::crates_io(), None, None), &one);
        assert_eq!(fix.commands, ["cargo update -p foo@1.0.0 --precise 1.2.3"]);
    }

    #[test]
    fn a_version_with_another_vulnerability_is_only_taken_where_there_is_no_better() {
        let both = [advisory(ID, PATCHED, &[]), advisory("RUSTSEC-2020-0002", &[">= 1.3.0"], &[])];
        let fix = fix_of(&tree("1.0.0", Source::crates_io(), Some(&["1.2.5", "1.3.0"]), None), &both);
        assert_eq!(fix.summary, "update to `1.3.0`");
        let fix = fix_of(&tree("1.0.0", Source::crates_io(), Some(&["1.2.5", "2.0.1"]), None), &both);
        assert_eq!(fix.summary, "update to `1.2.5`");
    }

    #[test]
    fn who_stands_in_the_way_is_named() {
        let one = [advisory(ID, &[">= 2.0.1"], &[])];
        let fix = |asks| fix_of(&tree("1.0.0", Source::crates_io(), Some(&["2.0.1"]), asks), &one).summary;
        let way = "update to `2.0.1`; the requirement of `app` 1.0.0";
        assert_eq!(fix(Some("^1")), format!("{way} (asks for `^1`) has to change first"));
        assert_eq!(fix(None), format!("{way} has to change first"));
        assert_eq!(fix(Some(">= 1")), "update to `2.0.1`");
    }

    #[test]
    fn a_patch_without_a_number_is_told_as_it_is_written() {
        let one = [advisory(ID, &["> 1.2.3"], &[])];
        let fix = fix_of(&tree("1.0.0", Source::crates_io(), None, None), &one);
        assert_eq!(fix.summary, "update to a version that meets `>1.2.3`");
    }

    #[test]
    fn without_a_patch_it_is_to_be_replaced() {
        let one = [advisory(ID, &[], &[])];
        let fix = fix_of(&tree("1.0.0", Source::crates_io(), Some(&["1.0.0", "2.0.0"]), None), &one);
        assert!(fix.summary.starts_with("no version is known to put this right: replace it"), "{}", fix.summary);
        let gone = [advisory(ID, PATCHED, &[])];
        let fix = fix_of(&tree("1.0.0", Source::crates_io(), Some(&["1.0.0"]), None), &gone);
        assert!(fix.summary.starts_with("no later version is known"), "{}", fix.summary);
    }

    #[test]
    fn from_a_malicious_release_there_is_a_way_back() {
        let malicious = |unaffected| Advisory { kind: AdvisoryKind::Malicious, ..advisory(ID, &[], unaffected) };
        let taken_over = [malicious(&["<= 0.3.9"])];
        let fix = fix_of(&tree("0.3.10", Source::crates_io(), Some(&["0.3.8", "0.3.9"]), None), &taken_over);
        assert!(fix.summary.starts_with("go back to `0.3.9`"), "{}", fix.summary);
        let fix = fix_of(&tree("0.3.10", Source::crates_io(), None, None), &taken_over);
        assert!(fix.summary.starts_with("go to a version of `foo` that is not affected"), "{}", fix.summary);
        let whole = [malicious(&[])];
        let fix = fix_of(&tree("0.3.10", Source::crates_io(), Some(&[]), None), &whole);
        assert!(fix.summary.starts_with("remove `foo` (`app` 1.0.0 depends on it)"), "{}", fix.summary);
    }

    #[test]
    fn packages_from_elsewhere_are_not_the_ones_that_are_meant() {
        let advisories = || Fact::Known(Advisories::new([advisory(ID, PATCHED, &[])], []));
        let elsewhere = Source::Registry(Registry::new("sparse+https://example.org/"));
        let outcome = judged(&tree("1.0.0", elsewhere, None, None), advisories(), AdvisoryKind::Vulnerability);
        assert_eq!(outcome, crate::finding::Outcome::clean());
    }

    #[test]
    fn what_could_not_be_read_was_not_checked() {
        let tree = tree("1.0.0", Source::crates_io(), None, None);
        let missing = judged(&tree, Fact::Unknown(Unknown::new("there is none")), AdvisoryKind::Vulnerability);
        assert_eq!(missing.not_checked[0].reason.reason, "there is none");
        let file = |package: &str| Unreadable {
            path: "crates/foo/RUSTSEC-2020-0009.md".to_owned(),
            line: Some(3),
            reason: "expected an advisory".to_owned(),
            package: Some(package.to_owned()),
        };
        let advisories = Advisories::new([advisory(ID, PATCHED, &[])], [file("foo"), file("bar")]);
        let outcome = judged(&tree, Fact::Known(advisories), AdvisoryKind::Vulnerability);
        assert_eq!(outcome.findings.len(), 1);
        assert_eq!(
            outcome.not_checked.iter().map(|it| it.reason.reason.as_str()).collect::<Vec<_>>(),
            ["an advisory cannot be read, `crates/foo/RUSTSEC-2020-0009.md`, line 3: expected an advisory"]
        );
    }
}
