//! Rules over a version that is about to be published.

mod allowed;
mod approvers;
pub mod binary_in_package;
pub mod crate_differs_from_commit;
pub mod dependency_not_releasable;
pub mod dirty_tree;
mod file_kind;
mod links;
pub mod missing_approval;
pub mod missing_evidence;
pub mod missing_metadata;
pub mod secret_in_package;
pub mod semver_violation;
pub mod tag_mismatch;
pub mod token_in_environment;
pub mod unexpected_file;
pub mod unpushed_commit;
pub mod unreproducible_package;
pub mod version_not_increased;
pub mod version_taken;
mod wording;

use jiff::Timestamp;

use super::Rule;
use super::options::Options;
use crate::finding::{Fact, Outcome};
use crate::subject::release::Release;

/// What a rule over releases can look at besides the release.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The start of the run.
    pub now: Timestamp,
    /// What the policy sets for this rule.
    pub options: &'a Options,
    /// How many approvals the command line asks for, where it does; the policy may ask for more.
    pub approvals: Option<u32>,
}

/// The rules of this folder, sorted by id.
pub static RULES: &[&Rule] = &[
    &binary_in_package::RULE,
    &crate_differs_from_commit::RULE,
    &dependency_not_releasable::RULE,
    &dirty_tree::RULE,
    &missing_approval::RULE,
    &missing_evidence::RULE,
    &missing_metadata::RULE,
    &secret_in_package::RULE,
    &semver_violation::RULE,
    &tag_mismatch::RULE,
    &token_in_environment::RULE,
    &unexpected_file::RULE,
    &unpushed_commit::RULE,
    &unreproducible_package::RULE,
    &version_not_increased::RULE,
    &version_taken::RULE,
];

