//! What a migration, a file's name or somebody with rights in the database could do to a run: each is refused, contained, or
//! said afterwards.

use crate::complaint::complaint;
use crate::servers::{mariadb, postgres};
use crate::twostep::Project;

/// A migration behind a good one ends with one of `codes`, says `words`, and nothing of it stays.
fn is_contained(sql: &str, codes: &[i32], words: &[&str]) {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let project = Project::with_migrations(&[("1_good.up.sql", "create table good (i int);")]);
    project.on(&database.url(), &["migrate"]).run().expect(0);
    project.write_migrations(&[("2_bad.up.sql", &format!("create table bad (i int);\n{sql}\n"))]);
    let outcome = project.on(&database.url(), &["migrate"]).run();
    assert!(codes.contains(&outcome.code()), "{sql}: {}\n{}", outcome.code(), outcome.stderr);
    complaint(&outcome);
    for word in words {
        assert!(outcome.stderr.contains(word), "{sql}: `{word}` is not in\n{}", outcome.stderr);
    }
    assert_eq!(database.psql("select to_regclass('bad')"), "", "{sql}");
    assert_eq!(database.psql("select version, state from twostep.migration"), "1|applied", "{sql}");
    assert_eq!(
        database.psql("select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())"),
        "0",
        "{sql}"
    );
    // It is over with that: the next one runs.
    project.write_migrations(&[("2_bad.up.sql", "create table bad (i int);")]);
    project.on(&database.url(), &["migrate"]).run().expect(0);
}

#[test]
fn a_lock_that_a_migration_gives_away() {
    is_contained("select pg_advisory_unlock_all();", &[2, 7], &["2_bad"]);
    is_contained("do $$ begin perform pg_advisory_unlock_all(); end $$;", &[2, 7], &["2_bad"]);
    is_contained("do $$ begin execute 'select pg_advisory_' || 'unlock_all()'; end $$;", &[7], &["2_bad"]);
    is_contained("do $$ begin execute 'discard ' || 'all'; end $$;", &[3, 4, 7], &["2_bad"]);
    // By the key that the server shows to everybody, as often as it was taken.
    is_contained(
        "select pg_advisory_unlock((classid::bigint << 32) | objid::bigint) from pg_locks, generate_series(1, 9) \
         where locktype = 'advisory' and pid = pg_backend_pid();",
        &[7],
        &["2_bad"],
    );
}

#[test]
fn a_history_that_a_migration_breaks() {
    is_contained("drop schema twostep cascade;", &[3], &["2_bad"]);
    is_contained(
        "drop table twostep.statement; alter table twostep.migration rename to other;",
        &[3],
        &["2_bad"],
    );
    is_contained(
        "insert into twostep.migration select * from twostep.migration;",
        &[3],
        &["2_bad", "duplicate key"],
    );
}

/// Rows that a migration takes out of the history or changes in it are not noticed while it runs (docs/reliability.md):
/// the next run goes by what the history says, and takes nothing away that is there.
#[test]
fn a_history_that_a_migration_rewrites() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let project = Project::with_migrations(&[
        ("1_good.up.sql", "create table good (i int);\ninsert into good values (1);"),
        ("2_bad.up.sql", "delete from twostep.migration where version = '1';"),
    ]);
    project.on(&database.url(), &["migrate"]).run().expect(0);
    let next = project.on(&database.url(), &["migrate"]).run().expect(3);
    assert!(complaint(&next).contains("nothing changed"), "{}", next.stderr);
    assert!(next.stderr.contains("\"good\" already exists"), "{}", next.stderr);
    assert_eq!(database.psql("select i from good; select version from twostep.migration"), "1\n2");

    let database = server.fresh_database();
    project.write_migrations(&[(
        "2_bad.up.sql",
        "update twostep.migration set checksum = 'x', state = 'applied';",
    )]);
    project.on(&database.url(), &["migrate"]).run().expect(0);
    let next = project.on(&database.url(), &["migrate"]).run().expect(3);
    assert!(next.stderr.contains("edited after being applied"), "{}", next.stderr);
    assert_eq!(database.psql("select i from good"), "1");
}

#[test]
fn a_transaction_that_a_migration_ends() {
    for sql in ["commit;", "end;", "rollback;", "commit and chain;", "prepare transaction 'x';", "abort;"] {
        is_contained(sql, &[2, 3], &["2_bad"]);
    }
}

