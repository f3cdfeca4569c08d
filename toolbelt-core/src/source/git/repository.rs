//! Finds a repository and says where its parts are, as git itself would with the same variables.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use gix::config::File as Config;
use gix::config::Source;
use gix::config::file::init::Options;
use gix::config::file::{Metadata, includes};
use gix::config::path::interpolate::Context;
use gix::hash::Kind as HashKind;

use super::Error;
use super::store::Store;
use crate::source::file;

/// A repository, with everything that the variables of a hook say about it.
///
/// Nothing of it is ever executed: no hook, filter, text conversion or file system monitor is read, let alone called.
#[derive(Debug, Clone)]
pub struct GitRepository {
    work_tree: Option<PathBuf>,
    git_dir: PathBuf,
    common_dir: PathBuf,
    object_directories: Vec<PathBuf>,
    index: PathBuf,
    hash: HashKind,
    config: Config,
    reftable: bool,
    variables: BTreeMap<String, String>,
}

/// The most that is read of a configuration file or a `.git` file.
const CONFIG_BYTES: u64 = 4 << 20;

impl GitRepository {
    /// Opens the repository that `directory` is in, or that `variables` name.
    ///
    /// `directory` is the working directory, from which relative paths count; `variables` are those of the environment.
    /// `GIT_DIR`, `GIT_WORK_TREE`, `GIT_COMMON_DIR`, `GIT_INDEX_FILE`, `GIT_OBJECT_DIRECTORY`,
    /// `GIT_ALTERNATE_OBJECT_DIRECTORIES`, `GIT_QUARANTINE_PATH` and `GIT_CEILING_DIRECTORIES` mean what they mean to
    /// git; so do those that say where the user's configuration is, which is read only for `safe.directory`.
    ///
    /// # Errors
    ///
    /// [`Error::NotARepository`]; [`Error::NotOwned`] if it belongs to somebody else and `safe.directory` does not list
    /// it (as with git, naming it in `GIT_DIR` is consent); [`Error::Unsupported`] for a format that is not known.
    pub fn open(directory: &Path, variables: &BTreeMap<String, String>) -> Result<Self, Error> {
        let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
        let set = |name: &str| variables.get(name).filter(|value| !value.is_empty());
        let path = |name: &str| set(name).map(|value| directory.join(value));

        let found = match path("GIT_DIR") {
            Some(named) => Found::named(&named, &directory)?,
            None => Found::above(&directory, set("GIT_CEILING_DIRECTORIES").map_or("", String::as_str))?,
        };
        let common_dir = match path("GIT_COMMON_DIR") {
            Some(named) => named,
            None => common_dir(&found.git_dir)?,
        };
        found.owned(variables)?;

        let config = config(&found.git_dir, &common_dir)?;
        let (hash, reftable) = format(&config, &found.git_dir)?;
        let bare = config.boolean("core.bare").ok().flatten();
        let configured = config.string("core.worktree").map(|path| path.to_string());
        let work_tree = match (path("GIT_WORK_TREE"), configured) {
            (Some(named), _) => Some(named),
            (None, Some(configured)) if bare != Some(true) => Some(found.git_dir.join(configured)),
            // A linked work tree may share `core.bare` with a bare repository and is one nevertheless.
            (None, _) if bare == Some(true) && found.git_dir == common_dir => None,
            (None, _) => found.work_tree,
        };

        let objects = path("GIT_OBJECT_DIRECTORY").unwrap_or_else(|| common_dir.join("objects"));
        let mut object_directories = vec![objects];
        let mut add = |more: PathBuf| {
            if !object_directories.contains(&more) && more.is_dir() {
                object_directories.push(more);
            }
        };
        path("GIT_QUARANTINE_PATH").map(&mut add);
        for alternate in set("GIT_ALTERNATE_OBJECT_DIRECTORIES").map(|list| path_list(list)).unwrap_or_default() {
            add(directory.join(alternate));
        }

        let index = path("GIT_INDEX_FILE").unwrap_or_else(|| found.git_dir.join("index"));
        Ok(Self {
            work_tree: work_tree.map(|path| normal(&path)),
            git_dir: found.git_dir,
            common_dir: normal(&common_dir),
            object_directories,
            index,
            hash,
            config,
            reftable,
            variables: variables.clone(),
        })
    }

    /// The top of the work tree; none in a bare repository.
    pub fn root(&self) -> Option<&Path> {
        self.work_tree.as_deref()
    }

    /// The git directory of this work tree.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// The git directory that all work trees share.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// The hash function of its objects.
    pub fn hash(&self) -> HashKind {
        self.hash
    }

