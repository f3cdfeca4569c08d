//! Which credentials of registries are in reach of a run: where they are and how long they live.

use std::collections::BTreeMap;

use super::super::cargo_config::{CargoConfig, Configured, TokenPlace};
use super::super::file;
use super::token::from_toml;
use crate::subject::credential::{Credential, Credentials, Lifetime};
use crate::subject::package::Registry;

/// Largest file that is read for a token.
const MAX_FILE: u64 = 1 << 20;
/// How crates.io begins the tokens that trusted publishing hands out for half an hour
/// ([trusted publishing](https://crates.io/docs/trusted-publishing)).
const SHORT_LIVED: &str = "cio_tp_";

/// Gathers what is in reach. `build` are the variables that build scripts run with.
///
/// A file is in their reach, too, whatever the variables: they run as its owner. So is a credential provider, as far as it
/// answers without asking its user.
pub fn credentials(
    config: &CargoConfig,
    registry: &Registry,
    variables: &BTreeMap<String, String>,
    build: &BTreeMap<String, String>,
) -> Credentials {
    let mut found =
        Credentials { trusted_publishing: trusted_publishing(registry, variables), ..Credentials::default() };
    for configured in config.credential_places(variables) {
        let (place, lifetime, in_variable) = match &configured {
            Configured::Token { registry, place } => {
                let lifetime = if registry == "crates-io" { lifetime(place, variables) } else { Lifetime::Unknown };
                (place.to_string(), lifetime, variable(place))
            }
            // It signs as many tokens as its finder likes.
            Configured::SecretKey(place) => (place.to_string(), Lifetime::LongLived, variable(place)),
            Configured::Provider(provider) => {
                (format!("credential provider `{}`", provider.program), Lifetime::Unknown, None)
            }
        };
        if in_variable.is_none_or(|name| build.contains_key(name)) {
            found.reachable_by_build_scripts.push(place.clone());
        }
        found.present.push(Credential { place, lifetime });
    }
    found.present.sort();
    found.present.dedup();
    found.reachable_by_build_scripts.sort();
    found.reachable_by_build_scripts.dedup();
    found
}

fn variable(place: &TokenPlace) -> Option<&str> {
    match place {
        TokenPlace::Variable(name) => Some(name),
        TokenPlace::File { .. } => None,
    }
}

/// How long a token of crates.io lives.
fn lifetime(place: &TokenPlace, variables: &BTreeMap<String, String>) -> Lifetime {
    let token = match place {
        TokenPlace::Variable(name) => variables.get(name).cloned(),
        TokenPlace::File { path, key } => file::read_text(path, MAX_FILE).ok().and_then(|text| from_toml(&text, key)),
    };
    match token {
        Some(token) if token.starts_with(SHORT_LIVED) => Lifetime::ShortLived,
        // The others are made by hand, and expire after months or never.
        Some(_) => Lifetime::LongLived,
        None => Lifetime::Unknown,
    }
}

/// The service that would prove to crates.io which workflow this run is.
fn trusted_publishing(registry: &Registry, variables: &BTreeMap<String, String>) -> Option<String> {
    let is_set = |name: &str| variables.get(name).is_some_and(|value| !value.is_empty());
    if !registry.is_crates_io() {
        return None;
    }
    if is_set("ACTIONS_ID_TOKEN_REQUEST_URL") && is_set("ACTIONS_ID_TOKEN_REQUEST_TOKEN") {
        return Some("GitHub Actions".to_owned());
    }
    // A job names its own variable for it (`id_tokens` in `.gitlab-ci.yml`).
    let has_id_token = variables.keys().any(|name| name.ends_with("_ID_TOKEN"));
    (is_set("GITLAB_CI") && has_id_token).then(|| "GitLab CI/CD".to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::clean_environment::clean_environment;
    use super::*;

    fn look(pairs: &[(&str, &str)], files: &[(&str, &str)]) -> Credentials {
        let home = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(home.path().join(name), text).unwrap();
        }
        let variables = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let config = CargoConfig::read(Path::new("/"), home.path(), &variables).unwrap();
        let registry = Registry::new(Registry::CRATES_IO);
        credentials(&config, &registry, &variables, &clean_environment(&variables))
    }

    fn lifetimes(credentials: &Credentials) -> Vec<Lifetime> {
        credentials.present.iter().map(|credential| credential.lifetime).collect()
    }

    #[test]
    fn tokens_of_crates_io_say_how_long_they_live() {
        let hand_made = look(&[("CARGO_REGISTRY_TOKEN", "cioAbC")], &[]);
        assert_eq!(hand_made.present[0].place, "variable `CARGO_REGISTRY_TOKEN`");
        assert_eq!(lifetimes(&hand_made), [Lifetime::LongLived]);
        assert_eq!(hand_made.reachable_by_build_scripts, [""; 0]);
        let exchanged = look(&[("CARGO_REGISTRY_TOKEN", "cio_tp_AbC")], &[]);
        assert_eq!(lifetimes(&exchanged), [Lifetime::ShortLived]);
        let other = look(&[("CARGO_REGISTRIES_X_TOKEN", "cio_tp_AbC")], &[]);
        assert_eq!(lifetimes(&other), [Lifetime::Unknown]);
        assert_eq!(lifetimes(&look(&[], &[])), []);
    }

    #[test]
    fn files_and_programs_are_in_reach_of_build_scripts() {
        let files = [
            ("credentials.toml", "[registry]\ntoken = 'cioAbC'"),
            ("config.toml", "[registry]\nglobal-credential-providers = ['cargo:token', 'cargo-credential-x']"),
        ];
        let found = look(&[], &files);
        assert_eq!(lifetimes(&found), [Lifetime::Unknown, Lifetime::LongLived]);
        assert_eq!(found.reachable_by_build_scripts.len(), 2);
        assert!(found.present[1].place.ends_with("credentials.toml`, `registry.token`"), "{found:?}");
        assert!(!format!("{found:?}").contains("cioAbC"));
    }

    #[test]
    fn trusted_publishing_is_what_the_service_offers_this_job() {
        let url = ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x.example/");
        let offered = look(&[url, ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "x")], &[]);
        assert_eq!(offered.trusted_publishing.as_deref(), Some("GitHub Actions"));
        assert_eq!(look(&[url], &[]).trusted_publishing, None);
        let gitlab = look(&[("GITLAB_CI", "true"), ("CRATES_IO_ID_TOKEN", "x")], &[]);
        assert_eq!(gitlab.trusted_publishing.as_deref(), Some("GitLab CI/CD"));
        assert_eq!(look(&[("GITLAB_CI", "true")], &[]).trusted_publishing, None);
    }
}
