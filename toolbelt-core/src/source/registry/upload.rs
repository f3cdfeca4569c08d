//! Uploads a prepared `.crate`: the body that cargo would send, with the bytes that were approved.

use std::io::Read as _;
use std::time::Duration;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::super::crate_archive::{self, Walk};
use super::super::http::{self, Http};
use super::api::Api;
use super::metadata::{self, Metadata};
use super::token::Token;
use crate::subject::digest::Sha256Digest;
use crate::subject::package::Registry;

/// Largest `.crate` that is uploaded; crates.io allows 10 MiB, and more on request.
const MAX_CRATE: usize = 64 << 20;
/// Largest manifest, and largest readme, that is read from a `.crate`.
const MAX_TEXT: u64 = 16 << 20;
/// Largest answer that is read.
const MAX_ANSWER: u64 = 1 << 20;
/// How much of what a registry says is kept: so many sentences, of so many characters.
const MAX_SENTENCES: usize = 20;
const MAX_SENTENCE: usize = 2000;

/// How long sending and answer may take together: ten megabytes over a slow line.
pub const LIMIT: Duration = Duration::from_mins(5);

/// A `.crate` that is ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    name: String,
    version: String,
    digest: Sha256Digest,
    body: Vec<u8>,
}

/// Why a `.crate` cannot be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is larger than any registry takes.
    #[error("the `.crate` is larger than {MAX_CRATE} bytes")]
    TooLarge,
    /// It is not the archive that it should be.
    #[error("the `.crate` cannot be read: {0}")]
    Broken(String),
    /// It lacks a file that it says it has.
    #[error("the `.crate` has no file `{0}`")]
    Missing(String),
    /// A text in it is not one.
    #[error("`{0}` in the `.crate` is not UTF-8, or larger than {MAX_TEXT} bytes")]
    NotText(String),
    /// Its manifest says that it is something else.
    #[error("the `.crate` says that it is `{found}`, not `{expected}`")]
    OtherPackage {
        /// Name and version by which it was handed over.
        expected: String,
        /// Name and version in its manifest.
        found: String,
    },
    /// It is not what was approved.
    #[error("the `.crate` has the digest {found}, and {approved} was approved")]
    NotApproved {
        /// What was approved.
        approved: Sha256Digest,
        /// What the bytes are.
        found: Sha256Digest,
    },
    /// Its manifest cannot be published from.
    #[error(transparent)]
    Metadata(#[from] metadata::Error),
}

/// What a registry said to an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is taken; the index may still lag behind.
    Accepted {
        /// What the registry remarks, one sentence each.
        warnings: Vec<String>,
    },
    /// The registry says that it has this version: whether it is the same bytes, the index says.
    AlreadyThere {
        /// In the registry's words.
        detail: String,
    },
    /// Nothing was published, for a reason that another try does not change by itself.
    Refused {
        /// The status of the answer.
        status: u16,
        /// In the registry's words.
        detail: String,
    },
    /// The token is missing, wrong, expired or not good for this crate (401, 403).
    Denied {
        /// The status of the answer.
        status: u16,
        /// In the registry's words.
        detail: String,
    },
    /// The registry was not asked.
    NotSent {
        /// Why.
        reason: String,
    },
    /// Nobody knows whether it was published: ask the index.
    Unknown {
        /// Why.
        reason: String,
    },
}

impl Upload {
    /// Takes a prepared `.crate` of `name` and `version` whose bytes were approved.
    ///
    /// # Errors
    ///
    /// [`Error`], if these are other bytes, or not a package that can be published to `registry`.
    pub fn new(
        name: &str,
        version: &str,
        archive: &[u8],
        approved: Sha256Digest,
        registry: &Registry,
    ) -> Result<Self, Error> {
        let found = Sha256Digest::new(Sha256::digest(archive).into());
        if found != approved {
            return Err(Error::NotApproved { approved, found });
        }
        if archive.len() > MAX_CRATE {
            return Err(Error::TooLarge);
        }
        let metadata = read_metadata(name, version, archive, registry)?;
        let body = body(&metadata, archive)?;
        Ok(Self { name: name.to_owned(), version: version.to_owned(), digest: found, body })
    }

