//! The variables for building and packaging: those of the run without its credentials.
//!
//! A build script runs whatever a dependency says, so nothing that could publish may be in its reach. What is left out is
//! chosen by name, since no list can say which variables a build needs.

use std::collections::BTreeMap;

/// A variable with one of these words in its name holds a credential, or a way to get one.
const WORDS: &[&str] = &[
    "TOKEN",
    "TOKENS",
    "SECRET",
    "SECRETS",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "CREDENTIAL",
    "CREDENTIALS",
    "APIKEY",
    "PAT",
    "JWT",
];
/// Pairs of words that say the same.
const PAIRS: &[(&str, &str)] =
    &[("API", "KEY"), ("ACCESS", "KEY"), ("PRIVATE", "KEY"), ("SECRET", "KEY"), ("SIGNING", "KEY"), ("AUTH", "KEY")];
/// Ways to a credential whose names do not say so.
const WAYS: &[&str] = &["SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSH_ASKPASS", "GIT_ASKPASS", "GPG_AGENT_INFO"];

/// The variables of the run without its credentials.
///
/// A registry that wants a login for reading cannot be read with them: `cargo fetch` comes first.
pub fn clean_environment(variables: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    variables
        .iter()
        .filter(|(name, _)| !holds_credential(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Whether a variable holds a credential, by its name.
fn holds_credential(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let words: Vec<&str> = name.split('_').collect();
    WAYS.contains(&name.as_str())
        || words.iter().any(|word| WORDS.contains(word))
        || words.windows(2).any(|pair| PAIRS.contains(&(pair[0], pair[1])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_left_out_and_builds_keep_the_rest() {
        for name in [
            "CARGO_REGISTRY_TOKEN",
            "CARGO_REGISTRIES_MY_REG_TOKEN",
            "CARGO_REGISTRIES_X_SECRET_KEY",
            "CARGO_REGISTRIES_X_CREDENTIAL_PROVIDER",
            "CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS",
            "CARGO_REGISTRY_CREDENTIAL_PROVIDER",
            "CARGO_REGISTRY_SECRET_KEY",
            "CARGO_CREDENTIAL_ALIAS_X",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            "aws_secret_access_key",
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "GITHUB_TOKEN",
            "CRATES_IO_ID_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "npm_token",
            "SSH_AUTH_SOCK",
        ] {
            assert!(holds_credential(name), "{name}");
        }
        for name in [
            "PATH",
            "HOME",
            "CARGO_HOME",
            "RUSTFLAGS",
            "OPENSSL_DIR",
            "CARGO_REGISTRIES_X_INDEX",
            "PATHEXT",
            "RUSTUP_TOOLCHAIN",
            "CARGO_NET_OFFLINE",
            "HTTPS_PROXY",
            "CARGO_REGISTRIES_CRATES_IO_PROTOCOL",
        ] {
            assert!(!holds_credential(name), "{name}");
        }
    }
}
