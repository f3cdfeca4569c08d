//! What a run of `publish` stands on: the workspace, its repository, its policy, and the registry.

use std::path::{Path, PathBuf};

use semver::Version;

use super::{Error, Packages, Request};
use crate::finding::Fact;
use crate::ops::{network, policy};
use crate::report::Coverage;
use crate::source::cargo_config::CargoConfig;
use crate::source::cargo_metadata::{self, AskedFeatures, Member, Metadata, NoLockfile, Question, Workspace};
use crate::source::git::files::CommitFiles;
use crate::source::git::repository::GitRepository;
use crate::source::git::tags::{self, TagPattern, VersionTag};
use crate::source::http::Http;
use crate::source::registry::api::Target;
use crate::source::registry::clean_environment::clean_environment;
use crate::source::release::archive::Named;
use crate::source::release::collect::Checkout;
use crate::source::release::package::{Options, Packaging, Verify};
use crate::source::release::rebuild;
use crate::source::release::revision::Network;
use crate::source::repository;
use crate::subject::malformed::Malformed;

/// What everything else needs, read once.
pub(super) struct Ground<'a> {
    pub(super) request: &'a Request,
    /// The folder that paths are told relative to: that of the repository, else that of the workspace.
    pub(super) root: PathBuf,
    /// The commit that is checked out.
    pub(super) checkout: Fact<Checkout>,
    pub(super) loaded: policy::Loaded,
    pub(super) config: CargoConfig,
    pub(super) target: Target,
    pub(super) http: Http,
    pub(super) workspace: Workspace,
    /// What is published, as it lies in the work tree.
    pub(super) members: Vec<Member>,
}

impl<'a> Ground<'a> {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// [`Error`] if something of it cannot be read, or nothing can be published.
    pub(super) fn find(request: &'a Request, coverage: &mut Coverage) -> Result<Self, Error> {
        let environment = &request.environment;
        let workspace = cargo_metadata::workspace(&question(request))?;
        let root = repository::root_of(&workspace.root).unwrap_or(&workspace.root).to_owned();
        let config = network::cargo_config(environment)?;
        let members = chosen(request, &workspace)?;
        let target = Target::find(&config, &registry(request, &config, &members)?)?;
        let http = network::http(environment, &config, request.offline, std::iter::once(&target.registry));
        let http = http.unwrap_or_else(|unknown| {
            coverage.skip("the network", 1, unknown.reason);
            Http::offline()
        });
        let network = if http.is_offline() { Network::Forbidden } else { Network::Allowed };
        let checkout = Checkout::open(&workspace.root, &environment.variables, network);
        let loaded = load_policy(request, &root, &checkout, coverage)?;
        Ok(Self { request, root, checkout, loaded, config, target, http, workspace, members })
    }

    /// Packages what is chosen, with no credential in reach; the paths of the `.crate` files are in the members' order.
    pub(super) fn package(&self, build: Verify) -> Result<Vec<PathBuf>, Error> {
        if let Some(file) = &self.request.crate_file {
            return Ok(vec![self.request.environment.directory.join(file)]);
        }
        let members = self.members.iter().map(Named::from).collect::<Vec<_>>();
        let manifest = self.workspace.root.join("Cargo.toml");
        let variables = clean_environment(&self.request.environment.variables);
        let options = Options { verify: build, ..self.options() };
        let packaging = Packaging {
            manifest: &manifest,
            members: &members,
            options: &options,
            target: &self.workspace.target_directory,
            variables: &variables,
        };
        Ok(packaging.run()?)
    }

    /// How cargo packages here and in clones.
    pub(super) fn options(&self) -> Options {
        let is_default = self.target.registry.is_crates_io();
        Options {
            verify: Verify::No,
            resolve: self.request.offline.then(|| "--offline".to_owned()).into_iter().collect(),
            registry: (!is_default).then(|| self.target.name.clone()),
            ..Options::default()
        }
    }

