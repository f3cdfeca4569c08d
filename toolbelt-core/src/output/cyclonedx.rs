//! A bill of materials as [CycloneDX 1.7](https://cyclonedx.org/docs/1.7/json/), JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::content_id::ContentId;
use super::escape;
use crate::subject::bill_of_materials::{BillOfMaterials, Completeness, Component, Origin};
use crate::subject::declared_license::DeclaredLicense;
use crate::subject::feature_resolution::{Features, Tests};
use crate::subject::package::DependencyKind;

/// Writes a document; for one bill of materials always the same bytes.
///
/// # Errors
///
/// If `out` cannot be written to.
pub fn write(bill: &BillOfMaterials, out: &mut dyn Write) -> io::Result<()> {
    let mut document = Document::from(bill);
    let mut unnamed = Vec::new();
    escape::write_json(&document, &mut unnamed)?;
    document.serial_number = Some(ContentId::of(&unnamed).urn());
    escape::write_json(&document, out)
}

/// The document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_number: Option<String>,
    version: u32,
    metadata: Metadata<'a>,
    components: Vec<JsonComponent<'a>>,
    dependencies: Vec<Dependency<'a>>,
    compositions: Vec<Composition<'a>>,
}

impl<'a> From<&'a BillOfMaterials> for Document<'a> {
    fn from(bill: &'a BillOfMaterials) -> Self {
        let others = bill.components.iter().enumerate().filter(|(index, _)| *index != bill.root);
        Self {
            schema: "http://cyclonedx.org/schema/bom-1.7.schema.json",
            bom_format: "CycloneDX",
            spec_version: "1.7",
            serial_number: None,
            version: 1,
            metadata: Metadata::from(bill),
            components: others.map(|(_, component)| JsonComponent::from(component)).collect(),
            dependencies: dependencies(bill),
            compositions: compositions(bill),
        }
    }
}

/// What the document says of itself.
#[derive(Debug, Serialize)]
struct Metadata<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    lifecycles: [Lifecycle; 1],
    tools: Tools<'a>,
    component: JsonComponent<'a>,
    properties: Vec<Property>,
}

impl<'a> From<&'a BillOfMaterials> for Metadata<'a> {
    fn from(bill: &'a BillOfMaterials) -> Self {
        let tool = &bill.maker.tool;
        let (name, version) =
            tool.split_once(' ').map_or((tool.as_str(), None), |(name, version)| (name, Some(version)));
        let root = JsonComponent::from(&bill.components[bill.root]);
        Self {
            timestamp: bill.maker.time.map(|time| time.to_string()),
            lifecycles: [Lifecycle { phase: "pre-build" }],
            tools: Tools { components: [Tool { kind: "application", name, version }] },
            // Scope is how something is used by the whole, which the whole is not.
            component: JsonComponent { scope: None, ..root },
            properties: properties_of_document(bill),
        }
    }
}

/// When in the life of the software the document was made.
#[derive(Debug, Serialize)]
struct Lifecycle {
    phase: &'static str,
}

/// What made the document.
#[derive(Debug, Serialize)]
struct Tools<'a> {
    components: [Tool<'a>; 1],
}

/// A program that made the document.
#[derive(Debug, Serialize)]
struct Tool<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
}

/// A package.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonComponent<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref")]
    reference: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<Author<'a>>,
    name: &'a str,
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<LicenseChoice<'a>>,
    purl: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_references: Vec<ExternalReference<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

impl<'a> From<&'a Component> for JsonComponent<'a> {
    fn from(component: &'a Component) -> Self {
        Self {
            kind: if component.builds.program && !component.builds.library { "application" } else { "library" },
            reference: &component.reference,
            authors: component.authors.iter().map(|name| Author { name }).collect(),
            name: &component.name,
            version: &component.version,
            description: component.description.as_deref(),
            scope: Some(match component.usage.kind {
                DependencyKind::Normal => "required",
                // Not reachable when the result runs.
                DependencyKind::Build | DependencyKind::Dev => "excluded",
            }),
            hashes: hashes(component),
            licenses: component.license.iter().map(LicenseChoice::from).collect(),
            purl: &component.purl,
            external_references: external_references(component),
            properties: properties_of_component(component),
        }
    }
}

/// Who wrote something.
#[derive(Debug, Serialize)]
struct Author<'a> {
    name: &'a str,
}

/// A digest of the `.crate`.
#[derive(Debug, Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

fn hashes(component: &Component) -> Vec<Hash> {
    component.digest.iter().map(|digest| Hash { alg: "SHA-256", content: digest.to_string() }).collect()
}

/// A licence, or an expression of several.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum LicenseChoice<'a> {
    License { license: License<'a> },
    Expression { acknowledgement: &'static str, expression: &'a str },
}

