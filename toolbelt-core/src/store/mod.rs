//! Where what toolbelt itself knows of a repository is kept.

pub mod ref_log;
