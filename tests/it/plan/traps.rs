//! What other tools for phased migrations get wrong, each by its name: measured there, and right here.

use super::{Case, Deployment};
use crate::client::Client;
use crate::faults::scene::{Place, Scene};
use crate::servers;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const ORDERS: &str = "CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, state text NOT NULL DEFAULT 'pending');";
const ROWS: &str = "insert into orders (name) select 'n' || n from generate_series(1, 20000) n";
const RENAME: Case<'static> = Case {
    schema: ORDERS,
    rows: ROWS,
    plain: "ALTER TABLE orders RENAME COLUMN state TO status;",
    plain_down: "",
    fill: None,
    between: &[],
    after: &[],
    moves_columns: false,
    moves_copies: false,
    single: false,
    differs: &[],
    one_way: false,
};

/// The deployment of `case`, up to its contract.
fn expanded<'s>(server: &'s servers::Postgres, case: &Case<'_>) -> Deployment<'s> {
    let deployment = Deployment::new(server, case);
    deployment.plan(case);
    deployment.twostep(&["migrate"]).expect(0);
    deployment
}

/// Runs `sql` over and over while `act` does its work; gives what failed. `{n}` is a number that is new each time.
fn meanwhile(url: &str, sql: &str, act: impl FnOnce()) -> Vec<String> {
    let stop = Arc::new(AtomicBool::new(false));
    let (stopped, url, sql) = (Arc::clone(&stop), url.to_owned(), sql.to_owned());
    let client = std::thread::spawn(move || {
        let mut client = Client::connect(&url, "old code");
        let mut failures = Vec::new();
        let mut number = 0;
        while !stopped.load(Ordering::Relaxed) {
            number += 1;
            failures.extend(client.try_run(&sql.replace("{n}", &number.to_string())).err());
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(number > 10, "the client had no time");
        failures
    });
    act();
    stop.store(true, Ordering::Relaxed);
    client.join().expect("the client ends")
}

#[test]
fn trap_1_no_write_fails_between_a_check_and_its_trigger() {
    let Some(server) = servers::postgres() else { return };
    let case = Case {
        plain: "ALTER TABLE orders ADD COLUMN label text NOT NULL;",
        fill: Some("orders.label='of ' || name"),
        ..RENAME
    };
    // The plain migration cannot even run on rows; the plan is the only way.
    let deployment = Deployment::new(server, &case);
    let insert = "insert into orders (name) values ('old {n}'); update orders set name = name where id = 1 + {n} % 100";
    let failures = meanwhile(&deployment.database.url(), insert, || {
        deployment.plan(&case);
        deployment.twostep(&["migrate"]).expect(0);
        deployment.twostep(&["rollback", "--run", "2"]).expect(0);
        deployment.twostep(&["migrate"]).expect(0);
    });
    assert!(failures.is_empty(), "{failures:?}");
    assert_eq!(
        deployment.database.psql("select count(*) from orders where label is distinct from 'of ' || name"),
        "0"
    );
    deployment.twostep(&["migrate", "--contract"]).expect(0);
    let refused = deployment.database.try_psql("insert into orders (name) values ('x')").unwrap_err();
    assert!(refused.contains("null value in column \"label\""), "{refused}");
}

#[test]
fn trap_2_no_write_fails_between_the_column_and_its_trigger_when_they_go() {
    let Some(server) = servers::postgres() else { return };
    let deployment = expanded(server, &RENAME);
    let write = "insert into orders (name, status) values ('new {n}', 'x'); update orders set status = 'y' where name = 'new {n}'";
    let failures = meanwhile(&deployment.database.url(), write, || {
        deployment.twostep(&["migrate", "--contract"]).expect(0);
        // The way back to both shapes, and forth again, with the new code running.
        deployment.twostep(&["rollback", "--steps", "1"]).expect(0);
        deployment.twostep(&["migrate", "--contract"]).expect(0);
    });
    assert!(failures.is_empty(), "{failures:?}");
    assert_eq!(
        deployment.database.psql("select count(*) from orders where name like 'new %' and status <> 'y'"),
        "0"
    );
}

#[test]
fn trap_3_and_r4_an_update_of_another_column_overwrites_nothing() {
    let Some(server) = servers::postgres() else { return };
    let deployment = expanded(server, &RENAME);
    deployment.database.psql("update orders set status = 'approved' where id = 7");
    deployment.database.psql("update orders set name = 'renamed' where id = 7");
    assert_eq!(
        deployment.database.psql("select state, status from orders where id = 7"),
        "approved|approved"
    );
}

#[test]
fn trap_4_and_r5_the_search_path_decides_nothing() {
    let Some(server) = servers::postgres() else { return };
    let deployment = expanded(server, &RENAME);
    deployment.database.psql("create schema other");
    for (number, path) in ["''", "other, public", "public, other", "pg_catalog, public"].iter().enumerate() {
        let id = number + 1;
        deployment.database.psql(&format!(
            "set search_path = {path}; update public.orders set status = 'by {id}' where id = {id}; \
             insert into public.orders (name, status) values ('path {id}', 'in {id}')"
        ));
        let query = format!(
            "select state, (select state from orders where name = 'path {id}') from orders where id = {id}"
        );
        assert_eq!(deployment.database.psql(&query), format!("by {id}|in {id}"));
    }
}

#[test]
fn trap_6_a_column_is_not_found_inside_other_words() {
    super::check(&Case {
        schema: "CREATE TABLE orders (key int PRIMARY KEY, id int, valid int, note text, CONSTRAINT ids CHECK (id > 0 AND valid > id - 1 AND note <> 'id'));
            CREATE INDEX orders_both ON orders ((valid + id), (note || 'id')) WHERE id > 0 AND valid > 0;",
        rows: "insert into orders select n, n, n, 'x' from generate_series(1, 2000) n",
        plain: "ALTER TABLE orders RENAME COLUMN id TO number;",
        ..Case::default()
    });
}

#[test]
fn trap_7_and_8_indexes_and_composite_keys_keep_all_that_they_have() {
    super::check(&Case {
        schema: "CREATE TABLE parents (b int, a int, PRIMARY KEY (b, a));
            CREATE TABLE orders (id int PRIMARY KEY, a int, b int, code text, more int,
                CONSTRAINT of_parent FOREIGN KEY (b, a) REFERENCES parents (b, a) ON UPDATE CASCADE);
            CREATE INDEX orders_code ON orders (lower(code) text_pattern_ops DESC NULLS LAST, code COLLATE \"C\") INCLUDE (more) WHERE code <> '';
            CREATE UNIQUE INDEX orders_hash ON orders (a, id);",
        rows: "insert into parents select n, n + 1 from generate_series(1, 100) n; insert into orders select n, n + 1, n, 'c' || n, n from generate_series(1, 100) n",
        plain: "ALTER TABLE orders RENAME COLUMN code TO sku; ALTER TABLE orders RENAME COLUMN a TO parent_a;",
        between: &[("update parents set a = 0 where b = 5; select a, parent_a from orders where b = 5", "0|0")],
        moves_copies: true,
        ..Case::default()
    });
}

#[test]
fn trap_9_a_key_that_is_always_generated_is_not_written() {
    // The key of `orders` is GENERATED ALWAYS.
    super::check(&Case {
        between: &[("select count(*) from orders where status = 'pending'", "20000")],
        ..RENAME
    });
}

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
    let case =
        Case { rows: "insert into orders (name) select 'n' || n from generate_series(1, 1400) n", ..RENAME };
    let planned = Deployment::new(server, &case);
    planned.plan(&case);
    let Deployment { project, database: template } = planned;
    let fresh = |_: &crate::twostep::Project| {
        let place = server.fresh_database_name();
        server.psql("postgres", &format!("create database {} template {}", place.name, template.name));
        Place::new(place.url(), place.name.clone(), move || drop(place))
    };
    let state = |name: &str| crate::faults::postgres::state(server, name);
    let arguments = ["migrate", "--contract", "--lock-deadline", "20s"];
    let scene = Scene::new("PostgreSQL", "a planned rename", &arguments, project, fresh, state);
    crate::faults::kill::at_every_point(&scene, 40);
}

#[test]
fn trap_12_and_r12_who_may_use_the_old_name_may_use_the_new_one() {
    let Some(server) = servers::postgres() else { return };
    let (role, password) = server.fresh_role("");
    let grants = format!(
        "grant insert (name, state), select (id, name, state), update (state) on orders to \"{role}\""
    );
    let deployment = Deployment::new(server, &RENAME);
    deployment.database.psql(&grants);
    deployment.plan(&RENAME);
    deployment.twostep(&["migrate"]).expect(0);
    let as_role =
        |sql: &str| server.psql_at(&server.url_as(&role, &password, &deployment.database.name), sql);
    let both = "insert into orders (name, status) values ('a', 'x'); update orders set status = 'y' where name = 'a'; select state from orders where name = 'a'";
    assert_eq!(as_role(both).unwrap(), "y");

    let case = Case { plain: "ALTER TABLE orders RENAME TO sales;", ..RENAME };
    let deployment = Deployment::new(server, &case);
    deployment.database.psql(&format!("grant all on orders to \"{role}\""));
    deployment.plan(&case);
    deployment.twostep(&["migrate"]).expect(0);
    let as_role =
        |sql: &str| server.psql_at(&server.url_as(&role, &password, &deployment.database.name), sql);
    assert_eq!(
        as_role("update orders set state = 'z' where id = 1; select state from sales where id = 1").unwrap(),
        "z"
    );
}

#[test]
fn r6_and_r7_foreign_and_unique_keys_survive_a_change_of_type() {
    super::check(&Case {
        schema: "CREATE TABLE owners (id int PRIMARY KEY); CREATE TABLE t (id int PRIMARY KEY, owner int NOT NULL REFERENCES owners ON DELETE CASCADE, \
                 u int CONSTRAINT only_one UNIQUE DEFERRABLE, price int DEFAULT 7 CHECK (price > 0));",
        rows: "insert into owners select generate_series(1, 50); insert into t select n, n, n from generate_series(1, 50) n",
        plain: "ALTER TABLE t ALTER COLUMN owner TYPE bigint, ALTER COLUMN u TYPE bigint, ALTER COLUMN price TYPE numeric;",
        between: &[(
            "insert into t (id, owner) values (0, 1); delete from owners where id = 1; select count(*) from t where owner_new = 1",
            "0",
        )],
        moves_columns: true,
        ..Case::default()
    });
}

#[test]
fn r8_what_hangs_on_a_column_is_carried_over_or_named() {
    super::check(&Case {
        schema: "CREATE SCHEMA \"Shop\"; CREATE EXTENSION citext;
            CREATE TABLE \"Shop\".\"Items\" (a int, \"B b\" varchar(20) NOT NULL DEFAULT 'x', n int, other int, gen text GENERATED ALWAYS AS (upper(\"B b\")) STORED,
                PRIMARY KEY (a, n), CONSTRAINT positive CHECK (n > 0 AND other > n), EXCLUDE (gen WITH =));
            CREATE UNIQUE INDEX both_of ON \"Shop\".\"Items\" (n, lower(\"B b\") COLLATE \"C\" text_pattern_ops DESC NULLS LAST) INCLUDE (other) WHERE n <> 7;
            CREATE UNIQUE INDEX identified ON \"Shop\".\"Items\" (n, a);
            ALTER TABLE \"Shop\".\"Items\" REPLICA IDENTITY USING INDEX identified;
            ALTER TABLE \"Shop\".\"Items\" CLUSTER ON identified;
            CREATE STATISTICS \"Shop\".n_and_other (dependencies) ON n, other FROM \"Shop\".\"Items\";
            COMMENT ON STATISTICS \"Shop\".n_and_other IS 'both';
            COMMENT ON COLUMN \"Shop\".\"Items\".n IS 'it''s n'; COMMENT ON INDEX \"Shop\".both_of IS 'an index'; COMMENT ON CONSTRAINT positive ON \"Shop\".\"Items\" IS 'a check';
            ALTER TABLE \"Shop\".\"Items\" ALTER COLUMN n SET STATISTICS 50; ALTER TABLE \"Shop\".\"Items\" ALTER COLUMN n SET (n_distinct = 5);
            CREATE VIEW \"Shop\".seen WITH (security_barrier) AS SELECT n, other FROM \"Shop\".\"Items\"; GRANT SELECT ON \"Shop\".seen TO PUBLIC;
            CREATE POLICY mine ON \"Shop\".\"Items\" USING (other > 0);
            GRANT SELECT (n), UPDATE (n) ON \"Shop\".\"Items\" TO PUBLIC;
            CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.other := NEW.n + 1; RETURN NEW; END';
            CREATE TRIGGER m_touch BEFORE INSERT ON \"Shop\".\"Items\" FOR EACH ROW EXECUTE FUNCTION touch();",
        rows: "insert into \"Shop\".\"Items\" (a, \"B b\", n) select n, 'b' || n, n from generate_series(1, 3000) n",
        plain: "DROP VIEW \"Shop\".seen;
            ALTER TABLE \"Shop\".\"Items\" ALTER COLUMN n TYPE bigint, ALTER COLUMN a TYPE bigint;
            CREATE VIEW \"Shop\".seen WITH (security_barrier) AS SELECT n, other FROM \"Shop\".\"Items\"; GRANT SELECT ON \"Shop\".seen TO PUBLIC;",
        between: &[
            ("insert into \"Shop\".\"Items\" (a, \"B b\", n) values (1, 'old', 5000); select n, n_new, a_new from \"Shop\".\"Items\" where n = 5000", "5000|5000|1"),
            ("select count(*) from \"Shop\".seen", "3001"),
        ],
        moves_columns: true,
        one_way: true,
        ..Case::default()
    });
    let refused = [
        ("create table t (id int primary key, n int); create view v as select n from t;", "view `public.v`"),
        (
            "create table t (id int primary key, n int, m int generated always as (n + 1) stored);",
            "generated column `m`",
        ),
        ("create table t (id int primary key, n int); create policy p on t using (n > 0);", "policy `p`"),
    ];
    for (schema, expected) in refused {
        let said = super::refused::refusal(schema, "alter table t alter column n type bigint;");
        assert!(said.contains("PostgreSQL refuses the plain statement") && said.contains(expected), "{said}");
    }
}

