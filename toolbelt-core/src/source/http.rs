//! A client for files on the web: one request at a time, each with limits on time, size and redirects.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ureq::http::StatusCode;
use ureq::http::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, ETAG, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION,
};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Proxy};

use super::registry::token::Token;
use super::resolver::RememberingResolver;

/// How often a request is sent on to another place.
const MAX_REDIRECTS: usize = 5;
/// How much memory is set aside because a server says that so much will come.
const MAX_RESERVED: u64 = 8 << 20;

/// A client; many threads can share one.
#[derive(Debug, Clone)]
pub struct Http {
    agent: Option<Agent>,
    limit: Duration,
    plain_hosts: Vec<String>,
}

/// How requests are made.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Longest time from a request to the last byte of its answer, redirects included.
    pub limit: Duration,
    /// Proxy URL, and hosts that are reached without it.
    pub proxy: Option<(String, Vec<String>)>,
    /// A PEM file of certificate authorities to trust in place of the platform's.
    pub certificates: Option<PathBuf>,
    /// `HOST:PORT` that the user's own configuration names with `http:`; only these and the loopback may be asked
    /// without encryption.
    pub plain_hosts: Vec<String>,
    /// How many connections are kept open.
    pub connections: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limit: Duration::from_secs(10),
            proxy: None,
            certificates: None,
            plain_hosts: Vec::new(),
            connections: 32,
        }
    }
}

/// What a server is told about the copy one has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag` of the copy.
    pub etag: Option<String>,
    /// `Last-Modified` of the copy.
    pub last_modified: Option<String>,
}

/// What a server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The file.
    Content {
        /// Its bytes.
        bytes: Vec<u8>,
        /// What to send along the next time.
        validators: Validators,
    },
    /// The copy is still what the server has.
    NotModified,
    /// There is no such file, or not any more (404, 410, 451).
    NotFound,
}

/// What a server said to what it was sent, whatever the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body.
    pub bytes: Vec<u8>,
}

/// How a file is asked for.
#[derive(Clone, Copy)]
struct Manner<'a> {
    known: &'a Validators,
    token: Option<&'a Token>,
    /// Not a copy that somebody on the way has kept.
    anew: bool,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The run may not use the network.
    #[error("the network may not be used")]
    Offline,
    /// The time limit passed.
    #[error("no answer within {} seconds", .0.as_secs())]
    Timeout(Duration),
    /// The answer is larger than expected of such a file.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(u64),
    /// The URL, or one that it redirects to, is not `https:`.
    #[error("`{0}` would be asked without encryption")]
    Insecure(String),
    /// The server sends from one place to the next.
    #[error("more than {MAX_REDIRECTS} redirects")]
    TooManyRedirects,
    /// The server wants to know who asks.
    #[error("the server wants a login (status {0}), and toolbelt reads no tokens")]
    Login(u16),
    /// Any other status.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// No connection, or a broken one.
    #[error("the server cannot be reached: {0}")]
    Transport(String),
    /// The settings cannot be used.
    #[error("{0}")]
    Settings(String),
}

impl Error {
    /// Whether another request to the same server is likely to fail in the same way.
    pub fn is_about_the_connection(&self) -> bool {
        match self {
            Self::Offline | Self::Timeout(_) | Self::Transport(_) | Self::Insecure(_) | Self::Settings(_) => true,
            Self::TooLarge(_) | Self::TooManyRedirects | Self::Login(_) | Self::Status(_) => false,
        }
    }
}

