//! Several changes of one thing in one migration, and what stands over several things that it changes.

use super::{Case, Deployment, check};
use crate::servers;

#[test]
fn several_changes_of_one_column() {
    check(&Case {
        schema: "CREATE TABLE owners (name text PRIMARY KEY); CREATE TABLE items (id int PRIMARY KEY, a text, n int);",
        rows: "insert into owners select 'a' || n from generate_series(1, 2000) n; insert into items select n, 'a' || n, n from generate_series(1, 2000) n",
        plain: "ALTER TABLE items RENAME COLUMN a TO x; CREATE INDEX items_x ON items (x); ALTER TABLE items ADD FOREIGN KEY (x) REFERENCES owners;
            ALTER TABLE items ALTER COLUMN x SET NOT NULL; CREATE VIEW whose AS SELECT x FROM items;",
        between: &[
            ("insert into items (id, a) values (0, 'a1'); select x from items where id = 0", "a1"),
            ("insert into items (id, x) values (-1, 'a2'); select a from items where id = -1", "a2"),
        ],
        ..Case::default()
    });
    check(&Case {
        schema: "CREATE TABLE items (id int PRIMARY KEY, a varchar(5), n int DEFAULT 3);",
        rows: "insert into items select n, n, n from generate_series(1, 2000) n",
        plain: "ALTER TABLE items RENAME COLUMN n TO m; ALTER TABLE items ALTER COLUMN m TYPE bigint; ALTER TABLE items ALTER COLUMN m SET DEFAULT 4;
            ALTER TABLE items ALTER COLUMN m SET NOT NULL; ALTER TABLE items ADD CHECK (m > 0);",
        between: &[
            ("insert into items (id) values (0); select m from items where id = 0", "3"),
            ("update items set m = 7 where id = 0; select n from items where id = 0", "7"),
        ],
        after: &[("select pg_typeof(m), m from items where id = 0", "bigint|7")],
        moves_columns: true,
        moves_copies: true,
        ..Case::default()
    });
}

/// A way back leaves the label, so that it is there when the first step comes again.
#[test]
fn a_label_beside_a_change_that_takes_two_steps() {
    let Some(server) = servers::postgres() else { return };
    let case = Case {
        schema: "CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE items (id int PRIMARY KEY, a text);",
        plain: "ALTER TYPE mood ADD VALUE 'bad' BEFORE 'ok'; ALTER TABLE items RENAME COLUMN a TO x;",
        ..Case::default()
    };
    let deployment = Deployment::new(server, &case);
    deployment.plan(&case);
    deployment.twostep(&["migrate"]).expect(0);
    deployment.twostep(&["rollback", "--run", "2"]).expect(0);
    deployment.twostep(&["migrate"]).expect(0);
    deployment.twostep(&["migrate", "--contract", "a test"]).expect(0);
    assert_eq!(deployment.database.psql("select enum_range(null::mood)"), "{bad,ok}");
}

#[test]
fn what_is_said_of_a_renamed_column_stays_with_it() {
    check(&Case {
        schema: "CREATE TABLE items (id int PRIMARY KEY, a text); COMMENT ON COLUMN items.a IS 'old';",
        plain: "ALTER TABLE items RENAME COLUMN a TO x; COMMENT ON COLUMN items.x IS 'whose';",
        ..Case::default()
    });
}

#[test]
fn an_index_over_two_renamed_columns_and_its_way_back() {
    check(&Case {
        schema: "CREATE TABLE items (id int PRIMARY KEY, a text, b text, c text, n int);
            CREATE UNIQUE INDEX items_ab ON items (a, lower(b) DESC) INCLUDE (n) WHERE c <> 'x'; CREATE INDEX items_cb ON items (c, b);",
        rows: "insert into items select n, 'a' || n, 'b' || n, 'c', n from generate_series(1, 2000) n",
        plain: "ALTER TABLE items RENAME COLUMN a TO x; ALTER TABLE items RENAME COLUMN b TO y; ALTER TABLE items RENAME COLUMN c TO z;",
        between: &[
            ("insert into items (id, a, b) values (0, 'a1', 'old'); select x, y from items where id = 0", "a1|old"),
            ("insert into items (id, x, y) values (-1, 'a2', 'new'); select a, b from items where id = -1", "a2|new"),
        ],
        moves_copies: true,
        ..Case::default()
    });
}

