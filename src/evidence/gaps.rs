//! Why evidence cannot prove that a query is not sent. "Nobody uses it" needs a server that has counted all statements
//! for long enough, and all of its standbys.

use super::facts::Database;
use super::model::{Capture, Evidence};

/// The least number of days that must have been watched before "nobody uses it" is believed.
const WINDOW_DAYS: u32 = 7;

impl Evidence {
    /// Why it cannot prove that a query is not sent; empty where it can. A server that has counted everything proves it,
    /// whatever else was captured besides.
    pub fn gaps(&self) -> Vec<String> {
        if self.captures.is_empty() {
            return vec!["nothing was captured".to_owned()];
        }
        let counted: Vec<&Capture> =
            self.captures.iter().filter(|capture| self.database_of(capture).is_some()).collect();
        if counted.is_empty() {
            let mut gaps =
                vec!["no server was asked what it has counted (`twostep capture --database`)".to_owned()];
            gaps.extend(self.captures.iter().flat_map(of_capture));
            return gaps;
        }
        let mut gaps: Vec<String> = counted.iter().copied().flat_map(of_capture).collect();
        gaps.extend(self.databases.iter().filter_map(|database| self.of_cluster(database)));
        gaps
    }

    /// The database that `capture` has asked.
    fn database_of(&self, capture: &Capture) -> Option<&Database> {
        let counts =
            super::sources::SOURCES.iter().any(|source| source.id == capture.source && source.counts);
        if !counts {
            return None;
        }
        self.databases.iter().find(|database| database.label == capture.label)
    }

    /// Which other servers of the same data were not asked: each counts what it is sent.
    fn of_cluster(&self, database: &Database) -> Option<String> {
        let same = |other: &&Database| database.cluster.is_some() && other.cluster == database.cluster;
        let standbys = self.databases.iter().filter(same).filter(|other| other.standby).count();
        let label = &database.label;
        if database.standby {
            let primary = self.databases.iter().filter(same).any(|other| !other.standby);
            return (!primary).then(|| format!("{label}: it is a standby, and its primary was not captured"));
        }
        let missing = (database.standbys as usize).checked_sub(standbys).filter(|missing| *missing > 0)?;
        Some(format!(
            "{label}: {} standbys read from it, and {missing} of them were not captured, each under a label of its own",
            database.standbys
        ))
    }
}

fn of_capture(capture: &Capture) -> Vec<String> {
    let of = format!("{} ({})", capture.label, capture.source);
    let mut gaps: Vec<String> = capture.blind.iter().map(|blind| format!("{of}: {blind}")).collect();
    match capture.window_days {
        Some(days) if days >= WINDOW_DAYS => {}
        Some(days) => gaps.push(format!("{of}: it has watched {days} days, and {WINDOW_DAYS} are needed")),
        None => gaps
            .push(format!("{of}: how long it has watched is not known, and {WINDOW_DAYS} days are needed")),
    }
    gaps
}
