//! What is said when a baseline was written.

use std::io;

use super::summary::plural;
use crate::ops::baseline::Written;

/// Says what was written, and what to do with it.
///
/// # Errors
///
/// Those of `out`.
pub fn write(written: &Written, out: &mut dyn io::Write) -> io::Result<()> {
    let findings = plural(written.accepted, "finding", "findings");
    writeln!(out, "{findings} accepted in `{}`", written.baseline)?;
    if written.key_is_new {
        writeln!(out, "`{}` is new: it names secrets without telling them; commit both files", written.key)?;
    }
    if written.accepted > 0 {
        writeln!(out, "a secret that is accepted is still a secret: revoke it, then run this again")?;
    }
    Ok(())
}