impl Http {
    /// A client with these settings.
    ///
    /// # Errors
    ///
    /// [`Error::Settings`] if the proxy is not a URL or the certificates cannot be read.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        let roots = match &settings.certificates {
            None => RootCerts::PlatformVerifier,
            Some(path) => {
                let bad = |why: String| Error::Settings(format!("certificates `{}`: {why}", path.display()));
                let pem = std::fs::read(path).map_err(|error| bad(error.to_string()))?;
                let mut certificates: Vec<Certificate<'static>> = Vec::new();
                for item in parse_pem(&pem) {
                    if let PemItem::Certificate(certificate) = item.map_err(|error| bad(error.to_string()))? {
                        certificates.push(certificate);
                    }
                }
                RootCerts::from(certificates)
            }
        };
        let proxy = match &settings.proxy {
            None => None,
            Some((url, except)) => Some(proxy(url, except)?),
        };
        let config = Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .proxy(proxy)
            .user_agent(concat!("toolbelt/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(settings.connections)
            .max_idle_connections_per_host(settings.connections)
            .build();
        let agent = Agent::with_parts(config, DefaultConnector::new(), RememberingResolver::default());
        Ok(Self { agent: Some(agent), limit: settings.limit, plain_hosts: settings.plain_hosts.clone() })
    }

    /// A client that refuses every request.
    pub fn offline() -> Self {
        Self { agent: None, limit: Duration::ZERO, plain_hosts: Vec::new() }
    }

    /// Whether every request is refused.
    pub fn is_offline(&self) -> bool {
        self.agent.is_none()
    }

    /// Asks for a file of at most `max_bytes` bytes, decompressed.
    ///
    /// # Errors
    ///
    /// [`Error`], for each way in which there is no answer.
    pub fn get(&self, url: &str, max_bytes: u64, known: &Validators) -> Result<Answer, Error> {
        self.ask(url, max_bytes, Manner { known, token: None, anew: false })
    }

    /// Asks for a file as it is now, with a token if the server wants one.
    ///
    /// With a token, no redirect is followed and nothing but the loopback is asked without encryption.
    ///
    /// # Errors
    ///
    /// [`Error`], for each way in which there is no answer.
    pub(super) fn get_anew(&self, url: &str, max_bytes: u64, token: Option<&Token>) -> Result<Answer, Error> {
        if token.is_some() {
            is_private(url)?;
        }
        self.ask(url, max_bytes, Manner { known: &Validators::default(), token, anew: true })
    }

    /// Sends bytes to a place that takes them from whoever has the token; `limit` is for sending and answer together.
    ///
    /// No redirect is followed, and nothing but the loopback is spoken to without encryption.
    ///
    /// # Errors
    ///
    /// [`Error`]. After [`Error::Timeout`], [`Error::Transport`] and [`Error::TooLarge`] the server may have done what it
    /// was asked to; after the others it was not asked.
    pub(super) fn put(
        &self,
        url: &str,
        token: &Token,
        content: &[u8],
        max_bytes: u64,
        limit: Duration,
    ) -> Result<Reply, Error> {
        let agent = self.agent.as_ref().ok_or(Error::Offline)?;
        is_private(url)?;
        let request = agent.put(url).header(ACCEPT, "application/json").header(AUTHORIZATION, authorization(token)?);
        let answer = request.config().timeout_global(Some(limit)).build().send(content);
        let mut answer = answer.map_err(|error| Self::error(error, limit))?;
        let status = answer.status().as_u16();
        let bytes = body(&mut answer, max_bytes, limit)?;
        Ok(Reply { status, bytes })
    }

    fn ask(&self, url: &str, max_bytes: u64, manner: Manner<'_>) -> Result<Answer, Error> {
        let agent = self.agent.as_ref().ok_or(Error::Offline)?;
        let end = Instant::now() + self.limit;
        let mut url = url.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            self.check(&url)?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::Timeout(self.limit));
            }
            let mut request = agent.get(&url);
            if let Some(etag) = &manner.known.etag {
                request = request.header(IF_NONE_MATCH, etag);
            }
            if let Some(time) = &manner.known.last_modified {
                request = request.header(IF_MODIFIED_SINCE, time);
            }
            if manner.anew {
                request = request.header(CACHE_CONTROL, "no-cache");
            }
            if let Some(token) = manner.token {
                request = request.header(AUTHORIZATION, authorization(token)?);
            }
            let answer = request.config().timeout_global(Some(left)).build().call();
            let mut answer = answer.map_err(|error| Self::error(error, self.limit))?;
            let header = |name| {
                let value: Option<&HeaderValue> = answer.headers().get(name);
                value.and_then(|value| value.to_str().ok()).map(str::to_owned)
            };
            match answer.status() {
                StatusCode::OK => {
                    let validators = Validators { etag: header(ETAG), last_modified: header(LAST_MODIFIED) };
                    let bytes = body(&mut answer, max_bytes, self.limit)?;
                    return Ok(Answer::Content { bytes, validators });
                }
                StatusCode::NOT_MODIFIED if *manner.known != Validators::default() => return Ok(Answer::NotModified),
                StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS => {
                    return Ok(Answer::NotFound);
                }
                status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                    return Err(Error::Login(status.as_u16()));
                }
                // A token is for the one whom it was sent to.
                status if status.is_redirection() && manner.token.is_none() => {
                    let Some(place) = header(LOCATION) else { return Err(Error::Status(status.as_u16())) };
                    url = join(&url, &place).ok_or(Error::Status(status.as_u16()))?;
                }
                status => return Err(Error::Status(status.as_u16())),
            }
        }
        Err(Error::TooManyRedirects)
    }

    /// Refuses what would be sent in the clear, unless it stays on the machine or the user's configuration says so.
    fn check(&self, url: &str) -> Result<(), Error> {
        let insecure = || Error::Insecure(url.to_owned());
        let (scheme, rest) = url.split_once("://").ok_or_else(insecure)?;
        if scheme.eq_ignore_ascii_case("https") {
            return Ok(());
        }
        let host = host(rest);
        if scheme.eq_ignore_ascii_case("http")
            && (is_loopback(host) || self.plain_hosts.iter().any(|plain| plain == host))
        {
            return Ok(());
        }
        Err(insecure())
    }

    fn error(error: ureq::Error, limit: Duration) -> Error {
        match error {
            ureq::Error::Timeout(_) => Error::Timeout(limit),
            ureq::Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>()) {
                Some(ureq::Error::Timeout(_)) => Error::Timeout(limit),
                _ if error.kind() == std::io::ErrorKind::TimedOut => Error::Timeout(limit),
                _ => Error::Transport(error.to_string()),
            },
            error => Error::Transport(error.to_string()),
        }
    }
}

