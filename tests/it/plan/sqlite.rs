//! Each operation on SQLite: what its plan leaves, and what works in between.

use super::Case;
use super::others::{Deployment, check, check_against};

const ITEMS: &str = "CREATE TABLE items (id INTEGER PRIMARY KEY, sku TEXT NOT NULL UNIQUE, state TEXT DEFAULT 'new', price INT, weight REAL NOT NULL DEFAULT 1);\nCREATE INDEX items_state ON items (state DESC) WHERE state <> 'old';";
const ROWS: &str = "insert into items (sku, price) with recursive s (i) as (select 1 union all select i + 1 from s where i < 900) \
                    select 'sku ' || i, i from s";

fn items<'a>(plain: &'a str, between: &'a [(&'a str, &'a str)], after: &'a [(&'a str, &'a str)]) -> Case<'a> {
    Case { schema: ITEMS, rows: ROWS, plain, between, after, ..Case::default() }
}

#[track_caller]
fn on_sqlite(case: &Case<'_>) {
    check(&|| None, case);
}

#[test]
fn rename_column() {
    let between = [
        (
            "delete from items where sku like 'old%' or sku like 'new%'; insert into items (sku) values ('old'); select sku, code from items where sku = 'old'",
            "old\told",
        ),
        (
            "insert into items (code) values ('new'); select sku, code from items where sku = 'new'",
            "new\tnew",
        ),
        (
            "update items set code = 'new 2' where code = 'new'; select sku from items where code = 'new 2'",
            "new 2",
        ),
        (
            "update items set sku = 'old 2' where sku = 'old'; select code from items where sku = 'old 2'",
            "old 2",
        ),
        (
            "update items set price = 0 where code = 'new 2'; select sku, code from items where price = 0",
            "new 2\tnew 2",
        ),
        (
            "insert into items (sku) values ('old 2') on conflict (sku) do update set price = 7; select price from items where code = 'old 2'",
            "7",
        ),
        ("select count(*) from items where sku is not code", "0"),
    ];
    let after = [("select count(*) from items where code in ('new 2', 'old 2')", "2")];
    on_sqlite(&items("ALTER TABLE items RENAME COLUMN sku TO code;", &between, &after));
    let deployment = Deployment::new(None, &items("ALTER TABLE items RENAME COLUMN sku TO code;", &[], &[]));
    deployment.plan(&items("ALTER TABLE items RENAME COLUMN sku TO code;", &[], &[]));
    deployment.twostep(&["migrate"]).expect(0);
    let twice = deployment.database.try_sql("insert into items (code) values ('sku 1')").unwrap_err();
    assert!(twice.contains("UNIQUE"), "{twice}");
}

#[test]
fn rename_column_with_a_default() {
    let between = [
        (
            "delete from items where length(sku) = 1; insert into items (sku) values ('a'); select state, status from items where sku = 'a'",
            "new\tnew",
        ),
        (
            "insert into items (sku, state) values ('b', null); select status is null from items where sku = 'b'",
            "1",
        ),
        (
            "insert into items (sku, status) values ('c', null); select state is null from items where sku = 'c'",
            "1",
        ),
        ("insert into items (sku, state) values ('e', 'x'); select status from items where sku = 'e'", "x"),
        ("insert into items (sku, status) values ('f', 'y'); select state from items where sku = 'f'", "y"),
    ];
    on_sqlite(&items("ALTER TABLE items RENAME COLUMN state TO status;", &between, &[]));
    let between = [(
        "update items set weight = 2.5 where sku = 'sku 1'; select mass from items where sku = 'sku 1'",
        "2.5",
    )];
    on_sqlite(&items("ALTER TABLE items RENAME weight TO mass;", &between, &[]));
}

