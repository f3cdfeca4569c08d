//! How a package got in, for people.

use std::io;

use super::escape;
use crate::ops::why::Answer;

/// Writes each way as an indented chain.
///
/// # Errors
///
/// What writing to `out` says.
pub fn write(answer: &Answer, out: &mut dyn io::Write) -> io::Result<()> {
    if answer.found.is_empty() {
        return writeln!(out, "no lock file names `{}`", escape::visible(&answer.asked));
    }
    for found in &answer.found {
        writeln!(out, "{} in {}", escape::visible(&found.package), escape::visible(&found.lockfile))?;
        if found.ways.is_empty() {
            writeln!(out, "  nothing depends on it")?;
        }
        for way in &found.ways {
            writeln!(out, "  {}", escape::visible(&way.join(" → ")))?;
        }
        if found.more > 0 {
            writeln!(out, "  and {} more", found.more)?;
        }
    }
    Ok(())
}