/// Functions and operators of an attacker, in front of the server's own in the search path.
const SHADOWS: &str = "
create table pwned (by text);
grant all on pwned to public;
create function shadow(text) returns boolean language plpgsql as $$ begin insert into public.pwned values ($1); return true; end $$;
create function eq(text, text) returns boolean language plpgsql as $$ begin perform public.shadow('text ='); return $1 operator(pg_catalog.=) $2; end $$;
create function eq(name, name) returns boolean language plpgsql as $$ begin perform public.shadow('name ='); return $1 operator(pg_catalog.=) $2; end $$;
create function eq(name, text) returns boolean language plpgsql as $$ begin perform public.shadow('name = text'); return $1 operator(pg_catalog.=) $2; end $$;
create function eq(oid, oid) returns boolean language plpgsql as $$ begin perform public.shadow('oid ='); return $1 operator(pg_catalog.=) $2; end $$;
create function eq(int, int) returns boolean language plpgsql as $$ begin perform public.shadow('int ='); return $1 operator(pg_catalog.=) $2; end $$;
create function eq(\"char\", \"char\") returns boolean language plpgsql as $$ begin perform public.shadow('char ='); return $1 operator(pg_catalog.=) $2; end $$;
create function cat(text, text) returns text language plpgsql as $$ begin perform public.shadow('text ||'); return $1 operator(pg_catalog.||) $2; end $$;
create operator = (leftarg = text, rightarg = text, function = eq);
create operator = (leftarg = name, rightarg = name, function = eq);
create operator = (leftarg = name, rightarg = text, function = eq);
create operator = (leftarg = oid, rightarg = oid, function = eq);
create operator = (leftarg = int, rightarg = int, function = eq);
create operator = (leftarg = \"char\", rightarg = \"char\", function = eq);
create operator || (leftarg = text, rightarg = text, function = cat);
create function now() returns timestamptz language plpgsql as $$ begin perform public.shadow('now'); return pg_catalog.now(); end $$;
create function current_setting(text) returns text language plpgsql as $$ begin perform public.shadow('current_setting'); return pg_catalog.current_setting($1); end $$;
create function current_database() returns name language plpgsql as $$ begin perform public.shadow('current_database'); return pg_catalog.current_database(); end $$;
create function pg_backend_pid() returns int language plpgsql as $$ begin perform public.shadow('pg_backend_pid'); return pg_catalog.pg_backend_pid(); end $$;
create function unnest(int[]) returns setof int language plpgsql as $$ begin perform public.shadow('unnest'); return query select pg_catalog.unnest($1); end $$;
create view pg_class as select * from pg_catalog.pg_class where public.shadow('pg_class');
create view pg_locks as select * from pg_catalog.pg_locks where public.shadow('pg_locks');
create view pg_stat_activity as select * from pg_catalog.pg_stat_activity where public.shadow('pg_stat_activity');
";

#[test]
fn objects_that_shadow_the_servers_own() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    database.psql(SHADOWS);
    let project = Project::with_migrations(&[
        ("1_a.up.sql", "create table a (i int primary key, n int);\ninsert into a values (1, 1);"),
        ("1_a.down.sql", "drop table a;"),
        (
            "2_b.up.sql",
            "-- twostep: no-transaction\ncreate index concurrently a_n on a (n);\nalter table a add column m int;",
        ),
        (
            "2_b.down.sql",
            "-- twostep: no-transaction\ndrop index concurrently a_n;\nalter table a drop column m;",
        ),
        ("3_c.up.sql", "-- twostep: no-transaction\n-- twostep: backfill\nupdate a set m = 1;"),
        ("3_c.down.sql", "select 1;"),
    ]);
    for command in [
        &["status"][..],
        &["doctor"],
        &["migrate"],
        &["migrate"],
        &["status", "--format", "json"],
        &["unlock"],
        &["resolve"],
        &["release", "confirm", "--release", "r1"],
        &["rollback", "--steps", "1"],
        &["rollback", "--all"],
    ] {
        let outcome = project.on(&database.url(), command).run();
        assert!([0, 1].contains(&outcome.code()), "{command:?}: {}", outcome.stderr);
        assert_eq!(
            database.psql("select distinct by from pwned"),
            "",
            "{command:?} ran what somebody put there"
        );
    }
    // Behind a table that is in use, those in the way are named.
    project.on(&database.url(), &["migrate", "--to", "1"]).run().expect(0);
    project.write_migrations(&[("2_b.up.sql", "alter table a add column m int;")]);
    let mut other = crate::client::Client::connect(&database.url(), "holder");
    other.run("begin; lock table a in share mode");
    let stopped = project.on(&database.url(), &["migrate", "--lock-deadline", "1s"]).run().expect(5);
    assert!(stopped.stderr.contains("holder"), "{}", stopped.stderr);
    other.run("rollback");
    assert_eq!(database.psql("select distinct by from pwned"), "", "naming who is in the way ran it");

    // Only a search path that names pg_catalog behind others lets them come first: that is said.
    database.psql(&format!("alter database {} set search_path = public, pg_catalog", database.name));
    let doctor = project.on(&database.url(), &["doctor"]).run().expect(1).stdout;
    assert!(doctor.contains("`public` stands before pg_catalog"), "{doctor}");
}

#[test]
fn mariadb_a_lock_that_a_migration_gives_away() {
    let Some(server) = mariadb() else { return };
    for sql in [
        "select release_all_locks();",
        "do release_all_locks();",
        "set @x = concat('do release_', 'all_locks()');\nprepare p from @x;\nexecute p;",
    ] {
        let database = server.fresh_database();
        let project = Project::with_migrations(&[
            ("1_good.up.sql", "create table good (i int);"),
            ("2_bad.up.sql", &format!("insert into good values (1);\n{sql}\ninsert into good values (2);\n")),
        ]);
        let outcome = project.on(&database.url(), &["migrate"]).run();
        assert!([2, 3, 4, 7].contains(&outcome.code()), "{sql}: {}\n{}", outcome.code(), outcome.stderr);
        complaint(&outcome);
        assert!(outcome.stderr.contains("2_bad"), "{}", outcome.stderr);
        let applied = database
            .try_mysql("select count(*) from twostep_migration where version = '2' and state = 'applied'");
        assert_eq!(applied.unwrap_or_else(|_| "0".to_owned()), "0", "{sql}");
    }
}

/// What a PRAGMA, an attached file or a temporary object makes of the connection ends with its migration, and none keeps a
/// failed one from being taken back.
#[test]
fn sqlite_what_a_migration_makes_of_its_connection() {
    let good = ("1_good.up.sql", "create table good (i int check (i < 100));\n");
    let sqlite = |project: &Project, sql: &str| {
        let output = std::process::Command::new("sqlite3").arg(project.path("db.sqlite")).arg(sql).output();
        String::from_utf8(output.expect("sqlite3 runs").stdout).unwrap().trim_end().to_owned()
    };
    for sql in [
        "pragma ignore_check_constraints = on;",
        "pragma journal_mode = off;",
        "pragma locking_mode = exclusive;",
        "pragma writable_schema = on;",
        "pragma case_sensitive_like = on;",
        "pragma synchronous = off;",
        "attach database 'other.sqlite' as other;",
        "create temp table good as select 5 as i;",
        "create temp trigger t before insert on good begin select raise(ignore); end;",
    ] {
        for alone in ["", "-- twostep: no-transaction\n"] {
            if sql.contains(" temp ") && !alone.is_empty() || sql.contains("synchronous") && alone.is_empty()
            {
                // Refused: nobody could go on there.
                continue;
            }
            let project = Project::with_migrations(&[
                good,
                ("2_hostile.up.sql", &format!("{alone}{sql}\n")),
                (
                    "3_kept.up.sql",
                    "insert into good values (1);\ncreate table kept as select 'a' like 'A' as i;\n",
                ),
                ("4_checked.up.sql", "create table half (i int);\ninsert into good values (1000);\n"),
            ]);
            let outcome = project.on("sqlite:db.sqlite", &["migrate"]).run().expect(4);
            assert!(outcome.stderr.contains("CHECK constraint failed"), "{sql}: {}", outcome.stderr);
            let left = "select * from good; select * from kept; select count(*) from twostep_migration; \
                        select count(*) from sqlite_schema where name = 'half'; pragma integrity_check";
            assert_eq!(sqlite(&project, left), "1\n1\n3\n0\nok", "{alone}{sql}");
        }
    }
    // Within one migration.
    for sql in ["pragma journal_mode = off;", "pragma locking_mode = exclusive;", "savepoint mine;"] {
        let project = Project::with_migrations(&[
            good,
            ("2_bad.up.sql", &format!("{sql}\ncreate table bad (i int);\ninsert into nowhere values (1);\n")),
        ]);
        project.on("sqlite:db.sqlite", &["migrate"]).run().expect(4);
        let left = "select group_concat(version) from twostep_migration; select count(*) from sqlite_schema where name = 'bad'";
        assert_eq!(sqlite(&project, left), "1\n0", "{sql}");
    }
    for (sql, codes) in [
        ("commit;", [2, 3]),
        ("rollback;", [2, 3]),
        ("begin exclusive;", [2, 3]),
        ("detach database main;", [2, 3]),
        ("pragma query_only = on;", [3, 4]),
        ("drop table twostep_migration;", [3, 4]),
        ("release twostep;", [7, 7]),
    ] {
        let project = Project::with_migrations(&[good]);
        project.on("sqlite:db.sqlite", &["migrate"]).run().expect(0);
        project.write(
            "migrations/2_bad.up.sql",
            format!("create table bad (i int);\n{sql}\ninsert into good values (2);\n"),
        );
        let outcome = project.on("sqlite:db.sqlite", &["migrate"]).run();
        assert!(codes.contains(&outcome.code()), "{sql}: {}\n{}", outcome.code(), outcome.stderr);
        complaint(&outcome);
        assert_eq!(sqlite(&project, "select group_concat(version) from twostep_migration"), "1", "{sql}");
        // It is over with that: the next one runs.
        project.write("migrations/2_bad.up.sql", "create table later (i int);\n");
        project.on("sqlite:db.sqlite", &["migrate"]).run().expect(0);
    }
}

/// Nothing in `said` moves a cursor or turns the direction of the text: the characters that https://trojansource.codes
/// lists, and ends of lines that no terminal shows as such.
#[track_caller]
fn is_plain(said: &str, what: &str) {
    let turns = ['\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}'];
    let hostile = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || ('\u{202a}'..='\u{202e}').contains(&c)
            || ('\u{2066}'..='\u{2069}').contains(&c)
            || turns.contains(&c)
    };
    assert!(!said.contains(hostile), "{what}: {said:?}");
}

