//! Files that the policy takes as they are.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::Context;
use crate::finding::{Outcome, Unknown};
use crate::rules::options::RuleOption;
use crate::subject::release::Release;

/// Paths in the `.crate` that a rule is not to tell.
#[derive(Debug, Clone, Default)]
pub(super) struct Allowed(GlobSet);

impl Allowed {
    /// Reads an option that lists globs, of which `*` stays within a folder; what is no glob is not checked.
    pub(super) fn read(option: &RuleOption, release: &Release, context: &Context<'_>) -> (Self, Outcome) {
        let mut globs = GlobSetBuilder::new();
        let mut outcome = Outcome::clean();
        for text in context.options.list(option) {
            match GlobBuilder::new(text).literal_separator(true).build() {
                Ok(glob) => drop(globs.add(glob)),
                Err(_) => {
                    outcome.extend(Unknown::new(format!("`{text}` in the policy is no glob")).of(&release.subject()));
                }
            }
        }
        let Ok(globs) = globs.build() else {
            outcome.extend(Unknown::new("the policy's globs are too many or too long").of(&release.subject()));
            return (Self::default(), outcome);
        };
        (Self(globs), outcome)
    }

    /// Whether the policy takes this file.
    pub(super) fn has(&self, path: &str) -> bool {
        self.0.is_match(path)
    }
}