#[test]
fn required_columns() {
    let expected = "CREATE TABLE items (id INTEGER PRIMARY KEY, sku TEXT NOT NULL UNIQUE, state TEXT DEFAULT 'new', price INT, weight REAL NOT NULL DEFAULT 1, amount INT NOT NULL);\nCREATE INDEX items_state ON items (state DESC) WHERE state <> 'old';";
    let between = [(
        "delete from items where sku = 'old'; insert into items (sku) values ('old'); select amount from items where sku = 'old'",
        "3",
    )];
    let after = [("select count(*) from items where amount <> 3", "0")];
    let case = Case {
        fill: Some("items.amount=3"),
        ..items("ALTER TABLE items ADD COLUMN amount INT NOT NULL;", &between, &after)
    };
    check_against(&|| None, &case, expected);
    let expected = expected.replace("amount INT NOT NULL", "label TEXT NOT NULL");
    let between = [(
        "delete from items where sku = 'old'; insert into items (sku) values ('old'); select label from items where sku = 'old'",
        "OLDnew",
    )];
    let case = Case {
        fill: Some("items.label=upper(sku) || coalesce(state, '')"),
        ..items("ALTER TABLE items ADD COLUMN label TEXT NOT NULL;", &between, &[])
    };
    check_against(&|| None, &case, &expected);
}

#[test]
fn what_alter_table_cannot_do() {
    let expected = ITEMS.replace(
        "weight REAL NOT NULL DEFAULT 1",
        "weight REAL NOT NULL DEFAULT 1, made TEXT DEFAULT CURRENT_TIMESTAMP",
    );
    let after =
        [("insert into items (sku) values ('a'); select made is null from items where sku = 'a'", "0")];
    let case = Case {
        single: true,
        ..items("ALTER TABLE items ADD COLUMN made TEXT DEFAULT CURRENT_TIMESTAMP;", &[], &after)
    };
    check_against(&|| None, &case, &expected);
    let expected = ITEMS.replace("price INT", "price INT DEFAULT 3");
    let case =
        Case { single: true, ..items("ALTER TABLE items ALTER COLUMN price SET DEFAULT 3;", &[], &[]) };
    check_against(&|| None, &case, &expected);
    for (plain, was, becomes) in [
        ("ALTER TABLE items ALTER COLUMN price SET NOT NULL;", "price INT", "price INT NOT NULL"),
        ("ALTER TABLE items ALTER COLUMN price SET DATA TYPE TEXT;", "price INT", "price TEXT"),
        ("ALTER TABLE items ALTER COLUMN state DROP DEFAULT;", " DEFAULT 'new'", ""),
        (
            "ALTER TABLE items ADD CONSTRAINT positive CHECK (price > 0);",
            "DEFAULT 1)",
            "DEFAULT 1, CONSTRAINT positive CHECK (price > 0))",
        ),
        ("ALTER TABLE items DROP COLUMN sku;", " sku TEXT NOT NULL UNIQUE,", ""),
    ] {
        let case = Case { moves_copies: true, ..items(plain, &[], &[]) };
        check_against(&|| None, &case, &ITEMS.replacen(was, becomes, 1));
    }
    let case = items(
        "ALTER TABLE items ALTER COLUMN price SET NOT NULL;",
        &[("select count(*) from items where price is null", "0")],
        &[],
    );
    let filled = Case {
        fill: Some("items.price=0"),
        rows: "insert into items (sku, price) values ('a', null), ('b', 1)",
        ..case
    };
    check_against(&|| None, &filled, &ITEMS.replacen("price INT", "price INT NOT NULL", 1));
}

