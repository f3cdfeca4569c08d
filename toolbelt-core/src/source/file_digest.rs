//! Digests of files, however large.

use std::io::Read as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::file::{self, Error};
use crate::subject::digest::Sha256Digest;

/// The SHA-256 of a file's content.
///
/// # Errors
///
/// [`Error`] if it cannot be read to its end, or is no file.
pub fn sha256(path: &Path) -> Result<Sha256Digest, Error> {
    let failed = |source| Error::Io { path: path.to_owned(), source };
    let mut file = file::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => return Ok(Sha256Digest::new(hash.finalize().into())),
            length => hash.update(&buffer[..length]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_is_that_of_the_whole_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, vec![7; 200_000]).unwrap();
        assert_eq!(sha256(&path).unwrap().as_bytes()[..], Sha256::digest(vec![7; 200_000])[..]);
        assert!(sha256(folder.path()).unwrap_err().to_string().contains("cannot read"));
    }
}
