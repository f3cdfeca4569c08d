//! Registries as places to publish to: what is uploaded, with which token, and what the registry then has.
//!
//! A version that was uploaded is not published before the registry's index says so, with the digest that was approved;
//! whatever the answer to the upload was, the index has the last word ([`readback`]). Builds run without credentials
//! ([`clean_environment`]), uploads without builds.

pub mod api;
pub mod clean_environment;
pub mod credentials;
mod exchange;
pub mod gate;
pub mod metadata;
pub mod order;
pub mod provider;
pub mod readback;
pub mod through_cargo;
pub mod token;
pub mod upload;