/// Directives, comments and identifiers of files: what is said of them holds none of it, and ends.
#[test]
fn directives_and_texts_that_are_meant_to_deceive() {
    let long = "x".repeat(20_000);
    let texts = [
        "-- twostep: \u{202e}wolla drop-table because \u{1b}[2Jx\nselect 1;\n".to_owned(),
        "-- twostep: allow \"drop'table\u{2066}\" because `id` \u{202e}$(id)\ndrop table a;\n".to_owned(),
        "-- twostep: set lock-timeout=\u{1b}[31m2s\nselect 1;\n".to_owned(),
        "-- twostep: irreversible because \u{202e}\u{2028}\u{7}\nselect 1;\n".to_owned(),
        format!("-- twostep: {long}\nselect 1;\n"),
        format!("-- twostep: allow {long} because {long}\nselect 1;\n"),
        "-- twostep: exec ../../bin/sh\nselect 1;\n".to_owned(),
        "-- twostep: phase \u{0}contract\nselect 1;\n".to_owned(),
        "create table \"a\u{202e}b\u{1b}[31m\" (i int);\ndrop table \"a\u{202e}b\u{1b}[31m\";\nselect * from \"\u{2067}\";\n".to_owned(),
        format!("create table \"{long}\" (i int);\nselect {long};\n"),
    ];
    for (number, text) in texts.iter().enumerate() {
        let project =
            Project::with_migrations(&[("1_a.up.sql", text.as_str()), ("1_a.down.sql", text.as_str())]);
        for command in [
            &["lint", "--engine", "sqlite"][..],
            &["migrate"],
            &["status"],
            &["rollback", "--all"],
            &["resolve"],
        ] {
            let outcome = project.on("sqlite:db.sqlite", command).run();
            let said = format!("{}{}", outcome.stdout, outcome.stderr);
            is_plain(&said, &format!("text {number}, {command:?}"));
            assert!(
                [0, 1, 2, 3, 4, 9].contains(&outcome.code()),
                "text {number}, {command:?}: {}\n{said}",
                outcome.code()
            );
        }
    }
}

