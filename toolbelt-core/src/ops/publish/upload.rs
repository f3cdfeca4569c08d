//! Uploads what was judged, these very bytes, one release after the other, and reads each back.
//!
//! Whatever an answer to an upload says, the registry has the last word: a release is published once its index lists the
//! digest that was judged and its download has it. So a run that was interrupted can be run again: what is there and
//! identical is done.

use std::path::Path;
use std::thread;
use std::time::Duration;

use super::{Ground, Prepared, State};
use crate::ops::{Step, Watch, causes};
use crate::source::file;
use crate::source::registry::api::Api;
use crate::source::registry::provider::Publish;
use crate::source::registry::readback::{Comparison, Patience, Reader};
use crate::source::registry::through_cargo::{self, Outcome, Proof};
use crate::source::registry::token::{self, Found, Search, Token};
use crate::source::registry::upload::{self, Answer, Upload};

/// Largest `.crate` that is read.
const MAX_CRATE: u64 = 64 << 20;
/// How long a program that knows a token may take: somebody may have to unlock it.
const TOKEN_LIMIT: Duration = Duration::from_mins(2);

/// Why a release is not published, or not known to be; those after it were not tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// One line.
    pub reason: String,
    /// What the reader can do.
    pub hint: Option<String>,
    /// Whether the registry has something else than what was judged.
    pub is_alarm: bool,
    /// Whether the upload was accepted all the same.
    pub is_accepted: bool,
}

impl Failure {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: None, is_alarm: false, is_accepted: false }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn alarm(reason: impl Into<String>) -> Self {
        let hint = "yank the version, and find out who published it: `cargo owner --list` names who can";
        Self { is_alarm: true, ..Self::new(reason).hint(hint) }
    }
}

/// What came of an upload, before anything was read back.
struct Sent {
    /// What the registry remarks on.
    warnings: Vec<String>,
    /// What stands for cargo's upload being of these bytes, where cargo uploaded.
    by_cargo: Option<Proof>,
    /// What was said instead of yes; none if the upload was accepted.
    unclear: Option<String>,
}

/// Publishes in this order; stops at the first that fails.
pub(super) fn all(ground: &Ground<'_>, prepared: &mut [Prepared], watch: Watch<'_>) {
    let total = prepared.len();
    for (done, release) in prepared.iter_mut().enumerate() {
        watch(Step { what: "uploads", done, total });
        match one(ground, release) {
            Ok(state) => release.state = state,
            Err(failure) => {
                release.state = State::Failed(failure);
                break;
            }
        }
    }
}

fn one(ground: &Ground<'_>, release: &Prepared) -> Result<State, Failure> {
    let version = release.version.to_string();
    let publish = Publish { name: &release.name, version: &version, digest: release.digest };
    let found = find_token(ground, &publish)?;
    let token = match &found {
        Found::Token { token, .. } => Some(token),
        Found::ThroughCargo { .. } | Found::Nowhere => None,
    };
    let api = Api::open(&ground.http, &ground.target, token).map_err(|error| Failure::new(causes(&error)))?;
    let reader = Reader { http: &ground.http, api: &api, token };
    match reader.compare(&release.name, &release.version, release.digest) {
        Comparison::Identical { .. } => return Ok(State::AlreadyThere),
        Comparison::Absent => {}
        other => return Err(not_there(&other)),
    }
    let sent = match &found {
        Found::Token { token, .. } => send(ground, &api, token, release)?,
        Found::ThroughCargo { .. } => ask_cargo(ground, &api, &publish)?,
        Found::Nowhere => {
            let hint = format!("cargo login --registry {}", ground.target.name);
            return Err(Failure::new("there is no token to publish with").hint(hint));
        }
    };
    let patience = Patience { total: ground.request.index_wait, ..Patience::default() };
    match reader.wait(&release.name, &release.version, release.digest, patience, &mut thread::sleep) {
        Comparison::Identical { .. } => Ok(State::Published { warnings: sent.warnings, by_cargo: sent.by_cargo }),
        other => Err(not_read_back(&other, &sent)),
    }
}

