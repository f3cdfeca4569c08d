//! Registry credentials that are in reach of a run: where they are and how long they live, never what they are.

/// What a run could publish with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// One for each place that holds one, sorted by place.
    pub present: Vec<Credential>,
    /// The service that would vouch for this run in place of a token: "GitHub Actions". None if no service offers it.
    pub trusted_publishing: Option<String>,
    /// Of [`present`](Self::present), the places that the build scripts of this run can read, sorted.
    pub reachable_by_build_scripts: Vec<String>,
}

/// A place that holds a credential of a registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Credential {
    /// For people: "variable `CARGO_REGISTRY_TOKEN`", "file `/home/ann/.cargo/credentials.toml`, `registry.token`".
    pub place: String,
    /// How long it is good for.
    pub lifetime: Lifetime,
}

/// How long a credential is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lifetime {
    /// Until somebody revokes it, or for days.
    LongLived,
    /// For one job: exchanged for a proof of identity, as trusted publishing does.
    ShortLived,
    /// It does not say: the token of another registry, or one that only a program can tell.
    Unknown,
}

impl Credentials {
    /// Those that outlive the run.
    pub fn long_lived(&self) -> impl Iterator<Item = &Credential> {
        self.present.iter().filter(|credential| credential.lifetime == Lifetime::LongLived)
    }
}
