//! Joins the parts: what a repository and cargo know of each package that is to be released.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gix::hash::Kind as HashKind;

use super::archive::{self, Contents, LOCKFILE, MANIFEST, Named};
use super::comparison::{self, Packaged};
use super::description::{self, Described, Manifests};
use super::origin::Origins;
use super::package::Options;
use super::rebuild::{self, Rebuilt};
use super::revision::{self, Answers, Network};
use crate::finding::{Fact, Unknown};
use crate::source::cargo_metadata::{Member, Workspace};
use crate::source::git::head;
use crate::source::git::repository::GitRepository;
use crate::source::git::snapshot::Snapshot;
use crate::source::git::tags::TagPattern;
use crate::source::repository::display_path;
use crate::source::{file, git, manifest};
use crate::subject::release::{Comparison, CrateFile, Difference, Revision};

/// The checked-out commit of the repository that a workspace is in.
pub struct Checkout {
    /// The files of the commit.
    pub snapshot: Snapshot,
    /// The top of the work tree, absolute.
    pub root: PathBuf,
    /// What remotes said.
    pub answers: Answers,
}

/// One package of a workspace, and what was made of it.
#[derive(Clone)]
pub struct Request<'a> {
    /// The workspace.
    pub workspace: &'a Workspace,
    /// The package.
    pub member: &'a Member,
    /// The bytes of its `.crate`, or why there are none.
    pub bytes: Fact<&'a [u8]>,
    /// The commit, or why there is none.
    pub checkout: &'a Fact<Checkout>,
    /// What was made of the commit alone.
    pub rebuilt: &'a Fact<Rebuilt>,
    /// How tags are called, best first.
    pub tags: &'a [TagPattern],
}

/// What is known of a package, besides what a registry, a lock file and evidence say.
#[derive(Debug, Clone)]
pub struct Collected {
    /// Its folder, relative to the root of the repository, with `/`; empty for the root itself.
    pub folder: String,
    /// The commit.
    pub revision: Fact<Revision>,
    /// What its manifests say.
    pub described: Fact<Described>,
    /// The `.crate`, compared with the commit.
    pub archive: Fact<CrateFile>,
}

impl Checkout {
    /// Opens the commit that is checked out where a workspace is, and asks remotes if that is allowed.
    ///
    /// Unknown without a repository, on a branch without commits, and where the commit cannot be read.
    pub fn open(workspace: &Path, variables: &BTreeMap<String, String>, network: Network) -> Fact<Self> {
        match Self::try_open(workspace, variables, network) {
            Ok(Some(checkout)) => Fact::Known(checkout),
            Ok(None) => Fact::Unknown(Unknown::new("the branch has no commit yet").hint("git commit")),
            Err(git::Error::NotARepository { .. }) => {
                Fact::Unknown(Unknown::new("the package is not in the work tree of a git repository").hint("git init"))
            }
            Err(error) => Fact::Unknown(Unknown::new(error.to_string())),
        }
    }

    fn try_open(
        workspace: &Path,
        variables: &BTreeMap<String, String>,
        network: Network,
    ) -> Result<Option<Self>, git::Error> {
        let repository = GitRepository::open(workspace, variables)?;
        let root = repository.root().ok_or_else(|| git::Error::NotARepository { directory: workspace.to_owned() })?;
        let root = real(root);
        let Some(commit) = head::head(&repository)? else { return Ok(None) };
        let snapshot = Snapshot::open(&repository, commit)?;
        Ok(Some(Self { snapshot, root, answers: Answers::of(&repository, network)? }))
    }

    /// A folder relative to the top of the work tree, with `/`; none if it is not below it.
    pub fn folder(&self, folder: &Path) -> Option<String> {
        let folder = real(folder);
        folder.starts_with(&self.root).then(|| display_path(&self.root, &folder))
    }

    /// What is asked to package the commit alone ([`rebuild::rebuild`], [`super::repackage::repackage`]).
    ///
    /// Unknown for a workspace that reaches out of the repository, of which no clone is whole. `scratch` is an existing
    /// folder outside of every repository and workspace.
    pub fn rebuilding<'a>(
        &'a self,
        workspace: &Workspace,
        packages: &'a [&'a str],
        options: &'a Options,
        scratch: &'a Path,
        variables: &'a BTreeMap<String, String>,
    ) -> Fact<rebuild::Request<'a>> {
        let Some(folder) = self.folder(&workspace.root) else {
            return Fact::Unknown(Unknown::new("the workspace is not in the repository as a whole"));
        };
        let lockfile = Some(workspace.root.join(LOCKFILE)).filter(|path| path.is_file());
        let snapshot = &self.snapshot;
        Fact::Known(rebuild::Request { snapshot, workspace: folder, lockfile, packages, options, scratch, variables })
    }
}

