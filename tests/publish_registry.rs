//! Publishing to a registry on the loopback: cargo as its client, our uploads beside cargo's own, and what goes wrong.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "publish_registry/bodies.rs"]
mod bodies;
#[path = "publish_registry/cargo_as_client.rs"]
mod cargo_as_client;
#[path = "publish_registry/faults.rs"]
mod faults;
#[path = "publish_registry/machine.rs"]
mod machine;
#[path = "support/publish_registry.rs"]
mod publish_registry;
#[path = "publish_registry/through_cargo.rs"]
mod through_cargo;
#[path = "publish_registry/tokens.rs"]
mod tokens;
