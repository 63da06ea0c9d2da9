//! What stands in migration files besides plain statements: rows for COPY, comments and nothing else, line ends and byte
//! order marks of other editors.

use crate::servers::{postgres, postgres::Database};
use crate::twostep::Project;

fn migrated(files: &[(&str, &str)]) -> Option<Database<'static>> {
    let database = postgres()?.fresh_database();
    let project = Project::with_migrations(files);
    for _ in 0..2 {
        project.on(&database.url(), &["migrate"]).run().expect(0);
    }
    let status = project.on(&database.url(), &["status", "--exit-code"]).run().expect(0);
    assert!(status.stdout.contains(&format!("{} applied, 0 pending", files.len())), "{}", status.stdout);
    Some(database)
}

#[test]
fn rows_for_copy() {
    let rows = "create table a (id int, name text, note text);\n\
                copy a (id, name, note) from stdin;\n\
                1\tone; -- no end\t\\N\n2\t'two\ttab\\tbed\n3\t\\\\.\t$$\n\\.\n\
                insert into a values (4, 'four', 'x');\n\
                COPY public.a FROM STDIN WITH (FORMAT csv, HEADER true);\nid,name,note\n5,\"fi;ve\",\n\\.\n\
                copy a from stdin;\n\\.\n\
                update a set note = 'last' where id = 1;\n";
    let Some(database) = migrated(&[("1_a.up.sql", rows)]) else { return };
    assert_eq!(
        database.psql("select id, name, note from a order by id"),
        "1|one; -- no end|last\n2|'two|tab\tbed\n3|\\.|$$\n4|four|x\n5|fi;ve|"
    );
    // Without a transaction, and in a file of another editor.
    let lone = format!("-- twostep: no-transaction\r\n{}", rows.replace('\n', "\r\n"));
    let Some(database) = migrated(&[("1_a.up.sql", &lone)]) else { return };
    assert_eq!(database.psql("select count(*), sum(id) from a"), "5|15");
}

#[test]
fn rows_that_are_wrong() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let project = Project::with_migrations(&[(
        "1_a.up.sql",
        "create table a (id int);\ncopy a from stdin;\n1\ntwo\n\\.\n",
    )]);
    let outcome = project.on(&database.url(), &["migrate"]).run().expect(3);
    crate::complaint::complaint(&outcome);
    for part in ["statement 2 of 2", "invalid input syntax", "COPY a, line 2", "1_a.up.sql:2"] {
        assert!(outcome.stderr.contains(part), "`{part}` is not in\n{}", outcome.stderr);
    }
    assert_eq!(database.psql("select to_regclass('a')"), "");
    // The connection is in order: the next run works.
    project.write_migrations(&[("1_a.up.sql", "create table a (id int);\ncopy a from stdin;\n1\n2\n\\.\n")]);
    project.on(&database.url(), &["migrate"]).run().expect(0);
    assert_eq!(database.psql("select sum(id) from a"), "3");
}

#[test]
fn files_with_nothing_to_run() {
    let files = [
        ("1_empty.up.sql", ""),
        ("2_comment.up.sql", "-- nothing yet\n/* nor /* here */ */\n"),
        ("3_semicolons.up.sql", ";;\n;\n"),
        ("4_alone.up.sql", "-- twostep: no-transaction\n-- nothing\n"),
        ("5_wrapped.up.sql", "begin;\ncommit;\n"),
    ];
    let Some(database) = migrated(&files) else { return };
    assert_eq!(database.psql("select count(*) from twostep.migration where state = 'applied'"), "5");
    let project = Project::with_migrations(&files);
    // Comments do not nest there.
    project.write_migrations(&[("2_comment.up.sql", "-- nothing yet\n/* nor here */\n")]);
    project.on("sqlite:db.sqlite", &["migrate"]).run().expect(0);
}

#[test]
fn line_ends_and_byte_order_marks() {
    let function = "\u{feff}-- twostep: no-transaction\r\ncreate table a (id int);\r\n\r\n\
                    create function f() returns int language plpgsql as $$\r\nbegin\r\n  return 1;\r\nend\r\n$$;\r\n\
                    create index concurrently i on a (id);\r\ninsert into a values (f());\r\n";
    let Some(database) = migrated(&[("1_a.up.sql", function)]) else { return };
    assert_eq!(database.psql("select id from a"), "1");
    // The text is sent as it is.
    assert_eq!(database.psql("select prosrc like E'%\\r\\n%' from pg_proc where proname = 'f'"), "t");
}

#[test]
fn what_other_clients_write() {
    let dump = "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET statement_timeout = 0;\nSET lock_timeout = 0;\n\
                SELECT pg_catalog.set_config('search_path', '', false);\nSET check_function_bodies = false;\n\
                CREATE TABLE public.a (\n    id integer NOT NULL,\n    name text\n);\n\n\
                COPY public.a (id, name) FROM stdin;\n1\tone\n2\t\\N\n\\.\n\n\n\
                ALTER TABLE ONLY public.a\n    ADD CONSTRAINT a_pkey PRIMARY KEY (id);\n\n\\unrestrict abc\n";
    // The search path of the first does not reach the second.
    let Some(database) =
        migrated(&[("1_a.up.sql", dump), ("2_b.up.sql", "insert into a values (3, 'three');")])
    else {
        return;
    };
    assert_eq!(database.psql("select count(*), count(name) from a"), "3|2");
}
