//! Finds the value that a name on a line is given, however the file writes that.
//!
//! Written by hand, because it runs at every `token` of every source file: it looks at the bytes behind the name first,
//! and most names are done after one or two of them.

use std::ops::Range;

/// A name and the value that it is given. Ranges are bytes into the text that was given, end exclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The whole name around the keyword, with its dots, without quotes and leading dashes: `spring.db.password`.
    pub name: Range<usize>,
    /// What stands between the two.
    pub operator: Operator,
    /// The byte that quotes the value (`"`, `'` or `` ` ``); none if it is bare. `&quot;` counts as `"`.
    pub quote: Option<u8>,
    /// Whether the quote is closed on the line. True for bare values.
    pub is_closed: bool,
    /// The value, without quotes, scheme and call around it; not empty, at most [`Assignment::MAX_VALUE`] bytes.
    pub value: Range<usize>,
    /// How the value authorizes, if it says so: `Bearer`, `Basic`, `Token`.
    pub scheme: Option<Range<usize>>,
    /// What is called with the value as its first argument: `String::from`, `os.getenv`.
    pub wrapper: Option<Range<usize>>,
}

/// What stands between a name and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// `=`, also `+=`, `?=`, `||=` and the `=` behind a type.
    Equals,
    /// `:`, as in YAML, JSON and headers.
    Colon,
    /// `:=`.
    ColonEquals,
    /// `=>` or `->`; the value is quoted.
    Arrow,
    /// `(`: `set_password("…")`, `.password("…")`; the value is quoted.
    Call,
    /// `,` between two quoted texts: `("password", "…")`, or between a name and a quoted text: `(key, "…")`.
    Argument,
    /// `<password>…</password>`, `<string name="password">…`, `<key>password</key><string>…`.
    Element,
    /// The name is the value of one key, and the value stands behind a key `value`, on the same line or the next:
    /// `<add key="password" value="…"/>`, `{"name": "PASSWORD", "value": "…"}`.
    Entry,
    /// `?password=…&`, `&password=…` in a URL.
    Query,
    /// `--password …`, `--password=…`; also `-u user:…` of curl and `-p …` of mysql and sshpass.
    Flag,
    /// What holds if the name is not set: `||`, `??`, `or`, `:-`.
    Default,
    /// Nothing but blanks: `ENV PASSWORD …`, `IDENTIFIED BY '…'`, `password "…"`, `Bearer …`, `password …` of netrc.
    Blank,
    /// `is`: `the password is …`.
    Is,
}

impl Assignment {
    /// The longest value that is looked at; a longer one is cut.
    pub const MAX_VALUE: usize = 4096;
    /// The longest name that is looked at on either side of the keyword.
    pub const MAX_NAME: usize = 128;

    /// Whether what stands behind the name that goes on at `at` can be a value: a quick look that spares most names
    /// the long one.
    pub fn may_follow(text: &[u8], at: usize) -> bool {
        let rest = &text[at.min(text.len())..];
        let next = rest.iter().take(Self::MAX_NAME + 1).position(|&byte| !is_name(byte));
        // A long name is cut, and a cut name is followed by nothing.
        next.is_some_and(|next| FOLLOWS[usize::from(rest[next])])
    }

    /// The assignment to the name that `keyword` is a part of.
    ///
    /// `text` is a line; where the next line begins with a lone `value` key ([`is_value_key`]), both lines. A keyword
    /// may hold blanks (`identified by`). `None` for comparisons, for names that are only mentioned, and for empty values.
    pub fn at(text: &[u8], keyword: Range<usize>) -> Option<Self> {
        if keyword.end > text.len() || keyword.start >= keyword.end {
            return None;
        }
        let mut name = keyword.clone();
        let most = text.len().min(keyword.end + Self::MAX_NAME);
        while name.end < most && is_name(text[name.end]) {
            name.end += 1;
        }
        // `password->…` and `the password.` end before these.
        while name.end > keyword.end && matches!(text[name.end - 1], b'-' | b'.') {
            name.end -= 1;
        }
        let mut cursor = Cursor::new(text, name.end);
        // What cannot begin anything that follows a name: nearly every mention ends here.
        if !FOLLOWS[usize::from(cursor.peek()?)] {
            return None;
        }
        let least = keyword.start.saturating_sub(Self::MAX_NAME);
        while name.start > least && is_name(text[name.start - 1]) {
            name.start -= 1;
        }
        let outer = name.start;
        while name.start < keyword.start && matches!(text[name.start], b'-' | b'.') {
            name.start += 1;
        }
        let before = Before { text, at: outer, is_flag: text[outer] == b'-' };
        let (operator, value) = cursor.assigned(&before, &text[name.clone()]).or_else(|| program(text, &keyword))?;
        if value.range.is_empty() {
            return None;
        }
        Some(Self {
            name,
            operator,
            quote: value.quote,
            is_closed: value.is_closed,
            value: value.range,
            scheme: value.scheme,
            wrapper: value.wrapper,
        })
    }
}

