//! The dependency trees of a repository: its lock files, the packages they name, and who asked for what.

use super::Location;
use super::package::{Package, Requirement};

/// All lock files of a repository and the packages they name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dependencies {
    /// Each package once, however many lock files name it, sorted by name, version and source.
    pub packages: Vec<Package>,
    /// Sorted by path.
    pub lockfiles: Vec<Lockfile>,
    /// The packages of the repository itself, sorted by manifest path; empty for a lone lock file.
    pub members: Vec<Member>,
}

/// One `Cargo.lock`.
#[derive(Debug, Clone, PartialEq)]
pub struct Lockfile {
    /// Relative to the repository root, with `/`.
    pub path: String,
    /// The packages it names, in its order.
    pub nodes: Vec<Node>,
}

/// A package in a lock file.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Index into [`Dependencies::packages`].
    pub package: usize,
    /// Indices into [`Lockfile::nodes`]: what it depends on.
    pub dependencies: Vec<usize>,
}

/// A package whose manifest is in the repository.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// `package.name`.
    pub name: String,
    /// Where its manifest is, relative to the repository root.
    pub manifest: String,
    /// The place of `package.name`.
    pub location: Location,
    /// Registries it may be published to; none means any, an empty list means `publish = false`.
    pub publish: Option<Vec<String>>,
    /// What it depends on, with the place of each declaration.
    pub requirements: Vec<Declared>,
}

/// A dependency with the place of its declaration in a manifest of the repository.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// What is asked for.
    pub requirement: Requirement,
    /// Where cargo is told to take it from.
    pub from: DeclaredSource,
    /// Where it is declared.
    pub location: Location,
}

/// Where a manifest says a dependency comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeclaredSource {
    /// crates.io, as nothing else is said.
    CratesIo,
    /// The registry of this name in cargo's configuration, or this index URL.
    Registry(String),
    /// A directory, and nothing else: the requirement cannot be met by a registry.
    Path,
    /// A directory, replaced by the registry when published.
    PathAndRegistry,
    /// A git repository: URL and reference.
    Git {
        /// As written.
        url: String,
        /// What is asked for.
        reference: super::package::GitReference,
    },
}
