//! The user's own cargo configuration, as far as it says where packages come from.
//!
//! Read as cargo does it: `.cargo/config.toml` of the working directory and each one above it, then the one in
//! `CARGO_HOME`, nearer files first, and the environment before all of them
//! ([configuration](https://doc.rust-lang.org/cargo/reference/config.html)). Of tokens, only their places are kept.

mod credentials;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crates_index::{HashKind, local_path_and_canonical_url_with_hash_kind};
use serde::Deserialize;

use self::credentials::Credentials;
pub use self::credentials::{Configured, Login, Provider, TokenPlace};
use crate::subject::package::Registry;

/// Where the sparse index of crates.io is.
const CRATES_IO_SPARSE: &str = "sparse+https://index.crates.io/";
/// The name of crates.io in configuration.
const CRATES_IO_NAME: &str = "crates-io";
/// Largest configuration file that is read.
const MAX_FILE: u64 = 1 << 20;
/// How many files may be included, in all.
const MAX_FILES: usize = 256;

/// What cargo's configuration says of sources.
#[derive(Debug, Clone, Default)]
pub struct CargoConfig {
    cargo_home: PathBuf,
    sources: BTreeMap<String, SourceTable>,
    /// Registry name, in lower case with `-` for `_` where it comes from the environment, to index URL.
    registries: BTreeMap<String, String>,
    default_registry: Option<String>,
    crates_io_protocol: Option<Protocol>,
    offline: bool,
    proxy: Option<String>,
    certificates: Option<PathBuf>,
    credentials: Credentials,
}

/// How an index is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Protocol {
    Git,
    Sparse,
}

/// A `[source.NAME]` with the file that set each key.
#[derive(Debug, Clone, Default)]
struct SourceTable {
    replace_with: Option<(String, PathBuf)>,
    registry: Option<String>,
    local_registry: Option<PathBuf>,
    directory: Option<PathBuf>,
    git: bool,
}

/// Where cargo really takes the packages of a registry from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// How the index is reached.
    pub index: IndexLocation,
    /// Cargo's folders for it, the ones in use by current releases first; none for directories.
    pub folders: Vec<Folders>,
}

/// How an index is reached.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum IndexLocation {
    /// The sparse protocol, at this URL without `sparse+` and with a `/` at its end.
    Sparse(String),
    /// A git repository.
    Git(String),
    /// A local registry: `.crate` files, and an index in `index/`.
    Local(PathBuf),
    /// A directory source (vendored packages): there is no index.
    Directory(PathBuf),
}

/// Cargo's folders for one registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// Index entries: `CARGO_HOME/registry/index/HOST-HASH/.cache`.
    pub index: PathBuf,
    /// `.crate` files: `CARGO_HOME/registry/cache/HOST-HASH`.
    pub archives: PathBuf,
    /// Unpacked packages: `CARGO_HOME/registry/src/HOST-HASH`.
    pub sources: PathBuf,
}

