//! Rules over the packages of a dependency tree.

pub mod advisory_notice;
mod affected;
pub mod banned_package;
pub mod checksum_mismatch;
pub mod disallowed_license;
pub mod duplicate_version;
pub mod fresh_release;
pub mod known_malicious;
pub mod known_vulnerability;
mod licence;
mod listed;
pub mod lookalike_name;
pub mod missing_license;
pub mod private_name_exposed;
mod remedy;
pub mod single_release;
pub mod stale_package;
pub mod unlisted_version;
pub mod unmaintained_package;
pub mod unpinned_git_dependency;
pub mod unsound_package;
pub mod untrusted_source;
pub mod wildcard_requirement;
pub mod yanked_version;

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Rule;
use super::options::Options;
use crate::finding::Fact;
use crate::subject::advisory::Advisories;
use crate::subject::dependencies::Dependencies;
use crate::subject::names::Names;

/// What a rule over packages can look at besides the package.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The start of the run.
    pub now: Timestamp,
    /// What the policy sets for this rule.
    pub options: &'a Options,
    /// The trees that the package is part of.
    pub dependencies: &'a Dependencies,
    /// What is known beyond the trees.
    pub knowledge: &'a Knowledge,
}

/// What is known beyond the dependency trees.
#[derive(Debug, Clone)]
pub struct Knowledge {
    /// The advisory database.
    pub advisories: Fact<Advisories>,
    /// The names of established crates.
    pub names: Fact<Names>,
    /// Names that members ask for and of which the machine's caches hold an index entry of crates.io.
    pub cached_names: BTreeSet<String>,
}

/// The rules of this folder, sorted by id.
pub static RULES: &[&Rule] = &[
    &advisory_notice::RULE,
    &banned_package::RULE,
    &checksum_mismatch::RULE,
    &disallowed_license::RULE,
    &duplicate_version::RULE,
    &fresh_release::RULE,
    &known_malicious::RULE,
    &known_vulnerability::RULE,
    &lookalike_name::RULE,
    &missing_license::RULE,
    &private_name_exposed::RULE,
    &single_release::RULE,
    &stale_package::RULE,
    &unlisted_version::RULE,
    &unmaintained_package::RULE,
    &unpinned_git_dependency::RULE,
    &unsound_package::RULE,
    &untrusted_source::RULE,
    &wildcard_requirement::RULE,
    &yanked_version::RULE,
];
