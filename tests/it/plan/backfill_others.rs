//! Backfills on MySQL, MariaDB and SQLite: chunks along keys of every kind, and what is resumed where it stopped.

use super::Case;
use super::others::{Deployment, Place, each_mysql};
use crate::wait;
use std::time::Duration;

const SERIES: &str = "with recursive s (i) as (select 1 union all select i + 1 from s where i < 20000) ";

/// A backfill of all rows of a table with a key of these columns, where `row` gives a row its key from `i`.
fn check(fresh: &dyn Fn() -> Option<Place>, columns: &str, key: &str, row: &str) {
    let schema = format!(
        "CREATE TABLE items ({columns}, sku varchar(20), n int NOT NULL DEFAULT 0, PRIMARY KEY ({key}));"
    );
    let names = key;
    let select = format!("select {row}, 's' from s");
    let rows = if fresh().is_some() {
        format!("set cte_max_recursion_depth = 100000; insert into items ({names}, sku) {SERIES} {select}")
    } else {
        format!("insert into items ({names}, sku) {SERIES} {select}")
    };
    let new = || {
        let place = fresh();
        // MariaDB calls the limit otherwise.
        let maria = place.as_ref().is_some_and(|place| place.version.contains("Maria"));
        let rows = if maria {
            rows.replace("cte_max_recursion_depth", "max_recursive_iterations")
        } else {
            rows.clone()
        };
        let plain = "-- twostep: no-transaction\n-- twostep: backfill\nUPDATE items SET n = n + 1 WHERE sku IS NOT NULL OR n > 5;";
        Deployment::new(place, &Case { schema: &schema, rows: &rows, plain, ..Case::default() })
    };
    let undisturbed = new();
    let log = undisturbed.project.path("faults.log");
    undisturbed.run(&["migrate"]).env("TWOSTEP_FAULT_LOG", &log).run().expect(0);
    assert_eq!(
        undisturbed.database.sql("select count(*), min(n), max(n) from items"),
        "20000\t1\t1",
        "{columns}"
    );
    let points = std::fs::read_to_string(&log).expect("the run wrote its points");
    let chunks: Vec<usize> = points
        .lines()
        .enumerate()
        .filter_map(|(at, line)| line.ends_with("in a chunk").then_some(at + 1))
        .collect();
    assert!(chunks.len() > 3, "{columns}: too few chunks:\n{points}");
    let disturbed = new();
    // Within a chunk, and behind its commit.
    for point in [chunks[1], chunks[1] - chunks[0] + 2] {
        let killed = disturbed.run(&["migrate"]).env("TWOSTEP_FAULT", point.to_string()).run();
        assert!(killed.signal().is_some(), "{killed:#?}");
        let found = disturbed.database.sql("select min(n), max(n) from items");
        assert_eq!(found, "0\t1", "{columns}: killed in the middle");
    }
    disturbed.twostep(&["migrate"]).expect(0);
    assert_eq!(
        disturbed.database.sql("select count(*), min(n), max(n) from items"),
        "20000\t1\t1",
        "{columns}"
    );
}

const ON_SERVERS: [(&str, &str, &str); 4] = [
    ("id bigint unsigned", "id", "18446744073709500000 + i"),
    ("a int, b varchar(20)", "a, b", "i % 11 - 5, concat('b''', i)"),
    ("id binary(16)", "id", "unhex(md5(i))"),
    (
        "kind enum('z', 'y', 'a'), day date, amount decimal(12, 2)",
        "kind, day, amount",
        "1 + i % 3, '2026-01-01' + interval i % 90 day, i / 4",
    ),
];

#[test]
fn each_row_is_written_once_on_mysql() {
    each_mysql(|fresh| {
        for (columns, key, row) in ON_SERVERS {
            check(&|| Some(fresh()), columns, key, row);
        }
    });
}

