//! What `cargo metadata` says of a workspace: its members, its folders, and the packages that cargo resolved.
//!
//! Cargo is told to keep the lock file as it is, so the answer is about what is locked; whether it may write one where there
//! is none is for whoever asks to say.

mod graph;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cargo_metadata as told;
use semver::Version;

use crate::source::file;
use crate::source::rust_program::{self, RustProgram};
use crate::subject::malformed::Malformed;
use crate::subject::package_graph::PackageGraph;

/// What cargo is asked.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The variables of the environment; credentials among them are not handed on.
    pub variables: &'a BTreeMap<String, String>,
    /// The working directory, where cargo's configuration and the toolchain are looked for.
    pub directory: &'a Path,
    /// A `Cargo.toml`, in place of the nearest one from the working directory upwards.
    pub manifest_path: Option<&'a Path>,
    /// Never touch the network.
    pub offline: bool,
    /// Which features have to be in the graph, at least.
    pub features: AskedFeatures<'a>,
    /// The targets that have to be in the graph; empty for all of them.
    pub targets: &'a [String],
    /// What is done where there is no lock file.
    pub no_lockfile: NoLockfile,
}

/// What is done where there is no lock file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoLockfile {
    /// There is no answer.
    Refused,
    /// Cargo writes one, as it does whenever it builds.
    Written,
}

/// Which features have to be in the graph; those of `default` always are.
#[derive(Debug, Clone, Copy)]
pub enum AskedFeatures<'a> {
    /// These, of the package of the manifest.
    Named(&'a [String]),
    /// All of all members.
    All,
}

/// What cargo answers.
#[derive(Debug, Clone)]
pub struct Metadata {
    /// The members and folders.
    pub workspace: Workspace,
    /// The resolved packages.
    pub graph: PackageGraph,
}

/// A workspace as it lies on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// The folder of its `Cargo.toml` and `Cargo.lock`, absolute.
    pub root: PathBuf,
    /// Where cargo builds and packages, absolute.
    pub target_directory: PathBuf,
    /// Sorted by name.
    pub members: Vec<Member>,
    /// The index of the member that is meant when none is named: that of the manifest, or the only default member.
    pub meant: Option<usize>,
}

/// A member of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// `package.name`.
    pub name: String,
    /// `package.version`.
    pub version: Version,
    /// Its `Cargo.toml`, absolute.
    pub manifest: PathBuf,
    /// Registries it may be published to; none means any, an empty list means `publish = false`.
    pub publish: Option<Vec<String>>,
    /// Index into the graph's packages; none if only the workspace was asked for.
    pub package: Option<usize>,
}

impl Workspace {
    /// The members that may be published to some registry.
    pub fn publishable(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.may_be_published())
    }
}

impl Member {
    /// Whether it may be published to some registry.
    pub fn may_be_published(&self) -> bool {
        self.publish.as_ref().is_none_or(|registries| !registries.is_empty())
    }

    /// The folder of its `Cargo.toml`, absolute.
    pub fn folder(&self) -> &Path {
        self.manifest.parent().unwrap_or(&self.manifest)
    }
}

/// Why cargo did not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It cannot be run, or says that it cannot.
    #[error(transparent)]
    Program(#[from] rust_program::Error),
    /// It said something else than it should.
    #[error("the answer of `cargo metadata` cannot be understood")]
    NotUnderstood(#[source] serde_json::Error),
    /// It left out what it was asked for.
    #[error("the answer of `cargo metadata` lacks {what}")]
    Incomplete {
        /// What is missing.
        what: String,
    },
    /// The lock file or the workspace's manifest cannot be read.
    #[error(transparent)]
    File(#[from] file::Error),
    /// The lock file or the workspace's manifest cannot be understood.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl Error {
    /// What the reader can do, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Program(error) => error.hint(),
            Self::NotUnderstood(_) | Self::Incomplete { .. } | Self::File(_) | Self::Malformed(_) => None,
        }
    }
}

