//! What cargo resolved for a workspace: every package with what it declares, and which package each declaration met.
//!
//! It is larger than what one package is built of: members ask for different features, tests ask for more, and every
//! target is in it. [`feature_resolution`](super::feature_resolution) takes out what one package needs.

use std::collections::BTreeMap;

use semver::Version;

use super::digest::Sha256Digest;
use super::package::{DependencyKind, Source};

/// The packages of a workspace and what asks for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageGraph {
    /// Sorted by name, version and source.
    pub packages: Vec<GraphPackage>,
    /// How cargo unifies features in this workspace.
    pub unification: Unification,
}

/// How widely features of one package are unified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unification {
    /// Resolver 1: over all targets, over what is built for the host as well, and over what tests ask for.
    Everywhere,
    /// Resolvers 2 and 3: targets that are not built do not count, and what runs at build time has features of its own.
    ByUse,
}

/// A package with what its manifest declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphPackage {
    /// `package.name`.
    pub name: String,
    /// The resolved version.
    pub version: Version,
    /// Where cargo takes it from.
    pub source: Source,
    /// The digest of the `.crate` that the lock file asks for; none for path and git packages.
    pub checksum: Option<Sha256Digest>,
    /// What it says of itself.
    pub about: About,
    /// What is built of it.
    pub builds: Builds,
    /// `package.links`: the native library that its build script is to link.
    pub links: Option<String>,
    /// `[features]` as written, with the features that optional dependencies bring.
    pub features: BTreeMap<String, Vec<String>>,
    /// What it asks for, as far as cargo resolved it, in the order of the resolved packages.
    pub dependencies: Vec<GraphDependency>,
}

/// What a package says of itself, as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// `license`.
    pub license: Option<String>,
    /// `license-file`.
    pub license_file: Option<String>,
    /// `description`.
    pub description: Option<String>,
    /// `authors`.
    pub authors: Vec<String>,
    /// `repository`.
    pub repository: Option<String>,
    /// `homepage`.
    pub homepage: Option<String>,
    /// `documentation`.
    pub documentation: Option<String>,
}

/// What is built of a package.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a package can be any of them at the same time")]
pub struct Builds {
    /// A library that others link.
    pub library: bool,
    /// A library that runs in the compiler.
    pub proc_macro: bool,
    /// A program.
    pub program: bool,
    /// A build script.
    pub build_script: bool,
}

/// A dependency that a package declares, with the package that met it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphDependency {
    /// The key in the manifest, by which features speak of it.
    pub key: String,
    /// Index into [`PackageGraph::packages`].
    pub package: usize,
    /// What it is for.
    pub kind: DependencyKind,
    /// A target triple or `cfg(…)`; none for every target.
    pub target: Option<String>,
    /// Whether a feature turns it on.
    pub optional: bool,
    /// Whether its `default` feature is asked for.
    pub default_features: bool,
    /// The other features that are asked for.
    pub features: Vec<String>,
}