    /// Where objects are: first where new ones go (a quarantine, while a push is being received), then those that the
    /// variables name. Alternates that these directories name themselves are not listed.
    pub fn object_directories(&self) -> &[PathBuf] {
        &self.object_directories
    }

    /// The same in one text, as git reads them from a variable: those with special characters in quotes.
    pub fn alternates(&self) -> String {
        let quoted = |directory: &PathBuf| {
            let text = directory.to_string_lossy().into_owned();
            if cfg!(windows) || !text.contains([':', '"', '\n']) {
                return text;
            }
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
        };
        let separator = if cfg!(windows) { ";" } else { ":" };
        self.object_directories.iter().map(quoted).collect::<Vec<_>>().join(separator)
    }

    /// The index; `git commit -a` and `git commit PATH` name one of their own in `GIT_INDEX_FILE`.
    pub fn index_path(&self) -> &Path {
        &self.index
    }

    /// What the repository's own configuration files say, without what they include.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The variables that it was opened with.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// Whether refs are kept in tables, which only the `git` program reads.
    pub(super) fn has_reftable(&self) -> bool {
        self.reftable
    }

    /// Whether its history ends early.
    pub fn is_shallow(&self) -> bool {
        self.common_dir.join("shallow").is_file()
    }

    /// Whether a remote holds objects that are not here.
    pub fn is_partial(&self) -> bool {
        self.config.string("extensions.partialclone").is_some() || self.promises()
    }

    fn promises(&self) -> bool {
        self.config
            .sections_by_name("remote")
            .is_some_and(|sections| sections.into_iter().any(|section| section.value("promisor").is_some()))
    }

    /// Opens its objects.
    ///
    /// # Errors
    ///
    /// [`Error::Objects`] if the directory for objects is not there.
    pub fn store(&self) -> Result<Store, Error> {
        let absent = if self.is_partial() {
            "is on the remote only, as this is a partial clone"
        } else {
            "is not in this repository"
        };
        Store::open(&self.object_directories, self.hash, absent)
    }
}

/// Where a repository was found.
struct Found {
    git_dir: PathBuf,
    work_tree: Option<PathBuf>,
    /// What has to belong to the user: the git directory, the work tree and the file that led from one to the other.
    owned: Vec<PathBuf>,
}

impl Found {
    /// The repository in `GIT_DIR`: the working directory is the top of its work tree, unless it says otherwise.
    fn named(named: &Path, directory: &Path) -> Result<Self, Error> {
        let git_dir = if named.is_file() { pointed_to(named)? } else { normal(named) };
        if !is_git_dir(&git_dir) {
            return Err(Error::NotARepository { directory: named.to_owned() });
        }
        Ok(Self { git_dir, work_tree: Some(directory.to_owned()), owned: Vec::new() })
    }

    /// The nearest repository that `directory` is in.
    fn above(directory: &Path, ceilings: &str) -> Result<Self, Error> {
        // Symbolic links are resolved first, as the shell's idea of the parent is not the kernel's.
        let start = fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
        let ceilings: Vec<PathBuf> = path_list(ceilings).into_iter().map(PathBuf::from).collect();
        for directory in start.ancestors() {
            let dot_git = directory.join(".git");
            if is_git_dir(&dot_git) {
                let owned = vec![directory.to_owned(), dot_git.clone()];
                return Ok(Self { git_dir: dot_git, work_tree: Some(directory.to_owned()), owned });
            }
            if dot_git.is_file() {
                let git_dir = pointed_to(&dot_git)?;
                if !is_git_dir(&git_dir) {
                    return Err(Error::NotARepository { directory: git_dir });
                }
                let owned = vec![directory.to_owned(), dot_git, git_dir.clone()];
                return Ok(Self { git_dir, work_tree: Some(directory.to_owned()), owned });
            }
            if is_git_dir(directory) {
                let owned = vec![directory.to_owned()];
                return Ok(Self { git_dir: directory.to_owned(), work_tree: None, owned });
            }
            if directory.parent().is_some_and(|parent| ceilings.iter().any(|ceiling| ceiling == parent)) {
                break;
            }
        }
        Err(Error::NotARepository { directory: directory.to_owned() })
    }

