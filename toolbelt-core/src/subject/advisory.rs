//! What is known to be wrong with versions of packages.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use semver::{Version, VersionReq};

use super::affected_versions::{AffectedVersions, Interval};

/// Every advisory that could be read, by package, and what could not be read.
///
/// One vulnerability is here once for each package, however many databases tell of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Advisories {
    /// Sorted by id.
    by_package: BTreeMap<String, Vec<Advisory>>,
    unreadable: Vec<Unreadable>,
    withdrawn: usize,
    merged: usize,
}

/// Something that is known about some versions of a package.
#[derive(Debug, Clone, PartialEq)]
pub struct Advisory {
    /// `RUSTSEC-…` where RustSec has it, else the id of the database that does.
    pub id: String,
    /// What other databases call it, sorted.
    pub aliases: Vec<String>,
    /// The package it is about.
    pub package: String,
    /// One line.
    pub title: String,
    /// What sort of thing it says.
    pub kind: AdvisoryKind,
    /// When it was published.
    pub date: Option<Date>,
    /// Since when it no longer counts.
    pub withdrawn: Option<Date>,
    /// Where it was first told, where the database says so.
    pub url: Option<String>,
    /// Further reading, in the database's order.
    pub references: Vec<String>,
    /// A CVSS vector, as the database writes it.
    pub cvss: Option<String>,
    /// How bad the database says it is, where there is no vector.
    pub rating: Option<Rating>,
    /// The versions it is about.
    pub affected: AffectedVersions,
    /// The versions that put it right, as the database lists them.
    pub patched: Vec<VersionReq>,
    /// The only operating systems it is about, as `target_os` writes them; empty for all.
    pub os: Vec<String>,
    /// The only processor architectures it is about, as `target_arch` writes them; empty for all.
    pub arch: Vec<String>,
    /// Where in the package it is, where the database says so.
    pub functions: Vec<AffectedFunction>,
}

/// What sort of thing an advisory says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AdvisoryKind {
    /// The package was published to do harm.
    Malicious,
    /// The package has a vulnerability.
    Vulnerability,
    /// Safe code can cause undefined behaviour through the package.
    Unsound,
    /// Nobody looks after the package any more.
    Unmaintained,
    /// Something else that its users should know.
    Notice,
}

/// How bad a vulnerability is, in the words of [CVSS](https://www.first.org/cvss/).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the words are those of CVSS")]
pub enum Rating {
    None,
    Low,
    Medium,
    High,
    Critical,
}

/// A function that an advisory names.
#[derive(Debug, Clone, PartialEq)]
pub struct AffectedFunction {
    /// A Rust path that starts with the crate's name.
    pub path: String,
    /// The versions in which it is affected; empty for all that the advisory is about.
    pub versions: Vec<VersionReq>,
}

/// A record of an advisory database that could not be read, so that it is not known what it says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unreadable {
    /// Relative to the database, with `/`.
    pub path: String,
    /// Counted from 1.
    pub line: Option<u32>,
    /// What was expected; one line, lower case, without a full stop.
    pub reason: String,
    /// The package it is about, where the path or the readable part says so.
    pub package: Option<String>,
}

impl Advisories {
    /// Puts together what the databases say.
    ///
    /// Withdrawn records are dropped. Records about one package that name each other, or have a name in common, are
    /// one advisory, which RustSec's record describes if there is one; two records of RustSec are never merged. Of two
    /// records with one id the first counts, unless the other one says that it was withdrawn.
    pub fn new(records: impl IntoIterator<Item = Advisory>, unreadable: impl IntoIterator<Item = Unreadable>) -> Self {
        let mut this = Self { unreadable: unreadable.into_iter().collect(), ..Self::default() };
        this.unreadable.sort();
        this.unreadable.dedup();
        for record in records {
            this.by_package.entry(record.package.clone()).or_default().push(record);
        }
        for records in this.by_package.values_mut() {
            let withdrawn: BTreeSet<String> =
                records.iter().filter(|record| record.withdrawn.is_some()).map(|record| record.id.clone()).collect();
            records.retain(|record| !withdrawn.contains(&record.id));
            this.withdrawn += withdrawn.len();
            let count = records.len();
            if count > 1 {
                *records = merge(std::mem::take(records));
                this.merged += count - records.len();
            }
        }
        this.by_package.retain(|_, records| !records.is_empty());
        this
    }

