//! The catalog of PostgreSQL.

use super::{Connection, assert_each_is_seen, assert_fixture, assert_none_is_seen, fixture};
use crate::servers::{self, postgres::Database};
use twostep::name::{Name, TableName};
use twostep::schema::catalog::{CatalogKind, CatalogOptions, diff};

/// A database that holds every kind of object.
fn everything(server: &servers::Postgres) -> (Database<'_>, Connection) {
    let database = server.fresh_database();
    database.psql(&fixture("postgres.sql"));
    let connection = Connection::open(&database.url());
    (database, connection)
}

#[test]
fn the_text_has_every_object_and_is_the_same_on_every_version() {
    let Some(server) = servers::postgres() else { return };
    let (_database, mut connection) = everything(server);
    let catalog = connection.catalog();
    assert_fixture("postgres.dump", &catalog.to_text());
    let kinds: std::collections::BTreeSet<CatalogKind> = catalog.objects.keys().map(|key| key.kind).collect();
    use CatalogKind::*;
    let missing: Vec<&str> =
        CatalogKind::all().filter(|kind| !kinds.contains(kind)).map(|kind| kind.title()).collect();
    // Other engines have them; extensions and subscriptions have tests of their own.
    assert_eq!(missing, [VirtualTable, Event, Subscription, MemberPrivileges].map(CatalogKind::title));
}

#[test]
fn the_text_depends_on_nothing_but_the_schema() {
    let Some(server) = servers::postgres() else { return };
    let (_one, mut connection) = everything(server);
    let text = connection.text();

    // Other ids, another order of the rows inside, and dropped columns.
    let other = server.fresh_database();
    other.psql("CREATE TABLE noise (a serial PRIMARY KEY, b text); DROP TABLE noise; CREATE TYPE noise AS ENUM ('a'); DROP TYPE noise");
    other.psql(&fixture("postgres.sql"));
    other.psql(
        "ALTER TABLE app.book ADD COLUMN noise text; ALTER TABLE app.book DROP COLUMN noise; \
         ALTER TABLE app.base RENAME TO noise; ALTER TABLE app.noise RENAME TO base",
    );
    other.psql("VACUUM FULL pg_catalog.pg_class");
    other.psql("VACUUM FULL pg_catalog.pg_constraint");
    let mut connection = Connection::open(&other.url());
    assert_eq!(connection.text(), text);

    // Other settings of the session, which stay as they are.
    connection.run(
        "SET search_path = app; SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'; \
         SET IntervalStyle = 'iso_8601'; SET extra_float_digits = 0; SET bytea_output = 'escape'; \
         SET quote_all_identifiers = on; SET standard_conforming_strings = off",
    );
    assert_eq!(connection.text(), text);
    assert_eq!(connection.value("SHOW search_path"), "app");
    assert_eq!(connection.value("SHOW TimeZone"), "Asia/Tokyo");
    connection.run("BEGIN; SET LOCAL search_path = public; SET LOCAL DateStyle = 'SQL'");
    assert_eq!(connection.text(), text);
    assert_eq!(connection.value("SHOW search_path"), "\"public\"");
    assert_eq!(connection.value("SHOW DateStyle"), "SQL, DMY");
    connection.run("COMMIT");
    assert_eq!(connection.value("SHOW search_path"), "app");

    // A role that may do nothing.
    let (role, password) = server.fresh_role("");
    let mut stranger = Connection::open(&server.url_as(&role, &password, &other.name));
    assert_eq!(stranger.text(), text);
}

#[test]
fn what_is_left_out_leaves_no_trace() {
    let Some(server) = servers::postgres() else { return };
    let database = server.fresh_database();
    let mut connection = Connection::open(&database.url());
    connection.run("CREATE SCHEMA other; CREATE TABLE kept (id integer)");
    let options = CatalogOptions {
        excluded_tables: vec![
            TableName::bare(Name::new("schema_migrations")),
            TableName::qualified(Name::new("other"), Name::new("log")),
        ],
        excluded_schemas: vec![Name::new("audit")],
        ..CatalogOptions::default()
    };
    let before = connection.catalog_with(&options);
    connection.run(
        "CREATE TABLE schema_migrations (id serial PRIMARY KEY, version text UNIQUE); \
         CREATE INDEX ON schema_migrations (version); COMMENT ON TABLE schema_migrations IS 'x'; \
         CREATE TABLE other.log (id bigint GENERATED ALWAYS AS IDENTITY); \
         CREATE SCHEMA audit; CREATE TABLE audit.log (id serial); CREATE TYPE audit.kind AS ENUM ('a'); \
         CREATE FUNCTION audit.f() RETURNS integer LANGUAGE sql AS 'select 1'; CREATE VIEW audit.v AS SELECT 1; \
         CREATE SCHEMA twostep; CREATE TABLE twostep.run (id integer); \
         CREATE TEMPORARY TABLE t (id serial PRIMARY KEY); CREATE TEMPORARY VIEW v AS SELECT 1; \
         CREATE FUNCTION pg_temp.f() RETURNS integer LANGUAGE sql AS 'select 1'",
    );
    assert_eq!(connection.catalog_with(&options), before);
    connection.run("CREATE TABLE log (id integer)");
    let found = diff::diff(&before, &connection.catalog_with(&options));
    assert_eq!(found.extra(), ["table public.log"]);
    assert_eq!(connection.catalog().objects.len(), before.objects.len() + 11);
}

