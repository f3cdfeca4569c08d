//! Rules over refs and over who vouches for commits and tags.

pub mod forced_update;
pub mod identity_mismatch;
mod movable;
pub mod protected_ref_deleted;
pub mod rewritten_history;
pub mod unsigned_commit;
pub mod unsigned_tag;
pub mod untrusted_signer;

use super::Rule;
use super::options::Options;

/// What a rule over refs and signatures can look at besides its subject.
#[derive(Debug)]
pub struct Context<'a> {
    /// What the policy sets for this rule.
    pub options: &'a Options,
}

/// The rules of this folder, sorted by id.
pub static RULES: &[&Rule] = &[
    &forced_update::RULE,
    &identity_mismatch::RULE,
    &protected_ref_deleted::RULE,
    &rewritten_history::RULE,
    &unsigned_commit::RULE,
    &unsigned_tag::RULE,
    &untrusted_signer::RULE,
];
