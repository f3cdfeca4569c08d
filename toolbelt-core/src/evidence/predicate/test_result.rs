//! What came of tests: in-toto's [test-result](https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md).

use serde::{Deserialize, Serialize};

use super::Predicate;
use crate::evidence::statement::ResourceDescriptor;
use crate::subject::attestation::{Claim, TestOutcome};

/// What came of tests of the statement's subjects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestResult {
    /// What they come to.
    pub result: Outcome,
    /// What the tests were told: configuration files, by their digests.
    pub configuration: Vec<ResourceDescriptor>,
    /// Where the whole result can be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The names of what passed.
    #[serde(default)]
    pub passed_tests: Vec<String>,
    /// The names of what passed with warnings.
    #[serde(default)]
    pub warned_tests: Vec<String>,
    /// The names of what failed.
    #[serde(default)]
    pub failed_tests: Vec<String>,
}

/// What tests come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Outcome {
    /// All passed.
    Passed,
    /// None failed, and some warned.
    Warned,
    /// Some failed.
    Failed,
}

impl Predicate for TestResult {
    const TYPE: &'static str = "https://in-toto.io/attestation/test-result/v0.1";
}

impl From<TestResult> for Claim {
    fn from(tests: TestResult) -> Self {
        let result = match tests.result {
            Outcome::Passed => TestOutcome::Passed,
            Outcome::Warned => TestOutcome::Warned,
            Outcome::Failed => TestOutcome::Failed,
        };
        let TestResult { passed_tests: passed, warned_tests: warned, failed_tests: failed, .. } = tests;
        Self::TestResult { result, passed, warned, failed }
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
        let policy = ResourceDescriptor::new("toolbelt.toml", DigestSet::one("gitBlob", &"ab".repeat(20)).unwrap());
        let tests = TestResult {
            result: Outcome::Warned,
            configuration: vec![policy],
            url: None,
            passed_tests: vec!["scan".to_owned()],
            warned_tests: vec!["deps".to_owned()],
            failed_tests: Vec::new(),
        };
        hold(
            &tests,
            json!({
                "result": "WARNED",
                "configuration": [{"name": "toolbelt.toml", "digest": {"gitBlob": "ab".repeat(20)}}],
                "passedTests": ["scan"], "warnedTests": ["deps"], "failedTests": [],
            }),
        );
    }
}
