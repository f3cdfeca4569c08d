//! The token to publish with, from where cargo would take it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use super::super::cargo_config::{CargoConfig, Login, TokenPlace};
use super::super::file;
use super::api::Target;
use super::provider::{self, Publish, Told};

/// Longest token that is taken.
const MAX_TOKEN: usize = 64 << 10;
/// Largest file that is read for a token.
const MAX_FILE: u64 = 1 << 20;

/// A token. It is never written anywhere but into a request.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Where there is a token to publish with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Here.
    Token {
        /// The token.
        token: Token,
        /// Where it was, for people: "variable `CARGO_REGISTRY_TOKEN`".
        place: String,
    },
    /// In a place that only cargo itself can ask, so that cargo has to upload.
    ThroughCargo {
        /// Which place, for people.
        reason: String,
    },
    /// Nowhere.
    Nowhere,
}

/// Why nobody knows whether there is a token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that should hold one cannot be read.
    #[error(transparent)]
    File(#[from] file::Error),
    /// A file that should hold one does not, or is not TOML. The file is not quoted.
    #[error("{0} holds no token")]
    Malformed(String),
    /// A token that no request can carry.
    #[error("{0} is empty, longer than {MAX_TOKEN} bytes, or has characters that no request can carry")]
    NotAToken(String),
    /// A program that should tell it failed.
    #[error(transparent)]
    Provider(#[from] provider::Error),
}

impl Token {
    /// Takes a token that a request can carry: printable ASCII and tabs, as in cargo.
    pub fn new(token: &str) -> Option<Self> {
        let is_sendable = |byte: u8| matches!(byte, b' '..=b'~' | b'\t');
        let is_token = !token.trim().is_empty() && token.len() <= MAX_TOKEN && token.bytes().all(is_sendable);
        is_token.then(|| Self(token.to_owned()))
    }

    /// The token itself.
    pub(in crate::source) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// What is needed to find a token.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// Cargo's configuration.
    pub config: &'a CargoConfig,
    /// The variables of the run.
    pub variables: &'a BTreeMap<String, String>,
    /// The working directory, where credential programs run.
    pub directory: &'a Path,
    /// Where the token is for.
    pub target: &'a Target,
    /// How long a credential program may take; it may ask its user.
    pub limit: Duration,
}

/// Finds the token to publish this package with; providers are asked in cargo's order.
///
/// # Errors
///
/// [`Error`], if a place that should hold one does not, or a program fails: cargo stops there, too.
pub fn find(search: &Search<'_>, publish: &Publish<'_>) -> Result<Found, Error> {
    let login = search.config.login(&search.target.name, search.variables);
    for provider in &login.providers {
        let found = match provider.program.as_str() {
            "cargo:token" => from_place(&login, search)?,
            "cargo:token-from-stdout" => {
                let told = provider::from_stdout(search, provider)?;
                Some(found(&told, &provider.arguments.join(" "))?)
            }
            // A keychain, or a key that only cargo signs with.
            built_in if provider.is_built_in() => {
                let reason = format!("credential provider `{built_in}` answers cargo alone");
                Some(Found::ThroughCargo { reason })
            }
            program => match provider::ask(search, provider, publish)? {
                Told::Token(token) => Some(found(&token, program)?),
                Told::Nothing => None,
            },
        };
        if let Some(found) = found {
            return Ok(found);
        }
    }
    Ok(Found::Nowhere)
}

fn found(token: &str, program: &str) -> Result<Found, Error> {
    let place = format!("credential provider `{program}`");
    let token = Token::new(token).ok_or_else(|| Error::NotAToken(format!("the token of {place}")))?;
    Ok(Found::Token { token, place })
}

fn from_place(login: &Login, search: &Search<'_>) -> Result<Option<Found>, Error> {
    let Some(place) = &login.token else { return Ok(None) };
    let name = place.to_string();
    let text = match place {
        TokenPlace::Variable(variable) => search.variables.get(variable).cloned().unwrap_or_default(),
        TokenPlace::File { path, key } => {
            let text = file::read_text(path, MAX_FILE)?;
            from_toml(&text, key).ok_or_else(|| Error::Malformed(name.clone()))?
        }
    };
    let token = Token::new(&text).ok_or_else(|| Error::NotAToken(name.clone()))?;
    Ok(Some(Found::Token { token, place: name }))
}

/// The string at a key.
pub(super) fn from_toml(text: &str, key: &[String]) -> Option<String> {
    let table: toml::Table = toml::from_str(text).ok()?;
    let mut value = toml::Value::Table(table);
    for part in key {
        value = value.as_table_mut()?.remove(part)?;
    }
    value.as_str().map(str::to_owned)
}

impl fmt::Display for TokenPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "variable `{name}`"),
            Self::File { path, key } => write!(f, "file `{}`, `{}`", path.display(), key.join(".")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_shows_itself_to_nobody() {
        let token = Token::new("sesame").unwrap();
        let found = Found::Token { token: token.clone(), place: "variable `X`".to_owned() };
        assert!(!format!("{token:?} {found:?}").contains("sesame"));
    }

    #[test]
    fn only_what_a_request_can_carry_is_a_token() {
        for bad in ["", " ", "a\nb", "a\r\nX: y", "é", &"a".repeat(MAX_TOKEN + 1)] {
            assert_eq!(Token::new(bad), None);
        }
        assert!(Token::new("Bearer a.b-c").is_some());
    }

    #[test]
    fn key_of_a_file_is_followed_through_its_tables() {
        let key = ["registries", "x", "token"].map(str::to_owned);
        assert_eq!(from_toml("[registries.x]\ntoken = 'a'", &key).as_deref(), Some("a"));
        assert_eq!(from_toml("[registries]\nx = 'a'", &key), None);
        assert_eq!(from_toml("[registries.x]\ntoken = 1", &key), None);
        assert_eq!(from_toml("x", &key), None);
    }
}