#[test]
fn r3_nothing_is_read_under_a_lock_that_others_wait_for() {
    // `check` looks at each statement of each plan; this is the one where it was measured elsewhere.
    super::check(&Case {
        plain: "ALTER TABLE orders ADD COLUMN label text; UPDATE orders SET label = name; ALTER TABLE orders ALTER COLUMN label SET NOT NULL;",
        ..RENAME
    });
}

#[test]
fn values_that_compare_equal_and_are_not_cross_over() {
    let Some(server) = servers::postgres() else { return };
    let case = Case {
        schema: "CREATE EXTENSION citext; CREATE TABLE t (id int PRIMARY KEY, c citext, n numeric, i interval, j json, p point);",
        rows: "insert into t values (1, 'a', 1.0, '1 day', '{}', '(0,0)')",
        plain: "ALTER TABLE t RENAME c TO c2; ALTER TABLE t RENAME n TO n2; ALTER TABLE t RENAME i TO i2; ALTER TABLE t RENAME j TO j2; ALTER TABLE t RENAME p TO p2;",
        ..Case::default()
    };
    let deployment = expanded(server, &case);
    let new = "update t set c2 = 'A', n2 = 1.00, i2 = '24 hours', j2 = '{ }', p2 = '(-0,0)'; select c, n, i, j, p from t";
    assert_eq!(deployment.database.psql(new), "A|1.00|24:00:00|{ }|(-0,0)");
    let old =
        "update t set c = 'a', n = 1.0, i = '1 day', j = '{}', p = '(0,0)'; select c2, n2, i2, j2, p2 from t";
    assert_eq!(deployment.database.psql(old), "a|1.0|1 day|{}|(0,0)");
    deployment.twostep(&["migrate", "--contract"]).expect(0);
}