#[test]
fn names_that_are_meant_to_deceive() {
    let project = Project::new();
    let long = "x".repeat(180);
    let names = [
        "0_\u{2066}a\u{2069}\u{200f}b\u{61c}\u{2028}c",
        "1_a'b\"c`d",
        "2_a;drop table t",
        "3_\u{1b}[31mred",
        "4_\u{202e}txet",
        "5_a\nb",
        &format!("6_{long}"),
        "7_%s%n$(id)`id`",
    ];
    for name in names {
        project.write(&format!("migrations/{name}.up.sql"), "select 1;\n");
        project.write(&format!("migrations/{name}.down.sql"), "select 1;\n");
    }
    for log in ["text", "logfmt", "json"] {
        let url = format!("sqlite:{log}.db");
        for command in [
            &["lint", "--engine", "sqlite"][..],
            &["migrate"],
            &["status"],
            &["rollback", "--all"],
            &["resolve"],
        ] {
            let outcome = project.on(&url, command).env("TWOSTEP_LOG", log).run();
            let said = format!("{}{}", outcome.stdout, outcome.stderr);
            is_plain(&said, &format!("{command:?}, {log}"));
            assert!(outcome.code() <= 2, "{command:?}: {said}");
        }
    }
    if let Some(server) = postgres() {
        let database = server.fresh_database();
        let outcome = project.on(&database.url(), &["migrate"]).run();
        assert!([0, 2].contains(&outcome.code()), "{}", outcome.stderr);
    }
}