    /// Puts together what [`Advisories::new`] once did, in the order of [`Advisories::iter`].
    pub(crate) fn restore(
        advisories: Vec<Advisory>,
        unreadable: Vec<Unreadable>,
        withdrawn: usize,
        merged: usize,
    ) -> Self {
        let mut by_package: BTreeMap<String, Vec<Advisory>> = BTreeMap::new();
        for advisory in advisories {
            match by_package.get_mut(&advisory.package) {
                Some(known) => known.push(advisory),
                None => drop(by_package.insert(advisory.package.clone(), vec![advisory])),
            }
        }
        Self { by_package, unreadable, withdrawn, merged }
    }

    /// The advisories about a package, sorted by id.
    pub fn about(&self, package: &str) -> &[Advisory] {
        self.by_package.get(package).map_or(&[], Vec::as_slice)
    }

    /// The records that may be about a package and could not be read, sorted by path.
    pub fn unreadable_about<'a>(&'a self, package: &'a str) -> impl Iterator<Item = &'a Unreadable> {
        self.unreadable.iter().filter(move |file| file.package.as_deref().is_none_or(|name| name == package))
    }

    /// All advisories, sorted by package, then by id.
    pub fn iter(&self) -> impl Iterator<Item = &Advisory> {
        self.by_package.values().flatten()
    }

    /// How many advisories there are.
    pub fn len(&self) -> usize {
        self.by_package.values().map(Vec::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_package.is_empty()
    }

    /// What could not be read, sorted by path.
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }

    /// How many records were left out because they were withdrawn.
    pub fn withdrawn(&self) -> usize {
        self.withdrawn
    }

    /// How many records told of an advisory that is already here.
    pub fn merged(&self) -> usize {
        self.merged
    }
}

impl Advisory {
    /// Whether this version is among those it is about.
    pub fn affects(&self, version: &Version) -> bool {
        self.affected.contains(version)
    }

    /// Whether this version puts it right: listed as patched and not affected.
    pub fn is_patched(&self, version: &Version) -> bool {
        !self.affects(version)
            && self.patched.iter().filter_map(Interval::of).any(|interval| interval.contains(version))
    }

    /// The functions that are affected in this version.
    pub fn functions_in<'a>(&'a self, version: &'a Version) -> impl Iterator<Item = &'a str> {
        self.functions
            .iter()
            .filter(|function| {
                function.versions.is_empty() || function.versions.iter().any(|versions| versions.matches(version))
            })
            .map(|function| function.path.as_str())
    }

    /// How bad it is: what the CVSS vector says, else the word of the database.
    pub fn rating(&self) -> Option<Rating> {
        let from_vector = self.cvss.as_deref().and_then(|vector| vector.parse::<cvss::Cvss>().ok());
        from_vector.map(|vector| Rating::from_cvss(vector.severity())).or(self.rating)
    }

    /// The page that its database has for it.
    pub fn page(&self) -> String {
        if self.id.starts_with("RUSTSEC-") {
            format!("https://rustsec.org/advisories/{}.html", self.id)
        } else if self.id.starts_with("GHSA-") {
            format!("https://github.com/advisories/{}", self.id)
        } else {
            format!("https://osv.dev/vulnerability/{}", self.id)
        }
    }