    /// The package's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The package's version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The digest of the `.crate`.
    pub fn digest(&self) -> Sha256Digest {
        self.digest
    }

    /// The body of the request: the length of the JSON (four bytes, little-endian), the JSON, the length of the `.crate`,
    /// the `.crate`.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Sends it, once; `limit` is for sending and answer together.
    ///
    /// The token goes to the registry's own API alone, which the [`Api`] has made sure of, and no redirect is followed.
    pub fn send(&self, http: &Http, api: &Api, token: &Token, limit: Duration) -> Answer {
        match http.put(&api.publish_url(), token, &self.body, MAX_ANSWER, limit) {
            Ok(reply) => Answer::read(reply.status, &reply.bytes),
            Err(error @ (http::Error::Offline | http::Error::Insecure(_) | http::Error::Settings(_))) => {
                Answer::NotSent { reason: error.to_string() }
            }
            Err(error) => Answer::Unknown { reason: error.to_string() },
        }
    }
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Upload({} {}, {:?})", self.name, self.version, self.digest)
    }
}

fn body(metadata: &Metadata, archive: &[u8]) -> Result<Vec<u8>, Error> {
    let json = serde_json::to_vec(metadata).map_err(|error| Error::Broken(error.to_string()))?;
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).map(u32::to_le_bytes).map_err(|_| Error::TooLarge);
    let mut body = Vec::with_capacity(json.len() + archive.len() + 8);
    body.extend(length(&json)?);
    body.extend(&json);
    body.extend(length(archive)?);
    body.extend(archive);
    Ok(body)
}

fn read_metadata(name: &str, version: &str, archive: &[u8], registry: &Registry) -> Result<Metadata, Error> {
    let root = format!("{name}-{version}");
    let manifest = read_text(archive, &root, "Cargo.toml")?;
    let mut metadata = Metadata::from_manifest(&manifest, registry)?;
    if (metadata.name.as_str(), metadata.vers.as_str()) != (name, version) {
        return Err(Error::OtherPackage {
            expected: format!("{name} {version}"),
            found: format!("{} {}", metadata.name, metadata.vers),
        });
    }
    if let Some(path) = &metadata.readme_file {
        metadata.readme = Some(read_text(archive, &root, path)?);
    }
    Ok(metadata)
}

fn read_text(archive: &[u8], root: &str, path: &str) -> Result<String, Error> {
    let wanted = format!("{root}/{path}");
    let mut found = None;
    let mut count = 0;
    crate_archive::walk(archive, archive.len() as u64, |entry, kind, content| {
        if entry == wanted && kind.is_file() {
            count += 1;
            let mut bytes = Vec::new();
            content.take(MAX_TEXT + 1).read_to_end(&mut bytes)?;
            found = Some(bytes);
        }
        Ok(Walk::On)
    })
    .map_err(|error| Error::Broken(error.to_string()))?;
    // Two files of one path: what a registry shows would depend on which one it takes.
    if count > 1 {
        return Err(Error::Broken(format!("it has `{path}` more than once")));
    }
    let bytes = found.ok_or_else(|| Error::Missing(path.to_owned()))?;
    if bytes.len() as u64 > MAX_TEXT {
        return Err(Error::NotText(path.to_owned()));
    }
    String::from_utf8(bytes).map_err(|_| Error::NotText(path.to_owned()))
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<Detail>,
}

#[derive(Deserialize)]
struct Detail {
    detail: String,
}

