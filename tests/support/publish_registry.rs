//! A registry on the loopback that cargo can publish to and build from, with faults on demand.
//!
//! It speaks the sparse protocol (`config.json`, index entries with an `ETag`, downloads) and the part of the web API
//! that cargo uses (publish, yank, unyank), checks tokens, and keeps every request byte for byte.

#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// What goes wrong, once for each time that it is set, unless it says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The upload is answered only after so long.
    Slow(Duration),
    /// Half of the upload is read, then comes status 500 and the connection is closed.
    CutUpload,
    /// The upload is stored and indexed, and answered with status 500.
    AnswerLost,
    /// The upload is answered as accepted, and the index knows it only after so many more requests for the entry.
    NotIndexed(usize),
    /// The index has another checksum for it than that of what was uploaded.
    WrongChecksum,
    /// The upload is answered with this, and not stored.
    Answer { status: u16, body: Vec<u8> },
    /// The upload is answered with this many bytes of JSON.
    Huge(usize),
    /// The upload is answered with a redirect to this place.
    Redirect(String),
    /// Downloads are these bytes, from now on.
    OtherBytes(Vec<u8>),
    /// The index entry of every crate is these bytes, from now on.
    Index(Vec<u8>),
}

/// How a duplicate version is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duplicate {
    /// Status 200 with `errors`, as crates.io did for years.
    Ok,
    /// Status 400 with `errors`.
    BadRequest,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// How the registry behaves.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The one that may publish.
    pub(crate) token: String,
    /// Whether reading needs the token, too.
    pub(crate) auth_required: bool,
    pub(crate) duplicate: Duplicate,
    /// Where the API is said to be; none means here.
    pub(crate) api: Option<String>,
    /// Where downloads are said to be; none means here.
    pub(crate) dl: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { token: "secret".to_owned(), auth_required: false, duplicate: Duplicate::BadRequest, api: None, dl: None }
    }
}

/// The registry; it serves until the test ends.
pub(crate) struct PublishRegistry {
    address: String,
    state: Arc<Mutex<State>>,
}

struct State {
    settings: Settings,
    address: String,
    /// Index entries by name in lower case, one JSON object a version.
    entries: BTreeMap<String, Vec<Value>>,
    /// `.crate` files by name and version.
    archives: BTreeMap<(String, String), Vec<u8>>,
    faults: Vec<Fault>,
    /// Entries that are not shown yet, with the number of requests that still have to come.
    hidden: Vec<(usize, String, Value)>,
    requests: Vec<Request>,
}

