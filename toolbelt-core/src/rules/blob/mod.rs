//! Rules over what git keeps, or is about to keep: contents, messages and trees.

pub mod bidi_control;
pub mod case_collision;
mod characters;
pub mod conflict_marker;
pub mod connection_string;
pub mod diff_hidden;
pub mod executable_binary;
pub mod exposed_credential;
pub mod exposed_token;
pub mod guard_weakened;
mod guards;
pub mod invisible_character;
mod kind;
pub mod large_file;
mod machine_code;
pub mod marks;
pub mod missing_sign_off;
pub mod private_key;
pub mod secrets;
pub mod submodule_url;
pub mod symlink_escape;

use super::Rule;
use super::options::Options;

/// Every rule of this folder, in the order in which they are listed.
pub static RULES: &[&Rule] = &[
    &bidi_control::RULE,
    &case_collision::RULE,
    &conflict_marker::RULE,
    &connection_string::RULE,
    &diff_hidden::RULE,
    &executable_binary::RULE,
    &exposed_credential::RULE,
    &exposed_token::RULE,
    &guard_weakened::RULE,
    &invisible_character::RULE,
    &large_file::RULE,
    &missing_sign_off::RULE,
    &private_key::RULE,
    &submodule_url::RULE,
    &symlink_escape::RULE,
];

/// What a rule may know besides the sighting or the tree.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// What the policy sets for this rule.
    pub options: &'a Options,
}

/// Whether the rules over trees read a file when it has changed. Links they read all.
pub fn wants(path: &[u8]) -> bool {
    path == submodule_url::FILE.as_bytes() || diff_hidden::is_attributes(path) || guards::is_guard(path)
}

/// The code points of characters, as Unicode writes them: `U+202E`.
fn code_points(characters: &[char]) -> Vec<String> {
    characters.iter().map(|character| format!("U+{:04X}", u32::from(*character))).collect()
}

/// Names some characters in a sentence; many are counted.
fn names(characters: &[char]) -> String {
    const MOST: usize = 4;
    let named = code_points(&characters[..characters.len().min(MOST)]).join(", ");
    match characters.len().saturating_sub(MOST) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