#[test]
fn a_migration_that_takes_the_steps_itself() {
    let case = Case {
        schema: "CREATE TABLE owners (id int PRIMARY KEY); CREATE TABLE items (id int PRIMARY KEY, a text, owner int, n int); CREATE UNIQUE INDEX items_n ON items (n);",
        rows: "insert into owners values (1); insert into items select n, 'a' || n, 1, n from generate_series(1, 2000) n",
        between: &[
            (
                "insert into items (id, a, owner) values (0, 'old', 9); select owner from items where id = 0",
                "9",
            ),
            ("delete from items where id = 0; select count(*) from items", "2000"),
        ],
        ..Case::default()
    };
    check(&Case {
        plain: "ALTER TABLE items ADD CONSTRAINT positive CHECK (n > 0) NOT VALID; ALTER TABLE items VALIDATE CONSTRAINT positive;
            ALTER TABLE items ADD CONSTRAINT whose FOREIGN KEY (owner) REFERENCES owners NOT VALID; ALTER TABLE items VALIDATE CONSTRAINT whose;",
        ..case
    });
    check(&Case {
        plain: "CREATE UNIQUE INDEX items_a ON items (a); ALTER TABLE items ADD CONSTRAINT items_a UNIQUE USING INDEX items_a;
            ALTER TABLE items ADD CONSTRAINT items_n UNIQUE USING INDEX items_n;",
        ..case
    });
}

#[test]
fn an_index_that_is_made_anew_under_its_name() {
    let schema = "CREATE SCHEMA shop; CREATE TABLE shop.items (id int PRIMARY KEY, a text, b text); CREATE INDEX \"items A\" ON shop.items (a);";
    let rows = "insert into shop.items select n, 'a' || n, 'b' || n from generate_series(1, 2000) n";
    let indexes = "select count(*) filter (where not indisvalid), count(*) from pg_index where indrelid = 'shop.items'::regclass";
    check(&Case {
        schema,
        rows,
        plain: "DROP INDEX shop.\"items A\"; CREATE INDEX \"items A\" ON shop.items (a, b) WITH (fillfactor = 80);",
        between: &[(indexes, "0|3")],
        after: &[(indexes, "0|2")],
        ..Case::default()
    });
    check(&Case {
        schema,
        rows,
        plain: "DROP INDEX shop.\"items A\"; CREATE UNIQUE INDEX \"items A\" ON shop.items (a);",
        between: &[(indexes, "0|2")],
        after: &[
            (indexes, "0|2"),
            ("select indisunique from pg_index where indexrelid = 'shop.\"items A\"'::regclass", "t"),
        ],
        ..Case::default()
    });
}

#[test]
fn a_table_and_its_columns_renamed_at_once() {
    check(&Case {
        schema: "CREATE TABLE items (id int PRIMARY KEY, a text, b text, n int); CREATE UNIQUE INDEX items_ab ON items (a, lower(b)) INCLUDE (n);",
        rows: "insert into items select n, 'a' || n, 'b' || n, n from generate_series(1, 2000) n",
        plain: "ALTER TABLE items RENAME TO goods; ALTER TABLE goods RENAME COLUMN a TO x; ALTER TABLE goods RENAME COLUMN b TO y;
            CREATE INDEX goods_x ON goods (x); ALTER TABLE goods ALTER COLUMN y SET NOT NULL; ALTER TABLE goods ALTER COLUMN n TYPE bigint;
            DROP INDEX items_ab; CREATE UNIQUE INDEX items_ab ON goods (x, y);",
        between: &[
            ("insert into items (id, a, b) values (0, 'a1', 'old'); select x, y from goods where id = 0", "a1|old"),
            ("insert into goods (id, x, y) values (-1, 'a2', 'new'); select a, b from items where id = -1", "a2|new"),
        ],
        moves_columns: true,
        moves_copies: true,
        ..Case::default()
    });
}