impl PublishRegistry {
    /// Starts an empty one.
    pub(crate) fn start(settings: Settings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(Mutex::new(State {
            settings,
            address: address.clone(),
            entries: BTreeMap::new(),
            archives: BTreeMap::new(),
            faults: Vec::new(),
            hidden: Vec::new(),
            requests: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(&stream, &shared));
            }
        });
        Self { address, state }
    }

    /// The index URL, as cargo's configuration writes it.
    pub(crate) fn index(&self) -> String {
        format!("sparse+http://{}/index/", self.address)
    }

    /// `HOST:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Lines of `config.toml` that call this registry `name`.
    pub(crate) fn named(&self, name: &str) -> String {
        format!("[registries.{name}]\nindex = '{}'\n", self.index())
    }

    /// Lines of `config.toml` that take what crates.io has from here.
    ///
    /// Cargo publishes to crates.io itself whatever replaces it, so tests publish to the name of [`Self::named`].
    pub(crate) fn in_place_of_crates_io(&self) -> String {
        format!(
            "[source.crates-io]\nreplace-with = 'loopback-mirror'\n[source.loopback-mirror]\nregistry = '{}'\n",
            self.index()
        )
    }

    /// Makes something go wrong.
    pub(crate) fn fault(&self, fault: Fault) {
        self.state.lock().unwrap().faults.push(fault);
    }

    /// Publishes without a request, as if somebody else had.
    pub(crate) fn add(&self, metadata: &Value, archive: &[u8]) {
        let entry = entry(metadata, &hex(&Sha256::digest(archive)));
        self.state.lock().unwrap().store(metadata, entry, archive);
    }

    /// Adds an empty library, for packages to depend on.
    pub(crate) fn add_empty(&self, name: &str, version: &str) {
        self.add_library(name, version, "");
    }

    /// Adds an empty library with these lines at the end of its manifest, which are to be features alone.
    pub(crate) fn add_library(&self, name: &str, version: &str, more: &str) {
        let manifest = format!("[package]\nname = '{name}'\nversion = '{version}'\nedition = '2021'\n{more}");
        let table: toml::Table = manifest.parse().unwrap();
        let features = table.get("features").cloned().unwrap_or(toml::Value::Table(toml::Table::new()));
        self.add(
            &json!({ "name": name, "vers": version, "deps": [], "features": features }),
            &package(name, version, &[("Cargo.toml", &manifest), ("src/lib.rs", "//! Nothing.\n")]),
        );
    }

    /// What the registry has of a version.
    pub(crate) fn archive(&self, name: &str, version: &str) -> Option<Vec<u8>> {
        self.state.lock().unwrap().archives.get(&(name.to_owned(), version.to_owned())).cloned()
    }

    /// The index entry of a crate as it is served.
    pub(crate) fn entry(&self, name: &str) -> String {
        let state = self.state.lock().unwrap();
        state.entries.get(&name.to_lowercase()).map(|entries| lines(entries)).unwrap_or_default()
    }

    /// The requests since the last call, in the order in which they came.
    pub(crate) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state.lock().unwrap().requests)
    }

    /// The bodies of the uploads since the last call of this or [`Self::requests`], whatever was answered.
    pub(crate) fn uploads(&self) -> Vec<Vec<u8>> {
        let is_upload = |request: &Request| request.path == "/api/v1/crates/new";
        self.requests().into_iter().filter(is_upload).map(|request| request.body).collect()
    }
}

impl State {
    /// Takes a fault of this kind from those that were set.
    fn take(&mut self, is_wanted: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let at = self.faults.iter().position(is_wanted)?;
        Some(self.faults.remove(at))
    }

    fn store(&mut self, metadata: &Value, entry: Value, archive: &[u8]) {
        let (name, version) = (text(metadata, "name"), text(metadata, "vers"));
        self.archives.insert((name.clone(), version), archive.to_owned());
        self.entries.entry(name.to_lowercase()).or_default().push(entry);
    }

