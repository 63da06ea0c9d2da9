//! The catalog of SQLite.

use super::{Connection, assert_each_is_seen, assert_fixture, assert_none_is_seen, fixture};
use twostep::name::{Name, TableName};
use twostep::schema::catalog::{CatalogOptions, diff};

/// A database that holds every kind of object. It is gone with the folder.
fn everything() -> (tempfile::TempDir, Connection) {
    let (folder, mut connection) = empty();
    connection.run(&fixture("sqlite.sql"));
    (folder, connection)
}

fn empty() -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("catalog.db").display());
    (folder, Connection::open(&url))
}

#[test]
fn the_text_has_every_object() {
    let (_folder, mut connection) = everything();
    assert_fixture("sqlite.dump", &connection.text());
}

#[test]
fn spelling_does_not_matter() {
    let (_one, mut one) = empty();
    one.run(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE REFERENCES u (name)); \
         CREATE INDEX i ON t (name) WHERE name IN (1, 2); CREATE VIEW v AS SELECT id FROM t",
    );
    let (_other, mut other) = empty();
    other.run(
        "create view V as  select \"id\" from [T]; drop view V; \
         create table \"t\" ( /* a comment */ `id` integer, \"name\" text, \n foreign key(name) references \"u\"(\"name\"), \
         unique (name), primary key(id) ); \
         create index I on T(\"name\") where name in(1,2); drop index I; \
         create index i on T(\"name\") where name in(1,2); create view v as select id /* x */ from \"T\"",
    );
    assert_eq!(other.text(), one.text());
}

/// SQLite's own edits of its texts: quotes come and go, a column is appended.
#[test]
fn what_alter_table_takes_back_is_gone() {
    let (_folder, mut connection) = everything();
    assert_each_is_seen(
        &mut connection,
        &[
            ("ALTER TABLE author RENAME TO writer", "ALTER TABLE writer RENAME TO author"),
            (
                "ALTER TABLE author RENAME COLUMN name TO title",
                "ALTER TABLE author RENAME COLUMN title TO name",
            ),
            (
                "ALTER TABLE author RENAME COLUMN \"Two Words\" TO two",
                "ALTER TABLE author RENAME COLUMN two TO \"Two Words\"",
            ),
            (
                "ALTER TABLE author ADD COLUMN more TEXT NOT NULL DEFAULT 'x'",
                "ALTER TABLE author DROP COLUMN more",
            ),
            (
                "ALTER TABLE exact ADD COLUMN more INTEGER REFERENCES author CHECK (more > 1)",
                "ALTER TABLE exact DROP COLUMN more",
            ),
        ],
    );
}

#[test]
fn every_attribute_is_seen() {
    let (_folder, mut connection) = empty();
    for definition in TABLES {
        let (before, after) = (definition.replace(['{', '}'], ""), without(definition));
        connection.run(&format!("CREATE TABLE t {before}"));
        let change = format!("DROP TABLE t; CREATE TABLE t {after}");
        let inverse = format!("DROP TABLE t; CREATE TABLE t {before}");
        assert_each_is_seen(&mut connection, &[(&change, &inverse)]);
        connection.run("DROP TABLE t");
    }
    let (_folder, mut connection) = everything();
    assert_each_is_seen(&mut connection, OTHERS);
}

/// `definition` without what it has between braces.
fn without(definition: &str) -> String {
    let (start, rest) = definition.split_once('{').unwrap();
    format!("{start}{}", rest.split_once('}').unwrap().1)
}

#[test]
fn data_is_no_part_of_the_schema() {
    let (_folder, mut connection) = everything();
    assert_none_is_seen(
        &mut connection,
        &[
            "INSERT INTO author (name) VALUES ('y')",
            "ANALYZE",
            "VACUUM",
            "REINDEX",
            "DELETE FROM author",
            "PRAGMA user_version = 7",
        ],
    );
}

#[test]
fn column_order_is_a_class_of_its_own() {
    let (_folder, mut connection) = everything();
    let before = connection.catalog();
    connection.run("DROP TABLE exact");
    connection.run(
        "CREATE TABLE exact (name TEXT UNIQUE, id INTEGER PRIMARY KEY, FOREIGN KEY (id) REFERENCES exact (id)) STRICT",
    );
    let found = diff::diff(&before, &connection.catalog());
    assert!(found.is_column_order_only(), "{}", found.unified("before", "after", 1));
}

#[test]
fn what_is_left_out_leaves_no_trace() {
    let (_folder, mut connection) = everything();
    let before = connection.catalog();
    let options = CatalogOptions {
        excluded_tables: vec![TableName::bare(Name::new("exact"))],
        ..CatalogOptions::default()
    };
    let found = diff::diff(&before, &connection.catalog_with(&options));
    assert_eq!(found.missing(), ["table exact"]);
    connection.run(
        "CREATE INDEX more ON exact (name); CREATE TRIGGER more AFTER DELETE ON exact BEGIN SELECT 1; END",
    );
    assert!(diff::diff(&before, &connection.catalog_with(&options)).missing() == ["table exact"]);
}

