//! Rules over a version that is about to be published.

use jiff::Timestamp;

use super::Rule;
use super::options::Options;

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
pub static RULES: &[&Rule] = &[];
