//! What is written where: results to standard output, the rest to standard error.

use std::fmt;
use std::io::{self, IsTerminal as _, Write};

use anyhow::Context as _;
use toolbelt_core::ops::deps;
use toolbelt_core::output::human::{Colour, ErrorAt, Style};
use toolbelt_core::output::{escape, human, json, markdown, sarif};
use toolbelt_core::report::Report;
use toolbelt_core::source::repository;
use toolbelt_core::subject::malformed::Malformed;

use crate::cli::{Format, Global, When};
use crate::progress::Progress;

/// Width of a terminal that does not say how wide it is.
const WIDTH: usize = 100;

/// Writes results and errors.
#[derive(Debug)]
pub(crate) struct Ui {
    global: Global,
}

impl Ui {
    pub(crate) fn new(global: &Global) -> Self {
        Self { global: global.clone() }
    }

    /// The format asked for.
    pub(crate) fn format(&self) -> Format {
        self.global.format
    }

    /// How to write for people on standard output.
    pub(crate) fn style(&self) -> Style {
        self.style_for(anstream::AutoStream::choice(&io::stdout()))
    }

    /// Shows progress until it is dropped.
    pub(crate) fn progress(&self) -> Progress {
        Progress::new(self.global.quiet)
    }

    /// Writes a report in the format asked for.
    pub(crate) fn report(&mut self, report: &Report) -> anyhow::Result<()> {
        let style = self.style();
        self.write(|out| match self.global.format {
            Format::Human => human::write(report, style, out),
            Format::Json => json::write(report, out),
            Format::Sarif => sarif::write(report, out),
            Format::Markdown => markdown::write(report, out),
        })
    }

    /// Writes to standard output.
    #[expect(clippy::unused_self, reason = "everything that is written goes through the interface")]
    pub(crate) fn write(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        write(&mut out).and_then(|()| out.flush()).context("cannot write the result")
    }

    /// Writes an error to standard error: with its place where it has one, else with its causes.
    pub(crate) fn error(&self, error: &anyhow::Error) {
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
pub(crate) struct Hinted {
    /// What failed.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: String,
}

impl fmt::Display for Hinted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Hinted {}

fn write_error(error: &anyhow::Error, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "error: {}", escape::visible(&format!("{error:#}")))?;
    match hint(error) {
        Some(hint) => writeln!(out, "hint: {}", escape::visible(&hint)),
        None => Ok(()),
    }
}

/// What the reader can do, where that is known.
fn hint(error: &anyhow::Error) -> Option<String> {
    if let Some(hinted) = error.chain().find_map(|cause| cause.downcast_ref::<Hinted>()) {
        return Some(hinted.hint.clone());
    }
    match error.downcast_ref::<deps::Error>()? {
        deps::Error::Repository(repository::Error::NoLockfile { .. }) => {
            Some("`cargo generate-lockfile` writes one; `--lockfile FILE` looks at one elsewhere".to_owned())
        }
        _ => None,
    }
}

/// Whether the reader went away, as `head` does.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let is_it = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    error.chain().any(is_it)
}