/// A fact about a release; the outcome of a rule that needed it where it is not known.
fn known<'a, T>(fact: &'a Fact<T>, release: &Release) -> Result<&'a T, Outcome> {
    match fact {
        Fact::Known(value) => Ok(value),
        Fact::Unknown(unknown) => Err(unknown.of(&release.subject())),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use semver::Version;

    use super::{Context, RULES};
    use crate::finding::{Fact, Finding, Outcome};
    use crate::rules::options::{OptionValue, Options, RuleOption};
    use crate::rules::{Check, Rule};
    use crate::subject::Location;
    use crate::subject::credential::Credentials;
    use crate::subject::digest::Sha256Digest;
    use crate::subject::package::Registry;
    use crate::subject::release::{
        Comparison, CrateFile, Metadata, PackagedFile, PublishedVersion, Readme, Release, ReleaseTag, Remotes,
        Repackaged, Revision, SemverCheck, Stage,
    };

    /// The commit that is packaged.
    pub(super) const COMMIT: &str = "1111111111111111111111111111111111111111";
    /// Another one.
    pub(super) const OTHER: &str = "2222222222222222222222222222222222222222";

    pub(super) fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    pub(super) fn digest(byte: u8) -> Sha256Digest {
        Sha256Digest::new([byte; 32])
    }

    pub(super) fn published(text: &str, byte: u8) -> PublishedVersion {
        PublishedVersion { version: version(text), checksum: digest(byte), is_yanked: false }
    }

    /// Version 1.2.3 of `one` in `crates/one`, of which everything is known and nothing is wrong.
    pub(super) fn release() -> Release {
        let files = ["Cargo.toml", "Cargo.toml.orig", "LICENSE", "README.md", "src/lib.rs"];
        let file = PackagedFile { size: 100, is_executable: false, digest: digest(1) };
        Release {
            name: "one".to_owned(),
            version: version("1.2.3"),
            registry: Registry::new(Registry::CRATES_IO),
            stage: Stage::Release,
            folder: "crates/one".to_owned(),
            revision: Fact::Known(Revision {
                commit: COMMIT.to_owned(),
                tree: "3333333333333333333333333333333333333333".to_owned(),
                author: "ann@example.org".to_owned(),
                signed_by: Fact::Known(Some("SHA256:ann".to_owned())),
                uncommitted: Fact::Known(Vec::new()),
                remotes: Fact::Known(Remotes {
                    configured: vec!["origin".to_owned()],
                    having: vec!["origin".to_owned()],
                    asked: true,
                }),
                submodules: Fact::Known(Vec::new()),
                tag: Fact::Known(ReleaseTag {
                    name: "v1.2.3".to_owned(),
                    commit: Some(COMMIT.to_owned()),
                    is_signed: true,
                    remote_commit: Fact::Known(Some(COMMIT.to_owned())),
                }),
            }),
            metadata: Metadata {
                license: Some("MIT".to_owned()),
                license_file: None,
                description: Some("Counts to one".to_owned()),
                repository: Some("https://example.org/one".to_owned()),
                rust_version: Some("1.85".to_owned()),
                readme: Some(Readme { path: "README.md".to_owned(), text: Some("# one\n".to_owned()) }),
                location: Some(Location::whole_file("crates/one/Cargo.toml")),
            },
            dependencies: Vec::new(),
            locked: Fact::Known(Vec::new()),
            archive: Fact::Known(CrateFile {
                digest: digest(7),
                size: 1000,
                files: files.map(|path| (path.to_owned(), file.clone())).into(),
                has_binaries: false,
                comparison: Fact::Known(Comparison {
                    same: files.len(),
                    differences: BTreeMap::new(),
                    not_compared: BTreeMap::new(),
                    paths: ["Cargo.toml", "LICENSE", "README.md", "src/lib.rs"]
                        .map(|path| format!("crates/one/{path}"))
                        .into_iter()
                        .chain(["README.md".to_owned(), "docs/guide.md".to_owned()])
                        .collect::<BTreeSet<_>>(),
                }),
            }),
            sightings: Fact::Known(Vec::new()),
            published: Fact::Known(vec![published("1.2.2", 2)]),
            repackaged: Fact::Known(Repackaged { digests: [digest(7), digest(7)], different: Vec::new() }),
            semver: Fact::Known(SemverCheck::Ran { checks: 150, failures: Vec::new() }),
            credentials: Credentials::default(),
            attestations: Fact::Known(Vec::new()),
            rejected: Vec::new(),
        }
    }

    /// The same before its tag is made.
    pub(super) fn rehearsal() -> Release {
        Release { stage: Stage::Rehearsal, ..release() }
    }

    pub(super) fn revision(release: &mut Release) -> &mut Revision {
        match &mut release.revision {
            Fact::Known(revision) => revision,
            Fact::Unknown(_) => panic!("no revision"),
        }
    }

    pub(super) fn archive(release: &mut Release) -> &mut CrateFile {
        match &mut release.archive {
            Fact::Known(archive) => archive,
            Fact::Unknown(_) => panic!("no archive"),
        }
    }

    pub(super) fn check(rule: &'static Rule, release: &Release) -> Outcome {
        check_with(rule, release, &[], None)
    }

    pub(super) fn check_with(
        rule: &'static Rule,
        release: &Release,
        options: &[(&'static RuleOption, OptionValue)],
        approvals: Option<u32>,
    ) -> Outcome {
        let Check::Release(check) = rule.check else { panic!("{} is no rule over releases", rule.id) };
        let mut set = Options::default();
        for (option, value) in options {
            set.set(option, value.clone());
        }
        check(release, &Context { now: "2026-06-30T12:00:00Z".parse().unwrap(), options: &set, approvals })
    }

    pub(super) fn list(words: &[&str]) -> OptionValue {
        OptionValue::List(words.iter().map(|word| (*word).to_owned()).collect())
    }

    /// Each message, after `weaker:` where it is the weaker form.
    pub(super) fn messages(outcome: &Outcome) -> Vec<String> {
        let message = |finding: &Finding| {
            let weaker = if finding.weaker { "weaker: " } else { "" };
            format!("{weaker}{}", finding.message)
        };
        outcome.findings.iter().map(message).collect()
    }

    pub(super) fn reasons(outcome: &Outcome) -> Vec<&str> {
        outcome.not_checked.iter().map(|not_checked| not_checked.reason.reason.as_str()).collect()
    }

    #[test]
    fn nothing_is_said_of_a_release_in_order() {
        for rule in RULES {
            assert_eq!(check(rule, &release()), Outcome::clean(), "{}", rule.id);
            assert_eq!(check(rule, &rehearsal()), Outcome::clean(), "{}", rule.id);
        }
    }
}
