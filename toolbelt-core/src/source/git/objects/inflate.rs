//! Inflates what git deflated, with one state that is used again and again.

use flate2::{Decompress, FlushDecompress, Status};

use super::Fault;

/// Deflate makes at most 1,032 bytes of one; the rest is for streams of a few bytes.
const MOST_PER_BYTE: usize = 1032;

/// An inflater.
#[derive(Debug)]
pub struct Inflater(Decompress);

impl Default for Inflater {
    fn default() -> Self {
        Self(Decompress::new(true))
    }
}

impl Inflater {
    /// Inflates the zlib stream at the start of `input`, which must make exactly `size` bytes, into `output`.
    ///
    /// Memory is reserved for `size` bytes only when `input` is long enough to make them.
    ///
    /// # Errors
    ///
    /// If the stream is damaged, cut, or makes more or less.
    pub fn inflate(&mut self, input: &[u8], size: usize, output: &mut Vec<u8>) -> Result<(), Fault> {
        output.clear();
        if size / MOST_PER_BYTE > input.len() {
            return Err(Fault::Zlib("cannot make as much as it says"));
        }
        output.reserve(size);
        self.0.reset(true);
        let status = self.0.decompress_vec(input, output, FlushDecompress::Finish).map_err(|_| Fault::DAMAGED)?;
        match status {
            Status::StreamEnd if output.len() == size => Ok(()),
            Status::StreamEnd if output.len() < size => Err(Fault::Zlib("makes less than it says")),
            Status::StreamEnd => Err(Fault::Zlib("makes more than it says")),
            // All in one call: a full output says that there is more, room in it that the input has ended.
            Status::Ok | Status::BufError if output.len() >= size => Err(Fault::Zlib("makes more than it says")),
            Status::Ok | Status::BufError => Err(Fault::Zlib("is cut")),
        }
    }

    /// Inflates the first bytes of a stream, at most `most`, into `output`; the rest comes from [`Self::go_on`].
    ///
    /// # Errors
    ///
    /// If the stream is damaged.
    pub fn begin(&mut self, input: &[u8], most: usize, output: &mut Vec<u8>) -> Result<(), Fault> {
        output.clear();
        self.0.reset(true);
        let mut start = [0; 64];
        let start = &mut start[..most.min(64)];
        self.0.decompress(input, start, FlushDecompress::None).map_err(|_| Fault::DAMAGED)?;
        let made = usize::try_from(self.0.total_out()).unwrap_or_default();
        output.extend_from_slice(&start[..made]);
        Ok(())
    }

    /// Inflates the rest of the stream that [`Self::begin`] began, until `output` has `size` bytes.
    ///
    /// # Errors
    ///
    /// If the stream is damaged, cut, or makes more or less.
    pub fn go_on(&mut self, input: &[u8], size: usize, output: &mut Vec<u8>) -> Result<(), Fault> {
        if size / MOST_PER_BYTE > input.len() {
            return Err(Fault::Zlib("cannot make as much as it says"));
        }
        // A byte more than is wanted shows that there is more.
        output.reserve((size + 1).saturating_sub(output.len()));
        loop {
            let taken = usize::try_from(self.0.total_in()).unwrap_or(usize::MAX);
            let (before, rest) = (output.len(), input.get(taken..).unwrap_or_default());
            let status = self.0.decompress_vec(rest, output, FlushDecompress::None).map_err(|_| Fault::DAMAGED)?;
            if output.len() > size {
                return Err(Fault::Zlib("makes more than it says"));
            }
            match status {
                Status::StreamEnd if output.len() == size => return Ok(()),
                Status::StreamEnd => return Err(Fault::Zlib("makes less than it says")),
                Status::Ok | Status::BufError => {
                    let took = usize::try_from(self.0.total_in()).unwrap_or(usize::MAX) - taken;
                    if took == 0 && output.len() == before {
                        return Err(Fault::Zlib("is cut"));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn a_stream_is_inflated_when_it_makes_what_it_says() {
        let (mut inflater, mut output) = (Inflater::default(), Vec::new());
        for size in [0, 1, 63, 64, 65, 1000, 100_000] {
            let text = b"0123456789".repeat(size / 10 + 1)[..size].to_vec();
            let mut stream = deflate(&text);
            stream.extend(b"the next entry");
            inflater.inflate(&stream, size, &mut output).unwrap();
            assert_eq!(output, text);
            inflater.begin(&stream, 40, &mut output).unwrap();
            assert_eq!(output, text[..size.min(40)]);
            inflater.go_on(&stream, size, &mut output).unwrap();
            assert_eq!(output, text);

            output = Vec::new();
            assert!(inflater.inflate(&stream, size + 1, &mut output).is_err());
            output = Vec::new();
            assert!(size == 0 || inflater.inflate(&stream, size - 1, &mut output).is_err());
            inflater.begin(&stream, 40, &mut output).unwrap();
            assert!(inflater.go_on(&stream, size + 1, &mut output).is_err());
            inflater.begin(&stream, 40, &mut output).unwrap();
            assert!(size == 0 || inflater.go_on(&stream, size - 1, &mut output).is_err());
        }
    }

    #[test]
    fn cut_and_damaged_streams_are_faults() {
        let (mut inflater, mut output) = (Inflater::default(), Vec::new());
        let text: Vec<u8> = (0..10_000_u32).flat_map(|number| (number * 7919).to_le_bytes()).collect();
        let stream = deflate(&text);
        for cut in [0, 1, 2, 10, stream.len() / 2, stream.len() - 1] {
            assert!(inflater.inflate(&stream[..cut], text.len(), &mut output).is_err());
            if inflater.begin(&stream[..cut], 40, &mut output).is_ok() {
                assert!(inflater.go_on(&stream[..cut], text.len(), &mut output).is_err());
            }
        }
        for at in [0, 1, 5, stream.len() / 2, stream.len() - 1] {
            let mut damaged = stream.clone();
            damaged[at] ^= 0x55;
            assert!(inflater.inflate(&damaged, text.len(), &mut output).is_err());
        }
    }

    #[test]
    fn nothing_is_reserved_for_what_cannot_come() {
        let (mut inflater, mut output) = (Inflater::default(), Vec::new());
        let fault = inflater.inflate(&deflate(b"small"), 1 << 40, &mut output).unwrap_err();
        assert_eq!(fault, Fault::Zlib("cannot make as much as it says"));
        assert!(output.capacity() < 1 << 20);
    }
}
