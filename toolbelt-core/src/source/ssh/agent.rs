//! The agent that keeps keys, by its [protocol](https://www.ietf.org/archive/id/draft-ietf-sshm-ssh-agent-05.html).

use std::path::Path;

use super::Error;
use crate::subject::ssh::PublicKey;
use crate::subject::ssh::wire::{Reader, put_string};

/// The longest message that OpenSSH's agent takes or sends.
const MAX_MESSAGE: usize = 256 << 10;
/// The most that is handed to an agent to be signed: what a message has room for besides the key.
pub(super) const MAX_DATA: usize = MAX_MESSAGE - (20 << 10);
/// The most keys that are looked at.
const MAX_KEYS: u32 = 2048;

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGNATURE: u8 = 14;

/// The keys that an agent has; those that cannot be read are left out.
pub(super) fn keys(socket: &Path) -> Result<Vec<PublicKey>, Error> {
    let wrong = || Error::Agent { why: "answers what cannot be read".to_owned() };
    let answer = ask(socket, &[REQUEST_IDENTITIES])?;
    let mut reader = Reader::new(&answer);
    if reader.byte() != Some(IDENTITIES) {
        return Err(Error::Agent { why: "does not list its keys".to_owned() });
    }
    let count = reader.number().ok_or_else(wrong)?.min(MAX_KEYS);
    let mut keys = Vec::new();
    for _ in 0..count {
        let key = reader.string().ok_or_else(wrong)?;
        reader.string().ok_or_else(wrong)?;
        keys.extend(PublicKey::from_blob(key));
    }
    Ok(keys)
}

/// Has an agent sign with one of its keys: an encoded signature.
pub(super) fn sign(socket: &Path, key: &PublicKey, data: &[u8]) -> Result<Vec<u8>, Error> {
    let mut request = vec![SIGN_REQUEST];
    put_string(&mut request, key.blob());
    put_string(&mut request, data);
    request.extend(0_u32.to_be_bytes());
    let answer = ask(socket, &request)?;
    let mut reader = Reader::new(&answer);
    if reader.byte() != Some(SIGNATURE) {
        return Err(Error::Agent { why: format!("refuses to sign with {}", key.fingerprint()) });
    }
    let signature = reader.string().ok_or_else(|| Error::Agent { why: "answers what cannot be read".to_owned() })?;
    Ok(signature.to_owned())
}

/// Sends one message and returns the answer.
#[cfg(unix)]
fn ask(socket: &Path, message: &[u8]) -> Result<Vec<u8>, Error> {
    use std::io::{Error as IoError, Read as _, Write as _};
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    /// Somebody may have to confirm.
    const LIMIT: Duration = Duration::from_mins(1);

    let talk = || -> Result<Vec<u8>, IoError> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_write_timeout(Some(LIMIT))?;
        let mut framed = Vec::with_capacity(message.len() + 4);
        put_string(&mut framed, message);
        stream.write_all(&framed)?;
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > MAX_MESSAGE {
            return Err(IoError::other("its answer is too long"));
        }
        let mut answer = vec![0; length];
        stream.read_exact(&mut answer)?;
        Ok(answer)
    };
    talk().map_err(|source| Error::NoAgent { socket: socket.to_owned(), source })
}

/// Elsewhere agents are reached in other ways, which `ssh-keygen` knows.
#[cfg(not(unix))]
fn ask(socket: &Path, _: &[u8]) -> Result<Vec<u8>, Error> {
    let source = std::io::Error::from(std::io::ErrorKind::Unsupported);
    Err(Error::NoAgent { socket: socket.to_owned(), source })
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixListener;

    use super::*;

    /// An agent that gives one answer to whatever it is asked.
    fn answering(answer: Vec<u8>) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("agent");
        let listener = UnixListener::bind(&socket).unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 5];
            stream.read_exact(&mut request).unwrap();
            stream.write_all(&answer).unwrap();
        });
        (folder, socket)
    }

    #[test]
    fn an_agent_that_lies_is_an_error() {
        let framed = |body: &[u8]| {
            let mut answer = Vec::new();
            put_string(&mut answer, body);
            answer
        };
        for answer in [
            vec![0xff; 8],
            framed(&[]),
            framed(&[5]),
            framed(&[IDENTITIES]),
            framed(&[IDENTITIES, 0xff, 0xff, 0xff, 0xff]),
            framed(&[IDENTITIES, 0, 0, 0, 1, 0, 0, 1, 0]),
            framed(&[IDENTITIES, 0])[..5].to_vec(),
        ] {
            let (_folder, socket) = answering(answer.clone());
            assert!(keys(&socket).is_err(), "{answer:?}");
        }
        let (_folder, socket) = answering(framed(&[IDENTITIES, 0, 0, 0, 0]));
        assert_eq!(keys(&socket).unwrap(), []);
    }

    #[test]
    fn no_agent_is_an_error_that_names_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let error = keys(&folder.path().join("nobody")).unwrap_err();
        assert!(error.to_string().contains("nobody"), "{error}");
    }
}
