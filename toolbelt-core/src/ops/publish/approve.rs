//! Approves a `.crate`: whoever reviewed the commit signs the digest of what it is packaged to.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::ground::Ground;
use crate::evidence::digest_set::DigestSet;
use crate::evidence::envelope::Envelope;
use crate::evidence::predicate;
use crate::evidence::predicate::approval::Approval;
use crate::evidence::statement::ResourceDescriptor;
use crate::finding::Fact;
use crate::ops::evidence::{self, sign};
use crate::report::Coverage;
use crate::source::cache::Cache;
use crate::source::release::rebuild::{self, Rebuilt};
use crate::store::{notes, sidecar};
use crate::subject::digest::Sha256Digest;
use crate::subject::package::purl;

/// What to approve.
#[derive(Debug, Clone)]
pub struct Request {
    /// The SHA-256 of the `.crate`.
    pub digest: Sha256Digest,
    /// Why, in the approver's words.
    pub message: Option<String>,
    /// Whether it has to be what the commit here is packaged to.
    pub rebuild: Rebuild,
    /// A file for the approval, in place of a note of the commit.
    pub output: Option<PathBuf>,
    /// Which packages, and the key.
    pub publish: super::Request,
}

/// Whether the commit is packaged before its digest is approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rebuild {
    /// It is, and the digest has to be the same.
    Required,
    /// It is not: the `.crate` was reviewed itself.
    Skipped,
}

/// What was approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// A package URL, or the digest where nothing was packaged.
    pub what: String,
    /// The digest.
    pub digest: Sha256Digest,
    /// The fingerprint of the key that signed.
    pub key: String,
    /// The file, or the ref and the commit.
    pub place: String,
}

/// Why nothing was approved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// As for publishing.
    #[error(transparent)]
    Publish(#[from] super::Error),
    /// Evidence could not be made or kept.
    #[error(transparent)]
    Evidence(#[from] evidence::Error),
    /// The commit could not be packaged.
    #[error("this commit cannot be packaged from a fresh clone: {why}")]
    NotPackaged {
        /// Why.
        why: String,
    },
    /// The commit is packaged to something else.
    #[error("this commit is packaged to {}, not to {digest}", made.join(" and "))]
    Different {
        /// What was to be approved.
        digest: Sha256Digest,
        /// What was made: name, version and digest of each.
        made: Vec<String>,
    },
    /// There is no commit to keep the approval with.
    #[error("there is no commit to keep the approval with: {why}")]
    NoCommit {
        /// Why.
        why: String,
    },
}

impl Error {
    /// What the reader can do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Publish(error) => error.hint(),
            Self::Evidence(error) => error.hint(),
            Self::Different { .. } => Some(
                "check out the commit that is to be released, with the cargo that packages it; what is not committed does \
                 not count; `--no-rebuild` approves a `.crate` that you reviewed itself",
            ),
            Self::NotPackaged { .. } => Some("`--no-rebuild` approves a `.crate` that you reviewed itself"),
            Self::NoCommit { .. } => Some("`--output FILE` keeps it in a file"),
        }
    }
}

/// Packages the commit, compares, signs, and keeps the approval.
///
/// The work tree does not matter: what is approved is what a fresh clone of its commit is packaged to.
///
/// # Errors
///
/// [`Error`]; then nothing was signed.
pub fn run(request: &Request) -> Result<Approved, Error> {
    let ground = Ground::find(&request.publish, &mut Coverage::default())?;
    let (name, what) = match request.rebuild {
        Rebuild::Required => packaged(&ground, request.digest)?,
        Rebuild::Skipped => (None, format!("sha256:{}", request.digest)),
    };
    let digest = DigestSet::one("sha256", &request.digest.to_string()).map_err(evidence::Error::from)?;
    let subject = ResourceDescriptor { name, digest: Some(digest), ..ResourceDescriptor::default() };
    let environment = &request.publish.environment;
    let approval = Approval::new(what.clone(), request.message.clone(), environment.now);
    let statement = predicate::statement(vec![subject], &approval).map_err(evidence::Error::from)?;
    let key = sign::signing_key(environment, request.publish.key.as_deref())?;
    let envelope = [sign::sign(&statement, &key)?];
    let place = keep(request, &ground, &envelope)?;
    Ok(Approved { what, digest: request.digest, key: key.public().fingerprint(), place })
}

/// Keeps the approval, and says where.
fn keep(request: &Request, ground: &Ground<'_>, envelope: &[Envelope]) -> Result<String, Error> {
    if let Some(path) = &request.output {
        let environment = &request.publish.environment;
        let cache = Cache::new(environment.cache.clone());
        sidecar::append(&environment.directory.join(path), envelope, &cache).map_err(evidence::Error::from)?;
        return Ok(path.display().to_string());
    }
    let snapshot = match &ground.checkout {
        Fact::Known(checkout) => &checkout.snapshot,
        Fact::Unknown(unknown) => return Err(Error::NoCommit { why: unknown.reason.clone() }),
    };
    let commit = snapshot.commit();
    notes::append(snapshot.repository(), commit, envelope).map_err(evidence::Error::from)?;
    Ok(format!("{} of {commit}", notes::REF))
}

/// The name and the package URL of the package that this digest is of.
fn packaged(ground: &Ground<'_>, digest: Sha256Digest) -> Result<(Option<String>, String), Error> {
    let mut made = Vec::new();
    for (name, rebuilt) in rebuilt(ground)? {
        let Rebuilt { version, contents, .. } = match rebuilt {
            Fact::Known(rebuilt) => rebuilt,
            Fact::Unknown(unknown) => return Err(Error::NotPackaged { why: unknown.reason }),
        };
        let version = version.to_string();
        if contents.file.digest == digest {
            let qualifier = ground.target.registry.purl_qualifier();
            return Ok((Some(format!("{name}-{version}.crate")), purl(&name, &version, qualifier.as_deref())));
        }
        made.push(format!("{name} {version} with sha256:{}", contents.file.digest));
    }
    Err(Error::Different { digest, made })
}

/// What a fresh clone of the commit is packaged to.
fn rebuilt(ground: &Ground<'_>) -> Result<BTreeMap<String, Fact<Rebuilt>>, Error> {
    match ground.in_clones(rebuild::rebuild)? {
        Fact::Known(rebuilt) => Ok(rebuilt),
        Fact::Unknown(unknown) => Err(Error::NotPackaged { why: unknown.reason }),
    }
}
