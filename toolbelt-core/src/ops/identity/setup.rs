//! Makes git sign with an SSH key: says what would change, then changes it.

use std::path::{Path, PathBuf};

use super::{Error, line};
use crate::ops::Environment;
use crate::source::git::repository::GitRepository;
pub use crate::source::git::settings::Scope;
use crate::source::git::settings::{self, Form};
use crate::source::ssh::{Named, SigningKey};

/// What to set up.
#[derive(Debug, Clone)]
pub struct Request {
    /// The world it runs in.
    pub environment: Environment,
    /// The key to sign with; else the one that git is told of, else the first of those that `ssh-keygen` makes.
    pub key: Option<PathBuf>,
    /// Whose configuration is changed.
    pub scope: Scope,
}

/// What would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The settings that have another value, in order.
    pub changes: Vec<Change>,
    /// The key's fingerprint.
    pub fingerprint: String,
    /// The line by which a list of allowed signers would have the key.
    pub line: String,
}

/// A setting that would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its name.
    pub name: &'static str,
    /// What it is now; none if it is not set.
    pub old: Option<String>,
    /// What it would be.
    pub new: String,
}

/// The keys that `ssh-keygen` makes, best first.
const KEYS: &[&str] = &["id_ed25519_sk", "id_ed25519", "id_ecdsa_sk", "id_ecdsa", "id_rsa"];

/// Says what would change.
///
/// # Errors
///
/// [`Error::NoKey`] if there is none, [`Error::Ssh`] if the one that was named cannot sign, [`Error::NoEmail`] if git does
/// not know under which address it commits; [`Error::Git`] if git cannot be asked, or there is no repository to configure.
pub fn plan(request: &Request) -> Result<Plan, Error> {
    let Environment { directory, variables, .. } = &request.environment;
    if request.scope == Scope::Local {
        GitRepository::open(directory, variables)?;
    }
    let get = |name: &str, form| settings::get(directory, variables, name, form);
    let email = get("user.email", Form::Text)?.ok_or(Error::NoEmail)?;
    let (value, key) = key(request)?;
    let wanted = [
        ("gpg.format", "ssh".to_owned()),
        ("user.signingkey", value),
        ("commit.gpgsign", "true".to_owned()),
        ("tag.gpgsign", "true".to_owned()),
    ];
    let mut changes = Vec::new();
    for (name, new) in wanted {
        let form = if name == "user.signingkey" { Form::Path } else { Form::Text };
        let old = get(name, form)?;
        if old.as_ref() != Some(&new) {
            changes.push(Change { name, old, new });
        }
    }
    let public = key.public();
    Ok(Plan { changes, fingerprint: public.fingerprint(), line: line(&email, public) })
}

/// Changes what the plan says.
///
/// # Errors
///
/// [`Error::Git`] if the configuration cannot be written; the changes before that one are made.
pub fn apply(request: &Request, plan: &Plan) -> Result<(), Error> {
    let Environment { directory, variables, .. } = &request.environment;
    for change in &plan.changes {
        settings::set(directory, variables, request.scope, change.name, &change.new)?;
    }
    Ok(())
}

/// The key to sign with, and how `user.signingkey` names it.
fn key(request: &Request) -> Result<(String, SigningKey), Error> {
    let Environment { directory, variables, .. } = &request.environment;
    let find = |named: &Named| SigningKey::find(named, "ssh-keygen", variables);
    if let Some(path) = &request.key {
        let path = directory.join(path);
        return Ok((setting(&path), find(&Named::File(path))?));
    }
    let format = settings::get(directory, variables, "gpg.format", Form::Text)?;
    if let Some(text) = settings::get(directory, variables, "user.signingkey", Form::Path)?
        && let Ok(named) = Named::parse(&text, directory)
        && let Ok(key) = find(&named)
        && format.as_deref() == Some("ssh")
    {
        return Ok((text, key));
    }
    let home = variables.get("HOME").or_else(|| variables.get("USERPROFILE")).map(PathBuf::from);
    let paths = KEYS.iter().filter_map(|name| Some(home.as_ref()?.join(".ssh").join(format!("{name}.pub"))));
    let looked: Vec<PathBuf> = paths.collect();
    let found = looked.iter().find_map(|path| Some((setting(path), find(&Named::File(path.clone())).ok()?)));
    found.ok_or(Error::NoKey { looked })
}

/// The public half where it is beside the private one, as git then asks an agent for the other.
fn setting(path: &Path) -> String {
    let mut public = path.as_os_str().to_owned();
    public.push(".pub");
    let public = PathBuf::from(public);
    let path = if public.is_file() { &public } else { path };
    path.display().to_string()
}
