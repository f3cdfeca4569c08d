//! A talk with a program: it says hello, is asked something, and answers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::sync::mpsc;
use std::thread;

use crate::source::program::{self, Error, Program};

impl Program<'_> {
    /// Reads a line, writes one, reads another and lets the program end.
    ///
    /// # Errors
    ///
    /// [`Error`] if it is not there or takes too long, and then it was ended.
    pub(super) fn exchange(&self, request: &str) -> Result<[String; 2], Error> {
        let mut child = self.start()?;
        let (sender, receiver) = mpsc::channel();
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (request, most) = (format!("{request}\n"), self.most);
        // The program decides when this ends, at the latest by being ended.
        thread::spawn(move || {
            let (Some(mut input), Some(output)) = (input, output) else { return };
            let mut lines = BufReader::new(output.take(most));
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
        let failed = |source| Error::Start { program: self.name.to_owned(), source };
        match receiver.recv_timeout(self.limit) {
            Ok(lines) if program::ended(&mut child, self.limit).map_err(failed)?.is_some() => Ok(lines),
            Ok(_) | Err(_) => {
                program::stop(&mut child);
                Err(Error::TooLong { program: self.name.to_owned(), limit: self.limit })
            }
        }
    }
}
