//! Whose signatures count for what.

use jiff::Timestamp;

use super::allowed_signers::{AllowedSigners, Refused};
use crate::subject::ssh::PublicKey;

/// The namespace of evidence.
pub const EVIDENCE: &str = "toolbelt";
/// The namespace of commits and tags, which git chose.
pub const GIT: &str = "git";

/// Trusted keys for signatures of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustRoot {
    signers: AllowedSigners,
    namespace: &'static str,
}

impl TrustRoot {
    /// Trusts whom the file lists for evidence.
    pub fn for_evidence(signers: AllowedSigners) -> Self {
        Self { signers, namespace: EVIDENCE }
    }

    /// Trusts whom the file lists for commits and tags.
    pub fn for_git(signers: AllowedSigners) -> Self {
        Self { signers, namespace: GIT }
    }

    /// What signatures have to be made for.
    pub fn namespace(&self) -> &'static str {
        self.namespace
    }

    /// The file.
    pub fn signers(&self) -> &AllowedSigners {
        &self.signers
    }

    /// Whose key this is; empty if it is not trusted at that time.
    pub fn principals(&self, key: &PublicKey, at: Timestamp) -> Vec<String> {
        self.signers.find(key, self.namespace, at)
    }

    /// Why a key that is listed is not trusted at that time; none if it is not listed.
    pub fn why_not(&self, key: &PublicKey, at: Timestamp) -> Option<Refused> {
        self.signers.why_not(key, self.namespace, at)
    }

    /// Every key that is trusted at that time.
    pub fn keys(&self, at: Timestamp) -> impl Iterator<Item = &PublicKey> {
        self.signers.keys(self.namespace, at)
    }
}
