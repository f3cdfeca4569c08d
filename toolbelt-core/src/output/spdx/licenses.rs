//! The licences of a document: each one once, however many packages declare it.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::CREATION_INFO;
use super::elements::{DictionaryEntry, Element, LicenseExpression, LicensingText};
use crate::subject::declared_license::DeclaredLicense;
use crate::subject::digest::hex;

/// The element that stands for no licence being declared.
const NO_LICENSE: &str = "expandedlicensing_NoneLicense";

/// The licences that packages declare, with their ids.
pub(super) struct Licenses<'a> {
    namespace: &'a str,
    ids: BTreeMap<&'a DeclaredLicense, String>,
}

impl<'a> Licenses<'a> {
    pub(super) fn new(namespace: &'a str, declared: impl Iterator<Item = &'a DeclaredLicense>) -> Self {
        let mut ids: BTreeMap<_, _> = declared.map(|license| (license, String::new())).collect();
        for (number, id) in ids.values_mut().enumerate() {
            *id = format!("{namespace}#licence/{number}");
        }
        Self { namespace, ids }
    }

    /// The id of what a package declares.
    pub(super) fn id(&self, declared: Option<&DeclaredLicense>) -> String {
        declared.and_then(|declared| self.ids.get(declared)).map_or(NO_LICENSE, String::as_str).to_owned()
    }

    /// All of them, with what their words mean.
    pub(super) fn into_elements<'e>(self) -> Vec<(String, Element<'e>)> {
        let mut elements = Vec::new();
        for (license, id) in self.ids {
            let (expression, words) = match license {
                DeclaredLicense::Id(expression) | DeclaredLicense::Expression(expression) => (expression.clone(), None),
                DeclaredLicense::Words(words) => (reference(words), Some(words.clone())),
                DeclaredLicense::File(name) => (reference(name), Some(format!("see the file {name} in the package"))),
            };
            let text_id = format!("{}#licence-text/{expression}", self.namespace);
            let meaning = words.iter().map(|_| DictionaryEntry::new(expression.clone(), text_id.clone())).collect();
            elements.push((
                id.clone(),
                Element::LicenseExpression(LicenseExpression {
                    spdx_id: id,
                    creation_info: CREATION_INFO,
                    expression,
                    list_version: spdx::license_version(),
                    custom_id_to_uri: meaning,
                }),
            ));
            if let Some(text) = words {
                let element = LicensingText { spdx_id: text_id.clone(), creation_info: CREATION_INFO, text };
                elements.push((text_id, Element::LicensingText(element)));
            }
        }
        elements
    }
}

/// A word for a licence that has none, which follows from what is said of it.
fn reference(words: &str) -> String {
    format!("LicenseRef-{}", &hex(&Sha256::digest(words))[..16])
}