#[test]
fn trap_5_what_cannot_be_made_fails_the_run_and_leaves_nothing_behind() {
    let Some(server) = servers::postgres() else { return };
    let deployment = Deployment::new(server, &RENAME);
    deployment.plan(&RENAME);
    // The name of the second function is taken, so that its trigger cannot be made.
    deployment.database.psql("create function orders_status_out() returns int language sql as 'select 1'");
    let before = deployment.catalog();
    let failed = deployment.twostep(&["migrate"]).expect(3).stderr;
    assert!(failed.contains("orders_status_out") && failed.contains("already exists"), "{failed}");
    assert_eq!(deployment.catalog(), before, "neither a column nor a trigger is left");
    deployment.database.psql("drop function orders_status_out()");
    deployment.twostep(&["migrate"]).expect(0);
    assert_eq!(
        deployment.database.psql("select count(*) from pg_trigger where tgname like '%twostep%'"),
        "2"
    );
}

#[test]
fn trap_13_chunks_are_as_large_as_the_documentation_says() {
    let read =
        |path: &str| std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let (code, docs) = (read("src/run/chunks.rs"), read("docs/plan.md"));
    let value = |name: &str| -> Vec<u64> {
        let line = code.lines().find(|line| line.starts_with(&format!("const {name}:"))).unwrap();
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
