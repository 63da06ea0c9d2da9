//! What a run holds, waits for and does again.

use super::RENAME;
use crate::client::Client;
use crate::plan::killed;
use crate::plan::{Case, Deployment, check};
use crate::servers;
use crate::wait;
use std::time::Duration;

#[test]
fn trap_10_and_r9_an_index_waits_for_a_long_transaction_on_another_table() {
    let Some(server) = servers::postgres() else { return };
    let case = Case { plain: "CREATE INDEX ON orders (name);", ..RENAME };
    let deployment = Deployment::new(server, &case);
    deployment.plan(&case);
    deployment.database.psql("create table unrelated (i int)");
    let mut other = Client::connect(&deployment.database.url(), "report");
    other.run("begin isolation level repeatable read; insert into unrelated values (1); select count(*) from orders");
    let mut running = deployment.project.on(&deployment.database.url(), &["migrate"]).spawn();
    running.wait_for_stderr("report");
    // Longer than any lock timeout that the build might have been given.
    let waiting = "select count(*) from pg_stat_activity where query like 'CREATE INDEX CONCURRENTLY%' and wait_event_type = 'Lock' \
                   and now() - query_start > '3 s'";
    wait::until_true("the build has waited for 3 s", Duration::from_secs(60), || {
        deployment.database.psql(waiting) == "1"
    });
    other.run("commit");
    running.wait().expect(0);
    assert_eq!(
        deployment
            .database
            .psql("select indisvalid from pg_index where indexrelid = 'orders_name_idx'::regclass"),
        "t"
    );
}

#[test]
fn trap_11_r10_and_r11_killed_at_every_point_the_same_command_goes_on() {
    let Some(server) = servers::postgres() else { return };
    let rows = "insert into orders (name) select 'n' || n from generate_series(1, 1400) n";
    killed::on_postgres(server, "a planned rename", &Case { rows, ..RENAME }, 40);
}

#[test]
fn trap_13_chunks_are_as_large_as_the_documentation_says() {
    let read =
        |path: &str| std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let code = read("src/run/executor/chunks.rs") + &read("src/run/pace.rs");
    let docs = read("docs/plan.md");
    let value = |name: &str| -> Vec<u64> {
        let line = code.lines().find(|line| line.contains(&format!("const {name}:"))).unwrap();
        let values = line.split_once('=').unwrap().1;
        let digits = |part: &str| part.chars().filter(char::is_ascii_digit).collect::<String>();
        values.split(',').map(|part| digits(part).parse().unwrap()).collect()
    };
    let shown = |number: u64| match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", number / 1000, number % 1000),
    };
    let (first, bounds) = (value("FIRST_ROWS"), value("ROWS"));
    let said = format!(
        "The first chunk has {} rows, and each other between {} and {}",
        shown(first[0]),
        shown(bounds[0]),
        shown(bounds[1])
    );
    assert!(docs.contains(&said), "docs/plan.md does not say: {said}");
}

#[test]
fn r3_nothing_is_read_under_a_lock_that_others_wait_for() {
    let Some(server) = servers::postgres() else { return };
    let case = Case {
        plain: "ALTER TABLE orders ADD COLUMN label text; UPDATE orders SET label = name; ALTER TABLE orders ALTER COLUMN label SET NOT NULL;",
        rows: "",
        ..RENAME
    };
    // What the table of effects says of each statement.
    check(&Case { rows: RENAME.rows, ..case });
    // What the server says of what each transaction has read.
    let deployment = Deployment::new(server, &case);
    deployment.plan(&case);
    let proof = deployment.verified();
    assert!(proof.contains("holds      no statement looks at rows while reads or writes wait"), "{proof}");
}

#[test]
fn r14_a_backfill_is_quick_and_does_not_leave_the_table_much_larger() {
    let Some(server) = servers::postgres() else { return };
    let case = Case {
        rows: "insert into orders (name) select 'n' || n from generate_series(1, 100000) n",
        ..RENAME
    };
    let deployment = Deployment::new(server, &case);
    deployment.plan(&case);
    let size = || deployment.database.psql("select pg_table_size('orders')").parse::<f64>().unwrap();
    let before = size();
    let started = std::time::Instant::now();
    deployment.twostep(&["migrate"]).expect(0);
    let rows_per_second = 100_000.0 / started.elapsed().as_secs_f64();
    let grown = size() / before;
    servers::tell(&format!(
        "a rename of 100,000 rows: {rows_per_second:.0} rows/s in all, the table is {grown:.2} times as large\n"
    ));
    // Each row is written once: beside the old ones the new ones, which are wider.
    assert!(grown < 2.6, "{grown}");
    assert!(rows_per_second > 1_000.0, "{rows_per_second}");
}
