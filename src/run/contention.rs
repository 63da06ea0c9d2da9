//! How long and how often a unit tries again to get its locks.

use crate::db::session::Blocker;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;
use tokio::time::Instant;

/// Tries of one unit that found a lock taken.
#[derive(Debug)]
pub struct Contention {
    since: Instant,
    /// How often it was tried.
    pub tries: u32,
    /// Who was in the way at the last try.
    pub blockers: Vec<Blocker>,
    /// Which relation was asked for, where that is known.
    pub relation: Option<String>,
    said: Option<Instant>,
}

/// So many tries only ask whether the lock is free. Where the application's transactions follow each other closely it
/// never is when it is asked for; the tries behind these stand in the queue, each no longer than the lock timeout.
pub const ASKS_WITHOUT_QUEUEING: u32 = 3;

impl Contention {
    /// The first try has just failed, or is about to be made.
    pub fn start() -> Self {
        Self { since: Instant::now(), tries: 0, blockers: Vec::new(), relation: None, said: None }
    }

    /// How long it has been going on.
    pub fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    /// A try has failed because of `blockers`.
    pub fn failed(&mut self, relation: Option<String>, blockers: Vec<Blocker>) {
        self.tries += 1;
        self.relation = relation.or(self.relation.take());
        self.blockers = blockers;
    }

    /// Whether the next try stands in the lock's queue instead of asking whether it is free.
    pub fn stands_in_queues(&self) -> bool {
        self.tries >= ASKS_WITHOUT_QUEUEING
    }

    /// The autovacuum worker that was in the way at the last try.
    pub fn autovacuum(&self) -> Option<i64> {
        self.blockers.iter().find(|blocker| blocker.autovacuum).map(|blocker| blocker.pid)
    }

    /// How long to wait before the next try: longer each time, up to 2 s, never in step with others.
    pub fn pause(&self) -> Duration {
        let full = 50u64.saturating_mul(1 << self.tries.min(6)).min(2_000);
        Duration::from_millis(full / 2 + random() % (full / 2 + 1))
    }

    /// Whether it is time to say what we wait for: at the second try, then every five seconds.
    pub fn time_to_say(&mut self) -> bool {
        let due = self.tries >= 2 && self.said.is_none_or(|said| said.elapsed() >= Duration::from_secs(5));
        if due {
            self.said = Some(Instant::now());
        }
        due
    }
}

/// A number that differs from process to process and from call to call.
pub fn random() -> u64 {
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// Blockers in one line.
pub fn describe(blockers: &[Blocker]) -> String {
    let one =
        |blocker: &Blocker| format!("session {} (`{}`, {})", blocker.pid, blocker.application, blocker.doing);
    blockers.iter().take(3).map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let mut contention = Contention::start();
        for _ in 0..20 {
            contention.failed(None, Vec::new());
            assert!(contention.pause() <= Duration::from_secs(2));
        }
        assert!(contention.pause() >= Duration::from_secs(1));
    }
}
