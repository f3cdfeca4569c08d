//! What is said of a release, for whoever takes it: how it was made, that it is a release, what it is made of, and what
//! was checked. Only a release that passed gets any.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::evidence::digest_set::DigestSet;
use crate::evidence::predicate::provenance::{BuildDefinition, BuildMetadata, Builder, Provenance, RunDetails};
use crate::evidence::predicate::verification_summary::{VerificationResult, VerificationSummary, Verifier};
use crate::evidence::predicate::{self, release};
use crate::evidence::statement::{Error, ResourceDescriptor, Statement};
use crate::ops::sbom::Documents;
use crate::subject::digest::{Sha256Digest, hex};
use crate::subject::release::{Release, Repackaged, Revision};

/// The type of the predicate that is a CycloneDX document.
pub(super) const CYCLONEDX: &str = "https://cyclonedx.org/bom";
/// The type of the predicate that is an SPDX document.
pub(super) const SPDX: &str = "https://spdx.dev/Document";
/// How a `.crate` is made of a commit: `docs/publish.md` says what the parameters mean.
const BUILD_TYPE: &str = "https://github.com/toolbelt-rs/toolbelt/build/cargo-package/v1";
/// Whoever ran the command, wherever that was: their signature is all that vouches for it.
const BUILDER: &str = "https://github.com/toolbelt-rs/toolbelt/builder/publisher/v1";
/// What checked the release.
const VERIFIER: &str = "https://github.com/toolbelt-rs/toolbelt";
/// The version of SLSA whose levels are meant.
const SLSA_VERSION: &str = "1.2";
/// What a publisher's own machine can claim: there is provenance. That it was not forged is for its signature to say.
const LEVEL: &str = "SLSA_BUILD_LEVEL_1";
/// What can be claimed of a file that nobody says how to have made.
const NO_LEVEL: &str = "SLSA_BUILD_LEVEL_0";

/// What the statements are made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) release: &'a Release,
    pub(super) digest: Sha256Digest,
    pub(super) revision: &'a Revision,
    pub(super) documents: &'a Documents,
    /// toolbelt and its version, with a space between them.
    pub(super) tool: &'a str,
    /// What `cargo --version` says; none if it said nothing.
    pub(super) cargo: Option<&'a str>,
    /// The files of the policy that decided, by their names, with their texts.
    pub(super) policy: &'a BTreeMap<String, String>,
    /// Whether it is about to be published.
    pub(super) is_published: bool,
    /// The evidence that was looked at: approvals, results of tests.
    pub(super) evidence: &'a [ResourceDescriptor],
    /// Whether the `.crate` was there before, and not made by this run.
    pub(super) is_given: bool,
    pub(super) now: Timestamp,
}

