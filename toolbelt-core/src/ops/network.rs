//! The way to the network that a command may take.

use std::path::Path;

use super::Environment;
use crate::finding::Unknown;
use crate::source::cargo_config::{self, CargoConfig, IndexLocation};
use crate::source::http::{self, Http, Settings};
use crate::subject::package::Registry;

/// Cargo's configuration, as it holds in the working directory. Without a home nothing of cargo's own is found.
pub(super) fn cargo_config(environment: &Environment) -> Result<CargoConfig, cargo_config::Error> {
    let home = environment.cargo_home.as_deref().unwrap_or(Path::new(""));
    CargoConfig::read(&environment.directory, home, &environment.variables)
}

/// A client that goes the way cargo goes: its proxy, its certificate authorities, and without encryption only where the
/// user's own configuration of one of `registries` says so.
///
/// # Errors
///
/// Why the client cannot be made: a proxy or certificates that cannot be used.
pub(super) fn http<'a>(
    environment: &Environment,
    config: &CargoConfig,
    offline: bool,
    registries: impl Iterator<Item = &'a Registry>,
) -> Result<Http, Unknown> {
    if offline || config.is_offline() {
        return Ok(Http::offline());
    }
    let of_cargo = config.proxy().map(|url| (url.to_owned(), http::no_proxy(&environment.variables)));
    let plain_host = |registry: &Registry| match config.origin(registry).ok()?.index {
        IndexLocation::Sparse(url) => http::plain_host(&url).map(str::to_owned),
        IndexLocation::Git(_) | IndexLocation::Local(_) | IndexLocation::Directory(_) => None,
    };
    let settings = Settings {
        proxy: of_cargo.or_else(|| http::proxy_of(&environment.variables)),
        certificates: config.certificates().map(Path::to_owned),
        plain_hosts: registries.filter_map(plain_host).collect(),
        ..Settings::default()
    };
    Http::new(&settings).map_err(|error| Unknown::new(error.to_string()))
}
