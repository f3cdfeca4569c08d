//! Sets of versions: what an advisory is about, and what puts it right.
//!
//! RustSec lists the versions that are *not* affected as requirements, OSV lists events on a line of versions. Both
//! become the same thing here: intervals of [precedence](https://semver.org/#spec-item-11), in which a pre-release
//! comes before its release and build metadata does not count.

use semver::{BuildMetadata, Comparator, Op, Prerelease, Version, VersionReq};

/// The versions from one to another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interval {
    /// The first version in it; none where there is no earlier one outside.
    pub from: Option<Version>,
    /// The first version after it; none where it does not end.
    pub until: Option<Version>,
}

impl Interval {
    /// Every version.
    pub const ALL: Self = Self { from: None, until: None };

    /// The versions between two bounds, without their build metadata.
    pub fn new(from: Option<Version>, until: Option<Version>) -> Self {
        Self { from: from.map(without_build), until: until.map(without_build) }
    }

    /// One version.
    pub fn only(version: Version) -> Self {
        let version = without_build(version);
        Self { until: successor(&version), from: Some(version) }
    }

    /// What a requirement names in an advisory; none if no version can meet it.
    ///
    /// This is how RustSec reads requirements, which differs from how cargo picks versions: a pre-release is in the
    /// interval that its precedence puts it in, and a part that is left out is zero (`<= 1.2` is `<= 1.2.0`).
    pub fn of(requirement: &VersionReq) -> Option<Self> {
        let mut interval = Self::ALL;
        for comparator in &requirement.comparators {
            interval = interval.and(bounds(comparator));
        }
        (!interval.is_empty()).then_some(interval)
    }

    /// Whether the version is in it.
    pub fn contains(&self, version: &Version) -> bool {
        // Bounds have no build metadata, and a version with some is ordered right after the same one without.
        self.from.as_ref().is_none_or(|from| version >= from) && self.until.as_ref().is_none_or(|until| version < until)
    }

    /// What is in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let until = match (self.until, other.until) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        // `None` is before every version.
        Self { from: self.from.max(other.from), until }
    }

    fn is_empty(&self) -> bool {
        matches!((&self.from, &self.until), (Some(from), Some(until)) if from >= until)
    }
}

/// A set of versions.
///
/// Intervals that neither overlap nor touch, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AffectedVersions(Vec<Interval>);

impl AffectedVersions {
    /// The versions that are in one of these intervals.
    pub fn within(intervals: impl IntoIterator<Item = Interval>) -> Self {
        let mut intervals: Vec<Interval> = intervals.into_iter().filter(|interval| !interval.is_empty()).collect();
        intervals.sort_by(|one, two| one.from.cmp(&two.from));
        let mut union: Vec<Interval> = Vec::with_capacity(intervals.len());
        for interval in intervals {
            match union.last_mut() {
                Some(last) if last.until.as_ref().is_none_or(|until| interval.from.as_ref() <= Some(until)) => {
                    last.until = match (last.until.take(), interval.until) {
                        (Some(one), Some(two)) => Some(one.max(two)),
                        _ => None,
                    };
                }
                _ => union.push(interval),
            }
        }
        Self(union)
    }

    /// The versions that are in none of these intervals.
    pub fn outside(intervals: impl IntoIterator<Item = Interval>) -> Self {
        let mut outside = Vec::new();
        let mut from = Some(None);
        for inside in Self::within(intervals).0 {
            // Nothing comes before the first version.
            if inside.from.is_some() {
                outside.push(Interval { from: from.flatten(), until: inside.from });
            }
            from = inside.until.map(Some);
        }
        if let Some(from) = from {
            outside.push(Interval { from, until: None });
        }
        Self(outside)
    }

    /// Whether the version is in the set.
    pub fn contains(&self, version: &Version) -> bool {
        self.0.iter().any(|interval| interval.contains(version))
    }

    /// The intervals, ascending; between two of them there is at least one version.
    pub fn intervals(&self) -> &[Interval] {
        &self.0
    }