#[test]
fn a_table_that_has_it_all_is_written_anew() {
    let schema = "CREATE TABLE owners (id INTEGER PRIMARY KEY);
        CREATE TABLE \"the Items\" (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT COLLATE NOCASE NOT NULL, owner INT REFERENCES owners (id) ON DELETE CASCADE,
            parent INT, amount REAL CHECK (amount > 0), twice REAL GENERATED ALWAYS AS (amount * 2) VIRTUAL, note ANY,
            CONSTRAINT up FOREIGN KEY (parent) REFERENCES \"the Items\" (id) DEFERRABLE INITIALLY DEFERRED, UNIQUE (owner, name)) STRICT;
        CREATE TABLE parts (item INT REFERENCES \"the Items\", n INT);
        CREATE INDEX lower_names ON \"the Items\" (lower(name), amount DESC) WHERE amount > 1;
        CREATE VIEW seen AS SELECT id, name FROM \"the Items\";
        CREATE TABLE log (n INT);
        CREATE TRIGGER m_log AFTER INSERT ON \"the Items\" BEGIN INSERT INTO log VALUES (NEW.id); END;
        CREATE TRIGGER other AFTER INSERT ON parts BEGIN UPDATE \"the Items\" SET note = 'p' WHERE id = NEW.item; END;";
    let case = Case {
        schema,
        rows: "insert into owners values (1); insert into \"the Items\" (id, name, owner, parent, amount) values (1, 'a', 1, null, 1.5), (90, 'b', 1, 1, 2); delete from \"the Items\" where id = 90; insert into parts values (1, 1); delete from log",
        plain: "ALTER TABLE \"the Items\" ALTER COLUMN amount SET DEFAULT 3;",
        after: &[
            (
                "insert into \"the Items\" (name, owner) values ('c', 1); select id, amount, twice from \"the Items\" where name = 'C'",
                "91\t3.0\t6.0",
            ),
            ("select n from log", "91"),
            ("select count(*) from seen", "2"),
            ("insert into parts values (91, 1); select note from \"the Items\" where id = 91", "p"),
            ("pragma foreign_key_check", ""),
            (
                "pragma foreign_keys = on; delete from parts; delete from owners; select count(*) from \"the Items\"",
                "0",
            ),
        ],
        single: true,
        ..Case::default()
    };
    check_against(
        &|| None,
        &case,
        &schema.replace("amount REAL CHECK (amount > 0)", "amount REAL DEFAULT 3 CHECK (amount > 0)"),
    );
    let schema = "CREATE TABLE pairs (a INT, b TEXT, c INT, PRIMARY KEY (a, b)) WITHOUT ROWID;";
    let case = Case {
        schema,
        rows: "insert into pairs values (1, 'x', 2)",
        plain: "ALTER TABLE pairs RENAME COLUMN c TO d;",
        between: &[(
            "delete from pairs where a = 2; insert into pairs (a, b, d) values (2, 'y', 5); select c from pairs where a = 2",
            "5",
        )],
        ..Case::default()
    };
    on_sqlite(&case);
    let case = Case {
        schema: "CREATE TABLE logs (line TEXT);",
        rows: "insert into logs (rowid, line) values (7, 'x')",
        plain: "ALTER TABLE logs ALTER line SET DEFAULT 'y';",
        after: &[("select rowid from logs", "7")],
        single: true,
        ..Case::default()
    };
    check_against(&|| None, &case, "CREATE TABLE logs (line TEXT DEFAULT 'y');");
}

#[test]
fn drops_and_indexes() {
    let case = Case {
        one_way: true,
        ..items(
            "ALTER TABLE items DROP COLUMN price; DROP INDEX items_state;",
            &[("insert into items (sku) values ('x'); select count(price) from items", "900")],
            &[],
        )
    };
    on_sqlite(&case);
    let plain_down = "CREATE TABLE items (id INTEGER PRIMARY KEY, sku TEXT NOT NULL UNIQUE, state TEXT DEFAULT 'new', price INT, weight REAL NOT NULL DEFAULT 1);\nCREATE INDEX items_state ON items (state DESC) WHERE state <> 'old';";
    on_sqlite(&Case { plain_down, one_way: true, ..items("DROP TABLE items;", &[], &[]) });
    on_sqlite(&Case {
        single: true,
        ..items(
            "CREATE INDEX by_price ON items (price); ALTER TABLE items ADD COLUMN more TEXT; CREATE TABLE others (id INTEGER PRIMARY KEY);",
            &[],
            &[],
        )
    });
    on_sqlite(&items("CREATE UNIQUE INDEX by_price ON items (price);", &[], &[]));
}

#[test]
fn what_has_no_two_steps_is_refused() {
    let refused = |plain: &str| {
        let case = Case { schema: ITEMS, plain, ..Case::default() };
        Deployment::new(None, &case).twostep(&["plan"]).expect(1).stderr
    };
    let by_hand = "CREATE TABLE fresh (id INTEGER PRIMARY KEY); INSERT INTO fresh SELECT id FROM items; DROP TABLE items; ALTER TABLE fresh RENAME TO items;";
    assert!(refused(by_hand).contains("`items` is changed a second time"));
    assert!(refused("ALTER TABLE items RENAME TO goods;").contains("cannot have two names"));
    assert!(refused("ALTER TABLE items RENAME COLUMN id TO no;").contains("in the primary key"));
    assert!(refused("ALTER TABLE items ADD COLUMN a INT NOT NULL;").contains("--fill \"items.a=…\""));
    assert!(refused("ALTER TABLE items DROP COLUMN id;").contains("primary key"));
}
