//! Runs other programs: with an argument vector, an explicit environment, and limits on time and output.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// The most that is kept of what a program says of its errors: the end.
const STDERR_BYTES: usize = 64 << 10;

/// How long the errors of a program that has ended are waited for: one that it left running may hold them open.
const GRACE: Duration = Duration::from_secs(1);

/// A program to run.
#[derive(Debug, Clone)]
pub struct Program<'a> {
    /// Its name, which the `PATH` of the variables leads to, or its path.
    pub name: &'a str,
    /// What it is told.
    pub arguments: Vec<OsString>,
    /// Where it runs.
    pub directory: &'a Path,
    /// Its whole environment.
    pub variables: &'a BTreeMap<String, String>,
    /// What it reads.
    pub input: Vec<u8>,
    /// How long it may take.
    pub limit: Duration,
    /// How many bytes it may write.
    pub most: u64,
    /// Whether it may ask its user over standard error, of which nothing is kept then.
    pub is_interactive: bool,
}

/// Why a program could not be run to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is none of this name.
    #[error("`{program}` is not installed")]
    Missing {
        /// The name.
        program: String,
    },
    /// The system did not run it.
    #[error("`{program}` cannot be run")]
    Start {
        /// The name.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// It was ended.
    #[error("`{program}` took more than {} seconds", limit.as_secs())]
    TooLong {
        /// The name.
        program: String,
        /// How long it may take.
        limit: Duration,
    },
    /// It was ended.
    #[error("`{program}` wrote more than {most} bytes")]
    TooMuch {
        /// The name.
        program: String,
        /// How much it may write.
        most: u64,
    },
}

impl<'a> Program<'a> {
    /// A program that reads nothing, with a minute of time.
    pub fn new(name: &'a str, directory: &'a Path, variables: &'a BTreeMap<String, String>) -> Self {
        Self {
            name,
            arguments: Vec::new(),
            directory,
            variables,
            input: Vec::new(),
            limit: Duration::from_mins(1),
            most: 256 << 20,
            is_interactive: false,
        }
    }

    /// Adds to what it is told.
    #[must_use]
    pub fn arguments<T: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Runs it; its status is for the caller to judge.
    ///
    /// # Errors
    ///
    /// [`Error`] if it is not there, takes too long or writes too much; in the last two cases it was ended.
    pub fn run(self) -> Result<Output, Error> {
        let program = self.name.to_owned();
        let failed = |source| Error::Start { program: program.clone(), source };
        let mut child = self.start()?;
        let mut stdin = child.stdin.take();
        // A program that does not read its input to the end says why in its status.
        thread::spawn(move || stdin.as_mut().map(|pipe| pipe.write_all(&self.input)));
        let stdout = in_background(child.stdout.take(), move |pipe| {
            let mut bytes = Vec::new();
            pipe.take(self.most + 1).read_to_end(&mut bytes).map(|_| bytes)
        });
        let stderr = in_background(child.stderr.take(), end_of);
        let stop = |child: &mut Child, error| {
            stop(child);
            Err(error)
        };
        let too_long = || Error::TooLong { program: program.clone(), limit: self.limit };
        let stdout = match stdout.recv_timeout(self.limit) {
            Ok(Ok(bytes)) if bytes.len() as u64 > self.most => {
                return stop(&mut child, Error::TooMuch { program: program.clone(), most: self.most });
            }
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) => return stop(&mut child, failed(error)),
            Err(_) => return stop(&mut child, too_long()),
        };
        let Some(status) = ended(&mut child, self.limit).map_err(failed)? else {
            return stop(&mut child, too_long());
        };
        let stderr = stderr.recv_timeout(GRACE).ok().and_then(Result::ok).unwrap_or_default();
        Ok(Output { status, stdout, stderr })
    }

    /// Starts it, with pipes to and from it.
    pub(super) fn start(&self) -> Result<Child, Error> {
        let mut command = Command::new(self.name);
        command.env_clear().envs(self.variables).current_dir(self.directory).args(&self.arguments);
        let errors = if self.is_interactive { Stdio::inherit() } else { Stdio::piped() };
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        command.spawn().map_err(|source| {
            let program = self.name.to_owned();
            // A missing folder looks like a missing program.
            if source.kind() == io::ErrorKind::NotFound && self.directory.is_dir() {
                Error::Missing { program }
            } else {
                Error::Start { program, source }
            }
        })
    }
}

