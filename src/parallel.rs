//! The same work on each of many items, on all of the machine's processors. Results come in the order of the items.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How many items a thread takes at once: few enough that none waits for another at the end.
const TAKEN: usize = 8;
/// For how many items a thread is worth its start, which takes as long as reading a few statements.
const WORTH_A_THREAD: usize = 32;
/// More threads than these would wait for memory and not for processors.
const MOST_THREADS: usize = 8;

thread_local! {
    /// Whether this thread has a part of some work already: what it does within that it does alone.
    static IS_AT_WORK: Cell<bool> = const { Cell::new(false) };
}

/// What `work` gives for each of `items`. A panic of it is passed on.
pub fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    shared(items, WORTH_A_THREAD, TAKEN, work)
}

/// [`map`] of few items that are much work each.
pub fn map_large<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    shared(items, 1, 1, work)
}

/// [`map`] where `worth` items are worth a thread, which takes `taken` of them at once.
fn shared<T: Sync, R: Send>(
    items: &[T],
    worth: usize,
    taken: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let wanted = (items.len() / worth).min(MOST_THREADS);
    let threads = if wanted < 2 || IS_AT_WORK.get() {
        1
    } else {
        wanted.min(thread::available_parallelism().map_or(1, Into::into))
    };
    if threads == 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let take = || {
        let _at_work = AtWork::begin();
        let mut parts: Vec<(usize, Vec<R>)> = Vec::new();
        loop {
            let start = next.fetch_add(taken, Ordering::Relaxed);
            let Some(part) = items.get(start..items.len().min(start + taken)).filter(|part| !part.is_empty())
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

/// A thread that has a part of some work, until it is dropped.
struct AtWork;

impl AtWork {
    fn begin() -> Self {
        IS_AT_WORK.set(true);
        Self
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        IS_AT_WORK.set(false);
    }
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
        assert!(!IS_AT_WORK.get());
    }

    #[test]
    fn few_large_items_are_shared_and_what_is_within_them_is_not() {
        let found = map_large(&[1_usize, 2, 3], |item| {
            let here = thread::current().id();
            let inner = map(&[*item; 200], |item| (*item, thread::current().id()));
            assert!(
                inner.iter().all(|(_, id)| *id == here)
                    || thread::available_parallelism().is_ok_and(|n| n.get() == 1)
            );
            inner.iter().map(|(item, _)| item).sum::<usize>()
        });
        assert_eq!(found, [200, 400, 600]);
    }
}