/// One licence.
#[derive(Debug, Serialize)]
struct License<'a> {
    acknowledgement: &'static str,
    #[serde(flatten)]
    name: LicenseName<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum LicenseName<'a> {
    Id(&'a str),
    Name(String),
}

impl<'a> From<&'a DeclaredLicense> for LicenseChoice<'a> {
    fn from(license: &'a DeclaredLicense) -> Self {
        let acknowledgement = "declared";
        let named = |name| Self::License { license: License { acknowledgement, name } };
        match license {
            DeclaredLicense::Id(id) => named(LicenseName::Id(id)),
            DeclaredLicense::Expression(expression) => Self::Expression { acknowledgement, expression },
            DeclaredLicense::Words(words) => named(LicenseName::Name(words.clone())),
            DeclaredLicense::File(name) => named(LicenseName::Name(format!("see the file {name} in the package"))),
        }
    }
}

/// Something about a package elsewhere.
#[derive(Debug, Serialize)]
struct ExternalReference<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    url: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
}

fn external_references(component: &Component) -> Vec<ExternalReference<'_>> {
    let download = component.download.as_deref().map(|url| match component.origin {
        Origin::Git => ("source-distribution", url, Vec::new()),
        Origin::Registry | Origin::Directory | Origin::Other => ("distribution", url, hashes(component)),
    });
    let pages =
        [("vcs", &component.repository), ("website", &component.homepage), ("documentation", &component.documentation)];
    let pages = pages.into_iter().filter_map(|(kind, url)| Some((kind, url.as_ref()?.as_str(), Vec::new())));
    download.into_iter().chain(pages).map(|(kind, url, hashes)| ExternalReference { kind, url, hashes }).collect()
}

/// Something for which the format has no word.
#[derive(Debug, Serialize)]
struct Property {
    name: &'static str,
    value: String,
}

/// Names of the taxonomy of [rustc](https://github.com/CycloneDX/cyclonedx-property-taxonomy/blob/main/cdx/rustc.md)
/// where it has them.
fn properties_of_document(bill: &BillOfMaterials) -> Vec<Property> {
    let scope = &bill.scope;
    let mut properties = Vec::new();
    let mut add = |name, value: String| properties.push(Property { name, value });
    if scope.targets.is_empty() {
        add("cdx:rustc:sbom:target:all_targets", "true".to_owned());
    }
    for target in &scope.targets {
        add("cdx:rustc:sbom:target:triple", target.clone());
    }
    if let Some(host) = &scope.host {
        add("toolbelt:sbom:host", host.clone());
    }
    let (defaults, named) = match &scope.features {
        Features::All => ("all", &Vec::new()),
        Features::Default(named) => ("default", named),
        Features::Only(named) => ("none", named),
    };
    add(
        "toolbelt:sbom:features",
        std::iter::once(defaults).chain(named.iter().map(String::as_str)).collect::<Vec<_>>().join(","),
    );
    let kinds = match scope.tests {
        Tests::LeftOut => "normal,build",
        Tests::Included => "normal,build,dev",
    };
    add("toolbelt:sbom:dependency-kinds", kinds.to_owned());
    properties
}

fn properties_of_component(component: &Component) -> Vec<Property> {
    let mut properties = Vec::new();
    let mut add = |name, value: String| properties.push(Property { name, value });
    add("toolbelt:cargo:kind", component.usage.kind.as_str().to_owned());
    if !component.usage.features.is_empty() {
        add("toolbelt:cargo:features", joined(&component.usage.features));
    }
    if let Some(features) = &component.usage.features_at_build_time {
        add("toolbelt:cargo:features-at-build-time", joined(features));
    }
    if component.builds.proc_macro {
        add("toolbelt:cargo:proc-macro", "true".to_owned());
    }
    if component.is_conditional {
        add("toolbelt:cargo:some-targets-only", "true".to_owned());
    }
    if component.origin == Origin::Directory {
        add("toolbelt:cargo:source", "directory".to_owned());
    }
    properties
}

fn joined(features: &std::collections::BTreeSet<String>) -> String {
    features.iter().map(String::as_str).collect::<Vec<_>>().join(",")
}

/// What one package needs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency<'a> {
    #[serde(rename = "ref")]
    reference: &'a str,
    depends_on: Vec<&'a str>,
}

/// One entry for every package: an empty list says that it needs nothing, no entry that nobody knows.
fn dependencies(bill: &BillOfMaterials) -> Vec<Dependency<'_>> {
    let mut dependencies: Vec<Dependency<'_>> = bill
        .components
        .iter()
        .map(|component| Dependency { reference: &component.reference, depends_on: Vec::new() })
        .collect();
    // Edges are sorted by both ends, so what is needed in two ways comes twice in a row.
    for edge in &bill.edges {
        let reference = bill.components[edge.to].reference.as_str();
        let depends_on = &mut dependencies[edge.from].depends_on;
        if depends_on.last() != Some(&reference) {
            depends_on.push(reference);
        }
    }
    dependencies
}

