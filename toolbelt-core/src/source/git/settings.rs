//! What git's configuration says, from all of its files: the system's, the user's and the repository's.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Error, program};

/// How a value is to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it stands there.
    Text,
    /// A path, where `~/` is the user's home.
    Path,
}

/// The last value of a setting, as git would take it for a command that runs in `directory`; none if it is not set.
///
/// # Errors
///
/// [`Error::Program`] if git cannot be asked, or its configuration cannot be read.
pub fn get(
    directory: &Path,
    variables: &BTreeMap<String, String>,
    name: &str,
    form: Form,
) -> Result<Option<String>, Error> {
    let kind = match form {
        Form::Text => "--no-type",
        Form::Path => "--type=path",
    };
    let output = program::git_at(directory, variables, &["config", kind, "--null", "--get", name])?;
    match output.status.code() {
        Some(0) => {
            let value = String::from_utf8_lossy(&output.stdout);
            Ok(Some(value.trim_end_matches('\0').to_owned()).filter(|value| !value.is_empty()))
        }
        Some(1) => Ok(None),
        _ => Err(Error::Program {
            command: format!("config --get {name}"),
            why: format!("failed: {}", String::from_utf8_lossy(&output.stderr).trim()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sandbox::Sandbox;
    use super::*;

    #[test]
    fn settings_are_those_that_git_would_take() {
        let sandbox = Sandbox::new(&[]);
        sandbox.git(&["config", "toolbelt.allowedSigners", "~/keys"]);
        sandbox.git(&["config", "gpg.format", "ssh"]);
        let mut variables = sandbox.open().variables().clone();
        variables.insert("HOME".to_owned(), "/home/of/alice".to_owned());
        variables.insert("GIT_CONFIG_NOSYSTEM".to_owned(), "1".to_owned());
        let get = |name, form| get(&sandbox.root, &variables, name, form).unwrap();
        assert_eq!(get("gpg.format", Form::Text).as_deref(), Some("ssh"));
        assert_eq!(get("toolbelt.allowedSigners", Form::Path).as_deref(), Some("/home/of/alice/keys"));
        assert_eq!(get("user.signingkey", Form::Path), None);
    }
}
