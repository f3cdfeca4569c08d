//! All files of one commit, and where a path leads when symbolic links and submodules are followed.

use std::collections::{BTreeMap, VecDeque};
use std::fs;

use gix::objs::{CommitRef, Kind};

use super::Error;
use super::changes::{entries, is_too_deep};
use super::repository::GitRepository;
use super::store::{Missing, Store};
use crate::subject::content::ObjectId;
use crate::subject::tree::Mode;

/// The files of a commit, each tree read once.
pub struct Snapshot {
    repository: GitRepository,
    commit: ObjectId,
    tree: ObjectId,
    store: Store,
    files: BTreeMap<String, (Mode, ObjectId)>,
}

/// Where a path leads in a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// To a file.
    File {
        /// Where it really is.
        path: String,
        /// Its content.
        id: ObjectId,
    },
    /// Into a submodule.
    Submodule {
        /// Where the submodule is.
        path: String,
        /// The commit of it.
        commit: ObjectId,
        /// The path in it.
        rest: String,
    },
    /// Out of the repository.
    Outside,
    /// To nothing, to a folder, or round in circles.
    Nowhere,
}

/// How many symbolic links may lead on; as many as Linux follows.
const MAX_LINKS: usize = 40;

/// The longest target of a symbolic link that is read.
const MAX_TARGET: usize = 4096;

impl Snapshot {
    /// Reads the paths of a commit; those that are not UTF-8, which no package can have, are left out.
    ///
    /// # Errors
    ///
    /// [`Error::Commit`] if the commit or one of its trees cannot be read, or is not what its id says.
    pub fn open(repository: &GitRepository, commit: ObjectId) -> Result<Self, Error> {
        let store = repository.store()?;
        let failed = |why: String| Error::Commit { id: commit, why };
        let mut buffer = Vec::new();
        let content = store.read_kind(&commit, Kind::Commit, &mut buffer).map_err(|error| failed(error.to_string()))?;
        check(&commit, Kind::Commit, content).map_err(failed)?;
        let tree = CommitRef::from_bytes(content, store.hash()).map_err(|error| failed(error.to_string()))?.tree();
        let mut files = BTreeMap::new();
        let mut left = vec![(String::new(), tree)];
        while let Some((prefix, id)) = left.pop() {
            if is_too_deep(prefix.as_bytes()) {
                return Err(failed(format!("`{prefix}` is nested too deeply")));
            }
            let entries = entries(&store, id, &mut buffer).map_err(|why| failed(format!("`{prefix}` {why}")))?;
            if id != ObjectId::empty_tree(store.hash()) {
                check(&id, Kind::Tree, &buffer).map_err(failed)?;
            }
            for entry in entries {
                let Ok(name) = String::from_utf8(entry.name) else { continue };
                match entry.mode {
                    Some(mode) => drop(files.insert(format!("{prefix}{name}"), (mode, entry.id))),
                    None => left.push((format!("{prefix}{name}/"), entry.id)),
                }
            }
        }
        Ok(Self { repository: repository.clone(), commit, tree, store, files })
    }

    /// The repository that it is of.
    pub fn repository(&self) -> &GitRepository {
        &self.repository
    }

    /// The commit.
    pub fn commit(&self) -> ObjectId {
        self.commit
    }

    /// Its tree.
    pub fn tree(&self) -> ObjectId {
        self.tree
    }

    /// Every path, with `/`, sorted: files, symbolic links and submodules.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// What is at a path itself; none for a folder.
    pub fn at(&self, path: &str) -> Option<(Mode, ObjectId)> {
        self.files.get(path).copied()
    }

    /// Whether there is a folder.
    pub fn has_folder(&self, path: &str) -> bool {
        let prefix = format!("{path}/");
        path.is_empty()
            || self.files.range(prefix.clone()..).next().is_some_and(|(found, _)| found.starts_with(&prefix))
    }

    /// The submodules, with their commits.
    pub fn submodules(&self) -> impl Iterator<Item = (&str, ObjectId)> {
        let found = self.files.iter().filter(|(_, (mode, _))| *mode == Mode::Submodule);
        found.map(|(path, (_, id))| (path.as_str(), *id))
    }

    /// Reads a content.
    ///
    /// # Errors
    ///
    /// [`Missing`] says why it could not be had.
    pub fn read(&self, id: &ObjectId) -> Result<Vec<u8>, Missing> {
        let mut buffer = Vec::new();
        self.store.read_kind(id, Kind::Blob, &mut buffer)?;
        Ok(buffer)
    }

    /// Whether a content is what its id says; [`read`](Self::read) trusts git's storage.
    pub fn is_intact(id: &ObjectId, content: &[u8]) -> bool {
        check(id, Kind::Blob, content).is_ok()
    }

