//! How a package got in, for people and for programs.

use std::io;

use serde::Serialize;

use super::escape;
use crate::ops::why::{Answer, Found};

/// The version of the JSON form.
const VERSION: u32 = 1;

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

#[derive(Serialize)]
struct JsonAnswer<'a> {
    version: u32,
    asked: &'a str,
    found: Vec<JsonFound<'a>>,
}

#[derive(Serialize)]
struct JsonFound<'a> {
    package: &'a str,
    lockfile: &'a str,
    ways: &'a [Vec<String>],
    more: usize,
}

/// Writes the same as JSON; `docs/output.md` describes it.
///
/// # Errors
///
/// What writing to `out` says.
pub fn write_json(answer: &Answer, out: &mut dyn io::Write) -> io::Result<()> {
    let found = answer.found.iter().map(|Found { package, lockfile, ways, more }| JsonFound {
        package,
        lockfile,
        ways,
        more: *more,
    });
    let found = found.collect();
    escape::write_json(&JsonAnswer { version: VERSION, asked: &answer.asked, found }, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Answer {
        let ways = vec![vec!["root 1.0.0".to_owned(), "a\u{1b}[31m 1.0.0".to_owned()]];
        let found = Found { package: "a 1.0.0".to_owned(), lockfile: "Cargo.lock".to_owned(), ways, more: 2 };
        Answer { asked: "a".to_owned(), found: vec![found] }
    }

    #[test]
    fn ways_are_chains_without_control_characters() {
        let mut out = Vec::new();
        write(&answer(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("a 1.0.0 in Cargo.lock\n  root 1.0.0 → a"), "{text}");
        assert!(text.ends_with("  and 2 more\n") && !text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn json_has_a_version_and_every_way() {
        let mut out = Vec::new();
        write_json(&answer(), &mut out).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((json["version"].as_u64(), json["found"][0]["more"].as_u64()), (Some(1), Some(2)));
        assert_eq!(json["found"][0]["ways"][0][1], "a\u{1b}[31m 1.0.0");
    }
}
