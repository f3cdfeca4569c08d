//! Does git sign here, with which key, and will others trust it?

mod key;
pub mod setup;
mod trial;

use std::path::PathBuf;

use crate::evidence::allowed_signers::AllowedSigners;
use crate::evidence::trust::GIT;
use crate::ops::Environment;
use crate::ops::evidence::trust::FILE;
use crate::report::Verdict;
use crate::source::git::repository::GitRepository;
use crate::source::git::settings::{self, Form};
use crate::source::ssh::Named;
use crate::source::{file, git, ssh};
use crate::subject::ssh::PublicKey;

/// What to look at.
#[derive(Debug, Clone)]
pub struct Request {
    /// The world it runs in.
    pub environment: Environment,
    /// Whether to sign something, for which a token may have to be touched.
    pub trial: Trial,
}

/// Whether to sign something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trial {
    /// A line is signed, and the signature is checked.
    Signed,
    /// Nothing is signed.
    Skipped,
}

/// What was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// The address under which git commits.
    pub email: Option<String>,
    /// The key that signs, as `ALGORITHM BASE64`.
    pub key: Option<String>,
    /// The key's fingerprint.
    pub fingerprint: Option<String>,
    /// What was looked at, in order.
    pub checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What: a setting's name, or a word.
    pub what: &'static str,
    /// How it is.
    pub state: State,
    /// One line, lower case, without a full stop.
    pub message: String,
    /// What the reader can do.
    pub hint: Option<String>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As it should be.
    Good,
    /// Worth knowing.
    Noted,
    /// It could not be looked at.
    Unknown,
    /// Not as it should be.
    Wrong,
}

/// Why nothing could be looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// git's configuration could not be read or written.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// A key that was named cannot be used.
    #[error(transparent)]
    Ssh(#[from] ssh::Error),
    /// There is no key.
    #[error("there is no SSH key to sign with")]
    NoKey {
        /// Where one was looked for.
        looked: Vec<PathBuf>,
    },
    /// There is no address to commit under.
    #[error("git's `user.email` is not set")]
    NoEmail,
}

impl Identity {
    /// Fail where something is wrong, incomplete where something could not be looked at.
    pub fn verdict(&self) -> Verdict {
        match self.checks.iter().map(|check| check.state).max() {
            Some(State::Wrong) => Verdict::Fail,
            Some(State::Unknown) => Verdict::Incomplete,
            Some(State::Good | State::Noted) | None => Verdict::Pass,
        }
    }

    fn say(&mut self, what: &'static str, state: State, message: impl Into<String>) {
        self.checks.push(Check { what, state, message: message.into(), hint: None });
    }

    /// Says what can be done, too.
    fn advise(&mut self, what: &'static str, state: State, message: impl Into<String>, hint: impl Into<String>) {
        self.checks.push(Check { what, state, message: message.into(), hint: Some(hint.into()) });
    }
}

/// What puts most things right.
const SETUP: &str = "git toolbelt identity setup";

