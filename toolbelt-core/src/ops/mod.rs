//! One operation a file: it takes a request, walks the flow once and returns what a command reports.

pub mod names;
