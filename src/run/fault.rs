//! Points at which a test can end the process, as a crash would. Built into test builds only.

/// A point before or after an effect on the world. In a build with debug assertions, `TWOSTEP_FAULT=N` ends the
/// process at the N-th point that is reached (from 1), and `TWOSTEP_FAULT_LOG=FILE` lists them.
#[cfg(debug_assertions)]
pub fn point(name: impl std::fmt::Display) {
    use std::io::Write;
    use std::sync::atomic::{AtomicUsize, Ordering};
    static REACHED: AtomicUsize = AtomicUsize::new(0);

    let number = REACHED.fetch_add(1, Ordering::Relaxed) + 1;
    if let Some(path) = std::env::var_os("TWOSTEP_FAULT_LOG") {
        let mut log =
            std::fs::File::options().create(true).append(true).open(path).expect("the fault log opens");
        writeln!(log, "{number} {name}").expect("the fault log takes a line");
    }
    if std::env::var("TWOSTEP_FAULT").is_ok_and(|wanted| wanted == number.to_string()) {
        std::process::abort();
    }
}

/// A point before or after an effect on the world: nothing, in a release, where its name is not even put together.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn point(_name: impl std::fmt::Display) {}

#[cfg(test)]
mod tests {
    /// Fails where it is shown.
    struct Unshown;

    impl std::fmt::Display for Unshown {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("the name of a point is put together although nobody reads it");
        }
    }

    #[test]
    fn a_name_that_nobody_reads_costs_nothing() {
        super::point(Unshown);
        super::point(format_args!("before {Unshown}"));
    }
}
