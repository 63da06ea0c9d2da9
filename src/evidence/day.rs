//! Days, as the evidence file writes them: `2026-01-31`, in UTC.

/// The number of days since 1970-01-01 of the date `text`; none where it is no date.
pub fn number(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // https://howardhinnant.github.io/date_algorithms.html#days_from_civil
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * shifted_month + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// The date `days` days after 1970-01-01.
pub fn date(days: u64) -> String {
    // https://howardhinnant.github.io/date_algorithms.html#civil_from_days
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The days from `one` to `other`; none where one of them is no date.
pub fn between(one: &str, other: &str) -> Option<i64> {
    Some(number(other)? - number(one)?)
}

#[cfg(test)]
mod tests {
    use super::{between, date, number};

    #[test]
    fn days_are_dates_and_dates_are_days() {
        for (days, expect) in
            [(0, "1970-01-01"), (59, "1970-03-01"), (11_016, "2000-02-29"), (20_454, "2026-01-01")]
        {
            assert_eq!(date(days), expect);
            assert_eq!(number(expect), Some(days as i64));
        }
        assert_eq!(between("2026-02-27", "2026-03-01"), Some(2));
        assert_eq!(between("2026-03-01", "2026-02-27"), Some(-2));
        for wrong in ["", "2026", "2026-13-01", "today", "2026-01-x"] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
    }
}