    /// Whether it may be looked at, by [git's rule](https://git-scm.com/docs/git-config#Documentation/git-config.txt-safedirectory).
    fn owned(&self, variables: &BTreeMap<String, String>) -> Result<(), Error> {
        let foreign = |path: &PathBuf| !gix::sec::identity::is_path_owned_by_current_user(path).unwrap_or(false);
        if !self.owned.iter().any(foreign) {
            return Ok(());
        }
        let directory = self.work_tree.as_ref().unwrap_or(&self.git_dir);
        if safe_directories(variables).iter().any(|safe| covers(safe, directory)) {
            return Ok(());
        }
        Err(Error::NotOwned { directory: directory.clone() })
    }
}

/// Whether an entry of `safe.directory` covers a directory.
fn covers(safe: &str, directory: &Path) -> bool {
    if safe == "*" {
        return true;
    }
    if let Some(parent) = safe.strip_suffix("/*") {
        return directory.starts_with(parent);
    }
    let safe = Path::new(safe);
    safe == directory || (safe.is_absolute() && fs::canonicalize(safe).is_ok_and(|safe| safe == directory))
}

/// The values of `safe.directory` where git takes them from: the system's and the user's configuration and the command
/// line, never the repository. An empty value revokes those before it.
fn safe_directories(variables: &BTreeMap<String, String>) -> Vec<String> {
    let home = variables.get("HOME").map(PathBuf::from);
    let mut files = Vec::new();
    if !variables.get("GIT_CONFIG_NOSYSTEM").is_some_and(|value| value != "0" && value != "false") {
        files.push(variables.get("GIT_CONFIG_SYSTEM").map_or_else(|| PathBuf::from("/etc/gitconfig"), PathBuf::from));
    }
    if let Some(global) = variables.get("GIT_CONFIG_GLOBAL") {
        files.push(PathBuf::from(global));
    } else {
        let configuration = variables.get("XDG_CONFIG_HOME").filter(|value| !value.is_empty()).map(PathBuf::from);
        let configuration = configuration.or_else(|| home.as_ref().map(|home| home.join(".config")));
        files.extend(configuration.map(|directory| directory.join("git/config")));
        files.extend(home.as_ref().map(|home| home.join(".gitconfig")));
    }
    let mut values = Vec::new();
    for path in files {
        let metadata = Metadata::from(Source::User).at(&path);
        let Ok(mut text) = fs::read(&path) else { continue };
        let options = Options {
            includes: includes::Options {
                interpolate: Context { home_dir: home.as_deref(), ..Default::default() },
                ..includes::Options::follow(Context::default(), includes::conditional::Context::default())
            },
            ..Default::default()
        };
        // A file that cannot be read grants nothing.
        let Ok(config) = Config::from_bytes_owned(&mut text, metadata, options) else { continue };
        values.extend(config.strings("safe.directory").unwrap_or_default().into_iter().map(|value| value.to_string()));
    }
    let count = variables.get("GIT_CONFIG_COUNT").and_then(|count| count.parse::<usize>().ok()).unwrap_or(0);
    for number in 0..count.min(1000) {
        let part = |name: &str| variables.get(&format!("GIT_CONFIG_{name}_{number}"));
        if part("KEY").is_some_and(|key| key.eq_ignore_ascii_case("safe.directory")) {
            values.extend(part("VALUE").cloned());
        }
    }
    let after_revocation = values.iter().rposition(String::is_empty).map_or(0, |at| at + 1);
    values.drain(..after_revocation);
    for value in &mut values {
        if let (Some(rest), Some(home)) = (value.strip_prefix("~/"), &home) {
            *value = home.join(rest).to_string_lossy().into_owned();
        }
    }
    values
}

/// Whether a directory looks like a git directory to git.
fn is_git_dir(directory: &Path) -> bool {
    if directory.join("commondir").is_file() {
        return directory.join("HEAD").symlink_metadata().is_ok();
    }
    directory.join("HEAD").symlink_metadata().is_ok()
        && directory.join("objects").is_dir()
        && directory.join("refs").is_dir()
}

/// The directory that a file `.git` points to.
fn pointed_to(dot_git: &Path) -> Result<PathBuf, Error> {
    let wrong = || Error::NotARepository { directory: dot_git.to_owned() };
    let text = file::read_text(dot_git, CONFIG_BYTES).map_err(|_| wrong())?;
    let target = text.strip_prefix("gitdir:").ok_or_else(wrong)?.trim();
    let parent = dot_git.parent().unwrap_or(Path::new("/"));
    Ok(normal(&parent.join(target)))
}

/// The directory that the work trees of a repository share.
fn common_dir(git_dir: &Path) -> Result<PathBuf, Error> {
    let pointer = git_dir.join("commondir");
    if !pointer.is_file() {
        return Ok(git_dir.to_owned());
    }
    let text =
        file::read_text(&pointer, CONFIG_BYTES).map_err(|_| Error::NotARepository { directory: git_dir.to_owned() })?;
    Ok(normal(&git_dir.join(text.trim_end_matches(['\n', '\r']))))
}

