//! The commit that is packaged: what is not committed, who else has it, and its tag.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::archive::{Contents, LOCKFILE, MANIFEST, VCS_INFO};
use super::origin::{Origin, Origins};
use crate::finding::{Fact, Unknown};
use crate::source::git::remotes::{self, Advertised};
use crate::source::git::repository::GitRepository;
use crate::source::git::snapshot::{Snapshot, Target};
use crate::source::git::store::Missing;
use crate::source::git::tags::{self, TagPattern};
use crate::source::git::{self, head, status};
use crate::subject::content::ObjectId;
use crate::subject::release::{ReleaseTag, Remotes, Revision, SubmoduleCommit};
use crate::subject::ssh::armoured::Armoured;

/// What every signature of SSH has somewhere, however it is wrapped.
const SSH: &str = "SSH SIGNATURE";

/// Whether remotes may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// They are, for at most ten seconds each.
    Allowed,
    /// What the last fetch left has to do.
    Forbidden,
}

/// What remotes said; had once for all packages of a repository.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// Every remote that is configured, sorted.
    configured: Vec<String>,
    /// The one that the current branch is of.
    preferred: Option<String>,
    /// What they have, or why one did not answer; empty if they were not asked.
    advertised: BTreeMap<String, Result<Advertised, String>>,
}

impl Answers {
    /// Asks the remotes of a repository what they have, if that is allowed.
    ///
    /// # Errors
    ///
    /// [`git::Error`] if git cannot say which remotes there are.
    pub fn of(repository: &GitRepository, network: Network) -> Result<Self, git::Error> {
        let configured = remotes::configured(repository)?;
        let preferred = remotes::preferred(repository, &configured).cloned();
        let advertised = match network {
            Network::Allowed => remotes::ask(repository, &configured),
            Network::Forbidden => BTreeMap::new(),
        };
        Ok(Self { configured, preferred, advertised })
    }

    /// The remotes that have a commit.
    fn having(&self, repository: &GitRepository, commit: ObjectId) -> Fact<Remotes> {
        match self.try_having(repository, commit) {
            // In a shallow clone, a branch may lead to the commit by commits that are not here.
            Ok(remotes) if remotes.having.is_empty() && !remotes.configured.is_empty() && repository.is_shallow() => {
                let why = "the history of this clone ends early, and so it cannot be seen what remotes have";
                Fact::Unknown(Unknown::new(why).hint("git fetch --unshallow"))
            }
            Ok(remotes) => Fact::Known(remotes),
            Err(error) => Fact::Unknown(Unknown::new(error.to_string())),
        }
    }

    fn try_having(&self, repository: &GitRepository, commit: ObjectId) -> Result<Remotes, git::Error> {
        let fetched = remotes::fetched(repository, &self.configured, commit)?;
        let mut having = Vec::new();
        let mut asked = true;
        for remote in &self.configured {
            let has = if let Some(Ok(advertised)) = self.advertised.get(remote) {
                remotes::leads_to(repository, remote, advertised, commit)?
            } else {
                asked = false;
                fetched.contains(remote)
            };
            if has {
                having.push(remote.clone());
            }
        }
        Ok(Remotes { configured: self.configured.clone(), having, asked })
    }

    /// The commit that the remotes' tag of this name leads to: that of the preferred one first.
    fn tag(&self, name: &str) -> Fact<Option<String>> {
        if self.configured.is_empty() {
            return Fact::Known(None);
        }
        let first = self.preferred.iter();
        let rest = self.configured.iter().filter(|remote| Some(*remote) != self.preferred.as_ref());
        for remote in first.chain(rest) {
            match self.advertised.get(remote) {
                Some(Ok(advertised)) => {
                    if let Some(id) = advertised.tag(name) {
                        return Fact::Known(Some(id.to_string()));
                    }
                }
                Some(Err(why)) => {
                    let why = format!("the remote `{remote}` did not say which tags it has: {why}");
                    return Fact::Unknown(Unknown::new(why).hint(format!("git ls-remote --tags {remote}")));
                }
                None => {
                    let why = format!("the remote `{remote}` was not asked which tags it has");
                    return Fact::Unknown(Unknown::new(why).hint("run without --offline"));
                }
            }
        }
        Fact::Known(None)
    }
}

