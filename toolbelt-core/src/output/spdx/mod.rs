//! A bill of materials as [SPDX 3.0.1](https://spdx.github.io/spdx-spec/v3.0.1/), JSON-LD.
//!
//! The ids of elements begin with one that follows from the content, so that two documents do not speak of one element.

mod elements;
mod licenses;

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use self::elements::{
    Agent, Collection, CreationInfo, Element, ExternalIdentifier, ExternalRef, Hash, Package, Relationship,
};
use self::licenses::Licenses;
use super::content_id::ContentId;
use super::escape;
use crate::subject::bill_of_materials::{BillOfMaterials, Completeness, Component};
use crate::subject::feature_resolution::{Features, Tests};
use crate::subject::package::DependencyKind;
use crate::subject::web_address::WebAddress;

/// The blank node that every element refers to.
const CREATION_INFO: &str = "_:creationInfo";
/// The element that stands for there being none.
const NOTHING: &str = "NoneElement";
/// The element that stands for nobody saying.
const NOBODY_SAYS: &str = "NoAssertionElement";

/// Writes a document; for one bill of materials always the same bytes.
///
/// The format demands a date. Where the bill of materials has none it is 1970-01-01, as for files in reproducible archives.
///
/// # Errors
///
/// If `out` cannot be written to.
pub fn write(bill: &BillOfMaterials, out: &mut dyn Write) -> io::Result<()> {
    let mut unnamed = Vec::new();
    escape::write_json(&document(bill, "urn:uuid:00000000-0000-8000-8000-000000000000"), &mut unnamed)?;
    escape::write_json(&document(bill, &ContentId::of(&unnamed).urn()), out)
}

/// The document.
#[derive(Debug, Serialize)]
struct Document<'a> {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(rename = "@graph")]
    graph: Vec<Element<'a>>,
}

fn document<'a>(bill: &'a BillOfMaterials, namespace: &str) -> Document<'a> {
    let mut graph = Graph { bill, namespace, elements: Vec::new(), ids: Vec::new() };
    graph.add_packages();
    graph.add_dependencies();
    graph.add_licenses();
    let (elements, ids) = (graph.elements, graph.ids);
    let mut all = opening(bill, namespace, ids);
    all.extend(elements);
    Document { context: "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", graph: all }
}

/// What stands before the packages: who made this, and what it is about.
fn opening<'a>(bill: &'a BillOfMaterials, namespace: &str, ids: Vec<String>) -> Vec<Element<'a>> {
    let id = |name: &str| format!("{namespace}#{name}");
    let root = &bill.components[bill.root];
    let name = format!("{} {}", root.name, root.version);
    let created = bill.maker.time.unwrap_or(Timestamp::UNIX_EPOCH).to_string();
    let creation = CreationInfo {
        id: CREATION_INFO,
        spec_version: "3.0.1",
        created,
        created_by: [id("agent")],
        created_using: [id("tool")],
    };
    let maker = |name| Agent { spdx_id: id(name), creation_info: CREATION_INFO, name: &bill.maker.tool };
    let collection = |name_of, root_element, mut element: Vec<String>, more: &[&str]| {
        element.extend(more.iter().map(|name| id(name)));
        Collection {
            spdx_id: id(name_of),
            creation_info: CREATION_INFO,
            name: name.clone(),
            comment: scope(bill),
            profile_conformance: ["core", "simpleLicensing", "software"],
            root_element: [root_element],
            element,
            sbom_type: None,
        }
    };
    let document = collection("document", id("sbom"), ids.clone(), &["agent", "tool", "sbom"]);
    let sbom = collection("sbom", package_id(namespace, root), ids, &[]);
    vec![
        Element::CreationInfo(creation),
        Element::SoftwareAgent(maker("agent")),
        Element::Tool(maker("tool")),
        Element::SpdxDocument(document),
        Element::Sbom(Collection { sbom_type: Some(["source"]), ..sbom }),
    ]
}

/// For what the document holds, in words.
fn scope(bill: &BillOfMaterials) -> String {
    let scope = &bill.scope;
    let targets = if scope.targets.is_empty() { "all".to_owned() } else { scope.targets.join(", ") };
    let host = scope.host.as_ref().map(|host| format!("; host: {host}")).unwrap_or_default();
    let features = match &scope.features {
        Features::All => "all".to_owned(),
        Features::Default(named) if named.is_empty() => "default".to_owned(),
        Features::Default(named) => format!("default, {}", named.join(", ")),
        Features::Only(named) if named.is_empty() => "none".to_owned(),
        Features::Only(named) => named.join(", "),
    };
    let kinds = match scope.tests {
        Tests::LeftOut => "normal, build",
        Tests::Included => "normal, build, dev",
    };
    format!("targets: {targets}{host}; features: {features}; kinds of dependencies: {kinds}")
}

fn package_id(namespace: &str, component: &Component) -> String {
    // A second `#` is not allowed.
    format!("{namespace}#{}", component.reference.replace('#', "/"))
}

