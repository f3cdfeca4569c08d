//! How git signs, for people and for programs.

use std::io;

use serde::Serialize;

use super::escape::visible;
use crate::ops::identity::setup::Plan;
use crate::ops::identity::{Check, Identity, State};

/// The version of the JSON form.
const VERSION: u32 = 1;

/// Writes what was looked at, a line each, and what can be done.
///
/// # Errors
///
/// Those of `out`.
pub fn write(identity: &Identity, out: &mut dyn io::Write) -> io::Result<()> {
    for Check { what, state, message, hint } in &identity.checks {
        writeln!(out, "{:<7} {what}: {}", word(*state), visible(message))?;
        if let Some(hint) = hint {
            writeln!(out, "        help: {}", visible(hint))?;
        }
    }
    writeln!(out, "{}", identity.verdict().as_str())
}

/// Writes the same as an object.
///
/// # Errors
///
/// Those of `out`.
pub fn write_json(identity: &Identity, out: &mut dyn io::Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Entry<'a> {
        what: &'a str,
        state: &'static str,
        message: &'a str,
        hint: Option<&'a str>,
    }
    #[derive(Serialize)]
    struct Document<'a> {
        version: u32,
        verdict: &'static str,
        email: Option<&'a str>,
        key: Option<&'a str>,
        fingerprint: Option<&'a str>,
        checks: Vec<Entry<'a>>,
    }
    let entries = identity.checks.iter().map(|Check { what, state, message, hint }| Entry {
        what,
        state: word(*state),
        message,
        hint: hint.as_deref(),
    });
    let document = Document {
        version: VERSION,
        verdict: identity.verdict().as_str(),
        email: identity.email.as_deref(),
        key: identity.key.as_deref(),
        fingerprint: identity.fingerprint.as_deref(),
        checks: entries.collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

/// Writes what a setup would change.
///
/// # Errors
///
/// Those of `out`.
pub fn write_plan(plan: &Plan, out: &mut dyn io::Write) -> io::Result<()> {
    if plan.changes.is_empty() {
        writeln!(out, "nothing to change: git signs with {}", visible(&plan.fingerprint))?;
    } else {
        writeln!(out, "to sign with {}:", visible(&plan.fingerprint))?;
    }
    for change in &plan.changes {
        let old = change.old.as_deref().map_or("not set".to_owned(), |old| visible(old).to_string());
        writeln!(out, "  {} = {} (now: {old})", change.name, visible(&change.new))?;
    }
    writeln!(out, "others trust the key by this line in .toolbelt/allowed_signers, in a change of its own:")?;
    writeln!(out, "  {}", visible(&plan.line))
}

const fn word(state: State) -> &'static str {
    match state {
        State::Good => "good",
        State::Noted => "note",
        State::Unknown => "unknown",
        State::Wrong => "wrong",
    }
}
