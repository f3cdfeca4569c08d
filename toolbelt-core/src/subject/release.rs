//! A version that is about to be published: its `.crate`, the commit that it is said to come from, and what is known
//! about both.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::attestation::Attestation;
use super::credential::Credentials;
use super::digest::Sha256Digest;
use super::package::{DependencyKind, Registry, purl};
use super::sighting::Sighting;
use super::{Kind, Location, Subject};
use crate::finding::Fact;

/// A version of a package on its way to a registry.
#[derive(Debug, Clone)]
pub struct Release {
    /// As the manifest writes it.
    pub name: String,
    /// The version that would be published.
    pub version: Version,
    /// Where it would be published.
    pub registry: Registry,
    /// Whether this is the release itself, or only shows what it would be.
    pub stage: Stage,
    /// The package's folder, relative to the root of the repository, with `/`; empty for the root itself.
    pub folder: String,
    /// The commit that is checked out; unknown outside of a git repository.
    pub revision: Fact<Revision>,
    /// What the manifest says about the package.
    pub metadata: Metadata,
    /// Direct dependencies as the manifest of the commit declares them, in its order.
    pub dependencies: Vec<DeclaredDependency>,
    /// What the lock file resolves the package's normal and build dependencies to.
    pub locked: Fact<Vec<LockedDependency>>,
    /// The `.crate`; unknown when cargo could not make one.
    pub archive: Fact<CrateFile>,
    /// What was seen in the files of the `.crate`: secrets, machine code. Paths are those in the `.crate`.
    pub sightings: Fact<Vec<Sighting>>,
    /// Every version that the registry's index lists; empty for a name that is new there.
    pub published: Fact<Vec<PublishedVersion>>,
    /// What packaging the commit from two fresh clones gave.
    pub repackaged: Fact<Repackaged>,
    /// What cargo-semver-checks said.
    pub semver: Fact<SemverCheck>,
    /// What build scripts and this very process could upload with.
    pub credentials: Credentials,
    /// Statements about the `.crate`, the commit and its tree whose signatures are good and trusted.
    pub attestations: Fact<Vec<Attestation>>,
    /// Statements that do not count, and why: one line each, naming the file or note.
    pub rejected: Vec<String>,
}

/// How serious it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// A `--dry-run` on a commit that has no tag of a release: every pull request is one.
    Rehearsal,
    /// The release itself, or a `--dry-run` on its tag.
    Release,
}

/// The commit that is packaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Its id, in hexadecimal digits.
    pub commit: String,
    /// The id of its tree.
    pub tree: String,
    /// The e-mail address of its author.
    pub author: String,
    /// The fingerprint (`SHA256:…`) of the key that signed the commit, where it is an SSH key; unknown where the signature
    /// of one cannot be read.
    pub signed_by: Fact<Option<String>>,
    /// What would be packaged though it is not so in the commit: paths relative to the root, sorted.
    pub uncommitted: Fact<Vec<String>>,
    /// The remotes that have the commit, sorted, with how that is known.
    pub remotes: Fact<Remotes>,
    /// The submodules that files of the `.crate` are from, sorted by path.
    pub submodules: Fact<Vec<SubmoduleCommit>>,
    /// The tag that this version is to have.
    pub tag: Fact<ReleaseTag>,
}

/// The commit of a submodule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmoduleCommit {
    /// Where the submodule is, relative to the root of the repository.
    pub path: String,
    /// The id of its commit, in hexadecimal digits.
    pub commit: String,
    /// The remotes of the submodule whose branches have the commit, as the last fetch left them, sorted.
    pub remotes: Fact<Vec<String>>,
}

/// Who else has a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remotes {
    /// Every remote that is configured, by name, sorted.
    pub configured: Vec<String>,
    /// Those of them that have the commit.
    pub having: Vec<String>,
    /// Whether they were asked just now, or this is what the last fetch left.
    pub asked: bool,
}

/// The tag that names a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseTag {
    /// Its name without `refs/tags/`: the one that was found, else the one that was expected first.
    pub name: String,
    /// The commit that it leads to here; none if there is no such tag.
    pub commit: Option<String>,
    /// Whether the tag is an object with a signature. Whose it is, is not judged here.
    pub is_signed: bool,
    /// The commit that the remote's tag of this name leads to; unknown if the remote was not asked.
    pub remote_commit: Fact<Option<String>>,
}

/// What a manifest says about its package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// `license`.
    pub license: Option<String>,
    /// `license-file`, as written.
    pub license_file: Option<String>,
    /// `description`.
    pub description: Option<String>,
    /// `repository`.
    pub repository: Option<String>,
    /// `rust-version`.
    pub rust_version: Option<String>,
    /// The readme, as it is in the `.crate`.
    pub readme: Option<Readme>,
    /// Where the manifest's `[package]` begins.
    pub location: Option<Location>,
}

