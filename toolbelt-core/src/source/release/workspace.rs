//! What cargo says a workspace has to publish.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use semver::Version;

use super::package::{Error, cargo, said, without_credentials};
use crate::source::program::Program;

/// How long cargo may take to read manifests.
const LIMIT: Duration = Duration::from_mins(1);

/// A workspace, or a package that is alone.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Its folder, absolute.
    pub root: PathBuf,
    /// Where cargo puts what it makes.
    pub target: PathBuf,
    /// Its packages, sorted by name.
    pub members: Vec<Member>,
}

/// A package of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// As the manifest writes it.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Its folder, absolute.
    pub folder: PathBuf,
    /// Registries that it may be published to; none means any, an empty list means `publish = false`.
    pub publish: Option<Vec<String>>,
    /// The members that it depends on with a version, and so has to be published after, by name, sorted.
    pub after: Vec<String>,
    /// Whether cargo takes it when no package is named.
    pub is_default: bool,
}

impl Workspace {
    /// Reads the workspace that a folder is in, or that of a manifest.
    ///
    /// Neither the network nor a lock file is used.
    ///
    /// # Errors
    ///
    /// [`Error`] if cargo cannot be run or does not understand a manifest.
    pub fn read(
        directory: &Path,
        manifest: Option<&Path>,
        variables: &BTreeMap<String, String>,
    ) -> Result<Self, Error> {
        let variables = without_credentials(variables);
        let mut arguments: Vec<OsString> =
            ["metadata", "--no-deps", "--offline", "--format-version", "1"].into_iter().map(OsString::from).collect();
        if let Some(manifest) = manifest {
            arguments.push("--manifest-path".into());
            arguments.push(manifest.into());
        }
        let mut program = Program::new(cargo(&variables), directory, &variables).arguments(arguments);
        program.limit = LIMIT;
        let output = program.run()?;
        if !output.status.success() {
            return Err(Error::Cargo { command: "metadata", said: said(&output.stderr) });
        }
        let metadata: cargo_metadata::Metadata = serde_json::from_slice(&output.stdout)
            .map_err(|error| Error::Cargo { command: "metadata", said: error.to_string() })?;
        Ok(Self::from(&metadata))
    }

    /// The members that can be published at all.
    pub fn publishable(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.publish.as_ref().is_none_or(|registries| !registries.is_empty()))
    }
}

impl From<&cargo_metadata::Metadata> for Workspace {
    fn from(metadata: &cargo_metadata::Metadata) -> Self {
        let packages = metadata.workspace_packages();
        let names: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
        let is_default = |package: &cargo_metadata::Package| {
            !metadata.workspace_default_members.is_available()
                || metadata.workspace_default_members.contains(&package.id)
        };
        let mut members: Vec<Member> =
            packages.iter().map(|package| member(package, &names, is_default(package))).collect();
        members.sort_by(|one, other| one.name.cmp(&other.name));
        Self {
            root: metadata.workspace_root.clone().into_std_path_buf(),
            target: metadata.target_directory.clone().into_std_path_buf(),
            members,
        }
    }
}

fn member(package: &cargo_metadata::Package, members: &[&str], is_default: bool) -> Member {
    // A development dependency without a version is left out of what is published.
    let is_published = |dependency: &&cargo_metadata::Dependency| {
        dependency.kind != cargo_metadata::DependencyKind::Development || dependency.req != semver::VersionReq::STAR
    };
    let in_workspace = |name: &&str| members.contains(name) && *name != package.name.as_str();
    let dependencies = package.dependencies.iter().filter(|dependency| dependency.path.is_some()).filter(is_published);
    let mut after: Vec<String> =
        dependencies.map(|dependency| dependency.name.as_str()).filter(in_workspace).map(str::to_owned).collect();
    after.sort();
    after.dedup();
    let manifest = package.manifest_path.as_std_path();
    Member {
        name: package.name.to_string(),
        version: package.version.clone(),
        folder: manifest.parent().unwrap_or(manifest).to_owned(),
        publish: package.publish.clone(),
        after,
        is_default,
    }
}
