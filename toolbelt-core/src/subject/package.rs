//! One package of a resolved dependency tree, with what the registry and the archive say of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use semver::Version;

use super::digest::Sha256Digest;
use super::{Kind, Location, Subject};
use crate::finding::Fact;

/// A package that one or more lock files name.
#[derive(Debug, Clone, PartialEq)]
pub struct Package {
    /// As the lock file writes it.
    pub name: String,
    /// The locked version.
    pub version: Version,
    /// Where cargo takes it from.
    pub source: Source,
    /// The digest of the `.crate` that the lock file asks for; none for path and git packages.
    pub checksum: Option<Sha256Digest>,
    /// Where lock files name it, sorted: the whole `[[package]]` entry's name and version lines.
    pub locations: Vec<Location>,
    /// How it is used; unknown where the manifests that would say so are missing.
    pub usage: Fact<Usage>,
    /// What the registry's index says; none for path and git packages, unknown when it was not asked for or not had.
    pub listing: Option<Fact<Listing>>,
    /// What cargo's cached `.crate` says; none for path and git packages, and where cargo's cache has none.
    pub archive: Option<Fact<Archive>>,
}

impl Package {
    /// How reports name it.
    pub fn subject(&self) -> Subject {
        let version = self.version.to_string();
        let purl = purl(&self.name, &version, self.source.purl_qualifier().as_deref());
        let digest = self.checksum.iter().map(|digest| ("sha256", digest.to_string()));
        let commit = match &self.source {
            Source::Git { commit: Some(commit), .. } => Some(("gitCommit", commit.clone())),
            _ => None,
        };
        Subject {
            kind: Kind::Package,
            name: self.name.clone(),
            version: Some(version),
            purl: Some(purl),
            digest: digest.chain(commit).collect::<BTreeMap<_, _>>(),
        }
    }
}

/// Where cargo takes a package from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A directory: a workspace member or a path dependency.
    Path,
    /// A registry.
    Registry(Registry),
    /// A git repository.
    Git {
        /// Without `git+`, query and fragment.
        url: String,
        /// What the manifest asked for.
        reference: GitReference,
        /// The commit that was locked.
        commit: Option<String>,
    },
    /// Something this version of toolbelt does not know, as the lock file writes it.
    Other(String),
}

/// A registry, as lock files name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Registry {
    /// The index URL: `https://github.com/rust-lang/crates.io-index` or `sparse+https://…/`.
    pub index: String,
}

/// What a git dependency asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GitReference {
    /// Whatever the remote's default branch is.
    DefaultBranch,
    /// A branch.
    Branch(String),
    /// A tag, which can be moved.
    Tag(String),
    /// A commit, or anything else that `rev` takes.
    Revision(String),
}

impl Registry {
    /// A registry by its index URL. Every spelling that cargo takes for crates.io is [`Self::CRATES_IO`].
    pub fn new(index: &str) -> Self {
        let is_crates_io = match index.strip_prefix("sparse+") {
            Some(url) => url.trim_end_matches('/').eq_ignore_ascii_case("https://index.crates.io"),
            None => is_same_repository(index, Self::CRATES_IO),
        };
        Self { index: if is_crates_io { Self::CRATES_IO } else { index }.to_owned() }
    }

    /// How a lock file names crates.io, whatever protocol or mirror cargo uses to reach it.
    pub const CRATES_IO: &str = "https://github.com/rust-lang/crates.io-index";
    /// Whether this is crates.io.
    pub fn is_crates_io(&self) -> bool {
        self.index == Self::CRATES_IO
    }

    /// Tells packages of this registry apart from those of crates.io, as the purl specification does for cargo.
    pub fn purl_qualifier(&self) -> Option<String> {
        (!self.is_crates_io()).then(|| format!("repository_url={}", percent_encode(&self.index)))
    }
}

