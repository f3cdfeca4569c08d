//! The payload: a claim about things that are named by their digests.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::digest_set::DigestSet;
use super::json;

/// An in-toto [Statement](https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md), version 1.
///
/// It has at least one subject, and every subject has a digest.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    subjects: Vec<ResourceDescriptor>,
    predicate_type: String,
    predicate: Value,
}

/// A thing, as in-toto [describes](https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md) it.
///
/// Fields that the specification does not name are not kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceDescriptor {
    /// What people call it; of several subjects of one statement it tells which is which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What identifies it everywhere: a package URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// What is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<DigestSet>,
    /// The thing itself, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Where it can be had, if that is another place than `uri`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub download_location: Option<String>,
    /// Its media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What else is said of it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub annotations: Map<String, Value>,
}

/// Why something is no statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is not JSON within limits.
    #[error("the statement is not JSON that can be read: {0}")]
    Json(String),
    /// It is of another type or version.
    #[error("`_type` is not `{TYPE}`")]
    Type,
    /// A part of it is not what it should be.
    #[error("the statement is not as in-toto specifies: {0}")]
    Form(String),
    /// What the envelope holds is something else, by its type.
    #[error("the payload is {0:?}, and no statement")]
    PayloadType(String),
    /// It is about nothing.
    #[error("the statement has no subject")]
    NoSubject,
    /// It is about more than anybody would look at.
    #[error("the statement has more than {MAX_SUBJECTS} subjects")]
    TooManySubjects,
    /// A subject can be anything.
    #[error("subject {number} of the statement has no digest")]
    NoDigest {
        /// Which, from 1.
        number: usize,
    },
    /// The type of its predicate is no URI.
    #[error("`predicateType` is no URI: {0:?}")]
    PredicateType(String),
}

/// What every statement says that it is.
pub const TYPE: &str = "https://in-toto.io/Statement/v1";
/// The largest statement: an SBOM of some thousand packages has a few MiB.
pub const MAX_BYTES: usize = 24 << 20;
/// The most subjects.
const MAX_SUBJECTS: usize = 10_000;
/// The longest type of a predicate.
const MAX_URI: usize = 2048;

/// As it is written: the fields in the order in which the specification shows them.
#[derive(Serialize, Deserialize)]
struct Form {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<ResourceDescriptor>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    #[serde(default)]
    predicate: Value,
}

impl Statement {
    /// Makes a statement.
    ///
    /// # Errors
    ///
    /// [`Error`] if there is no subject, one has no digest, or the type of the predicate is no URI.
    pub fn new(
        subjects: Vec<ResourceDescriptor>,
        predicate_type: impl Into<String>,
        predicate: Value,
    ) -> Result<Self, Error> {
        let predicate_type = predicate_type.into();
        if subjects.is_empty() {
            return Err(Error::NoSubject);
        }
        if subjects.len() > MAX_SUBJECTS {
            return Err(Error::TooManySubjects);
        }
        if let Some(at) = subjects.iter().position(|subject| subject.digest.is_none()) {
            return Err(Error::NoDigest { number: at + 1 });
        }
        if !is_uri(&predicate_type) {
            return Err(Error::PredicateType(predicate_type.chars().take(100).collect()));
        }
        Ok(Self { subjects, predicate_type, predicate })
    }

    /// Reads a statement; fields that the specification does not name are ignored, as it demands.
    ///
    /// # Errors
    ///
    /// [`Error`] if it is not a statement of this version within limits, or a name occurs twice in one object.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        let value = json::parse(text, MAX_BYTES).map_err(Error::Json)?;
        if value.get("_type").and_then(Value::as_str) != Some(TYPE) {
            return Err(Error::Type);
        }
        let form: Form = json::typed(&value).map_err(Error::Form)?;
        Self::new(form.subject, form.predicate_type, form.predicate)
    }

    /// Reads a claim, by the same rules as a statement.
    ///
    /// # Errors
    ///
    /// What is wrong and where, if it is not JSON within limits, or a name occurs twice in one object.
    pub fn predicate_from(text: &[u8]) -> Result<Value, String> {
        json::parse(text, MAX_BYTES)
    }

    /// Writes it as JSON on one line: the same statement, the same bytes.
    ///
    /// # Panics
    ///
    /// Never: strings, lists and maps with strings for keys can be written.
    pub fn to_json(&self) -> Vec<u8> {
        let form = Form {
            kind: TYPE.to_owned(),
            subject: self.subjects.clone(),
            predicate_type: self.predicate_type.clone(),
            predicate: self.predicate.clone(),
        };
        serde_json::to_vec(&form).expect("strings, lists and maps with strings for keys can be written")
    }

    /// What it is about, in the order in which it says so.
    pub fn subjects(&self) -> &[ResourceDescriptor] {
        &self.subjects
    }

    /// The type of the claim, a URI.
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// The claim.
    pub fn predicate(&self) -> &Value {
        &self.predicate
    }

    /// Every digest of every subject.
    pub fn digests(&self) -> impl Iterator<Item = (&str, &str)> {
        self.subjects.iter().filter_map(|subject| subject.digest.as_ref()).flat_map(DigestSet::iter)
    }
}

