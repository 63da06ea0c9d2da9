//! The catalog of MariaDB.

use super::{Connection, assert_each_is_seen, assert_fixture, assert_none_is_seen, fixture};
use crate::servers::{self, mariadb::Database};
use twostep::name::{Name, TableName};
use twostep::schema::catalog::{CatalogOptions, diff};

/// Not where the tests run against MySQL.
fn maria() -> Option<&'static servers::MariaDb> {
    servers::mariadb().filter(|server| !server.is_mysql())
}

/// A database that holds every kind of object.
fn everything(server: &servers::MariaDb) -> (Database<'_>, Connection) {
    let database = server.fresh_database();
    database.mysql("ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
    database.mysql(&fixture("mariadb.sql"));
    let connection = Connection::open(&database.url());
    (database, connection)
}

#[test]
fn the_text_has_every_object_and_not_the_name_of_the_database() {
    let Some(server) = maria() else { return };
    let (one, mut connection) = everything(server);
    let text = connection.text();
    assert_fixture("mariadb.dump", &text);
    assert!(!text.contains(&one.name), "{text}");
    let (_other, mut connection) = everything(server);
    assert_eq!(connection.text(), text);
    connection.run("SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES', time_zone = '+09:00'");
    assert_eq!(connection.text(), text);
    assert!(connection.value("SELECT @@sql_mode").contains("ANSI_QUOTES"));
    assert_eq!(connection.value("SELECT @@time_zone"), "+09:00");
}

#[test]
fn data_is_no_part_of_the_schema() {
    let Some(server) = maria() else { return };
    let (_database, mut connection) = everything(server);
    assert_none_is_seen(
        &mut connection,
        &[
            "INSERT INTO author (name, place, token) VALUES ('x', POINT(1, 1), 'x')",
            "ALTER TABLE author AUTO_INCREMENT = 1000",
            "SELECT NEXTVAL(counter)",
            "ANALYZE TABLE author",
            "TRUNCATE TABLE event",
            "CREATE TEMPORARY TABLE t (id INT)",
        ],
    );
}

#[test]
fn what_is_left_out_leaves_no_trace() {
    let Some(server) = maria() else { return };
    let (_database, mut connection) = everything(server);
    let excluded_tables = vec![TableName::bare(Name::new("history"))];
    let options = CatalogOptions { excluded_tables, ..CatalogOptions::default() };
    let found = diff::diff(&connection.catalog(), &connection.catalog_with(&options));
    assert_eq!(found.missing(), ["table history"]);
    assert_eq!(found.objects.len(), 1);
}

#[test]
fn column_order_is_a_class_of_its_own() {
    let Some(server) = maria() else { return };
    let (_database, mut connection) = everything(server);
    let before = connection.catalog();
    connection.run("ALTER TABLE author MODIFY COLUMN flags SET('a', 'b') FIRST");
    let found = diff::diff(&before, &connection.catalog());
    assert!(found.is_column_order_only(), "{}", found.unified("before", "after", 1));
}

#[test]
fn every_attribute_is_seen() {
    let Some(server) = maria() else { return };
    let (_database, mut connection) = everything(server);
    assert_each_is_seen(&mut connection, TABLES);
    assert_each_is_seen(&mut connection, OTHERS);
}

/// Changes of tables, each with its inverse.
const TABLES: &[(&str, &str)] = &[
    ("CREATE TABLE more (id INT)", "DROP TABLE more"),
    ("RENAME TABLE history TO past", "RENAME TABLE past TO history"),
    ("ALTER TABLE book ENGINE = InnoDB COLLATE utf8mb4_general_ci", "ALTER TABLE book COLLATE utf8mb4_bin"),
    ("ALTER TABLE history DROP SYSTEM VERSIONING", "ALTER TABLE history ADD SYSTEM VERSIONING"),
    ("ALTER TABLE book COMMENT = 'x'", "ALTER TABLE book COMMENT = ''"),
    ("ALTER TABLE book ROW_FORMAT = COMPACT", "ALTER TABLE book ROW_FORMAT = DEFAULT"),
    ("ALTER TABLE book ADD COLUMN more INT", "ALTER TABLE book DROP COLUMN more"),
    ("ALTER TABLE author MODIFY flags SET('a', 'b', 'c')", "ALTER TABLE author MODIFY flags SET('a', 'b')"),
    (
        "ALTER TABLE author MODIFY flags SET('a', 'b') NOT NULL",
        "ALTER TABLE author MODIFY flags SET('a', 'b')",
    ),
    (
        "ALTER TABLE author MODIFY flags SET('a', 'b') DEFAULT 'a'",
        "ALTER TABLE author MODIFY flags SET('a', 'b')",
    ),
    (
        "ALTER TABLE author MODIFY flags SET('a', 'b') COMMENT 'x'",
        "ALTER TABLE author MODIFY flags SET('a', 'b')",
    ),
    (
        "ALTER TABLE author MODIFY flags SET('a', 'b') INVISIBLE",
        "ALTER TABLE author MODIFY flags SET('a', 'b')",
    ),
    (
        "ALTER TABLE author MODIFY flags SET('a', 'b') COLLATE utf8mb4_bin",
        "ALTER TABLE author MODIFY flags SET('a', 'b')",
    ),
    (
        "ALTER TABLE author MODIFY id BIGINT UNSIGNED NOT NULL",
        "ALTER TABLE author MODIFY id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT",
    ),
    ("ALTER TABLE author ALTER ratio SET DEFAULT 1", "ALTER TABLE author ALTER ratio SET DEFAULT -0.50"),
    (
        "ALTER TABLE author MODIFY seen TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)",
        "ALTER TABLE author MODIFY seen TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)",
    ),
    (
        "ALTER TABLE author MODIFY shout VARCHAR(100) AS (lower(name)) VIRTUAL",
        "ALTER TABLE author MODIFY shout VARCHAR(100) AS (upper(name)) VIRTUAL",
    ),
    ("CREATE INDEX more ON book (part)", "DROP INDEX more ON book"),
    (
        "ALTER TABLE author DROP KEY author_name, ADD KEY author_name (name, code)",
        "ALTER TABLE author DROP KEY author_name, ADD UNIQUE KEY author_name (name, code)",
    ),
    (
        "ALTER TABLE author ALTER INDEX author_unused NOT IGNORED",
        "ALTER TABLE author ALTER INDEX author_unused IGNORED",
    ),
    (
        "ALTER TABLE author DROP KEY author_prefix, ADD KEY author_prefix (name(11), ratio DESC) COMMENT 'For the search'",
        "ALTER TABLE author DROP KEY author_prefix, ADD KEY author_prefix (name(10), ratio DESC) COMMENT 'For the search'",
    ),
    (
        "ALTER TABLE book DROP PRIMARY KEY, ADD PRIMARY KEY (part, isbn)",
        "ALTER TABLE book DROP PRIMARY KEY, ADD PRIMARY KEY (isbn, part)",
    ),
    (
        "ALTER TABLE book DROP FOREIGN KEY book_author",
        "ALTER TABLE book ADD CONSTRAINT book_author FOREIGN KEY (author_id) REFERENCES author (id) ON DELETE CASCADE ON UPDATE SET NULL",
    ),
    (
        "ALTER TABLE author DROP CONSTRAINT ratio_small",
        "ALTER TABLE author ADD CONSTRAINT ratio_small CHECK (ratio < 10)",
    ),
    (
        "ALTER TABLE event REORGANIZE PARTITION early, rest INTO (PARTITION early VALUES LESS THAN (2021), PARTITION rest VALUES LESS THAN MAXVALUE)",
        "ALTER TABLE event REORGANIZE PARTITION early, rest INTO (PARTITION early VALUES LESS THAN (2020), PARTITION rest VALUES LESS THAN MAXVALUE)",
    ),
];

/// Changes of what is no table, each with its inverse.
const OTHERS: &[(&str, &str)] = &[
    ("ALTER DATABASE COLLATE utf8mb4_general_ci", "ALTER DATABASE COLLATE utf8mb4_bin"),
    (
        "CREATE OR REPLACE VIEW numbered AS SELECT isbn, part FROM book WHERE part > 1",
        "CREATE OR REPLACE VIEW numbered AS SELECT isbn, part FROM book WHERE part > 1 WITH CASCADED CHECK OPTION",
    ),
    ("ALTER SEQUENCE counter CACHE 6", "ALTER SEQUENCE counter CACHE 5"),
    ("ALTER SEQUENCE counter NOCYCLE", "ALTER SEQUENCE counter CYCLE"),
    (
        "DROP TRIGGER author_second",
        "CREATE TRIGGER author_second BEFORE INSERT ON author FOR EACH ROW SET NEW.score = 1",
    ),
    (
        "DROP TRIGGER author_insert; CREATE TRIGGER author_insert BEFORE INSERT ON author FOR EACH ROW SET NEW.name = trim(NEW.name)",
        "DROP TRIGGER author_second; CREATE TRIGGER author_second BEFORE INSERT ON author FOR EACH ROW SET NEW.score = 1",
    ),
    ("ALTER FUNCTION plus_one COMMENT 'x'", "ALTER FUNCTION plus_one COMMENT 'Sums up'"),
    ("ALTER PROCEDURE tidy READS SQL DATA", "ALTER PROCEDURE tidy MODIFIES SQL DATA"),
    ("ALTER PROCEDURE tidy SQL SECURITY DEFINER", "ALTER PROCEDURE tidy SQL SECURITY INVOKER"),
    (
        "CREATE OR REPLACE PROCEDURE tidy(INOUT a INT, OUT b INT) SQL SECURITY INVOKER MODIFIES SQL DATA SET b = a",
        "CREATE OR REPLACE PROCEDURE tidy(IN a INT, OUT b INT) SQL SECURITY INVOKER MODIFIES SQL DATA SET b = a",
    ),
    ("ALTER EVENT nightly ON SCHEDULE EVERY 2 DAY", "ALTER EVENT nightly ON SCHEDULE EVERY 1 DAY"),
    ("ALTER EVENT nightly ON COMPLETION NOT PRESERVE", "ALTER EVENT nightly ON COMPLETION PRESERVE"),
    ("ALTER EVENT nightly DO DELETE FROM author", "ALTER EVENT nightly DO DELETE FROM book"),
];
