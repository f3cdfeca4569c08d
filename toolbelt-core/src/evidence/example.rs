//! Keys and signatures for tests, the same in every run.

use ssh_key::private::{EcdsaKeypair, Ed25519Keypair, KeypairData};
use ssh_key::rand_core::{CryptoRng, Error, RngCore};
use ssh_key::{EcdsaCurve, PrivateKey, SigningKey};

use crate::evidence::sshsig::{HashName, SshSig, signed_data};
use crate::subject::ssh::PublicKey;
use crate::subject::ssh::wire::put_string;

/// A key whose private half everybody knows.
pub(crate) struct Key {
    private: PrivateKey,
    /// Signs as a FIDO token would that was touched.
    is_token: bool,
}

/// What a token's key is for, as `ssh-keygen` has it.
const APPLICATION: &[u8] = b"ssh:";

impl Key {
    pub(crate) fn ed25519(seed: u8) -> Self {
        let pair = KeypairData::from(Ed25519Keypair::from_seed(&[seed; 32]));
        Self { private: PrivateKey::new(pair, "").unwrap(), is_token: false }
    }

    pub(crate) fn p256(seed: u8) -> Self {
        let pair = KeypairData::from(EcdsaKeypair::random(&mut Same(seed), EcdsaCurve::NistP256).unwrap());
        Self { private: PrivateKey::new(pair, "").unwrap(), is_token: false }
    }

    pub(crate) fn token(self) -> Self {
        Self { is_token: true, ..self }
    }

    pub(crate) fn public(&self) -> PublicKey {
        let blob = self.private.public_key().to_bytes().unwrap();
        let key = PublicKey::from_blob(&blob).unwrap();
        if !self.is_token {
            return key;
        }
        let mut blob = Vec::new();
        put_string(&mut blob, format!("sk-{}@openssh.com", key.algorithm()).as_bytes());
        blob.extend(&key.blob()[4 + key.algorithm().len()..]);
        put_string(&mut blob, APPLICATION);
        PublicKey::from_blob(&blob).unwrap()
    }

    /// An encoded signature.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        use sha2::{Digest as _, Sha256};
        let mut trailer = Vec::new();
        let mut message = message.to_owned();
        if self.is_token {
            trailer.extend([0x01, 0, 0, 0, 7]);
            message = [&Sha256::digest(APPLICATION)[..], &trailer, &Sha256::digest(&message)].concat();
        }
        let signature = sign(&self.private, &message);
        let mut blob = Vec::new();
        put_string(&mut blob, self.public().algorithm().as_bytes());
        put_string(&mut blob, signature.as_bytes());
        blob.extend(trailer);
        blob
    }

    pub(crate) fn sshsig(&self, namespace: &str, message: &[u8]) -> SshSig {
        let blob = self.sign(&signed_data(namespace, HashName::Sha512, message));
        SshSig::new(self.public(), namespace, blob).unwrap()
    }
}

fn sign<K: SigningKey>(key: &K, message: &[u8]) -> ssh_key::Signature {
    key.try_sign(message).unwrap()
}

/// Gives the same number again and again.
struct Same(u8);

impl RngCore for Same {
    fn next_u32(&mut self) -> u32 {
        self.0.into()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.into()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        bytes.fill(self.0);
        Ok(())
    }
}

impl CryptoRng for Same {}
