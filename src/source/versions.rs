//! The version of a new migration: a timestamp or the next number, as the folder already has it.

use super::Version;
use super::names::{leading_digits, number};

/// Seconds since 1970-01-01 00:00 UTC: what the world says that it is.
pub type UnixSeconds = u64;

/// How many digits `20260301115959` has.
const TIMESTAMP_DIGITS: usize = 14;

/// How new versions are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbering {
    /// `20260301115959`, in UTC; with more digits behind it where the newest has some.
    Timestamp,
    /// `1772366399`.
    UnixTime,
    /// The last number and one, with as many digits as `width` where it has fewer.
    Sequence {
        /// Least number of digits.
        width: usize,
    },
}

/// The version behind `existing`: always greater than all of them, so that a clock that is wrong or two
/// migrations in one second do no harm. Without `numbering` it is made as the newest of `existing` was, and as a
/// timestamp where there is none.
pub fn next(existing: &[Version], numbering: Option<Numbering>, now: UnixSeconds) -> Version {
    let digits = |version: &&Version| {
        let digits = leading_digits(version.as_str()).0;
        number(digits).map(|value| (value, digits.len()))
    };
    let last = existing.iter().filter_map(|version| digits(&version)).max();
    let numbering = numbering.unwrap_or_else(|| last.map_or(Numbering::Timestamp, numbering_of));
    let spelling = match numbering {
        Numbering::Timestamp => match last.map(|(value, width)| without_more_digits(value, width)) {
            None => timestamp(now),
            Some((last, more)) if last < u128::from(timestamp_number(now)) => {
                format!("{}{:0<more$}", timestamp(now), "")
            }
            Some((last, more)) => format!("{}{:0<more$}", timestamp_behind(last), ""),
        },
        Numbering::UnixTime => {
            last.map_or(now.into(), |(last, _)| last.saturating_add(1).max(now.into())).to_string()
        }
        Numbering::Sequence { width } => {
            format!("{:0width$}", last.map_or(1, |(last, _)| last.saturating_add(1)))
        }
    };
    Version::new(spelling)
}

/// The moment that a version of `width` digits starts with, as a number, and how many digits stand behind it; the whole
/// number where it starts with none.
fn without_more_digits(value: u128, width: usize) -> (u128, usize) {
    let more = width.saturating_sub(TIMESTAMP_DIGITS);
    let moment = u32::try_from(more).ok().and_then(|more| value.checked_div(10_u128.checked_pow(more)?));
    match moment.filter(|moment| seconds_of_timestamp(*moment).is_some()) {
        Some(moment) => (moment, more),
        None => (value, 0),
    }
}

/// Whether two spellings are the same version: equal, or the same number (`1` and `0001`).
pub fn is_same(one: &str, two: &str) -> bool {
    let canonical = |text: &str| match leading_digits(text) {
        ("", _) => None,
        (digits, "") => Some(digits.trim_start_matches('0').to_owned()),
        _ => None,
    };
    one == two || matches!((canonical(one), canonical(two)), (Some(one), Some(two)) if one == two)
}

/// Whether `one` surely stands behind `other` in any format: by the number that each begins with.
pub fn is_behind(one: &str, other: &str) -> bool {
    let leading = |text: &str| number(leading_digits(text).0);
    matches!((leading(one), leading(other)), (Some(one), Some(other)) if one > other)
}

/// `YYYYMMDDHHMMSS` in UTC.
pub fn timestamp(now: UnixSeconds) -> String {
    format!("{:014}", timestamp_number(now))
}

/// How the newest version was made, told by its value and its number of digits.
fn numbering_of((value, width): (u128, usize)) -> Numbering {
    let (moment, _) = without_more_digits(value, width);
    match width {
        TIMESTAMP_DIGITS.. if seconds_of_timestamp(moment).is_some() => Numbering::Timestamp,
        // From 2001 to 2286.
        10 if value >= 1_000_000_000 => Numbering::UnixTime,
        _ => Numbering::Sequence { width },
    }
}

