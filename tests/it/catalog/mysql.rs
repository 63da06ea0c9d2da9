//! The catalog of MySQL, where `TWOSTEP_MYSQL_PORT` names one (`scripts/test --matrix` does): no distribution that the
//! tests run on has it.

use super::{Connection, assert_each_is_seen, assert_fixture, fixture};
use crate::servers;

#[test]
fn mysql_has_its_own_kinds_of_objects() {
    let Some(server) = servers::mariadb().filter(|server| server.is_mysql()) else { return };
    let database = server.fresh_database();
    database.mysql("ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
    database.mysql(&fixture("mysql.sql"));
    let mut connection = Connection::open(&database.url());
    let text = connection.text();
    assert_fixture("mysql.dump", &text);
    assert!(!text.contains(&database.name), "{text}");
    assert_each_is_seen(&mut connection, CHANGES);
}

/// Changes of what MariaDB has not or has in another way, each with its inverse.
const CHANGES: &[(&str, &str)] = &[
    (
        "ALTER TABLE author DROP KEY author_place; ALTER TABLE author MODIFY place POINT NOT NULL",
        "ALTER TABLE author MODIFY place POINT NOT NULL SRID 4326; ALTER TABLE author ADD SPATIAL KEY author_place (place)",
    ),
    (
        "ALTER TABLE author ALTER INDEX author_unused VISIBLE",
        "ALTER TABLE author ALTER INDEX author_unused INVISIBLE",
    ),
    (
        "ALTER TABLE author ALTER CHECK ratio_large ENFORCED",
        "ALTER TABLE author ALTER CHECK ratio_large NOT ENFORCED",
    ),
    (
        "ALTER TABLE author DROP KEY author_upper, ADD KEY author_upper ((lower(name)))",
        "ALTER TABLE author DROP KEY author_upper, ADD KEY author_upper ((upper(name)))",
    ),
    (
        "ALTER TABLE author MODIFY token VARBINARY(36) DEFAULT (upper(uuid()))",
        "ALTER TABLE author MODIFY token VARBINARY(36) DEFAULT (uuid())",
    ),
    (
        "ALTER TABLE author MODIFY flags SET('a', 'b') INVISIBLE",
        "ALTER TABLE author MODIFY flags SET('a', 'b')",
    ),
    (
        "ALTER TABLE author DROP CHECK ratio_small",
        "ALTER TABLE author ADD CONSTRAINT ratio_small CHECK (ratio < 10)",
    ),
    (
        "ALTER TABLE author MODIFY shout VARCHAR(100) AS (lower(name)) VIRTUAL",
        "ALTER TABLE author MODIFY shout VARCHAR(100) AS (upper(name)) VIRTUAL",
    ),
    (
        "DROP PROCEDURE tidy; CREATE PROCEDURE tidy(INOUT a INT, OUT b INT) SQL SECURITY INVOKER MODIFIES SQL DATA SET b = a",
        "DROP PROCEDURE tidy; CREATE PROCEDURE tidy(IN a INT, OUT b INT) SQL SECURITY INVOKER MODIFIES SQL DATA SET b = a",
    ),
    ("ALTER EVENT nightly ON SCHEDULE EVERY 2 DAY", "ALTER EVENT nightly ON SCHEDULE EVERY 1 DAY"),
];