    /// Has something made of the commit alone, in fresh clones with no credential in reach; unknown where there is no commit
    /// to clone.
    pub(super) fn in_clones<T>(&self, make: impl FnOnce(&rebuild::Request<'_>) -> T) -> Result<Fact<T>, Error> {
        let checkout = match &self.checkout {
            Fact::Known(checkout) => checkout,
            Fact::Unknown(unknown) => return Ok(Fact::Unknown(unknown.clone())),
        };
        let scratch = tempfile::tempdir().map_err(Error::Scratch)?;
        let variables = clean_environment(&self.request.environment.variables);
        let names = self.members.iter().map(|member| member.name.as_str()).collect::<Vec<_>>();
        let options = self.options();
        Ok(match checkout.rebuilding(&self.workspace, &names, &options, scratch.path(), &variables) {
            Fact::Known(request) => Fact::Known(make(&request)),
            Fact::Unknown(unknown) => Fact::Unknown(unknown),
        })
    }

    /// What cargo resolved, once there is a lock file.
    pub(super) fn resolved(&self) -> Result<Metadata, Error> {
        Ok(cargo_metadata::read(&question(self.request))?)
    }

    /// How the tag of a version may be called, best first.
    pub(super) fn tags(&self) -> Vec<TagPattern> {
        if let Some(pattern) = self.loaded.policy.publish.tag.as_deref().and_then(TagPattern::new) {
            return vec![pattern];
        }
        let several = self.workspace.publishable().count() > 1;
        vec![TagPattern::usual(several), TagPattern::usual(!several)]
    }

    /// The tag of the greatest version before this one that the commit's history has.
    pub(super) fn previous_tag(&self, name: &str, version: &Version) -> Option<VersionTag> {
        let snapshot = &self.checkout.known()?.snapshot;
        let found = self.tags().into_iter().filter_map(|pattern| {
            // A tag that git cannot tell is none.
            tags::previous(snapshot.repository(), name, version, snapshot.commit(), &pattern).ok().flatten()
        });
        found.max_by(|one, other| one.version.cmp(&other.version))
    }

    /// The repository; none outside of one.
    pub(super) fn repository(&self) -> Option<&GitRepository> {
        self.checkout.known().map(|checkout| checkout.snapshot.repository())
    }

    /// A folder of the work tree relative to the root, with `/`; empty for the root.
    pub(super) fn relative(&self, folder: &Path) -> String {
        let path = repository::display_path(&self.root, folder);
        if path == "." { String::new() } else { path }
    }
}

/// The policy that was named, else that of the commit: what lies around was not reviewed. Without a commit that of the
/// folder.
fn load_policy(
    request: &Request,
    root: &Path,
    checkout: &Fact<Checkout>,
    coverage: &mut Coverage,
) -> Result<policy::Loaded, Error> {
    let here = policy::load(root, request.policy.as_deref());
    let loaded = match (&request.policy, checkout) {
        (None, Fact::Known(Checkout { snapshot, .. })) => {
            let files = CommitFiles::open(snapshot.repository(), snapshot.commit())?;
            let read = |name: &str| -> Result<Option<String>, Error> {
                let Some(bytes) = files.read(name).map_err(Error::Object)? else { return Ok(None) };
                let text = String::from_utf8(bytes);
                text.map(Some).map_err(|_| policy::Error::from(Malformed::whole(name, "is not UTF-8")).into())
            };
            let loaded = policy::load_with(read)?;
            if !here.is_ok_and(|here| here.texts == loaded.texts) {
                coverage.skip("the policy of the work tree", 1, "is not as the commit has it, which counts");
            }
            loaded
        }
        _ => here?,
    };
    for key in &loaded.not_carried_over {
        coverage.skip(&key.key, 1, "is not carried over");
    }
    Ok(loaded)
}

/// What cargo is asked.
fn question(request: &Request) -> Question<'_> {
    Question {
        variables: &request.environment.variables,
        directory: &request.environment.directory,
        manifest_path: request.manifest_path.as_deref(),
        offline: request.offline,
        features: AskedFeatures::Named(&[]),
        targets: &[],
        no_lockfile: NoLockfile::Written,
    }
}

fn chosen(request: &Request, workspace: &Workspace) -> Result<Vec<Member>, Error> {
    let all = || workspace.publishable().cloned().collect::<Vec<_>>();
    let members = match (&request.packages, workspace.meant) {
        (Packages::Named(names), _) => by_name(names, workspace)?,
        (Packages::Meant, Some(meant)) => workspace.members.get(meant).into_iter().cloned().collect(),
        (Packages::Meant, None) | (Packages::Workspace, _) => all(),
    };
    if let Some(member) = members.iter().find(|member| !member.may_be_published()) {
        return Err(Error::NotForPublishing { name: member.name.clone() });
    }
    match members.as_slice() {
        [] => Err(Error::NothingToPublish),
        [_] => Ok(members),
        _ if request.crate_file.is_some() => Err(Error::WhichCrate),
        _ => Ok(members),
    }
}

fn by_name(names: &[String], workspace: &Workspace) -> Result<Vec<Member>, Error> {
    let find = |name: &String| {
        let found = workspace.members.iter().find(|member| member.name == *name);
        found.cloned().ok_or_else(|| Error::NoSuchPackage { name: name.clone() })
    };
    let mut members = names.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    members.sort_by(|one, other| one.name.cmp(&other.name));
    members.dedup_by(|one, other| one.name == other.name);
    Ok(members)
}

/// The registry's name: what was asked for, else the only one that a package allows, else the configured default.
fn registry(request: &Request, config: &CargoConfig, members: &[Member]) -> Result<String, Error> {
    let allowed = members.iter().filter_map(|member| member.publish.as_deref());
    let only = allowed.clone().find_map(|names| if let [only] = names { Some(only.as_str()) } else { None });
    let asked = request.registry.as_deref();
    let name = asked.or(only).or(config.default_registry()).unwrap_or("crates-io");
    match members.iter().find(|member| member.publish.as_ref().is_some_and(|names| !names.iter().any(|n| n == name))) {
        Some(member) => Err(Error::OtherRegistry { name: member.name.clone(), registry: name.to_owned() }),
        None => Ok(name.to_owned()),
    }
}
