//! The table's own triggers fire for each row that is filled: what they make of the row is taken back, and those that ask
//! do nothing beyond it.

use super::{Case, check};

const ITEMS: Case<'static> = Case {
    schema: "CREATE TABLE audit (id int, what text);
        CREATE TABLE items (id int PRIMARY KEY, a text, n int, \"Version\" int NOT NULL DEFAULT 1, seen text);
        CREATE FUNCTION bump() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.\"Version\" := OLD.\"Version\" + 1; NEW.seen = upper(NEW.seen); RETURN NEW; END $$;
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit VALUES (NEW.id, TG_OP); RETURN NULL; END $$;
        CREATE TRIGGER bump BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION bump();
        CREATE TRIGGER note AFTER UPDATE ON items FOR EACH ROW WHEN (current_setting('twostep.backfill', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION note();",
    rows: "insert into items (id, a, n, seen) select n, 'a' || n, n, 'low' from generate_series(1, 2500) n",
    ..Case::NONE
};

const BETWEEN: [(&str, &str); 3] = [
    ("select distinct \"Version\", seen from items", "1|low"),
    ("select count(*) from audit", "0"),
    (
        "update items set n = -1 where id = 1; select \"Version\", seen, (select count(*) from audit) from items where id = 1",
        "2|LOW|1",
    ),
];

#[test]
fn a_rename_leaves_rows_as_they_were() {
    check(&Case {
        plain: "ALTER TABLE items RENAME COLUMN a TO x; ALTER TABLE items RENAME COLUMN n TO m;",
        between: &BETWEEN,
        moves_copies: true,
        ..ITEMS
    });
}

#[test]
fn a_change_of_type_leaves_rows_as_they_were() {
    check(&Case {
        plain: "ALTER TABLE items ALTER COLUMN n TYPE bigint;",
        between: &BETWEEN,
        moves_columns: true,
        ..ITEMS
    });
}