/// How complete the list of what some packages need is.
#[derive(Debug, Serialize)]
struct Composition<'a> {
    aggregate: &'static str,
    dependencies: Vec<&'a str>,
}

fn compositions(bill: &BillOfMaterials) -> Vec<Composition<'_>> {
    let kinds = [
        ("complete", Completeness::Complete),
        ("incomplete", Completeness::Incomplete),
        ("unknown", Completeness::Unknown),
    ];
    let of = |wanted| {
        let components = bill.components.iter().filter(move |component| component.completeness == wanted);
        components.map(|component| component.reference.as_str()).collect::<Vec<_>>()
    };
    let compositions = kinds.into_iter().map(|(aggregate, kind)| Composition { aggregate, dependencies: of(kind) });
    compositions.filter(|composition| !composition.dependencies.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::output::bill_example;

    fn written(bill: &BillOfMaterials) -> (String, Value) {
        let mut bytes = Vec::new();
        write(bill, &mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let value = serde_json::from_str(&text).unwrap();
        (text, value)
    }

    #[test]
    fn every_part_has_its_name() {
        let (_, document) = written(&bill_example::bill());
        assert_eq!(document["specVersion"], "1.7");
        assert_eq!(
            document["metadata"]["component"],
            json!({ "type": "application", "bom-ref": "pkg:cargo/app@1.2.3", "name": "app", "version": "1.2.3",
                "licenses": [{ "acknowledgement": "declared", "expression": "MIT OR Apache-2.0" }],
                "purl": "pkg:cargo/app@1.2.3",
                "properties": [{ "name": "toolbelt:cargo:kind", "value": "normal" },
                    { "name": "toolbelt:cargo:features", "value": "default" },
                    { "name": "toolbelt:cargo:source", "value": "directory" }] })
        );
        assert_eq!(
            document["components"][0],
            json!({ "type": "library", "bom-ref": "pkg:cargo/b@1.2.3", "authors": [{ "name": "Ann" }], "name": "b",
                "version": "1.2.3", "scope": "required", "hashes": [{ "alg": "SHA-256", "content": "07".repeat(32) }],
                "licenses": [{ "license": { "acknowledgement": "declared", "name": "mine, all mine" } }],
                "purl": "pkg:cargo/b@1.2.3",
                "externalReferences": [{ "type": "distribution",
                    "url": "https://static.crates.io/crates/b/1.2.3/download",
                    "hashes": [{ "alg": "SHA-256", "content": "07".repeat(32) }] }],
                "properties": [{ "name": "toolbelt:cargo:kind", "value": "normal" },
                    { "name": "toolbelt:cargo:features", "value": "default" }] })
        );
        assert_eq!(document["components"][1]["scope"], "excluded", "a procedural macro runs in the compiler");
        let git = format!("pkg:cargo/d@1.2.3?vcs_url=git%2Bhttps:%2F%2Fexample.org%2Fd.git%40{}", "ab".repeat(20));
        assert_eq!(document["components"][2]["purl"], git);
        assert_eq!(
            document["dependencies"],
            json!([{ "ref": "pkg:cargo/app@1.2.3", "dependsOn": ["pkg:cargo/b@1.2.3", "pkg:cargo/c@1.2.3"] },
                { "ref": "pkg:cargo/b@1.2.3", "dependsOn": [git] },
                { "ref": "pkg:cargo/c@1.2.3", "dependsOn": [] }, { "ref": git, "dependsOn": [] }])
        );
        assert_eq!(
            document["compositions"],
            json!([{ "aggregate": "complete", "dependencies": ["pkg:cargo/app@1.2.3", git] },
                { "aggregate": "incomplete", "dependencies": ["pkg:cargo/b@1.2.3"] },
                { "aggregate": "unknown", "dependencies": ["pkg:cargo/c@1.2.3"] }])
        );
    }

    proptest! {
        #[test]
        fn it_holds_together_whatever_strangers_wrote(bill in bill_example::hostile()) {
            let (text, document) = written(&bill);
            prop_assert!(!text.contains(|character| character != '\n' && escape::is_hidden(character)));
            let components = document["components"].as_array().unwrap().iter().chain([&document["metadata"]["component"]]);
            let references: Vec<&str> = components.map(|component| component["bom-ref"].as_str().unwrap()).collect();
            let unique: BTreeSet<&str> = references.iter().copied().collect();
            prop_assert_eq!(unique.len(), references.len());
            for dependency in document["dependencies"].as_array().unwrap() {
                let needed: Vec<&str> = dependency["dependsOn"].as_array().unwrap().iter().map(|to| to.as_str().unwrap()).collect();
                prop_assert!(needed.iter().all(|to| unique.contains(to)));
                prop_assert_eq!(needed.iter().collect::<BTreeSet<_>>().len(), needed.len());
            }
        }
    }
}
