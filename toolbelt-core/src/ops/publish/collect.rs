//! Collects what is known of each release.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use super::gathered::{Gathered, Trust};
use super::ground::Ground;
use super::locked::{Closure, LockedPackages};
use super::{Build, Error};
use crate::finding::{Fact, Unknown};
use crate::ops::{Step, Watch, causes, sbom, scan};
use crate::report::{Coverage, SourceState};
use crate::rules::Need;
use crate::source::cargo_metadata::{Member, Metadata};
use crate::source::registry::api::Api;
use crate::source::registry::clean_environment::clean_environment;
use crate::source::registry::credentials::credentials;
use crate::source::registry::order::{self, publish_order};
use crate::source::registry::readback::{Published, Reader};
use crate::source::release::archive::{LOCKFILE, MAX_BYTES};
use crate::source::release::description::Described;
use crate::source::release::package::Verify;
use crate::source::release::rebuild::{Rebuilt, rebuild};
use crate::source::release::repackage::repackage;
use crate::source::release::semver_checks::{self, Baseline};
use crate::source::{file, release};
use crate::subject::bill_of_materials::{BillOfMaterials, Maker};
use crate::subject::credential::Credentials;
use crate::subject::digest::Sha256Digest;
use crate::subject::feature_resolution::{Choice, Features, Targets, Tests};
use crate::subject::release::{
    DeclaredDependency, PublishedVersion, Release, Repackaged, Revision, SemverCheck, Stage,
};
use crate::subject::sighting::Sighting;

/// A release with what it is published from.
pub(super) struct Candidate {
    pub(super) release: Release,
    /// Its `.crate`.
    pub(super) archive: PathBuf,
    /// The digest of its bytes.
    pub(super) digest: Sha256Digest,
    /// What it is made of.
    pub(super) bill: BillOfMaterials,
    /// The evidence that was looked at.
    pub(super) gathered: Gathered,
}

/// Everything that was collected.
pub(super) struct Collected {
    /// In the order in which they are published.
    pub(super) candidates: Vec<Candidate>,
    pub(super) sources: Vec<SourceState>,
}

/// Packages, and looks at everything that the rules judge.
pub(super) fn collect(ground: &Ground<'_>, coverage: &mut Coverage, watch: Watch<'_>) -> Result<Collected, Error> {
    let request = ground.request;
    let trust = Trust::of(ground)?;
    watch(Step { what: "packages", done: 0, total: 0 });
    let verify = match request.build {
        Build::Verified => Verify::Yes,
        Build::Skipped => Verify::No,
    };
    let archives = ground.package(verify)?;
    let metadata = ground.resolved()?;
    watch(Step { what: "the commit alone", done: 0, total: 0 });
    let rebuilds = Rebuilds::make(ground)?;
    watch(Step { what: "remotes and registry", done: 0, total: 0 });
    let lockfile = metadata.workspace.root.join(LOCKFILE);
    let locked = LockedPackages::look_up(request, &ground.root, &lockfile, &ground.loaded.policy, watch)?;
    let shared = Shared { ground, trust, metadata: &metadata, rebuilds, locked, api: api(ground) };
    let mut candidates = Vec::new();
    for (done, (member, path)) in ground.members.iter().zip(archives).enumerate() {
        watch(Step { what: "releases", done, total: ground.members.len() });
        candidates.push(shared.candidate(member, path, coverage)?);
    }
    coverage.count("releases", candidates.len());
    let (looked_at, sources) = shared.locked.told();
    coverage.skipped.extend(looked_at.skipped.iter().cloned());
    Ok(Collected { candidates: in_order(candidates)?, sources: sources.to_vec() })
}

/// Puts releases into the order in which they are published: what others depend on first.
fn in_order(mut candidates: Vec<Candidate>) -> Result<Vec<Candidate>, Error> {
    let dependencies = |release: &Release| {
        let dependency = |declared: &DeclaredDependency| order::MemberDependency {
            name: declared.name.clone(),
            kind: declared.kind,
            has_version: declared.requirement.is_some(),
        };
        release.dependencies.iter().map(dependency).collect()
    };
    let member = |Candidate { release, .. }: &Candidate| order::Member {
        name: release.name.clone(),
        dependencies: dependencies(release),
    };
    let members = candidates.iter().map(member).collect::<Vec<_>>();
    let order = publish_order(&members)?;
    candidates.sort_by_key(|Candidate { release, .. }| order.iter().position(|member| member.name == release.name));
    Ok(candidates)
}

