//! The web API of a registry: where it is, and what may be sent to it.

use super::super::cargo_config::{self, CargoConfig, IndexLocation};
use super::super::http::{self, Answer, Http};
use super::super::index::{MAX_CONFIG, RegistryConfig};
use super::token::Token;
use crate::subject::package::Registry;

/// A registry as a place to publish to, before it is asked anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `crates-io`, or the name in `[registries]`.
    pub name: String,
    /// The registry, as lock files write it.
    pub registry: Registry,
    /// Its sparse index, with a `/` at the end.
    index: String,
}

/// A registry that said where its API is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    registry: Registry,
    index: String,
    config: RegistryConfig,
    /// Without a `/` at the end.
    base: String,
}

/// Why nothing can be published to a registry.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Configuration has no registry of this name.
    #[error("registry `{0}` is not configured")]
    NoSuchRegistry(String),
    /// Its index is not served by the sparse protocol.
    #[error("the index `{0}` is not sparse, and toolbelt publishes to sparse registries alone")]
    NotSparse(String),
    /// Cargo's configuration says of it what cannot be.
    #[error(transparent)]
    Config(#[from] cargo_config::Error),
    /// Its `config.json` cannot be had.
    #[error("the registry's `config.json` cannot be read")]
    Unreachable(#[from] http::Error),
    /// It has no API.
    #[error("the registry `{0}` has no web API")]
    NoApi(String),
}

impl Target {
    /// The registry that configuration calls `name`, reached without source replacement, as cargo publishes.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchRegistry`], [`Error::NotSparse`], or what configuration says wrong.
    pub fn find(config: &CargoConfig, name: &str) -> Result<Self, Error> {
        let registry = config.registry(name).ok_or_else(|| Error::NoSuchRegistry(name.to_owned()))?;
        // crates.io may be configured as any other.
        let registry = Registry::new(&registry.index);
        match config.publishing_origin(&registry)?.index {
            IndexLocation::Sparse(index) => Ok(Self { name: name.to_owned(), registry, index }),
            IndexLocation::Git(url) => Err(Error::NotSparse(url)),
            IndexLocation::Local(path) | IndexLocation::Directory(path) => {
                Err(Error::NotSparse(path.display().to_string()))
            }
        }
    }

    /// The index as credential providers are told it.
    pub fn index_url(&self) -> String {
        if self.registry.is_crates_io() { self.registry.index.clone() } else { format!("sparse+{}", self.index) }
    }
}

impl Api {
    /// Asks the registry where its API is. A registry that wants a login for reading is asked with the token.
    ///
    /// Whoever can change what the index says can say where tokens are sent, so an index is read with encryption or on
    /// the loopback.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`], [`Error::NoApi`].
    pub fn open(http: &Http, target: &Target, token: Option<&Token>) -> Result<Self, Error> {
        http::is_private(&target.index)?;
        let url = format!("{}config.json", target.index);
        let answer = match http.get_anew(&url, MAX_CONFIG, None) {
            Err(http::Error::Login(_)) if token.is_some() => http.get_anew(&url, MAX_CONFIG, token),
            answer => answer,
        };
        let config = match answer? {
            Answer::Content { bytes, .. } => RegistryConfig::parse_private(&bytes)?,
            Answer::NotFound | Answer::NotModified => return Err(http::Error::Status(404).into()),
        };
        let base = config.api().ok_or_else(|| Error::NoApi(target.name.clone()))?.trim_end_matches('/').to_owned();
        http::is_private(&base)?;
        Ok(Self { registry: target.registry.clone(), index: target.index.clone(), config, base })
    }

    /// The registry, as lock files write it.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The host that tokens and uploads are sent to: `https://crates.io`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Whether reading needs a token, too.
    pub fn is_auth_required(&self) -> bool {
        self.config.is_auth_required()
    }

    pub(super) fn publish_url(&self) -> String {
        format!("{}/api/v1/crates/new", self.base)
    }

    pub(super) fn entry_url(&self, path: &str) -> String {
        format!("{}{path}", self.index)
    }

    pub(super) fn download_url(&self, name: &str, version: &str, checksum: &str) -> String {
        self.config.download(name, version, checksum)
    }

    /// The token, if this place is to have it: the index or the API of a registry that wants one for everything.
    pub(super) fn token_for<'a>(&self, url: &str, token: Option<&'a Token>) -> Option<&'a Token> {
        let place = http::authority(url)?;
        let is_own = [&self.index, &self.base].into_iter().any(|own| http::authority(own).as_ref() == Some(&place));
        token.filter(|_| self.is_auth_required() && is_own)
    }
}
