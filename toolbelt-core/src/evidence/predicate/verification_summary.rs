//! That somebody checked: SLSA's [verification summary](https://slsa.dev/spec/v1.1/verification_summary).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Predicate;
use crate::evidence::statement::ResourceDescriptor;
use crate::subject::attestation::Claim;

/// What a verifier says of the statement's subjects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerificationSummary {
    /// Who checked.
    pub verifier: Verifier,
    /// When.
    #[serde(default, with = "super::time::optional", skip_serializing_if = "Option::is_none")]
    pub time_verified: Option<Timestamp>,
    /// What was checked, as people name it: a package URL.
    pub resource_uri: String,
    /// What was asked of it.
    pub policy: ResourceDescriptor,
    /// The evidence that was looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub input_attestations: Vec<ResourceDescriptor>,
    /// What it comes to.
    pub verification_result: VerificationResult,
    /// The levels that were reached.
    #[serde(default)]
    pub verified_levels: Vec<String>,
    /// How many dependencies reached which level.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dependency_levels: BTreeMap<String, u64>,
    /// The version of SLSA that the levels are of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slsa_version: Option<String>,
}

/// Who checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verifier {
    /// A URI.
    pub id: String,
    /// The versions of its parts. Readers that know version 1.0 of the specification alone do not expect it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub version: BTreeMap<String, String>,
}

/// What a verification comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum VerificationResult {
    /// The policy is satisfied.
    Passed,
    /// It is not.
    Failed,
}

impl Predicate for VerificationSummary {
    const TYPE: &'static str = "https://slsa.dev/verification_summary/v1";
}

impl From<VerificationSummary> for Claim {
    fn from(summary: VerificationSummary) -> Self {
        Self::VerificationSummary {
            verifier: summary.verifier.id,
            result_passed: summary.verification_result == VerificationResult::Passed,
            levels: summary.verified_levels,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::hold;
    use super::*;
    use crate::evidence::digest_set::DigestSet;

    #[test]
    fn fields_are_those_of_the_specification() {
        let digest = |letters: &str| Some(DigestSet::one("sha256", &letters.repeat(32)).unwrap());
        let thing = |uri: &str, letters: &str| ResourceDescriptor {
            uri: Some(uri.to_owned()),
            digest: digest(letters),
            ..ResourceDescriptor::default()
        };
        let summary = VerificationSummary {
            verifier: Verifier {
                id: "https://example.com/verifier".to_owned(),
                version: BTreeMap::from([("toolbelt".to_owned(), "0.1.0".to_owned())]),
            },
            time_verified: Some("2026-11-22T10:00:00Z".parse().unwrap()),
            resource_uri: "pkg:cargo/foo@1.0.0".to_owned(),
            policy: thing("toolbelt.toml", "ab"),
            input_attestations: vec![thing("foo-1.0.0.intoto.jsonl", "cd")],
            verification_result: VerificationResult::Passed,
            verified_levels: vec!["SLSA_BUILD_LEVEL_1".to_owned()],
            dependency_levels: BTreeMap::from([("SLSA_BUILD_LEVEL_0".to_owned(), 3)]),
            slsa_version: Some("1.0".to_owned()),
        };
        hold(
            &summary,
            json!({
                "verifier": {"id": "https://example.com/verifier", "version": {"toolbelt": "0.1.0"}},
                "timeVerified": "2026-11-22T10:00:00Z",
                "resourceUri": "pkg:cargo/foo@1.0.0",
                "policy": {"uri": "toolbelt.toml", "digest": {"sha256": "ab".repeat(32)}},
                "inputAttestations": [{"uri": "foo-1.0.0.intoto.jsonl", "digest": {"sha256": "cd".repeat(32)}}],
                "verificationResult": "PASSED",
                "verifiedLevels": ["SLSA_BUILD_LEVEL_1"],
                "dependencyLevels": {"SLSA_BUILD_LEVEL_0": 3},
                "slsaVersion": "1.0",
            }),
        );
    }
}