/// What was packaged of the commit alone.
#[derive(Default)]
struct Rebuilds {
    first: BTreeMap<String, Fact<Rebuilt>>,
    second: BTreeMap<String, Fact<Repackaged>>,
}

impl Rebuilds {
    fn make(ground: &Ground<'_>) -> Result<Self, Error> {
        let is_wanted = ground.loaded.policy.needs().contains(&Need::Repackaging);
        let made = ground.in_clones(|request| {
            let first = rebuild(request);
            let second = if is_wanted { repackage(request, &first) } else { BTreeMap::new() };
            Self { first, second }
        })?;
        Ok(match made {
            Fact::Known(made) => made,
            Fact::Unknown(unknown) => {
                let none = |member: &Member| (member.name.clone(), Fact::Unknown(unknown.clone()));
                Self { first: ground.members.iter().map(none).collect(), second: BTreeMap::new() }
            }
        })
    }
}

fn api(ground: &Ground<'_>) -> Fact<Api> {
    if ground.http.is_offline() {
        return Fact::Unknown(Unknown::new("the registry was not asked").hint("run without --offline"));
    }
    match Api::open(&ground.http, &ground.target, None) {
        Ok(api) => Fact::Known(api),
        Err(error) => Fact::Unknown(Unknown::new(causes(&error))),
    }
}

/// What was had once for all releases.
struct Shared<'a> {
    ground: &'a Ground<'a>,
    trust: Trust,
    metadata: &'a Metadata,
    rebuilds: Rebuilds,
    locked: LockedPackages,
    api: Fact<Api>,
}