impl Facts<'_> {
    /// Every statement about the `.crate`, the summary last: it binds the others by their digests.
    ///
    /// Before there is a release, nobody says that it is one or that it passed: a rehearsal does not ask for everything. That
    /// it was released is said of what is published.
    ///
    /// # Errors
    ///
    /// [`Error`] if a digest is none, or a document is no JSON.
    pub(super) fn statements(&self) -> Result<Vec<Statement>, Error> {
        let about = || Ok(vec![self.archive()?]);
        let read =
            |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).map_err(|error| Error::Form(error.to_string()));
        let mut statements = Vec::new();
        if self.has_provenance() {
            statements.push(predicate::statement(about()?, &self.provenance()?)?);
        }
        statements.extend([
            Statement::new(about()?, CYCLONEDX, read(&self.documents.cyclonedx)?)?,
            Statement::new(about()?, SPDX, read(&self.documents.spdx)?)?,
        ]);
        if self.is_published {
            let released = release::Release { purl: self.purl(), package_id: None };
            statements.push(predicate::statement(about()?, &released)?);
        }
        if !self.release.is_rehearsal() {
            let summary = self.summary(&statements)?;
            statements.push(predicate::statement(self.bound()?, &summary)?);
        }
        Ok(statements)
    }

    /// Whether it is known how the `.crate` was made: by this run, or by anybody, if the commit gives these very bytes.
    fn has_provenance(&self) -> bool {
        let is_made_by = |repackaged: &Repackaged| repackaged.digests.iter().all(|digest| *digest == self.digest);
        !self.is_given || self.release.repackaged.known().is_some_and(is_made_by)
    }

    fn purl(&self) -> String {
        self.release.subject().purl.unwrap_or_default()
    }

    fn archive(&self) -> Result<ResourceDescriptor, Error> {
        let name = format!("{}-{}.crate", self.release.name, self.release.version);
        Ok(ResourceDescriptor::new(name, sha256(self.digest)?))
    }

    /// What the summary is about: the `.crate`, and the commit and tag that it is said to come from.
    fn bound(&self) -> Result<Vec<ResourceDescriptor>, Error> {
        let commit = ResourceDescriptor::new("commit", git("gitCommit", &self.revision.commit)?);
        let tag = self.revision.tag.known().filter(|tag| tag.commit.is_some());
        let tag = tag.map(|tag| -> Result<_, Error> {
            let leads_to = tag.commit.as_deref().unwrap_or_default();
            Ok(ResourceDescriptor::new(format!("refs/tags/{}", tag.name), git("gitCommit", leads_to)?))
        });
        [Ok(self.archive()?), Ok(commit)].into_iter().chain(tag).collect()
    }

    /// The commit as a source of the build, with the tag that leads to it.
    fn source(&self) -> Result<ResourceDescriptor, Error> {
        let tag = self.revision.tag.known().filter(|tag| tag.commit.is_some());
        let reference = tag.map(|tag| format!("@refs/tags/{}", tag.name)).unwrap_or_default();
        let repository = self.release.metadata.repository.as_deref();
        let uri = repository.map(|url| format!("git+{}{reference}", url.trim_end_matches('/')));
        Ok(ResourceDescriptor {
            uri,
            digest: Some(git("gitCommit", &self.revision.commit)?),
            ..ResourceDescriptor::default()
        })
    }

    fn provenance(&self) -> Result<Provenance, Error> {
        let source = self.source()?;
        let mut parameters = Map::new();
        parameters.insert("package".to_owned(), json!(self.release.name));
        parameters.insert("version".to_owned(), json!(self.release.version.to_string()));
        if !self.release.folder.is_empty() {
            parameters.insert("path".to_owned(), json!(self.release.folder));
        }
        if let Some(uri) = &source.uri {
            parameters.insert("source".to_owned(), json!(uri));
        }
        let document = |end: &str, media_type: &str, bytes: &[u8]| -> Result<_, Error> {
            let name = format!("{}-{}.{end}", self.release.name, self.release.version);
            let digest = sha256(Sha256Digest::new(Sha256::digest(bytes).into()))?;
            Ok(ResourceDescriptor { media_type: Some(media_type.to_owned()), ..ResourceDescriptor::new(name, digest) })
        };
        let byproducts = vec![
            document("cdx.json", "application/vnd.cyclonedx+json", &self.documents.cyclonedx)?,
            document("spdx.json", "application/spdx+json", &self.documents.spdx)?,
        ];
        let versions = self.versions();
        Ok(Provenance {
            build_definition: BuildDefinition {
                build_type: BUILD_TYPE.to_owned(),
                external_parameters: parameters,
                internal_parameters: Map::new(),
                resolved_dependencies: vec![source],
            },
            run_details: RunDetails {
                builder: Builder { id: BUILDER.to_owned(), builder_dependencies: Vec::new(), version: versions },
                metadata: Some(BuildMetadata { started_on: Some(self.now), ..BuildMetadata::default() }),
                byproducts,
            },
        })
    }

    /// The versions of what ran: toolbelt, and cargo where it told.
    fn versions(&self) -> BTreeMap<String, String> {
        let words = |text: &str| text.split_once(' ').map(|(name, version)| (name.to_owned(), version.to_owned()));
        self.cargo.and_then(words).into_iter().chain(words(self.tool)).collect()
    }

    fn summary(&self, statements: &[Statement]) -> Result<VerificationSummary, Error> {
        let described = statements.iter().map(|statement| {
            let digest = Sha256Digest::new(Sha256::digest(statement.to_json()).into());
            let uri = Some(statement.predicate_type().to_owned());
            Ok(ResourceDescriptor { uri, digest: Some(sha256(digest)?), ..ResourceDescriptor::default() })
        });
        let inputs: Result<Vec<_>, Error> = described.chain(self.evidence.iter().cloned().map(Ok)).collect();
        Ok(VerificationSummary {
            verifier: Verifier { id: VERIFIER.to_owned(), version: self.versions() },
            time_verified: Some(self.now),
            resource_uri: self.purl(),
            policy: self.policy()?,
            input_attestations: inputs?,
            verification_result: VerificationResult::Passed,
            verified_levels: vec![if self.has_provenance() { LEVEL } else { NO_LEVEL }.to_owned()],
            dependency_levels: BTreeMap::new(),
            slsa_version: Some(SLSA_VERSION.to_owned()),
        })
    }

    /// What was asked: the policy's first file, with the digests of further ones as annotations; or toolbelt's own defaults.
    fn policy(&self) -> Result<ResourceDescriptor, Error> {
        let digest = |text: &String| sha256(Sha256Digest::new(Sha256::digest(text).into()));
        // `toolbelt.toml` comes first; of a file that lies elsewhere, where is nobody's business.
        let is_own = |(name, _): &(&String, &String)| *name == crate::policy::FILE;
        let (own, others): (Vec<_>, Vec<_>) = self.policy.iter().partition(is_own);
        let mut files = own.into_iter().chain(others);
        let Some((name, text)) = files.next() else {
            return Ok(ResourceDescriptor {
                uri: Some(format!("{VERIFIER}/defaults")),
                ..ResourceDescriptor::default()
            });
        };
        let mut annotations = Map::new();
        for (name, text) in files {
            let digest = serde_json::to_value(digest(text)?).map_err(|error| Error::Form(error.to_string()))?;
            annotations.insert(base_name(name), digest);
        }
        let (uri, digest) = (Some(base_name(name)), Some(digest(text)?));
        Ok(ResourceDescriptor { uri, digest, annotations, ..ResourceDescriptor::default() })
    }
}

/// The name of a policy's file, as the repository has it; of one outside of it without the folder.
fn base_name(name: &str) -> String {
    let is_inside = !name.starts_with('/') && !name.starts_with("..");
    if is_inside { name.to_owned() } else { name.rsplit('/').next().unwrap_or(name).to_owned() }
}

/// The digest of an envelope as evidence that was looked at.
pub(super) fn looked_at(predicate_type: &str, envelope: &[u8]) -> Option<ResourceDescriptor> {
    let digits = hex(&Sha256::digest(envelope));
    let digest = DigestSet::one("sha256", &digits).ok()?;
    Some(ResourceDescriptor { uri: Some(predicate_type.to_owned()), digest: Some(digest), ..Default::default() })
}

fn sha256(digest: Sha256Digest) -> Result<DigestSet, Error> {
    git("sha256", &digest.to_string())
}

fn git(algorithm: &str, digits: &str) -> Result<DigestSet, Error> {
    DigestSet::one(algorithm, digits).map_err(|error| Error::Form(error.to_string()))
}