/// The configuration of a repository and of its work tree.
fn config(git_dir: &Path, common_dir: &Path) -> Result<Config, Error> {
    let mut config = read_config(&common_dir.join("config"), Source::Local)?;
    if config.boolean("extensions.worktreeconfig").ok().flatten() == Some(true) {
        let more = read_config(&git_dir.join("config.worktree"), Source::Worktree)?;
        let wrong =
            |source: gix::Error| Error::Config { path: git_dir.join("config.worktree"), why: source.to_string() };
        config.append(more).map_err(wrong)?;
    }
    Ok(config)
}

fn read_config(path: &Path, source: Source) -> Result<Config, Error> {
    let metadata = Metadata::from(source).at(path);
    if !path.exists() {
        return Ok(Config::new(metadata));
    }
    let wrong = |why: String| Error::Config { path: path.to_owned(), why };
    let text = file::read_text(path, CONFIG_BYTES).map_err(|error| wrong(error.to_string()))?;
    Config::from_bytes_no_includes(text.as_bytes(), metadata, Options::default())
        .map_err(|error| wrong(error.to_string()))
}

/// The hash function, and whether refs are in tables.
fn format(config: &Config, git_dir: &Path) -> Result<(HashKind, bool), Error> {
    let unsupported = |what: String| Error::Unsupported { directory: git_dir.to_owned(), what };
    let version = config.integer("core.repositoryformatversion").ok().flatten().unwrap_or(0);
    if !(0..=1).contains(&version) {
        return Err(unsupported(format!("`core.repositoryFormatVersion` {version}")));
    }
    let value = |key: &str| config.string(key).map(|value| value.to_string().to_ascii_lowercase());
    let hash = match value("extensions.objectformat").as_deref() {
        None | Some("sha1") => HashKind::Sha1,
        Some("sha256") => HashKind::Sha256,
        Some(other) => return Err(unsupported(format!("`extensions.objectFormat` {other}"))),
    };
    let storage = value("extensions.refstorage");
    let reftable = match storage.as_deref().map(|value| value.split(':').next().unwrap_or(value)) {
        None | Some("files") => false,
        Some("reftable") => true,
        Some(other) => return Err(unsupported(format!("`extensions.refStorage` {other}"))),
    };
    Ok((hash, reftable))
}

/// Splits a list of paths as git does: at colons, unless a path begins with a quote.
fn path_list(list: &str) -> Vec<String> {
    let separator = if cfg!(windows) { ';' } else { ':' };
    let mut paths = Vec::new();
    let mut rest = list;
    while !rest.is_empty() {
        let (path, after) = unquoted(rest).unwrap_or_else(|| {
            rest.split_once(separator).map_or((rest.into(), ""), |(path, rest)| (path.into(), rest))
        });
        rest = after.strip_prefix(separator).unwrap_or(after);
        if !path.is_empty() {
            paths.push(path);
        }
    }
    paths
}

/// The path in quotes that a list begins with, and what follows it.
fn unquoted(list: &str) -> Option<(String, &str)> {
    let (path, length) = gix::quote::ansi_c::undo(list.into()).ok().filter(|_| list.starts_with('"'))?;
    Some((path.to_string(), list.get(length..)?))
}