    /// Its id and its aliases.
    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.aliases.iter().map(String::as_str))
    }

    /// Takes in another record of the same thing. What is said here counts; what is missing here is taken from there.
    fn absorb(&mut self, other: Self) {
        self.aliases.push(other.id);
        self.aliases.extend(other.aliases);
        self.aliases.sort();
        self.aliases.dedup();
        self.aliases.retain(|alias| *alias != self.id);
        // RustSec may take a while to learn why a crate was removed.
        if other.kind == AdvisoryKind::Malicious {
            self.kind = AdvisoryKind::Malicious;
        }
        self.cvss = self.cvss.take().or(other.cvss);
        self.rating = self.rating.or(other.rating);
        self.url = self.url.take().or(other.url);
    }
}

impl Rating {
    /// The word used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    const fn from_cvss(severity: cvss::Severity) -> Self {
        match severity {
            cvss::Severity::None => Self::None,
            cvss::Severity::Low => Self::Low,
            cvss::Severity::Medium => Self::Medium,
            cvss::Severity::High => Self::High,
            cvss::Severity::Critical => Self::Critical,
        }
    }
}

/// Merges the records about one package, and sorts them by id.
fn merge(mut records: Vec<Advisory>) -> Vec<Advisory> {
    // Stable, so that the first of two with one id stays first.
    records.sort_by(|one, two| (rank(&one.id), &one.id).cmp(&(rank(&two.id), &two.id)));
    let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, record) in records.iter().enumerate() {
        for name in record.names() {
            by_name.entry(name.to_owned()).or_default().push(index);
        }
    }
    let mut records: Vec<Option<Advisory>> = records.into_iter().map(Some).collect();
    let mut merged = Vec::new();
    for index in 0..records.len() {
        let Some(mut advisory) = records[index].take() else { continue };
        let mut names: Vec<String> = advisory.names().map(str::to_owned).collect();
        while let Some(name) = names.pop() {
            for index in by_name.remove(&name).unwrap_or_default() {
                // RustSec tells its advisories apart on purpose, also where they share a CVE.
                let same = records[index].take_if(|record| rank(&record.id) != 0 || record.id == advisory.id);
                let Some(record) = same else { continue };
                names.extend(record.names().map(str::to_owned));
                advisory.absorb(record);
            }
        }
        merged.push(advisory);
    }
    merged.sort_by(|one, two| one.id.cmp(&two.id));
    merged
}

