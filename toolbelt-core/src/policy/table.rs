//! Reads the tables of a policy: every key is asked for by name, and what nobody asked for is an error.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::subject::malformed::Malformed;

/// The text that is read, for errors that point into it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Document<'a> {
    pub(super) path: &'a str,
    pub(super) text: &'a str,
}

impl<'a> Document<'a> {
    pub(super) fn error(self, span: Range<usize>, message: impl Into<String>) -> Malformed {
        Malformed::at(self.path, self.text, span, message)
    }

    /// Parses the text as one table.
    pub(super) fn parse(self) -> Result<Table<'a>, Malformed> {
        let table = DeTable::parse(self.text).map_err(|error| Malformed::toml(self.path, self.text, &error))?;
        let span = table.span();
        Ok(Table::new(self, table.into_inner(), span))
    }
}

/// A value with its place.
#[derive(Debug)]
pub(super) struct Value<'a> {
    document: Document<'a>,
    pub(super) span: Range<usize>,
    content: DeValue<'a>,
}

/// A table of which keys are taken one by one.
#[derive(Debug)]
pub(super) struct Table<'a> {
    document: Document<'a>,
    pub(super) span: Range<usize>,
    entries: BTreeMap<String, (Range<usize>, Value<'a>)>,
}

impl<'a> Table<'a> {
    fn new(document: Document<'a>, table: DeTable<'a>, span: Range<usize>) -> Self {
        let entries = table.into_iter().map(|(key, value)| {
            let value_span = value.span();
            let entry = (key.span(), Value { document, span: value_span, content: value.into_inner() });
            (key.get_ref().to_string(), entry)
        });
        Self { document, span, entries: entries.collect() }
    }

    /// Takes a key, if it is there.
    pub(super) fn take(&mut self, key: &str) -> Option<Value<'a>> {
        self.entries.remove(key).map(|(_, value)| value)
    }

    /// Takes a table; an empty one if the key is not there.
    pub(super) fn take_table(&mut self, key: &str) -> Result<Table<'a>, Malformed> {
        match self.take(key) {
            Some(value) => value.table(),
            None => Ok(Self { document: self.document, span: self.span.clone(), entries: BTreeMap::new() }),
        }
    }

    /// Takes a text, if the key is there.
    pub(super) fn take_string(&mut self, key: &str) -> Result<Option<String>, Malformed> {
        self.take(key).map(|value| value.string()).transpose()
    }

    /// Takes a list of texts, if the key is there.
    pub(super) fn take_strings(&mut self, key: &str) -> Result<Option<Vec<String>>, Malformed> {
        self.take(key).map(Value::strings).transpose()
    }

    /// Takes a key that has to be there.
    pub(super) fn require(&mut self, key: &str) -> Result<Value<'a>, Malformed> {
        self.take(key).ok_or_else(|| self.document.error(self.span.clone(), format!("`{key}` is missing")))
    }

    /// Takes all keys that are left, with their places, sorted.
    pub(super) fn take_all(&mut self) -> Vec<(String, Range<usize>, Value<'a>)> {
        std::mem::take(&mut self.entries).into_iter().map(|(key, (span, value))| (key, span, value)).collect()
    }

    /// Says that no further key is known; `known` are those that are.
    pub(super) fn end(self, known: &[&str]) -> Result<(), Malformed> {
        let Some((key, (span, _))) = self.entries.into_iter().min_by_key(|(_, (span, _))| span.start) else {
            return Ok(());
        };
        Err(self.document.error(span, format!("unknown key `{key}`")).hint(did_you_mean(&key, known)))
    }
}

impl<'a> Value<'a> {
    /// An error at this value.
    pub(super) fn error(&self, message: impl Into<String>) -> Malformed {
        self.document.error(self.span.clone(), message)
    }

    fn expected(&self, what: &str) -> Malformed {
        self.error(format!("expected {what}, found {}", article(self.content.type_str())))
    }

    pub(super) fn is_table(&self) -> bool {
        self.content.is_table()
    }

    pub(super) fn table(self) -> Result<Table<'a>, Malformed> {
        match self.content {
            DeValue::Table(table) => Ok(Table::new(self.document, table, self.span)),
            _ => Err(self.expected("a table")),
        }
    }

    pub(super) fn string(&self) -> Result<String, Malformed> {
        self.content.as_str().map(str::to_owned).ok_or_else(|| self.expected("a string"))
    }

    pub(super) fn values(self) -> Result<Vec<Self>, Malformed> {
        let Self { document, span, content } = self;
        match content {
            DeValue::Array(values) => {
                let place =
                    |value: Spanned<DeValue<'a>>| Self { document, span: value.span(), content: value.into_inner() };
                Ok(values.into_iter().map(place).collect())
            }
            content => Err(Self { document, span, content }.expected("an array")),
        }
    }

    pub(super) fn strings(self) -> Result<Vec<String>, Malformed> {
        self.values()?.iter().map(Self::string).collect()
    }

    pub(super) fn count(&self) -> Result<u32, Malformed> {
        let digits =
            self.content.as_integer().and_then(|number| u32::from_str_radix(number.as_str(), number.radix()).ok());
        digits.ok_or_else(|| self.expected("a number from 0 to 4294967295"))
    }

    pub(super) fn date(&self) -> Result<jiff::civil::Date, Malformed> {
        let date = self.content.as_datetime().filter(|date| date.time.is_none() && date.offset.is_none());
        let Some(date) = date.and_then(|date| date.date) else {
            return Err(self.expected("a date such as 2027-01-31"));
        };
        // The parser has seen to it that the parts are a date; the types differ.
        let part = |value: u8| i8::try_from(value).unwrap_or(i8::MAX);
        jiff::civil::Date::new(i16::try_from(date.year).unwrap_or(i16::MAX), part(date.month), part(date.day))
            .map_err(|_| self.expected("a date such as 2027-01-31"))
    }
}

fn article(kind: &str) -> String {
    let vowel = kind.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {kind}", if vowel { "an" } else { "a" })
}

/// Suggests the known word that is nearest, else lists them all.
fn did_you_mean(word: &str, known: &[&str]) -> String {
    let nearest = known.iter().map(|known| (strsim::osa_distance(word, known), known)).min();
    match nearest {
        Some((distance, known)) if distance <= 2 + word.len() / 8 => format!("did you mean `{known}`?"),
        _ => format!("known are {}", known.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ")),
    }
}