/// Looks at how git signs.
///
/// # Errors
///
/// [`Error::Git`] if git cannot be asked for its configuration.
pub fn run(request: &Request) -> Result<Identity, Error> {
    let Environment { directory, variables, .. } = &request.environment;
    let get = |name: &str, form| settings::get(directory, variables, name, form);
    let mut identity = Identity { email: get("user.email", Form::Text)?, ..Identity::default() };
    match identity.email.clone() {
        Some(email) => identity.say("user.email", State::Good, format!("commits are made as `{email}`")),
        None => identity.say("user.email", State::Wrong, "is not set"),
    }
    let format = get("gpg.format", Form::Text)?;
    let named = get("user.signingkey", Form::Path)?;
    let signs = ["commit.gpgsign", "tag.gpgsign"].map(|name| get(name, Form::Text).map(|value| (name, value)));
    match (format.as_deref(), &named) {
        (Some("ssh"), _) => identity.say("gpg.format", State::Good, "signatures are SSH's"),
        (None | Some("openpgp" | "x509"), Some(_)) => {
            let message = "signatures are not SSH's; keys of OpenPGP and X.509 are not looked at";
            identity.say("gpg.format", State::Unknown, message);
        }
        _ => identity.advise("gpg.format", State::Wrong, "is not `ssh`", SETUP),
    }
    if format.as_deref() == Some("ssh") {
        match named.as_deref().map(|named| Named::parse(named, directory)) {
            Some(Ok(named)) => key::look(&named, &request.environment, &mut identity),
            Some(Err(error)) => {
                identity.advise("user.signingkey", State::Wrong, error.to_string(), SETUP);
            }
            None if get("gpg.ssh.defaultKeyCommand", Form::Text)?.is_some() => {
                let message = "is not set; `gpg.ssh.defaultKeyCommand` says which key it is, and is not run";
                identity.say("user.signingkey", State::Unknown, message);
            }
            None => identity.advise("user.signingkey", State::Wrong, "is not set", SETUP),
        }
    }
    for setting in signs {
        let (name, value) = setting?;
        match value.as_deref() {
            Some("true" | "yes" | "on" | "1") => identity.say(name, State::Good, "is on"),
            _ => identity.advise(name, State::Wrong, "is off", SETUP),
        }
    }
    let key = identity.key.as_ref().and_then(|key| PublicKey::parse(key).ok());
    if let (Some(key), Some(email)) = (key, identity.email.clone()) {
        listed(request, &key, &email, &mut identity);
    }
    if request.trial == Trial::Signed && identity.key.is_some() {
        trial::sign(&request.environment, &mut identity);
    }
    Ok(identity)
}

/// How long before its end a key is worth a word: 30 days, in seconds.
const SOON: i64 = 30 * 24 * 60 * 60;

/// Whether the repository's own list has the key for this address. Nothing is trusted by it here.
fn listed(request: &Request, key: &PublicKey, email: &str, identity: &mut Identity) {
    let Environment { directory, variables, now, .. } = &request.environment;
    let top = GitRepository::open(directory, variables).ok().and_then(|found| found.root().map(ToOwned::to_owned));
    let text = top.map(|top| file::read_text(&top.join(FILE), 1 << 20));
    let signers = match text {
        Some(Ok(text)) => AllowedSigners::parse(FILE, &text),
        Some(Err(file::Error::Io { source, .. })) if source.kind() == std::io::ErrorKind::NotFound => {
            let message = format!("the repository has no `{FILE}`, by which others would know the key");
            identity.advise("allowed_signers", State::Noted, message, format!("add to it: {}", line(email, key)));
            return;
        }
        Some(Err(error)) => {
            identity.say("allowed_signers", State::Unknown, error.to_string());
            return;
        }
        None => return,
    };
    let signers = match signers {
        Ok(signers) => signers,
        Err(error) => {
            identity.say("allowed_signers", State::Unknown, error.to_string());
            return;
        }
    };
    if signers.permits(email, key, GIT, *now) {
        let soon = jiff::Timestamp::from_second(now.as_second() + SOON).unwrap_or(*now);
        if signers.permits(email, key, GIT, soon) {
            identity.say("allowed_signers", State::Good, format!("has the key for `{email}`"));
        } else {
            identity.say("allowed_signers", State::Noted, "has the key, for less than 30 days from now");
        }
        return;
    }
    let others = signers.find(key, GIT, *now);
    let message = match (signers.why_not(key, GIT, *now), others.as_slice()) {
        (Some(_), _) => "has the key, but not for commits at this time".to_owned(),
        (None, []) => "does not have the key".to_owned(),
        (None, others) => format!("has the key for {}, not for `{email}`", others.join(", ")),
    };
    identity.advise("allowed_signers", State::Wrong, message, format!("add to `{FILE}`: {}", line(email, key)));
}

/// A line of `allowed_signers`.
fn line(email: &str, key: &PublicKey) -> String {
    format!("{email} namespaces=\"git\" {key}")
}
