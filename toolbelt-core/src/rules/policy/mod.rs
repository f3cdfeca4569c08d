//! Rules over the policy itself.

pub mod expired_exemption;
pub mod unused_exemption;

use super::Rule;
use crate::subject::exemption::Exemption;

/// The rules of this folder, sorted by id.
pub static RULES: &[&Rule] = &[&expired_exemption::RULE, &unused_exemption::RULE];

/// Names what an exemption is for: `` `yanked-version` for `pkg:cargo/foo@1.2.3` ``.
fn what(exemption: &Exemption) -> String {
    let covers = [&exemption.covers.subject, &exemption.covers.advisory];
    let covers = covers.into_iter().flatten().map(|what| format!("`{what}`")).collect::<Vec<_>>().join(" and ");
    format!("`{}` for {covers}", exemption.rule)
}