/// What is looked for at a commit.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The package as the commit has it.
    pub origins: &'a Origins<'a>,
    /// The package's name.
    pub package: &'a str,
    /// The version that is to be published.
    pub version: &'a Version,
    /// How its tag may be called, best first.
    pub tags: &'a [TagPattern],
    /// The folder of the workspace, relative to the root of the repository, with `/`.
    pub workspace: &'a str,
    /// What the `.crate` holds; none if there is none.
    pub contents: Option<&'a Contents>,
    /// What remotes said.
    pub answers: &'a Answers,
}

/// Looks at the commit that is packaged.
///
/// # Errors
///
/// [`git::Error`] if the commit itself cannot be read. What else cannot be looked at is told in the result.
pub fn read(request: &Request<'_>) -> Result<Revision, git::Error> {
    let snapshot = request.origins.snapshot();
    let (repository, commit) = (snapshot.repository(), snapshot.commit());
    let facts = head::facts(repository, commit)?;
    Ok(Revision {
        commit: commit.to_string(),
        tree: facts.tree.to_string(),
        author: facts.author,
        signed_by: signed_by(&facts.signatures),
        uncommitted: uncommitted(request),
        remotes: request.answers.having(repository, commit),
        submodules: submodules(request),
        tag: tag(request, repository),
    })
}

/// The fingerprint of the key that made a commit's signature, if it is one of SSH. Nothing is verified.
///
/// Whoever signed must not become nobody: a signature that others may be able to read, and this cannot, makes it unknown.
fn signed_by(signatures: &[Vec<u8>]) -> Fact<Option<String>> {
    let unknown = |why: String| Fact::Unknown(Unknown::new(format!("it is not known who signed the commit: {why}")));
    let of_ssh = |signature: &&Vec<u8>| memchr::memmem::find(signature, SSH.as_bytes()).is_some();
    let Some(signature) = signatures.iter().find(of_ssh) else { return Fact::Known(None) };
    if signatures.len() > 1 {
        return unknown("it has several signatures".to_owned());
    }
    match std::str::from_utf8(signature).map(Armoured::parse) {
        Ok(Ok(signature)) => Fact::Known(Some(signature.key.fingerprint())),
        Ok(Err(error)) => unknown(format!("its signature {error}")),
        Err(_) => unknown("its signature is no text".to_owned()),
    }
}

/// The submodules that the `.crate` has files of, and which of their own remotes have them.
fn submodules(request: &Request<'_>) -> Fact<Vec<SubmoduleCommit>> {
    let mut found = BTreeMap::new();
    for file in request.contents.into_iter().flat_map(|contents| contents.file.files.keys()) {
        match request.origins.origin(file) {
            Ok(Origin { target: Target::Submodule { path, commit, .. }, .. }) => drop(found.insert(path, commit)),
            Ok(_) => {}
            Err(missing) => return Fact::Unknown(Unknown::new(format!("an object of the commit {missing}"))),
        }
    }
    let look = |(path, commit): (String, ObjectId)| {
        let remotes = fetched_of(request.origins.snapshot(), &path, commit);
        SubmoduleCommit { path, commit: commit.to_string(), remotes }
    };
    Fact::Known(found.into_iter().map(look).collect())
}

/// The remotes of a submodule that have a commit, as its clone has it from the last fetch.
fn fetched_of(snapshot: &Snapshot, path: &str, commit: ObjectId) -> Fact<Vec<String>> {
    let unknown = |why: String| Fact::Unknown(Unknown::new(format!("the submodule `{path}` {why}")));
    let submodule = match snapshot.submodule(path, commit) {
        Ok(submodule) => submodule,
        Err(error) => return unknown(format!("is not at hand: {error}")),
    };
    let repository = submodule.repository();
    let having =
        remotes::configured(repository).and_then(|configured| remotes::fetched(repository, &configured, commit));
    match having {
        Ok(having) if having.is_empty() && repository.is_shallow() => {
            unknown("has a history that ends early, and so it cannot be seen what its remotes have".to_owned())
        }
        Ok(having) => match remotes::is_tagged(repository, commit) {
            Ok(true) if having.is_empty() => {
                unknown("has the commit by a tag alone, and it is not known whose tag that is".to_owned())
            }
            Ok(_) => Fact::Known(having),
            Err(error) => unknown(format!("cannot be looked into: {error}")),
        },
        Err(error) => unknown(format!("cannot be looked into: {error}")),
    }
}