/// The path without `.` and `..`, as far as that can be said without looking.
fn normal(path: &Path) -> PathBuf {
    if let Ok(real) = fs::canonicalize(path) {
        return real;
    }
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::super::sandbox::Sandbox;
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn it_is_found_from_below_and_where_there_is_none_that_is_said() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a/b/c", "x");
        let repository = GitRepository::open(&sandbox.root.join("a/b"), &BTreeMap::new()).unwrap();
        assert_eq!(repository.root(), Some(sandbox.root.as_path()));
        assert_eq!(repository.git_dir(), sandbox.root.join(".git"));
        assert_eq!(repository.index_path(), sandbox.root.join(".git/index"));
        let above = sandbox.root.parent().unwrap();
        let outside = above.join("outside");
        fs::create_dir(&outside).unwrap();
        let ceilings = variables(&[("GIT_CEILING_DIRECTORIES", above.to_str().unwrap())]);
        assert!(matches!(GitRepository::open(&outside, &ceilings), Err(Error::NotARepository { .. })));
    }

    #[test]
    fn bare_repositories_work_trees_and_submodules() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "x");
        sandbox.commit("a");
        sandbox.git(&["worktree", "add", "--quiet", "../linked"]);
        let linked = sandbox.beside("linked").open();
        assert_eq!(linked.root(), Some(sandbox.beside("linked").root.as_path()));
        assert_eq!(linked.git_dir(), sandbox.root.join(".git/worktrees/linked"));
        assert_eq!(linked.common_dir(), sandbox.root.join(".git"));
        assert_eq!(linked.object_directories(), [sandbox.root.join(".git/objects")]);

        sandbox.git(&["clone", "--quiet", "--bare", ".", "../bare"]);
        let bare = sandbox.beside("bare").open();
        assert_eq!((bare.root(), bare.git_dir()), (None, sandbox.beside("bare").root.as_path()));
        sandbox.beside("bare").git(&["worktree", "add", "--quiet", "../of-bare", "main"]);
        assert_eq!(sandbox.beside("of-bare").open().root(), Some(sandbox.beside("of-bare").root.as_path()));

        sandbox.git(&["submodule", "--quiet", "add", sandbox.beside("bare").root.to_str().unwrap(), "module"]);
        let module = sandbox.beside("repository/module").open();
        assert_eq!(module.root(), Some(sandbox.root.join("module").as_path()));
        assert_eq!(module.git_dir(), sandbox.root.join(".git/modules/module"));
    }

    #[test]
    fn variables_mean_what_they_mean_to_git() {
        let sandbox = Sandbox::new(&["--object-format=sha256"]);
        sandbox.write("a", "x");
        sandbox.commit("a");
        let objects = sandbox.root.parent().unwrap().join("a \"b:");
        fs::create_dir(&objects).unwrap();
        let named = variables(&[
            ("GIT_DIR", "../.git"),
            ("GIT_WORK_TREE", ".."),
            ("GIT_INDEX_FILE", "other"),
            (
                "GIT_ALTERNATE_OBJECT_DIRECTORIES",
                &format!("/nowhere:\"{}\"", objects.display().to_string().replace('"', "\\\"")),
            ),
        ]);
        fs::create_dir(sandbox.root.join("sub")).unwrap();
        let repository = GitRepository::open(&sandbox.root.join("sub"), &named).unwrap();
        assert_eq!(repository.root(), Some(sandbox.root.as_path()));
        assert_eq!(repository.hash(), HashKind::Sha256);
        assert_eq!(repository.index_path(), sandbox.root.join("sub/other"));
        assert_eq!(repository.object_directories()[1..], [objects]);
    }

    #[test]
    fn formats_of_the_future_are_refused() {
        let sandbox = Sandbox::new(&[]);
        sandbox.git(&["config", "core.repositoryFormatVersion", "2"]);
        let error = GitRepository::open(&sandbox.root, &BTreeMap::new()).unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        fs::write(sandbox.root.join(".git/config"), "[core\n").unwrap();
        assert!(matches!(GitRepository::open(&sandbox.root, &BTreeMap::new()), Err(Error::Config { .. })));
    }

    #[test]
    fn a_repository_of_somebody_else_is_refused_unless_the_user_said_so() {
        let sandbox = Sandbox::new(&[]);
        if std::os::unix::fs::chown(&sandbox.root, Some(65534), None).is_err() {
            // Only root can give a directory away.
            return;
        }
        let home = sandbox.root.parent().unwrap().to_str().unwrap();
        let variables = variables(&[("HOME", home), ("GIT_CONFIG_NOSYSTEM", "1")]);
        let error = GitRepository::open(&sandbox.root, &variables).unwrap_err();
        assert!(matches!(error, Error::NotOwned { .. }), "{error}");
        for (safe, allowed) in [
            (sandbox.root.to_str().unwrap(), true),
            ("*", true),
            ("~/repository", true),
            (&format!("{home}/*"), true),
            ("/elsewhere", false),
            ("*\n\tdirectory =", false),
        ] {
            fs::write(format!("{home}/.gitconfig"), format!("[safe]\n\tdirectory = {safe}\n")).unwrap();
            assert_eq!(GitRepository::open(&sandbox.root, &variables).is_ok(), allowed, "{safe}");
            let mut git = sandbox.command();
            git.env("GIT_CONFIG_GLOBAL", format!("{home}/.gitconfig")).env("HOME", home);
            let status = git.args(["rev-parse", "--git-dir"]).output().unwrap().status;
            // Git knows `/*` only since 2.46.
            assert!(status.success() == allowed || safe.ends_with("/*"), "{safe}");
        }
    }
}