/// Reads an answer of at most `max_bytes` bytes, decompressed.
fn body(answer: &mut ureq::http::Response<ureq::Body>, max_bytes: u64, limit: Duration) -> Result<Vec<u8>, Error> {
    // Without this, a buffer that grows by doubling holds twice the file.
    let length = answer.body().content_length().unwrap_or(0).min(max_bytes).min(MAX_RESERVED);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0).saturating_add(1));
    // One byte more, to tell a file of the largest size from a larger one.
    let body = answer.body_mut().with_config().limit(u64::MAX).reader();
    body.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| Http::error(error.into(), limit))?;
    if bytes.len() as u64 > max_bytes { Err(Error::TooLarge(max_bytes)) } else { Ok(bytes) }
}

/// The header with a token, which no log of requests shows.
fn authorization(token: &Token) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(token.expose())
        .map_err(|_| Error::Settings("the token has characters that no request can carry".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Refuses to send what is secret in the clear, whatever the user's configuration says, unless it stays on the machine.
pub(super) fn is_private(url: &str) -> Result<(), Error> {
    match url.split_once("://") {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => Ok(()),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") && is_loopback(host(rest)) => Ok(()),
        Some(_) | None => Err(Error::Insecure(url.to_owned())),
    }
}

/// Whether a `HOST:PORT` is this machine.
fn is_loopback(host: &str) -> bool {
    let bare = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(host, |(bare, _)| bare);
    matches!(bare, "127.0.0.1" | "[::1]" | "localhost")
}

/// The scheme, host and port of a URL, in lower case; none if it is no URL.
pub(super) fn authority(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = format!("{scheme}://{}", host(rest)).to_ascii_lowercase();
    let default_port = match authority.split_once("://")?.0 {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    Some(authority.strip_suffix(default_port).unwrap_or(&authority).to_owned())
}

/// The `HOST:PORT` of what follows `://`.
fn host(rest: &str) -> &str {
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

/// The `HOST:PORT` of an `http:` URL; none if it is not one.
pub fn plain_host(url: &str) -> Option<&str> {
    url.strip_prefix("http://").map(host)
}

/// Where a redirect leads.
fn join(base: &str, place: &str) -> Option<String> {
    if place.contains("://") {
        return Some(place.to_owned());
    }
    let (scheme, rest) = base.split_once("://")?;
    if let Some(rest) = place.strip_prefix("//") {
        return Some(format!("{scheme}://{rest}"));
    }
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    if place.starts_with('/') {
        return Some(format!("{scheme}://{authority}{place}"));
    }
    let path = &rest[authority.len()..];
    let path = &path[..path.find(['?', '#']).unwrap_or(path.len())];
    let folder = path.rfind('/').map_or("/", |slash| &path[..=slash]);
    Some(format!("{scheme}://{authority}{folder}{place}"))
}

/// The proxy that the environment names, in the order in which curl and cargo look, with the hosts it is not for.
pub fn proxy_of(environment: &BTreeMap<String, String>) -> Option<(String, Vec<String>)> {
    let variable = |name: &str| {
        let value = environment.get(&name.to_lowercase()).or_else(|| environment.get(name));
        value.filter(|value| !value.is_empty())
    };
    let url = variable("HTTPS_PROXY").or_else(|| variable("ALL_PROXY"))?;
    Some((url.clone(), no_proxy(environment)))
}

/// The hosts that `NO_PROXY` names.
pub fn no_proxy(environment: &BTreeMap<String, String>) -> Vec<String> {
    let hosts = environment.get("no_proxy").or_else(|| environment.get("NO_PROXY"));
    hosts.into_iter().flat_map(|hosts| hosts.split(',')).map(|host| host.trim().to_owned()).collect()
}

fn proxy(url: &str, except: &[String]) -> Result<Proxy, Error> {
    // The URL may hold a password.
    let bad = |_| Error::Settings("the proxy is not a URL that can be used".to_owned());
    let proxy = Proxy::new(url).map_err(bad)?;
    let mut builder = Proxy::builder(proxy.protocol()).host(proxy.host()).port(proxy.port());
    if let Some(name) = proxy.username() {
        builder = builder.username(name);
    }
    if let Some(password) = proxy.password() {
        builder = builder.password(password);
    }
    let own = ["localhost", "127.0.0.1", "[::1]"];
    builder = own.into_iter().chain(except.iter().map(String::as_str)).fold(builder, ureq::ProxyBuilder::no_proxy);
    builder.build().map_err(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_joined_to_where_they_come_from() {
        for (base, place, expected) in [
            ("https://a.example/x/y?z", "https://b.example/", "https://b.example/"),
            ("https://a.example/x/y?z", "//b.example/q", "https://b.example/q"),
            ("https://a.example:8443/x/y", "/q", "https://a.example:8443/q"),
            ("https://a.example/x/y?z=/w", "q", "https://a.example/x/q"),
            ("https://a.example", "q", "https://a.example/q"),
        ] {
            assert_eq!(join(base, place).unwrap(), expected);
        }
    }

    #[test]
    fn only_the_loopback_and_configured_hosts_are_asked_in_the_clear() {
        let http =
            Http::new(&Settings { plain_hosts: vec!["plain.example:81".to_owned()], ..Settings::default() }).unwrap();
        for url in ["https://a.example/", "http://127.0.0.1:8/", "http://[::1]:8/x", "http://u:p@plain.example:81/"] {
            assert_eq!(http.check(url), Ok(()), "{url}");
        }
        for url in [
            "http://a.example/",
            "http://127.0.0.1@a.example/",
            "http://plain.example/",
            "file:///x",
            "x",
            "ftp://127.0.0.1/",
        ] {
            assert!(http.check(url).is_err(), "{url}");
        }
    }

    #[test]
    fn proxies_come_from_the_environment_that_is_passed() {
        let environment = BTreeMap::from([
            ("HTTPS_PROXY".to_owned(), "http://p.example:3128".to_owned()),
            ("no_proxy".to_owned(), "a.example, .b.example".to_owned()),
        ]);
        let (url, except) = proxy_of(&environment).unwrap();
        assert_eq!(
            (url.as_str(), except),
            ("http://p.example:3128", vec!["a.example".to_owned(), ".b.example".to_owned()])
        );
        assert_eq!(proxy_of(&BTreeMap::new()), None);
        let settings = Settings { proxy: Some(("::".to_owned(), Vec::new())), ..Settings::default() };
        assert!(matches!(Http::new(&settings), Err(Error::Settings(_))));
    }

    #[test]
    fn an_offline_client_refuses() {
        assert_eq!(Http::offline().get("https://a.example/", 1, &Validators::default()), Err(Error::Offline));
    }
}