    fn has(&self, name: &str, version: &str) -> bool {
        self.archives.contains_key(&(name.to_owned(), version.to_owned()))
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// What the index says of a version, from what was said when it was published.
fn entry(metadata: &Value, checksum: &str) -> Value {
    let dependency = |dependency: &Value| {
        let renamed = dependency["explicit_name_in_toml"].as_str();
        let mut entry = json!({
            "name": renamed.or(dependency["name"].as_str()),
            "req": dependency["version_req"],
            "features": dependency["features"],
            "optional": dependency["optional"],
            "default_features": dependency["default_features"],
            "target": dependency["target"],
            "kind": dependency["kind"],
            "registry": dependency["registry"],
        });
        if renamed.is_some() {
            entry["package"] = dependency["name"].clone();
        }
        entry
    };
    let is_new = |values: &Value| {
        let mut values = values.as_array().into_iter().flatten().filter_map(Value::as_str);
        values.any(|value| value.starts_with("dep:") || value.contains("?/"))
    };
    let features = metadata["features"].as_object().cloned().unwrap_or_default();
    let (new, old): (Vec<_>, Vec<_>) = features.into_iter().partition(|(_, values)| is_new(values));
    let mut entry = json!({
        "name": metadata["name"],
        "vers": metadata["vers"],
        "deps": metadata["deps"].as_array().into_iter().flatten().map(dependency).collect::<Vec<_>>(),
        "cksum": checksum,
        "features": Value::Object(old.into_iter().collect()),
        "yanked": false,
        "links": metadata["links"],
        "rust_version": metadata["rust_version"],
    });
    if !new.is_empty() {
        entry["features2"] = Value::Object(new.into_iter().collect());
        entry["v"] = json!(2);
    }
    entry
}

fn lines(entries: &[Value]) -> String {
    entries.iter().fold(String::new(), |mut text, entry| {
        writeln!(text, "{entry}").unwrap();
        text
    })
}

/// A `.crate` with these files.
pub(crate) fn package(name: &str, version: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1);
        archive.append_data(&mut header, format!("{name}-{version}/{path}"), content.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// An answer: status, headers, body.
struct Answer(u16, Vec<(&'static str, String)>, Vec<u8>);

impl Answer {
    fn json(status: u16, value: &Value) -> Self {
        Self(status, vec![("Content-Type", "application/json".to_owned())], value.to_string().into_bytes())
    }

    /// A refusal as crates.io writes it.
    fn error(status: u16, detail: &str) -> Self {
        Self::json(status, &json!({ "errors": [{ "detail": detail }] }))
    }

    fn write(&self, mut stream: &TcpStream, close: bool) -> Option<()> {
        let Self(status, headers, body) = self;
        write!(stream, "HTTP/1.1 {status} Answer\r\nContent-Length: {}\r\n", body.len()).ok()?;
        for (name, value) in headers {
            write!(stream, "{name}: {value}\r\n").ok()?;
        }
        if close {
            write!(stream, "Connection: close\r\n").ok()?;
        }
        write!(stream, "\r\n").ok()?;
        stream.write_all(body).ok()?;
        (!close).then_some(())
    }
}

fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let Ok(reading) = stream.try_clone() else { return };
    let mut reader = BufReader::new(reading);
    while one(stream, &mut reader, state).is_some() {}
}

/// Reads and answers one request; none if the connection is over.
fn one(mut stream: &TcpStream, reader: &mut BufReader<TcpStream>, state: &Mutex<State>) -> Option<()> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
    let mut words = first.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length: usize = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    if headers.get("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
        write!(stream, "HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    let is_upload = method == "PUT" && path == "/api/v1/crates/new";
    let cut = is_upload && state.lock().ok()?.take(|fault| *fault == Fault::CutUpload).is_some();
    let mut body = vec![0; if cut { length / 2 } else { length }];
    reader.read_exact(&mut body).ok()?;
    let request = Request { method, path, headers, body };
    state.lock().ok()?.requests.push(request.clone());
    if cut {
        return Answer::error(500, "internal error").write(stream, true);
    }
    let slow = state.lock().ok()?.take(|fault| is_upload && matches!(fault, Fault::Slow(_)));
    if let Some(Fault::Slow(time)) = slow {
        std::thread::sleep(time);
    }
    answer(&mut *state.lock().ok()?, &request).write(stream, false)
}

fn answer(state: &mut State, request: &Request) -> Answer {
    let token = request.headers.get("authorization");
    let is_api = request.path.starts_with("/api/");
    if is_api || state.settings.auth_required {
        match token {
            None => return Answer::error(401, "a token is needed"),
            Some(token) if *token != state.settings.token => return Answer::error(403, "authentication failed"),
            Some(_) => {}
        }
    }
    let parts: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["index", "config.json"]) => {
            let here = format!("http://{}", state.address);
            let api = state.settings.api.clone().unwrap_or_else(|| here.clone());
            let dl = state.settings.dl.clone().unwrap_or_else(|| format!("{here}/dl"));
            Answer::json(200, &json!({ "dl": dl, "api": api, "auth-required": state.settings.auth_required }))
        }
        ("GET", ["index", .., name]) => index(state, name, request.headers.get("if-none-match")),
        ("GET", ["dl", name, version, "download"]) => {
            let other = state.faults.iter().find_map(|fault| match fault {
                Fault::OtherBytes(bytes) => Some(bytes.clone()),
                _ => None,
            });
            let archive = state.archives.get(&((*name).to_owned(), (*version).to_owned())).cloned();
            match other.or(archive) {
                Some(bytes) => Answer(200, Vec::new(), bytes),
                None => Answer::error(404, "no such version"),
            }
        }
        ("PUT", ["api", "v1", "crates", "new"]) => publish(state, &request.body),
        ("DELETE", ["api", "v1", "crates", name, version, "yank"]) => yank(state, name, version, true),
        ("PUT", ["api", "v1", "crates", name, version, "unyank"]) => yank(state, name, version, false),
        _ => Answer::error(404, "not found"),
    }
}

fn index(state: &mut State, name: &str, known: Option<&String>) -> Answer {
    for (left, _, _) in &mut state.hidden {
        *left = left.saturating_sub(1);
    }
    let (shown, hidden) = std::mem::take(&mut state.hidden).into_iter().partition(|(left, _, _)| *left == 0);
    state.hidden = hidden;
    for (_, name, entry) in shown {
        state.entries.entry(name).or_default().push(entry);
    }
    let lie = state.faults.iter().find_map(|fault| match fault {
        Fault::Index(bytes) => Some(bytes.clone()),
        _ => None,
    });
    let body = lie.or_else(|| state.entries.get(name).map(|entries| lines(entries).into_bytes()));
    let Some(body) = body else { return Answer::error(404, "no such crate") };
    let etag = format!("\"{}\"", hex(&Sha256::digest(&body)[..8]));
    let headers = vec![("ETag", etag.clone())];
    if known == Some(&etag) { Answer(304, headers, Vec::new()) } else { Answer(200, headers, body) }
}

fn publish(state: &mut State, body: &[u8]) -> Answer {
    let fault = state.take(|fault| {
        matches!(
            fault,
            Fault::Answer { .. }
                | Fault::Huge(_)
                | Fault::Redirect(_)
                | Fault::AnswerLost
                | Fault::NotIndexed(_)
                | Fault::WrongChecksum
        )
    });
    match &fault {
        Some(Fault::Answer { status, body }) => return Answer(*status, Vec::new(), body.clone()),
        Some(Fault::Huge(size)) => {
            return Answer(
                200,
                Vec::new(),
                format!("{{\"warnings\":{{\"other\":[\"{}\"]}}}}", "x".repeat(*size)).into(),
            );
        }
        Some(Fault::Redirect(place)) => return Answer(307, vec![("Location", place.clone())], Vec::new()),
        _ => {}
    }
    let Some((metadata, archive)) = read_upload(body) else { return Answer::error(400, "malformed upload") };
    let (name, version) = (text(&metadata, "name"), text(&metadata, "vers"));
    if state.has(&name, &version) {
        let status = match state.settings.duplicate {
            Duplicate::Ok => 200,
            Duplicate::BadRequest => 400,
        };
        return Answer::error(status, &format!("crate version `{version}` is already uploaded"));
    }
    let checksum = match fault {
        Some(Fault::WrongChecksum) => hex(&Sha256::digest(b"something else")),
        _ => hex(&Sha256::digest(&archive)),
    };
    let entry = entry(&metadata, &checksum);
    if let Some(Fault::NotIndexed(requests)) = fault {
        state.archives.insert((name.clone(), version), archive);
        state.hidden.push((requests.saturating_add(1), name.to_lowercase(), entry));
    } else {
        state.store(&metadata, entry, &archive);
    }
    if fault == Some(Fault::AnswerLost) {
        return Answer::error(500, "internal error");
    }
    Answer::json(200, &json!({ "warnings": { "invalid_categories": [], "invalid_badges": [], "other": [] } }))
}

/// Takes an upload apart: metadata and `.crate`.
pub(crate) fn read_upload(body: &[u8]) -> Option<(Value, Vec<u8>)> {
    let (metadata, rest) = sized(body)?;
    let (archive, rest) = sized(rest)?;
    rest.is_empty().then_some(())?;
    Some((serde_json::from_slice(metadata).ok()?, archive.to_owned()))
}

fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

fn yank(state: &mut State, name: &str, version: &str, yanked: bool) -> Answer {
    let entries = state.entries.get_mut(&name.to_lowercase());
    let Some(entry) = entries.into_iter().flatten().find(|entry| entry["vers"] == version) else {
        return Answer::error(404, "no such version");
    };
    entry["yanked"] = json!(yanked);
    Answer::json(200, &json!({ "ok": true }))
}
