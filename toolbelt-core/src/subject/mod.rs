//! What rules judge: plain data, without I/O.

pub mod advisory;
pub mod affected_versions;
pub mod attestation;
pub mod bill_of_materials;
pub mod content;
pub mod credential;
pub mod declared_license;
pub mod dependencies;
pub mod digest;
pub mod exemption;
pub mod feature_resolution;
pub mod hook;
pub mod inline_marker;
pub mod location;
pub mod malformed;
pub mod names;
pub mod package;
pub mod package_graph;
pub mod pattern;
pub mod ref_log;
pub mod ref_update;
pub mod release;
pub mod sighting;
pub mod sign_off;
pub mod signed_object;
pub mod ssh;
pub mod target;
pub mod tree;
pub mod value_key;
pub mod web_address;

use std::collections::BTreeMap;

pub use location::{LineIndex, Location, Region};

/// The thing judged, as a report names it.
///
/// It has a kind, a name and, where there is one, a digest: what evidence about it is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// What sort of thing it is.
    pub kind: Kind,
    /// A package's name, a ref's full name, a path with `/`, an object id.
    pub name: String,
    /// A package's or release's version.
    pub version: Option<String>,
    /// A [package URL](https://github.com/package-url/purl-spec), for packages and releases.
    pub purl: Option<String>,
    /// in-toto digest set: algorithm (`sha256`, `gitCommit`, …) and hexadecimal digits.
    pub digest: BTreeMap<&'static str, String>,
}

/// The kinds of subjects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A package that a lock file or a manifest names.
    Package,
    /// A git repository as a whole.
    Repository,
    /// A git commit.
    Commit,
    /// A git ref.
    Ref,
    /// A file's content.
    Blob,
    /// A CI workflow.
    Workflow,
    /// A version that is about to be published, or was.
    Release,
}

impl Kind {
    /// The word used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::Repository => "repository",
            Self::Commit => "commit",
            Self::Ref => "ref",
            Self::Blob => "blob",
            Self::Workflow => "workflow",
            Self::Release => "release",
        }
    }
}

impl Subject {
    /// A package of crates.io.
    pub fn package(name: impl Into<String>, version: impl Into<String>) -> Self {
        let (name, version) = (name.into(), version.into());
        let purl = Some(package::purl(&name, &version, None));
        Self { kind: Kind::Package, name, version: Some(version), purl, digest: BTreeMap::new() }
    }

    /// A crate of crates.io in whatever versions.
    pub fn any_version(name: impl Into<String>) -> Self {
        let name = name.into();
        let purl = Some(package::purl_of_any_version(&name));
        Self { kind: Kind::Package, name, version: None, purl, digest: BTreeMap::new() }
    }

    /// A file of the repository, by its path.
    pub fn blob(path: impl Into<String>) -> Self {
        Self { kind: Kind::Blob, name: path.into(), version: None, purl: None, digest: BTreeMap::new() }
    }

    /// A ref, by its full name.
    pub fn git_ref(name: impl Into<String>) -> Self {
        Self { kind: Kind::Ref, name: name.into(), version: None, purl: None, digest: BTreeMap::new() }
    }

    /// A commit.
    pub fn commit(id: content::ObjectId) -> Self {
        let digest = BTreeMap::from([("gitCommit", id.to_string())]);
        Self { kind: Kind::Commit, name: id.to_string(), version: None, purl: None, digest }
    }

    /// What stays the same while this is the same thing: the purl, else kind and name.
    pub fn key(&self) -> String {
        match &self.purl {
            Some(purl) => purl.clone(),
            None => format!("{}:{}", self.kind.as_str(), self.name),
        }
    }
}