/// Whether a line begins with a lone `value` key, which belongs to the name on the line before it.
pub fn is_value_key(line: &[u8]) -> bool {
    let mut cursor = Cursor::new(line, 0);
    cursor.blanks();
    cursor.value_key()
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$')
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Bytes that can stand right behind a name that is given a value.
static FOLLOWS: [bool; 256] = {
    let mut follows = [false; 256];
    let bytes = b" \t\"'`\\]=:(),<>-|?+&[!}*\r\n{";
    let mut index = 0;
    while index < bytes.len() {
        follows[bytes[index] as usize] = true;
        index += 1;
    }
    follows
};

/// What stands before a name.
struct Before<'a> {
    text: &'a [u8],
    /// Where the name begins, leading dashes included.
    at: usize,
    /// Whether the name begins with dashes.
    is_flag: bool,
}

impl Before<'_> {
    fn byte(&self) -> Option<u8> {
        self.at.checked_sub(1).map(|at| self.text[at])
    }

    fn is_query(&self) -> bool {
        matches!(self.byte(), Some(b'?' | b'&')) || self.text[..self.at].ends_with(b"&amp;")
    }

    /// Whether the name is that of an XML element: `<password`, `<x:password`.
    fn is_element(&self) -> bool {
        let most = &self.text[self.at.saturating_sub(64)..self.at];
        let prefix = most.iter().rev().take_while(|&&byte| byte.is_ascii_alphanumeric() || byte == b':').count();
        most.len() > prefix && most[most.len() - prefix - 1] == b'<' && (prefix == 0 || most.ends_with(b":"))
    }

    /// Whether the name is the quoted value of an attribute `name` or `key`.
    fn is_named(&self) -> bool {
        let before = &self.text[self.at.saturating_sub(32)..self.at];
        let Some(before) = before.strip_suffix(b"\"").or_else(|| before.strip_suffix(b"'")) else { return false };
        let before = before.trim_ascii_end();
        let before = before.strip_suffix(b"=").unwrap_or(before).trim_ascii_end();
        ends_with(before, b"name") || ends_with(before, b"key")
    }

    /// Whether the name is the first or second word of a line that sets variables.
    fn is_set(&self) -> bool {
        let begin = memchr::memrchr(b'\n', &self.text[..self.at]).map_or(0, |at| at + 1);
        // A longer beginning is no such line.
        if self.at - begin > 64 {
            return false;
        }
        let before = self.text[begin..self.at].trim_ascii();
        let word = before.rsplit(|&byte| is_blank(byte)).next().unwrap_or_default();
        [b"env".as_slice(), b"arg", b"setenv", b"set", b"setx"].iter().any(|set| word.eq_ignore_ascii_case(set))
    }

    /// Whether the line is an entry of a netrc file.
    fn is_netrc(&self) -> bool {
        let before = &self.text[self.at.saturating_sub(512)..self.at];
        let mut words = before.split(u8::is_ascii_whitespace);
        words.any(|word| matches!(word, b"machine" | b"login" | b"default"))
    }
}

/// A value as written.
struct Value {
    quote: Option<u8>,
    is_closed: bool,
    range: Range<usize>,
    scheme: Option<Range<usize>>,
    wrapper: Option<Range<usize>>,
}

/// How a text is quoted: a byte, and how often that is escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Quote {
    byte: u8,
    backslashes: usize,
    is_entity: bool,
}