/// Whose record describes an advisory that several databases tell of.
fn rank(id: &str) -> usize {
    const ORDER: [&str; 4] = ["RUSTSEC-", "MAL-", "GHSA-", "CVE-"];
    ORDER.iter().position(|prefix| id.starts_with(prefix)).unwrap_or(ORDER.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, package: &str, aliases: &[&str]) -> Advisory {
        Advisory {
            id: id.to_owned(),
            aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
            package: package.to_owned(),
            title: format!("title of {id}"),
            kind: AdvisoryKind::Vulnerability,
            date: None,
            withdrawn: None,
            url: None,
            references: Vec::new(),
            cvss: None,
            rating: None,
            affected: AffectedVersions::within([Interval::ALL]),
            patched: Vec::new(),
            os: Vec::new(),
            arch: Vec::new(),
            functions: Vec::new(),
        }
    }

    fn ids(advisories: &Advisories) -> Vec<String> {
        advisories.iter().map(|one| format!("{} {}: {}", one.package, one.id, one.aliases.join(" "))).collect()
    }

    #[test]
    fn a_record_that_names_a_rustsec_advisory_is_that_advisory() {
        let records = [
            record("GHSA-1", "foo", &["CVE-1"]),
            record("RUSTSEC-2020-0001", "foo", &["GHSA-1"]),
            record("CVE-1", "foo", &[]),
            record("GHSA-2", "foo", &["RUSTSEC-2020-0001"]),
            record("GHSA-3", "foo", &["RUSTSEC-2099-0001"]),
        ];
        let expected = ["foo GHSA-3: RUSTSEC-2099-0001", "foo RUSTSEC-2020-0001: CVE-1 GHSA-1 GHSA-2"];
        for turn in 0..records.len() {
            let mut records = records.clone();
            records.rotate_left(turn);
            let advisories = Advisories::new(records, []);
            assert_eq!(ids(&advisories), expected);
            assert_eq!(advisories.merged(), 3);
        }
    }

    #[test]
    fn advisories_about_other_packages_stay_apart() {
        let advisories =
            Advisories::new([record("RUSTSEC-2020-0001", "foo", &["GHSA-1"]), record("GHSA-1", "bar", &[])], []);
        assert_eq!(ids(&advisories), ["bar GHSA-1: ", "foo RUSTSEC-2020-0001: GHSA-1"]);
    }

    #[test]
    fn two_rustsec_advisories_are_two_also_where_they_share_a_cve() {
        let records = [
            record("RUSTSEC-2020-0002", "foo", &["CVE-1"]),
            record("RUSTSEC-2020-0001", "foo", &["CVE-1"]),
            record("GHSA-1", "foo", &["CVE-1"]),
        ];
        let advisories = Advisories::new(records, []);
        assert_eq!(ids(&advisories), ["foo RUSTSEC-2020-0001: CVE-1 GHSA-1", "foo RUSTSEC-2020-0002: CVE-1"]);
    }

    #[test]
    fn a_withdrawn_record_is_dropped_but_not_what_another_database_says() {
        let withdrawn =
            Advisory { withdrawn: Some(Date::constant(2021, 1, 1)), ..record("RUSTSEC-2020-0001", "foo", &["GHSA-1"]) };
        let copy = record("RUSTSEC-2020-0001", "foo", &[]);
        let advisories = Advisories::new([copy, withdrawn, record("GHSA-1", "foo", &["RUSTSEC-2020-0001"])], []);
        assert_eq!(ids(&advisories), ["foo GHSA-1: RUSTSEC-2020-0001"]);
        assert_eq!(advisories.withdrawn(), 1);
    }

    #[test]
    fn what_one_database_knows_to_be_malicious_is_malicious() {
        let malicious =
            Advisory { kind: AdvisoryKind::Malicious, ..record("MAL-2025-1", "foo", &["RUSTSEC-2025-0001"]) };
        let advisories = Advisories::new([record("RUSTSEC-2025-0001", "foo", &[]), malicious], []);
        assert_eq!(advisories.about("foo")[0].kind, AdvisoryKind::Malicious);
    }

    #[test]
    fn an_unreadable_record_without_a_name_may_be_about_any_package() {
        let unreadable = |package: Option<&str>| Unreadable {
            path: "x".to_owned(),
            line: None,
            reason: "expected JSON".to_owned(),
            package: package.map(str::to_owned),
        };
        let advisories = Advisories::new([], [unreadable(Some("foo")), unreadable(None)]);
        assert_eq!(advisories.unreadable_about("foo").count(), 2);
        assert_eq!(advisories.unreadable_about("bar").count(), 1);
    }

    #[test]
    fn the_vector_says_how_bad_it_is_before_the_word() {
        let mut advisory = Advisory { rating: Some(Rating::Low), ..record("RUSTSEC-2020-0071", "time", &[]) };
        assert_eq!(advisory.rating(), Some(Rating::Low));
        advisory.cvss = Some("CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H".to_owned());
        assert_eq!(advisory.rating(), Some(Rating::Medium));
        advisory.cvss = Some("CVSS:9.9/AV:L".to_owned());
        assert_eq!(advisory.rating(), Some(Rating::Low));
    }

    #[test]
    fn a_vector_that_is_not_whole_is_no_panic() {
        let vectors = [
            "CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
            "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:N/VI:H/VA:L/SC:N/SI:N/SA:N/E:P/MAV:A",
        ];
        for vector in vectors {
            for end in 0..vector.len() {
                let cut = Some(vector[..end].to_owned());
                Advisory { cvss: cut, ..record("RUSTSEC-2020-0071", "time", &[]) }.rating();
            }
            for part in vector.split('/').skip(1) {
                let without = Some(vector.replace(&format!("/{part}"), ""));
                Advisory { cvss: without, ..record("RUSTSEC-2020-0071", "time", &[]) }.rating();
            }
        }
    }
}