    /// Reads a file as text, following symbolic links; none if there is none, if it is no text, or larger than `limit`.
    ///
    /// # Errors
    ///
    /// [`Missing`] if it is there and cannot be had.
    pub fn text(&self, path: &str, limit: u64) -> Result<Option<String>, Missing> {
        let Target::File { id, .. } = self.resolve(path)? else { return Ok(None) };
        let bytes = self.read(&id)?;
        Ok(if bytes.len() as u64 > limit { None } else { String::from_utf8(bytes).ok() })
    }

    /// Follows a path (relative to the root, with `/`, and maybe `..`) as the file system would after a checkout.
    ///
    /// # Errors
    ///
    /// [`Missing`] if a symbolic link on the way cannot be read.
    pub fn resolve(&self, path: &str) -> Result<Target, Missing> {
        let mut left: VecDeque<String> = path.split('/').map(str::to_owned).collect();
        let mut at: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(part) = left.pop_front() {
            match part.as_str() {
                "" | "." => continue,
                ".." => match at.pop() {
                    Some(_) => continue,
                    None => return Ok(Target::Outside),
                },
                _ => at.push(part),
            }
            let path = at.join("/");
            match self.at(&path) {
                Some((Mode::File | Mode::Executable, id)) if left.is_empty() => return Ok(Target::File { path, id }),
                Some((Mode::Submodule, commit)) => {
                    let rest = left.into_iter().collect::<Vec<_>>().join("/");
                    return Ok(Target::Submodule { path, commit, rest });
                }
                Some((Mode::Link, id)) => {
                    links += 1;
                    let target = self.read(&id)?;
                    let Some(target) = link_target(target).filter(|_| links <= MAX_LINKS) else {
                        return Ok(Target::Nowhere);
                    };
                    if target.starts_with('/') {
                        return Ok(Target::Outside);
                    }
                    at.pop();
                    target.split('/').rev().for_each(|part| left.push_front(part.to_owned()));
                }
                None if self.has_folder(&path) => {}
                Some((Mode::File | Mode::Executable, _)) | None => return Ok(Target::Nowhere),
            }
        }
        Ok(Target::Nowhere)
    }

    /// Opens the commit of a submodule, where its repository is at hand.
    ///
    /// # Errors
    ///
    /// [`Error`] if it is not, or does not have the commit.
    pub fn submodule(&self, path: &str, commit: ObjectId) -> Result<Self, Error> {
        Self::open(&self.submodule_repository(path)?, commit)
    }

    /// The repository of a submodule: the one in the work tree, else the one that git keeps for it.
    fn submodule_repository(&self, path: &str) -> Result<GitRepository, Error> {
        let in_work_tree = self.repository.root().map(|root| root.join(path));
        let kept = self.repository.common_dir().join("modules").join(path);
        // What the variables say is about the repository around it.
        let variables = without_repository(self.repository.variables());
        let found = match in_work_tree.filter(|place| place.join(".git").exists()) {
            Some(place) => place,
            None => kept,
        };
        let repository = GitRepository::open(&found, &variables)?;
        // Not the repository around it, which is what the search upwards ends with.
        let real = |path: &std::path::Path| fs::canonicalize(path).ok();
        if real(repository.git_dir()) == real(self.repository.git_dir()) {
            return Err(Error::NotARepository { directory: found });
        }
        Ok(repository)
    }
}

/// What a symbolic link says; none if that is no path.
fn link_target(content: Vec<u8>) -> Option<String> {
    String::from_utf8(content).ok().filter(|target| !target.is_empty() && target.len() <= MAX_TARGET)
}

/// Whether an object is what its id says: git trusts its own storage, and a release should not.
fn check(id: &ObjectId, kind: Kind, content: &[u8]) -> Result<(), String> {
    match gix::objs::compute_hash(id.kind(), kind, content) {
        Ok(real) if real == *id => Ok(()),
        Ok(_) | Err(_) => Err(format!("the {kind} {id} is damaged")),
    }
}