/// Why cargo's configuration does not say where packages come from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file exists and cannot be read.
    #[error("cargo's configuration `{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is larger than configuration is.
    #[error("cargo's configuration `{}` is larger than 1 MiB", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Files include each other, or too many others.
    #[error("cargo's configuration `{}` includes itself or more than {MAX_FILES} files", path.display())]
    TooManyIncludes {
        /// The file.
        path: PathBuf,
    },
    /// A file is not TOML, or a key has the wrong type.
    #[error("cargo's configuration `{}` is malformed", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// An environment variable has a value that its key cannot have.
    #[error("environment variable `{name}` is `{value}`, expected {expected}")]
    BadVariable {
        /// The variable.
        name: String,
        /// What it is set to.
        value: String,
        /// What it can be set to.
        expected: &'static str,
    },
    /// `replace-with` names a source that is not configured.
    #[error("source `{name}` is not configured, but `{}` replaces `{by}` with it", path.display())]
    NoSuchSource {
        /// The missing one.
        name: String,
        /// The replaced one.
        by: String,
        /// Where that is said.
        path: PathBuf,
    },
    /// `replace-with` leads back to where it began.
    #[error("source `{name}` is replaced with itself, in `{}`", path.display())]
    Cycle {
        /// The source.
        name: String,
        /// The last file on the way.
        path: PathBuf,
    },
    /// A source has no place, or several.
    #[error("source `{name}` needs exactly one of `registry`, `local-registry`, `directory` and `git`")]
    NotOnePlace {
        /// The source.
        name: String,
    },
    /// A registry was replaced with a git repository of packages.
    #[error("registry source `{name}` is replaced with a git source")]
    GitSource {
        /// The source.
        name: String,
    },
    /// A URL that cargo would not accept either.
    #[error("`{url}` is not the URL of an index")]
    BadUrl {
        /// As configured.
        url: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    #[serde(default)]
    include: Option<Includes>,
    #[serde(default)]
    source: BTreeMap<String, FileSource>,
    #[serde(default)]
    registries: BTreeMap<String, FileRegistry>,
    #[serde(default)]
    registry: FileDefaults,
    #[serde(default)]
    net: FileNet,
    #[serde(default)]
    http: FileHttp,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Includes {
    One(String),
    Many(Vec<Include>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Include {
    Path(String),
    Table {
        path: String,
        #[serde(default)]
        optional: bool,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct FileSource {
    replace_with: Option<String>,
    registry: Option<String>,
    local_registry: Option<String>,
    directory: Option<String>,
    git: Option<String>,
}

#[derive(Deserialize)]
struct FileRegistry {
    index: Option<String>,
    protocol: Option<Protocol>,
}

#[derive(Default, Deserialize)]
struct FileDefaults {
    default: Option<String>,
}

#[derive(Default, Deserialize)]
struct FileNet {
    offline: Option<bool>,
}

#[derive(Default, Deserialize)]
struct FileHttp {
    proxy: Option<String>,
    cainfo: Option<String>,
}

/// What the files say, before the environment overrides it.
#[derive(Default)]
struct Layers {
    config: CargoConfig,
    offline: Option<bool>,
    seen: BTreeSet<PathBuf>,
}

impl CargoConfig {
    /// Reads the configuration that applies in `directory`.
    ///
    /// `environment` is that of the run; of it, `CARGO_REGISTRIES_NAME_INDEX`, `CARGO_REGISTRIES_CRATES_IO_PROTOCOL`,
    /// `CARGO_REGISTRY_DEFAULT`, `CARGO_NET_OFFLINE`, `CARGO_HTTP_PROXY` and `CARGO_HTTP_CAINFO` count. Cargo takes no
    /// `[source]` from the environment, and neither does this.
    ///
    /// # Errors
    ///
    /// A file that exists and cannot be read or understood; a variable with a value it cannot have.
    pub fn read(directory: &Path, cargo_home: &Path, environment: &BTreeMap<String, String>) -> Result<Self, Error> {
        let config = Self { cargo_home: cargo_home.to_owned(), ..Self::default() };
        let mut layers = Layers { config, ..Layers::default() };
        for ancestor in directory.ancestors() {
            layers.add_folder(&ancestor.join(".cargo"))?;
        }
        layers.add_folder(cargo_home)?;
        let mut config = layers.config;
        config.credentials.add_home(cargo_home)?;
        config.offline = layers.offline.unwrap_or(false);
        config.add_environment(environment)?;
        Ok(config)
    }

    /// Where cargo's own folders are.
    pub fn cargo_home(&self) -> &Path {
        &self.cargo_home
    }

    /// Whether cargo is told to stay off the network (`net.offline`).
    pub fn is_offline(&self) -> bool {
        self.offline
    }

    /// The proxy that cargo is told to use (`http.proxy`).
    pub fn proxy(&self) -> Option<&str> {
        self.proxy.as_deref()
    }

    /// The file of certificate authorities that cargo is told to trust (`http.cainfo`).
    pub fn certificates(&self) -> Option<&Path> {
        self.certificates.as_deref()
    }

    /// The registry that `cargo publish` and `cargo add` use when told nothing else (`registry.default`).
    pub fn default_registry(&self) -> Option<&str> {
        self.default_registry.as_deref()
    }

    /// The index of the registry that manifests call `name`, as lock files write it.
    pub fn registry(&self, name: &str) -> Option<Registry> {
        if name == CRATES_IO_NAME {
            return Some(Registry { index: Registry::CRATES_IO.to_owned() });
        }
        let index = self.registries.get(name).or_else(|| self.registries.get(&environment_name(name)))?;
        Some(Registry { index: index.strip_prefix("registry+").unwrap_or(index).to_owned() })
    }

    /// Says where cargo really takes the packages of `registry` from, following source replacement.
    ///
    /// # Errors
    ///
    /// A replacement that leads nowhere or in a circle, or to something that is not a registry.
    pub fn origin(&self, registry: &Registry) -> Result<Origin, Error> {
        let Some(first) = self.source_name(registry) else { return self.unreplaced(registry) };
        let mut name = first;
        let mut passed = BTreeSet::from([first]);
        // Only `crates-io` is known without a table of its own.
        while let Some(table) = self.sources.get(name) {
            let Some((next, path)) = &table.replace_with else {
                return if name == first { self.unreplaced(registry) } else { self.place(name, table) };
            };
            if !passed.insert(next) {
                return Err(Error::Cycle { name: next.clone(), path: path.clone() });
            }
            if !self.sources.contains_key(next) {
                // A name that only `[registries]` knows.
                let Some(other) = self.registry(next) else {
                    return Err(Error::NoSuchSource { name: next.clone(), by: name.to_owned(), path: path.clone() });
                };
                return self.unreplaced(&other);
            }
            name = next;
        }
        self.unreplaced(registry)
    }

    /// Where cargo publishes what goes to `registry`: source replacement is for reading alone.
    ///
    /// # Errors
    ///
    /// An index whose URL cargo would not accept.
    pub fn publishing_origin(&self, registry: &Registry) -> Result<Origin, Error> {
        self.unreplaced(registry)
    }

    /// How cargo would log in to the registry that manifests call `name`, given the variables of the run.
    pub fn login(&self, name: &str, environment: &BTreeMap<String, String>) -> Login {
        self.credentials.login(name, environment)
    }

    /// Every place that holds a token or names a program that does, as far as configuration says; never what they are.
    pub fn credential_places(&self, environment: &BTreeMap<String, String>) -> Vec<Configured> {
        self.credentials.places(environment)
    }

    /// The name under which a registry is configured as a source.
    fn source_name(&self, registry: &Registry) -> Option<&str> {
        if registry.is_crates_io() {
            return Some(CRATES_IO_NAME);
        }
        let wanted = canonical(&registry.index);
        self.sources
            .iter()
            .find(|(_, table)| table.registry.as_ref().is_some_and(|index| canonical(index) == wanted))
            .map(|(name, _)| name.as_str())
    }

    fn unreplaced(&self, registry: &Registry) -> Result<Origin, Error> {
        if !registry.is_crates_io() {
            return self.registry_origin(&registry.index);
        }
        match self.crates_io_protocol {
            Some(Protocol::Git) => self.registry_origin(Registry::CRATES_IO),
            Some(Protocol::Sparse) | None => self.registry_origin(CRATES_IO_SPARSE),
        }
    }

    fn place(&self, name: &str, table: &SourceTable) -> Result<Origin, Error> {
        match (&table.registry, &table.local_registry, &table.directory, table.git) {
            (Some(index), None, None, false) => self.registry_origin(index),
            (None, Some(path), None, false) => {
                let folders = Folders {
                    index: path.join("index"),
                    archives: path.clone(),
                    sources: self.cargo_home.join("registry/src"),
                };
                Ok(Origin { index: IndexLocation::Local(path.clone()), folders: vec![folders] })
            }
            (None, None, Some(path), false) => {
                Ok(Origin { index: IndexLocation::Directory(path.clone()), folders: Vec::new() })
            }
            (None, None, None, true) => Err(Error::GitSource { name: name.to_owned() }),
            // `[source.crates-io]` without a place is crates.io.
            (None, None, None, false) if name == CRATES_IO_NAME => {
                self.unreplaced(&Registry { index: Registry::CRATES_IO.to_owned() })
            }
            _ => Err(Error::NotOnePlace { name: name.to_owned() }),
        }
    }

    fn registry_origin(&self, index: &str) -> Result<Origin, Error> {
        let index = normalised(index);
        let bad = || Error::BadUrl { url: index.clone() };
        let location = match index.strip_prefix("sparse+") {
            Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
                let slash = if url.ends_with('/') { "" } else { "/" };
                IndexLocation::Sparse(format!("{url}{slash}"))
            }
            Some(_) => return Err(bad()),
            None => IndexLocation::Git(index.clone()),
        };
        let registry = self.cargo_home.join("registry");
        let mut folders = Vec::new();
        // Cargo 1.85 changed the hash; older folders stay where an older cargo left them.
        for kind in [HashKind::Stable, HashKind::Legacy] {
            let (path, _) = local_path_and_canonical_url_with_hash_kind(&index, Some(&self.cargo_home), &kind)
                .map_err(|_| bad())?;
            let name = path.file_name().ok_or_else(bad)?;
            folders.push(Folders {
                index: path.join(".cache"),
                archives: registry.join("cache").join(name),
                sources: registry.join("src").join(name),
            });
        }
        Ok(Origin { index: location, folders })
    }

    fn add_environment(&mut self, environment: &BTreeMap<String, String>) -> Result<(), Error> {
        for (key, value) in environment {
            let registry = key.strip_prefix("CARGO_REGISTRIES_").and_then(|rest| rest.strip_suffix("_INDEX"));
            if let Some(name) = registry.filter(|name| !name.is_empty()) {
                let name = environment_name(name);
                self.registries.retain(|known, _| environment_name(known) != name);
                self.registries.insert(name, value.clone());
            }
        }
        if let Some(value) = environment.get("CARGO_REGISTRIES_CRATES_IO_PROTOCOL") {
            self.crates_io_protocol = Some(match value.as_str() {
                "git" => Protocol::Git,
                "sparse" => Protocol::Sparse,
                _ => {
                    return Err(bad_variable("CARGO_REGISTRIES_CRATES_IO_PROTOCOL", value, "`git` or `sparse`"));
                }
            });
        }
        if let Some(value) = environment.get("CARGO_REGISTRY_DEFAULT") {
            self.default_registry = Some(value.clone());
        }
        if let Some(value) = environment.get("CARGO_NET_OFFLINE") {
            self.offline = match value.as_str() {
                "true" => true,
                "false" => false,
                _ => return Err(bad_variable("CARGO_NET_OFFLINE", value, "`true` or `false`")),
            };
        }
        if let Some(value) = environment.get("CARGO_HTTP_PROXY") {
            self.proxy = Some(value.clone());
        }
        if let Some(value) = environment.get("CARGO_HTTP_CAINFO") {
            self.certificates = Some(PathBuf::from(value));
        }
        Ok(())
    }
}

fn bad_variable(name: &str, value: &str, expected: &'static str) -> Error {
    Error::BadVariable { name: name.to_owned(), value: value.to_owned(), expected }
}

impl Layers {
    /// Adds the configuration in a `.cargo` folder; of two files, the one without an extension counts, as in cargo.
    fn add_folder(&mut self, folder: &Path) -> Result<(), Error> {
        for name in ["config", "config.toml"] {
            if self.add_file(&folder.join(name), true)? {
                break;
            }
        }
        Ok(())
    }

    /// Adds a file and what it includes; returns whether there is one.
    fn add_file(&mut self, path: &Path, optional: bool) -> Result<bool, Error> {
        let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.len() > MAX_FILE => return Err(Error::TooLarge { path: path.to_owned() }),
            Ok(metadata) if metadata.is_dir() => return Ok(false),
            Ok(_) => {}
            // A `.cargo` that is a file, in some directory above, is no configuration.
            Err(error)
                if optional
                    && matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) =>
            {
                return Ok(false);
            }
            Err(error) => return Err(unreadable(error)),
        }
        let identity = path.canonicalize().map_err(unreadable)?;
        if !self.seen.insert(identity) {
            // `CARGO_HOME` is often above the working directory as well.
            return Ok(true);
        }
        if self.seen.len() > MAX_FILES {
            return Err(Error::TooManyIncludes { path: path.to_owned() });
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let mut file: File = toml::from_str(&text)
            .map_err(|source| Error::Malformed { path: path.to_owned(), source: Box::new(source) })?;
        let includes = match file.include.take() {
            None => Vec::new(),
            Some(Includes::One(path)) => vec![(path, false)],
            Some(Includes::Many(many)) => many
                .into_iter()
                .map(|include| match include {
                    Include::Path(path) => (path, false),
                    Include::Table { path, optional } => (path, optional),
                })
                .collect(),
        };
        self.add_values(path, file);
        self.config.credentials.add_file(path, &text)?;
        // What includes overrides what is included, and of those the last one wins.
        for (name, optional) in includes.iter().rev() {
            let place = path.parent().unwrap_or(Path::new("")).join(name);
            self.add_file(&place, *optional)?;
        }
        Ok(true)
    }

    /// Fills in what nearer files left open.
    fn add_values(&mut self, path: &Path, file: File) {
        let config = &mut self.config;
        // Relative paths start where `.cargo` is.
        let root = path.parent().and_then(Path::parent).unwrap_or(Path::new(""));
        for (name, new) in file.source {
            let table = config.sources.entry(name).or_default();
            if table.replace_with.is_none() {
                table.replace_with = new.replace_with.map(|name| (name, path.to_owned()));
            }
            fill(&mut table.registry, new.registry);
            fill(&mut table.local_registry, new.local_registry.map(|path| root.join(path)));
            fill(&mut table.directory, new.directory.map(|path| root.join(path)));
            table.git |= new.git.is_some();
        }
        for (name, new) in file.registries {
            if name == CRATES_IO_NAME {
                fill(&mut config.crates_io_protocol, new.protocol);
            } else if let Some(index) = new.index {
                config.registries.entry(name).or_insert(index);
            }
        }
        fill(&mut config.default_registry, file.registry.default);
        fill(&mut self.offline, file.net.offline);
        fill(&mut config.proxy, file.http.proxy);
        fill(&mut config.certificates, file.http.cainfo.map(|path| root.join(path)));
    }
}

fn fill<T>(slot: &mut Option<T>, value: Option<T>) {
    if slot.is_none() {
        *slot = value;
    }
}

/// How a registry's name looks once it went through the name of a variable.
fn environment_name(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

/// Whether two URLs are one index to cargo.
pub(super) fn is_same_index(one: &str, other: &str) -> bool {
    canonical(&Registry::new(one).index) == canonical(&Registry::new(other).index)
}

/// What two spellings of one index have in common.
fn canonical(index: &str) -> String {
    let index = normalised(index);
    index.trim_end_matches('/').trim_end_matches(".git").to_owned()
}

/// A URL as cargo keeps it: no `registry+`, host in lower case, no default port, a path.
fn normalised(index: &str) -> String {
    let index = index.strip_prefix("registry+").unwrap_or(index);
    let Some((scheme, rest)) = index.split_once("://") else { return index.to_owned() };
    let scheme = scheme.to_ascii_lowercase();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // A scheme with `sparse+` has no default port for cargo's URL parser.
    let default_port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => "",
    };
    let (user, host) = authority.rsplit_once('@').map_or(("", authority), |(user, host)| (user, host));
    let at = if user.is_empty() { "" } else { "@" };
    let host = host.to_ascii_lowercase();
    let host = if default_port.is_empty() { &host } else { host.strip_suffix(default_port).unwrap_or(&host) };
    let path = if path.is_empty() { "/" } else { path };
    format!("{scheme}://{user}{at}{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Home(tempfile::TempDir);

    impl Home {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.0.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }

        fn read(&self, environment: &[(&str, &str)]) -> Result<CargoConfig, Error> {
            let environment = environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            CargoConfig::read(&self.0.path().join("a/b"), &self.0.path().join("home"), &environment)
        }

        fn origin(&self) -> Result<Origin, Error> {
            self.read(&[]).unwrap().origin(&crates_io())
        }
    }

    fn crates_io() -> Registry {
        Registry { index: Registry::CRATES_IO.to_owned() }
    }

    fn folder(origin: &Origin) -> String {
        origin.folders[0].archives.file_name().unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn crates_io_is_read_through_the_sparse_protocol() {
        let origin = Home::new().origin().unwrap();
        assert_eq!(origin.index, IndexLocation::Sparse("https://index.crates.io/".to_owned()));
        // What cargo 1.85 and later, and what cargo before that, call the folder.
        assert_eq!(folder(&origin), "index.crates.io-1949cf8c6b5b557f");
        assert!(origin.folders[1].index.ends_with("registry/index/index.crates.io-6f17d22bba15001f/.cache"));
    }

    #[test]
    fn protocol_of_crates_io_can_be_git() {
        let home = Home::new();
        let config = home.read(&[("CARGO_REGISTRIES_CRATES_IO_PROTOCOL", "git")]).unwrap();
        let origin = config.origin(&crates_io()).unwrap();
        assert_eq!(origin.index, IndexLocation::Git(Registry::CRATES_IO.to_owned()));
        assert!(folder(&origin).starts_with("github.com-"));
        assert!(home.read(&[("CARGO_REGISTRIES_CRATES_IO_PROTOCOL", "ftp")]).is_err());
    }

    #[test]
    fn nearer_files_come_first_and_the_one_without_extension_hides_the_other() {
        let home = Home::new();
        home.write("home/config.toml", "[source.crates-io]\nreplace-with = 'far'\n[net]\noffline = true\n");
        home.write("a/.cargo/config.toml", "[source.crates-io]\nreplace-with = 'hidden'\n");
        home.write(
            "a/.cargo/config",
            "[source.crates-io]\nreplace-with = 'near'\n[source.near]\nregistry = 'sparse+https://near.example/i/'\n",
        );
        assert_eq!(home.origin().unwrap().index, IndexLocation::Sparse("https://near.example/i/".to_owned()));
        assert!(home.read(&[]).unwrap().is_offline());
        assert!(!home.read(&[("CARGO_NET_OFFLINE", "false")]).unwrap().is_offline());
    }

    #[test]
    fn replacement_is_followed_to_a_directory_relative_to_its_file() {
        let home = Home::new();
        home.write(
            "a/.cargo/config.toml",
            "[source.crates-io]\nreplace-with = 'one'\n[source.one]\nregistry = 'https://x.example/'\n\
             replace-with = 'two'\n[source.two]\ndirectory = 'vendor'\n",
        );
        let expected = IndexLocation::Directory(home.0.path().join("a/vendor"));
        assert_eq!(home.origin().unwrap(), Origin { index: expected, folders: Vec::new() });
    }

    #[test]
    fn replacement_may_name_a_registry() {
        let home = Home::new();
        home.write(
            "home/config.toml",
            "[source.crates-io]\nreplace-with = 'mirror'\n[registries.mirror]\nindex = 'sparse+https://m.example/x/'\n",
        );
        assert_eq!(home.origin().unwrap().index, IndexLocation::Sparse("https://m.example/x/".to_owned()));
        let config = home.read(&[("CARGO_REGISTRIES_MIRROR_INDEX", "sparse+http://127.0.0.1:8080/")]).unwrap();
        let origin = config.origin(&crates_io()).unwrap();
        assert_eq!(origin.index, IndexLocation::Sparse("http://127.0.0.1:8080/".to_owned()));
        assert!(folder(&origin).starts_with("127.0.0.1-"));
    }

    #[test]
    fn circles_and_missing_sources_are_errors() {
        let home = Home::new();
        home.write(
            "home/config.toml",
            "[source.crates-io]\nreplace-with = 'a'\n[source.a]\nreplace-with = 'crates-io'\n",
        );
        assert!(matches!(home.origin(), Err(Error::Cycle { .. })));
        home.write(
            "home/config.toml",
            "[source.crates-io]\nreplace-with = 'a'\n[source.a]\nreplace-with = 'b'\n[source.b]\nreplace-with = 'a'\n",
        );
        assert!(matches!(home.origin(), Err(Error::Cycle { .. })));
        home.write("home/config.toml", "[source.crates-io]\nreplace-with = 'nowhere'\n");
        let message = home.origin().unwrap_err().to_string();
        assert!(message.starts_with("source `nowhere` is not configured, but `"), "{message}");
        home.write("home/config.toml", "[source.crates-io]\nreplace-with = 'x'\n[source.x]\n");
        assert!(matches!(home.origin(), Err(Error::NotOnePlace { .. })));
        home.write(
            "home/config.toml",
            "[source.crates-io]\nreplace-with = 'x'\n[source.x]\ngit = 'https://g.example/'\n",
        );
        assert!(matches!(home.origin(), Err(Error::GitSource { .. })));
    }

    #[test]
    fn broken_files_are_named() {
        let home = Home::new();
        home.write("a/.cargo/config.toml", "[source\n");
        let error = home.read(&[]).unwrap_err();
        assert!(error.to_string().contains("config.toml` is malformed"), "{error}");
        home.write("a/.cargo/config.toml", "[source.crates-io]\nreplace-with = 5\n");
        assert!(matches!(home.read(&[]), Err(Error::Malformed { .. })));
        std::fs::write(home.0.path().join("a/.cargo/config.toml"), b"\xff\xfe").unwrap();
        assert!(matches!(home.read(&[]), Err(Error::Unreadable { .. })));
    }

    #[test]
    fn included_files_are_overridden_by_what_includes_them() {
        let home = Home::new();
        home.write(
            "home/config.toml",
            "include = ['one.toml', { path = 'absent.toml', optional = true }]\n[registries.a]\nindex = 'sparse+https://a/'\n",
        );
        home.write(
            "home/one.toml",
            "include = 'config.toml'\n[registries.a]\nindex = 'sparse+https://b/'\n[registries.c]\nindex = 'sparse+https://c/'\n",
        );
        let config = home.read(&[]).unwrap();
        assert_eq!(config.registry("a").unwrap().index, "sparse+https://a/");
        assert_eq!(config.registry("c").unwrap().index, "sparse+https://c/");
        home.write("home/one.toml", "include = ['absent.toml']\n");
        assert!(matches!(home.read(&[]), Err(Error::Unreadable { .. })));
    }

    #[test]
    fn other_registries_are_replaced_by_the_source_that_names_their_index() {
        let home = Home::new();
        home.write(
            "home/config.toml",
            "[source.ours]\nregistry = 'sparse+https://ours.example/index/'\nreplace-with = 'copy'\n\
             [source.copy]\nlocal-registry = '/srv/copy'\n",
        );
        let registry = Registry { index: "sparse+https://ours.example/index/".to_owned() };
        let origin = home.read(&[]).unwrap().origin(&registry).unwrap();
        assert_eq!(origin.index, IndexLocation::Local(PathBuf::from("/srv/copy")));
        assert_eq!(origin.folders[0].index, Path::new("/srv/copy/index"));
        let bad = Registry { index: "sparse+ftp://x/".to_owned() };
        assert!(matches!(home.read(&[]).unwrap().origin(&bad), Err(Error::BadUrl { .. })));
    }
}