/// A place in a text.
#[derive(Clone)]
struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a [u8], at: usize) -> Self {
        // Nothing behind this is looked at.
        let end = text.len().min(at + 2 * Assignment::MAX_VALUE);
        Self { text: &text[..end], at }
    }

    fn rest(&self) -> &'a [u8] {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, literal: &[u8]) -> bool {
        let is_there = self.rest().starts_with(literal);
        if is_there {
            self.at += literal.len();
        }
        is_there
    }

    fn eat_word(&mut self, word: &[u8]) -> bool {
        let rest = self.rest();
        let is_there = rest.len() >= word.len()
            && rest[..word.len()].eq_ignore_ascii_case(word)
            && !rest.get(word.len()).is_some_and(|&byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if is_there {
            self.at += word.len();
        }
        is_there
    }

    /// Steps over blanks and says whether there were any.
    fn blanks(&mut self) -> bool {
        let from = self.at;
        while self.peek().is_some_and(is_blank) {
            self.at += 1;
        }
        self.at > from
    }

    /// Steps over a quote, escaped or not.
    fn quote(&mut self) -> Option<Quote> {
        if self.eat(b"&quot;") || self.eat(b"&#34;") {
            return Some(Quote { byte: b'"', backslashes: 0, is_entity: true });
        }
        let backslashes = self.rest().iter().take(8).take_while(|&&byte| byte == b'\\').count();
        let byte = *self.text.get(self.at + backslashes)?;
        if !matches!(byte, b'"' | b'\'' | b'`') {
            return None;
        }
        self.at += backslashes + 1;
        Some(Quote { byte, backslashes, is_entity: false })
    }

    /// Steps over a key `value` with its operator, behind blanks, commas and at most one end of line.
    fn entry(&mut self) -> bool {
        let mut next = self.clone();
        let mut lines = 0;
        while let Some(byte) = next.peek() {
            match byte {
                b'\n' if lines == 0 => lines += 1,
                b' ' | b'\t' | b'\r' | b',' | b';' => {}
                _ => break,
            }
            next.at += 1;
        }
        let is_there = next.at > self.at && next.value_key();
        if is_there {
            *self = next;
        }
        is_there
    }

    /// Steps over `value:`, `"value":`, `value=`, `ParameterValue:`.
    fn value_key(&mut self) -> bool {
        let quoted = self.quote();
        if !(self.eat_word(b"value") || self.eat_word(b"ParameterValue")) {
            return false;
        }
        if quoted.is_some() && self.quote() != quoted {
            return false;
        }
        self.blanks();
        let is_key = matches!(self.peek(), Some(b':' | b'=')) && !self.rest().starts_with(b"==");
        self.at += usize::from(is_key);
        is_key
    }

    /// The operator behind a name and the value behind that.
    fn assigned(&mut self, before: &Before<'_>, name: &[u8]) -> Option<(Operator, Value)> {
        let closed = self.close_name();
        if self.peek() == Some(b'(') && closed.is_none() {
            self.at += 1;
            self.blanks();
            return self.quoted().map(|value| (Operator::Call, value));
        }
        if let Some(value) = self.element(before) {
            return Some((Operator::Element, value));
        }
        if self.clone().entry() && self.entry() {
            return self.value(false).map(|value| (Operator::Entry, value));
        }
        let had_blanks = self.blanks();
        // `char password[32] = "…"`, `password string = "…"` and `Password { get; set; } = "…"` end up at the `=`.
        let operator = self.operator(before, had_blanks);
        match operator {
            Some(Operator::Arrow | Operator::Argument | Operator::Default) => {
                let is_shell = self.text[self.at - 1] == b'-';
                if operator == Some(Operator::Default) && is_shell {
                    return self.until(b"}").map(|value| (Operator::Default, value));
                }
                self.blanks();
                self.quoted().map(|value| (operator.unwrap_or(Operator::Arrow), value))
            }
            Some(operator) => self.value(operator == Operator::Query).map(|value| (operator, value)),
            None if had_blanks => self.behind_blanks(before, name),
            None => None,
        }
    }

    /// Steps over what closes a name: quotes, brackets, `?`, `!`. `None` if there is nothing.
    fn close_name(&mut self) -> Option<()> {
        let from = self.at;
        for _ in 0..4 {
            match self.peek() {
                Some(b'"' | b'\'' | b'`' | b'\\' | b'&') => {
                    if self.quote().is_none() {
                        break;
                    }
                }
                Some(b'[') => {
                    // `char password[32]`, but not `password["…"]`.
                    let inner = self.rest().iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count();
                    if self.text.get(self.at + 1 + inner) != Some(&b']') {
                        break;
                    }
                    self.at += inner + 2;
                }
                Some(b']' | b')' | b'}' | b'!' | b'*') if !self.rest().starts_with(b"!=") => self.at += 1,
                Some(b'?') if !self.rest().starts_with(b"??") && !self.rest().starts_with(b"?=") => self.at += 1,
                _ => break,
            }
        }
        (self.at > from).then_some(())
    }

    /// The text of an XML element that the name stands for.
    fn element(&mut self, before: &Before<'_>) -> Option<Value> {
        if self.rest().starts_with(b"</") {
            // `<key>password</key><string>…`
            if before.byte() != Some(b'>') {
                return None;
            }
            let mut next = self.clone();
            next.at += memchr::memchr(b'>', &next.rest()[..next.rest().len().min(64)])? + 1;
            next.blanks();
            if !(next.eat(b"<string>") || next.eat(b"<value>")) {
                return None;
            }
            return next.until(b"<");
        }
        let is_element = before.is_element();
        if !(is_element || before.is_named()) {
            return None;
        }
        let mut next = self.clone();
        if next.peek() != Some(b'>') {
            // Attributes between the name and the text; `value="…"` is an entry.
            let attributes = &next.rest()[..next.rest().len().min(256)];
            if !is_blank(next.peek()?) || attributes.trim_ascii_start().starts_with(b"value") {
                return None;
            }
            next.at += memchr::memchr(b'>', attributes)?;
            if next.text[next.at - 1] == b'/' {
                return None;
            }
        }
        next.at += 1;
        next.blanks();
        if next.eat(b"<![CDATA[") {
            return next.until(b"]");
        }
        next.until(b"<")
    }

    /// Steps over the operator; at a type, over the type and the `=` behind it.
    fn operator(&mut self, before: &Before<'_>, had_blanks: bool) -> Option<Operator> {
        let rest = self.rest();
        let (length, operator) = match (*rest.first()?, rest.get(1).copied(), rest.get(2).copied()) {
            (b'=' | b'-', Some(b'>'), _) => (2, Operator::Arrow),
            (b'=', Some(b'=' | b'~'), _) => return None,
            (b'=', ..) if before.is_query() => (1, Operator::Query),
            (b'=', ..) if before.is_flag => (1, Operator::Flag),
            (b'=', ..) => (1, Operator::Equals),
            (b':', Some(b':'), Some(b'=')) | (b'|', Some(b'|'), Some(b'=')) | (b'?', Some(b'?'), Some(b'=')) => {
                (3, Operator::Equals)
            }
            (b':', Some(b':'), _) => return None,
            (b':', Some(b'='), _) => (2, Operator::ColonEquals),
            (b':', Some(b'-'), _) if self.text[..before.at].ends_with(b"${") => (2, Operator::Default),
            (b':', ..) => (1, Operator::Colon),
            (b'?' | b'+' | b'.', Some(b'='), next) if next != Some(b'=') => (2, Operator::Equals),
            (b'|', Some(b'|'), _) | (b'?', Some(b'?' | b':'), _) => (2, Operator::Default),
            (b'o' | b'O', Some(b'r' | b'R'), Some(b' ')) if had_blanks => (2, Operator::Default),
            (b'i' | b'I', Some(b's' | b'S'), Some(b' ' | b':')) if had_blanks => (3, Operator::Is),
            (b',', ..) => (1, Operator::Argument),
            _ => return self.typed().then_some(Operator::Equals),
        };
        self.at += length;
        if operator == Operator::Colon && self.typed() {
            return Some(Operator::Equals);
        }
        Some(operator)
    }

    /// Steps over a type and the `=` behind it, if that is what stands here: `&str =`, `string =`, `Option<T> =`.
    fn typed(&mut self) -> bool {
        let rest = &self.rest()[..self.rest().len().min(80)];
        let is_type = |byte: u8| byte.is_ascii_alphanumeric() || b"_&'<>[]:|?,.*{}; \t".contains(&byte);
        let Some(equals) = rest.iter().position(|&byte| !is_type(byte)) else { return false };
        let kind = rest[..equals].trim_ascii();
        if rest[equals] != b'=' || kind.is_empty() || !kind.iter().any(u8::is_ascii_alphabetic) {
            return false;
        }
        if matches!(rest.get(equals + 1), Some(b'=' | b'>' | b'~')) {
            return false;
        }
        // A lifetime is no quote.
        let mut next = self.clone();
        next.at += equals + 1;
        next.blanks();
        let is_quoted = next.literal_prefix() || next.quote().is_some();
        let is_apart = is_blank(rest[equals.saturating_sub(1)]);
        if is_quoted || (is_apart && !kind.contains(&b' ')) {
            self.at += equals + 1;
            return true;
        }
        false
    }

    /// A value without an operator before it.
    fn behind_blanks(&mut self, before: &Before<'_>, name: &[u8]) -> Option<(Operator, Value)> {
        let is_scheme = name.eq_ignore_ascii_case(b"bearer") || name.eq_ignore_ascii_case(b"basic");
        if before.is_flag {
            // The next flag is no value.
            return (self.peek() != Some(b'-')).then(|| self.value(false))?.map(|value| (Operator::Flag, value));
        }
        if let Some(value) = self.clone().quoted() {
            return Some((Operator::Blank, value));
        }
        if is_scheme || before.is_set() || before.is_netrc() || name.eq_ignore_ascii_case(b"requirepass") {
            return self.bare(false).map(|value| (Operator::Blank, value));
        }
        if name.eq_ignore_ascii_case(b"identified by") && self.eat_word(b"password") {
            self.blanks();
            return self.quoted().map(|value| (Operator::Blank, value));
        }
        None
    }

    /// Steps over the letters before a quote: `b"`, `r#"`, `@"`. Stays before the quote.
    fn literal_prefix(&mut self) -> bool {
        let rest = self.rest();
        let letters = rest.iter().take(2).take_while(|byte| b"bBrRuUfFLc@$".contains(byte)).count();
        let hashes = rest[letters..].iter().take(4).take_while(|&&byte| byte == b'#').count();
        let is_there = letters > 0 && matches!(rest.get(letters + hashes), Some(b'"' | b'\''));
        if is_there {
            self.at += letters + hashes;
        }
        is_there
    }

    /// A value, quoted or bare.
    fn value(&mut self, is_query: bool) -> Option<Value> {
        self.blanks();
        if let Some(value) = self.quoted() {
            return Some(value);
        }
        if let Some(value) = self.wrapped() {
            return Some(value);
        }
        self.bare(is_query)
    }

    /// A quoted value, behind at most one opening bracket.
    fn quoted(&mut self) -> Option<Value> {
        let mut next = self.clone();
        if matches!(next.peek(), Some(b'[' | b'(')) {
            next.at += 1;
            next.blanks();
        }
        next.literal_prefix();
        let quote = next.quote()?;
        // A text over several lines begins with three.
        if !quote.is_entity && next.rest().starts_with(&[quote.byte, quote.byte]) {
            next.at += 2;
        }
        let from = next.at;
        let most = &next.rest()[..next.rest().len().min(Assignment::MAX_VALUE)];
        let end = closing(most, quote);
        let line = memchr::memchr(b'\n', &most[..end.unwrap_or(most.len())]);
        let (length, is_closed) = match (end, line) {
            (Some(end), None) => (end, true),
            (_, Some(line)) => (line, false),
            (None, None) => (most.len(), false),
        };
        self.at = from + length;
        let value =
            Value { quote: Some(quote.byte), is_closed, range: from..from + length, scheme: None, wrapper: None };
        Some(self.without_scheme(value))
    }

    /// A value that is the first argument of a call: `String::from("…")`, `new Key('…')`.
    fn wrapped(&mut self) -> Option<Value> {
        let mut next = self.clone();
        if next.eat_word(b"new") || next.eat_word(b"await") {
            next.blanks();
        }
        let from = next.at;
        let is_path = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_.:<>&$[]!@".contains(byte);
        let length = next.rest().iter().take(64).take_while(is_path).count();
        next.at += length;
        if length == 0 || !next.eat(b"(") {
            return None;
        }
        next.blanks();
        let mut value = next.quoted()?;
        value.wrapper = Some(from..from + length);
        self.at = next.at;
        Some(value)
    }

    /// A value without quotes: up to a blank or what ends it where it stands.
    fn bare(&mut self, is_query: bool) -> Option<Value> {
        let from = self.at;
        let rest = &self.rest()[..self.rest().len().min(Assignment::MAX_VALUE)];
        let ends = |byte: u8| {
            byte <= b' '
                || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>' | b';' | 0x7f)
                || (is_query && b"&#,)".contains(&byte))
        };
        let mut length = rest.iter().position(|&byte| ends(byte)).unwrap_or(rest.len());
        // `, ` and `,"` go on with the next entry; an escaped quote or line end is none of the value.
        let comma = |at: &usize| rest.get(at + 1).is_none_or(|&next| ends(next) || next == b'\\');
        if let Some(at) = memchr::memchr_iter(b',', &rest[..length]).find(comma) {
            length = at;
        }
        if let Some(at) = memchr::memchr(b'\\', &rest[..length])
            .filter(|at| matches!(rest.get(at + 1), Some(b'"' | b'\'' | b'n' | b'r' | b't' | b'\\') | None))
        {
            length = at;
        }
        if let Some(at) = memchr::memmem::find(&rest[..length], b"&quot") {
            length = at;
        }
        while length > 0 && is_unopened(&rest[..length]) {
            length -= 1;
        }
        if length == 0
            || matches!(rest[0], b'{' | b'[' | b'(' | b',' | b')' | b'}' | b']' | b'|' | b'=')
                && !rest.starts_with(b"{{")
        {
            return None;
        }
        self.at = from + length;
        let value = Value { quote: None, is_closed: true, range: from..from + length, scheme: None, wrapper: None };
        Some(self.without_scheme(value))
    }

    /// A bare value up to a closing byte, trimmed.
    fn until(&mut self, close: &[u8]) -> Option<Value> {
        let from = self.at;
        let rest = &self.rest()[..self.rest().len().min(Assignment::MAX_VALUE)];
        let length = rest.iter().position(|byte| close.contains(byte) || *byte == b'\n')?;
        let inner = rest[..length].trim_ascii();
        let skipped = rest.len() - rest.trim_ascii_start().len();
        let start = from + skipped.min(length);
        self.at = from + length;
        Some(Value { quote: None, is_closed: true, range: start..start + inner.len(), scheme: None, wrapper: None })
    }

    /// Takes `Bearer`, `Basic` and the like off a value.
    fn without_scheme(&mut self, mut value: Value) -> Value {
        const SCHEMES: [&[u8]; 6] = [b"bearer", b"basic", b"token", b"bot", b"apikey", b"splunk"];
        let text = &self.text[value.range.clone()];
        let Some(scheme) = SCHEMES
            .iter()
            .find(|scheme| text.len() >= scheme.len() && text[..scheme.len()].eq_ignore_ascii_case(scheme))
        else {
            return value;
        };
        let start = value.range.start;
        let mut next = Cursor { text: self.text, at: start + scheme.len() };
        if !next.blanks() {
            return value;
        }
        if value.quote.is_some() {
            value.range.start = next.at.min(value.range.end);
            value.scheme = Some(start..start + scheme.len());
        } else if value.range.end == start + scheme.len() {
            // The bare value ended at the blank behind the scheme.
            let Some(token) = next.bare(false) else { return value };
            value.range = token.range;
            value.scheme = Some(start..start + scheme.len());
        }
        value
    }
}