#[test]
fn extensions_answer_for_their_members() {
    let Some(server) = servers::postgres() else { return };
    let database = server.fresh_database();
    let mut connection = Connection::open(&database.url());
    connection.run("CREATE SCHEMA app");
    let before = connection.catalog();
    connection.run("CREATE EXTENSION citext SCHEMA app");
    let with = connection.catalog();
    assert_eq!(diff::diff(&before, &with).extra(), ["extension citext"]);
    assert_each_is_seen(
        &mut connection,
        &[
            (
                "REVOKE EXECUTE ON FUNCTION app.citext_eq(app.citext, app.citext) FROM PUBLIC",
                "GRANT EXECUTE ON FUNCTION app.citext_eq(app.citext, app.citext) TO PUBLIC",
            ),
            ("CREATE TABLE app.t (name app.citext PRIMARY KEY)", "DROP TABLE app.t"),
            (
                "CREATE FUNCTION app.f(app.citext) RETURNS integer LANGUAGE sql AS 'select 1'",
                "DROP FUNCTION app.f(app.citext)",
            ),
            ("CREATE CAST (app.citext AS integer) WITH INOUT", "DROP CAST (app.citext AS integer)"),
            (
                "ALTER EXTENSION citext DROP FUNCTION app.citext_eq(app.citext, app.citext)",
                "ALTER EXTENSION citext ADD FUNCTION app.citext_eq(app.citext, app.citext)",
            ),
        ],
    );
    connection.run("DROP EXTENSION citext");
    assert_eq!(connection.catalog(), before);
}

#[test]
fn owners_are_named_on_request_and_told_apart_from_nobody_else() {
    let Some(server) = servers::postgres() else { return };
    let (role, _) = server.fresh_role("");
    let database = server.fresh_database();
    let mut connection = Connection::open(&database.url());
    connection.run(
        "CREATE TABLE t (id serial); GRANT SELECT ON t TO pg_monitor; CREATE TYPE e AS ENUM (); \
         CREATE VIEW v AS SELECT 1; CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'select 1'",
    );
    let options = CatalogOptions { owners: true, ..CatalogOptions::default() };
    let (plain, named) = (connection.catalog(), connection.catalog_with(&options));
    connection.run(&format!(
        "ALTER TABLE t OWNER TO {role}; ALTER TYPE e OWNER TO {role}; ALTER VIEW v OWNER TO {role}; \
         ALTER FUNCTION f() OWNER TO {role}"
    ));
    assert_eq!(connection.catalog(), plain);
    let found = diff::diff(&named, &connection.catalog_with(&options));
    assert_eq!(found.objects.len(), 5, "{:?}", found.extra());
    assert!(found.extra().contains(&format!("table public.t: owner {role}")), "{:?}", found.extra());
}

#[test]
fn column_order_is_a_class_of_its_own() {
    let Some(server) = servers::postgres() else { return };
    let database = server.fresh_database();
    let mut connection = Connection::open(&database.url());
    connection.run(
        "CREATE TABLE t (a integer, b text, c text); CREATE INDEX i ON t (c, a); \
         CREATE STATISTICS s ON a, c FROM t; CREATE PUBLICATION p FOR TABLE t",
    );
    let before = connection.catalog();
    connection.run(
        "DROP STATISTICS s; ALTER TABLE t DROP COLUMN a; ALTER TABLE t ADD COLUMN a integer; \
         CREATE INDEX i ON t (c, a); CREATE STATISTICS s ON a, c FROM t",
    );
    let found = diff::diff(&before, &connection.catalog());
    assert!(found.is_column_order_only(), "{}", found.unified("before", "after", 1));
    assert_eq!(found.objects.len(), 1);
}

#[test]
fn an_index_that_could_not_be_built_is_invalid() {
    let Some(server) = servers::postgres() else { return };
    let database = server.fresh_database();
    let mut connection = Connection::open(&database.url());
    connection.run("CREATE TABLE t (id integer); INSERT INTO t VALUES (1), (1)");
    assert!(database.try_psql("CREATE UNIQUE INDEX CONCURRENTLY broken ON t (id)").is_err());
    assert!(
        connection.text().contains("\n  index broken unique btree (id) (INVALID) (not ready)\n"),
        "{}",
        connection.text()
    );
}

#[test]
fn data_is_no_part_of_the_schema() {
    let Some(server) = servers::postgres() else { return };
    let (_database, mut connection) = everything(server);
    assert_none_is_seen(
        &mut connection,
        &[
            "INSERT INTO app.author (name) VALUES ('x')",
            "SELECT nextval('app.counter'), setval('app.book_id_seq', 99)",
            "ANALYZE app.author",
            "REINDEX TABLE app.book",
            "GRANT SELECT ON app.base TO pg_monitor; REVOKE SELECT ON app.base FROM pg_monitor",
            "ALTER TABLE app.base ALTER COLUMN note SET DEFAULT 'x'; ALTER TABLE app.base ALTER COLUMN note DROP DEFAULT",
            "TRUNCATE app.author CASCADE",
            "CREATE EXTENSION citext SCHEMA app; DROP EXTENSION citext",
        ],
    );
}

#[test]
fn every_attribute_of_tables_is_seen() {
    let Some(server) = servers::postgres() else { return };
    let (_database, mut connection) = everything(server);
    assert_each_is_seen(&mut connection, TABLES);
    assert_each_is_seen(&mut connection, PARTS);
    if connection.version() >= 140_000 {
        assert_each_is_seen(&mut connection, SINCE_14);
    }
    if connection.version() >= 150_000 {
        assert_each_is_seen(&mut connection, SINCE_15);
    }
    if connection.version() >= 180_000 {
        assert_each_is_seen(&mut connection, SINCE_18);
    }
}

#[test]
fn every_attribute_of_other_objects_is_seen() {
    let Some(server) = servers::postgres() else { return };
    let (_database, mut connection) = everything(server);
    assert_each_is_seen(&mut connection, OTHERS);
    assert_each_is_seen(&mut connection, PRIVILEGES);
}

