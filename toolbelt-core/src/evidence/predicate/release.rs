//! That something was released: in-toto's [release](https://github.com/in-toto/attestation/blob/main/spec/predicates/release.md).

use serde::{Deserialize, Serialize};

use super::Predicate;

/// The statement's subjects are the files of this release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    /// The package URL, with its version.
    pub purl: String,
    /// What the registry calls the package for as long as it exists, if it has such names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package_id: Option<String>,
}

impl Predicate for Release {
    const TYPE: &'static str = "https://in-toto.io/attestation/release/v0.2";
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::hold;
    use super::*;

    #[test]
    fn fields_are_those_of_the_specification() {
        let release = Release { purl: "pkg:cargo/foo@1.0.0".to_owned(), package_id: Some("7".to_owned()) };
        hold(&release, json!({"purl": "pkg:cargo/foo@1.0.0", "packageId": "7"}));
    }
}
