#![doc = include_str!("version_taken.md")]

use super::wording::short;
use super::{Context, known};
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Need, Rule, Scope, Severity};
use crate::subject::release::{PublishedVersion, Release};

/// The rule.
pub static RULE: Rule = Rule {
    id: "version-taken",
    summary: "the registry has this version already",
    capability: Capability::SecurePublication,
    threats: &["TBT-5100", "TBT-5120"],
    cwe: &[],
    severity: Severity::High,
    default: Level::Deny,
    weaker: Some(Level::Warn),
    scope: Scope::TimeDependent,
    options: &[],
    needs: &[Need::FreshIndex],
    explanation: include_str!("version_taken.md"),
    check: Check::Release(check),
};

fn check(release: &Release, _: &Context<'_>) -> Outcome {
    let published = match known(&release.published, release) {
        Ok(published) => published,
        Err(outcome) => return outcome,
    };
    // An index has one entry for each version, whatever its build metadata.
    let same = published.iter().find(|published| published.version.cmp_precedence(&release.version).is_eq());
    same.map(|same| finding(release, same)).into()
}

fn finding(release: &Release, published: &PublishedVersion) -> Finding {
    let theirs = published.checksum.to_string();
    let ours = release.archive.known().map(|archive| archive.digest.to_string());
    let is_identical = published.version == release.version && ours.as_ref() == Some(&theirs);
    let named = match &published.version {
        version if *version == release.version => String::new(),
        version => format!(" as {version}"),
    };
    let yanked = if published.is_yanked { ", and yanked" } else { "" };
    let content = match (&ours, is_identical) {
        (_, true) => "with this very content".to_owned(),
        (Some(_), false) => format!("with other content (sha256 {}…)", short(&theirs)),
        (None, false) => format!("(sha256 {}…)", short(&theirs)),
    };
    let fix = if is_identical {
        Fix::new("nothing is left to upload")
    } else {
        Fix::new("raise the version in `Cargo.toml`: a registry never takes a version twice")
    };
    let finding = Finding::new(release.subject(), format!("is published already{named} {content}{yanked}"))
        .fact("published", theirs)
        .fact("identical", is_identical)
        .fact("yanked", published.is_yanked)
        .at(release.metadata.location.clone())
        .fix(fix);
    // There and identical is what a run that was interrupted leaves behind.
    if is_identical || release.is_rehearsal() { finding.weaker() } else { finding }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, digest, messages, published, reasons, rehearsal, release, version};
    use super::*;
    use crate::finding::{Fact, Unknown};

    #[test]
    fn other_content_is_the_stronger_form_and_this_very_content_the_weaker() {
        let taken = Release { published: Fact::Known(vec![published("1.2.3", 9)]), ..release() };
        assert_eq!(messages(&check(&RULE, &taken)), ["is published already with other content (sha256 090909090909…)"]);
        let done = Release { published: Fact::Known(vec![published("1.2.3", 7)]), ..release() };
        assert_eq!(messages(&check(&RULE, &done)), ["weaker: is published already with this very content"]);
    }

    #[test]
    fn a_yanked_version_is_taken_too_and_a_rehearsal_is_weaker() {
        let mut yanked = published("1.2.3", 9);
        yanked.is_yanked = true;
        let taken = Release { published: Fact::Known(vec![yanked]), ..rehearsal() };
        assert_eq!(
            messages(&check(&RULE, &taken)),
            ["weaker: is published already with other content (sha256 090909090909…), and yanked"]
        );
    }

    #[test]
    fn build_metadata_makes_no_other_version() {
        let mut release = Release { published: Fact::Known(vec![published("1.2.3+one", 7)]), ..release() };
        release.version = version("1.2.3+two");
        assert_eq!(
            messages(&check(&RULE, &release)),
            ["is published already as 1.2.3+one with other content (sha256 070707070707…)"]
        );
        release.version = version("1.2.3-rc.1");
        assert_eq!(check(&RULE, &release), Outcome::clean());
    }

    #[test]
    fn a_version_that_is_there_is_told_without_an_archive_too() {
        let mut unpacked = Release { published: Fact::Known(vec![published("1.2.3", 7)]), ..release() };
        unpacked.archive = Fact::Unknown(Unknown::new("cargo could not package it"));
        assert_eq!(messages(&check(&RULE, &unpacked)), ["is published already (sha256 070707070707…)"]);
        assert_eq!(digest(7).to_string().len(), 64);
    }

    #[test]
    fn an_index_that_was_not_had_is_not_checked() {
        let unknown = Release { published: Fact::Unknown(Unknown::new("offline")), ..release() };
        assert_eq!(reasons(&check(&RULE, &unknown)), ["offline"]);
    }
}
