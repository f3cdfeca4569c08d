//! What is written where: results to standard output, the rest to standard error.

use std::fmt;
use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;

use anyhow::Context as _;
use toolbelt_core::output::human::{Colour, ErrorAt, Style};
use toolbelt_core::output::{escape, human, json, markdown, sarif};
use toolbelt_core::report::Report;
use toolbelt_core::subject::malformed::Malformed;

use crate::global::{Format, Global, When};
use crate::progress::Progress;

/// toolbelt could not do its work: usage, configuration, input or output.
const COULD_NOT_WORK: u8 = 2;
/// Width of a terminal that does not say how wide it is.
const WIDTH: usize = 100;

/// Writes results and errors.
#[derive(Debug)]
pub struct Ui {
    global: Global,
}

impl Ui {
    /// Writes as these options say.
    pub fn new(global: &Global) -> Self {
        Self { global: global.clone() }
    }

    /// The format asked for.
    pub fn format(&self) -> Format {
        self.global.format
    }

    /// How to write for people on standard output.
    pub fn style(&self) -> Style {
        self.style_for(anstream::AutoStream::choice(&io::stdout()))
    }

    /// Shows progress until it is dropped.
    pub fn progress(&self) -> Progress {
        Progress::new(self.global.quiet)
    }

    /// Writes a report in the format asked for.
    ///
    /// # Errors
    ///
    /// If standard output cannot be written to.
    pub fn report(&mut self, report: &Report) -> anyhow::Result<()> {
        let style = self.style();
        self.write(|out| match self.global.format {
            Format::Human => human::write(report, style, out),
            Format::Json => json::write(report, out),
            Format::Sarif => sarif::write(report, out),
            Format::Markdown => markdown::write(report, out),
        })
    }

    /// Writes to standard output.
    ///
    /// # Errors
    ///
    /// If it cannot be written to.
    pub fn write(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        write(&mut out).and_then(|()| out.flush()).context("cannot write the result")
    }

    /// Writes a line to standard error: what was done besides the result.
    ///
    /// # Errors
    ///
    /// If it cannot be written to.
    pub fn note(&self, text: &str) -> anyhow::Result<()> {
        writeln!(io::stderr(), "{}", escape::visible(text)).context("cannot write a message")
    }

    /// Writes an error to standard error: with its place where it has one, else with its causes.
    pub fn error(&self, error: &anyhow::Error) {
        let style = self.style_for(anstream::AutoStream::choice(&io::stderr()));
        let mut out = io::stderr().lock();
        // When standard error is gone, nobody is left to tell.
        let _ = match error.chain().find_map(|cause| cause.downcast_ref::<Malformed>()) {
            Some(malformed) => human::write_error_at(&place(malformed), style, &mut out),
            None => write_error(error, &mut out),
        };
    }

    fn style_for(&self, terminal: anstream::ColorChoice) -> Style {
        let is_coloured = match self.global.color {
            When::Always => true,
            When::Never => false,
            When::Auto => terminal != anstream::ColorChoice::Never,
        };
        let colour = if is_coloured { Colour::Always } else { Colour::Never };
        let width = io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
        let width = width.map_or(WIDTH, |(width, _)| usize::from(width.0));
        Style { colour, width, verbose: self.global.verbose }
    }
}

fn place(malformed: &Malformed) -> ErrorAt<'_> {
    ErrorAt {
        path: &malformed.location.path,
        text: &malformed.text,
        region: malformed.location.region.as_ref(),
        message: &malformed.message,
        hint: malformed.hint.as_deref(),
    }
}

/// An error that says what the reader can do.
#[derive(Debug)]
pub struct Hinted {
    /// What failed.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl fmt::Display for Hinted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Hinted {}

fn write_error(error: &anyhow::Error, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "error: {}", escape::visible_lines(&format!("{error:#}")))?;
    match error.chain().find_map(|cause| cause.downcast_ref::<Hinted>()) {
        Some(hinted) => writeln!(out, "hint: {}", escape::visible(&hinted.hint)),
        None => Ok(()),
    }
}

/// Runs a command and returns the exit code of the program; errors are told.
pub fn run(global: &Global, command: impl FnOnce(&mut Ui) -> anyhow::Result<u8>) -> ExitCode {
    let mut ui = Ui::new(global);
    match command(&mut ui) {
        Ok(code) => ExitCode::from(code),
        Err(error) if is_broken_pipe(&error) => ExitCode::from(COULD_NOT_WORK),
        Err(error) => {
            ui.error(&error);
            ExitCode::from(COULD_NOT_WORK)
        }
    }
}

/// Whether the reader went away, as `head` does.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let is_it = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    error.chain().any(is_it)
}
