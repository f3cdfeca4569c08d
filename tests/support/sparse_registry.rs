//! A sparse registry on the loopback, with faults on demand.

#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

/// What goes wrong with a path.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// This status, without a body.
    Status(u16),
    /// Nothing is answered for so long.
    Hang(Duration),
    /// Half of the body that was promised.
    Truncated,
    /// These bytes in place of the file's.
    Bytes(Vec<u8>),
    /// Sent on to this place.
    Redirect(String),
}

/// The registry; it serves until the test ends.
pub(crate) struct SparseRegistry {
    address: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    faults: BTreeMap<String, Fault>,
    with_etags: bool,
    requests: Vec<String>,
}

impl SparseRegistry {
    /// Starts an empty one.
    pub(crate) fn start(with_etags: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(Mutex::new(State { with_etags, ..State::default() }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(&stream, &shared));
            }
        });
        let registry = Self { address, state };
        let config = format!(r#"{{"dl":"http://{}/dl","api":null}}"#, registry.address);
        registry.serve("/index/config.json", config.into_bytes());
        registry
    }

    /// Serves these bytes at a path.
    pub(crate) fn serve(&self, path: &str, bytes: Vec<u8>) {
        self.state.lock().unwrap().files.insert(path.to_owned(), bytes);
    }

    /// The index URL, as cargo's configuration writes it.
    pub(crate) fn index(&self) -> String {
        format!("sparse+http://{}/index/", self.address)
    }

    /// Adds a version of a crate with this manifest beside an empty library, and returns its checksum.
    pub(crate) fn publish(&self, name: &str, version: &str, manifest: &str, more: &str) -> String {
        let archive = package(name, version, manifest);
        let checksum = hex(&Sha256::digest(&archive));
        let line = format!(
            r#"{{"name":"{name}","vers":"{version}","deps":[],"cksum":"{checksum}","features":{{}},"yanked":false{more}}}"#
        );
        let mut state = self.state.lock().unwrap();
        let entry = state.files.entry(entry_path(name)).or_default();
        entry.extend(line.bytes());
        entry.push(b'\n');
        drop(state);
        self.serve(&format!("/dl/{name}/{version}/download"), archive);
        checksum
    }

    /// Changes the entry of a crate.
    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let mut state = self.state.lock().unwrap();
        let entry = state.files.get_mut(&entry_path(name)).unwrap();
        let text = String::from_utf8(entry.clone()).unwrap();
        assert!(text.contains(from));
        *entry = text.replace(from, to).into_bytes();
    }

    /// Makes something go wrong with the entry of a crate.
    pub(crate) fn fault(&self, name: &str, fault: Fault) {
        self.state.lock().unwrap().faults.insert(entry_path(name), fault);
    }

    /// The paths asked for since the last call, sorted, those that were answered with 304 marked so.
    pub(crate) fn requests(&self) -> Vec<String> {
        let mut requests = std::mem::take(&mut self.state.lock().unwrap().requests);
        requests.sort();
        requests
    }
}

fn entry_path(name: &str) -> String {
    let name = name.to_lowercase();
    match name.len() {
        1 => format!("/index/1/{name}"),
        2 => format!("/index/2/{name}"),
        3 => format!("/index/3/{}/{name}", &name[..1]),
        _ => format!("/index/{}/{}/{name}", &name[..2], &name[2..4]),
    }
}

/// A `.crate` as cargo packs it.
pub(crate) fn package(name: &str, version: &str, manifest: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (path, content) in [("Cargo.toml", manifest), ("src/lib.rs", "//! Nothing.\n")] {
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

fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let Ok(reading) = stream.try_clone() else { return };
    let mut lines = BufReader::new(reading).lines();
    while let Some(Ok(request)) = lines.next() {
        let mut known = None;
        for header in lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()) {
            if let Some((key, value)) = header.split_once(':')
                && key.eq_ignore_ascii_case("if-none-match")
            {
                known = Some(value.trim().to_owned());
            }
        }
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        if answer(stream, state, &path, known.as_deref()).is_none() {
            return;
        }
    }
}

/// Answers one request; none if the connection is to be closed.
fn answer(mut stream: &TcpStream, state: &Mutex<State>, path: &str, known: Option<&str>) -> Option<()> {
    let (file, fault, with_etags) = {
        let state = state.lock().ok()?;
        (state.files.get(path).cloned(), state.faults.get(path).cloned(), state.with_etags)
    };
    let log = |suffix: &str| state.lock().map(|mut state| state.requests.push(format!("{path}{suffix}"))).ok();
    let mut body = file;
    let mut cut = 0;
    match fault {
        None => {}
        Some(Fault::Status(status)) => {
            log("")?;
            return write!(stream, "HTTP/1.1 {status} Fault\r\nContent-Length: 0\r\n\r\n").ok();
        }
        Some(Fault::Redirect(place)) => {
            log("")?;
            return write!(stream, "HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n").ok();
        }
        Some(Fault::Hang(time)) => std::thread::sleep(time),
        Some(Fault::Truncated) => cut = body.as_ref().map_or(0, |body| body.len() / 2),
        Some(Fault::Bytes(bytes)) => body = Some(bytes),
    }
    let Some(body) = body else {
        log("")?;
        return write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").ok();
    };
    let mut head = format!("Content-Length: {}\r\n", body.len());
    if with_etags {
        let etag = format!("\"{}\"", hex(&Sha256::digest(&body)[..8]));
        if known == Some(&etag) {
            log(" 304")?;
            return write!(stream, "HTTP/1.1 304 Not Modified\r\nETag: {etag}\r\n\r\n").ok();
        }
        write!(head, "ETag: {etag}\r\n").ok()?;
    }
    log("")?;
    write!(stream, "HTTP/1.1 200 OK\r\n{head}\r\n").ok()?;
    stream.write_all(&body[..body.len() - cut]).ok()?;
    (cut == 0).then_some(())
}
