//! Programs that are asked for something, with a time limit and a bound on what they say.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How often a program is asked whether it has ended.
const PAUSE: Duration = Duration::from_millis(20);
/// Most that is read of what a program writes.
const MAX_OUTPUT: u64 = 1 << 20;
/// How long its output is waited for after it has ended: a child of its own may keep the pipe.
const DRAIN: Duration = Duration::from_secs(2);

/// Why a program gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It cannot be started.
    #[error("`{program}` cannot be started")]
    Start {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// It did not end in time, and was ended.
    #[error("`{program}` took more than {} seconds", limit.as_secs())]
    Timeout {
        /// The program.
        program: String,
        /// How long it had.
        limit: Duration,
    },
}

/// A program that is about to run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Program<'a> {
    pub(super) path: &'a str,
    pub(super) arguments: &'a [String],
    pub(super) variables: &'a BTreeMap<String, String>,
    pub(super) directory: &'a Path,
    pub(super) limit: Duration,
}

/// What a program wrote, cut after a mebibyte each, and how it ended.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) status: ExitStatus,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

impl Program<'_> {
    /// Runs it without an input. What it says on stderr is kept if `errors` is a pipe.
    pub(super) fn run(&self, errors: Stdio) -> Result<Output, Error> {
        let mut child = self.start(Stdio::null(), errors)?;
        let stdout = gather(child.stdout.take());
        let stderr = gather(child.stderr.take());
        let status = self.wait(&mut child)?;
        Ok(Output {
            status,
            stdout: stdout.recv_timeout(DRAIN).unwrap_or_default(),
            stderr: stderr.recv_timeout(DRAIN).unwrap_or_default(),
        })
    }

    /// Reads a line, writes one, reads another and lets the program end; its user may be asked over stderr.
    pub(super) fn exchange(&self, request: &str) -> Result<[String; 2], Error> {
        let mut child = self.start(Stdio::piped(), Stdio::inherit())?;
        let (sender, receiver) = mpsc::channel();
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let request = format!("{request}\n");
        // The program decides when this ends, at the latest by being ended.
        thread::spawn(move || {
            let (Some(mut input), Some(output)) = (input, output) else { return };
            let mut lines = BufReader::new(output.take(MAX_OUTPUT));
            let mut line = || {
                let mut bytes = Vec::new();
                lines.read_until(b'\n', &mut bytes).ok();
                String::from_utf8_lossy(&bytes).into_owned()
            };
            let hello = line();
            let answer = if input.write_all(request.as_bytes()).is_ok() { line() } else { String::new() };
            drop(input);
            sender.send([hello, answer]).ok();
        });
        let Ok(lines) = receiver.recv_timeout(self.limit) else {
            end(&mut child);
            return Err(self.timeout());
        };
        self.wait(&mut child)?;
        Ok(lines)
    }

    fn start(&self, input: Stdio, errors: Stdio) -> Result<Child, Error> {
        Command::new(self.path)
            .args(self.arguments)
            .env_clear()
            .envs(self.variables)
            .current_dir(self.directory)
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .map_err(|source| Error::Start { program: self.path.to_owned(), source })
    }

    fn wait(&self, child: &mut Child) -> Result<ExitStatus, Error> {
        let mut waited = Duration::ZERO;
        while waited < self.limit {
            if let Ok(Some(status)) = child.try_wait() {
                return Ok(status);
            }
            thread::sleep(PAUSE);
            waited += PAUSE;
        }
        end(child);
        Err(self.timeout())
    }

    fn timeout(&self) -> Error {
        Error::Timeout { program: self.path.to_owned(), limit: self.limit }
    }
}

fn end(child: &mut Child) {
    child.kill().ok();
    child.wait().ok();
}

/// Reads to the end, and keeps the beginning.
fn gather<R: std::io::Read + Send + 'static>(stream: Option<R>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            stream.by_ref().take(MAX_OUTPUT).read_to_end(&mut bytes).ok();
            // A full pipe would stop the program.
            std::io::copy(&mut stream, &mut std::io::sink()).ok();
        }
        sender.send(bytes).ok();
    });
    receiver
}
