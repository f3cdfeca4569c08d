//! Rules over what git keeps, or is about to keep: contents, messages and trees.

pub mod exposed_token;
pub mod secrets;

use super::Rule;
use super::options::Options;

/// Every rule of this folder, in the order in which they are listed.
pub static RULES: &[&Rule] = &[&exposed_token::RULE];

/// What a rule may know besides the sighting or the tree.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// What the policy sets for this rule.
    pub options: &'a Options,
}
