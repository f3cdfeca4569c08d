//! What is this package made of?

use std::path::PathBuf;

use jiff::Timestamp;

use crate::ops::Environment;
use crate::output::{cyclonedx, spdx};
use crate::source::cargo_metadata::{self, AskedFeatures, Member, Metadata, NoLockfile, Question, Workspace};
use crate::source::{compiler, rust_program};
use crate::subject::bill_of_materials::{BillOfMaterials, Maker};
use crate::subject::digest::Sha256Digest;
use crate::subject::feature_resolution::{self, Choice, Features, NoSuchFeature, Targets, Tests};
use crate::subject::package_graph::Unification;
use crate::subject::target::Target;

/// Which package, built how.
#[derive(Debug, Clone)]
pub struct Request {
    /// The world it runs in.
    pub environment: Environment,
    /// A `Cargo.toml`, in place of the nearest one from the working directory upwards.
    pub manifest_path: Option<PathBuf>,
    /// A member of the workspace; none for the one that the manifest means.
    pub package: Option<String>,
    /// Its features.
    pub features: Features,
    /// The triples that it is built for; empty for any.
    pub targets: Vec<String>,
    /// Whether what its tests need belongs to it.
    pub tests: Tests,
    /// Never touch the network.
    pub offline: bool,
    /// The date of the documents; none leaves it out.
    pub time: Option<Timestamp>,
}

/// Why there is no bill of materials.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Cargo did not say what it resolved.
    #[error(transparent)]
    Metadata(#[from] cargo_metadata::Error),
    /// The compiler did not say what a target is like.
    #[error(transparent)]
    Compiler(#[from] rust_program::Error),
    /// The workspace has several packages, and none is named.
    #[error("the workspace has several packages: {}", listed(members))]
    WhichPackage {
        /// Their names.
        members: Vec<String>,
    },
    /// The workspace has no such package.
    #[error("the workspace has no package `{name}`, but: {}", listed(members))]
    NoSuchPackage {
        /// What was asked for.
        name: String,
        /// The names that there are.
        members: Vec<String>,
    },
    /// The package has no such feature.
    #[error(transparent)]
    NoSuchFeature(#[from] NoSuchFeature),
}

impl Error {
    /// What the reader can do, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Metadata(error) => error.hint(),
            Self::Compiler(error) => error.hint(),
            Self::WhichPackage { .. } => Some("`-p NAME` says which one"),
            Self::NoSuchPackage { .. } | Self::NoSuchFeature(_) => None,
        }
    }
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A bill of materials in both formats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documents {
    /// CycloneDX 1.7, JSON.
    pub cyclonedx: Vec<u8>,
    /// SPDX 3.0.1, JSON-LD.
    pub spdx: Vec<u8>,
}

impl From<&BillOfMaterials> for Documents {
    fn from(bill: &BillOfMaterials) -> Self {
        let written = |write: fn(&BillOfMaterials, &mut dyn std::io::Write) -> std::io::Result<()>| {
            let mut bytes = Vec::new();
            write(bill, &mut bytes).expect("writing to memory does not fail, and no map has a key that is no text");
            bytes
        };
        Self { cyclonedx: written(cyclonedx::write), spdx: written(spdx::write) }
    }
}

/// Asks cargo what a package is made of.
///
/// # Errors
///
/// [`Error`] if cargo does not say, or there is no such package or feature.
pub fn run(request: &Request) -> Result<BillOfMaterials, Error> {
    let environment = &request.environment;
    let asked: Vec<String> = match request.targets.as_slice() {
        [] => Vec::new(),
        // What runs at build time is for the host.
        targets => targets.iter().chain([&environment.host]).cloned().collect(),
    };
    let question = Question {
        variables: &environment.variables,
        directory: &environment.directory,
        manifest_path: request.manifest_path.as_deref(),
        offline: request.offline,
        features: AskedFeatures::Named(&[]),
        targets: &asked,
        no_lockfile: NoLockfile::Refused,
    };
    let manifest = manifest_of_package(request, &question)?;
    let question = Question {
        manifest_path: manifest.as_deref().or(request.manifest_path.as_deref()),
        features: asked_features(&request.features),
        ..question
    };
    let mut metadata = cargo_metadata::read(&question)?;
    if metadata.graph.unification == Unification::Everywhere && !asked.is_empty() {
        // What other targets ask for counts too, but cargo has left it out.
        metadata = cargo_metadata::read(&Question { targets: &[], ..question })?;
    }
    let package = match &request.package {
        Some(name) => member(&metadata.workspace, name)?.name.clone(),
        None => meant(&metadata.workspace)?.name.clone(),
    };
    let choice = Choice { features: request.features.clone(), targets: targets(request)?, tests: request.tests };
    let maker = Maker::new(&environment.tool, request.time);
    of_package(&metadata, &package, &choice, None, maker)
}

/// What a member of a workspace that cargo was asked about is made of; `digest` is that of its `.crate`, if it was packaged.
///
/// The features that are chosen have to be among those that cargo was asked about.
///
/// # Errors
///
/// [`Error`] if there is no such package or feature.
pub fn of_package(
    metadata: &Metadata,
    package: &str,
    choice: &Choice,
    digest: Option<Sha256Digest>,
    maker: Maker,
) -> Result<BillOfMaterials, Error> {
    let member = member(&metadata.workspace, package)?;
    let root = member.package.ok_or_else(|| cargo_metadata::Error::Incomplete { what: format!("`{package}`") })?;
    let resolution = feature_resolution::resolve(&metadata.graph, root, choice)?;
    Ok(BillOfMaterials::new(&metadata.graph, root, choice, &resolution, digest, maker))
}

fn targets(request: &Request) -> Result<Targets, Error> {
    if request.targets.is_empty() {
        return Ok(Targets::All);
    }
    let Environment { variables, directory, host, .. } = &request.environment;
    let known = |triple: &String| compiler::target(variables, directory, triple);
    let targets = request.targets.iter().map(known).collect::<Result<Vec<Target>, _>>()?;
    Ok(Targets::Some { targets, host: known(host)? })
}

/// Where the package's manifest is, if features of it have to be named to cargo: they are those of the manifest.
fn manifest_of_package(request: &Request, question: &Question<'_>) -> Result<Option<PathBuf>, Error> {
    let has_features = match &request.features {
        Features::All => false,
        Features::Default(named) | Features::Only(named) => !named.is_empty(),
    };
    let Some(name) = request.package.as_ref().filter(|_| has_features) else { return Ok(None) };
    let workspace = cargo_metadata::workspace(question)?;
    Ok(Some(member(&workspace, name)?.manifest.clone()))
}

fn asked_features(features: &Features) -> AskedFeatures<'_> {
    match features {
        Features::All => AskedFeatures::All,
        Features::Default(named) | Features::Only(named) => AskedFeatures::Named(named),
    }
}

fn member<'a>(workspace: &'a Workspace, name: &str) -> Result<&'a Member, Error> {
    let found = workspace.members.iter().find(|member| member.name == name);
    found.ok_or_else(|| Error::NoSuchPackage { name: name.to_owned(), members: names(workspace) })
}

fn meant(workspace: &Workspace) -> Result<&Member, Error> {
    let meant = workspace.meant.and_then(|index| workspace.members.get(index));
    meant.ok_or_else(|| Error::WhichPackage { members: names(workspace) })
}

fn names(workspace: &Workspace) -> Vec<String> {
    workspace.members.iter().map(|member| member.name.clone()).collect()
}
