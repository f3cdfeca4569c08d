//! Tells the binary which target it is built for: cargo has no variable for it at compile time.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=TOOLBELT_HOST={}", std::env::var("TARGET").unwrap_or_default());
}