/// Asks cargo for a workspace and the packages that it resolved.
///
/// # Errors
///
/// [`Error`] if cargo cannot answer without changing the lock file, or without the network where that is forbidden.
pub fn read(question: &Question<'_>) -> Result<Metadata, Error> {
    let locked: &[&str] = if writes_lockfile(question)? { &[] } else { &["--locked"] };
    let metadata = ask(question, locked)?;
    let resolve = metadata.resolve.as_ref().ok_or_else(|| missing("the resolved packages"))?;
    let indices = graph::indices(&metadata.packages);
    let graph = graph::read(&metadata, resolve, &indices)?;
    let workspace = workspace_of(&metadata, resolve.root.as_ref(), Some(&indices))?;
    Ok(Metadata { workspace, graph })
}

/// Asks cargo for a workspace alone, which needs no lock file and no download.
///
/// # Errors
///
/// [`Error`] if cargo cannot answer.
pub fn workspace(question: &Question<'_>) -> Result<Workspace, Error> {
    let metadata = ask(
        &Question { targets: &[], features: AskedFeatures::Named(&[]), ..question.clone() },
        &["--no-deps", "--locked"],
    )?;
    workspace_of(&metadata, None, None)
}

/// Whether cargo is to write a lock file.
fn writes_lockfile(question: &Question<'_>) -> Result<bool, Error> {
    match question.no_lockfile {
        NoLockfile::Refused => Ok(false),
        NoLockfile::Written => Ok(!workspace(question)?.root.join("Cargo.lock").exists()),
    }
}

fn missing(what: impl Into<String>) -> Error {
    Error::Incomplete { what: what.into() }
}

fn ask(question: &Question<'_>, more: &[&str]) -> Result<told::Metadata, Error> {
    let mut arguments: Vec<String> =
        ["metadata", "--format-version", "1", "--color", "never"].map(str::to_owned).to_vec();
    arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
    arguments.extend(question.offline.then(|| "--offline".to_owned()));
    if let Some(path) = question.manifest_path {
        let path = path.to_str().ok_or_else(|| missing("a path of text: the manifest's is not UTF-8"))?;
        arguments.push(format!("--manifest-path={path}"));
    }
    match question.features {
        AskedFeatures::All => arguments.push("--all-features".to_owned()),
        AskedFeatures::Named([]) => {}
        AskedFeatures::Named(named) => arguments.push(format!("--features={}", named.join(","))),
    }
    arguments.extend(question.targets.iter().map(|target| format!("--filter-platform={target}")));
    let answer = rust_program::run(RustProgram::Cargo, question.variables, question.directory, &arguments)?;
    serde_json::from_slice(&answer).map_err(Error::NotUnderstood)
}

fn workspace_of(
    metadata: &told::Metadata,
    root: Option<&told::PackageId>,
    indices: Option<&graph::Indices<'_>>,
) -> Result<Workspace, Error> {
    let packages = metadata.packages.iter().filter(|package| metadata.workspace_members.contains(&package.id));
    let mut members: Vec<(&told::PackageId, Member)> = packages
        .map(|package| {
            let member = Member {
                name: package.name.to_string(),
                version: package.version.clone(),
                manifest: package.manifest_path.clone().into_std_path_buf(),
                publish: package.publish.clone(),
                package: indices.and_then(|indices| indices.get(&package.id).copied()),
            };
            (&package.id, member)
        })
        .collect();
    if members.len() != metadata.workspace_members.len() {
        return Err(missing("members of the workspace"));
    }
    members.sort_by(|(_, one), (_, other)| one.name.cmp(&other.name));
    let defaults = metadata.workspace_default_members.is_available().then_some(&metadata.workspace_default_members);
    let only = defaults.and_then(|defaults| if let [only] = &defaults[..] { Some(only) } else { None });
    let meant = root.or(only).and_then(|meant| members.iter().position(|(id, _)| *id == meant));
    Ok(Workspace {
        root: metadata.workspace_root.clone().into_std_path_buf(),
        target_directory: metadata.target_directory.clone().into_std_path_buf(),
        members: members.into_iter().map(|(_, member)| member).collect(),
        meant,
    })
}
