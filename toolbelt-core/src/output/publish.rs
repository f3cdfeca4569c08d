//! What became of each release: for people below the report, for programs as one more key of it.

use std::io::{self, Write};

use serde::Serialize;

use super::escape::{self, visible};
use super::json;
use crate::ops::publish::approve::Approved;
use crate::ops::publish::{Answer, Failure, Prepared, Proof, State};
use crate::report::Verdict;
use crate::subject::release::Stage;

/// Writes a few lines for each release.
///
/// # Errors
///
/// If `out` cannot be written to.
pub fn write(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    for release in &answer.releases {
        writeln!(out)?;
        write_release(release, answer.report.verdict, out)?;
    }
    Ok(())
}

fn write_release(release: &Prepared, verdict: Verdict, out: &mut dyn Write) -> io::Result<()> {
    let what = format!("{} {}", visible(&release.name), release.version);
    let registry = visible(&release.registry);
    match &release.state {
        State::Judged if verdict == Verdict::Pass && release.stage == Stage::Rehearsal => {
            writeln!(out, "{what}: rehearsed for {registry}: what only a release has was not asked for")?;
        }
        State::Judged if verdict == Verdict::Pass => writeln!(out, "{what}: ready to be published to {registry}")?,
        State::Judged => writeln!(out, "{what}: not published")?,
        State::Published { .. } => writeln!(out, "{what}: published to {registry}, and read back")?,
        State::AlreadyThere => writeln!(out, "{what}: {registry} has these bytes already")?,
        State::Failed(failure) => write_failure(&what, failure, out)?,
    }
    writeln!(out, "  sha256:{}", release.digest)?;
    writeln!(out, "  {}", visible(&release.archive.display().to_string()))?;
    for document in &release.documents {
        writeln!(out, "  {}", visible(&document.display().to_string()))?;
    }
    if let Some(key) = &release.signed_by {
        writeln!(out, "  signed with {}", visible(key))?;
    }
    if let (false, Some(signers)) = (release.approved_by.is_empty(), &release.signers) {
        let names = release.approved_by.iter().map(|name| visible(name)).collect::<Vec<_>>();
        writeln!(out, "  approved by {}, by {}", names.join(", "), visible(signers))?;
    }
    if let State::Published { warnings, by_cargo } = &release.state {
        match by_cargo {
            Some(Proof::Gate) => writeln!(out, "  uploaded by cargo, which told the digest first")?,
            Some(Proof::PackagedBefore) => {
                writeln!(out, "  uploaded by cargo, which packaged the same bytes just before")?;
            }
            None => {}
        }
        for warning in warnings {
            writeln!(out, "  the registry remarks: {}", visible(warning))?;
        }
    }
    Ok(())
}

fn write_failure(what: &str, failure: &Failure, out: &mut dyn Write) -> io::Result<()> {
    let word = match failure {
        Failure { is_alarm: true, .. } => "ALARM",
        Failure { is_accepted: true, .. } => "accepted, and not read back",
        _ => "not published",
    };
    writeln!(out, "{what}: {word}: {}", visible(&failure.reason))?;
    match &failure.hint {
        Some(hint) => writeln!(out, "  hint: {}", visible(hint)),
        None => Ok(()),
    }
}

/// Says what was approved, and what to do with it.
///
/// # Errors
///
/// If `out` cannot be written to.
pub fn write_approved(approved: &Approved, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "approved {}", visible(&approved.what))?;
    writeln!(out, "  sha256:{}", approved.digest)?;
    writeln!(out, "  signed with {}", visible(&approved.key))?;
    writeln!(out, "  kept in {}", visible(&approved.place))?;
    if approved.place.starts_with("refs/") {
        writeln!(out, "hint: git push REMOTE refs/notes/toolbelt")?;
    }
    Ok(())
}

/// Writes the report as indented JSON with the key `releases`.
///
/// # Errors
///
/// If `out` cannot be written to.
pub fn write_json(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    let releases = answer.releases.iter().map(JsonRelease::from).collect();
    escape::write_json(&JsonAnswer { report: json::Report::from(&answer.report), releases }, out)
}

#[derive(Debug, Serialize)]
struct JsonAnswer<'a> {
    #[serde(flatten)]
    report: json::Report<'a>,
    releases: Vec<JsonRelease<'a>>,
}

/// A release, in the order in which they are published.
#[derive(Debug, Serialize)]
struct JsonRelease<'a> {
    name: &'a str,
    version: String,
    registry: &'a str,
    sha256: String,
    archive: String,
    documents: Vec<String>,
    signed_by: Option<&'a str>,
    approved_by: &'a [String],
    allowed_signers: Option<&'a str>,
    state: &'static str,
    /// Why it could not be published.
    failure: Option<&'a str>,
    /// Whether the registry has accepted an upload that could not be read back.
    accepted: bool,
    /// What the reader can do about that.
    hint: Option<&'a str>,
    /// What the registry remarked on.
    warnings: &'a [String],
}

impl<'a> From<&'a Prepared> for JsonRelease<'a> {
    fn from(release: &'a Prepared) -> Self {
        let (state, failure, warnings) = match &release.state {
            State::Judged if release.stage == Stage::Rehearsal => ("rehearsed", None, Default::default()),
            State::Judged => ("judged", None, Default::default()),
            State::Published { warnings, .. } => ("published", None, warnings.as_slice()),
            State::AlreadyThere => ("already-there", None, Default::default()),
            State::Failed(failure) if failure.is_alarm => ("alarm", Some(failure), Default::default()),
            State::Failed(failure) => ("failed", Some(failure), Default::default()),
        };
        Self {
            name: &release.name,
            version: release.version.to_string(),
            registry: &release.registry,
            sha256: release.digest.to_string(),
            archive: release.archive.display().to_string(),
            documents: release.documents.iter().map(|path| path.display().to_string()).collect(),
            signed_by: release.signed_by.as_deref(),
            approved_by: &release.approved_by,
            allowed_signers: release.signers.as_deref(),
            state,
            failure: failure.map(|failure| failure.reason.as_str()),
            accepted: failure.is_some_and(|failure| failure.is_accepted),
            hint: failure.and_then(|failure| failure.hint.as_deref()),
            warnings,
        }
    }
}
