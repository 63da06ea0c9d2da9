//! What hangs on a column or a table, and what becomes of it.

use super::{RENAME, WIDER, expanded};
use crate::plan::{Case, Deployment, check, refused};
use crate::servers;

/// Words and literals that hold the name of a column.
const WORDS: Case<'static> = Case {
    schema: "CREATE TABLE orders (key int PRIMARY KEY, id int, valid int, note text, CONSTRAINT ids CHECK (id > 0 AND valid > id - 1 AND note <> 'id'));
        CREATE INDEX orders_both ON orders ((valid + id), (note || 'id')) WHERE id > 0 AND valid > 0;",
    rows: "insert into orders select n, n, n, 'x' from generate_series(1, 2000) n",
    ..Case::NONE
};

#[test]
fn trap_6_a_column_is_not_found_inside_other_words() {
    // The copy of the index is read before it goes.
    let copies = "select pg_get_indexdef(indexrelid) from pg_index where indrelid = 'orders'::regclass and pg_get_indexdef(indexrelid) like '%number%'";
    check(&Case {
        plain: "ALTER TABLE orders RENAME COLUMN id TO number;",
        between: &[(
            copies,
            "CREATE INDEX orders_both_number ON public.orders USING btree (((valid + number)), ((note || 'id'::text))) WHERE ((number > 0) AND (valid > 0))",
        )],
        ..WORDS
    });
    // What is made for a column of another type stays.
    check(&Case { plain: "ALTER TABLE orders ALTER COLUMN id TYPE bigint;", moves_columns: true, ..WORDS });
}

/// Composite keys and an index with all that there is, under names whose order is not that of the columns.
const COMPOSITE: Case<'static> = Case {
    schema: "CREATE TABLE parents (b int, a int, PRIMARY KEY (b, a));
        CREATE TABLE orders (id int PRIMARY KEY, a int, b int, code varchar(20), more int,
            CONSTRAINT of_parent FOREIGN KEY (b, a) REFERENCES parents (b, a) ON UPDATE CASCADE);
        CREATE INDEX orders_code ON orders (lower(code) text_pattern_ops DESC NULLS LAST, code COLLATE \"C\", a) INCLUDE (more) WHERE code <> '';
        CREATE UNIQUE INDEX orders_hash ON orders (a, id);",
    rows: "insert into parents select n, n + 1 from generate_series(1, 100) n; insert into orders select n, n + 1, n, 'c' || n, n from generate_series(1, 100) n",
    ..Case::NONE
};

#[test]
fn trap_7_indexes_keep_all_that_they_have() {
    check(&Case {
        plain: "ALTER TABLE orders RENAME COLUMN code TO sku;",
        between: &[(
            "select pg_get_indexdef('orders_code_sku'::regclass)",
            "CREATE INDEX orders_code_sku ON public.orders USING btree (lower((sku)::text) text_pattern_ops DESC NULLS LAST, sku COLLATE \"C\", a) INCLUDE (more) WHERE ((sku)::text <> ''::text)",
        )],
        ..COMPOSITE
    });
    check(&Case {
        plain: "ALTER TABLE orders ALTER COLUMN more TYPE bigint;",
        moves_columns: true,
        ..COMPOSITE
    });
}

#[test]
fn trap_8_composite_keys_keep_their_pairs() {
    let follows = "update parents set a = 0 where b = 5; select a from orders where b = 5";
    check(&Case {
        plain: "ALTER TABLE orders RENAME COLUMN a TO parent_a;",
        between: &[(&follows.replace("select a", "select a, parent_a"), "0|0")],
        ..COMPOSITE
    });
    // The key is made anew for the column of the other type.
    check(&Case {
        plain: "ALTER TABLE orders ALTER COLUMN a TYPE bigint;",
        between: &[(follows, "0")],
        after: &[("update parents set a = 7 where b = 5; select a from orders where b = 5", "7")],
        moves_columns: true,
        ..COMPOSITE
    });
}

#[test]
fn trap_9_a_key_that_is_always_generated_is_not_written() {
    // The key of `orders` is GENERATED ALWAYS.
    check(&Case { between: &[("select count(*) from orders where status = 'pending'", "20000")], ..RENAME });
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
    check(&Case {
        schema: "CREATE TABLE owners (id int PRIMARY KEY); CREATE TABLE t (id int PRIMARY KEY, owner int NOT NULL REFERENCES owners ON DELETE CASCADE, \
                 u int CONSTRAINT only_one UNIQUE DEFERRABLE, price int DEFAULT 7 CHECK (price > 0));",
        rows: "insert into owners select generate_series(1, 50); insert into t select n, n, n from generate_series(1, 50) n",
        plain: "ALTER TABLE t ALTER COLUMN owner TYPE bigint, ALTER COLUMN u TYPE bigint, ALTER COLUMN price TYPE numeric;",
        between: &[(
            "insert into t (id, owner) values (0, 1); delete from owners where id = 1; select count(*) from t where owner_new = 1",
            "0",
        )],
        moves_columns: true,
        ..Case::NONE
    });
}

#[test]
fn r8_what_hangs_on_a_column_is_carried_over_or_named() {
    check(&Case {
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
        ..Case::NONE
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
        let said = refused::refusal(schema, "alter table t alter column n type bigint;");
        assert!(said.contains("PostgreSQL refuses the plain statement") && said.contains(expected), "{said}");
    }
}

#[test]
fn r13_the_numbers_of_an_identity_go_on_behind_a_wider_key() {
    let Some(server) = servers::postgres() else { return };
    let deployment = expanded(server, &WIDER);
    let insert = "insert into orders (name) values ('x') returning id, pg_typeof(id)";
    assert_eq!(deployment.database.psql(insert), "5001|integer");
    deployment.twostep(&["migrate", "--contract"]).expect(0);
    assert_eq!(deployment.database.psql(insert), "5002|bigint");
    let sequence = "select data_type, last_value from pg_sequences where sequencename = 'orders_id_seq'";
    assert_eq!(deployment.database.psql(sequence), "bigint|5002");
}
