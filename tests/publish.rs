//! Publishing end to end: a workspace of three packages, the people who release it, git, cargo, and a registry on the
//! loopback.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod publish {
    mod approvals;
    mod caught;
    mod credentials;
    mod faults;
    mod honest;
}
#[path = "support/publish_registry.rs"]
#[expect(dead_code, reason = "some of it is for the tests of the registry")]
mod publish_registry;
#[path = "support/team.rs"]
mod team;