/// Whether two URLs are one repository to cargo, which ignores case on this forge, a `/` and a `.git` at the end.
fn is_same_repository(one: &str, other: &str) -> bool {
    fn plain(url: &str) -> &str {
        let url = url.trim_end_matches('/');
        url.strip_suffix(".git").unwrap_or(url)
    }
    plain(one).eq_ignore_ascii_case(plain(other))
}

impl Source {
    /// crates.io.
    pub fn crates_io() -> Self {
        Self::Registry(Registry { index: Registry::CRATES_IO.to_owned() })
    }

    /// Whether this is crates.io.
    pub fn is_crates_io(&self) -> bool {
        matches!(self, Self::Registry(registry) if registry.is_crates_io())
    }

    /// Tells packages from elsewhere apart from those of crates.io, as the purl specification does for cargo.
    pub(super) fn purl_qualifier(&self) -> Option<String> {
        match self {
            Self::Registry(registry) => registry.purl_qualifier(),
            Self::Git { url, commit, .. } => {
                let commit = commit.as_deref().map(|commit| format!("@{commit}")).unwrap_or_default();
                Some(format!("vcs_url={}", percent_encode(&format!("git+{url}{commit}"))))
            }
            // A path names a machine; the package's own name and version are all that may be told.
            Self::Path => None,
            Self::Other(source) => Some(format!("repository_url={}", percent_encode(source))),
        }
    }
}

/// A way in which a package is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DependencyKind {
    /// Part of what is built.
    Normal,
    /// Runs at build time.
    Build,
    /// Tests, examples and benchmarks.
    Dev,
}

impl DependencyKind {
    /// All kinds, strongest first.
    pub const ALL: [Self; 3] = [Self::Normal, Self::Build, Self::Dev];

    /// The word used in policies and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Build => "build",
            Self::Dev => "dev",
        }
    }
}

/// On which targets a package is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// Only when building for other targets than the host's.
    Elsewhere,
    /// When building for the host's target.
    Host,
}

/// How a package is used, over all members of the workspaces: the farthest reach for each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage(BTreeMap<DependencyKind, Reach>);

impl Usage {
    /// Adds a use; returns whether it was new or reaches farther.
    pub fn add(&mut self, kind: DependencyKind, reach: Reach) -> bool {
        let known = self.0.get(&kind).copied();
        if known >= Some(reach) {
            return false;
        }
        self.0.insert(kind, reach);
        true
    }

    /// The kinds of use with their reach, strongest first.
    pub fn iter(&self) -> impl Iterator<Item = (DependencyKind, Reach)> {
        self.0.iter().map(|(kind, reach)| (*kind, *reach))
    }

    /// The kinds of use in words, strongest first: `normal`, or `build (other targets)` where the host is not reached.
    pub fn words(&self) -> Vec<String> {
        let word = |(kind, reach): (DependencyKind, Reach)| match reach {
            Reach::Host => kind.as_str().to_owned(),
            Reach::Elsewhere => format!("{} (other targets)", kind.as_str()),
        };
        self.iter().map(word).collect()
    }

    /// Whether nothing uses it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The strongest kind of use.
    pub fn strongest(&self) -> Option<DependencyKind> {
        self.0.keys().next().copied()
    }

    /// Whether some use reaches the host's target.
    pub fn reaches_host(&self) -> bool {
        self.0.values().any(|reach| *reach == Reach::Host)
    }
}

/// What a registry's index says of a crate, as far as one locked version of it is concerned.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// The locked version's entry; none when the index does not list it.
    pub release: Option<Release>,
    /// How many versions the index lists, yanked ones included.
    pub releases: usize,
    /// When the first version was published, where the index says so.
    pub first_published: Option<Timestamp>,
    /// The version published last, and when.
    pub last_published: Option<(Version, Timestamp)>,
    /// Versions that are not yanked, ascending; what a fix can point to.
    pub available: Vec<Version>,
    /// When this was last known to be what the registry serves; unknown, with the reason, if that was not lately enough
    /// for an answer that time can change.
    pub confirmed: Fact<Timestamp>,
}