/// Elements with their ids, in the same order.
struct Graph<'a, 'n> {
    bill: &'a BillOfMaterials,
    namespace: &'n str,
    elements: Vec<Element<'a>>,
    ids: Vec<String>,
}

impl<'a> Graph<'a, '_> {
    fn id(&self, name: &str) -> String {
        format!("{}#{name}", self.namespace)
    }

    fn add(&mut self, id: &str, element: Element<'a>) {
        self.ids.push(id.to_owned());
        self.elements.push(element);
    }

    fn add_packages(&mut self) {
        let mut authors: Vec<&'a str> =
            self.bill.components.iter().flat_map(|c| &c.authors).map(String::as_str).collect();
        authors.sort_unstable();
        authors.dedup();
        for (number, name) in authors.iter().enumerate() {
            let spdx_id = self.id(&format!("author/{number}"));
            self.add(&spdx_id.clone(), Element::Agent(Agent { spdx_id, creation_info: CREATION_INFO, name }));
        }
        for component in &self.bill.components {
            let numbers = component.authors.iter().filter_map(|name| authors.binary_search(&name.as_str()).ok());
            let originated_by = numbers.map(|number| self.id(&format!("author/{number}"))).collect();
            let package = package(component, package_id(self.namespace, component), originated_by);
            self.add(&package.spdx_id.clone(), Element::Package(package));
        }
    }

    /// What each package needs, one relationship for each kind; where it needs nothing this is said.
    fn add_dependencies(&mut self) {
        let bill = self.bill;
        for (index, component) in bill.components.iter().enumerate() {
            let mut is_leaf = true;
            for kind in DependencyKind::ALL {
                let to: Vec<String> =
                    bill.needs(index, kind).map(|needed| package_id(self.namespace, needed)).collect();
                if !to.is_empty() {
                    is_leaf = false;
                    self.add_dependency(index, component, kind, to);
                }
            }
            if is_leaf {
                let nothing = match component.completeness {
                    Completeness::Complete => NOTHING,
                    Completeness::Incomplete | Completeness::Unknown => NOBODY_SAYS,
                };
                self.add_dependency(index, component, DependencyKind::Normal, vec![nothing.to_owned()]);
            }
        }
    }

    fn add_dependency(&mut self, index: usize, component: &Component, kind: DependencyKind, to: Vec<String>) {
        let spdx_id = self.id(&format!("needs/{index}/{}", kind.as_str()));
        let relationship = Relationship {
            spdx_id: spdx_id.clone(),
            creation_info: CREATION_INFO,
            kind: "dependsOn",
            from: package_id(self.namespace, component),
            to,
            completeness: Some(match component.completeness {
                Completeness::Complete => "complete",
                Completeness::Incomplete => "incomplete",
                Completeness::Unknown => "noAssertion",
            }),
            scope: Some(match kind {
                DependencyKind::Normal => "runtime",
                DependencyKind::Build => "build",
                DependencyKind::Dev => "development",
            }),
        };
        self.add(&spdx_id, Element::LifecycleScopedRelationship(relationship));
    }

    fn add_licenses(&mut self) {
        let licenses = Licenses::new(self.namespace, self.bill.components.iter().filter_map(|c| c.license.as_ref()));
        for (index, component) in self.bill.components.iter().enumerate() {
            let spdx_id = self.id(&format!("licence/of/{index}"));
            let relationship = Relationship {
                spdx_id: spdx_id.clone(),
                creation_info: CREATION_INFO,
                kind: "hasDeclaredLicense",
                from: package_id(self.namespace, component),
                to: vec![licenses.id(component.license.as_ref())],
                completeness: None,
                scope: None,
            };
            self.add(&spdx_id, Element::Relationship(relationship));
        }
        for (id, element) in licenses.into_elements() {
            self.add(&id, element);
        }
    }
}

fn package(component: &Component, spdx_id: String, originated_by: Vec<String>) -> Package<'_> {
    let references = [("vcs", &component.repository), ("documentation", &component.documentation)];
    let references = references.into_iter().filter_map(|(kind, url)| Some((kind, url.as_ref()?.as_str())));
    Package {
        spdx_id,
        creation_info: CREATION_INFO,
        name: &component.name,
        version: &component.version,
        description: component.description.as_deref(),
        comment: comment(component),
        originated_by,
        verified_using: component.digest.iter().map(|digest| Hash::sha256(digest.to_string())).collect(),
        external_identifier: [ExternalIdentifier::package_url(&component.purl)],
        external_ref: references.map(|(kind, url)| ExternalRef::new(kind, url)).collect(),
        purl: &component.purl,
        download_location: component.download.as_deref(),
        home_page: component.homepage.as_ref().map(WebAddress::as_str),
        primary_purpose: if component.builds.program && !component.builds.library { "application" } else { "library" },
    }
}

