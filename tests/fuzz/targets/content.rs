#![no_main]

use libfuzzer_sys::fuzz_target;
use toolbelt_core::source::content::{Limits, Opener};

// The bytes are taken for a content: an archive, something compressed, wide text, or nothing of the kind.
fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { bytes: 1 << 20, entries: 1000, ..Limits::default() };
    let look = || {
        let (mut shown, mut parts) = (0, 0);
        let opened = Opener::new(limits).open(bytes, &mut |part| {
            assert!(part.span.start <= part.span.end && part.span.end <= bytes.len(), "it came from within");
            assert!(!part.layers.is_empty() && part.layers.len() <= 6, "{:?}", part.layers);
            shown += part.bytes.len();
            parts += 1;
        });
        assert_eq!(opened.parts, parts);
        (opened, shown)
    };
    let (opened, shown) = look();
    assert!(opened.bytes <= limits.bytes, "what comes out is bounded");
    assert!(shown <= 4 * (1 << 20) + 16 * bytes.len(), "and so is what is shown: {shown}");
    assert!(opened.covered.is_sorted_by(|one, next| one.end < next.start));
    let rest: usize = opened.rest(&[0..bytes.len()]).iter().map(|range| range.len()).sum();
    let covered: usize = opened.covered.iter().map(|range| range.len()).sum();
    assert_eq!(rest + covered, bytes.len());
    assert_eq!(look(), (opened, shown));
});
