//! What code writes while the steps come and go, and between them.

use super::{RENAME, WIDER, expanded, meanwhile};
use crate::plan::{Case, Deployment};
use crate::servers;
use std::time::Duration;

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
    let met = meanwhile(&deployment.database.url(), insert, || {
        deployment.plan(&case);
        deployment.twostep(&["migrate"]).expect(0);
        deployment.twostep(&["rollback", "--run", "2"]).expect(0);
        deployment.twostep(&["migrate"]).expect(0);
    });
    assert!(met.failures.is_empty(), "{:?}", met.failures);
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
    let met = meanwhile(&deployment.database.url(), write, || {
        deployment.twostep(&["migrate", "--contract"]).expect(0);
        // The way back to both shapes, and forth again, with the new code running.
        deployment.twostep(&["rollback", "--steps", "1"]).expect(0);
        deployment.twostep(&["migrate", "--contract"]).expect(0);
    });
    assert!(met.failures.is_empty(), "{:?}", met.failures);
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

/// What code does that knows both tables, whatever the types of their columns are.
const WORK: &str = "insert into orders (name) values ('by {n}'); insert into lines (order_id, n) select max(id), {n} from orders; \
                    update orders set hits = hits + 1 where id = 1 + {n} % 100; select sum(hits) from orders where id < 50";

/// Nothing of [`WORK`] is lost: each round has made an order, and one hit.
const NOTHING_LOST: &str = "select count(*) filter (where name like 'by %') = sum(hits), count(distinct id) = count(*), \
                            (select count(*) from lines where n > 1) = count(*) filter (where name like 'by %') - 1 from orders";

#[test]
fn r1_code_that_works_all_through_a_contract_meets_no_error() {
    let Some(server) = servers::postgres() else { return };
    let deployment = expanded(server, &WIDER);
    let met = meanwhile(&deployment.database.url(), WORK, || {
        deployment.twostep(&["migrate", "--contract"]).expect(0);
        deployment.twostep(&["rollback", "--steps", "1"]).expect(0);
        deployment.twostep(&["migrate", "--contract"]).expect(0);
    });
    assert!(met.failures.is_empty(), "{:?}", met.failures);
    assert_eq!(deployment.database.psql(NOTHING_LOST), "t|t|t");

    let case = Case {
        plain: "UPDATE orders SET name = 'none' WHERE name IS NULL; ALTER TABLE orders ALTER COLUMN name SET NOT NULL;",
        ..RENAME
    };
    let deployment = expanded(server, &case);
    let work = "insert into orders (name) values ('new {n}'); update orders set name = 'newer' where id = 1 + {n} % 100; select count(name) from orders";
    let met = meanwhile(&deployment.database.url(), work, || {
        deployment.twostep(&["migrate", "--contract"]).expect(0);
        deployment.twostep(&["rollback", "--steps", "1"]).expect(0);
        deployment.twostep(&["migrate", "--contract"]).expect(0);
    });
    assert!(met.failures.is_empty(), "{:?}", met.failures);
}

#[test]
fn r2_old_code_meets_no_error_while_the_first_step_is_taken_back() {
    let Some(server) = servers::postgres() else { return };
    let deployment = expanded(server, &WIDER);
    let met = meanwhile(&deployment.database.url(), WORK, || {
        deployment.twostep(&["rollback", "--run", "2"]).expect(0);
    });
    assert!(met.failures.is_empty(), "{:?}", met.failures);
    assert_eq!(deployment.database.psql(NOTHING_LOST), "t|t|t");
}

#[test]
fn r15_old_code_meets_no_error_and_waits_for_no_row_while_the_first_step_comes() {
    let Some(server) = servers::postgres() else { return };
    let case = Case { rows: &WIDER.rows.replace("5000", "30000"), ..WIDER };
    let deployment = Deployment::new(server, &case);
    deployment.plan(&case);
    let met = meanwhile(&deployment.database.url(), WORK, || {
        deployment.twostep(&["migrate"]).expect(0);
    });
    assert!(met.failures.is_empty(), "{:?}", met.failures);
    servers::tell(&format!("a change of type starts under load: the longest round took {:?}\n", met.longest));
    // The noise of a machine that runs other tests as well is in it; docs/plan-load.md has the figures without.
    assert!(met.longest < Duration::from_secs(2), "{:?}", met.longest);
    assert_eq!(deployment.database.psql(NOTHING_LOST), "t|t|t");
}
