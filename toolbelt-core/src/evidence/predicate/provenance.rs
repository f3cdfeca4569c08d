//! How something was built: SLSA's [provenance](https://slsa.dev/spec/v1.1/provenance).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Object, Predicate};
use crate::evidence::statement::ResourceDescriptor;

/// How the statement's subjects were built.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// What went in.
    pub build_definition: BuildDefinition,
    /// Who ran it.
    pub run_details: RunDetails,
}

/// What went into a build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildDefinition {
    /// The URI that says how to read the rest.
    pub build_type: String,
    /// What whoever asked for the build decided.
    pub external_parameters: Object,
    /// What the builder decided.
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    pub internal_parameters: Object,
    /// What was fetched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolved_dependencies: Vec<ResourceDescriptor>,
}

/// Who ran a build, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunDetails {
    /// Who ran it.
    pub builder: Builder,
    /// Which run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BuildMetadata>,
    /// What came of it besides the subjects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub byproducts: Vec<ResourceDescriptor>,
}

/// Who ran a build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Builder {
    /// A URI; how far it is to be trusted is what the level rests on.
    pub id: String,
    /// What it is made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub builder_dependencies: Vec<ResourceDescriptor>,
    /// The versions of its parts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub version: BTreeMap<String, String>,
}

/// Which run of a build.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildMetadata {
    /// What the builder calls the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invocation_id: Option<String>,
    /// When it began.
    #[serde(default, with = "super::time::optional", skip_serializing_if = "Option::is_none")]
    pub started_on: Option<Timestamp>,
    /// When it ended.
    #[serde(default, with = "super::time::optional", skip_serializing_if = "Option::is_none")]
    pub finished_on: Option<Timestamp>,
}

impl Predicate for Provenance {
    const TYPE: &'static str = "https://slsa.dev/provenance/v1";
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::hold;
    use super::*;
    use crate::evidence::digest_set::DigestSet;

    #[test]
    fn fields_are_those_of_the_specification() {
        let object = |key: &str, value: &str| Object::from_iter([(key.to_owned(), json!(value))]);
        let source = ResourceDescriptor {
            uri: Some("git+https://example.com/foo".to_owned()),
            digest: Some(DigestSet::one("gitCommit", &"ab".repeat(20)).unwrap()),
            ..ResourceDescriptor::default()
        };
        let provenance = Provenance {
            build_definition: BuildDefinition {
                build_type: "https://example.com/cargo-package/v1".to_owned(),
                external_parameters: object("package", "foo"),
                internal_parameters: object("cargo", "1.95.0"),
                resolved_dependencies: vec![source.clone()],
            },
            run_details: RunDetails {
                builder: Builder {
                    id: "https://example.com/laptop".to_owned(),
                    builder_dependencies: vec![source.clone()],
                    version: BTreeMap::from([("toolbelt".to_owned(), "0.1.0".to_owned())]),
                },
                metadata: Some(BuildMetadata {
                    invocation_id: Some("7".to_owned()),
                    started_on: Some("2026-11-22T10:00:00.5Z".parse::<Timestamp>().unwrap()),
                    finished_on: None,
                }),
                byproducts: vec![source],
            },
        };
        let source = json!({"uri": "git+https://example.com/foo", "digest": {"gitCommit": "ab".repeat(20)}});
        let written = serde_json::to_value(&provenance).unwrap();
        assert_eq!(written["runDetails"]["metadata"]["startedOn"], "2026-11-22T10:00:00Z");
        let mut whole = provenance;
        whole.run_details.metadata.as_mut().unwrap().started_on = Some("2026-11-22T10:00:00Z".parse().unwrap());
        hold(
            &whole,
            json!({
                "buildDefinition": {
                    "buildType": "https://example.com/cargo-package/v1",
                    "externalParameters": {"package": "foo"},
                    "internalParameters": {"cargo": "1.95.0"},
                    "resolvedDependencies": [source],
                },
                "runDetails": {
                    "builder": {
                        "id": "https://example.com/laptop",
                        "builderDependencies": [source],
                        "version": {"toolbelt": "0.1.0"},
                    },
                    "metadata": {"invocationId": "7", "startedOn": "2026-11-22T10:00:00Z"},
                    "byproducts": [source],
                },
            }),
        );
    }
}
