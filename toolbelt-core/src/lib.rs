//! Supply-chain checks for Rust, as one flow:
//!
//! ```text
//! source/  →  subject/  →  rules/  →  finding  →  policy/  →  output/
//! (reads)     (data)      (judge)    (facts)     (verdict)   evidence/ → store/
//! ```
//!
//! [`ops`] holds one operation a file: it takes a request, walks the flow once and returns a [`report::Report`]. An
//! arrow never points back: rules read neither files nor the clock, sources know no rule, and nothing here prints.

pub mod audit;
pub mod evidence;
pub mod finding;
pub mod ops;
pub mod output;
pub mod policy;
pub mod report;
pub mod rules;
pub mod source;
pub mod store;
pub mod subject;
