//! What a policy says, for people.

use std::io;

use super::escape;
use crate::ops::policy::Loaded;
use crate::rules;

/// Writes which files count, what differs from the defaults, and what could not be carried over.
///
/// # Errors
///
/// What writing to `out` says.
pub fn write(loaded: &Loaded, out: &mut dyn io::Write) -> io::Result<()> {
    if loaded.texts.is_empty() {
        writeln!(out, "no policy: every rule has its default (`cargo toolbelt policy init` writes one)")?;
    }
    for path in loaded.texts.keys() {
        writeln!(out, "{} is understood", escape::visible(path))?;
    }
    for rule in rules::all().filter(|rule| loaded.policy.level(rule) != rule.default) {
        writeln!(out, "  {}: {} (default {})", rule.id, loaded.policy.level(rule).as_str(), rule.default.as_str())?;
    }
    let (carried, own): (Vec<_>, Vec<_>) =
        loaded.policy.exemptions.iter().partition(|exemption| exemption.carried_over);
    if !own.is_empty() {
        writeln!(out, "  {} exemptions", own.len())?;
    }
    let mut advisories =
        carried.iter().filter_map(|exemption| exemption.covers.advisory.as_deref()).collect::<Vec<_>>();
    advisories.sort_unstable();
    advisories.dedup();
    if !advisories.is_empty() {
        writeln!(out, "  carried over: {}", escape::visible(&advisories.join(", ")))?;
    }
    for key in &loaded.not_carried_over {
        writeln!(out, "  not carried over: {}", escape::visible(&key.key))?;
    }
    Ok(())
}
