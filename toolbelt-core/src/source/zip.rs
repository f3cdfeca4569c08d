//! The records of a ZIP, after [APPNOTE](https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT) 6.3: where they are
//! and what they say, without trust in any of it.

/// How the directory at the end of an archive is found (section 4.3.16; sizes of ZIP64 from 4.3.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EndOfDirectory {
    /// Where this record begins.
    pub(super) at: usize,
    /// How many entries the directory has.
    pub(super) entries: u64,
    /// The directory's length.
    pub(super) len: u64,
    /// Where the directory begins, in an archive with nothing before it.
    pub(super) offset: u64,
}

impl EndOfDirectory {
    const LEN: usize = 22;
    const MARK: &[u8] = b"PK\x05\x06";

    /// Finds the record, which only a comment may follow.
    pub(super) fn find(archive: &[u8]) -> Option<Self> {
        Self::last(archive, |record| {
            record.u16(20).is_some_and(|comment| record.0.len() == Self::LEN + usize::from(comment))
        })
    }

    /// Finds the record where more follows than it says, too.
    pub(super) fn find_anyhow(archive: &[u8]) -> Option<Self> {
        Self::find(archive).or_else(|| Self::last(archive, |_| true))
    }

    /// Whether an archive ends with the record, without a comment: a look that costs nothing.
    pub(super) fn is_last(archive: &[u8]) -> bool {
        archive.len().checked_sub(Self::LEN).is_some_and(|at| archive[at..].starts_with(Self::MARK))
    }

    fn last(archive: &[u8], is_right: impl Fn(&Fields<'_>) -> bool) -> Option<Self> {
        let earliest = archive.len().saturating_sub(Self::LEN + usize::from(u16::MAX));
        // Forwards, which is many times as fast as backwards.
        let marks = memchr::memmem::find_iter(&archive[earliest..], Self::MARK).map(|at| earliest + at);
        let right = |at: &usize| archive.len() - at >= Self::LEN && is_right(&Fields(&archive[*at..]));
        Self::read(archive, marks.filter(right).last()?)
    }

    fn read(archive: &[u8], at: usize) -> Option<Self> {
        let record = Fields(archive.get(at..)?);
        let short =
            Self { at, entries: record.u16(10)?.into(), len: record.u32(12)?.into(), offset: record.u32(16)?.into() };
        if short.entries < u64::from(u16::MAX) && short.len.max(short.offset) < u64::from(u32::MAX) {
            return Some(short);
        }
        Some(Self::read_long(archive, at).unwrap_or(short))
    }

    /// The ZIP64 record, through the locator before this one.
    fn read_long(archive: &[u8], at: usize) -> Option<Self> {
        let locator = Fields(archive.get(at.checked_sub(20)?..at)?);
        if !locator.0.starts_with(b"PK\x06\x07") {
            return None;
        }
        let place = usize::try_from(locator.u64(8)?).ok()?;
        let record = Fields(archive.get(place..)?);
        if !record.0.starts_with(b"PK\x06\x06") {
            return None;
        }
        Some(Self { at: place, entries: record.u64(32)?, len: record.u64(40)?, offset: record.u64(48)? })
    }
}

/// What the directory says of one entry (section 4.3.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) name: &'a [u8],
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) checksum: u32,
    /// Length as it is in the archive.
    pub(super) packed: u64,
    /// Where its own header begins.
    pub(super) offset: u64,
    /// Length of this record.
    pub(super) len: usize,
}

impl<'a> Entry<'a> {
    pub(super) fn read(directory: &'a [u8]) -> Option<Self> {
        if !directory.starts_with(b"PK\x01\x02") {
            return None;
        }
        let fields = Fields(directory);
        let (name, extra, comment) =
            (usize::from(fields.u16(28)?), usize::from(fields.u16(30)?), usize::from(fields.u16(32)?));
        let (packed, size, offset) = (fields.u32(20)?, fields.u32(24)?, fields.u32(42)?);
        // A cut record at the very end still says what it says.
        let len = (46 + name + extra + comment).min(directory.len());
        let mut long = Long::find(fields.bytes(46 + name, extra).unwrap_or_default());
        long.take(size);
        Some(Self {
            name: fields.bytes(46, name)?,
            flags: fields.u16(8)?,
            method: fields.u16(10)?,
            checksum: fields.u32(16)?,
            packed: long.take(packed),
            offset: long.take(offset),
            len,
        })
    }
}

/// What an entry says of itself (section 4.3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LocalHeader<'a> {
    pub(super) name: &'a [u8],
    pub(super) flags: u16,
    pub(super) method: u16,
    /// Length as it is in the archive; not known yet where [`SIZES_FOLLOW`] is set.
    pub(super) packed: u64,
    /// Length of this header: the content follows it.
    pub(super) len: usize,
}

impl<'a> LocalHeader<'a> {
    pub(super) const MARK: &'static [u8] = b"PK\x03\x04";

    pub(super) fn read(entry: &'a [u8]) -> Option<Self> {
        if !entry.starts_with(Self::MARK) {
            return None;
        }
        let fields = Fields(entry);
        let (name, extra) = (usize::from(fields.u16(26)?), usize::from(fields.u16(28)?));
        let mut long = Long::find(fields.bytes(30 + name, extra).unwrap_or_default());
        long.take(fields.u32(22)?);
        Some(Self {
            name: fields.bytes(30, name)?,
            flags: fields.u16(6)?,
            method: fields.u16(8)?,
            packed: long.take(fields.u32(18)?),
            len: 30 + name + extra,
        })
    }
}

/// Flag of an entry that is encrypted.
pub(super) const ENCRYPTED: u16 = 1;
/// Flag of an entry whose sizes come after its content.
pub(super) const SIZES_FOLLOW: u16 = 1 << 3;
/// Method of an entry that is in the archive as it is.
pub(super) const STORED: u16 = 0;
/// Method of a deflated entry.
pub(super) const DEFLATED: u16 = 8;

/// The numbers that did not fit into 32 bits (section 4.5.3), in their order.
struct Long<'a>(&'a [u8]);

impl<'a> Long<'a> {
    fn find(mut extra: &'a [u8]) -> Self {
        while let (Some(id), Some(len)) = (Fields(extra).u16(0), Fields(extra).u16(2)) {
            let end = (4 + usize::from(len)).min(extra.len());
            if id == 1 {
                return Self(&extra[4..end]);
            }
            extra = &extra[end..];
        }
        Self(&[])
    }

    /// The number, from here if it did not fit.
    fn take(&mut self, short: u32) -> u64 {
        if short != u32::MAX {
            return short.into();
        }
        match Fields(self.0).u64(0) {
            Some(long) => {
                self.0 = &self.0[8..];
                long
            }
            None => short.into(),
        }
    }
}

/// Little-endian numbers at fixed places.
#[derive(Debug, Clone, Copy)]
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&self, at: usize, len: usize) -> Option<&'a [u8]> {
        self.0.get(at..at.checked_add(len)?)
    }

    fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.0.get(at..)?.first_chunk().copied()
    }

    fn u16(&self, at: usize) -> Option<u16> {
        self.array(at).map(u16::from_le_bytes)
    }

    fn u32(&self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_le_bytes)
    }

    fn u64(&self, at: usize) -> Option<u64> {
        self.array(at).map(u64::from_le_bytes)
    }
}