/// A path without symbolic links.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Gathers what is known of a package; every file of its `.crate` is shown once, with its path in it.
pub fn collect(request: &Request<'_>, show: &mut dyn FnMut(&str, &[u8])) -> Collected {
    let checkout = request.checkout.known();
    let package = Named { name: &request.member.name, version: &request.member.version };
    let hash = checkout.map_or(HashKind::Sha1, |checkout| checkout.snapshot.repository().hash());
    let read = match &request.bytes {
        Fact::Known(bytes) => archive::read(bytes, package, hash, show)
            .map(|contents| Packed { bytes, package, contents })
            .map_err(|error| Unknown::new(error.to_string())),
        Fact::Unknown(unknown) => Err(unknown.clone()),
    };
    let folder = folder(request);
    let origins = match request.checkout {
        Fact::Known(checkout) => Origins::of(&checkout.snapshot, &folder)
            .map_err(|missing| Unknown::new(format!("an object of the commit {missing}"))),
        Fact::Unknown(unknown) => Err(unknown.clone()),
    };
    let revision = match (checkout, &origins) {
        (Some(checkout), Ok(origins)) => {
            let contents = read.as_ref().ok().map(|packed| &packed.contents);
            revision(request, checkout, origins, contents)
        }
        (_, Err(unknown)) => Fact::Unknown(unknown.clone()),
        (None, Ok(_)) => Fact::Unknown(Unknown::new("there is no commit")),
    };
    let (described, archive) = match read {
        Ok(packed) => {
            let described = described(request, &folder, origins.as_ref().ok(), &packed);
            let comparison = packed.compare(&origins, request.rebuilt);
            (described, Fact::Known(CrateFile { comparison, ..packed.contents.file }))
        }
        Err(unknown) => (Fact::Unknown(unknown.clone()), Fact::Unknown(unknown)),
    };
    Collected { folder, revision, described, archive }
}

/// A `.crate` and what it holds.
struct Packed<'a> {
    bytes: &'a [u8],
    package: Named<'a>,
    contents: Contents,
}

impl Packed<'_> {
    fn compare(&self, origins: &Result<Origins<'_>, Unknown>, rebuilt: &Fact<Rebuilt>) -> Fact<Comparison> {
        let packaged = Packaged { bytes: self.bytes, package: self.package, contents: &self.contents };
        let compared = match origins {
            Ok(origins) => {
                comparison::compare(packaged, origins, rebuilt).map_err(|error| Unknown::new(error.to_string()))
            }
            Err(unknown) => Err(unknown.clone()),
        };
        match compared {
            Ok(comparison) => Fact::Known(comparison),
            Err(unknown) if self.contents.irregular.is_empty() => Fact::Unknown(unknown),
            Err(unknown) => Fact::Known(self.without_commit(&unknown)),
        }
    }

    /// What can be said of the archive without anything to compare it with.
    fn without_commit(&self, unknown: &Unknown) -> Comparison {
        let irregular = self.contents.irregular.iter();
        let differences: BTreeMap<_, _> =
            irregular.map(|(path, what)| (path.clone(), Difference::Irregular { what: what.clone() })).collect();
        let rest = self.contents.file.files.keys().filter(|path| !differences.contains_key(*path));
        let not_compared = rest.map(|path| (path.clone(), unknown.reason.clone())).collect();
        Comparison { differences, not_compared, ..Comparison::default() }
    }
}

/// The package's folder: relative to the repository, else to the workspace.
fn folder(request: &Request<'_>) -> String {
    let in_repository = request.checkout.known().and_then(|checkout| checkout.folder(request.member.folder()));
    in_repository.unwrap_or_else(|| display_path(&request.workspace.root, request.member.folder()))
}

fn revision(
    request: &Request<'_>,
    checkout: &Checkout,
    origins: &Origins<'_>,
    contents: Option<&Contents>,
) -> Fact<Revision> {
    let asked = revision::Request {
        origins,
        package: &request.member.name,
        version: &request.member.version,
        tags: request.tags,
        workspace: &checkout.folder(&request.workspace.root).unwrap_or_default(),
        contents,
        answers: &checkout.answers,
    };
    match revision::read(&asked) {
        Ok(revision) => Fact::Known(revision),
        Err(error) => Fact::Unknown(Unknown::new(error.to_string())),
    }
}

/// Reads the manifests: that of the workspace from the commit, and without one from the disk.
fn described(
    request: &Request<'_>,
    folder: &str,
    origins: Option<&Origins<'_>>,
    packed: &Packed<'_>,
) -> Fact<Described> {
    let path = if folder.is_empty() { MANIFEST.to_owned() } else { format!("{folder}/{MANIFEST}") };
    let on_disk = || {
        let is_another = request.workspace.root.as_path() != request.member.folder();
        let path = request.workspace.root.join(MANIFEST);
        is_another.then(|| file::read_text(&path, manifest::MAX_BYTES).ok()).flatten()
    };
    let text = if origins.is_some() { None } else { on_disk() };
    let workspace = match origins {
        Some(origins) => origins.workspace(),
        None => text.as_deref().map(|text| (MANIFEST, text)),
    };
    description::describe(packed.bytes, packed.package, &packed.contents, Manifests { path: &path, workspace })
}