/// Reads a pipe on a thread, which outlives a program that leaves it open.
fn in_background<P: Read + Send + 'static>(
    pipe: Option<P>,
    read: impl FnOnce(P) -> io::Result<Vec<u8>> + Send + 'static,
) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(pipe.map_or_else(|| Ok(Vec::new()), read)));
    receiver
}

/// The last of what is written.
fn end_of(mut pipe: impl Read) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let mut buffer = [0; 8 << 10];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => kept.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if kept.len() > 2 * STDERR_BYTES {
            kept.drain(..kept.len() - STDERR_BYTES);
        }
    }
    kept.drain(..kept.len().saturating_sub(STDERR_BYTES));
    Ok(kept)
}

/// Ends a program.
pub(super) fn stop(child: &mut Child) {
    // One that ended meanwhile cannot be killed, and need not be.
    let _ = child.kill();
    let _ = child.wait();
}

/// The status of a program that closed its output and should be about to end; none if it does not.
pub(super) fn ended(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let (mut waited, mut pause) = (Duration::ZERO, Duration::from_micros(100));
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if waited > limit {
            return Ok(None);
        }
        thread::sleep(pause);
        waited += pause;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// The last lines of what a program said, for an error: at most `count` that are not empty, in one line.
pub fn last_lines(bytes: &[u8], count: usize) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Program<'_> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        Program::new("/bin/sh", Path::new("/"), &NONE).arguments(["-c", script])
    }

    #[test]
    fn input_output_and_status_come_through() {
        let mut program = shell("cat; echo sorry >&2; exit 3");
        program.input = vec![b'x'; 1 << 20];
        let output = program.run().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 1 << 20));
        assert_eq!(output.stderr, b"sorry\n");
        let program = shell("env");
        let output = String::from_utf8(program.run().unwrap().stdout).unwrap();
        assert!(!output.contains("HOME="), "{output}");
    }

    #[test]
    fn a_program_that_hangs_or_babbles_is_ended() {
        for script in ["exec sleep 60", "exec >&- 2>&-; exec sleep 60"] {
            let mut program = shell(script);
            program.limit = Duration::from_millis(50);
            assert!(matches!(program.run(), Err(Error::TooLong { .. })), "{script}");
        }
        let mut program = shell("while :; do echo xxxxxxxxxxxxxxxx; done");
        program.most = 1000;
        assert!(matches!(program.run(), Err(Error::TooMuch { .. })));
    }

    #[test]
    fn what_is_left_running_is_not_waited_for() {
        let output = shell("sleep 60 >&- <&- & echo done").run().unwrap();
        assert_eq!(output.stdout, b"done\n");
    }

    #[test]
    fn only_the_end_of_errors_is_kept() {
        let output = shell("i=0; while [ $i -lt 30000 ]; do echo line $i >&2; i=$((i+1)); done").run().unwrap();
        assert!(output.stderr.len() <= STDERR_BYTES);
        assert_eq!(last_lines(&output.stderr, 2), "line 29998\nline 29999");
        assert_eq!(last_lines(b"", 2), "");
    }

    #[test]
    fn a_missing_program_is_told_from_a_missing_folder() {
        let none = BTreeMap::new();
        let missing = Program::new("toolbelt-no-such-program", Path::new("/"), &none).run().unwrap_err();
        assert!(matches!(missing, Error::Missing { .. }), "{missing}");
        let started = Program::new("sh", Path::new("/no/such/folder"), &none).run().unwrap_err();
        assert!(matches!(started, Error::Start { .. }), "{started}");
    }
}
