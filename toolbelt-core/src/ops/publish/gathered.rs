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
use crate::ops::evidence::trust::{self, Sources, Trusted};
use crate::ops::evidence::{self, verify};
use crate::store::{Kept, Stored, notes, sidecar};
use crate::subject::attestation::Attestation;
use crate::subject::content::ObjectId;
use crate::subject::release::Revision;

/// Whose signatures count, as it was before anything of the tree ran: a build script could say otherwise.
#[derive(Debug)]
pub(super) struct Trust(Fact<Trusted>);

impl Trust {
    /// Finds out. Where no list of allowed signers is named or pinned, that of an earlier release counts.
    ///
    /// # Errors
    ///
    /// [`Error`] if what is named is under judgement itself or cannot be read. That nobody is trusted is none.
    pub(super) fn of(ground: &Ground<'_>) -> Result<Self, Error> {
        let (asked, environment) = (&ground.request.trust, &ground.request.environment);
        not_under_judgement(ground)?;
        let base = match asked {
            Sources { named: None, base: None } => Base::find(ground)?,
            _ => Base::default(),
        };
        let sources = Sources { base: asked.base.clone().or(base.revision), ..asked.clone() };
        match trust::root(environment, ground.repository(), &sources) {
            Ok(trusted) => Ok(Self(Fact::Known(trusted))),
            Err(error @ evidence::Error::NoTrust { .. }) => {
                let reason = base.conflicts.iter().fold(error.to_string(), |reason, why| format!("{reason}; {why}"));
                let unknown = Unknown { hint: error.hint().map(str::to_owned), ..Unknown::new(reason) };
                Ok(Self(Fact::Unknown(unknown)))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Refuses a base that is what is released, and a list that it has itself.
fn not_under_judgement(ground: &Ground<'_>) -> Result<(), Error> {
    let Some(checkout) = ground.checkout.known() else { return Ok(()) };
    let (repository, commit) = (checkout.snapshot.repository(), checkout.snapshot.commit());
    let refused = |why: String| Err(evidence::Error::NoTrust { why }.into());
    let Sources { named, base } = &ground.request.trust;
    if let Some(named) = named {
        let path = ground.request.environment.directory.join(named);
        if let Some(inside) = trust::judged_file(repository, &[commit], &path)? {
            return refused(format!("the list `{inside}` is itself part of what is released"));
        }
    }
    match base {
        Some(base) if trust::commit(repository, base)? == commit => {
            refused(format!("the base `{base}` is itself what is released"))
        }
        _ => Ok(()),
    }
}

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
    /// Looks where such evidence is kept.
    pub(super) fn of(
        ground: &Ground<'_>,
        trust: &Trust,
        revision: Option<&Revision>,
        archive: &Path,
    ) -> Result<Self, Error> {
        let trusted = match &trust.0 {
            Fact::Known(trusted) => trusted,
            Fact::Unknown(unknown) => {
                let attestations = Fact::Unknown(unknown.clone());
                return Ok(Self { attestations, rejected: Vec::new(), signers: None, described: Vec::new() });
            }
        };
        let stored = stored(ground, revision, archive)?;
        let root = trusted.for_evidence();
        let problems = trusted.signers.problems().iter().chain(&stored.broken);
        let mut rejected = problems.map(ToString::to_string).collect::<Vec<_>>();
        let (mut attestations, mut described) = (Vec::new(), Vec::new());
        for kept in stored.envelopes.into_iter().filter(is_asked_for) {
            match verify::verify(&kept.envelope, &root, &ground.request.environment) {
                Ok(verified) => {
                    described
                        .extend(statements::looked_at(verified.predicate_type(), kept.envelope.to_json().as_bytes()));
                    attestations.push(verified.attestation());
                }
                Err(why) => rejected.push(format!("{}, line {}: {why}", kept.path, kept.line)),
            }
        }
        let signers = Some(trusted.origin.clone());
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
