//! JSON from strangers: one value, each name once, within limits.
//!
//! Two readers of a text with a repeated name may see two different values, so that what was signed would not be what is
//! judged.

use std::cell::Cell;
use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Deserializer, Map, Number, Value};

/// The most values of all kinds in one text: an SBOM of ten thousand packages has a third of it.
const MAX_VALUES: u32 = 1 << 20;
/// How deep values may be in one another.
const MAX_DEPTH: u32 = 64;

/// Reads one value.
///
/// # Errors
///
/// What is wrong and where, in one line, if the text is longer than `limit`, is not JSON, repeats a name within an object,
/// or has too many values or too deep ones.
pub(super) fn parse(text: &[u8], limit: usize) -> Result<Value, String> {
    if text.len() > limit {
        return Err(format!("it is longer than {limit} bytes"));
    }
    let left = Cell::new(MAX_VALUES);
    let mut reader = Deserializer::from_slice(text);
    let value = Strict { left: &left, depth: MAX_DEPTH }.deserialize(&mut reader).map_err(|error| error.to_string())?;
    reader.end().map_err(|error| error.to_string())?;
    Ok(value)
}

/// Makes something typed of a value; where it wants an object, the text has to have one.
///
/// serde takes a list for a structure, too, with the fields in the order in which the code has them.
///
/// # Errors
///
/// What is wrong, in one line.
pub(super) fn typed<T: Serialize + DeserializeOwned>(value: &Value) -> Result<T, String> {
    let made = T::deserialize(value).map_err(|error| error.to_string())?;
    let written = serde_json::to_value(&made).map_err(|error| error.to_string())?;
    if has_objects(value, &written) { Ok(made) } else { Err("a list stands where an object has to be".to_owned()) }
}

/// Whether a text has objects wherever what was made of it is written as one.
fn has_objects(read: &Value, written: &Value) -> bool {
    match (read, written) {
        (Value::Object(read), Value::Object(written)) => {
            read.iter().all(|(name, read)| written.get(name).is_none_or(|written| has_objects(read, written)))
        }
        (Value::Array(read), Value::Array(written)) => read.iter().zip(written).all(|(one, two)| has_objects(one, two)),
        (Value::Array(_), Value::Object(_)) => false,
        _ => true,
    }
}

/// Reads a value of which every name occurs once.
#[derive(Clone, Copy)]
struct Strict<'a> {
    /// How many values may follow.
    left: &'a Cell<u32>,
    /// How deep the next one may still be.
    depth: u32,
}

impl Strict<'_> {
    fn count<E: serde::de::Error>(self) -> Result<(), E> {
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(E::custom(format!("it has more than {MAX_VALUES} values"))),
        }
    }

    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self { depth, ..self }),
            None => Err(E::custom(format!("it is nested more than {MAX_DEPTH} deep"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if map.contains_key(&name) {
                return Err(A::Error::custom(format!("the name {name:?} occurs twice in one object")));
            }
            map.insert(name, entries.next_value_seed(inner)?);
        }
        Ok(map.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_the_ordinary_reader_says() {
        for text in [r#"{"a":[1,-2,0.5,true,null,"x"],"b":{"a":{}}}"#, " [] ", "\"\\u00e9\"", "18446744073709551615"] {
            assert_eq!(parse(text.as_bytes(), 100), Ok(serde_json::from_str(text).unwrap()), "{text}");
        }
    }

    #[test]
    fn a_repeated_name_is_an_error_however_it_is_written() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"x":[{"a":1,"b":2,"\u0061":3}]}"#] {
            let error = parse(text.as_bytes(), 100).unwrap_err();
            assert!(error.contains(r#"the name "a" occurs twice"#), "{error}");
        }
    }

    #[test]
    fn size_depth_and_count_are_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(64).as_bytes(), 1000).is_ok());
        assert!(parse(nested(65).as_bytes(), 1000).unwrap_err().contains("nested more than 64 deep"));
        assert!(parse(nested(100_000).as_bytes(), 1_000_000).is_err());
        let many = format!("[{}1]", "1,".repeat(1 << 20));
        assert!(parse(many.as_bytes(), 10 << 20).unwrap_err().contains("more than 1048576 values"));
        assert!(parse(b"[1, 2]", 5).unwrap_err().contains("longer than 5 bytes"));
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        for text in [&b""[..], b"{", b"{} {}", b"{\"a\" 1}", b"nul", b"\"\xff\"", b"NaN", b"1e999", b"\xef\xbb\xbf{}"] {
            assert!(parse(text, 100).is_err(), "{text:?}");
        }
    }
}