/// One version in a registry's index.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    /// The digest of its `.crate`.
    pub checksum: Sha256Digest,
    /// Whether it was withdrawn from new resolutions.
    pub yanked: bool,
    /// When it was published, where the index says so (`pubtime`).
    pub published: Option<Timestamp>,
    /// What it depends on, in the index's order.
    pub dependencies: Vec<Requirement>,
}

/// A dependency as a manifest or an index entry declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The package's name, whatever it is renamed to.
    pub name: String,
    /// The version requirement as written; none for path and git dependencies without one.
    pub requirement: Option<String>,
    /// What it is for.
    pub kind: DependencyKind,
    /// A target triple or `cfg(…)`; none for every target.
    pub target: Option<String>,
    /// Whether a feature turns it on.
    pub optional: bool,
}

/// What cargo's cache holds of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The digest of the `.crate` in cargo's cache.
    pub checksum: Sha256Digest,
    /// What the manifest in the archive says; unknown if the archive could not be read.
    pub manifest: Fact<ArchiveManifest>,
    /// Files of the unpacked source that differ from the archive, are missing or are extra, relative to the package and
    /// sorted; none if there is no unpacked source or nobody asked for this.
    pub unpacked: Option<Fact<Vec<String>>>,
}

/// What the manifest in an archive says about licences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArchiveManifest {
    /// `package.license`, as written.
    pub license: Option<String>,
    /// `package.license-file`.
    pub license_file: Option<String>,
}

/// Writes a [package URL](https://github.com/package-url/purl-spec) of type `cargo`.
pub fn purl(name: &str, version: &str, qualifier: Option<&str>) -> String {
    let qualifier = qualifier.map(|qualifier| format!("?{qualifier}")).unwrap_or_default();
    format!("pkg:cargo/{}@{}{qualifier}", percent_encode(name), percent_encode(version))
}

/// Writes a package URL that stands for every version.
pub fn purl_of_any_version(name: &str) -> String {
    format!("pkg:cargo/{}", percent_encode(name))
}

/// Percent-encodes all but the characters that the purl specification leaves alone.
fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => encoded.push(byte.into()),
            _ => {
                encoded.push('%');
                encoded.push_str(&super::digest::hex(&[byte]).to_uppercase());
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purl_encodes_build_metadata() {
        assert_eq!(purl("libz-sys", "1.0.0+zlib", None), "pkg:cargo/libz-sys@1.0.0%2Bzlib");
    }

    #[test]
    fn crates_io_is_the_default_registry_of_purls() {
        assert_eq!(Source::crates_io().purl_qualifier(), None);
        let other = Source::Registry(Registry { index: "sparse+https://example.org/".to_owned() });
        assert_eq!(other.purl_qualifier().unwrap(), "repository_url=sparse%2Bhttps:%2F%2Fexample.org%2F");
    }

    #[test]
    fn crates_io_is_crates_io_however_it_is_spelled() {
        for index in [
            "https://github.com/rust-lang/crates.io-index",
            "https://github.com/rust-lang/crates.io-index/",
            "https://github.com/rust-lang/crates.io-index.git",
            "https://GitHub.com/Rust-Lang/crates.io-index",
            "sparse+https://index.crates.io",
            "sparse+https://index.crates.io/",
        ] {
            assert!(Registry::new(index).is_crates_io(), "{index}");
        }
        for index in ["https://github.com/rust-lang/crates.io-index2", "sparse+https://index.crates.io.example.org/"] {
            assert!(!Registry::new(index).is_crates_io(), "{index}");
        }
    }

    #[test]
    fn usage_keeps_the_farthest_reach() {
        let mut usage = Usage::default();
        assert!(usage.add(DependencyKind::Dev, Reach::Elsewhere));
        assert!(usage.add(DependencyKind::Dev, Reach::Host));
        assert!(!usage.add(DependencyKind::Dev, Reach::Elsewhere));
        assert!(usage.add(DependencyKind::Normal, Reach::Elsewhere));
        assert_eq!(usage.strongest(), Some(DependencyKind::Normal));
        assert!(usage.reaches_host());
    }
}