#[test]
fn identifiers_that_are_meant_to_deceive() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let name = "a\"; drop table victim; --";
    let quoted = "\"a\"\"; drop table victim; --\"";
    database.psql("create table victim (i int)");
    let project = Project::with_migrations(&[
        (
            "1_a.up.sql",
            &format!(
                "create table {quoted} (i int primary key, \"n'; --\" int);\ninsert into {quoted} values (1, 0);"
            ),
        ),
        (
            "2_b.up.sql",
            &format!(
                "-- twostep: no-transaction\ncreate index concurrently {quoted}_i on {quoted} (\"n'; --\");"
            )
            .replace(&format!("{quoted}_i"), "\"i\"\"; drop table victim; --\""),
        ),
        (
            "3_c.up.sql",
            &format!("-- twostep: no-transaction\n-- twostep: backfill\nupdate {quoted} set \"n'; --\" = 1;"),
        ),
        ("4_d.up.sql", &format!("alter table {quoted} add column m int;")),
    ]);
    for journal in ["twostep", name] {
        let project_url = database.url();
        let outcome = project.on(&project_url, &["migrate", "--journal", journal]).run();
        assert!(outcome.code() == 0 || journal != "twostep", "{}", outcome.stderr);
        assert_eq!(database.psql("select count(*) from victim"), "0");
    }
}

#[test]
fn a_history_that_somebody_made_beforehand() {
    let Some(server) = postgres() else { return };
    for made in [
        "create schema twostep; create view twostep.migration as select 1 as version",
        "create schema twostep; create table twostep.migration (version int)",
        "create schema twostep; create table twostep.run (id int); create function twostep.f() returns int language sql as 'select 1'",
        "create schema twostep; create materialized view twostep.meta as select 1 as singleton",
        "create schema twostep; create table twostep.migration (version text); create rule r as on insert to twostep.migration do instead nothing",
    ] {
        let database = server.fresh_database();
        database.psql(made);
        let before = database.contents();
        let project = Project::with_migrations(&[("1_a.up.sql", "create table a (i int);")]);
        let outcome = project.on(&database.url(), &["migrate"]).run();
        assert!([2, 3, 9].contains(&outcome.code()), "{made}: {}\n{}", outcome.code(), outcome.stderr);
        complaint(&outcome);
        assert_eq!(database.psql("select to_regclass('a')"), "", "{made}");
        assert_eq!(database.contents(), before, "{made}");
    }
}

