//! Which findings an exemption covers.

use globset::GlobBuilder;
use jiff::civil::Date;
use serde_json::Value;

use crate::finding::Finding;
use crate::subject::exemption::{Covers, Exemption};
use crate::subject::{Kind, Subject};

impl Exemption {
    /// Whether it has ended by this day.
    pub(super) fn is_expired(&self, today: Date) -> bool {
        self.until.is_some_and(|until| until < today)
    }

    /// Whether it is for this finding of this rule; does not ask whether it has ended.
    pub(super) fn covers(&self, rule: &str, finding: &Finding) -> bool {
        self.rule == rule
            && self.covers.subject(&finding.subject)
            && self.covers.advisory(finding)
            && self.covers.value(finding)
    }
}

impl Covers {
    /// Whether it is for this subject.
    pub(super) fn subject(&self, subject: &Subject) -> bool {
        let Some(pattern) = self.subject.as_deref() else { return true };
        match (pattern.starts_with("pkg:"), &subject.purl) {
            (true, Some(purl)) => purl == pattern || without_version(purl) == pattern,
            (true, None) | (false, Some(_)) => false,
            (false, None) => match subject.kind {
                Kind::Blob | Kind::Ref | Kind::Workflow => is_match(pattern, &subject.name),
                Kind::Package | Kind::Repository | Kind::Commit | Kind::Release => pattern == subject.name,
            },
        }
    }

    fn value(&self, finding: &Finding) -> bool {
        let Some(wanted) = &self.value else { return true };
        finding.facts.get(VALUE).and_then(Value::as_str) == Some(wanted)
    }

    fn advisory(&self, finding: &Finding) -> bool {
        let Some(wanted) = &self.advisory else { return true };
        let is_it = |value: &Value| value.as_str() == Some(wanted);
        finding.facts.get("advisory").is_some_and(is_it)
            || finding.facts.get("aliases").and_then(Value::as_array).is_some_and(|aliases| aliases.iter().any(is_it))
    }
}

/// The fact by which a finding names the secret that it is about.
pub(crate) const VALUE: &str = "value";

/// `pkg:cargo/foo@1.2.3?q` becomes `pkg:cargo/foo?q`: an exemption may be for every version.
fn without_version(purl: &str) -> String {
    let (path, qualifiers) = purl.find('?').map_or((purl, ""), |at| purl.split_at(at));
    let path = path.rsplit_once('@').map_or(path, |(name, _)| name);
    format!("{path}{qualifiers}")
}

/// Whether a path falls under a glob, of which `*` stays within a folder.
pub(super) fn is_match(pattern: &str, path: &str) -> bool {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    glob.is_ok_and(|glob| glob.compile_matcher().is_match(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(subject: &str) -> Covers {
        Covers { subject: Some(subject.to_owned()), ..Covers::default() }
    }

    #[test]
    fn purl_without_version_covers_every_version_of_that_package_alone() {
        let package = Subject::package("foo", "1.2.3");
        assert!(covers("pkg:cargo/foo").subject(&package));
        assert!(covers("pkg:cargo/foo@1.2.3").subject(&package));
        assert!(!covers("pkg:cargo/foo@1.2.4").subject(&package));
        assert!(!covers("pkg:cargo/fo").subject(&package));
        assert!(!covers("**").subject(&package), "a path glob is not for packages");
    }

    #[test]
    fn purl_of_crates_io_does_not_cover_a_package_of_that_name_from_elsewhere() {
        let git = Subject {
            purl: Some("pkg:cargo/foo@1.2.3?vcs_url=git%2Bhttps:%2F%2Fx".to_owned()),
            ..Subject::package("foo", "1.2.3")
        };
        assert!(!covers("pkg:cargo/foo").subject(&git));
        assert!(covers("pkg:cargo/foo?vcs_url=git%2Bhttps:%2F%2Fx").subject(&git));
    }

    #[test]
    fn one_star_stays_within_a_folder() {
        assert!(covers("tests/*.pem").subject(&Subject::blob("tests/a.pem")));
        assert!(!covers("tests/*.pem").subject(&Subject::blob("tests/keys/a.pem")));
        assert!(covers("tests/**").subject(&Subject::blob("tests/keys/a.pem")));
    }

    #[test]
    fn advisory_is_met_by_id_or_alias() {
        let finding = Finding::new(Subject::package("foo", "1.2.3"), "m")
            .fact("advisory", "RUSTSEC-2020-0001")
            .fact("aliases", vec!["CVE-2020-1"]);
        let by = |id: &str| Covers { advisory: Some(id.to_owned()), ..Covers::default() };
        assert!(by("RUSTSEC-2020-0001").advisory(&finding));
        assert!(by("CVE-2020-1").advisory(&finding));
        assert!(!by("CVE-2020-2").advisory(&finding));
    }
}