/// What the format has no word for.
fn comment(component: &Component) -> String {
    let joined = |features: &std::collections::BTreeSet<String>| {
        if features.is_empty() { "none".to_owned() } else { features.iter().cloned().collect::<Vec<_>>().join(", ") }
    };
    let mut parts = vec![format!("kind: {}", component.usage.kind.as_str())];
    parts.push(format!("features: {}", joined(&component.usage.features)));
    if let Some(features) = &component.usage.features_at_build_time {
        parts.push(format!("features at build time: {}", joined(features)));
    }
    parts.extend(component.builds.proc_macro.then(|| "procedural macro".to_owned()));
    parts.extend(component.is_conditional.then(|| "on some targets only".to_owned()));
    parts.join("; ")
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

    /// The document's elements with their ids shortened to what follows the namespace.
    fn elements(bill: &BillOfMaterials) -> Vec<Value> {
        let (text, document) = written(bill);
        let id = document["@graph"][1]["spdxId"].as_str().unwrap();
        let short: Value = serde_json::from_str(&text.replace(id.split_once('#').unwrap().0, "")).unwrap();
        short["@graph"].as_array().unwrap().clone()
    }

    #[test]
    fn every_part_has_its_name() {
        let elements = elements(&bill_example::bill());
        let find = |id: &str| elements.iter().find(|element| element["spdxId"] == id).unwrap();
        assert_eq!(
            find("#pkg:cargo/b@1.2.3"),
            &json!({ "type": "software_Package", "spdxId": "#pkg:cargo/b@1.2.3", "creationInfo": "_:creationInfo",
                "name": "b", "comment": "kind: normal; features: default", "originatedBy": ["#author/0"],
                "verifiedUsing": [{ "type": "Hash", "algorithm": "sha256", "hashValue": "07".repeat(32) }],
                "externalIdentifier": [{ "type": "ExternalIdentifier", "externalIdentifierType": "packageUrl",
                    "identifier": "pkg:cargo/b@1.2.3" }],
                "software_primaryPurpose": "library", "software_packageVersion": "1.2.3",
                "software_packageUrl": "pkg:cargo/b@1.2.3",
                "software_downloadLocation": "https://static.crates.io/crates/b/1.2.3/download" })
        );
        let git = format!("#pkg:cargo/d@1.2.3?vcs_url=git%2Bhttps:%2F%2Fexample.org%2Fd.git%40{}", "ab".repeat(20));
        for (id, to, completeness, scope) in [
            ("#needs/0/normal", json!(["#pkg:cargo/b@1.2.3"]), "complete", "runtime"),
            ("#needs/0/build", json!(["#pkg:cargo/c@1.2.3"]), "complete", "build"),
            ("#needs/1/normal", json!([git]), "incomplete", "runtime"),
            ("#needs/1/build", json!([git]), "incomplete", "build"),
            ("#needs/2/normal", json!(["NoAssertionElement"]), "noAssertion", "runtime"),
            ("#needs/3/normal", json!(["NoneElement"]), "complete", "runtime"),
        ] {
            let needs = find(id);
            assert_eq!(
                (&needs["to"], &needs["completeness"], &needs["scope"]),
                (&to, &json!(completeness), &json!(scope)),
                "{id}"
            );
        }
        assert_eq!(find("#licence/of/0")["to"], json!(["#licence/0"]));
        assert_eq!(find("#licence/0")["simplelicensing_licenseExpression"], "MIT OR Apache-2.0");
        let words = &find("#licence/1")["simplelicensing_customIdToUri"][0];
        assert_eq!(find(words["value"].as_str().unwrap())["simplelicensing_licenseText"], "mine, all mine");
        assert_eq!(find("#licence/of/2")["to"], json!(["expandedlicensing_NoneLicense"]));
    }

    proptest! {
        #[test]
        fn it_holds_together_whatever_strangers_wrote(bill in bill_example::hostile()) {
            let (text, document) = written(&bill);
            prop_assert!(!text.contains(|character| character != '\n' && escape::is_hidden(character)));
            let graph = document["@graph"].as_array().unwrap();
            let ids: Vec<&str> = graph.iter().filter_map(|element| element["spdxId"].as_str()).collect();
            let unique: BTreeSet<&str> = ids.iter().copied().collect();
            prop_assert_eq!(unique.len(), ids.len());
            prop_assert_eq!(graph.len(), ids.len() + 1, "all but the creation info have an id");
            let plain = |id: &&str| id.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&byte));
            prop_assert!(ids.iter().all(plain), "{:?}", ids);
            prop_assert!(ids.iter().all(|id| id.matches('#').count() == 1));
            for relationship in graph.iter().filter(|element| element["relationshipType"].is_string()) {
                let to = relationship["to"].as_array().unwrap().iter().map(|to| to.as_str().unwrap());
                prop_assert!(to.filter(|to| to.contains(':')).all(|to| unique.contains(to)));
                prop_assert!(unique.contains(relationship["from"].as_str().unwrap()));
            }
        }
    }
}
