//! Somebody approves of something: a type of our own, as there is no standard one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Predicate;
use crate::subject::attestation::Claim;

/// An approval of the statement's subjects by whoever signs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// Always 1.
    version: Version,
    /// What is approved, as people name it: a package URL. The digests of the subjects are what counts.
    pub approves: String,
    /// In the approver's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// When, by the approver's clock.
    #[serde(with = "super::time")]
    pub approved_at: Timestamp,
}

/// The version of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
struct Version;

impl Predicate for Approval {
    const TYPE: &'static str = "https://github.com/toolbelt-rs/toolbelt/attestation/approval/v1";
}

impl Approval {
    /// An approval at a time.
    pub fn new(approves: impl Into<String>, comment: Option<String>, approved_at: Timestamp) -> Self {
        Self { version: Version, approves: approves.into(), comment, approved_at }
    }
}

impl TryFrom<u32> for Version {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        if number == 1 { Ok(Self) } else { Err(format!("version {number} of approvals is not known")) }
    }
}

impl From<Version> for u32 {
    fn from(_: Version) -> Self {
        1
    }
}

impl From<Approval> for Claim {
    fn from(approval: Approval) -> Self {
        Self::Approval { of: approval.approves, comment: approval.comment }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::hold;
    use super::*;

    #[test]
    fn approvals_have_a_version_and_a_time() {
        let approval = Approval::new("pkg:cargo/foo@1.0.0", None, "2026-11-22T10:00:00Z".parse().unwrap());
        let written = json!({"version": 1, "approves": "pkg:cargo/foo@1.0.0", "approvedAt": "2026-11-22T10:00:00Z"});
        hold(&approval, written.clone());
        let mut commented = written;
        commented["comment"] = json!("read it all");
        hold(&Approval { comment: Some("read it all".to_owned()), ..approval }, commented);
    }
}