#[derive(Default, Deserialize)]
struct Accepted {
    #[serde(default)]
    warnings: Option<Warnings>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Warnings {
    invalid_categories: Vec<String>,
    invalid_badges: Vec<String>,
    other: Vec<String>,
}

impl Answer {
    /// Makes something of an answer's status and body. Registries answer with `errors` under whatever status, even 200.
    pub fn read(status: u16, bytes: &[u8]) -> Self {
        let errors = serde_json::from_slice::<Errors>(bytes).ok();
        let is_success = (200..300).contains(&status);
        if let Some(errors) = errors {
            let detail = sentences(errors.errors.into_iter().map(|error| error.detail)).join("; ");
            return refusal(status, detail);
        }
        if !is_success {
            return refusal(status, format!("status {status} without an explanation"));
        }
        let accepted = if bytes.is_empty() { Ok(Accepted::default()) } else { serde_json::from_slice(bytes) };
        match accepted {
            Ok(accepted) => Self::Accepted { warnings: accepted.warnings.unwrap_or_default().sentences() },
            Err(_) => Self::Unknown { reason: "the registry's answer is not what the API says".to_owned() },
        }
    }
}

fn refusal(status: u16, detail: String) -> Answer {
    // The words of crates.io and of cargo; the index has the last word, whatever the registry says.
    if ["already uploaded", "already exists", "already published"].iter().any(|words| detail.contains(words)) {
        return Answer::AlreadyThere { detail };
    }
    match status {
        401 | 403 => Answer::Denied { status, detail },
        // A gateway may have given up on a registry that goes on.
        408 | 500.. => Answer::Unknown { reason: format!("status {status}: {detail}") },
        _ => Answer::Refused { status, detail },
    }
}

impl Warnings {
    fn sentences(self) -> Vec<String> {
        let categories =
            self.invalid_categories.iter().map(|slug| format!("`{slug}` is not a category and was ignored"));
        let badges = self.invalid_badges.iter().map(|badge| format!("`{badge}` is not a badge and was ignored"));
        sentences(categories.chain(badges).chain(self.other))
    }
}

/// What a stranger says, shortened.
fn sentences(said: impl Iterator<Item = String>) -> Vec<String> {
    said.take(MAX_SENTENCES).map(|sentence| sentence.chars().take(MAX_SENTENCE).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_cargo_reads_them() {
        let error = |detail: &str| format!(r#"{{"errors":[{{"detail":"{detail}"}}]}}"#);
        let accepted =
            |warnings: &[&str]| Answer::Accepted { warnings: warnings.iter().map(|w| (*w).into()).collect() };
        assert_eq!(Answer::read(200, b""), accepted(&[]));
        assert_eq!(Answer::read(200, b"{}"), accepted(&[]));
        assert_eq!(Answer::read(200, br#"{"warnings":null}"#), accepted(&[]));
        assert_eq!(
            Answer::read(200, br#"{"warnings":{"invalid_categories":["x"],"other":["mind"]}}"#),
            accepted(&["`x` is not a category and was ignored", "mind"])
        );
        assert_eq!(
            Answer::read(200, error("no licence").as_bytes()),
            Answer::Refused { status: 200, detail: "no licence".to_owned() }
        );
        for status in [200, 400, 409] {
            let answer = Answer::read(status, error("crate version `1.0.0` is already uploaded").as_bytes());
            assert!(matches!(answer, Answer::AlreadyThere { .. }), "{status}");
        }
        assert!(matches!(Answer::read(403, error("no").as_bytes()), Answer::Denied { status: 403, .. }));
        assert!(matches!(Answer::read(401, b"<html>"), Answer::Denied { status: 401, .. }));
        for (status, bytes) in [(200, &b"<html>"[..]), (500, b""), (503, b"{}"), (408, b""), (200, b"[1]")] {
            assert!(matches!(Answer::read(status, bytes), Answer::Unknown { .. }), "{status}");
        }
        assert!(matches!(Answer::read(307, b""), Answer::Refused { status: 307, .. }));
    }

    #[test]
    fn what_a_registry_says_is_shortened() {
        let many = format!(r#"{{"warnings":{{"other":[{}"{}"]}}}}"#, "\"a\",".repeat(100), "x".repeat(9000));
        let Answer::Accepted { warnings } = Answer::read(200, many.as_bytes()) else { panic!() };
        assert_eq!(warnings.len(), MAX_SENTENCES);
        let one = format!(r#"{{"errors":[{{"detail":"{}"}}]}}"#, "x".repeat(9000));
        assert!(
            matches!(Answer::read(400, one.as_bytes()), Answer::Refused { detail, .. } if detail.len() == MAX_SENTENCE)
        );
    }
}