impl Shared<'_> {
    fn candidate(&self, member: &Member, path: PathBuf, coverage: &mut Coverage) -> Result<Candidate, Error> {
        let ground = self.ground;
        let bytes = file::read(&path, MAX_BYTES)?;
        let digest = Sha256Digest::new(Sha256::digest(&bytes).into());
        let (collected, sightings) = self.look_into(&bytes, member, coverage)?;
        coverage.count("files", collected.archive.known().map_or(0, |archive| archive.files.len()));
        let Described { metadata, dependencies } = match collected.described {
            Fact::Known(described) => described,
            Fact::Unknown(unknown) => return Err(Error::Manifest { name: member.name.clone(), why: unknown.reason }),
        };
        let bill = self.bill(member, digest)?;
        let revision = collected.revision;
        let gathered = Gathered::of(ground, &self.trust, revision.known(), &path)?;
        let release = Release {
            name: member.name.clone(),
            version: member.version.clone(),
            registry: ground.target.registry.clone(),
            stage: self.stage(revision.known()),
            folder: collected.folder,
            metadata,
            dependencies,
            locked: Fact::Known(self.locked.of(&closure(&bill))),
            sightings,
            published: self.published(&member.name),
            repackaged: self.rebuilds.second.get(&member.name).cloned().unwrap_or_else(|| unknown(&ground.checkout)),
            semver: self.semver(member, revision.known()),
            credentials: self.credentials(),
            attestations: gathered.attestations.clone(),
            rejected: gathered.rejected.clone(),
            archive: collected.archive,
            revision,
        };
        Ok(Candidate { release, archive: path, digest, bill, gathered })
    }

    /// Reads the `.crate` once, and searches its files if a rule asks for it.
    fn look_into(
        &self,
        bytes: &[u8],
        member: &Member,
        coverage: &mut Coverage,
    ) -> Result<(release::collect::Collected, Fact<Vec<Sighting>>), Error> {
        let ground = self.ground;
        let missing = unknown(&ground.checkout);
        let request = release::collect::Request {
            workspace: &ground.workspace,
            member,
            bytes: Fact::Known(bytes),
            checkout: &ground.checkout,
            rebuilt: self.rebuilds.first.get(&member.name).unwrap_or(&missing),
            tags: &ground.tags(),
        };
        if !ground.loaded.policy.needs().contains(&Need::CrateContents) {
            let collected = release::collect::collect(&request, &mut |_, _| {});
            return Ok((collected, Fact::Unknown(Unknown::new("no active rule needs it"))));
        }
        let mut collected = None;
        let files = |each: &mut dyn FnMut(&str, &[u8])| collected = Some(release::collect::collect(&request, each));
        let sightings = scan::search(&ground.request.environment, &ground.root, files, coverage)?;
        let collected = collected.expect("a search asks for the files once");
        Ok((collected, Fact::Known(sightings)))
    }

    /// A rehearsal is a dry run on a commit that the version's tag does not name.
    fn stage(&self, revision: Option<&Revision>) -> Stage {
        let tagged = |revision: &Revision| {
            revision.tag.known().is_some_and(|tag| tag.commit.as_deref() == Some(revision.commit.as_str()))
        };
        if self.ground.request.dry_run && !revision.is_some_and(tagged) { Stage::Rehearsal } else { Stage::Release }
    }

    fn bill(&self, member: &Member, digest: Sha256Digest) -> Result<BillOfMaterials, Error> {
        let choice = Choice { features: Features::Default(Vec::new()), targets: Targets::All, tests: Tests::LeftOut };
        let maker = Maker::new(&self.ground.request.environment.tool, None);
        Ok(sbom::of_package(self.metadata, &member.name, &choice, Some(digest), maker)?)
    }

    fn published(&self, name: &str) -> Fact<Vec<PublishedVersion>> {
        let api = match &self.api {
            Fact::Known(api) => api,
            Fact::Unknown(unknown) => return Fact::Unknown(unknown.clone()),
        };
        let version =
            |Published { version, checksum, yanked }| PublishedVersion { version, checksum, is_yanked: yanked };
        match (Reader { http: &self.ground.http, api, token: None }).versions(name) {
            Ok(versions) => Fact::Known(versions.into_iter().map(version).collect()),
            Err(unknown) => Fact::Unknown(unknown),
        }
    }

    fn semver(&self, member: &Member, revision: Option<&Revision>) -> Fact<SemverCheck> {
        if !self.ground.loaded.policy.needs().contains(&Need::SemverChecks) {
            return Fact::Unknown(Unknown::new("no active rule needs it"));
        }
        let tag = revision.and_then(|_| self.ground.previous_tag(&member.name, &member.version));
        let baseline = tag.as_ref().map_or(Baseline::Registry, |tag| Baseline::Revision(&tag.name));
        if baseline == Baseline::Registry && self.ground.http.is_offline() {
            let why = "there is no tag of an earlier release to compare with, and the registry was not asked";
            return Fact::Unknown(Unknown::new(why).hint("run without --offline"));
        }
        semver_checks::check(&semver_checks::Request {
            manifest: &member.manifest,
            package: &member.name,
            baseline,
            variables: &self.ground.request.environment.variables,
        })
    }

    fn credentials(&self) -> Credentials {
        let variables = &self.ground.request.environment.variables;
        let build = match self.ground.request.build {
            Build::Verified => clean_environment(variables),
            Build::Skipped => BTreeMap::new(),
        };
        credentials(&self.ground.config, &self.ground.target.registry, variables, &build)
    }
}

/// The names and versions that a release is made of, without itself.
fn closure(bill: &BillOfMaterials) -> Closure {
    let direct = |index: usize| bill.edges.iter().any(|edge| edge.from == bill.root && edge.to == index);
    let others = bill.components.iter().enumerate().filter(|(index, _)| *index != bill.root);
    others
        .filter_map(|(index, component)| {
            let version = component.version.parse().ok()?;
            Some(((component.name.clone(), version), direct(index)))
        })
        .collect()
}

/// What follows from not knowing something else.
fn unknown<T, U>(fact: &Fact<T>) -> Fact<U> {
    match fact {
        Fact::Known(_) => Fact::Unknown(Unknown::new("it was not looked at")),
        Fact::Unknown(unknown) => Fact::Unknown(unknown.clone()),
    }
}
