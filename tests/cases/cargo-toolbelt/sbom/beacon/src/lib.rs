//! Light.