/// Why something that was sent is not there as it was judged, with what was said when it was sent.
fn not_read_back(comparison: &Comparison, sent: &Sent) -> Failure {
    let failure = not_there(comparison);
    let reason = match (comparison, &sent.unclear) {
        (Comparison::Different { .. } | Comparison::Identical { .. }, _) => return failure,
        (Comparison::Absent, None) => "the registry's index does not list it yet".to_owned(),
        (Comparison::Unknown(_), None) => failure.reason,
        (Comparison::Absent | Comparison::Unknown(_), Some(said)) => format!("{}: {said}", failure.reason),
    };
    Failure { reason, is_accepted: sent.unclear.is_none(), ..failure }
}

/// Why something is not there as it was judged.
fn not_there(comparison: &Comparison) -> Failure {
    let again = "run the same command again: what is there and identical counts as done";
    match comparison {
        Comparison::Different { checksum, downloaded: None } => {
            Failure::alarm(format!("the registry's index lists another `.crate`, with the digest {checksum}"))
        }
        Comparison::Different { downloaded: Some(downloaded), .. } => {
            Failure::alarm(format!("the registry serves another `.crate`, with the digest {downloaded}"))
        }
        Comparison::Absent => Failure::new("the registry's index does not list it").hint(again),
        Comparison::Unknown(unknown) => {
            Failure::new(&unknown.reason).hint(unknown.hint.clone().unwrap_or_else(|| again.to_owned()))
        }
        Comparison::Identical { .. } => Failure::new("it is there, and was not to be"),
    }
}

fn find_token(ground: &Ground<'_>, publish: &Publish<'_>) -> Result<Found, Failure> {
    let search = Search {
        config: &ground.config,
        variables: &ground.request.environment.variables,
        directory: &ground.request.environment.directory,
        target: &ground.target,
        limit: TOKEN_LIMIT,
    };
    token::find(&search, publish).map_err(|error| Failure::new(causes(&error)))
}

/// Sends the bytes. Of an answer that says neither yes nor no, the index knows more.
fn send(ground: &Ground<'_>, api: &Api, token: &Token, release: &Prepared) -> Result<Sent, Failure> {
    let unclear = |said: String| Ok(Sent { warnings: Vec::new(), by_cargo: None, unclear: Some(said) });
    let failed = |error: &dyn std::error::Error| Failure::new(causes(error));
    let bytes = file::read(&release.archive, MAX_CRATE).map_err(|error| failed(&error))?;
    let version = release.version.to_string();
    let upload = Upload::new(&release.name, &version, &bytes, release.digest, api.registry());
    match upload.map_err(|error| failed(&error))?.send(&ground.http, api, token, upload::LIMIT) {
        Answer::Accepted { warnings } => Ok(Sent { warnings, by_cargo: None, unclear: None }),
        Answer::AlreadyThere { detail } => unclear(format!("the registry says that it has this version: {detail}")),
        Answer::Unknown { reason } => unclear(format!("what came of the upload is not known: {reason}")),
        Answer::NotSent { reason } => Err(Failure::new(reason)),
        Answer::Refused { detail, .. } => Err(Failure::new(format!("the registry refuses it: {detail}"))),
        Answer::Denied { detail, .. } => Err(Failure::new(format!("the registry does not take the token: {detail}"))
            .hint(format!("cargo login --registry {}", ground.target.name))),
    }
}

/// Has cargo upload where only cargo can get the token, after it has proven that it packages the same bytes.
fn ask_cargo(ground: &Ground<'_>, api: &Api, publish: &Publish<'_>) -> Result<Sent, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::new(causes(error));
    let scratch = tempfile::tempdir().map_err(|error| failed(&error))?;
    let variables = &ground.request.environment.variables;
    let login = ground.config.login(&ground.target.name, variables);
    let request = through_cargo::Request {
        cargo: variables.get("CARGO").map_or("cargo", String::as_str),
        directory: &ground.workspace.root,
        variables,
        scratch: scratch.path(),
        registry: &ground.target.name,
        publish: *publish,
        login: &login,
        is_auth_required: api.is_auth_required(),
        gate: ground.request.gate.as_deref().map(Path::new),
        limit: upload::LIMIT * 2,
    };
    match through_cargo::publish(&request) {
        Ok(Outcome::Uploaded(proof)) => Ok(Sent { warnings: Vec::new(), by_cargo: Some(proof), unclear: None }),
        Ok(Outcome::Unknown { proof, reason }) => {
            let said = format!("cargo did not upload it, or did not say so: {reason}");
            Ok(Sent { warnings: Vec::new(), by_cargo: Some(proof), unclear: Some(said) })
        }
        Err(error) => Err(failed(&error)),
    }
}
