//! Partitions: what `ATTACH` would look for is proved before, what `DETACH` leaves is what the plain one leaves.

use super::{Case, Deployment, check};
use crate::servers;

const LOGS: &str = "CREATE TABLE owners (id int PRIMARY KEY);
    CREATE TABLE logs (id bigint NOT NULL, day date NOT NULL, note text, owner int REFERENCES owners, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
    CREATE INDEX logs_note ON logs (lower(note), owner);
    CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
    CREATE TABLE logs_2 (id bigint NOT NULL, day date NOT NULL, note text, owner int);";
const ROWS: &str = "insert into owners values (1); insert into logs select n, '2026-01-01'::date + n % 30, 'n' || n, 1 from generate_series(1, 1000) n; \
    insert into logs_2 select n, '2026-02-01'::date + n % 28, 'm' || n, 1 from generate_series(1, 1000) n";
const ATTACH: &str =
    "ALTER TABLE logs ATTACH PARTITION logs_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');";

#[test]
fn attach() {
    check(&Case {
        schema: LOGS,
        rows: ROWS,
        plain: ATTACH,
        after: &[("select count(*) from logs where day >= '2026-02-01'", "1000")],
        single: true,
        ..Case::default()
    });
}

#[test]
fn attach_beside_a_default_partition() {
    check(&Case {
        schema: &format!("{LOGS} CREATE TABLE \"The rest\" PARTITION OF logs DEFAULT;"),
        rows: ROWS,
        plain: ATTACH,
        after: &[(
            "insert into logs values (0, '2026-02-03', 'x', 1); select note from logs_2 where id = 0",
            "x",
        )],
        single: true,
        ..Case::default()
    });
    check(&Case {
        schema: "CREATE TABLE items (id bigint, kind text) PARTITION BY LIST (lower(kind)); CREATE TABLE items_rest PARTITION OF items DEFAULT;
            CREATE TABLE items_ab (id bigint, kind text);",
        rows: "insert into items_ab values (1, 'A'), (2, 'b'); insert into items values (3, 'C')",
        plain: "ALTER TABLE items ATTACH PARTITION items_ab FOR VALUES IN ('a', 'b');",
        after: &[("select count(*) from items", "3")],
        single: true,
        ..Case::default()
    });
}

#[test]
fn rows_that_do_not_fit_stop_it_before_anything_is_changed() {
    let Some(server) = servers::postgres() else { return };
    for (rows, said) in [
        ("insert into logs_2 values (0, '2026-05-01', 'x', 1)", "logs_2 has rows outside of its bounds"),
        ("insert into logs values (0, '2026-02-05', 'x', 1)", "rest has rows that belong into logs_2"),
    ] {
        let schema = format!("{LOGS} CREATE TABLE rest PARTITION OF logs DEFAULT;");
        let rows = format!("{ROWS}; {rows}");
        let case = Case { schema: &schema, rows: &rows, plain: ATTACH, ..Case::default() };
        let deployment = Deployment::new(server, &case);
        deployment.plan(&case);
        let outcome = deployment.twostep(&["migrate"]);
        assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
        let left = "select count(*) from pg_constraint where conname in ('logs_2_bounds', 'rest_others')";
        assert!(["0", "1"].contains(&&*deployment.database.psql(left)));
    }
}

/// The messages by which the server says that it reads no row.
fn proofs(schema: &str, rows: &str, plain: &str) -> Option<String> {
    let server = servers::postgres()?;
    let case = Case { schema, rows, plain, ..Case::default() };
    let deployment = Deployment::new(server, &case);
    deployment.plan(&case);
    let name = "migrations/20260201000000_change.up.sql";
    let text = deployment.project.read(name);
    let watched = text.replacen("ALTER TABLE", "SET client_min_messages = debug1;\nALTER TABLE", 1);
    deployment.project.write("watched.sql", watched);
    let url = deployment.database.url();
    let path = deployment.project.path("watched.sql");
    let psql = crate::twostep::Run::new(
        "psql",
        &deployment.project.path("."),
        &[&url, "-v", "ON_ERROR_STOP=1", "-f", path.to_str().unwrap()],
    );
    Some(psql.run().expect(0).stderr)
}

#[test]
fn the_server_says_that_it_reads_no_row() {
    let range = format!("{LOGS} CREATE TABLE rest PARTITION OF logs DEFAULT;");
    let list = |of: &str, key: &str| {
        format!(
            "CREATE TABLE t (id int, k {of}) PARTITION BY LIST ({key}); CREATE TABLE rest PARTITION OF t DEFAULT; CREATE TABLE p (id int, k {of});"
        )
    };
    let (small, text, expression) =
        (list("smallint", "k"), list("varchar(9)", "k"), list("text", "lower(k)"));
    let whole = "CREATE TABLE t (id int, at timestamptz, v numeric) PARTITION BY RANGE (v); CREATE TABLE rest PARTITION OF t DEFAULT; CREATE TABLE p (id int, at timestamptz, v numeric);";
    let cases = [
        (range.as_str(), ROWS, ATTACH),
        (&small, "", "ALTER TABLE t ATTACH PARTITION p FOR VALUES IN (1, 2);"),
        (&small, "", "ALTER TABLE t ATTACH PARTITION p FOR VALUES IN (NULL, 3);"),
        (&small, "", "ALTER TABLE t ATTACH PARTITION p FOR VALUES IN (NULL);"),
        (&text, "", "ALTER TABLE t ATTACH PARTITION p FOR VALUES IN ('a', 'b');"),
        (&expression, "", "ALTER TABLE t ATTACH PARTITION p FOR VALUES IN ('a');"),
        (whole, "", "ALTER TABLE t ATTACH PARTITION p FOR VALUES FROM (MINVALUE) TO (10);"),
        (whole, "", "ALTER TABLE t ATTACH PARTITION p FOR VALUES FROM (1.5) TO (MAXVALUE);"),
    ];
    for (schema, rows, plain) in cases {
        let Some(said) = proofs(schema, rows, plain) else { return };
        let (table, rest) =
            ("is implied by existing constraints", "updated partition constraint for default partition");
        assert_eq!(said.matches(table).count(), 2, "{plain}\n{said}");
        assert!(said.contains(rest), "{plain}\n{said}");
    }
}

#[test]
fn detach() {
    let attached = format!("{LOGS} {ATTACH}");
    let rows = ROWS.replace("insert into logs_2", "insert into logs");
    let between = [("select count(*) from logs", "2000")];
    let after = [("select count(*) from logs", "1000"), ("select count(*) from logs_2", "1000")];
    let plain = "ALTER TABLE logs DETACH PARTITION logs_2;";
    let case =
        Case { schema: &attached, rows: &rows, plain, between: &between, after: &after, ..Case::default() };
    check(&case);
    let with_default = format!("{attached} CREATE TABLE rest PARTITION OF logs DEFAULT;");
    check(&Case { schema: &with_default, ..case });
}

#[test]
fn partitions_of_partitions() {
    let schema = "CREATE TABLE owners (id int PRIMARY KEY);
        CREATE TABLE logs (id bigint NOT NULL, day date NOT NULL, kind text NOT NULL, owner int) PARTITION BY RANGE (day);
        CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2026-01-01') TO ('2026-02-01') PARTITION BY LIST (kind);
        CREATE TABLE logs_1_a PARTITION OF logs_1 FOR VALUES IN ('a'); CREATE TABLE logs_1_rest PARTITION OF logs_1 DEFAULT;
        CREATE TABLE logs_2 PARTITION OF logs DEFAULT;";
    let rows = "insert into owners values (1); insert into logs select n, '2026-01-15'::date + n % 30, chr(97 + n % 3), 1 from generate_series(1, 1000) n";
    let case = Case { schema, rows, ..Case::default() };
    check(&Case { plain: "CREATE INDEX logs_owner ON logs (owner, lower(kind));", single: true, ..case });
    check(&Case { plain: "ALTER TABLE logs ADD FOREIGN KEY (owner) REFERENCES owners;", ..case });
    check(&Case { plain: "ALTER TABLE logs ADD CONSTRAINT one UNIQUE (id, day, kind);", ..case });
}

#[test]
fn bounds_over_several_columns_are_refused() {
    let schema = "create table t (a int, b int) partition by range (a, b); create table p (a int, b int); create table h (a int, b int) partition by hash (a); create table q (a int, b int);";
    for plain in [
        "alter table t attach partition p for values from (1, 1) to (2, 2);",
        "alter table h attach partition q for values with (modulus 2, remainder 0);",
    ] {
        let said = super::refused::refusal(schema, plain);
        assert!(said.contains("is not said by one column and its values"), "{said}");
    }
}
