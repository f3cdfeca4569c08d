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

/// A client that goes the way cargo goes, or none when offline.
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
    let settings = settings(environment, config, registries)?;
    Http::new(&settings).map_err(|error| Unknown::new(error.to_string()))
}

/// The user's proxy and certificate authorities, and no encryption only where cargo's configuration of one of
/// `registries` says so.
///
/// The user's: those that a repository brings along (`.cargo/config.toml`) could put somebody between us and the
/// advisories about that very repository.
fn settings<'a>(
    environment: &Environment,
    config: &CargoConfig,
    registries: impl Iterator<Item = &'a Registry>,
) -> Result<Settings, Unknown> {
    let home = environment.cargo_home.as_deref().unwrap_or(Path::new(""));
    let user = CargoConfig::read(home, home, &environment.variables);
    let user = user.map_err(|error| Unknown::new(super::causes(&error)))?;
    let of_cargo = user.proxy().map(|url| (url.to_owned(), http::no_proxy(&environment.variables)));
    let plain_host = |registry: &Registry| match config.origin(registry).ok()?.index {
        IndexLocation::Sparse(url) => http::plain_host(&url).map(str::to_owned),
        IndexLocation::Git(_) | IndexLocation::Local(_) | IndexLocation::Directory(_) => None,
    };
    Ok(Settings {
        proxy: of_cargo.or_else(|| http::proxy_of(&environment.variables)),
        certificates: user.certificates().map(Path::to_owned),
        plain_hosts: registries.filter_map(plain_host).collect(),
        ..Settings::default()
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_repository_does_not_choose_the_proxy_and_its_user_does() {
        let folder = tempfile::tempdir().unwrap();
        let (repository, home) = (folder.path().join("repository"), folder.path().join("home"));
        for (path, port) in [(repository.join(".cargo"), 1), (home.clone(), 2)] {
            fs::create_dir_all(&path).unwrap();
            fs::write(path.join("config.toml"), format!("[http]\nproxy = \"http://127.0.0.1:{port}\"\n")).unwrap();
        }
        let environment = Environment {
            tool: String::new(),
            now: jiff::Timestamp::UNIX_EPOCH,
            directory: repository,
            cache: None,
            cargo_home: Some(home.clone()),
            variables: std::collections::BTreeMap::new(),
            host: String::new(),
        };
        let proxy = || {
            let config = cargo_config(&environment).unwrap();
            settings(&environment, &config, std::iter::empty()).unwrap().proxy.map(|(url, _)| url)
        };
        assert_eq!(proxy().as_deref(), Some("http://127.0.0.1:2"));
        fs::remove_file(home.join("config.toml")).unwrap();
        assert_eq!(proxy(), None);
    }
}
