//! Writes what belongs to a release beside its `.crate`: SBOMs and signed statements.

use std::path::Path;

use super::collect::Candidate;
use super::ground::Ground;
use super::statements::{self, Facts};
use super::{Error, Prepared};
use crate::evidence::predicate::Predicate as _;
use crate::evidence::predicate::provenance::Provenance;
use crate::evidence::predicate::release::Release;
use crate::evidence::predicate::verification_summary::VerificationSummary;
use crate::ops::evidence::sign;
use crate::ops::sbom::Documents;
use crate::report::Coverage;
use crate::source::cache::Cache;
use crate::source::program::Program;
use crate::source::registry::clean_environment::clean_environment;
use crate::source::ssh::SigningKey;
use crate::store::sidecar;

/// What a run says of a `.crate`, and says anew the next time.
const OWN: [&str; 5] =
    [Provenance::TYPE, Release::TYPE, VerificationSummary::TYPE, statements::CYCLONEDX, statements::SPDX];

/// The key to sign with; none, which the coverage tells, where a release may go without.
///
/// # Errors
///
/// [`Error::Evidence`] if there is no key for a release that is to be signed.
pub(super) fn key(ground: &Ground<'_>, coverage: &mut Coverage) -> Result<Option<SigningKey>, Error> {
    let request = ground.request;
    if request.unsigned {
        coverage.skip("evidence", 1, "not signed, as the command line says");
        return Ok(None);
    }
    match sign::signing_key(&request.environment, request.key.as_deref()) {
        Ok(key) => Ok(Some(key)),
        // A key that was named is wanted.
        Err(error) if request.dry_run && request.key.is_none() => {
            coverage.skip("evidence", 1, format!("not signed: {error}"));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Writes the SBOMs and, where there is a key and a commit, the statements.
pub(super) fn write(
    ground: &Ground<'_>,
    candidate: &Candidate,
    key: Option<&SigningKey>,
    prepared: &mut Prepared,
) -> Result<(), Error> {
    let documents = Documents::from(&candidate.bill);
    let folder = prepared.archive.parent().unwrap_or(Path::new("."));
    let cache = Cache::new(Some(folder.to_owned()));
    for (end, bytes) in [("cdx.json", &documents.cyclonedx), ("spdx.json", &documents.spdx)] {
        let name = format!("{}-{}.{end}", prepared.name, prepared.version);
        cache.write(&name, bytes)?;
        prepared.documents.push(folder.join(name));
    }
    let (Some(key), Some(revision)) = (key, candidate.release.revision.known()) else { return Ok(()) };
    let cargo = cargo_version(ground);
    let facts = Facts {
        release: &candidate.release,
        digest: prepared.digest,
        revision,
        documents: &documents,
        tool: &ground.request.environment.tool,
        cargo: cargo.as_deref(),
        policy: &ground.loaded.texts,
        is_published: !ground.request.dry_run,
        evidence: &candidate.gathered.described,
        is_given: ground.request.crate_file.is_some(),
        now: ground.request.environment.now,
    };
    let envelopes =
        facts.statements()?.iter().map(|statement| sign::sign(statement, key)).collect::<Result<Vec<_>, _>>()?;
    let path = sidecar::beside(&prepared.archive);
    let is_own = |kind: &str| OWN.contains(&kind);
    sidecar::renew(&path, &envelopes, is_own, &Cache::new(ground.request.environment.cache.clone()))
        .map_err(crate::ops::evidence::Error::from)?;
    prepared.documents.push(path);
    prepared.signed_by = Some(key.public().fingerprint());
    Ok(())
}

/// What cargo calls itself: `cargo 1.95.0`.
fn cargo_version(ground: &Ground<'_>) -> Option<String> {
    let variables = clean_environment(&ground.request.environment.variables);
    let cargo = variables.get("CARGO").map_or("cargo", String::as_str);
    let output = Program::new(cargo, &ground.workspace.root, &variables).arguments(["--version"]).run().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut words = text.split_whitespace();
    Some(format!("{} {}", words.next()?, words.next()?))
}
