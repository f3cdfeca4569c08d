//! Keeps what was read of advisory databases as one compact file, so that a run need not open a thousand.
//!
//! The format is ours alone and is never repaired: a file of another version, cut short or damaged is as good as none.
//!
//! ```text
//! magic and version (8 bytes) · CRC-32 of all that follows (4, little-endian) · fields, one after the other
//! ```
//!
//! Numbers are LEB128, texts and lists begin with their length, what may be missing with 0 or 1.

use jiff::Timestamp;
use jiff::civil::Date;
use semver::{Version, VersionReq};

use super::Database;
use crate::source::http::Validators;
use crate::subject::advisory::{Advisories, Advisory, AdvisoryKind, AffectedFunction, Rating, Unreadable};
use crate::subject::affected_versions::{AffectedVersions, Interval};
use crate::subject::digest::Sha256Digest;

/// Changes whenever the fields or their meaning do.
const MAGIC: &[u8; 8] = b"tb-adv\x00\x01";
/// Everything that is written down is at least this long, which bounds what a length can make us allocate.
const HEADER: usize = MAGIC.len() + 4;

/// A database as it was fetched.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// What the sources said.
    pub database: Database,
    /// When all of the sources were last confirmed to say that.
    pub confirmed: Timestamp,
    /// Where it came from, in order, with what tells the next fetch that nothing has changed.
    pub sources: Vec<Source>,
}

/// Where a part of a snapshot came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What was fetched.
    pub url: String,
    /// What the server said to ask with the next time.
    pub validators: Validators,
}

