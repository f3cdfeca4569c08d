//! Programs that tell tokens: cargo's
//! [credential provider protocol](https://doc.rust-lang.org/cargo/reference/credential-provider-protocol.html), version
//! 1, and commands that print a token.

use serde::{Deserialize, Serialize};

use super::super::cargo_config::Provider;
use super::token::Search;
use crate::source::program::{self, Program};
use crate::subject::digest::Sha256Digest;

/// The version of the protocol that is spoken.
pub(super) const VERSION: u32 = 1;
/// Most that is read of what a program writes.
const MAX_OUTPUT: u64 = 1 << 20;

/// What is about to be published, as providers are told it.
#[derive(Debug, Clone, Copy)]
pub struct Publish<'a> {
    /// The package's name.
    pub name: &'a str,
    /// The package's version.
    pub version: &'a str,
    /// The digest of the `.crate`.
    pub digest: Sha256Digest,
}

/// What a provider said.
#[derive(PartialEq, Eq)]
pub(super) enum Told {
    Token(String),
    /// It has none for this registry: the next one is asked.
    Nothing,
}

/// Why a provider said nothing of use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing came, or not in time.
    #[error(transparent)]
    Program(#[from] program::Error),
    /// It does not speak the protocol. What it wrote may hold a token, and is not quoted.
    #[error("credential provider `{0}` does not speak version {VERSION} of the protocol")]
    Protocol(String),
    /// It refused.
    #[error("credential provider `{program}` refused: {message}")]
    Refused {
        /// The program.
        program: String,
        /// In its words.
        message: String,
    },
    /// A command that prints a token failed, or printed something else.
    #[error("`{0}` failed, or printed something else than one line")]
    Command(String),
}

#[derive(Deserialize)]
struct Hello {
    v: Vec<u32>,
}

#[derive(Serialize)]
struct Request<'a> {
    v: u32,
    registry: RegistryInfo<'a>,
    kind: &'static str,
    operation: &'static str,
    name: &'a str,
    vers: &'a str,
    cksum: String,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    args: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct RegistryInfo<'a> {
    index_url: &'a str,
    name: &'a str,
}

#[derive(Deserialize)]
enum Response {
    Ok(Got),
    Err(Refusal),
}

#[derive(Deserialize)]
struct Got {
    kind: String,
    token: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    kind: String,
    #[serde(default)]
    message: Option<String>,
}

/// Asks a program that speaks the protocol.
pub(super) fn ask(search: &Search<'_>, provider: &Provider, publish: &Publish<'_>) -> Result<Told, Error> {
    let index_url = search.target.index_url();
    let request = Request {
        v: VERSION,
        registry: RegistryInfo { index_url: &index_url, name: &search.target.name },
        kind: "get",
        operation: "publish",
        name: publish.name,
        vers: publish.version,
        cksum: publish.digest.to_string(),
        args: &provider.arguments,
    };
    let protocol = || Error::Protocol(provider.program.clone());
    let request = serde_json::to_string(&request).map_err(|_| protocol())?;
    let arguments = ["--cargo-plugin".to_owned()];
    let [hello, answer] = program(search, &provider.program, &arguments).exchange(&request)?;
    read(&hello, &answer, provider)
}

fn read(hello: &str, answer: &str, provider: &Provider) -> Result<Told, Error> {
    let protocol = || Error::Protocol(provider.program.clone());
    let hello: Hello = serde_json::from_str(hello).map_err(|_| protocol())?;
    if !hello.v.contains(&VERSION) {
        return Err(protocol());
    }
    match serde_json::from_str(answer).map_err(|_| protocol())? {
        Response::Ok(Got { kind, token: Some(token) }) if kind == "get" => Ok(Told::Token(token)),
        Response::Ok(_) => Err(protocol()),
        Response::Err(refusal) => match refusal.kind.as_str() {
            "not-found" | "url-not-supported" => Ok(Told::Nothing),
            _ => {
                let message = refusal.message.unwrap_or(refusal.kind).chars().take(500).collect();
                Err(Error::Refused { program: provider.program.clone(), message })
            }
        },
    }
}

/// Runs a command that prints a token (`cargo:token-from-stdout COMMAND`).
pub(super) fn from_stdout(search: &Search<'_>, provider: &Provider) -> Result<String, Error> {
    let failed = || Error::Command(provider.arguments.first().cloned().unwrap_or_default());
    let (command, arguments) = provider.arguments.split_first().ok_or_else(failed)?;
    let index_url = search.target.index_url();
    let arguments: Vec<String> = arguments.iter().map(|one| one.replace("{index_url}", &index_url)).collect();
    let mut variables = search.variables.clone();
    variables.insert("CARGO_REGISTRY_INDEX_URL".to_owned(), index_url);
    variables.insert("CARGO_REGISTRY_NAME_OPT".to_owned(), search.target.name.clone());
    let output = Program { variables: &variables, ..program(search, command, &arguments) }.run()?;
    let text = String::from_utf8(output.stdout).map_err(|_| failed())?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if !output.status.success() || line.contains('\n') {
        return Err(failed());
    }
    Ok(line.to_owned())
}

/// A program that may ask its user something.
fn program<'a>(search: &Search<'a>, name: &'a str, arguments: &[String]) -> Program<'a> {
    let program = Program::new(name, search.directory, search.variables).arguments(arguments);
    Program { limit: search.limit, most: MAX_OUTPUT, is_interactive: true, ..program }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(answer: &str) -> Result<Told, Error> {
        let provider = Provider { program: "p".to_owned(), arguments: Vec::new() };
        read(r#"{"v":[1]}"#, answer, &provider)
    }

    #[test]
    fn answers_are_those_of_the_protocol() {
        let token = r#"{"Ok":{"kind":"get","token":"a","cache":"session","operation_independent":true}}"#;
        assert!(told(token).unwrap() == Told::Token("a".to_owned()));
        for nothing in [r#"{"Err":{"kind":"not-found"}}"#, r#"{"Err":{"kind":"url-not-supported"}}"#] {
            assert!(told(nothing).unwrap() == Told::Nothing);
        }
        let refused = told(r#"{"Err":{"kind":"other","message":"locked","caused-by":[]}}"#);
        assert!(matches!(refused, Err(Error::Refused { message, .. }) if message == "locked"));
        for bad in ["", "x", r#"{"Ok":{"kind":"login"}}"#, r#"{"Ok":{"kind":"get"}}"#] {
            assert!(matches!(told(bad), Err(Error::Protocol(_))), "{bad}");
        }
    }

    #[test]
    fn other_versions_are_refused() {
        let provider = Provider { program: "p".to_owned(), arguments: Vec::new() };
        for hello in ["", r#"{"v":[2]}"#, "{}"] {
            assert!(matches!(read(hello, "", &provider), Err(Error::Protocol(_))));
        }
    }
}