impl ResourceDescriptor {
    /// A thing with a name and a digest.
    pub fn new(name: impl Into<String>, digest: DigestSet) -> Self {
        Self { name: Some(name.into()), digest: Some(digest), ..Self::default() }
    }
}

/// Whether a text has a scheme and then something, without spaces and control characters.
fn is_uri(text: &str) -> bool {
    let has_scheme = text.split_once(':').is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    });
    has_scheme && text.len() <= MAX_URI && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn digest() -> DigestSet {
        DigestSet::one("sha256", &"ab".repeat(32)).unwrap()
    }

    fn statement() -> Statement {
        let subject = ResourceDescriptor::new("foo-1.0.0.crate", digest());
        Statement::new(vec![subject], "https://example.com/p/v1", json!({"b": 1, "a": [true]})).unwrap()
    }

    #[test]
    fn statements_are_written_in_the_order_of_the_specification_and_read_back() {
        let written = statement().to_json();
        let expected = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"foo-1.0.0.crate","digest":{{"sha256":"{}"}}}}],"predicateType":"https://example.com/p/v1","predicate":{{"a":[true],"b":1}}}}"#,
            "ab".repeat(32)
        );
        assert_eq!(String::from_utf8(written.clone()).unwrap(), expected);
        assert_eq!(Statement::parse(&written), Ok(statement()));
    }

    #[test]
    fn unknown_fields_are_ignored_and_a_predicate_may_be_absent() {
        let text = json!({
            "_type": TYPE, "subject": [{"digest": {"sha256": "ab".repeat(32)}, "odd": 1, "annotations": {"x": [1]}}],
            "predicateType": "urn:x", "more": {},
        });
        let statement = Statement::parse(text.to_string().as_bytes()).unwrap();
        assert_eq!(statement.predicate(), &Value::Null);
        assert_eq!(statement.subjects()[0].annotations["x"], json!([1]));
        assert_eq!(statement.digests().collect::<Vec<_>>(), [("sha256", "ab".repeat(32).as_str())]);
    }

    #[test]
    fn each_part_has_to_be_there_and_of_its_kind() {
        let with = |change: &dyn Fn(&mut Value)| {
            let mut value: Value = serde_json::from_slice(&statement().to_json()).unwrap();
            change(&mut value);
            Statement::parse(value.to_string().as_bytes()).unwrap_err()
        };
        assert_eq!(with(&|value| value["_type"] = json!("https://in-toto.io/Statement/v0.1")), Error::Type);
        assert_eq!(with(&|value| value["subject"] = json!([])), Error::NoSubject);
        assert_eq!(with(&|value| value["subject"] = json!([{"name": "x"}])), Error::NoDigest { number: 1 });
        assert!(matches!(with(&|value| value["subject"][0]["digest"] = json!({})), Error::Form(_)));
        assert!(matches!(with(&|value| value["subject"][0]["digest"]["sha256"] = json!("AB")), Error::Form(_)));
        assert!(matches!(with(&|value| value["subject"] = json!({})), Error::Form(_)));
        for kind in ["", "x", ":x", "x:", "1x:y", "https://a b", "https://a\n"] {
            assert_eq!(with(&|value| value["predicateType"] = json!(kind)), Error::PredicateType(kind.to_owned()));
        }
        let subject = ResourceDescriptor::new("x", digest());
        assert_eq!(Statement::new(vec![subject; 10_001], "x:y", Value::Null), Err(Error::TooManySubjects));
    }

    #[test]
    fn hostile_json_is_an_error() {
        let nested = format!(r#"{{"_type":"{TYPE}","predicate":{}1{}}}"#, "[".repeat(70), "]".repeat(70));
        let twice = format!(r#"{{"_type":"{TYPE}","_type":"{TYPE}"}}"#);
        for text in [nested, twice, "[]".to_owned(), "null".to_owned(), String::new()] {
            assert!(Statement::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(matches!(Statement::parse(&vec![b' '; MAX_BYTES + 1]), Err(Error::Json(_))));
    }
}
