//! Waiting for a condition, with a deadline: what the tests use instead of sleeping.

use std::thread;
use std::time::{Duration, Instant};

/// Looks every few milliseconds until `found` gives something; panics with `what` when `deadline` has passed.
pub fn until<T>(what: &str, deadline: Duration, mut found: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(started.elapsed() < deadline, "waited {deadline:?} in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The same for a condition that gives no value.
pub fn until_true(what: &str, deadline: Duration, mut holds: impl FnMut() -> bool) {
    until(what, deadline, || holds().then_some(()));
}
