//! SSH keys: where they are, and what they sign.
//!
//! A key signs bytes as they are where its file is not encrypted, or where an agent has it; only then is there a signature
//! that needs nothing of OpenSSH to be checked. With every other key, those in FIDO tokens among them, `ssh-keygen` signs,
//! which asks on the terminal for what it needs.

mod agent;
pub mod custody;
mod key_file;
pub mod keygen;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use ssh_key::PrivateKey;

use crate::source::file;
use crate::subject::ssh::{KeyKind, NotAKey, PublicKey};
use key_file::KeyFile;

/// A key that can sign.
#[derive(Debug)]
pub struct SigningKey {
    public: PublicKey,
    place: Place,
    program: String,
    variables: BTreeMap<String, String>,
}

/// Where the private half is.
#[derive(Debug)]
enum Place {
    /// It was read.
    Here(Box<PrivateKey>),
    /// An agent has it, which listens there.
    Agent(PathBuf),
    /// `ssh-keygen` finds it, with this file.
    File(PathBuf),
    /// `ssh-keygen` finds it, with the public half alone.
    Elsewhere,
}

/// Which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// The one in a file: the private half, or the public one beside it.
    File(PathBuf),
    /// This one; an agent has the private half.
    Literal(PublicKey),
}

/// Why there is no key, or no signature.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] file::Error),
    /// A file holds no key.
    #[error("`{}` holds no SSH key that can be read: {why}", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A key is of a type that is of no use here.
    #[error("keys of type `{algorithm}` are not supported")]
    Unsupported {
        /// The name of the type.
        algorithm: String,
    },
    /// A key cannot sign.
    #[error("the key does not sign: {0}")]
    Key(String),
    /// The agent does not answer as agents do.
    #[error("the SSH agent {why}")]
    Agent {
        /// What it does.
        why: String,
    },
    /// The agent cannot be spoken to.
    #[error("the SSH agent at `{}` does not answer", socket.display())]
    NoAgent {
        /// Where it should be.
        socket: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The program that signs did not.
    #[error("`{program}` {why}")]
    Program {
        /// The program.
        program: String,
        /// What happened.
        why: String,
    },
    /// Files for the program cannot be written.
    #[error("cannot write a temporary file")]
    Temporary(#[source] io::Error),
}

impl SigningKey {
    /// Finds a key. `program` is what signs where nothing here can; `variables` are those of the environment.
    ///
    /// # Errors
    ///
    /// [`Error`] if a file that was named holds no key, or one of a type that is not supported.
    pub fn find(named: &Named, program: &str, variables: &BTreeMap<String, String>) -> Result<Self, Error> {
        let found = match named {
            Named::File(path) => KeyFile::read(path)?,
            Named::Literal(key) => KeyFile { public: key.clone(), private: None, path: None },
        };
        let place = match (found.private, found.path) {
            (Some(private), _) => Place::Here(Box::new(private)),
            (None, path) => match agent_with(&found.public, variables) {
                Some(socket) => Place::Agent(socket),
                None => path.map_or(Place::Elsewhere, Place::File),
            },
        };
        match found.public.kind() {
            KeyKind::Certificate | KeyKind::Unsupported => {
                Err(Error::Unsupported { algorithm: found.public.algorithm().to_owned() })
            }
            KeyKind::Ed25519 | KeyKind::EcdsaP256 | KeyKind::SkEd25519 | KeyKind::SkEcdsaP256 | KeyKind::ByProgram => {
                Ok(Self { public: found.public, place, program: program.to_owned(), variables: variables.clone() })
            }
        }
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The variables of the environment that it was found in.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// Signs bytes as they are: an encoded signature, or none if only [`sign_file`](Self::sign_file) can sign with this
    /// key, or so much.
    ///
    /// # Errors
    ///
    /// [`Error`] if the agent refuses, or does not answer.
    pub fn sign(&self, data: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        match &self.place {
            Place::Here(key) => key_file::sign(key, data).map(Some),
            Place::Agent(_) if data.len() > agent::MAX_DATA => Ok(None),
            Place::Agent(socket) => agent::sign(socket, &self.public, data).map(Some),
            Place::File(_) | Place::Elsewhere => Ok(None),
        }
    }

    /// Has `ssh-keygen` sign a message: the armour that it writes. It asks on the terminal for a passphrase, or for a
    /// token to be touched.
    ///
    /// # Errors
    ///
    /// [`Error::Program`] if it is not there, fails, or nobody answers it in time.
    pub fn sign_file(&self, namespace: &str, message: &[u8]) -> Result<String, Error> {
        let path = match &self.place {
            Place::File(path) => Some(path.as_path()),
            Place::Here(_) | Place::Agent(_) | Place::Elsewhere => None,
        };
        keygen::sign(&self.program, path, &self.public, namespace, message, &self.variables)
    }
}

/// The socket of an agent that has this key, if signatures by it need nobody else.
fn agent_with(key: &PublicKey, variables: &BTreeMap<String, String>) -> Option<PathBuf> {
    match key.kind() {
        KeyKind::Ed25519 | KeyKind::EcdsaP256 => {}
        // What these sign has other forms, which `ssh-keygen` knows; it asks the agent itself.
        KeyKind::SkEd25519
        | KeyKind::SkEcdsaP256
        | KeyKind::ByProgram
        | KeyKind::Certificate
        | KeyKind::Unsupported => return None,
    }
    let socket = variables.get("SSH_AUTH_SOCK").filter(|socket| !socket.is_empty())?;
    let socket = Path::new(socket);
    // An agent that does not answer is as good as none: the file may still do.
    agent::keys(socket).ok()?.contains(key).then(|| socket.to_owned())
}

impl Named {
    /// As git's `user.signingkey` names a key: `key::` and a public key, else a path from `directory` on.
    ///
    /// # Errors
    ///
    /// [`NotAKey`] if what follows `key::` is none.
    pub fn parse(text: &str, directory: &Path) -> Result<Self, NotAKey> {
        match text.strip_prefix("key::").or_else(|| text.starts_with("ssh-").then_some(text)) {
            Some(key) => Ok(Self::Literal(PublicKey::parse(key)?)),
            None => Ok(Self::File(directory.join(text))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    #[cfg(unix)]
    use std::process::{Child, Stdio};

    use crate::evidence::example::Key;
    use crate::evidence::signature::{Checked, SshSignature};
    use crate::evidence::sshsig::SshSig;

    /// A folder with keys that `ssh-keygen` makes.
    struct Keys {
        folder: tempfile::TempDir,
        variables: BTreeMap<String, String>,
    }

    impl Keys {
        fn new() -> Self {
            let path = Command::new("sh").args(["-c", "printf %s \"$PATH\""]).output().unwrap().stdout;
            let variables = BTreeMap::from([("PATH".to_owned(), String::from_utf8(path).unwrap())]);
            Self { folder: tempfile::tempdir().unwrap(), variables }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn make(&self, name: &str, kind: &[&str], passphrase: &str) -> PathBuf {
            let path = self.path(name);
            let mut command = Command::new("ssh-keygen");
            command.args(["-q", "-C", name, "-N", passphrase, "-f"]).arg(&path).arg("-t").args(kind);
            assert!(command.status().unwrap().success(), "OpenSSH is needed for this test");
            path
        }

        fn find(&self, path: &Path) -> Result<SigningKey, Error> {
            SigningKey::find(&Named::File(path.to_owned()), "ssh-keygen", &self.variables)
        }
    }

    /// An agent that ends with the test.
    #[cfg(unix)]
    struct Agent(Child);

    #[cfg(unix)]
    impl Agent {
        fn start(keys: &mut Keys) -> Self {
            let socket = keys.path("agent");
            let mut command = Command::new("ssh-agent");
            let agent = command.arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn().unwrap();
            keys.variables.insert("SSH_AUTH_SOCK".to_owned(), socket.display().to_string());
            while std::os::unix::net::UnixStream::connect(&socket).is_err() {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            Self(agent)
        }
    }

    #[cfg(unix)]
    impl Drop for Agent {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn check_data(key: &SigningKey) {
        let blob = key.sign(b"data").unwrap().unwrap();
        let signature = SshSignature::from_blob(&blob).unwrap();
        assert_eq!(signature.check(key.public(), b"data"), Checked::Good);
        assert_eq!(signature.check(key.public(), b"other"), Checked::Bad);
    }

    fn check_file(key: &SigningKey, expected: Checked) {
        let parsed = SshSig::parse(&key.sign_file("toolbelt", b"data").unwrap()).unwrap();
        assert_eq!((parsed.namespace(), parsed.key()), ("toolbelt", key.public()));
        assert_eq!(parsed.signature().check(parsed.key(), &parsed.signed_data(b"data")), expected);
    }

    #[test]
    fn files_that_are_not_encrypted_sign_here_whichever_half_is_named() {
        let keys = Keys::new();
        for (name, kind) in [("a", &["ed25519"][..]), ("b", &["ecdsa", "-b", "256"])] {
            let path = keys.make(name, kind, "");
            check_data(&keys.find(&path).unwrap());
            check_data(&keys.find(&path.with_extension("pub")).unwrap());
        }
    }

    #[test]
    fn keys_of_other_types_sign_by_program() {
        let keys = Keys::new();
        for (name, kind) in [("a", &["rsa", "-b", "2048"][..]), ("b", &["ecdsa", "-b", "384"])] {
            let key = keys.find(&keys.make(name, kind, "")).unwrap();
            assert_eq!(key.sign(b"data").unwrap(), None);
            check_file(&key, Checked::ByProgram);
            let armour = key.sign_file("toolbelt", b"data").unwrap();
            let ask = |namespace, message: &[u8]| {
                keygen::verify(&armour, message, key.public(), namespace, &keys.variables).unwrap()
            };
            assert!(ask("toolbelt", b"data"));
            assert!(!ask("toolbelt", b"other") && !ask("git", b"data"));
        }
    }

    #[cfg(unix)]
    #[test]
    fn an_encrypted_file_is_left_to_the_agent_that_has_it() {
        let mut keys = Keys::new();
        let path = keys.make("a", &["ed25519"], "passphrase");
        assert_eq!(keys.find(&path).unwrap().sign(b"data").unwrap(), None);
        let _agent = Agent::start(&mut keys);
        assert_eq!(keys.find(&path).unwrap().sign(b"data").unwrap(), None, "it has no key yet");
        let open = keys.make("b", &["ecdsa", "-b", "256"], "");
        let public = std::fs::read_to_string(open.with_extension("pub")).unwrap();
        let mut add = Command::new("ssh-add");
        assert!(add.arg("-q").arg(&open).envs(&keys.variables).status().unwrap().success());
        std::fs::remove_file(&open).unwrap();
        check_data(&keys.find(&open.with_extension("pub")).unwrap());
        let literal = Named::parse(&format!("key::{public}"), Path::new("/")).unwrap();
        let key = SigningKey::find(&literal, "ssh-keygen", &keys.variables).unwrap();
        check_data(&key);
        check_file(&key, Checked::Good);
        assert_eq!(key.sign(&vec![0; agent::MAX_DATA + 1]).unwrap(), None, "more than agents take");
    }

    #[test]
    fn signatures_of_tokens_are_right_for_ssh_keygen_too() {
        let keys = Keys::new();
        for key in [Key::ed25519(1).token(), Key::p256(2).token()] {
            let armour = key.sshsig("toolbelt", b"data").armour();
            let ask = |message: &[u8]| keygen::verify(&armour, message, &key.public(), "toolbelt", &keys.variables);
            assert_eq!((ask(b"data"), ask(b"other")), (Ok(true), Ok(false)), "{}", key.public());
        }
    }

    #[test]
    fn what_holds_no_key_is_an_error_that_names_the_file() {
        let keys = Keys::new();
        assert!(matches!(keys.find(&keys.path("none")), Err(Error::File(_))));
        std::fs::write(keys.path("text"), "hello").unwrap();
        let error = keys.find(&keys.path("text")).unwrap_err();
        assert!(error.to_string().contains("text"), "{error}");
        std::fs::write(keys.path("broken"), "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n").unwrap();
        assert!(matches!(keys.find(&keys.path("broken")), Err(Error::NotAKey { .. })));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let keys = Keys::new();
        let path = keys.make("a", &["rsa", "-b", "2048"], "");
        let key = SigningKey::find(&Named::File(path), "no-such-program", &keys.variables).unwrap();
        let error = key.sign_file("toolbelt", b"data").unwrap_err();
        assert!(error.to_string().contains("`no-such-program` is not installed"), "{error}");
        let unknown = keygen::verify("", b"", key.public(), "toolbelt", &BTreeMap::from([("PATH".into(), "/".into())]));
        assert!(unknown.unwrap_err().hint.unwrap().contains("openssh"));
    }

    #[test]
    fn keys_are_named_as_git_names_them() {
        let named = Named::parse("~/x", Path::new("/base")).unwrap();
        assert_eq!(named, Named::File(PathBuf::from("/base/~/x")), "git resolves the home before");
        assert!(Named::parse("key::nonsense", Path::new("/")).is_err());
    }
}
