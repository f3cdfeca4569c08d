//! The elements that documents are made of, as far as they are needed, with the names that the
//! [context](https://spdx.org/rdf/3.0.1/spdx-context.jsonld) gives them.

use serde::Serialize;

/// Something of the graph.
#[derive(Debug, Serialize)]
#[serde(tag = "type")]
pub(super) enum Element<'a> {
    CreationInfo(CreationInfo),
    Agent(Agent<'a>),
    SoftwareAgent(Agent<'a>),
    Tool(Agent<'a>),
    SpdxDocument(Collection),
    #[serde(rename = "software_Sbom")]
    Sbom(Collection),
    #[serde(rename = "software_Package")]
    Package(Package<'a>),
    Relationship(Relationship),
    LifecycleScopedRelationship(Relationship),
    #[serde(rename = "simplelicensing_LicenseExpression")]
    LicenseExpression(LicenseExpression),
    #[serde(rename = "simplelicensing_SimpleLicensingText")]
    LicensingText(LicensingText),
}

/// When and by whom elements were made.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreationInfo {
    #[serde(rename = "@id")]
    pub(super) id: &'static str,
    pub(super) spec_version: &'static str,
    pub(super) created: String,
    pub(super) created_by: [String; 1],
    pub(super) created_using: [String; 1],
}

/// Somebody or some program.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Agent<'a> {
    pub(super) spdx_id: String,
    pub(super) creation_info: &'static str,
    pub(super) name: &'a str,
}

/// A document, or a bill of materials.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Collection {
    pub(super) spdx_id: String,
    pub(super) creation_info: &'static str,
    pub(super) name: String,
    pub(super) comment: String,
    pub(super) profile_conformance: [&'static str; 3],
    pub(super) root_element: [String; 1],
    pub(super) element: Vec<String>,
    #[serde(rename = "software_sbomType", skip_serializing_if = "Option::is_none")]
    pub(super) sbom_type: Option<[&'static str; 1]>,
}

/// A package.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Package<'a> {
    pub(super) spdx_id: String,
    pub(super) creation_info: &'static str,
    pub(super) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<&'a str>,
    pub(super) comment: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) originated_by: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) verified_using: Vec<Hash>,
    pub(super) external_identifier: [ExternalIdentifier<'a>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) external_ref: Vec<ExternalRef<'a>>,
    #[serde(rename = "software_primaryPurpose")]
    pub(super) primary_purpose: &'static str,
    #[serde(rename = "software_packageVersion")]
    pub(super) version: &'a str,
    #[serde(rename = "software_packageUrl")]
    pub(super) purl: &'a str,
    #[serde(rename = "software_downloadLocation", skip_serializing_if = "Option::is_none")]
    pub(super) download_location: Option<&'a str>,
    #[serde(rename = "software_homePage", skip_serializing_if = "Option::is_none")]
    pub(super) home_page: Option<&'a str>,
}

/// A digest.
#[derive(Debug, Serialize)]
pub(super) struct Hash {
    #[serde(rename = "type")]
    kind: &'static str,
    algorithm: &'static str,
    #[serde(rename = "hashValue")]
    digits: String,
}

impl Hash {
    pub(super) fn sha256(digits: String) -> Self {
        Self { kind: "Hash", algorithm: "sha256", digits }
    }
}

/// How others name a package.
#[derive(Debug, Serialize)]
pub(super) struct ExternalIdentifier<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "externalIdentifierType")]
    scheme: &'static str,
    identifier: &'a str,
}

impl<'a> ExternalIdentifier<'a> {
    pub(super) fn package_url(identifier: &'a str) -> Self {
        Self { kind: "ExternalIdentifier", scheme: "packageUrl", identifier }
    }
}

/// Something about a package elsewhere.
#[derive(Debug, Serialize)]
pub(super) struct ExternalRef<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "externalRefType")]
    about: &'static str,
    locator: [&'a str; 1],
}

impl<'a> ExternalRef<'a> {
    pub(super) fn new(about: &'static str, locator: &'a str) -> Self {
        Self { kind: "ExternalRef", about, locator: [locator] }
    }
}

/// What one element has to do with others; with a scope, when in the life of the software.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Relationship {
    pub(super) spdx_id: String,
    pub(super) creation_info: &'static str,
    #[serde(rename = "relationshipType")]
    pub(super) kind: &'static str,
    pub(super) from: String,
    pub(super) to: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) completeness: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<&'static str>,
}

/// A licence, or an expression of several.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LicenseExpression {
    pub(super) spdx_id: String,
    pub(super) creation_info: &'static str,
    #[serde(rename = "simplelicensing_licenseExpression")]
    pub(super) expression: String,
    #[serde(rename = "simplelicensing_licenseListVersion")]
    pub(super) list_version: &'static str,
    #[serde(rename = "simplelicensing_customIdToUri", skip_serializing_if = "Vec::is_empty")]
    pub(super) custom_id_to_uri: Vec<DictionaryEntry>,
}

/// What a word of an expression means.
#[derive(Debug, Serialize)]
pub(super) struct DictionaryEntry {
    #[serde(rename = "type")]
    kind: &'static str,
    key: String,
    value: String,
}

impl DictionaryEntry {
    pub(super) fn new(key: String, value: String) -> Self {
        Self { kind: "DictionaryEntry", key, value }
    }
}

/// A licence in words.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LicensingText {
    pub(super) spdx_id: String,
    pub(super) creation_info: &'static str,
    #[serde(rename = "simplelicensing_licenseText")]
    pub(super) text: String,
}