/// What was put in place of a table of our own history, with the same columns, or on it: it would swallow what is written.
#[test]
fn a_history_that_somebody_has_replaced() {
    let Some(server) = postgres() else { return };
    let first = ("1_a.up.sql", "create table a (i int);");
    let second = ("2_b.up.sql", "create table b (i int);");
    for replaced in [
        "create rule r as on insert to twostep.migration do instead nothing",
        "create function f() returns trigger language plpgsql as 'begin return null; end'; \
         create trigger t before insert on twostep.statement for each row execute function f()",
        "alter table twostep.migration rename to real; create view twostep.migration as select * from twostep.real",
    ] {
        let database = server.fresh_database();
        let project = Project::with_migrations(&[first]);
        project.on(&database.url(), &["migrate"]).run().expect(0);
        database.psql(replaced);
        project.write_migrations(&[second]);
        let refused = project.on(&database.url(), &["migrate"]).run();
        assert!([2, 3].contains(&refused.code()), "{replaced}: {}\n{}", refused.code(), refused.stderr);
        assert!(refused.stderr.contains("is not the history table of twostep"), "{}", refused.stderr);
        assert_eq!(database.psql("select to_regclass('b')"), "", "{replaced}");
    }
    let view = |migration: &str| {
        format!("alter table {migration} rename to kept; create view {migration} as select * from kept")
    };
    if let Some(server) = mariadb() {
        let database = server.fresh_database();
        let project = Project::with_migrations(&[first]);
        project.on(&database.url(), &["migrate"]).run().expect(0);
        database.mysql(&view("twostep_migration"));
        project.write_migrations(&[second]);
        let refused = project.on(&database.url(), &["migrate"]).run();
        assert!([2, 3].contains(&refused.code()), "{}\n{}", refused.code(), refused.stderr);
        assert_eq!(database.mysql("show tables like 'b'"), "");
    }
    let project = Project::with_migrations(&[first]);
    project.on("sqlite:db.sqlite", &["migrate"]).run().expect(0);
    let sqlite = |sql: &str| {
        let output = std::process::Command::new("sqlite3").arg(project.path("db.sqlite")).arg(sql).output();
        String::from_utf8(output.expect("sqlite3 runs").stdout).unwrap()
    };
    sqlite(&format!(
        "{}; create trigger t instead of insert on twostep_migration begin select 1; end",
        view("twostep_migration")
    ));
    project.write_migrations(&[second]);
    let refused = project.on("sqlite:db.sqlite", &["migrate"]).run();
    assert!([2, 3].contains(&refused.code()), "{}\n{}", refused.code(), refused.stderr);
    assert_eq!(sqlite("select name from sqlite_schema where name = 'b'"), "");
}

/// The same on the other engines: nothing is run, and nothing is put into what is not ours.
#[test]
fn a_history_that_somebody_made_beforehand_on_mariadb() {
    let Some(server) = mariadb() else { return };
    for made in [
        "create view twostep_migration as select 1 as version",
        "create table twostep_migration (version int)",
        "create table twostep_run (id int); create view twostep_meta as select 1 as singleton",
    ] {
        let database = server.fresh_database();
        database.mysql(made);
        let tables = "select table_name, table_type, table_rows from information_schema.tables \
                      where table_schema = database() order by 1";
        let before = database.mysql(tables);
        let project = Project::with_migrations(&[("1_a.up.sql", "create table a (i int);")]);
        let outcome = project.on(&database.url(), &["migrate"]).run();
        assert!([2, 3, 9].contains(&outcome.code()), "{made}: {}\n{}", outcome.code(), outcome.stderr);
        complaint(&outcome);
        assert_eq!(database.mysql(tables), before, "{made}");
    }
}

#[test]
fn a_history_that_somebody_made_beforehand_on_sqlite() {
    for made in [
        "create view twostep_migration as select 1 as version",
        "create table twostep_migration (version int)",
        "create table twostep_run (id int); create view twostep_meta as select 1 as singleton",
    ] {
        let project = Project::with_migrations(&[("1_a.up.sql", "create table a (i int);")]);
        let sqlite = |sql: &str| {
            let path = project.path("db.sqlite");
            let output =
                std::process::Command::new("sqlite3").arg(path).arg(sql).output().expect("sqlite3 runs");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        sqlite(made);
        let before = sqlite(".dump");
        let outcome = project.on("sqlite:db.sqlite", &["migrate"]).run();
        assert!([2, 3, 9].contains(&outcome.code()), "{made}: {}\n{}", outcome.code(), outcome.stderr);
        complaint(&outcome);
        assert_eq!(sqlite(".dump"), before, "{made}");
    }
}
