#![no_main]

use std::ops::Range;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use toolbelt_core::rules::blob::secrets::assignment::Assignment;
use toolbelt_core::rules::blob::secrets::engine::Engine;

// The first bytes say where the parts of the rest begin and end; those need be no whole lines.
fuzz_target!(|input: &[u8]| {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    let engine = ENGINE.get_or_init(Engine::built_in);
    let (cuts, text) = input.split_at(input.len().min(4));
    let mut edges: Vec<usize> = cuts.iter().map(|&cut| usize::from(cut) * (text.len() + 1) / 255).collect();
    edges.sort_unstable();
    let parts: Vec<Range<usize>> = edges.chunks_exact(2).map(|pair| pair[0]..pair[1]).collect();
    let mut found = Vec::new();
    engine.scan(text, &parts, &mut found);
    engine.scan_all(text, &mut found);
    assert!(found.len() <= 2 * Engine::MAX_MATCHES);
    for one in &found {
        assert!(one.span.start < one.span.end && one.span.end <= text.len());
        assert!(one.candidate.surroundings.chars().count() <= 200);
    }
    for (at, _) in text.iter().enumerate().step_by(7) {
        if let Some(read) = Assignment::at(text, at..(at + 3).min(text.len())) {
            assert!(read.value.start < read.value.end && read.value.end <= text.len());
            assert!(read.value.len() <= Assignment::MAX_VALUE);
        }
    }
});
