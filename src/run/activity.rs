//! What a run does now, as its row in the journal keeps it with each sign of life.

use serde_json::{Value, json};

/// What a run does now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// The migration, as it is shown.
    pub migration: String,
    /// What is done to it.
    pub doing: Doing,
}

/// What is done to a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doing {
    /// A statement runs: its first words.
    Running(String),
    /// It waits for a lock: on what, and who is in the way.
    WaitingForLock(String),
    /// Rows are written in chunks.
    Backfilling {
        /// Rows that were looked at.
        rows: u64,
        /// About how many there are.
        of: u64,
        /// About how many seconds are left, once that can be told.
        left_s: Option<u64>,
        /// What it waits for, if it does.
        pausing: Option<String>,
    },
}

impl Activity {
    /// As the run's row keeps it.
    pub fn to_text(&self) -> String {
        let doing = match &self.doing {
            Doing::Running(title) => json!({ "running": title }),
            Doing::WaitingForLock(on) => json!({ "waiting": on }),
            Doing::Backfilling { rows, of, left_s, pausing } => {
                json!({ "rows": rows, "of": of, "left_s": left_s, "pausing": pausing })
            }
        };
        json!({ "migration": self.migration, "doing": doing }).to_string()
    }

    /// Reads it back; none where the text is something else.
    pub fn from_text(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let doing = value.get("doing")?;
        let word = |key: &str| doing.get(key).and_then(Value::as_str).map(str::to_owned);
        let number = |key: &str| doing.get(key).and_then(Value::as_u64);
        let doing = if let Some(title) = word("running") {
            Doing::Running(title)
        } else if let Some(on) = word("waiting") {
            Doing::WaitingForLock(on)
        } else {
            let (rows, of) = (number("rows")?, number("of")?);
            Doing::Backfilling { rows, of, left_s: number("left_s"), pausing: word("pausing") }
        };
        Some(Self { migration: value.get("migration")?.as_str()?.to_owned(), doing })
    }

    /// The state of the migration, in few words.
    pub fn state(&self) -> String {
        match &self.doing {
            Doing::Running(_) => "running".to_owned(),
            Doing::WaitingForLock(_) => "waiting for lock".to_owned(),
            Doing::Backfilling { rows, of, .. } => match percent(*rows, *of) {
                Some(percent) => format!("backfilling {percent} %"),
                None => "backfilling".to_owned(),
            },
        }
    }

    /// What there is to say beside the state.
    pub fn note(&self) -> String {
        match &self.doing {
            Doing::Running(title) => format!("`{title}`"),
            Doing::WaitingForLock(on) => on.clone(),
            Doing::Backfilling { rows, left_s, pausing, .. } => {
                let left = left_s.map_or_else(String::new, |left| format!(", about {left} s left"));
                let pausing = pausing.as_ref().map_or_else(String::new, |why| format!("; it pauses: {why}"));
                format!("{rows} rows are done{left}{pausing}")
            }
        }
    }
}

/// How many per cent of the rows are done: all of them only once it has ended.
pub fn percent(rows: u64, of: u64) -> Option<u64> {
    rows.saturating_mul(100).checked_div(of).map(|share| share.min(99))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let backfilling = |pausing| Doing::Backfilling { rows: 43, of: 100, left_s: Some(7), pausing };
        for doing in [
            Doing::Running("ALTER TABLE t …".to_owned()),
            Doing::WaitingForLock("t: session 7 (`app`)".to_owned()),
            backfilling(None),
            backfilling(Some("a replica is 12 s behind".to_owned())),
        ] {
            let activity = Activity { migration: "1_a".to_owned(), doing };
            assert_eq!(Activity::from_text(&activity.to_text()), Some(activity));
        }
        assert_eq!(Activity::from_text("17"), None);
        assert_eq!(Activity::from_text("no lock in 30 s"), None);
    }

    #[test]
    fn people_read_the_share_of_the_rows() {
        let doing = Doing::Backfilling { rows: 430, of: 1_000, left_s: Some(9), pausing: None };
        let activity = Activity { migration: "1_a".to_owned(), doing };
        assert_eq!(activity.state(), "backfilling 43 %");
        assert_eq!(activity.note(), "430 rows are done, about 9 s left");
        assert_eq!(percent(5, 0), None);
        assert_eq!(percent(2_000, 1_000), Some(99));
    }
}