/// Where the quote is closed.
fn closing(text: &[u8], quote: Quote) -> Option<usize> {
    if quote.is_entity {
        return memchr::memmem::find(text, b"&quot;").into_iter().chain(memchr::memmem::find(text, b"&#34;")).min();
    }
    for at in memchr::memchr_iter(quote.byte, text) {
        let backslashes = text[..at].iter().rev().take_while(|&&byte| byte == b'\\').count();
        // One more level of escapes is a quote within the value. At the lowest level pairs are backslashes themselves.
        if backslashes == quote.backslashes || (quote.backslashes == 0 && backslashes % 2 == 0) {
            return Some(at - quote.backslashes);
        }
        if backslashes < quote.backslashes {
            // The text around it ends here.
            return Some(at - backslashes);
        }
    }
    None
}

/// Whether a text ends with a bracket that it did not open, or with a comma or full stop.
fn is_unopened(text: &[u8]) -> bool {
    let count = |byte: u8| memchr::memchr_iter(byte, text).count();
    match text.last() {
        Some(b')') => count(b')') > count(b'('),
        Some(b']') => count(b']') > count(b'['),
        Some(b'}') => count(b'}') > count(b'{'),
        Some(b',') => true,
        _ => false,
    }
}

fn ends_with(text: &[u8], word: &[u8]) -> bool {
    text.len() >= word.len() && text[text.len() - word.len()..].eq_ignore_ascii_case(word)
}