#[test]
fn each_row_is_written_once_on_sqlite() {
    for (columns, key, row) in [
        ("id integer", "id", "i"),
        // A key that may be NULL.
        ("id text", "id", "case when i % 2 then 'a''' || i end"),
        ("a real, b blob", "a, b", "i % 11 - 0.5, randomblob(4) || i"),
    ] {
        check(&|| None, columns, key, row);
    }
    let without_rowid = "CREATE TABLE items (a int, b text, sku text, n int NOT NULL DEFAULT 0, PRIMARY KEY (a, b)) WITHOUT ROWID;";
    let case = Case {
        schema: without_rowid,
        rows: &format!("insert into items (a, b, sku) {SERIES} select i % 7, 'b' || i, 's' from s"),
        plain: "-- twostep: no-transaction\n-- twostep: backfill\nUPDATE items AS x SET n = n + 1;",
        ..Case::default()
    };
    let deployment = Deployment::new(None, &case);
    deployment.twostep(&["migrate"]).expect(0);
    assert_eq!(deployment.database.sql("select count(*), min(n), max(n) from items"), "20000\t1\t1");
}

#[test]
fn it_pauses_while_others_wait_for_rows_or_tables_on_mysql() {
    each_mysql(|fresh| {
        for (hold, wait) in [
            ("lock tables busy write", "select count(*) from busy"),
            ("begin; update busy set n = 1", "update busy set n = 2"),
        ] {
            let place = fresh();
            let larger = if place.version.contains("Maria") {
                "max_recursive_iterations"
            } else {
                "cte_max_recursion_depth"
            };
            let case = Case {
                schema: "CREATE TABLE items (id int PRIMARY KEY, n int NOT NULL DEFAULT 0); CREATE TABLE busy (id int PRIMARY KEY, n int);",
                rows: &format!(
                    "insert into busy values (1, 0); set {larger} = 100000; insert into items (id) {SERIES} select i from s"
                ),
                plain: "-- twostep: no-transaction\n-- twostep: backfill\nUPDATE items SET n = n + 1;",
                ..Case::default()
            };
            let deployment = Deployment::new(Some(place), &case);
            std::thread::scope(|scope| {
                let held =
                    || deployment.database.sql(&format!("{hold}; do sleep(12); rollback; unlock tables"));
                scope.spawn(held);
                wait::until_true("it is held", Duration::from_secs(30), || {
                    let ask = "select count(*) from information_schema.processlist where db = database() and info like 'do sleep%'";
                    deployment.database.sql(ask) == "1"
                });
                scope.spawn(|| deployment.database.sql(wait));
                let ask = "select count(*) from information_schema.processlist where db = database() and command = 'Query' and time > 1 and info = ";
                let ask = format!("{ask}'{wait}'");
                wait::until_true("one has waited", Duration::from_secs(30), || {
                    deployment.database.sql(&ask) == "1"
                });
                let said = deployment.twostep(&["backfill", "--chunk", "5ms"]).expect(0).stderr;
                assert!(said.contains("pauses: 1 sessions wait for a lock"), "{hold}: {said}");
            });
            assert_eq!(deployment.database.sql("select min(n), max(n) from items"), "1\t1");
        }
    });
}

#[test]
fn what_cannot_be_cut_is_refused_on_mysql_too() {
    each_mysql(|fresh| {
        let refused = |plain: &'static str, code| {
            let schema = "CREATE TABLE items (n int);";
            let deployment = Deployment::new(Some(fresh()), &Case { schema, plain, ..Case::default() });
            deployment.twostep(&["migrate"]).expect(code).stderr
        };
        let block = "BEGIN;\n-- twostep: backfill\nUPDATE items SET n = 1;\nCOMMIT;";
        assert!(refused(block, 2).contains("between BEGIN and COMMIT"));
        assert!(refused("-- twostep: backfill\nDELETE FROM items;", 2).contains("cannot be run in chunks"));
        assert!(refused("-- twostep: backfill\nUPDATE items SET n = 1;", 3).contains("no primary key"));
        let unknown = "-- twostep: backfill key=id\nUPDATE items SET n = 1;";
        assert!(refused(unknown, 3).contains("does not have all columns"));
    });
}
