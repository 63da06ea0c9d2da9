//! The same work on each of many items, on all of the machine's processors. Results come in the order of the items.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How many items a thread takes at once: few enough that none waits for another at the end.
const TAKEN: usize = 8;
/// For how many items a thread is worth its start, which takes as long as reading a few statements.
const WORTH_A_THREAD: usize = 32;
/// More threads than these would wait for memory and not for processors.
const MOST_THREADS: usize = 8;

/// What `work` gives for each of `items`. A panic of it is passed on.
pub fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let wanted = (items.len() / WORTH_A_THREAD).min(MOST_THREADS);
    let threads =
        if wanted < 2 { 1 } else { wanted.min(thread::available_parallelism().map_or(1, Into::into)) };
    if threads == 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let take = || {
        let mut parts: Vec<(usize, Vec<R>)> = Vec::new();
        loop {
            let start = next.fetch_add(TAKEN, Ordering::Relaxed);
            let Some(part) = items.get(start..items.len().min(start + TAKEN)).filter(|part| !part.is_empty())
            else {
                return parts;
            };
            parts.push((start, part.iter().map(&work).collect()));
        }
    };
    let mut parts: Vec<(usize, Vec<R>)> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(take)).collect();
        let mut parts = take();
        for other in others {
            match other.join() {
                Ok(more) => parts.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        parts
    });
    parts.sort_unstable_by_key(|(start, _)| *start);
    parts.into_iter().flat_map(|(_, part)| part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        for count in [0, 1, TAKEN, 63, 64, 1_000, 1_001] {
            let items: Vec<usize> = (0..count).collect();
            let found = map(&items, |item| item * 2);
            assert_eq!(found, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_panic_is_passed_on() {
        let items: Vec<usize> = (0..1_000).collect();
        let outcome = std::panic::catch_unwind(|| map(&items, |item| assert_ne!(*item, 777)));
        assert!(outcome.is_err());
    }
}