    /// Whether no version is in the set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The first version after this one: `1.2.4-0` comes right after `1.2.3`, and `1.2.3-a.0` right after `1.2.3-a`.
///
/// None if there is none.
pub fn successor(version: &Version) -> Option<Version> {
    if version.pre.is_empty() {
        return before_all_of(next_patch(version.major, version.minor, version.patch)?);
    }
    let pre = Prerelease::new(&format!("{}.0", version.pre)).ok()?;
    Some(Version { pre, build: BuildMetadata::EMPTY, ..version.clone() })
}

fn bounds(comparator: &Comparator) -> Interval {
    let at = Version {
        major: comparator.major,
        minor: comparator.minor.unwrap_or(0),
        patch: comparator.patch.unwrap_or(0),
        pre: comparator.pre.clone(),
        build: BuildMetadata::EMPTY,
    };
    let (major, minor, patch) = (at.major, at.minor, at.patch);
    let next = match (comparator.op, comparator.minor, comparator.patch) {
        (Op::Greater, ..) => {
            // Nothing comes after the last version there can be.
            let from = successor(&at);
            return match from {
                Some(from) => Interval { from: Some(from), until: None },
                None => Interval { from: Some(at.clone()), until: Some(at) },
            };
        }
        (Op::GreaterEq, ..) => return Interval { from: Some(at), until: None },
        (Op::Less, ..) => return Interval { from: None, until: Some(at) },
        (Op::LessEq, ..) => return Interval { from: None, until: successor(&at) },
        (Op::Tilde | Op::Wildcard, Some(_), _) => next_minor(major, minor),
        (Op::Caret, Some(0), Some(_)) if major == 0 => next_patch(0, 0, patch),
        (Op::Caret, Some(_), _) if major == 0 => next_minor(0, minor),
        (Op::Caret | Op::Tilde | Op::Wildcard, ..) => next_major(major),
        // `=`, and what `semver` may learn: requirements name what is not affected, so the least is the safe reading.
        _ => return Interval::only(at),
    };
    Interval { from: Some(at), until: next.and_then(before_all_of) }
}

fn next_major(major: u64) -> Option<Version> {
    Some(Version::new(major.checked_add(1)?, 0, 0))
}

fn next_minor(major: u64, minor: u64) -> Option<Version> {
    minor.checked_add(1).map(|minor| Version::new(major, minor, 0)).or_else(|| next_major(major))
}

fn next_patch(major: u64, minor: u64, patch: u64) -> Option<Version> {
    patch.checked_add(1).map(|patch| Version::new(major, minor, patch)).or_else(|| next_minor(major, minor))
}

/// `-0` is the lowest pre-release there is.
fn before_all_of(mut version: Version) -> Option<Version> {
    version.pre = Prerelease::new("0").ok()?;
    Some(version)
}

fn without_build(mut version: Version) -> Version {
    version.build = BuildMetadata::EMPTY;
    version
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    fn outside(requirements: &[&str]) -> AffectedVersions {
        let intervals = requirements.iter().map(|text| Interval::of(&VersionReq::parse(text).unwrap()).unwrap());
        AffectedVersions::outside(intervals)
    }

    fn written(versions: &AffectedVersions) -> String {
        let bound = |bound: &Option<Version>| bound.as_ref().map_or("…".to_owned(), ToString::to_string);
        let intervals: Vec<String> = versions
            .0
            .iter()
            .map(|interval| format!("[{}, {})", bound(&interval.from), bound(&interval.until)))
            .collect();
        intervals.join(" ")
    }

    #[test]
    fn everything_is_affected_where_nothing_is_excepted() {
        assert_eq!(written(&outside(&[])), "[…, …)");
        assert_eq!(written(&outside(&["*"])), "");
    }

    #[test]
    fn what_is_not_patched_is_affected() {
        assert_eq!(written(&outside(&[">= 0.2.23"])), "[…, 0.2.23)");
        assert_eq!(written(&outside(&["^1.2", ">= 3", "< 0.5"])), "[0.5.0, 1.2.0) [2.0.0-0, 3.0.0)");
        assert_eq!(written(&outside(&["~1.2.3"])), "[…, 1.2.3) [1.3.0-0, …)");
        assert_eq!(written(&outside(&["^0.0.3", "^0.1"])), "[…, 0.0.3) [0.0.4-0, 0.1.0) [0.2.0-0, …)");
        assert_eq!(written(&outside(&["^0"])), "[…, 0.0.0) [1.0.0-0, …)");
        assert_eq!(written(&outside(&["< 1.4.1", "> 1.4.1"])), "[1.4.1, 1.4.2-0)");
        assert_eq!(
            written(&outside(&["= 0.2.0", "=0.2.1", "> 1.0.0-rc.1"])),
            "[…, 0.2.0) [0.2.1-0, 0.2.1) [0.2.2-0, 1.0.0-rc.1.0)"
        );
    }

    #[test]
    fn requirements_that_overlap_or_nest_are_one_set() {
        assert_eq!(written(&outside(&[">= 1.0", ">= 2.0", "^1.3", "< 0.2, > 0.1"])), "[…, 0.1.1-0) [0.2.0, 1.0.0)");
    }

    #[test]
    fn a_requirement_that_nothing_meets_is_told() {
        assert_eq!(Interval::of(&VersionReq::parse(">= 2, < 1").unwrap()), None);
        assert_eq!(
            Interval::of(
                &VersionReq::parse("> 18446744073709551615.18446744073709551615.18446744073709551615").unwrap()
            ),
            None
        );
    }

    #[test]
    fn a_prerelease_comes_before_its_release() {
        let affected = outside(&[">= 2.0.0"]);
        assert!(affected.contains(&version("2.0.0-rc.1")));
        assert!(!affected.contains(&version("2.0.1-rc.1")));
    }

    #[test]
    fn build_metadata_does_not_count() {
        let affected = outside(&[">= 111.25, < 300.0", ">= 300.0.12"]);
        assert!(!affected.contains(&version("111.25.0+1.1.1t")));
        assert!(affected.contains(&version("300.0.11+3.0.7")));
        assert!(Interval::only(version("1.0.0+a")).contains(&version("1.0.0+b")));
        assert!(!Interval::new(None, Some(version("1.0.0+b"))).contains(&version("1.0.0+a")));
    }

    #[test]
    fn the_last_number_carries() {
        let last = version("1.2.18446744073709551615");
        assert_eq!(successor(&last).unwrap(), version("1.3.0-0"));
        assert_eq!(successor(&version("18446744073709551615.18446744073709551615.18446744073709551615")), None);
    }

    #[test]
    fn touching_intervals_become_one() {
        let affected = AffectedVersions::within([
            Interval::new(Some(version("2.0.0")), None),
            Interval::new(Some(version("1.0.0")), Some(version("2.0.0"))),
            Interval::new(Some(version("3.0.0")), Some(version("1.0.0"))),
        ]);
        assert_eq!(written(&affected), "[1.0.0, …)");
    }
}
