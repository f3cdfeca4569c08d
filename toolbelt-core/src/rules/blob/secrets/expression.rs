//! Expressions over bytes, compiled when they are first needed.

use std::sync::OnceLock;

use regex_automata::meta::{Config, Regex};
use regex_automata::util::syntax;

/// The most memory that one expression may take.
const SIZE_LIMIT: usize = 32 << 20;

/// An expression that is compiled at its first use.
#[derive(Debug)]
pub(super) struct Lazy {
    text: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Lazy {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), compiled: OnceLock::new() }
    }

    /// The compiled expression. `None` if it does not compile, which a test or the reader of the file has excluded.
    pub(super) fn get(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| compile(&self.text).ok()).as_ref()
    }
}

/// Compiles an expression over bytes: classes are ASCII, `.` is any byte but a line feed.
pub(super) fn compile(text: &str) -> Result<Regex, String> {
    let syntax = syntax::Config::new().unicode(false).utf8(false);
    let config = Config::new().utf8_empty(false).nfa_size_limit(Some(SIZE_LIMIT)).onepass(false);
    Regex::builder().configure(config).syntax(syntax).build(text).map_err(|error| {
        let why = error.syntax_error().map_or_else(|| error.to_string(), ToString::to_string);
        // The syntax error draws the expression over several lines; the last says what is wrong.
        why.lines().last().unwrap_or(&why).trim_start_matches("error: ").to_owned()
    })
}