/// What would be packaged though the commit does not have it like this.
fn uncommitted(request: &Request<'_>) -> Fact<Vec<String>> {
    match try_uncommitted(request) {
        Ok(paths) => Fact::Known(paths.into_iter().collect()),
        Err(why) => Fact::Unknown(Unknown::new(why)),
    }
}

fn try_uncommitted(request: &Request<'_>) -> Result<BTreeSet<String>, String> {
    let origins = request.origins;
    let text = |missing: Missing| format!("an object of the commit {missing}");
    let in_workspace = |file: &str| match request.workspace {
        "" => file.to_owned(),
        folder => format!("{folder}/{file}"),
    };
    // What cargo reads of the workspace whatever the package is. A lock file that is not committed is one that cargo makes.
    let lockfile = Some(in_workspace(LOCKFILE)).filter(|path| origins.snapshot().at(path).is_some());
    let shared = [in_workspace(MANIFEST)].into_iter().chain(lockfile).collect::<Vec<_>>();
    let mut found = BTreeSet::new();
    let mut packaged = BTreeSet::from([origins.path(MANIFEST)]);
    let mut submodules = BTreeSet::new();
    let files = request.contents.map(|contents| contents.file.files.keys());
    for file in files.into_iter().flatten().filter(|file| ![MANIFEST, LOCKFILE, VCS_INFO].contains(&file.as_str())) {
        let origin = origins.origin(file).map_err(text)?;
        match origin.target {
            Target::File { path, .. } => {
                packaged.extend([path, origin.path]);
            }
            Target::Submodule { path, .. } => drop(submodules.insert(path)),
            Target::Outside | Target::Nowhere => drop(found.insert(origin.path)),
        }
    }
    let outside = origins.outside().map(str::to_owned);
    let places: Vec<String> = [origins.folder().to_owned()].into_iter().chain(outside).chain(shared.clone()).collect();
    let changed = status::changed(origins.snapshot().repository(), &places).map_err(|error| error.to_string())?;
    // Links lead to places that git was not asked about; only then is the whole work tree worth its time.
    let elsewhere = packaged.iter().any(|path| !places.iter().any(|place| is_at_or_below(place, path)));
    let changed = if elsewhere {
        status::changed(origins.snapshot().repository(), &[String::new()]).map_err(|error| error.to_string())?
    } else {
        changed
    };
    for status::Changed { path, is_deleted } in changed {
        let is_shared = shared.contains(&path) || submodules.contains(&path) || packaged.contains(&path);
        if is_shared || (is_deleted && belongs(origins, &path)) {
            found.insert(path);
        }
    }
    Ok(found)
}

fn is_at_or_below(place: &str, path: &str) -> bool {
    place.is_empty() || path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a file of the commit is in the package's folder, and not in a package inside of it.
fn belongs(origins: &Origins<'_>, path: &str) -> bool {
    let folder = origins.folder();
    if !is_at_or_below(folder, path) {
        return false;
    }
    let mut at = path;
    while let Some((above, _)) = at.rsplit_once('/') {
        if above == folder {
            break;
        }
        if origins.snapshot().at(&format!("{above}/{MANIFEST}")).is_some() {
            return false;
        }
        at = above;
    }
    true
}

/// The tag of the version: the first that is there, else the one that was expected first.
fn tag(request: &Request<'_>, repository: &GitRepository) -> Fact<ReleaseTag> {
    let names = request.tags.iter().map(|pattern| pattern.tag(request.package, request.version));
    let mut expected = None;
    for name in names {
        match tags::find(repository, &name) {
            Ok(Some(tag)) => {
                let commit = tag.commit.unwrap_or(tag.object).to_string();
                let remote_commit = request.answers.tag(&name);
                return Fact::Known(ReleaseTag { name, commit: Some(commit), is_signed: tag.is_signed, remote_commit });
            }
            Ok(None) => expected = expected.or(Some(name)),
            Err(error) => return Fact::Unknown(Unknown::new(error.to_string())),
        }
    }
    let Some(name) = expected else {
        return Fact::Unknown(Unknown::new("it is not known how tags of versions are called"));
    };
    let remote_commit = request.answers.tag(&name);
    Fact::Known(ReleaseTag { name, commit: None, is_signed: false, remote_commit })
}