impl Snapshot {
    /// Writes it down.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer(MAGIC.to_vec());
        out.0.extend_from_slice(&[0; 4]);
        out.timestamp(self.confirmed);
        out.list(&self.sources, |out, source| {
            out.text(&source.url);
            for validator in [&source.validators.etag, &source.validators.last_modified] {
                out.maybe(validator.as_ref(), |out, validator| out.text(validator));
            }
        });
        let Database { advisories, date, digest, records, skipped } = &self.database;
        out.maybe(date.as_ref(), |out, date| out.date(*date));
        out.0.extend_from_slice(digest.as_bytes());
        out.count(*records);
        out.count(skipped.len());
        for (what, count) in skipped {
            out.text(what);
            out.count(*count);
        }
        out.count(advisories.withdrawn());
        out.count(advisories.merged());
        out.list(advisories.unreadable(), |out, file| {
            out.text(&file.path);
            out.maybe(file.line.as_ref(), |out, line| out.number(u64::from(*line)));
            out.text(&file.reason);
            out.maybe(file.package.as_ref(), |out, package| out.text(package));
        });
        out.count(advisories.len());
        advisories.iter().for_each(|advisory| out.advisory(advisory));
        let checksum = checksum(&out.0[HEADER..]).to_le_bytes();
        out.0[MAGIC.len()..HEADER].copy_from_slice(&checksum);
        out.0
    }

    /// Reads what [`Snapshot::encode`] wrote; none if this is something else, or not all of it.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (header, content) = bytes.split_at_checked(HEADER)?;
        let (magic, sum) = header.split_at(MAGIC.len());
        if magic != MAGIC || sum != checksum(content).to_le_bytes() {
            return None;
        }
        let mut input = Reader(content);
        let snapshot = input.snapshot()?;
        input.0.is_empty().then_some(snapshot)
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, mut value: u64) {
        while value > 0x7f {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }

    fn count(&mut self, value: usize) {
        self.number(u64::try_from(value).unwrap_or(u64::MAX));
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.count(items.len());
        for item in items {
            write(self, item);
        }
    }

    fn texts(&mut self, texts: &[String]) {
        self.list(texts, |out, text| out.text(text));
    }

    fn displayed<T: ToString>(&mut self, items: &[T]) {
        self.list(items, |out, item| out.text(&item.to_string()));
    }

    fn maybe<T>(&mut self, value: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        self.0.push(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn timestamp(&mut self, time: Timestamp) {
        self.0.extend_from_slice(&time.as_second().to_le_bytes());
    }

    fn date(&mut self, date: Date) {
        self.0.extend_from_slice(&date.year().to_le_bytes());
        self.0.extend_from_slice(&date.month().to_le_bytes());
        self.0.extend_from_slice(&date.day().to_le_bytes());
    }

    fn advisory(&mut self, advisory: &Advisory) {
        self.text(&advisory.id);
        self.text(&advisory.package);
        self.texts(&advisory.aliases);
        self.text(&advisory.title);
        self.0.push(KINDS.iter().position(|kind| *kind == advisory.kind).map_or(u8::MAX, to_u8));
        self.maybe(advisory.date.as_ref(), |out, date| out.date(*date));
        self.maybe(advisory.withdrawn.as_ref(), |out, date| out.date(*date));
        self.maybe(advisory.url.as_ref(), |out, url| out.text(url));
        self.texts(&advisory.references);
        self.maybe(advisory.cvss.as_ref(), |out, cvss| out.text(cvss));
        self.maybe(advisory.rating.as_ref(), |out, rating| {
            out.0.push(RATINGS.iter().position(|known| known == rating).map_or(u8::MAX, to_u8));
        });
        self.list(advisory.affected.intervals(), |out, interval| {
            out.maybe(interval.from.as_ref(), |out, from| out.text(&from.to_string()));
            out.maybe(interval.until.as_ref(), |out, until| out.text(&until.to_string()));
        });
        self.displayed(&advisory.patched);
        self.texts(&advisory.os);
        self.texts(&advisory.arch);
        self.list(&advisory.functions, |out, function| {
            out.text(&function.path);
            out.displayed(&function.versions);
        });
    }
}

const KINDS: [AdvisoryKind; 5] = [
    AdvisoryKind::Malicious,
    AdvisoryKind::Vulnerability,
    AdvisoryKind::Unsound,
    AdvisoryKind::Unmaintained,
    AdvisoryKind::Notice,
];

const RATINGS: [Rating; 5] = [Rating::None, Rating::Low, Rating::Medium, Rating::High, Rating::Critical];

fn to_u8(index: usize) -> u8 {
    u8::try_from(index).unwrap_or(u8::MAX)
}

/// Takes from the front; none once something is not as it was written.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.bytes(1).map(|bytes| bytes[0])
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn count(&mut self) -> Option<usize> {
        self.number()?.try_into().ok()
    }

    fn text(&mut self) -> Option<&'a str> {
        let len = self.count()?;
        std::str::from_utf8(self.bytes(len)?).ok()
    }

    fn owned(&mut self) -> Option<String> {
        self.text().map(str::to_owned)
    }

    fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let len = self.count()?;
        // Every item has at least one byte.
        if len > self.0.len() {
            return None;
        }
        (0..len).map(|_| read(self)).collect()
    }

    fn texts(&mut self) -> Option<Vec<String>> {
        self.list(Self::owned)
    }

    fn requirements(&mut self) -> Option<Vec<VersionReq>> {
        self.list(|input| VersionReq::parse(input.text()?).ok())
    }

    #[expect(clippy::option_option, reason = "the outer one says whether it could be read, the inner one is what was")]
    fn maybe<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.byte()? {
            0 => Some(None),
            1 => read(self).map(Some),
            _ => None,
        }
    }

    fn version(&mut self) -> Option<Version> {
        Version::parse(self.text()?).ok()
    }

    fn timestamp(&mut self) -> Option<Timestamp> {
        Timestamp::from_second(i64::from_le_bytes(self.array()?)).ok()
    }

    fn date(&mut self) -> Option<Date> {
        let year = i16::from_le_bytes(self.array()?);
        let [month, day] = self.array::<2>()?.map(|byte| i8::from_le_bytes([byte]));
        Date::new(year, month, day).ok()
    }

    fn snapshot(&mut self) -> Option<Snapshot> {
        let confirmed = self.timestamp()?;
        let sources = self.list(|input| {
            let url = input.owned()?;
            let validators = Validators { etag: input.maybe(Self::owned)?, last_modified: input.maybe(Self::owned)? };
            Some(Source { url, validators })
        })?;
        let date = self.maybe(Self::date)?;
        let digest = Sha256Digest::new(self.array()?);
        let records = self.count()?;
        let skipped = self.list(|input| Some((super::known_skip(input.text()?)?, input.count()?)))?;
        let (withdrawn, merged) = (self.count()?, self.count()?);
        let unreadable = self.list(|input| {
            Some(Unreadable {
                path: input.owned()?,
                line: input.maybe(|input| input.number()?.try_into().ok())?,
                reason: input.owned()?,
                package: input.maybe(Self::owned)?,
            })
        })?;
        let advisories = Advisories::restore(self.list(Self::advisory)?, unreadable, withdrawn, merged);
        let database = Database { advisories, date, digest, records, skipped: skipped.into_iter().collect() };
        Some(Snapshot { database, confirmed, sources })
    }

    fn advisory(&mut self) -> Option<Advisory> {
        Some(Advisory {
            id: self.owned()?,
            package: self.owned()?,
            aliases: self.texts()?,
            title: self.owned()?,
            kind: KINDS.get(usize::from(self.byte()?)).copied()?,
            date: self.maybe(Self::date)?,
            withdrawn: self.maybe(Self::date)?,
            url: self.maybe(Self::owned)?,
            references: self.texts()?,
            cvss: self.maybe(Self::owned)?,
            rating: self.maybe(|input| RATINGS.get(usize::from(input.byte()?)).copied())?,
            affected: AffectedVersions::within(
                self.list(|input| Some(Interval::new(input.maybe(Self::version)?, input.maybe(Self::version)?)))?,
            ),
            patched: self.requirements()?,
            os: self.texts()?,
            arch: self.texts()?,
            functions: self
                .list(|input| Some(AffectedFunction { path: input.owned()?, versions: input.requirements()? }))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot() -> Snapshot {
        let advisory = "```toml\n[advisory]\nid = \"RUSTSEC-2020-0071\"\npackage = \"time\"\ndate = \"2020-11-18\"\n\
            url = \"https://example.org\"\naliases = [\"CVE-2020-26235\"]\n\
            cvss = \"CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H\"\n[affected]\nos = [\"linux\"]\n\
            functions = { \"time::at\" = [\"^0.1\"] }\n[versions]\npatched = [\">= 0.2.23\"]\nunaffected = [\"= 0.2.1\"]\n```\n# A title\n";
        let osv = r#"{"id": "GHSA-1", "modified": "2022-01-01T00:00:00Z", "database_specific": {"severity": "HIGH"},
            "affected": [{"package": {"ecosystem": "crates.io", "name": "foo"}, "versions": ["1.0.0"]}]}"#;
        let mut records = super::super::Records::default();
        records.add("crates/time/RUSTSEC-2020-0071.md", advisory.as_bytes());
        records.add("crates/tame/RUSTSEC-2020-0072.md", b"");
        records.add("rust/std/CVE-1.md", b"");
        records.add("GHSA-1.json", osv.as_bytes());
        Snapshot {
            database: records.finish(),
            confirmed: Timestamp::constant(1_700_000_000, 0),
            sources: vec![Source {
                url: "https://example.org/db".to_owned(),
                validators: Validators { etag: Some("\"a\"".to_owned()), last_modified: None },
            }],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let snapshot = snapshot();
        assert_eq!(snapshot.database.advisories.len(), 2);
        assert_eq!(snapshot.database.advisories.unreadable().len(), 1);
        assert_eq!(Snapshot::decode(&snapshot.encode()).unwrap(), snapshot);
    }

    #[test]
    fn a_cut_or_damaged_file_is_none() {
        let bytes = snapshot().encode();
        for at in 0..bytes.len() {
            assert_eq!(Snapshot::decode(&bytes[..at]), None, "cut at {at}");
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert_eq!(Snapshot::decode(&damaged), None, "damaged at {at}");
        }
        let longer = [&bytes[..], b"x"].concat();
        assert_eq!(Snapshot::decode(&longer), None);
    }

    #[test]
    fn a_file_with_a_right_checksum_and_wrong_content_is_no_panic() {
        let bytes = snapshot().encode();
        for at in HEADER..bytes.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] = value;
                let sum = checksum(&damaged[HEADER..]).to_le_bytes();
                damaged[MAGIC.len()..HEADER].copy_from_slice(&sum);
                Snapshot::decode(&damaged);
            }
        }
    }
}