/// The timestamp one second after `last`; the next number where `last` is no timestamp.
fn timestamp_behind(last: u128) -> String {
    match seconds_of_timestamp(last) {
        Some(seconds) => timestamp(seconds + 1),
        None => last.saturating_add(1).to_string(),
    }
}

/// Year, month, day, hour, minute and second of a moment, as the digits of one number.
fn timestamp_number(now: UnixSeconds) -> u64 {
    let (year, month, day) = civil(now / 86_400);
    let (hour, minute, second) = (now / 3_600 % 24, now / 60 % 60, now % 60);
    ((((year * 100 + month) * 100 + day) * 100 + hour) * 100 + minute) * 100 + second
}

/// The moment of a timestamp; `None` where the number is none, as `20261399000000`.
fn seconds_of_timestamp(value: u128) -> Option<UnixSeconds> {
    let value = u64::try_from(value).ok()?;
    let (date, time) = (value / 1_000_000, value % 1_000_000);
    let (year, month, day) = (date / 10_000, date / 100 % 100, date % 100);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (hour, minute, second) = (time / 10_000, time / 100 % 100, time % 100);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// Year, month and day of a day counted from 1970-01-01
/// (<https://howardhinnant.github.io/date_algorithms.html#civil_from_days>).
fn civil(day_number: u64) -> (u64, u64, u64) {
    let shifted = day_number + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The day counted from 1970-01-01: the inverse of [`civil`].
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = year - u64::from(month <= 2);
    let (era, year_of_era) = (year / 400, year % 400);
    let month_from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-01 11:59:59 UTC.
    const NOW: UnixSeconds = 1_772_366_399;

    fn check(existing: &[&str], numbering: Option<Numbering>, expected: &str) {
        let existing: Vec<_> = existing.iter().map(|version| Version::new(*version)).collect();
        assert_eq!(next(&existing, numbering, NOW).as_str(), expected, "{existing:?}");
    }

    #[test]
    fn a_new_version_is_made_as_the_newest_was() {
        check(&[], None, "20260301115959");
        check(&["20250101000000"], None, "20260301115959");
        check(&["1", "2", "10"], None, "11");
        check(&["0001", "0009"], None, "0010");
        check(&["000999"], None, "001000");
        check(&["999"], None, "1000");
        check(&["1510262030"], None, "1772366399");
        check(&["R__views", "3"], None, "4");
        check(&["20230228091200000003"], None, "20260301115959000000");
        check(&["20991231235959000001"], None, "21000101000000000000");
        check(&["30991231999999000001"], None, "30991231999999000002");
    }

    #[test]
    fn a_new_version_is_the_greatest() {
        check(&["20260301115959"], None, "20260301120000");
        check(&["20991231235959"], None, "21000101000000");
        check(&["20269999999999"], Some(Numbering::Timestamp), "20270000000000");
        check(&["1999999999"], None, "2000000000");
        check(&["7"], Some(Numbering::Timestamp), "20260301115959");
        check(&[], Some(Numbering::Sequence { width: 4 }), "0001");
    }

    #[test]
    fn timestamps_and_moments_are_inverse() {
        for (seconds, expected) in
            [(0, "19700101000000"), (951_782_400, "20000229000000"), (4_107_542_400, "21000301000000")]
        {
            assert_eq!(timestamp(seconds), expected);
            assert_eq!(seconds_of_timestamp(timestamp_number(seconds).into()), Some(seconds));
        }
        for day in (0..60_000).step_by(13) {
            let (year, month, date) = civil(day);
            assert_eq!(days(year, month, date), day);
        }
    }

    #[test]
    fn the_same_number_is_the_same_version() {
        assert!(is_same("1", "0001"));
        assert!(is_same("R__a", "R__a"));
        assert!(is_same("0", "000"));
        assert!(!is_same("1", "10"));
        assert!(!is_same("1a", "01a"));
    }
}
