//! How fast a backfill goes, and whom it gives way to. Pure.

use std::time::Duration;

/// Fewest and most rows of a chunk.
pub(super) const ROWS: (u64, u64) = (50, 50_000);

/// How fast backfills go, and whom they give way to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// How long a chunk is to take.
    pub chunk: Duration,
    /// The share of the time that is left to others.
    pub rest_percent: u32,
    /// A replica that is further behind than this is waited for.
    pub max_lag: Duration,
    /// The same in bytes of the log.
    pub max_lag_bytes: u64,
    /// It pauses while more sessions than this have waited for a lock for a second.
    pub max_waiting: u64,
    /// It pauses while more statements of others than this run.
    pub max_active: Option<u64>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            chunk: Duration::from_millis(100),
            rest_percent: 10,
            max_lag: Duration::from_secs(10),
            max_lag_bytes: 256 * 1024 * 1024,
            max_waiting: 0,
            max_active: None,
        }
    }
}

/// Why it gives way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GivesWay {
    pub(super) why: String,
    /// Whether it does so for as long as it takes.
    pub(super) always: bool,
}

impl Pace {
    /// What the answer of [`backfill::load_queries`] means.
    pub(super) fn gives_way(
        &self,
        lag_s: i64,
        lag_bytes: i64,
        waiting: i64,
        active: i64,
    ) -> Option<GivesWay> {
        let number = |number: i64| u64::try_from(number).unwrap_or(0);
        let says = |why: String, always| Some(GivesWay { why, always });
        if number(lag_s) > self.max_lag.as_secs() {
            return says(format!("a replica is {lag_s} s behind"), true);
        }
        if number(lag_bytes) > self.max_lag_bytes {
            return says(format!("a replica is {} MiB behind", number(lag_bytes) / (1024 * 1024)), true);
        }
        if number(waiting) > self.max_waiting {
            return says(format!("{waiting} sessions wait for a lock"), false);
        }
        match self.max_active {
            Some(most) if number(active) > most => says(format!("{active} statements of others run"), false),
            Some(_) | None => None,
        }
    }
}

/// How long others have to themselves after a chunk that took so long.
pub(super) fn rest_after(took: Duration, pace: &Pace) -> Duration {
    let others = pace.rest_percent.min(95);
    // Of ten chunks that have waited for a lock, none is to be paid for tenfold.
    (took * others / (100 - others)).min(pace.chunk * 20)
}

/// The rows of the next chunk, so that it takes as long as it is to take.
pub(super) fn next_rows(rows: u64, took: Duration, aim: Duration) -> u64 {
    let took = took.as_micros().max(1);
    let ideal = u128::from(rows) * aim.as_micros() / took;
    let ideal = u64::try_from(ideal).unwrap_or(ROWS.1);
    ideal.clamp(rows / 2, rows * 4).clamp(ROWS.0, ROWS.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_grow_and_shrink_with_the_time_that_they_take() {
        let ms = Duration::from_millis;
        let next_rows = |rows, took| next_rows(rows, took, ms(100));
        assert_eq!(next_rows(1_000, ms(10)), 4_000);
        assert_eq!(next_rows(1_000, ms(100)), 1_000);
        assert_eq!(next_rows(1_000, ms(130)), 769);
        assert_eq!(next_rows(1_000, ms(5_000)), 500);
        assert_eq!(next_rows(60, ms(5_000)), 50);
        assert_eq!(next_rows(40_000, ms(1)), 50_000);
    }

    #[test]
    fn others_are_given_way_to() {
        let pace = Pace::default();
        assert_eq!(pace.gives_way(10, 1_000, 0, 50), None);
        let why = |found: Option<GivesWay>| found.expect("it gives way").why;
        assert_eq!(why(pace.gives_way(11, 0, 0, 0)), "a replica is 11 s behind");
        assert_eq!(why(pace.gives_way(0, 300 * 1024 * 1024, 0, 0)), "a replica is 300 MiB behind");
        assert_eq!(why(pace.gives_way(0, 0, 2, 0)), "2 sessions wait for a lock");
        let busy = Pace { max_active: Some(8), ..Pace::default() };
        assert_eq!(why(busy.gives_way(0, 0, 0, 9)), "9 statements of others run");
        assert!(!busy.gives_way(0, 0, 0, 9).expect("it gives way").always);
    }

    #[test]
    fn a_share_of_the_time_is_left_to_others() {
        let rest =
            |rest_percent| rest_after(Duration::from_millis(90), &Pace { rest_percent, ..Pace::default() });
        assert_eq!(rest(0), Duration::ZERO);
        assert_eq!(rest(10), Duration::from_millis(10));
        assert_eq!(rest(50), Duration::from_millis(90));
    }
}
