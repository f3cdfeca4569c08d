//! Times, as OpenSSH writes them in its files.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Reads `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, with `Z` or `UTC` behind it or without, which is UTC too.
///
/// None for anything else, and for times before 1970. A day that the month does not have is one of the next month, since
/// OpenSSH has it so.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let ends_with = |end: &str| text.len() > end.len() && text.is_char_boundary(text.len() - end.len());
    let digits = ["Z", "UTC"].into_iter().filter(|end| ends_with(end)).find_map(|end| {
        let (digits, zone) = text.split_at(text.len() - end.len());
        zone.eq_ignore_ascii_case(end).then_some(digits)
    });
    let digits = digits.unwrap_or(text);
    if !matches!(digits.len(), 8 | 12 | 14) || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to).map_or(Some(0), |part| part.parse::<i16>().ok());
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    if !(1..=31).contains(&day) || second > 61 {
        return None;
    }
    let start = Date::new(year, i8::try_from(month).ok()?, 1).ok()?;
    let time = Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()?;
    let rest = Span::new().days(day - 1).seconds(second);
    let moment = start.to_datetime(time).checked_add(rest).ok()?;
    let timestamp = moment.to_zoned(TimeZone::UTC).ok()?.timestamp();
    (timestamp.as_second() >= 0).then_some(timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_are_read() {
        for (text, expected) in [
            ("20260102", "2026-01-02T00:00:00Z"),
            ("20260102Z", "2026-01-02T00:00:00Z"),
            ("202601020304utc", "2026-01-02T03:04:00Z"),
            ("20260102030405", "2026-01-02T03:04:05Z"),
            ("20260231", "2026-03-03T00:00:00Z"),
            ("20260102030460Z", "2026-01-02T03:05:00Z"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_time() {
        for text in ["", "Z", "2026", "2026-01-02", "20261302", "20260132", "20260100", "202601022504", "19691231"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("é0260102"), None);
        assert_eq!(parse("2026010203040506"), None);
    }
}
