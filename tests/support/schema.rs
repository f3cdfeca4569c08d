//! Holds JSON against a JSON Schema, as far as our own schemas need it.
//!
//! The crates that do all of it bring some sixty others. This one knows the keywords that we use and stops at any
//! other, so that none is passed over in silence. It is stricter than the standard in one point: an object may have no
//! keys that the schema does not name, since a key of ours that is not described is a mistake.

use serde_json::Value;

/// What is wrong, one line each; empty when the value is as the schema says.
pub(crate) fn mistakes(schema: &Value, value: &Value) -> Vec<String> {
    let mut checker = Checker { root: schema, mistakes: Vec::new() };
    checker.check(schema, value, "$");
    checker.mistakes
}

struct Checker<'a> {
    root: &'a Value,
    mistakes: Vec<String>,
}

impl Checker<'_> {
    fn check(&mut self, schema: &Value, value: &Value, at: &str) {
        let Some(keywords) = schema.as_object() else {
            assert_eq!(schema, &Value::Bool(true), "a schema is an object or `true`");
            return;
        };
        for (keyword, wanted) in keywords {
            let holds = match keyword.as_str() {
                "$schema" | "$id" | "$defs" | "title" | "description" | "format" => true,
                "$ref" => {
                    let pointer = wanted.as_str().unwrap().strip_prefix('#').expect("references stay in the schema");
                    let target = self.root.pointer(pointer).unwrap_or_else(|| panic!("nothing at {pointer}")).clone();
                    self.check(&target, value, at);
                    true
                }
                "anyOf" => wanted.as_array().unwrap().iter().any(|option| {
                    let mut attempt = Checker { root: self.root, mistakes: Vec::new() };
                    attempt.check(option, value, at);
                    attempt.mistakes.is_empty()
                }),
                "const" => value == wanted,
                "enum" => wanted.as_array().unwrap().contains(value),
                "type" => match wanted {
                    Value::Array(names) => names.iter().any(|name| has_type(value, name)),
                    name => has_type(value, name),
                },
                "minimum" => value.as_f64().is_none_or(|number| number >= wanted.as_f64().unwrap()),
                "minLength" => {
                    value.as_str().is_none_or(|text| text.chars().count() as u64 >= wanted.as_u64().unwrap())
                }
                "maxLength" => {
                    value.as_str().is_none_or(|text| text.chars().count() as u64 <= wanted.as_u64().unwrap())
                }
                "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= wanted.as_u64().unwrap()),
                "maxItems" => value.as_array().is_none_or(|items| items.len() as u64 <= wanted.as_u64().unwrap()),
                "items" => {
                    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(wanted, item, &format!("{at}[{number}]"));
                    }
                    true
                }
                "required" => wanted
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(|key| value.as_object().is_none_or(|object| object.contains_key(key.as_str().unwrap()))),
                "properties" => {
                    for (key, part) in value.as_object().into_iter().flatten() {
                        match (wanted.get(key), keywords.contains_key("additionalProperties")) {
                            (Some(schema), _) => self.check(schema, part, &format!("{at}.{key}")),
                            (None, true) => {}
                            (None, false) => self.mistakes.push(format!("{at}.{key} is not described")),
                        }
                    }
                    true
                }
                "additionalProperties" => {
                    let named = keywords.get("properties");
                    for (key, part) in value.as_object().into_iter().flatten() {
                        if named.is_none_or(|named| named.get(key).is_none()) {
                            self.check(wanted, part, &format!("{at}.{key}"));
                        }
                    }
                    true
                }
                other => panic!("the keyword `{other}` is not known here"),
            };
            if !holds {
                self.mistakes.push(format!("{at} does not satisfy {keyword} {wanted}: {value}"));
            }
        }
    }
}

fn has_type(value: &Value, name: &Value) -> bool {
    match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type `{other}` is not known here"),
    }
}