/// A readme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readme {
    /// Its path in the `.crate`, with `/`.
    pub path: String,
    /// Its text; none if the manifest names it and it is not there, or it is not UTF-8.
    pub text: Option<String>,
}

/// A dependency as a manifest declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredDependency {
    /// The package's name, whatever it is renamed to.
    pub name: String,
    /// The version requirement as written; none without one.
    pub requirement: Option<String>,
    /// What it is for.
    pub kind: DependencyKind,
    /// Where it comes from besides a registry.
    pub place: DependencyPlace,
    /// Where it is declared.
    pub location: Option<Location>,
}

/// Where a dependency comes from, as far as that matters to who depends on it through a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DependencyPlace {
    /// A registry alone.
    Registry,
    /// A folder, which is left out of what is published.
    Path,
    /// A git repository, which is left out of what is published.
    Git,
}

/// A package that the lock file has for the release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedDependency {
    /// Its name.
    pub name: String,
    /// The locked version.
    pub version: Version,
    /// Whether the manifest asks for it itself.
    pub is_direct: bool,
    /// Whether its publisher withdrew it.
    pub is_yanked: Fact<bool>,
    /// The vulnerabilities that affect this version, by the ids of their advisories, sorted.
    pub vulnerabilities: Fact<Vec<String>>,
}

/// A `.crate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrateFile {
    /// Its SHA-256, which the registry's index will list.
    pub digest: Sha256Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Its files by path below `NAME-VERSION/`, with `/`.
    pub files: BTreeMap<String, PackagedFile>,
    /// Whether the package has binaries, whose lock file is shipped for use.
    pub has_binaries: bool,
    /// How it compares with the commit.
    pub comparison: Fact<Comparison>,
}

/// A file in a `.crate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackagedFile {
    /// Its size in bytes.
    pub size: u64,
    /// Whether it may be executed, as the archive says.
    pub is_executable: bool,
    /// Its SHA-256.
    pub digest: Sha256Digest,
}

/// How the files of a `.crate` compare with a commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// How many files are what the commit has.
    pub same: usize,
    /// Files that are not, by their path in the `.crate`.
    pub differences: BTreeMap<String, Difference>,
    /// Files that could not be compared, by their path in the `.crate`, with the reason.
    pub not_compared: BTreeMap<String, String>,
    /// Every path of the commit's tree, relative to the root of the repository: what links may point to.
    pub paths: BTreeSet<String>,
}

/// How a file of a `.crate` differs from the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The commit has no such file.
    NotInCommit,
    /// The commit has other content at this path, relative to the root of the repository.
    OtherContent {
        /// The path in the repository.
        path: String,
    },
    /// Cargo writes this file, and wrote another one when the commit alone was packaged.
    OtherThanRebuilt,
    /// Packaging the commit alone gives this file, and the `.crate` does not have it.
    Missing,
    /// The archive has more than one file of this path, or something that is no file.
    Irregular {
        /// What it has: `a symbolic link`, `a second file of this path`.
        what: String,
    },
}

/// A version that a registry has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedVersion {
    /// The version.
    pub version: Version,
    /// The digest of its `.crate`.
    pub checksum: Sha256Digest,
    /// Whether it is withdrawn from new resolutions.
    pub is_yanked: bool,
}

/// What packaging one commit twice gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repackaged {
    /// The digest of the `.crate` from each clone.
    pub digests: [Sha256Digest; 2],
    /// Files that differ between the two, sorted.
    pub different: Vec<String>,
}

/// What cargo-semver-checks said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SemverCheck {
    /// There is no earlier release to compare with, or the package has no library.
    NothingToCompare,
    /// It ran.
    Ran {
        /// How many checks.
        checks: u32,
        /// What does not fit the version.
        failures: Vec<SemverFailure>,
    },
}

/// Something that asks for a greater version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SemverFailure {
    /// The name of the lint: `struct_missing`.
    pub lint: String,
    /// What it means, in one line.
    pub summary: String,
    /// `major` or `minor`.
    pub required: String,
}

impl Release {
    /// How reports name it: with the digest of its `.crate` and the commit, where they are known.
    pub fn subject(&self) -> Subject {
        let version = self.version.to_string();
        let archive = self.archive.known().map(|archive| ("sha256", archive.digest.to_string()));
        let commit = self.revision.known().map(|revision| ("gitCommit", revision.commit.clone()));
        Subject {
            kind: Kind::Release,
            name: self.name.clone(),
            purl: Some(purl(&self.name, &version, self.registry.purl_qualifier().as_deref())),
            version: Some(version),
            digest: archive.into_iter().chain(commit).collect(),
        }
    }

    /// Whether findings that only matter on the day of the release are the weaker ones.
    pub fn is_rehearsal(&self) -> bool {
        self.stage == Stage::Rehearsal
    }

    /// The path of a file of the package's folder, relative to the root of the repository.
    pub fn path(&self, file: &str) -> String {
        if self.folder.is_empty() { file.to_owned() } else { format!("{}/{file}", self.folder) }
    }
}
