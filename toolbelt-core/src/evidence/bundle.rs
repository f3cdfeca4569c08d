//! [Sigstore bundles](https://docs.sigstore.dev/about/bundle/), as GitHub, npm and cosign make them: verified offline,
//! against a trusted root that is pinned.

use std::fmt;

use jiff::Timestamp;
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::{Artifact, Bundle, DerPublicKey, Sha256Hash, SignatureContent};
use sigstore_verify::{PublicKeyVerificationPolicy, VerificationPolicy, VerificationResult, Verifier};

use super::statement::Statement;
use crate::subject::digest::Sha256Digest;

/// The largest bundle.
pub const MAX_BYTES: usize = 32 << 20;
/// The largest trusted root.
const MAX_ROOT: usize = 4 << 20;

/// The authorities and logs of one instance of Sigstore, as its `trusted_root.json` lists them.
///
/// It is not fetched: who verifies pins it.
pub struct BundleRoot(Verifier);

/// Who has to have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Somebody whom an issuer knows: a workflow, an address.
    Identity {
        /// As the certificate names them: a URI or an address, compared as a whole.
        identity: String,
        /// Who vouches for them: `https://token.actions.githubusercontent.com`.
        issuer: String,
    },
    /// Whoever has this key, in PEM.
    Key(String),
}

/// The thing that a bundle has to be about.
#[derive(Debug, Clone, Copy)]
pub enum Thing<'a> {
    /// By its content.
    Content(&'a [u8]),
    /// By its digest; signatures over the content itself cannot be checked with it.
    Digest(Sha256Digest),
}

/// What was verified.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedBundle {
    identity: Option<String>,
    issuer: Option<String>,
    time: Option<Timestamp>,
    statement: Option<Statement>,
}

/// Why a bundle is not verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is larger than bundles are.
    #[error("the bundle is longer than {MAX_BYTES} bytes")]
    TooLarge,
    /// The trusted root is none.
    #[error("the trusted root cannot be used: {0}")]
    Root(String),
    /// The key that is expected is none.
    #[error("the key is no public key in PEM: {0}")]
    Key(String),
    /// It is none.
    #[error("it is no Sigstore bundle: {0}")]
    Form(String),
    /// It does not hold.
    #[error("the bundle does not hold: {0}")]
    Refused(String),
}

impl BundleRoot {
    /// Reads a `trusted_root.json`.
    ///
    /// # Errors
    ///
    /// [`Error::Root`] if it is none, or names keys that cannot be used.
    pub fn parse(json: &str) -> Result<Self, Error> {
        if json.len() > MAX_ROOT {
            return Err(Error::Root(format!("it is longer than {MAX_ROOT} bytes")));
        }
        let root = TrustedRoot::from_json(json).map_err(|error| Error::Root(error.to_string()))?;
        Ok(Self(Verifier::new(&root).map_err(|error| Error::Root(error.to_string()))?))
    }

    /// Verifies that who is expected has signed a bundle about a thing: signature, certificate, and its entry in the log.
    ///
    /// # Errors
    ///
    /// [`Error`] says what does not hold.
    pub fn verify(&self, bundle: &[u8], thing: Thing<'_>, expected: &Expected) -> Result<VerifiedBundle, Error> {
        if bundle.len() > MAX_BYTES {
            return Err(Error::TooLarge);
        }
        let text = std::str::from_utf8(bundle).map_err(|error| Error::Form(error.to_string()))?;
        let bundle = Bundle::from_json(text).map_err(|error| Error::Form(error.to_string()))?;
        let artifact = match thing {
            Thing::Content(content) => Artifact::from(content),
            Thing::Digest(digest) => Artifact::from(Sha256Hash::new(*digest.as_bytes())),
        };
        let result = match expected {
            Expected::Identity { identity, issuer } => {
                let policy = VerificationPolicy::new(identity.as_str(), issuer.as_str());
                self.0.verify(artifact, &bundle, &policy)
            }
            Expected::Key(pem) => {
                let key = DerPublicKey::from_pem(pem).map_err(|error| Error::Key(error.to_string()))?;
                self.0.verify(artifact, &bundle, &PublicKeyVerificationPolicy::new(key))
            }
        };
        let result = result.map_err(|error| Error::Refused(error.to_string()))?;
        VerifiedBundle::of(&result, &bundle)
    }
}

impl VerifiedBundle {
    fn of(result: &VerificationResult, bundle: &Bundle) -> Result<Self, Error> {
        let statement = match &bundle.content {
            SignatureContent::DsseEnvelope(envelope) => {
                // By our own rules, which are stricter than those of whoever wrote it.
                let statement = Statement::parse(envelope.payload.as_bytes());
                Some(statement.map_err(|error| Error::Refused(error.to_string()))?)
            }
            _ => None,
        };
        Ok(Self {
            identity: result.identity().map(ToString::to_string),
            issuer: result.issuer().map(str::to_owned),
            time: result.verified_timestamps().iter().min().copied(),
            statement,
        })
    }

    /// Who signed, as the certificate names them; none where a key was expected.
    pub fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    /// Who vouches for them; none where a key was expected.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// When it was signed at the latest, as a log or a timestamp authority says.
    pub fn time(&self) -> Option<Timestamp> {
        self.time
    }

    /// What was signed about the thing; none if the thing itself was.
    pub fn statement(&self) -> Option<&Statement> {
        self.statement.as_ref()
    }
}

impl fmt::Debug for BundleRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BundleRoot")
    }
}
