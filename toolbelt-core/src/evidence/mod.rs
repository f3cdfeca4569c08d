//! Evidence: signed claims about things that are named by their digests, and what makes them trusted.
//!
//! A [`statement::Statement`] says something about some digests; an [`envelope::Envelope`] carries it with signatures;
//! [`trust::TrustRoot`] says whose count. Only checking one against the other makes a [`verify::Verified`] statement, and
//! only that becomes an [`Attestation`](crate::subject::attestation::Attestation) that rules judge. Nothing here does I/O:
//! keys sign, and programs are asked, elsewhere.

pub mod allowed_signers;
#[cfg(feature = "sigstore")]
pub mod bundle;
pub mod digest_set;
pub mod envelope;
#[cfg(test)]
pub(crate) mod example;
mod json;
pub mod predicate;
pub mod signature;
pub mod sshsig;
pub mod statement;
pub mod trust;
pub mod verify;