/// The value that follows the name of a program: `curl -u user:…`, `sshpass -p …`, `mysql -p…`.
fn program(text: &[u8], keyword: &Range<usize>) -> Option<(Operator, Value)> {
    let flags: &[&[u8]] = match &text[keyword.clone()] {
        name if name.eq_ignore_ascii_case(b"curl") => &[b"-u", b"--user", b"-U", b"--proxy-user"],
        name if name.eq_ignore_ascii_case(b"sshpass") || name.eq_ignore_ascii_case(b"mysql") => &[b"-p"],
        _ => return None,
    };
    let mut cursor = Cursor::new(text, keyword.end);
    let rest = cursor.rest();
    let found = flags.iter().filter_map(|flag| {
        let at = memchr::memmem::find_iter(rest, flag).find(|&at| {
            let is_word = at > 0 && is_blank(rest[at - 1]);
            let next = rest.get(at + flag.len()).copied().unwrap_or(b' ');
            // A long flag ends with its name; `-p` of mysql has the password right behind it.
            is_word && (flag.len() == 2 || is_blank(next) || next == b'=')
        });
        at.map(|at| (at, flag.len()))
    });
    let (at, length) = found.min()?;
    let is_mysql = text[keyword.clone()].eq_ignore_ascii_case(b"mysql");
    cursor.at += at + length;
    cursor.eat(b"=");
    if cursor.blanks() && is_mysql {
        // `mysql -p database` asks for the password.
        return None;
    }
    let mut value = cursor.value(false)?;
    if length != 2 || flags.len() > 1 {
        let colon = memchr::memchr(b':', &text[value.range.clone()])?;
        value.range.start += colon + 1;
    }
    (!value.range.is_empty()).then_some((Operator::Flag, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first assignment to a name with this keyword: name, operator, value.
    fn read(text: &str, keyword: &str) -> Option<(String, Operator, String)> {
        let at = text.to_ascii_lowercase().find(keyword).unwrap();
        let found = Assignment::at(text.as_bytes(), at..at + keyword.len())?;
        Some((text[found.name].to_owned(), found.operator, text[found.value].to_owned()))
    }

    #[track_caller]
    fn reads(text: &str, keyword: &str, name: &str, operator: Operator, value: &str) {
        assert_eq!(read(text, keyword), Some((name.to_owned(), operator, value.to_owned())), "{text}");
    }

    #[test]
    fn configuration() {
        use Operator::{Colon, Equals};
        reads("DB_PASSWORD=hunter2", "password", "DB_PASSWORD", Equals, "hunter2");
        reads("export API_KEY='a b c' # x", "api_key", "API_KEY", Equals, "a b c");
        reads("password: hunter2", "password", "password", Colon, "hunter2");
        reads("  \"api-key\": \"abc\",", "api-key", "api-key", Colon, "abc");
        reads("{\"token\":\"abc\",\"x\":1}", "token", "token", Colon, "abc");
        reads("{token: abc, x: 1}", "token", "token", Colon, "abc");
        reads("spring.datasource.password = abc", "password", "spring.datasource.password", Equals, "abc");
        reads("X-Api-Key: abc", "api-key", "X-Api-Key", Colon, "abc");
        reads("String password = \"abc\";", "password", "password", Equals, "abc");
        reads("ENV TOKEN abc", "token", "TOKEN", Operator::Blank, "abc");
        reads("ENV TOKEN=abc", "token", "TOKEN", Equals, "abc");
        reads("machine x login y password z", "password", "password", Operator::Blank, "z");
        reads("Server=x;Password=abc;Database=y", "password", "Password", Equals, "abc");
    }

    #[test]
    fn code() {
        use Operator::{Argument, Arrow, Call, ColonEquals, Default, Equals};
        reads("let password: &str = \"abc\";", "password", "password", Equals, "abc");
        reads("let password: Option<String> = Some(\"abc\".into());", "password", "password", Equals, "abc");
        reads("private password: string = 'abc';", "password", "password", Equals, "abc");
        reads("var password string = \"abc\"", "password", "password", Equals, "abc");
        reads("const char password[] = \"abc\";", "password", "password", Equals, "abc");
        reads("token := \"abc\"", "token", "token", ColonEquals, "abc");
        reads("'password' => 'abc',", "password", "password", Arrow, "abc");
        reads("password -> \"abc\"", "password", "password", Arrow, "abc");
        reads("client.set_password(\"abc\")", "password", "client.set_password", Call, "abc");
        reads("setApiKey('abc')", "apikey", "setApiKey", Call, "abc");
        reads("os.environ[\"API_KEY\"] = \"abc\"", "api_key", "API_KEY", Equals, "abc");
        reads("process.env.TOKEN || 'abc'", "token", "process.env.TOKEN", Default, "abc");
        reads("os.getenv(\"TOKEN\") or \"abc\"", "token", "TOKEN", Default, "abc");
        reads("TOKEN=${TOKEN:-abc}", "token", "TOKEN", Equals, "${TOKEN:-abc}");
        reads("x=${TOKEN:-abc}", "token", "TOKEN", Default, "abc");
        reads(".header(\"X-Api-Key\", \"abc\")", "api-key", "X-Api-Key", Argument, "abc");
        reads("define('DB_PASSWORD', 'abc');", "password", "DB_PASSWORD", Argument, "abc");
        reads("password = b'abc'", "password", "password", Equals, "abc");
        reads("password = r#\"abc\"#", "password", "password", Equals, "abc");
        reads("password: String::from(\"abc\"),", "password", "password", Operator::Colon, "abc");
        reads("\"{\\\"token\\\": \\\"abc\\\"}\"", "token", "token", Operator::Colon, "abc");
        reads("password = 'it\\'s'", "password", "password", Equals, "it\\'s");
        reads("IDENTIFIED BY 'abc'", "identified by", "IDENTIFIED BY", Operator::Blank, "abc");
    }

    #[test]
    fn markup_urls_and_commands() {
        use Operator::{Element, Entry, Flag, Query};
        reads("<password>abc</password>", "password", "password", Element, "abc");
        reads("<db:password enc=\"no\"> abc </db:password>", "password", "password", Element, "abc");
        reads("<string name=\"api_key\">abc</string>", "api_key", "api_key", Element, "abc");
        reads("<add key=\"password\" value=\"abc\"/>", "password", "password", Entry, "abc");
        reads("<key>password</key><string>abc</string>", "password", "password", Element, "abc");
        reads("{\"name\": \"DB_PASSWORD\", \"value\": \"abc\"}", "password", "DB_PASSWORD", Entry, "abc");
        reads("- name: DB_PASSWORD\n  value: abc\n", "password", "DB_PASSWORD", Entry, "abc");
        reads("https://x/?api_key=abc&y=1", "api_key", "api_key", Query, "abc");
        reads("cmd --api-key abc", "api-key", "api-key", Flag, "abc");
        reads("cmd --api-key=abc -x", "api-key", "api-key", Flag, "abc");
        reads("curl -s -u me:abc https://x", "curl", "curl", Flag, "abc");
        reads("curl --user \"me:abc\" https://x", "curl", "curl", Flag, "abc");
        reads("sshpass -p 'abc' ssh x", "sshpass", "sshpass", Flag, "abc");
        reads("mysql -uroot -pabc db", "mysql", "mysql", Flag, "abc");
        reads("the password is abc", "password", "password", Operator::Is, "abc");
    }

    #[test]
    fn schemes_are_taken_off() {
        let text = b"curl -H \"Authorization: Bearer abc\" x";
        let found = Assignment::at(text, 9..22).unwrap();
        assert_eq!((&text[found.value], &text[found.scheme.unwrap()]), (b"abc".as_slice(), b"Bearer".as_slice()));
        reads("\"Authorization\": \"Basic abc\"", "authorization", "Authorization", Operator::Colon, "abc");
        reads("Authorization: token abc", "authorization", "Authorization", Operator::Colon, "abc");
        reads("Bearer abc", "bearer", "Bearer", Operator::Blank, "abc");
    }

    #[test]
    fn mentions_and_comparisons_are_none() {
        for text in [
            "if password == \"abc\" {",
            "password != 'x'",
            "the password of the user",
            "token.kind()",
            "fn token(&self) -> Token {",
            "Some(token) => token,",
            "use crate::token::{Token};",
            "password: \"\"",
            "password =",
            "password:",
            "Token::new(x)",
            "let token = { x };",
            "token(x, \"a\")",
        ] {
            let keyword = if text.to_ascii_lowercase().contains("token") { "token" } else { "password" };
            assert_eq!(read(text, keyword), None, "{text}");
        }
    }

    #[test]
    fn a_line_with_a_value_key_belongs_to_the_one_before() {
        for line in ["    value: x", "\"value\" : 1", "value=3", "  'Value': "] {
            assert!(is_value_key(line.as_bytes()), "{line}");
        }
        for line in ["values: x", "value == 1", "- value: x", "\"value: x", ""] {
            assert!(!is_value_key(line.as_bytes()), "{line}");
        }
    }
}
