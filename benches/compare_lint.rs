//! Linting many PostgreSQL migrations in one run, whole process, JSON output: beside squawk, if it is on `PATH`.
//!
//! `cargo bench --bench compare-lint -- FOLDER` takes the first thousand `.sql` files below FOLDER, in the order of
//! their paths; without a folder, this repository's own. Both run in turns, eleven times. What counts is the median of
//! the ratios of the same round, since machines are noisy; seconds are printed beside it.

#![allow(clippy::unwrap_used, reason = "a bench that cannot measure stops")]
#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const FILES: usize = 1_000;
const ROUNDS: usize = 11;

fn sql_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            sql_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "sql") {
            found.push(path);
        }
    }
}

/// How long it takes from its start to its end, with nobody reading what it says.
fn timed(program: &str, arguments: &[&str], files: &[PathBuf]) -> Duration {
    let mut command = Command::new(program);
    command.args(arguments).args(files).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let code = command.status().unwrap().code();
    assert!(matches!(code, Some(0 | 1)), "{program} ended with {code:?}");
    started.elapsed()
}

fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> T {
    values.sort_by(|one, two| one.partial_cmp(two).unwrap());
    values[values.len() / 2]
}

fn main() {
    let folder = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let folder = folder.map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"), PathBuf::from);
    let mut files = Vec::new();
    sql_files(&folder, &mut files);
    files.truncate(FILES);
    let bytes: u64 = files.iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    println!("{} files, {} KiB", files.len(), bytes / 1024);

    let ours = || {
        let arguments = ["lint", "--engine", "postgres", "--format", "json"];
        timed(env!("CARGO_BIN_EXE_twostep"), &arguments, &files)
    };
    let squawk = || timed("squawk", &["--reporter", "json"], &files);
    let has_squawk = Command::new("squawk").arg("--version").stdout(Stdio::null()).status().is_ok();
    let mut times = Vec::new();
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let own = ours();
        times.push(own);
        if has_squawk {
            ratios.push(own.as_secs_f64() / squawk().as_secs_f64());
        }
    }
    println!("twostep: {:.3} s (median of {ROUNDS})", median(times).as_secs_f64());
    if has_squawk {
        println!("beside squawk: {:.2} times its time (median of the ratios)", median(ratios));
    } else {
        println!("squawk is not on PATH: nothing to compare with");
    }
}
