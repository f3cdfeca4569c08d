//! What signed evidence claims about a thing, for the rules that judge it.

/// A claim whose signatures were checked against a trust root.
///
/// Only a verified statement becomes one, so holding it is proof that verification happened; whether its signers may make
/// such a claim, and whether it is about the thing under judgement, is for rules to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    predicate_type: String,
    digests: Vec<(String, String)>,
    signers: Vec<Signer>,
    claim: Claim,
}

/// A trusted key that signed, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signer {
    /// Whom the trust root names for this key, sorted; never empty. Two keys of one person have the same principal.
    pub principals: Vec<String>,
    /// The key's fingerprint, as `ssh-keygen -l` prints it: `SHA256:…`.
    pub key: String,
}

/// What is claimed, as far as rules can make use of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Somebody approves of it.
    Approval {
        /// What is approved, as people name it: a package URL.
        of: String,
        /// In the approver's words.
        comment: Option<String>,
    },
    /// Something was tested or checked: in-toto's `test-result`.
    TestResult {
        /// How it went.
        result: TestOutcome,
        /// The names of what passed.
        passed: Vec<String>,
        /// The names of what passed with warnings.
        warned: Vec<String>,
        /// The names of what failed.
        failed: Vec<String>,
    },
    /// A verifier says that it checked: SLSA's verification summary.
    VerificationSummary {
        /// Who checked, as a URI.
        verifier: String,
        /// Whether the thing passed.
        result_passed: bool,
        /// The levels that were reached: `SLSA_BUILD_LEVEL_2`.
        levels: Vec<String>,
    },
    /// Something that no rule reads, or a predicate of a type above that is not as its specification says.
    Other,
}

/// How tests went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TestOutcome {
    /// `PASSED`.
    Passed,
    /// `WARNED`.
    Warned,
    /// `FAILED`.
    Failed,
}

impl Attestation {
    /// For the verifier alone.
    pub(crate) fn new(
        predicate_type: String,
        mut digests: Vec<(String, String)>,
        signers: Vec<Signer>,
        claim: Claim,
    ) -> Self {
        digests.sort();
        digests.dedup();
        Self { predicate_type, digests, signers, claim }
    }

    /// The type of its predicate, a URI.
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// What it is about: in-toto's name of an algorithm (`sha256`, `gitCommit`) and lower-case hexadecimal digits.
    ///
    /// Sorted, without repetition. Of several subjects all are listed.
    pub fn digests(&self) -> &[(String, String)] {
        &self.digests
    }

    /// Whether it is about what has this digest.
    pub fn is_about(&self, algorithm: &str, digits: &str) -> bool {
        self.digests.iter().any(|(name, value)| name == algorithm && value.eq_ignore_ascii_case(digits))
    }

    /// The trusted keys that signed it; never empty.
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }

    /// What it claims.
    pub fn claim(&self) -> &Claim {
        &self.claim
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_sorted_and_found_whatever_their_case() {
        let pair = |name: &str, digits: &str| (name.to_owned(), digits.to_owned());
        let digests = vec![pair("sha256", "ab"), pair("gitCommit", "cd"), pair("sha256", "ab")];
        let attestation = Attestation::new("https://example.com/p".to_owned(), digests, Vec::new(), Claim::Other);
        assert_eq!(attestation.digests(), [pair("gitCommit", "cd"), pair("sha256", "ab")]);
        assert!(attestation.is_about("sha256", "AB"));
        assert!(!attestation.is_about("sha512", "ab"));
        assert!(!attestation.is_about("gitCommit", "ab"));
    }
}