/// Tables with one attribute between braces.
const TABLES: &[&str] = &[
    "(a {INTEGER})",
    "(a INTEGER{, b})",
    "(a TEXT { NOT NULL})",
    "(a TEXT NOT NULL{ ON CONFLICT IGNORE})",
    "(a TEXT {DEFAULT 1})",
    "(a TEXT DEFAULT {-}1)",
    "(a TEXT DEFAULT ('x'{ || 'y'}))",
    "(a TEXT {COLLATE NOCASE})",
    "(a INTEGER {PRIMARY KEY})",
    "(a INTEGER PRIMARY KEY {AUTOINCREMENT})",
    "(a INTEGER PRIMARY KEY {DESC})",
    "(a, b, PRIMARY KEY (a{, b}))",
    "(a, b, PRIMARY KEY (a {DESC}))",
    "(a, b, PRIMARY KEY (a){ ON CONFLICT FAIL})",
    "(a {UNIQUE})",
    "(a UNIQUE {ON CONFLICT FAIL})",
    "(a, b, UNIQUE (a{, b}))",
    "(a, {CONSTRAINT c} UNIQUE (a))",
    "(a {CHECK (a > 1)})",
    "(a CHECK (a > 1{0}))",
    "(a, CHECK (a > '{X}'))",
    "(a {REFERENCES u})",
    "(a REFERENCES u{ (x)})",
    "(a REFERENCES u {ON DELETE CASCADE})",
    "(a REFERENCES u {ON UPDATE SET NULL})",
    "(a REFERENCES u {DEFERRABLE INITIALLY DEFERRED})",
    "(a, b{, FOREIGN KEY (a, b) REFERENCES u (x, y)})",
    "(a, b{ AS (a + 1)})",
    "(a, b AS (a + 1) {STORED})",
    "(a PRIMARY KEY) {WITHOUT ROWID}",
    "(a TEXT) {STRICT}",
];

/// Changes of what is no table, each with its inverse.
const OTHERS: &[(&str, &str)] = &[
    ("CREATE TABLE more (id INTEGER)", "DROP TABLE more"),
    ("CREATE INDEX more ON author (name)", "DROP INDEX more"),
    (
        "DROP INDEX \"Odd Name\"; CREATE INDEX \"Odd Name\" ON book (price)",
        "DROP INDEX \"Odd Name\"; CREATE UNIQUE INDEX \"Odd Name\" ON book (price)",
    ),
    (
        "DROP INDEX \"Odd Name\"; CREATE UNIQUE INDEX \"Odd Name\" ON book (price DESC)",
        "DROP INDEX \"Odd Name\"; CREATE UNIQUE INDEX \"Odd Name\" ON book (price)",
    ),
    (
        "DROP INDEX \"Odd Name\"; CREATE UNIQUE INDEX \"Odd Name\" ON book (price) WHERE price > 1",
        "DROP INDEX \"Odd Name\"; CREATE UNIQUE INDEX \"Odd Name\" ON book (price)",
    ),
    ("CREATE VIEW more AS SELECT 1", "DROP VIEW more"),
    (
        "DROP VIEW cheap; CREATE VIEW cheap AS SELECT 1",
        "DROP VIEW cheap; CREATE VIEW cheap (isbn, author) AS SELECT b.isbn, a.name FROM book AS b LEFT JOIN author AS a ON a.id = b.author_id WHERE b.price < 10 ORDER BY 1; CREATE TRIGGER cheap_insert INSTEAD OF INSERT ON cheap BEGIN SELECT RAISE(ABORT, 'no'); END",
    ),
    (
        "DROP TRIGGER cheap_insert",
        "CREATE TRIGGER cheap_insert INSTEAD OF INSERT ON cheap BEGIN SELECT RAISE(ABORT, 'no'); END",
    ),
    (
        "DROP TRIGGER cheap_insert; CREATE TRIGGER cheap_insert INSTEAD OF INSERT ON cheap BEGIN SELECT RAISE(ABORT, 'No'); END",
        "DROP TRIGGER cheap_insert; CREATE TRIGGER cheap_insert INSTEAD OF INSERT ON cheap BEGIN SELECT RAISE(ABORT, 'no'); END",
    ),
    ("CREATE VIRTUAL TABLE more USING fts5(a)", "DROP TABLE more"),
    ("DROP TABLE search", "CREATE VIRTUAL TABLE search USING fts5(title, body, tokenize = 'porter ascii')"),
];
