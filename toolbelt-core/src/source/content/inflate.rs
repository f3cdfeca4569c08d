//! Inflates into memory, as far as it goes.

use std::fmt;

use flate2::{Decompress, FlushDecompress, Status};

use super::{Visit, Why};

/// Most bytes that a buffer grows by at once.
const STEP: usize = 8 << 20;

/// A decompressor that is used again.
pub(super) struct Inflater(Decompress);

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inflater")
    }
}

/// What came out of a deflated stream.
#[derive(Debug)]
pub(super) struct Inflated {
    pub(super) bytes: Vec<u8>,
    /// How much of the input that was.
    pub(super) read: usize,
    /// Why it is not all; none if the stream came to its end.
    pub(super) cut: Option<Why>,
}

impl Visit<'_> {
    /// Inflates a raw stream at the beginning of `input`, or one with a zlib header.
    pub(super) fn inflate(&mut self, input: &[u8], has_header: bool) -> Inflated {
        let mut inflater = match self.inflater.take() {
            Some(mut used) => {
                used.0.reset(has_header);
                used
            }
            None => Inflater(Decompress::new(has_header)),
        };
        let done = self.run(&mut inflater.0, input);
        self.inflater = Some(inflater);
        let (read, written) = (done.read as u64, done.bytes.len() as u64);
        self.left = self.left.saturating_sub(written);
        self.fuel = self.fuel.saturating_sub(read + written);
        self.opened.bytes += written;
        done
    }

    fn run(&self, stream: &mut Decompress, input: &[u8]) -> Inflated {
        let limit = usize::try_from(self.left.min(self.fuel)).unwrap_or(usize::MAX);
        let mut bytes = Vec::new();
        let cut = loop {
            let (read, written) = (stream.total_in(), stream.total_out());
            if written + read > self.fuel {
                break Some(self.full);
            }
            let spare = limit.saturating_sub(bytes.len());
            if spare == 0 {
                // One byte more tells a stream that fits exactly from one that does not.
                let mut probe = Vec::with_capacity(1);
                let rest = input.get(position(stream)..).unwrap_or_default();
                let status = stream.decompress_vec(rest, &mut probe, FlushDecompress::None);
                break if matches!(status, Ok(Status::StreamEnd)) && probe.is_empty() { None } else { Some(self.full) };
            }
            // Doubling at first, so that nothing is copied over and over.
            bytes.reserve_exact(bytes.len().max(input.len()).clamp(1 << 10, STEP).min(spare));
            let rest = input.get(position(stream)..).unwrap_or_default();
            // In steps, so that what is read without anything coming out is counted.
            let step = &rest[..rest.len().min(1 << 20)];
            match stream.decompress_vec(step, &mut bytes, FlushDecompress::None) {
                Ok(Status::StreamEnd) => break None,
                Ok(Status::Ok | Status::BufError) if (stream.total_in(), stream.total_out()) == (read, written) => {
                    break Some(Why::Damaged);
                }
                Ok(Status::Ok | Status::BufError) => {}
                Err(_) => break Some(Why::Damaged),
            }
        };
        bytes.truncate(limit);
        Inflated { bytes, read: position(stream).min(input.len()), cut }
    }
}

fn position(stream: &Decompress) -> usize {
    usize::try_from(stream.total_in()).unwrap_or(usize::MAX)
}
