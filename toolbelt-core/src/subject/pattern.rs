//! What a secret looks like: data, read from TOML files that hold examples beside each pattern.

/// The shape of one kind of secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Kebab-case, without the provider's name only where it has none: `github-personal-access-token`.
    pub id: String,
    /// For people: `GitHub personal access token`.
    pub name: String,
    /// Who issued it: `GitHub`; for kinds without an issuer the kind (`private key`).
    pub provider: String,
    /// Which rule reports it.
    pub rule: SecretKind,
    /// How it is found.
    pub shape: Shape,
    /// What can be checked offline.
    pub proof: Option<ProofKind>,
    /// The least Shannon entropy of the value in bits for a character, times 100 (`350` is 3.5); 0 asks for nothing.
    pub entropy: u32,
    /// Whether it spans lines: the expression is run on some kilobytes from the keyword's line on, and a content with
    /// one of its keywords is always looked at as a whole.
    pub spans_lines: bool,
    /// How to make it worthless, one line in the imperative; for the provider as a whole.
    pub revoke: Option<String>,
}

/// How a secret is found in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// By itself: one of the keywords is on the line, and the expression matches.
    Text {
        /// Literals, of which one is part of every match; ASCII letters in either case.
        keywords: Vec<String>,
        /// The expression (bytes, ASCII classes); the group named `secret` is the value, else the whole match.
        regex: String,
    },
    /// By the name beside it: an assignment whose name holds one of `names`, and whose value matches as a whole.
    Assigned {
        /// Parts of names, lower case; `_`, `-`, `.` and spaces in the text's name are not looked at.
        names: Vec<String>,
        /// The expression for the whole value.
        value: String,
    },
    /// By code that judges the line: generic assignments, connection strings.
    Judged,
}

/// Which rule reports a kind of secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretKind {
    /// `exposed-token`.
    Token,
    /// `private-key`.
    PrivateKey,
    /// `connection-string`.
    ConnectionString,
    /// `exposed-credential`.
    Credential,
}

/// What can be checked offline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProofKind {
    /// The last six characters are the CRC-32 of those between prefix and them, in base 62 (GitHub, npm).
    Base62Crc32,
    /// Three parts of base64url, of which the first is a JSON object that names an algorithm.
    Jwt,
    /// The account that the key id is for can be worked out (AWS).
    AwsKeyId,
    /// A macaroon of `pypi.org`.
    PypiMacaroon,
    /// The key in the container can be read.
    PrivateKey,
}
