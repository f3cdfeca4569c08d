//! What statements claim: one file for each type of predicate, with the field names of its specification.
//!
//! Fields that a specification does not name are ignored when a predicate is read, since later minor versions add some.

pub mod approval;
pub mod provenance;
pub mod release;
pub mod test_result;
mod time;
pub mod verification_summary;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::json;
use super::statement::{self, ResourceDescriptor, Statement};
use super::verify::Verified;
use crate::subject::attestation::{Attestation, Claim};
use approval::Approval;
use test_result::TestResult;
use verification_summary::VerificationSummary;

/// What a statement can claim.
pub trait Predicate: Serialize + DeserializeOwned {
    /// The URI that names the type.
    const TYPE: &'static str;
}

/// Makes a statement of a typed predicate.
///
/// # Errors
///
/// [`statement::Error`] if there is no subject, or one has no digest.
pub fn statement<P: Predicate>(
    subjects: Vec<ResourceDescriptor>,
    predicate: &P,
) -> Result<Statement, statement::Error> {
    let value = serde_json::to_value(predicate).map_err(|error| statement::Error::Form(error.to_string()))?;
    Statement::new(subjects, P::TYPE, value)
}

impl Statement {
    /// The predicate, if it is of this type; none also if it is not as its type demands.
    pub fn claim<P: Predicate>(&self) -> Option<P> {
        if self.predicate_type() != P::TYPE {
            return None;
        }
        json::typed(self.predicate()).ok()
    }
}

impl Verified<Statement> {
    /// What rules get to judge.
    pub fn attestation(&self) -> Attestation {
        let digests = self.digests().map(|(name, digits)| (name.to_owned(), digits.to_owned())).collect();
        let signers = self.signers().iter().map(|signed| signed.signer.clone()).collect();
        Attestation::new(self.predicate_type().to_owned(), digests, signers, claim(self))
    }
}

fn claim(statement: &Statement) -> Claim {
    let approval = || statement.claim::<Approval>().map(Claim::from);
    let tests = || statement.claim::<TestResult>().map(Claim::from);
    let summary = || statement.claim::<VerificationSummary>().map(Claim::from);
    approval().or_else(tests).or_else(summary).unwrap_or(Claim::Other)
}

/// An object of anything, as specifications leave to whoever defines a type.
type Object = serde_json::Map<String, Value>;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::evidence::digest_set::DigestSet;

    /// Checks that a predicate is written and read as its specification shows it, unknown fields aside.
    pub(super) fn hold<P: Predicate + PartialEq + std::fmt::Debug>(predicate: &P, expected: Value) {
        assert_eq!(serde_json::to_value(predicate).unwrap(), expected, "{}", P::TYPE);
        let mut more = expected;
        more["notOfThisVersion"] = json!({"a": [1]});
        let subject = ResourceDescriptor::new("x", DigestSet::one("sha256", &"ab".repeat(32)).unwrap());
        let statement = Statement::new(vec![subject], P::TYPE, more).unwrap();
        let read = Statement::parse(&statement.to_json()).unwrap().claim::<P>();
        assert_eq!(read.as_ref(), Some(predicate), "{}", P::TYPE);
    }

    #[test]
    fn a_predicate_that_is_not_of_its_type_claims_nothing() {
        let subject = || vec![ResourceDescriptor::new("x", DigestSet::one("sha256", &"ab".repeat(32)).unwrap())];
        for (kind, predicate) in [
            (TestResult::TYPE, json!({"result": "passed", "configuration": []})),
            (TestResult::TYPE, json!(null)),
            (Approval::TYPE, json!({"version": 2, "approves": "x", "approvedAt": "2026-01-01T00:00:00Z"})),
            (VerificationSummary::TYPE, json!([])),
            ("https://example.com/own", json!({"result": "PASSED"})),
        ] {
            assert_eq!(claim(&Statement::new(subject(), kind, predicate).unwrap()), Claim::Other, "{kind}");
        }
    }
}
