//! How fast texts are split into statements: `cargo bench --bench split`.
//!
//! Best of five, in MB/s, for `split` and for the reader in chunks of 64 KiB. With `TWOSTEP_CORPORA` the texts are
//! the `.sql` files below `*/postgresql`, `*/mysql` and `*/sqlite` of that folder, joined; else 32 MB of made ones.

#![allow(clippy::unwrap_used, reason = "a bench that cannot measure stops")]
#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use twostep::dialect::Dialect;
use twostep::sql::reader::{Next, Splitter};
use twostep::sql::split::split;

const MADE: &str = "-- a comment; with a semicolon\n\
    CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL DEFAULT 'it''s', CHECK (length(email) > 3));\n\
    /* block */ ALTER TABLE users ADD COLUMN created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP;\n\
    INSERT INTO users (id, email) VALUES (1, 'a@example.org'), (2, 'b;c@example.org'), (3, 'd@example.org');\n\
    UPDATE users SET email = lower(email) WHERE id IN (SELECT id FROM users WHERE email LIKE '%;%');\n";

fn main() {
    let corpora = std::env::var_os("TWOSTEP_CORPORA");
    for dialect in Dialect::ALL {
        let text = match &corpora {
            Some(folder) => joined(Path::new(folder), dialect),
            None => MADE.repeat(32_000_000 / MADE.len()),
        };
        let mut statements = 0;
        let split_time = best(|| statements = split(&text, dialect).statements.len());
        let reader_time = best(|| statements = read(&text, dialect));
        let megabytes = text.len() as f64 / 1e6;
        println!(
            "{dialect:9} {megabytes:6.1} MB {statements:8} statements  split {:5.0} MB/s  reader {:5.0} MB/s",
            megabytes / split_time.as_secs_f64(),
            megabytes / reader_time.as_secs_f64(),
        );
    }
}

fn best(mut work: impl FnMut()) -> Duration {
    let once = |_| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..5).map(once).min().unwrap()
}

fn read(text: &str, dialect: Dialect) -> usize {
    let mut splitter = Splitter::new(dialect);
    let mut chunks = text.as_bytes().chunks(64 * 1024);
    let mut statements = 0;
    loop {
        match splitter.pull() {
            Next::Statement(_) => statements += 1,
            Next::Rows(_) | Next::RowsEnd => {}
            Next::NeedMore => match chunks.next() {
                Some(chunk) => splitter.feed(chunk),
                None => splitter.end(),
            },
            Next::End | Next::Unterminated { .. } | Next::InvalidUtf8 { .. } | Next::Nul { .. } => {
                return statements;
            }
        }
    }
}

/// The files of a dialect that leave nothing open, each ended with a semicolon.
fn joined(corpora: &Path, dialect: Dialect) -> String {
    let folder = if dialect == Dialect::Postgres { "postgresql" } else { dialect.id() };
    let mut text = String::new();
    for project in fs::read_dir(corpora).unwrap() {
        add(&project.unwrap().path().join(folder), dialect, &mut text);
    }
    text
}

fn add(path: &Path, dialect: Dialect, text: &mut String) {
    if let Ok(entries) = fs::read_dir(path) {
        entries.for_each(|entry| add(&entry.unwrap().path(), dialect, text));
    } else if path.extension().is_some_and(|extension| extension == "sql")
        && let Ok(file) = fs::read_to_string(path)
        && split(&file, dialect).unterminated.is_none()
    {
        text.push_str(&file);
        text.push_str("\n;\n");
    }
}
