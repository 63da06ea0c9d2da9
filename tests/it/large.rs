//! A seed file of 200 MB: applied in one transaction, with the memory of its largest statement.

use crate::servers::{self, postgres};
use crate::twostep::Project;
use std::fmt::Write as _;

/// A file of about `megabytes` MB: INSERTs of 1,000 rows each, and a COPY of the last tenth where `copy`.
fn seed(megabytes: usize, copy: bool) -> (String, usize) {
    let mut text = String::from("create table seed (id bigint, filler text);\n");
    let filler = "x".repeat(100);
    let (mut rows, limit) = (0, megabytes * 1_000_000);
    while text.len() < limit * 9 / 10 {
        text.push_str("insert into seed (id, filler) values\n");
        for number in 0..1_000 {
            let end = if number == 999 { ";\n" } else { ",\n" };
            let _ = write!(text, "({rows}, '{filler}; -- ''quoted''')").and_then(|()| write!(text, "{end}"));
            rows += 1;
        }
    }
    if copy {
        text.push_str("copy seed (id, filler) from stdin;\n");
        while text.len() < limit {
            let _ = writeln!(text, "{rows}\t{filler}; not a statement");
            rows += 1;
        }
        text.push_str("\\.\nselect 1;\n");
    }
    (text, rows)
}

#[allow(clippy::print_stderr, reason = "the figure is for people")]
fn check(url: &str, copy: bool, count: &dyn Fn() -> String) {
    let project = Project::new();
    let (text, rows) = seed(200, copy);
    project.write("migrations/1_seed.up.sql", text);
    let outcome = project.twostep(&["migrate"]).env("DATABASE_URL", url).run().expect(0);
    assert_eq!(count(), rows.to_string());
    let megabytes = outcome.peak_memory_kib / 1024;
    eprintln!("a file of 200 MB: {megabytes} MB at most, {:?}", outcome.elapsed);
    assert!(megabytes < 100, "{megabytes} MB for a file whose largest statement has 130 kB");
}

#[test]
fn postgres_takes_a_file_of_200_mb() {
    let Some(server) = servers::required("PostgreSQL", postgres()) else { return };
    let database = server.fresh_database();
    check(&database.url(), true, &|| database.psql("select count(*) from seed"));
}

#[test]
fn a_broken_large_file_changes_nothing() {
    let Some(server) = servers::required("PostgreSQL", postgres()) else { return };
    let database = server.fresh_database();
    let project = Project::new();
    let (mut text, _) = seed(10, false);
    text.push_str("select 'never closed;\n");
    project.write("migrations/1_seed.up.sql", text);
    let outcome = project.twostep(&["migrate"]).env("DATABASE_URL", database.url()).run().expect(3);
    assert!(outcome.stderr.contains("never closed"), "{}", outcome.stderr);
    assert_eq!(database.psql("select to_regclass('seed') is null"), "t");
}