/// Variables of the environment without those that lead git to a certain repository.
pub fn without_repository(variables: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    const OF_A_REPOSITORY: &[&str] = &[
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_COMMON_DIR",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_QUARANTINE_PATH",
        "GIT_NAMESPACE",
        "GIT_PREFIX",
        "GIT_SHALLOW_FILE",
        "GIT_GRAFT_FILE",
        "GIT_REPLACE_REF_BASE",
        "GIT_CONFIG",
        "GIT_ATTR_SOURCE",
    ];
    let foreign = |name: &String| !OF_A_REPOSITORY.contains(&name.as_str());
    variables.iter().filter(|(name, _)| foreign(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sandbox::Sandbox;
    use super::*;

    fn snapshot(sandbox: &Sandbox) -> Snapshot {
        Snapshot::open(&sandbox.open(), sandbox.id("HEAD")).unwrap()
    }

    fn leads_to(snapshot: &Snapshot, path: &str) -> String {
        match snapshot.resolve(path).unwrap() {
            Target::File { path, .. } => path,
            Target::Submodule { path, rest, .. } => format!("{path}:{rest}"),
            Target::Outside => "outside".to_owned(),
            Target::Nowhere => "nowhere".to_owned(),
        }
    }

    #[test]
    fn paths_are_those_that_git_lists() {
        let sandbox = Sandbox::new(&[]);
        for path in ["a", "b/c", "b/d/e", "b.c", "ä/ö"] {
            sandbox.write(path, path);
        }
        sandbox.commit("one");
        let listed = sandbox.git(&["ls-tree", "-r", "-z", "--name-only", "HEAD"]);
        let mut listed: Vec<&str> = listed.split('\0').filter(|path| !path.is_empty()).collect();
        listed.sort_unstable();
        let snapshot = snapshot(&sandbox);
        assert_eq!(snapshot.paths().collect::<Vec<_>>(), listed);
        assert!(snapshot.has_folder("b/d") && snapshot.has_folder("") && !snapshot.has_folder("b.c"));
        assert_eq!(snapshot.tree(), sandbox.id("HEAD^{tree}"));
        assert_eq!(snapshot.text("b/d/e", 5).unwrap().unwrap(), "b/d/e");
        assert_eq!(snapshot.text("b/d/e", 4).unwrap(), None);
    }

    #[cfg(unix)]
    #[test]
    fn symbolic_links_are_followed_as_a_checkout_would() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a/b/file", "x");
        for (link, target) in [
            ("to-file", "a/b/file"),
            ("to-folder", "a/b"),
            ("a/up", "../to-folder/../b/file"),
            ("self", "self"),
            ("round", "round/round"),
            ("absolute", "/etc/passwd"),
            ("above", "../x"),
            ("gone", "nothing"),
        ] {
            std::os::unix::fs::symlink(target, sandbox.root.join(link)).unwrap();
        }
        sandbox.commit("links");
        let snapshot = snapshot(&sandbox);
        for (path, target) in [
            ("a/b/file", "a/b/file"),
            ("a/./b//file", "a/b/file"),
            ("to-file", "a/b/file"),
            ("to-folder/file", "a/b/file"),
            ("a/up", "a/b/file"),
            ("a/../to-file", "a/b/file"),
            ("self", "nowhere"),
            ("round", "nowhere"),
            ("absolute", "outside"),
            ("above", "outside"),
            ("a/../../x", "outside"),
            ("gone", "nowhere"),
            ("to-folder", "nowhere"),
            ("to-file/x", "nowhere"),
        ] {
            assert_eq!(leads_to(&snapshot, path), target, "{path}");
        }
    }

    #[test]
    fn submodules_are_read_from_their_own_repository() {
        let inner = Sandbox::new(&[]);
        inner.write("src/lib.rs", "fn inner() {}\n");
        inner.commit("inner");
        let outer = Sandbox::new(&[]);
        outer.git(&["submodule", "--quiet", "add", inner.root.to_str().unwrap(), "deep/inner"]);
        outer.commit("outer");
        let snapshot = snapshot(&outer);
        assert_eq!(leads_to(&snapshot, "deep/inner/src/lib.rs"), "deep/inner:src/lib.rs");
        let (path, commit) = snapshot.submodules().next().unwrap();
        assert_eq!((path, commit), ("deep/inner", inner.id("HEAD")));
        let read = |snapshot: &Snapshot| {
            let submodule = snapshot.submodule(path, commit)?;
            Ok::<_, Error>(submodule.text("src/lib.rs", 100).unwrap().unwrap())
        };
        assert_eq!(read(&snapshot).unwrap(), "fn inner() {}\n");
        fs::remove_dir_all(outer.root.join(path)).unwrap();
        assert_eq!(read(&snapshot).unwrap(), "fn inner() {}\n", "from what git keeps");
        fs::remove_dir_all(outer.root.join(".git/modules")).unwrap();
        assert!(matches!(read(&snapshot), Err(Error::NotARepository { .. })));
    }

    #[test]
    fn an_object_that_is_not_what_its_id_says_is_refused() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a/b", "one");
        let good = sandbox.commit("one");
        sandbox.write("a/b", "two");
        sandbox.commit("two");
        let object = |name: &str| {
            let id = sandbox.git(&["rev-parse", name]);
            sandbox.root.join(".git/objects").join(&id[..2]).join(&id[2..])
        };
        let (there, other) = (object("HEAD~:a"), object("HEAD:a"));
        fs::remove_file(&there).unwrap();
        fs::copy(other, there).unwrap();
        let error = Snapshot::open(&sandbox.open(), good).err().unwrap().to_string();
        assert!(error.contains("is damaged"), "{error}");
    }
}