/// Wherever pg_dump sees a difference, so does the catalog, and where it sees none, neither does the catalog.
#[test]
fn pg_dump_agrees() {
    let Some(server) = servers::postgres() else { return };
    let (database, mut connection) = everything(server);
    let dump = || {
        let output = server.client("pg_dump", &database.name).args(["-s", "-N", "twostep"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // Newer versions put a random word around the text.
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().filter(|line| !line.contains("restrict ")).collect::<Vec<_>>().join("\n")
    };
    let before = (dump(), connection.text());
    for (number, (change, inverse)) in TABLES.iter().chain(PARTS).chain(OTHERS).enumerate() {
        if number % 12 == 5 {
            connection.run(change);
            let seen = (dump() != before.0, connection.text() != before.1);
            connection.run(inverse);
            assert_eq!(seen, (true, true), "{change}");
            assert_eq!((dump(), connection.text()), before, "{inverse}");
        }
    }
}

/// Changes of tables and their columns, each with its inverse.
const TABLES: &[(&str, &str)] = &[
    ("CREATE TABLE app.more (id integer)", "DROP TABLE app.more"),
    ("ALTER TABLE app.base RENAME TO basis", "ALTER TABLE app.basis RENAME TO base"),
    ("ALTER TABLE app.typed SET SCHEMA \"Odd Name\"", "ALTER TABLE \"Odd Name\".typed SET SCHEMA app"),
    ("ALTER TABLE app.other_method SET UNLOGGED", "ALTER TABLE app.other_method SET LOGGED"),
    ("ALTER TABLE \"Odd Name\".\"select\" SET LOGGED", "ALTER TABLE \"Odd Name\".\"select\" SET UNLOGGED"),
    ("ALTER TABLE app.base SET (fillfactor = 90)", "ALTER TABLE app.base RESET (fillfactor)"),
    ("ALTER TABLE app.author SET (fillfactor = 71)", "ALTER TABLE app.author SET (fillfactor = 70)"),
    (
        "ALTER TABLE app.author RESET (toast.autovacuum_enabled)",
        "ALTER TABLE app.author SET (toast.autovacuum_enabled = false)",
    ),
    ("ALTER TABLE app.author REPLICA IDENTITY DEFAULT", "ALTER TABLE app.author REPLICA IDENTITY FULL"),
    ("ALTER TABLE app.author REPLICA IDENTITY NOTHING", "ALTER TABLE app.author REPLICA IDENTITY FULL"),
    ("ALTER TABLE app.author DISABLE ROW LEVEL SECURITY", "ALTER TABLE app.author ENABLE ROW LEVEL SECURITY"),
    ("ALTER TABLE app.author NO FORCE ROW LEVEL SECURITY", "ALTER TABLE app.author FORCE ROW LEVEL SECURITY"),
    (
        "ALTER TABLE app.derived NO INHERIT app.base",
        "DROP TABLE app.derived; CREATE TABLE app.derived (extra text, note text) INHERITS (app.base); REVOKE ALL ON app.derived FROM pg_monitor",
    ),
    ("ALTER TABLE app.typed NOT OF", "ALTER TABLE app.typed OF app.point3"),
    (
        "ALTER TABLE app.hashed DETACH PARTITION app.hashed_0",
        "ALTER TABLE app.hashed ATTACH PARTITION app.hashed_0 FOR VALUES WITH (MODULUS 2, REMAINDER 0); DROP INDEX app.hashed_id; CREATE INDEX hashed_id ON ONLY app.hashed (id)",
    ),
    (
        "ALTER TABLE app.hashed DETACH PARTITION app.hashed_0; ALTER TABLE app.hashed ATTACH PARTITION app.hashed_0 FOR VALUES WITH (MODULUS 3, REMAINDER 0)",
        "ALTER TABLE app.hashed DETACH PARTITION app.hashed_0; ALTER TABLE app.hashed ATTACH PARTITION app.hashed_0 FOR VALUES WITH (MODULUS 2, REMAINDER 0); DROP INDEX app.hashed_id; CREATE INDEX hashed_id ON ONLY app.hashed (id)",
    ),
    (
        "COMMENT ON TABLE app.author IS 'Who writes.'",
        "COMMENT ON TABLE app.author IS E'Who writes.\\nAnd signs.'",
    ),
    ("COMMENT ON TABLE app.base IS 'x'", "COMMENT ON TABLE app.base IS NULL"),
    ("ALTER TABLE app.base ADD COLUMN more integer", "ALTER TABLE app.base DROP COLUMN more"),
    (
        "ALTER TABLE app.book RENAME COLUMN body TO corpus",
        "ALTER TABLE app.book RENAME COLUMN corpus TO body",
    ),
    (
        "ALTER TABLE app.author ALTER COLUMN wait TYPE interval(3)",
        "ALTER TABLE app.author ALTER COLUMN wait TYPE interval",
    ),
    (
        "ALTER TABLE app.author ALTER COLUMN seen TYPE timestamptz(3)",
        "ALTER TABLE app.author ALTER COLUMN seen TYPE timestamptz",
    ),
    (
        "ALTER TABLE app.author ALTER COLUMN sorted TYPE text COLLATE app.by_code",
        "ALTER TABLE app.author ALTER COLUMN sorted TYPE text COLLATE \"C\"",
    ),
    (
        "ALTER TABLE app.author ALTER COLUMN sorted TYPE text",
        "ALTER TABLE app.author ALTER COLUMN sorted TYPE text COLLATE \"C\"",
    ),
    (
        "ALTER TABLE app.author ALTER COLUMN born SET NOT NULL",
        "ALTER TABLE app.author ALTER COLUMN born DROP NOT NULL",
    ),
    (
        "ALTER TABLE app.author ALTER COLUMN name DROP DEFAULT",
        "ALTER TABLE app.author ALTER COLUMN name SET DEFAULT 'it''s'",
    ),
    (
        "ALTER TABLE app.author ALTER COLUMN born SET DEFAULT now()",
        "ALTER TABLE app.author ALTER COLUMN born DROP DEFAULT",
    ),
    (
        "ALTER TABLE app.author ALTER COLUMN id SET GENERATED BY DEFAULT",
        "ALTER TABLE app.author ALTER COLUMN id SET GENERATED ALWAYS",
    ),
    (
        "ALTER TABLE app.author ALTER COLUMN id SET INCREMENT BY 11",
        "ALTER TABLE app.author ALTER COLUMN id SET INCREMENT BY 10",
    ),
    (
        "ALTER TABLE app.author ALTER COLUMN name SET STORAGE MAIN",
        "ALTER TABLE app.author ALTER COLUMN name SET STORAGE EXTERNAL",
    ),
    (
        "ALTER TABLE app.author ALTER COLUMN name SET STATISTICS 0",
        "ALTER TABLE app.author ALTER COLUMN name SET STATISTICS 500",
    ),
    (
        "ALTER TABLE app.author ALTER COLUMN born RESET (n_distinct)",
        "ALTER TABLE app.author ALTER COLUMN born SET (n_distinct = -0.5)",
    ),
    ("COMMENT ON COLUMN app.author.born IS 'x'", "COMMENT ON COLUMN app.author.born IS NULL"),
    (
        "ALTER FOREIGN TABLE app.far OPTIONS (SET table_name 'farther')",
        "ALTER FOREIGN TABLE app.far OPTIONS (SET table_name 'far')",
    ),
    (
        "ALTER FOREIGN TABLE app.far ALTER COLUMN id OPTIONS (SET remote 'n')",
        "ALTER FOREIGN TABLE app.far ALTER COLUMN id OPTIONS (SET remote 'nr')",
    ),
    ("ALTER SEQUENCE app.counter INCREMENT BY 2", "ALTER SEQUENCE app.counter INCREMENT BY -2"),
    ("ALTER SEQUENCE app.counter START WITH 11", "ALTER SEQUENCE app.counter START WITH 10"),
    ("ALTER SEQUENCE app.counter MAXVALUE 101", "ALTER SEQUENCE app.counter MAXVALUE 100"),
    ("ALTER SEQUENCE app.counter MINVALUE -101", "ALTER SEQUENCE app.counter MINVALUE -100"),
    ("ALTER SEQUENCE app.counter CACHE 6", "ALTER SEQUENCE app.counter CACHE 5"),
    ("ALTER SEQUENCE app.counter NO CYCLE", "ALTER SEQUENCE app.counter CYCLE"),
    ("ALTER SEQUENCE app.counter AS integer", "ALTER SEQUENCE app.counter AS smallint"),
    ("ALTER SEQUENCE app.counter OWNED BY app.base.id", "ALTER SEQUENCE app.counter OWNED BY NONE"),
    ("ALTER SEQUENCE app.counter RENAME TO tally", "ALTER SEQUENCE app.tally RENAME TO counter"),
    (
        "CREATE OR REPLACE VIEW app.editable AS SELECT 1 AS id, 3 AS price",
        "CREATE OR REPLACE VIEW app.editable AS SELECT 1 AS id, 2 AS price",
    ),
    (
        "ALTER VIEW app.editable ALTER COLUMN price SET DEFAULT 8",
        "ALTER VIEW app.editable ALTER COLUMN price SET DEFAULT 9",
    ),
    (
        "ALTER VIEW app.book_list RESET (security_barrier)",
        "ALTER VIEW app.book_list SET (security_barrier = true)",
    ),
    (
        "ALTER VIEW app.book_list RENAME COLUMN author TO writer",
        "ALTER VIEW app.book_list RENAME COLUMN writer TO author",
    ),
    (
        "CREATE VIEW app.checked AS SELECT id FROM app.book WHERE price > 2 WITH LOCAL CHECK OPTION",
        "DROP VIEW app.checked",
    ),
    ("REFRESH MATERIALIZED VIEW app.totals", "REFRESH MATERIALIZED VIEW app.totals WITH NO DATA"),
    (
        "ALTER MATERIALIZED VIEW app.totals SET (fillfactor = 80)",
        "ALTER MATERIALIZED VIEW app.totals RESET (fillfactor)",
    ),
    ("DROP INDEX app.totals_author", "CREATE UNIQUE INDEX totals_author ON app.totals (author_id)"),
];

/// Changes of what belongs to tables, each with its inverse.
const PARTS: &[(&str, &str)] = &[
    (
        "ALTER TABLE app.base DROP CONSTRAINT base_note",
        "ALTER TABLE app.base ADD CONSTRAINT base_note CHECK (note <> ''); DROP TABLE app.derived; CREATE TABLE app.derived (extra text, note text) INHERITS (app.base); REVOKE ALL ON app.derived FROM pg_monitor",
    ),
    (
        "ALTER TABLE app.book RENAME CONSTRAINT price_limit TO price_max",
        "ALTER TABLE app.book RENAME CONSTRAINT price_max TO price_limit",
    ),
    (
        "ALTER TABLE app.book VALIDATE CONSTRAINT price_limit",
        "ALTER TABLE app.book DROP CONSTRAINT price_limit; ALTER TABLE app.book ADD CONSTRAINT price_limit CHECK (price < 1000) NOT VALID",
    ),
    (
        "ALTER TABLE app.book ALTER CONSTRAINT book_editor INITIALLY DEFERRED",
        "ALTER TABLE app.book ALTER CONSTRAINT book_editor DEFERRABLE INITIALLY IMMEDIATE",
    ),
    (
        "ALTER TABLE app.book ALTER CONSTRAINT book_author DEFERRABLE",
        "ALTER TABLE app.book ALTER CONSTRAINT book_author NOT DEFERRABLE",
    ),
    (
        "ALTER TABLE app.book DROP CONSTRAINT book_author, ADD CONSTRAINT book_author FOREIGN KEY (author_id) REFERENCES app.author ON DELETE CASCADE",
        "ALTER TABLE app.book DROP CONSTRAINT book_author, ADD CONSTRAINT book_author FOREIGN KEY (author_id) REFERENCES app.author ON DELETE CASCADE ON UPDATE RESTRICT",
    ),
    (
        "ALTER TABLE app.author DROP CONSTRAINT author_name_key, ADD CONSTRAINT author_name_key UNIQUE (name) DEFERRABLE",
        "ALTER TABLE app.author DROP CONSTRAINT author_name_key, ADD CONSTRAINT author_name_key UNIQUE (name) DEFERRABLE INITIALLY DEFERRED; COMMENT ON CONSTRAINT author_name_key ON app.author IS 'No twins'",
    ),
    (
        "COMMENT ON CONSTRAINT author_name_key ON app.author IS 'x'",
        "COMMENT ON CONSTRAINT author_name_key ON app.author IS 'No twins'",
    ),
    (
        "COMMENT ON CONSTRAINT author_pkey ON app.author IS 'x'",
        "COMMENT ON CONSTRAINT author_pkey ON app.author IS NULL",
    ),
    ("ALTER INDEX app.author_pkey SET (fillfactor = 60)", "ALTER INDEX app.author_pkey RESET (fillfactor)"),
    ("ALTER INDEX app.book_title SET (fillfactor = 60)", "ALTER INDEX app.book_title SET (fillfactor = 50)"),
    ("ALTER INDEX app.book_title RENAME TO book_name", "ALTER INDEX app.book_name RENAME TO book_title"),
    (
        "ALTER INDEX app.book_title ALTER COLUMN 1 SET STATISTICS 101",
        "ALTER INDEX app.book_title ALTER COLUMN 1 SET STATISTICS 100",
    ),
    (
        "CREATE INDEX hashed_0_id ON app.hashed_0 (id); ALTER INDEX app.hashed_id ATTACH PARTITION app.hashed_0_id",
        "DROP INDEX app.hashed_id; CREATE INDEX hashed_id ON ONLY app.hashed (id)",
    ),
    ("ALTER TABLE app.book SET WITHOUT CLUSTER", "ALTER TABLE app.book CLUSTER ON book_pkey"),
    ("ALTER TABLE app.book CLUSTER ON \"Book's Title\"", "ALTER TABLE app.book CLUSTER ON book_pkey"),
    (
        "ALTER TABLE app.book REPLICA IDENTITY DEFAULT",
        "ALTER TABLE app.book REPLICA IDENTITY USING INDEX \"Book's Title\"",
    ),
    (
        "DROP INDEX app.\"Book's Title\"; CREATE UNIQUE INDEX \"Book's Title\" ON app.book USING btree (title); ALTER TABLE app.book REPLICA IDENTITY USING INDEX \"Book's Title\"",
        "DROP INDEX app.\"Book's Title\"; CREATE UNIQUE INDEX \"Book's Title\" ON app.book USING btree (title COLLATE \"C\"); ALTER TABLE app.book REPLICA IDENTITY USING INDEX \"Book's Title\"",
    ),
    (
        "DROP INDEX app.book_body; CREATE INDEX book_body ON app.book USING gin (to_tsvector('german', body)) WITH (fastupdate = off)",
        "DROP INDEX app.book_body; CREATE INDEX book_body ON app.book USING gin (to_tsvector('english', body)) WITH (fastupdate = off)",
    ),
    ("ALTER TABLE app.author ENABLE TRIGGER asleep", "ALTER TABLE app.author DISABLE TRIGGER asleep"),
    ("ALTER TABLE app.author ENABLE ALWAYS TRIGGER touch", "ALTER TABLE app.author ENABLE TRIGGER touch"),
    (
        "ALTER TABLE app.author ENABLE ALWAYS TRIGGER replicated",
        "ALTER TABLE app.author ENABLE REPLICA TRIGGER replicated",
    ),
    ("ALTER TRIGGER touch ON app.author RENAME TO trim", "ALTER TRIGGER trim ON app.author RENAME TO touch"),
    ("COMMENT ON TRIGGER touch ON app.author IS NULL", "COMMENT ON TRIGGER touch ON app.author IS 'Trims'"),
    (
        "ALTER TRIGGER touch ON app.author DEPENDS ON EXTENSION plpgsql",
        "ALTER TRIGGER touch ON app.author NO DEPENDS ON EXTENSION plpgsql",
    ),
    (
        "ALTER TABLE app.event_rest ENABLE TRIGGER on_event",
        "ALTER TABLE app.event_rest DISABLE TRIGGER on_event",
    ),
    ("ALTER TABLE app.event_note ENABLE TRIGGER ALL", "ALTER TABLE app.event_note DISABLE TRIGGER ALL"),
    ("ALTER TABLE app.book DISABLE TRIGGER ALL", "ALTER TABLE app.book ENABLE TRIGGER ALL"),
    ("ALTER TABLE app.base DISABLE RULE no_delete", "ALTER TABLE app.base ENABLE RULE no_delete"),
    ("ALTER RULE no_delete ON app.base RENAME TO never", "ALTER RULE never ON app.base RENAME TO no_delete"),
    (
        "ALTER POLICY own ON app.author TO pg_monitor",
        "ALTER POLICY own ON app.author TO pg_signal_backend, pg_monitor",
    ),
    ("ALTER POLICY own ON app.author USING (id > 7)", "ALTER POLICY own ON app.author USING (id > 1)"),
    (
        "ALTER POLICY own ON app.author WITH CHECK (id > 7)",
        "ALTER POLICY own ON app.author WITH CHECK (id > 2)",
    ),
    ("ALTER POLICY see ON app.author RENAME TO look", "ALTER POLICY look ON app.author RENAME TO see"),
    (
        "DROP POLICY see ON app.author; CREATE POLICY see ON app.author AS RESTRICTIVE FOR SELECT USING (true)",
        "DROP POLICY see ON app.author; CREATE POLICY see ON app.author FOR SELECT USING (true)",
    ),
    (
        "DROP POLICY see ON app.author; CREATE POLICY see ON app.author FOR DELETE USING (true)",
        "DROP POLICY see ON app.author; CREATE POLICY see ON app.author FOR SELECT USING (true)",
    ),
    (
        "DROP STATISTICS app.book_stats",
        "CREATE STATISTICS app.book_stats (ndistinct, dependencies) ON price, title FROM app.book; ALTER STATISTICS app.book_stats SET STATISTICS 50; COMMENT ON STATISTICS app.book_stats IS 'They go together'",
    ),
    (
        "ALTER STATISTICS app.book_stats SET STATISTICS 51",
        "ALTER STATISTICS app.book_stats SET STATISTICS 50",
    ),
];

/// What came with PostgreSQL 14.
const SINCE_14: &[(&str, &str)] = &[
    (
        "ALTER TABLE app.author ALTER COLUMN name SET COMPRESSION pglz",
        "ALTER TABLE app.author ALTER COLUMN name SET COMPRESSION default",
    ),
    ("CREATE STATISTICS app.more ON (lower(title)), price FROM app.book", "DROP STATISTICS app.more"),
    (
        "CREATE OR REPLACE FUNCTION app.books_of(author bigint, OUT id integer, OUT title text) RETURNS SETOF record LANGUAGE sql ROWS 5 BEGIN ATOMIC SELECT b.id, b.title FROM app.book b; END",
        "CREATE OR REPLACE FUNCTION app.books_of(author bigint, OUT id integer, OUT title text) RETURNS SETOF record LANGUAGE sql ROWS 5 AS 'select b.id, b.title from app.book b where b.author_id = author'",
    ),
];

/// What came with PostgreSQL 15.
const SINCE_15: &[(&str, &str)] = &[
    ("CREATE UNIQUE INDEX more ON app.base (note) NULLS NOT DISTINCT", "DROP INDEX app.more"),
    (
        "ALTER VIEW app.book_list SET (security_invoker = true)",
        "ALTER VIEW app.book_list RESET (security_invoker)",
    ),
    ("ALTER SEQUENCE app.counter SET UNLOGGED", "ALTER SEQUENCE app.counter SET LOGGED"),
    (
        "ALTER PUBLICATION two_tables SET TABLE app.book (id, title), app.event",
        "ALTER PUBLICATION two_tables SET TABLE app.book, app.event",
    ),
    (
        "ALTER PUBLICATION two_tables SET TABLE app.book WHERE (id > 7), app.event",
        "ALTER PUBLICATION two_tables SET TABLE app.book, app.event",
    ),
    (
        "ALTER PUBLICATION two_tables ADD TABLES IN SCHEMA app",
        "ALTER PUBLICATION two_tables DROP TABLES IN SCHEMA app",
    ),
];

/// What came with PostgreSQL 18.
const SINCE_18: &[(&str, &str)] = &[
    (
        "ALTER TABLE app.book ADD CONSTRAINT body_there NOT NULL body",
        "ALTER TABLE app.book DROP CONSTRAINT body_there",
    ),
    (
        "ALTER TABLE app.book ADD CONSTRAINT body_there NOT NULL body NOT VALID",
        "ALTER TABLE app.book DROP CONSTRAINT body_there",
    ),
    (
        "ALTER TABLE app.book ADD CONSTRAINT short CHECK (body < 'x') NOT ENFORCED",
        "ALTER TABLE app.book DROP CONSTRAINT short",
    ),
    (
        "ALTER TABLE app.book ADD COLUMN v integer GENERATED ALWAYS AS (id + 1) VIRTUAL",
        "ALTER TABLE app.book DROP COLUMN v",
    ),
    (
        "ALTER TABLE app.book ALTER CONSTRAINT book_author NOT ENFORCED",
        "ALTER TABLE app.book DROP CONSTRAINT book_author, ADD CONSTRAINT book_author FOREIGN KEY (author_id) REFERENCES app.author ON DELETE CASCADE ON UPDATE RESTRICT",
    ),
];

/// Changes of what is no table, each with its inverse.
const OTHERS: &[(&str, &str)] = &[
    ("CREATE SCHEMA more", "DROP SCHEMA more"),
    ("COMMENT ON SCHEMA app IS NULL", "COMMENT ON SCHEMA app IS 'The application''s'"),
    (
        "ALTER TYPE app.mood RENAME VALUE 'fine' TO 'well'",
        "ALTER TYPE app.mood RENAME VALUE 'well' TO 'fine'",
    ),
    (
        "ALTER TYPE app.point3 ADD ATTRIBUTE w integer CASCADE",
        "ALTER TYPE app.point3 DROP ATTRIBUTE w CASCADE",
    ),
    (
        "ALTER TYPE app.point3 RENAME ATTRIBUTE x TO xx CASCADE",
        "ALTER TYPE app.point3 RENAME ATTRIBUTE xx TO x CASCADE",
    ),
    ("COMMENT ON COLUMN app.point3.x IS 'x'", "COMMENT ON COLUMN app.point3.x IS NULL"),
    ("COMMENT ON TYPE app.span IS 'x'", "COMMENT ON TYPE app.span IS NULL"),
    (
        "DROP TYPE app.span; CREATE TYPE app.span AS RANGE (subtype = double precision)",
        "DROP TYPE app.span; CREATE TYPE app.span AS RANGE (subtype = double precision, subtype_diff = float8mi)",
    ),
    ("ALTER TYPE app.span RENAME TO stretch", "ALTER TYPE app.stretch RENAME TO span"),
    ("DROP TYPE app.only_declared", "CREATE TYPE app.only_declared"),
    (
        "ALTER TYPE app.color SET (STORAGE = plain, TYPMOD_IN = numerictypmodin)",
        "ALTER TYPE app.color SET (TYPMOD_IN = NONE)",
    ),
    ("ALTER DOMAIN app.plain SET DEFAULT 1", "ALTER DOMAIN app.plain DROP DEFAULT"),
    ("ALTER DOMAIN app.plain SET NOT NULL", "ALTER DOMAIN app.plain DROP NOT NULL"),
    ("ALTER DOMAIN app.plain ADD CONSTRAINT c CHECK (VALUE > 1)", "ALTER DOMAIN app.plain DROP CONSTRAINT c"),
    (
        "ALTER DOMAIN app.email VALIDATE CONSTRAINT email_short",
        "ALTER DOMAIN app.email DROP CONSTRAINT email_short; ALTER DOMAIN app.email ADD CONSTRAINT email_short CHECK (length(VALUE) < 200) NOT VALID",
    ),
    (
        "COMMENT ON CONSTRAINT email_has_at ON DOMAIN app.email IS 'x'",
        "COMMENT ON CONSTRAINT email_has_at ON DOMAIN app.email IS 'At least this'",
    ),
    ("CREATE COLLATION app.more FROM \"C\"", "DROP COLLATION app.more"),
    ("ALTER FUNCTION app.add(integer, integer) STABLE", "ALTER FUNCTION app.add(integer, integer) IMMUTABLE"),
    (
        "ALTER FUNCTION app.add(integer, integer) STRICT",
        "ALTER FUNCTION app.add(integer, integer) CALLED ON NULL INPUT",
    ),
    (
        "ALTER FUNCTION app.add(integer, integer) SECURITY DEFINER",
        "ALTER FUNCTION app.add(integer, integer) SECURITY INVOKER",
    ),
    (
        "ALTER FUNCTION app.add(integer, integer) LEAKPROOF",
        "ALTER FUNCTION app.add(integer, integer) NOT LEAKPROOF",
    ),
    ("ALTER FUNCTION app.add(integer, integer) COST 7", "ALTER FUNCTION app.add(integer, integer) COST 100"),
    ("ALTER FUNCTION app.books_of(bigint) ROWS 6", "ALTER FUNCTION app.books_of(bigint) ROWS 5"),
    (
        "ALTER FUNCTION app.add(integer, integer) PARALLEL UNSAFE",
        "ALTER FUNCTION app.add(integer, integer) PARALLEL SAFE",
    ),
    (
        "ALTER FUNCTION app.add(integer, integer) SET work_mem = '1MB'",
        "ALTER FUNCTION app.add(integer, integer) RESET work_mem",
    ),
    (
        "ALTER FUNCTION app.add(integer, integer) NO DEPENDS ON EXTENSION plpgsql",
        "ALTER FUNCTION app.add(integer, integer) DEPENDS ON EXTENSION plpgsql",
    ),
    (
        "ALTER FUNCTION app.add(integer, integer) RENAME TO plus",
        "ALTER FUNCTION app.plus(integer, integer) RENAME TO add",
    ),
    (
        "CREATE FUNCTION app.add(bigint) RETURNS bigint LANGUAGE sql AS 'select 1::bigint'",
        "DROP FUNCTION app.add(bigint)",
    ),
    (
        "CREATE OR REPLACE PROCEDURE app.tidy(INOUT done integer) LANGUAGE plpgsql AS $$BEGIN done := 1;  END$$",
        "CREATE OR REPLACE PROCEDURE app.tidy(INOUT done integer) LANGUAGE plpgsql AS $$BEGIN done := 1; END$$",
    ),
    (
        "CREATE OR REPLACE PROCEDURE app.tidy(INOUT done integer) LANGUAGE plpgsql AS $$BEGIN done := 1; END$$ SECURITY DEFINER",
        "CREATE OR REPLACE PROCEDURE app.tidy(INOUT done integer) LANGUAGE plpgsql AS $$BEGIN done := 1; END$$",
    ),
    (
        "DROP AGGREGATE app.top(integer)",
        "CREATE AGGREGATE app.top(integer) (SFUNC = int4larger, STYPE = integer, SORTOP = >, MSFUNC = int4larger, MINVFUNC = int4mi, MSTYPE = integer); GRANT EXECUTE ON FUNCTION app.top(integer) TO PUBLIC",
    ),
    (
        "CREATE OR REPLACE AGGREGATE app.top(integer) (SFUNC = int4larger, STYPE = integer)",
        "CREATE OR REPLACE AGGREGATE app.top(integer) (SFUNC = int4larger, STYPE = integer, SORTOP = >, MSFUNC = int4larger, MINVFUNC = int4mi, MSTYPE = integer)",
    ),
    ("COMMENT ON AGGREGATE app.top(integer) IS 'x'", "COMMENT ON AGGREGATE app.top(integer) IS NULL"),
    (
        "ALTER OPERATOR app.=== (app.color, app.color) SET (JOIN = eqjoinsel)",
        "ALTER OPERATOR app.=== (app.color, app.color) SET (JOIN = NONE)",
    ),
    (
        "ALTER OPERATOR FAMILY app.color_family USING btree DROP OPERATOR 1 (integer, bigint)",
        "ALTER OPERATOR FAMILY app.color_family USING btree ADD OPERATOR 1 <(integer, bigint)",
    ),
    (
        "ALTER OPERATOR CLASS app.color_ops USING hash RENAME TO more",
        "ALTER OPERATOR CLASS app.more USING hash RENAME TO color_ops",
    ),
    (
        "DROP CAST (app.color AS integer)",
        "CREATE CAST (app.color AS integer) WITHOUT FUNCTION AS ASSIGNMENT; COMMENT ON CAST (app.color AS integer) IS 'By number'",
    ),
    ("CREATE CAST (integer AS text) WITH INOUT", "DROP CAST (integer AS text)"),
    (
        "CREATE DEFAULT CONVERSION app.more FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
        "DROP CONVERSION app.more",
    ),
    (
        "DROP TRANSFORM FOR app.color LANGUAGE sql",
        "CREATE TRANSFORM FOR app.color LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal))",
    ),
    ("CREATE ACCESS METHOD more TYPE INDEX HANDLER bthandler", "DROP ACCESS METHOD more"),
    ("COMMENT ON LANGUAGE speech IS 'x'", "COMMENT ON LANGUAGE speech IS NULL"),
    (
        "ALTER TEXT SEARCH CONFIGURATION app.search DROP MAPPING FOR word",
        "ALTER TEXT SEARCH CONFIGURATION app.search ADD MAPPING FOR word WITH app.words, simple",
    ),
    (
        "ALTER TEXT SEARCH CONFIGURATION app.search ALTER MAPPING FOR word WITH simple, app.words",
        "ALTER TEXT SEARCH CONFIGURATION app.search ALTER MAPPING FOR word WITH app.words, simple",
    ),
    (
        "ALTER TEXT SEARCH DICTIONARY app.words (stopwords)",
        "ALTER TEXT SEARCH DICTIONARY app.words (stopwords = english)",
    ),
    (
        "ALTER TEXT SEARCH PARSER app.parts RENAME TO pieces",
        "ALTER TEXT SEARCH PARSER app.pieces RENAME TO parts",
    ),
    (
        "ALTER TEXT SEARCH TEMPLATE app.plain_template RENAME TO more",
        "ALTER TEXT SEARCH TEMPLATE app.more RENAME TO plain_template",
    ),
    (
        "ALTER FOREIGN DATA WRAPPER nowhere OPTIONS (SET debug 'false')",
        "ALTER FOREIGN DATA WRAPPER nowhere OPTIONS (SET debug 'true')",
    ),
    ("ALTER SERVER elsewhere VERSION '2'", "ALTER SERVER elsewhere VERSION '1'"),
    (
        "ALTER SERVER elsewhere OPTIONS (SET host 'example.com')",
        "ALTER SERVER elsewhere OPTIONS (SET host 'example.org')",
    ),
    ("DROP USER MAPPING FOR PUBLIC SERVER elsewhere", "CREATE USER MAPPING FOR PUBLIC SERVER elsewhere"),
    ("ALTER EVENT TRIGGER watch_drops ENABLE", "ALTER EVENT TRIGGER watch_drops DISABLE"),
    ("ALTER EVENT TRIGGER watch_drops RENAME TO more", "ALTER EVENT TRIGGER more RENAME TO watch_drops"),
    (
        "ALTER PUBLICATION two_tables SET (publish = 'delete')",
        "ALTER PUBLICATION two_tables SET (publish = 'insert, update')",
    ),
    (
        "ALTER PUBLICATION two_tables SET (publish_via_partition_root = false)",
        "ALTER PUBLICATION two_tables SET (publish_via_partition_root = true)",
    ),
    (
        "ALTER PUBLICATION two_tables ADD TABLE app.author",
        "ALTER PUBLICATION two_tables DROP TABLE app.author",
    ),
    (
        "CREATE SUBSCRIPTION more CONNECTION 'password=hunter2' PUBLICATION p, q WITH (connect = false)",
        "ALTER SUBSCRIPTION more SET (slot_name = NONE); DROP SUBSCRIPTION more",
    ),
];

/// Changes of privileges and settings, each with its inverse.
const PRIVILEGES: &[(&str, &str)] = &[
    ("GRANT CREATE ON SCHEMA app TO pg_monitor", "REVOKE CREATE ON SCHEMA app FROM pg_monitor"),
    ("REVOKE USAGE ON SCHEMA app FROM pg_monitor", "GRANT USAGE ON SCHEMA app TO pg_monitor"),
    ("GRANT DELETE ON app.author TO pg_monitor", "REVOKE DELETE ON app.author FROM pg_monitor"),
    ("GRANT SELECT ON app.author TO PUBLIC", "REVOKE SELECT ON app.author FROM PUBLIC"),
    (
        "GRANT SELECT ON app.author TO pg_monitor WITH GRANT OPTION",
        "REVOKE GRANT OPTION FOR SELECT ON app.author FROM pg_monitor",
    ),
    (
        "REVOKE GRANT OPTION FOR UPDATE ON app.author FROM pg_read_all_settings",
        "GRANT UPDATE ON app.author TO pg_read_all_settings WITH GRANT OPTION",
    ),
    ("GRANT TRUNCATE ON app.author TO CURRENT_USER", "REVOKE TRUNCATE ON app.author FROM CURRENT_USER"),
    ("GRANT INSERT (name) ON app.author TO pg_monitor", "REVOKE INSERT (name) ON app.author FROM pg_monitor"),
    ("GRANT SELECT ON app.book_list TO pg_monitor", "REVOKE SELECT ON app.book_list FROM pg_monitor"),
    (
        "GRANT UPDATE ON SEQUENCE app.counter TO pg_monitor",
        "REVOKE UPDATE ON SEQUENCE app.counter FROM pg_monitor",
    ),
    (
        "GRANT EXECUTE ON FUNCTION app.add(integer, integer) TO pg_monitor",
        "REVOKE EXECUTE ON FUNCTION app.add(integer, integer) FROM pg_monitor",
    ),
    ("REVOKE EXECUTE ON PROCEDURE app.tidy FROM PUBLIC", "GRANT EXECUTE ON PROCEDURE app.tidy TO PUBLIC"),
    ("REVOKE USAGE ON TYPE app.span FROM PUBLIC", "GRANT USAGE ON TYPE app.span TO PUBLIC"),
    ("REVOKE USAGE ON DOMAIN app.email FROM PUBLIC", "GRANT USAGE ON DOMAIN app.email TO PUBLIC"),
    (
        "GRANT USAGE ON FOREIGN DATA WRAPPER nowhere TO pg_monitor",
        "REVOKE USAGE ON FOREIGN DATA WRAPPER nowhere FROM pg_monitor",
    ),
    (
        "REVOKE USAGE ON FOREIGN SERVER elsewhere FROM pg_monitor",
        "GRANT USAGE ON FOREIGN SERVER elsewhere TO pg_monitor",
    ),
    (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA app REVOKE SELECT ON TABLES FROM pg_monitor",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO pg_monitor",
    ),
    (
        "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
        "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
    ),
    (
        "ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO pg_monitor",
        "ALTER DEFAULT PRIVILEGES REVOKE USAGE ON SCHEMAS FROM pg_monitor",
    ),
    (
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = %L', current_database(), '9MB'); END $$",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = %L', current_database(), '8MB'); END $$",
    ),
];
