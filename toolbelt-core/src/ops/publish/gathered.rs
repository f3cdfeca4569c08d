//! The evidence that there is about a release: approvals and results of tests, beside the `.crate` and as notes of the
//! commit and its tree.

use std::path::Path;

use super::base::Base;
use super::ground::Ground;
use super::{Error, statements};
use crate::evidence::predicate::Predicate as _;
use crate::evidence::predicate::approval::Approval;
use crate::evidence::predicate::test_result::TestResult;
use crate::evidence::statement::ResourceDescriptor;
use crate::finding::{Fact, Unknown};
use crate::ops::evidence::trust::{self, Sources};
use crate::ops::evidence::{self, verify};
use crate::store::{Kept, Stored, notes, sidecar};
use crate::subject::attestation::Attestation;
use crate::subject::content::ObjectId;
use crate::subject::release::Revision;

/// What was found.
#[derive(Debug)]
pub(super) struct Gathered {
    /// What can be relied on; unknown where nobody is trusted.
    pub(super) attestations: Fact<Vec<Attestation>>,
    /// What does not count, and why: one line each.
    pub(super) rejected: Vec<String>,
    /// Where it is listed whose signatures count; none if nobody is trusted.
    pub(super) signers: Option<String>,
    /// What can be relied on, by the digests of the envelopes.
    pub(super) described: Vec<ResourceDescriptor>,
}

impl Gathered {
    /// Looks where such evidence is kept. Where no list of allowed signers is named or pinned, that of a release before
    /// counts.
    pub(super) fn of(ground: &Ground<'_>, revision: Option<&Revision>, archive: &Path) -> Result<Self, Error> {
        let stored = stored(ground, revision, archive)?;
        let asked = &ground.request.trust;
        if let (Some(base), Some(checkout)) = (&asked.base, ground.checkout.known()) {
            let snapshot = &checkout.snapshot;
            let named = trust::commit(snapshot.repository(), base)?;
            if named == snapshot.commit() {
                let why = format!("the base `{base}` is itself what is released");
                return Err(evidence::Error::NoTrust { why }.into());
            }
        }
        let base = match asked {
            Sources { named: None, base: None } => Base::find(ground)?,
            _ => Base::default(),
        };
        let sources = Sources { base: asked.base.clone().or(base.revision), ..asked.clone() };
        let environment = &ground.request.environment;
        let trusted = match trust::root(environment, ground.repository(), &sources) {
            Ok(trusted) => trusted,
            Err(error @ evidence::Error::NoTrust { .. }) => {
                let reason = base.passed_over.iter().fold(error.to_string(), |reason, why| format!("{reason}; {why}"));
                let unknown = Unknown { hint: error.hint().map(str::to_owned), ..Unknown::new(reason) };
                let attestations = Fact::Unknown(unknown);
                return Ok(Self { attestations, rejected: Vec::new(), signers: None, described: Vec::new() });
            }
            Err(error) => return Err(error.into()),
        };
        let root = trusted.for_evidence();
        let problems = trusted.signers.problems().iter().chain(&stored.broken).map(ToString::to_string);
        let mut rejected = base.passed_over.into_iter().chain(problems).collect::<Vec<_>>();
        let (mut attestations, mut described) = (Vec::new(), Vec::new());
        for kept in stored.envelopes.into_iter().filter(is_asked_for) {
            match verify::verify(&kept.envelope, &root, environment) {
                Ok(verified) => {
                    described
                        .extend(statements::looked_at(verified.predicate_type(), kept.envelope.to_json().as_bytes()));
                    attestations.push(verified.attestation());
                }
                Err(why) => rejected.push(format!("{}, line {}: {why}", kept.path, kept.line)),
            }
        }
        let signers = Some(trusted.origin);
        Ok(Self { attestations: Fact::Known(attestations), rejected, signers, described })
    }
}

/// Whether it is evidence that a rule asks for. What is said of how a `.crate` was made is made anew by every run.
fn is_asked_for(kept: &Kept) -> bool {
    let kind = kept.envelope.unverified_statement().map(|statement| statement.predicate_type().to_owned());
    // What cannot be read is told.
    kind.is_ok_and(|kind| [Approval::TYPE, TestResult::TYPE].contains(&kind.as_str()))
        || kept.envelope.unverified_statement().is_err()
}

fn stored(ground: &Ground<'_>, revision: Option<&Revision>, archive: &Path) -> Result<Stored, Error> {
    let path = sidecar::beside(archive);
    let mut stored = sidecar::read(&path, &ground.relative(&path)).map_err(evidence::Error::from)?;
    if let (Some(repository), Some(revision)) = (ground.repository(), revision) {
        let ids =
            [&revision.commit, &revision.tree].into_iter().filter_map(|id| ObjectId::from_hex(id.as_bytes()).ok());
        for id in ids {
            stored.extend(notes::read(repository, id).map_err(evidence::Error::from)?);
        }
    }
    Ok(stored)
}
