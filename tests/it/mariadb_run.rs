//! The runner on MariaDB: signals, dead runners, locks, and what is said when nothing can be done.

use std::process::{Child, Stdio};
use std::time::Duration;

use crate::servers::mariadb::Database;
use crate::servers::{MariaDb, mariadb, required};
use crate::twostep::{Project, Run};
use crate::wait;

/// A project with these migrations.
fn project(files: &[(&str, &str)]) -> Project {
    let project = Project::new();
    for (name, text) in files {
        project.write(&format!("migrations/{name}"), text);
    }
    project
}

fn twostep(project: &Project, database: &Database<'_>, arguments: &[&str]) -> Run {
    project.twostep(arguments).env("DATABASE_URL", database.url())
}

/// A client that holds a transaction open on table `t`, until it is killed.
fn holder(server: &MariaDb, database: &Database<'_>) -> Child {
    holding(server, database, "start transaction; select count(*) from t")
}

/// A client that does `sql`, and stays as it is then until it is killed.
fn holding(server: &MariaDb, database: &Database<'_>, sql: &str) -> Child {
    let sql = format!("{sql}; select sleep(300)");
    let mut client = server.client("mariadb");
    client.args(["--batch", "--unbuffered", &format!("--execute={sql}"), &database.name]);
    let child = client.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait::until_true("the other session sleeps", Duration::from_secs(20), || {
        !running(server, database, "sleep(300)").is_empty()
    });
    child
}

/// The number of the session that runs a statement with `part` in the database.
fn running(server: &MariaDb, database: &Database<'_>, part: &str) -> String {
    server.mysql(
        "",
        &format!(
            "select id from information_schema.processlist where db = '{}' and instr(info, '{part}') > 0 \
             and id <> connection_id()",
            database.name
        ),
    )
}

#[test]
fn mariadb_sigterm_ends_a_long_statement() {
    let Some(server) = mariadb() else { return };
    let database = server.fresh_database();
    let project = project(&[(
        "1_slow.up.sql",
        "create table slow as select sleep(300) as s from (select 1 union select 2) two;\n",
    )]);
    let run = twostep(&project, &database, &["migrate"]).spawn();
    wait::until_true("the statement runs", Duration::from_secs(60), || {
        !running(server, &database, "create table slow").is_empty()
    });
    run.signal("TERM");
    let stopping = std::time::Instant::now();
    let ended = run.wait();
    assert!(stopping.elapsed() < Duration::from_secs(10), "{:?}", stopping.elapsed());
    assert_eq!(ended.code(), 6, "{}", ended.stderr);
    assert_eq!(running(server, &database, "create table slow"), "");
    let left = "select count(*) from information_schema.tables where table_schema = database() and table_name = 'slow'; \
                select count(*) from twostep_migration; select count(*) from twostep_statement";
    assert_eq!(database.mysql(left), "0\n0\n0");
}

#[test]
fn mariadb_statement_of_a_dead_runner_is_ended() {
    let Some(server) = mariadb() else { return };
    let database = server.fresh_database();
    database.mysql("create table knob (seconds int); insert into knob values (600)");
    let project = project(&[(
        "1_slow.up.sql",
        "create table slow as select sleep(seconds) as s from knob;\ninsert into slow values (5);\n",
    )]);
    let run = twostep(&project, &database, &["migrate"]).spawn();
    wait::until_true("the statement runs", Duration::from_secs(60), || {
        !running(server, &database, "create table slow").is_empty()
    });
    run.signal("KILL");
    assert!(run.wait().signal().is_some());
    // As if it had been silent for long; the lock is the dead runner's as long as its statement runs.
    database.mysql(
        "update knob set seconds = 0; update twostep_run set heartbeat_at = heartbeat_at - interval 10 minute",
    );
    let again = twostep(&project, &database, &["migrate"]).run().expect(0);
    assert!(again.elapsed < Duration::from_secs(60), "{:?}", again.elapsed);
    assert_eq!(database.mysql("select s from slow order by s"), "0\n5");
}

#[test]
fn mariadb_names_who_is_in_the_way() {
    let Some(server) = mariadb() else { return };
    let database = server.fresh_database();
    database.mysql("create table t (a int); insert into t values (1)");
    let mut other = holder(server, &database);
    let number = running(server, &database, "sleep(300)");
    let project = project(&[("1_alter.up.sql", "alter table t add column b int;\n")]);
    let refused = twostep(&project, &database, &["migrate", "--lock-deadline", "3s"]).run().expect(5);
    assert!(refused.stderr.contains(&format!("session {number} ")), "{}", refused.stderr);
    assert!(refused.stderr.contains(&format!("kill {number}")), "{}", refused.stderr);
    assert_eq!(database.mysql("select count(*) from twostep_migration"), "0");
    server.mysql("", &format!("kill {number}"));
    other.wait().unwrap();
    twostep(&project, &database, &["migrate"]).run().expect(0);
}

#[test]
fn mariadb_what_a_procedure_committed_is_not_guessed() {
    let Some(server) = mariadb() else { return };
    let database = server.fresh_database();
    database.mysql("create table knob (seconds int); insert into knob values (600)");
    let project = project(&[(
        "1_p.up.sql",
        "delimiter //\ncreate procedure p() begin create table made (a int); do sleep((select seconds from knob)); end//\n\
         delimiter ;\ncall p();\ninsert into made values (1);\n",
    )]);
    let run = twostep(&project, &database, &["migrate"]).spawn();
    // The text that makes the procedure has the word too.
    let made = "select count(*) from information_schema.tables where table_schema = database() and table_name = 'made'";
    wait::until_true("the procedure sleeps", Duration::from_secs(60), || {
        database.mysql(made) == "1" && !running(server, &database, "sleep(").is_empty()
    });
    let number = running(server, &database, "sleep(");
    run.signal("KILL");
    run.wait();
    // It may have noticed by itself.
    server.try_mysql("", &format!("kill {number}")).ok();
    let told = twostep(&project, &database, &["migrate"]).run().expect(7);
    assert!(told.stderr.contains("resolve 1 --done"), "{}", told.stderr);
    twostep(&project, &database, &["resolve", "1", "--done"]).run().expect(0);
    twostep(&project, &database, &["migrate"]).run().expect(0);
    assert_eq!(database.mysql("select a from made"), "1");
}

#[test]
fn mariadb_what_ended_with_its_session_is_said() {
    let Some(server) = mariadb() else { return };
    let database = server.fresh_database();
    let file = |last: &str| {
        format!("create temporary table tmp as select 1 as a;\ncreate table t (a int);\n{last};\n")
    };
    let project = project(&[("1_t.up.sql", &file("insert into nowhere select a from tmp"))]);
    twostep(&project, &database, &["migrate"]).run().expect(4);
    project.write("migrations/1_t.up.sql", file("insert into t select a from tmp"));
    let told = twostep(&project, &database, &["migrate"]).run();
    assert!(told.code() == 3 || told.code() == 4, "{}", told.stderr);
    assert!(told.stderr.contains("ended with that session"), "{}", told.stderr);
}

#[test]
fn mariadb_rows_that_no_rollback_takes_back_are_not_written_twice() {
    let Some(server) = mariadb() else { return };
    let database = server.fresh_database();
    let write = |last: &str| format!("create table m (a int) engine = MyISAM;\n{last};\n");
    let project = project(&[("1_m.up.sql", &write("insert into m select 1 + sleep(seconds) from knob"))]);
    database.mysql("create table knob (seconds int); insert into knob values (0)");
    let log = project.path("faults.log");
    let count = {
        let other = server.fresh_database();
        other.mysql("create table knob (seconds int); insert into knob values (0)");
        twostep(&project, &other, &["migrate"]).env("TWOSTEP_FAULT_LOG", &log).run().expect(0);
        assert_eq!(other.mysql("select count(*) from twostep_statement"), "0");
        let points = std::fs::read_to_string(&log).unwrap();
        points.lines().position(|line| line.ends_with("after a statement")).unwrap() + 1
    };
    let killed = twostep(&project, &database, &["migrate"]).env("TWOSTEP_FAULT", count.to_string()).run();
    assert!(killed.signal().is_some());
    twostep(&project, &database, &["migrate"]).run().expect(7);
    assert_eq!(database.mysql("select count(*) from m"), "1");
    twostep(&project, &database, &["resolve", "1", "--done"]).run().expect(0);
    twostep(&project, &database, &["migrate"]).run().expect(0);
    assert_eq!(database.mysql("select count(*) from m"), "1");

    // What the server has not even read has written nothing.
    project.write("migrations/2_m.up.sql", "insert in m values (2);\n");
    twostep(&project, &database, &["migrate"]).run().expect(3);
    project.write("migrations/2_m.up.sql", "insert into m values (2);\n");
    twostep(&project, &database, &["migrate"]).run().expect(0);
    assert_eq!(database.mysql("select count(*) from m"), "2");
}

/// Statements that share a transaction, of which a table without transactions keeps the first when the second fails.
#[test]
fn mariadb_rows_that_no_rollback_takes_back_are_not_tried_again() {
    let Some(server) = mariadb() else { return };
    let tables = "create table m (a int) engine = MyISAM; create table t (a int primary key) engine = MyISAM";
    let project = project(&[("1_m.up.sql", "insert into m values (1);\ninsert into t values (1);\n")]);
    let check = |database: &Database<'_>, why: &str| {
        let told = twostep(&project, database, &["migrate", "--lock-deadline", "20s"]).run().expect(7);
        assert!(told.stderr.contains(why), "{}", told.stderr);
        assert_eq!(database.mysql("select count(*) from m"), "1");
        twostep(&project, database, &["migrate"]).run().expect(7);
        assert_eq!(database.mysql("select count(*) from m"), "1");
    };
    let database = server.fresh_database();
    database.mysql(&format!("{tables}; insert into t values (1)"));
    check(&database, "Duplicate entry");
    let database = server.fresh_database();
    database.mysql(tables);
    let mut other = holding(server, &database, "lock tables t write");
    check(&database, "no lock");
    other.kill().unwrap();
    other.wait().unwrap();
}

/// What a procedure has written to a table without transactions before it failed stays: it is asked for, and not called
/// again. One that has written nothing is.
#[test]
fn mariadb_a_call_that_fails_beside_tables_without_transactions_is_not_repeated() {
    let Some(server) = mariadb() else { return };
    let procedure =
        |body: &str| format!("delimiter //\ncreate procedure p() begin {body} end//\ndelimiter ;\n");
    let fails = "signal sqlstate '45000' set message_text = 'not today';";
    // Its rows, and a part that it commits itself.
    for part in ["insert into m values (1);", "insert into t values (1); create table made (a int);"] {
        let database = server.fresh_database();
        database.mysql("create table m (a int) engine = MyISAM; create table t (a int)");
        let project = project(&[
            ("1_p.up.sql", &procedure(&format!("{part} {fails}"))),
            ("2_call.up.sql", "call p();\n"),
        ]);
        for _ in 0..2 {
            let told = twostep(&project, &database, &["migrate"]).run().expect(7);
            for part in ["resolve 2 --done", "resolve 2 --not-done"] {
                assert!(told.stderr.contains(part), "`{part}` is not in\n{}", told.stderr);
            }
            let rows = "select (select count(*) from m) + (select count(*) from t)";
            assert_eq!(database.mysql(rows), "1", "{part}");
        }
        twostep(&project, &database, &["resolve", "2", "--done"]).run().expect(0);
        twostep(&project, &database, &["migrate"]).run().expect(0);
    }

    // The server says that all of it was taken back, or that there is no such procedure.
    let database = server.fresh_database();
    database.mysql("create table m (a int) engine = MyISAM; create table t (a int)");
    let project = project(&[
        ("1_p.up.sql", &procedure(&format!("insert into t values (1); {fails}"))),
        ("2_call.up.sql", "call p();\n"),
    ]);
    for (text, why) in [("call p();\n", "not today"), ("call nobody();\n", "nobody")] {
        project.write("migrations/2_call.up.sql", text);
        for _ in 0..2 {
            let told = twostep(&project, &database, &["migrate"]).run();
            assert!([3, 4].contains(&told.code()), "{}: {}", told.code(), told.stderr);
            assert!(told.stderr.contains(why), "{}", told.stderr);
        }
        let left = "select version from twostep_migration; select count(*) from twostep_statement; select count(*) from t";
        assert_eq!(database.mysql(left), "1\n0\n0");
    }

    // Killed behind it: nobody knows.
    let database = server.fresh_database();
    database.mysql("create table m (a int) engine = MyISAM");
    project.write("migrations/1_p.up.sql", procedure("insert into m values (1);"));
    project.write("migrations/2_call.up.sql", "call p();\n");
    twostep(&project, &database, &["migrate", "--to", "1"]).run().expect(0);
    let other = server.fresh_database();
    other.mysql("create table m (a int) engine = MyISAM");
    twostep(&project, &other, &["migrate", "--to", "1"]).run().expect(0);
    let log = project.path("faults.log");
    twostep(&project, &other, &["migrate"]).env("TWOSTEP_FAULT_LOG", &log).run().expect(0);
    let points = project.read("faults.log");
    let behind = points.lines().position(|line| line.ends_with("after a statement alone")).unwrap() + 1;
    let killed = twostep(&project, &database, &["migrate"]).env("TWOSTEP_FAULT", behind.to_string()).run();
    assert!(killed.signal().is_some(), "{}", killed.stderr);
    twostep(&project, &database, &["migrate"]).run().expect(7);
    assert_eq!(database.mysql("select count(*) from m"), "1");
}

#[test]
fn mariadb_makes_what_the_plain_client_makes() {
    let Some(server) = mariadb() else { return };
    let (ours, plain) = (server.fresh_database(), server.fresh_database());
    if server.is_mysql() {
        // The client at hand is MariaDB's, which asks MySQL for another collation than MySQL's own.
        return;
    }
    // With the driver's own modes `||` would join texts, and `count` with a blank behind it be no name.
    let sql = "create table count (a int, b timestamp default current_timestamp);\n\
               create function f() returns int deterministic return 1 || 0;\n\
               create view v as select 'ä' as a, 1 || 0 as b;\n";
    let project = project(&[("1_all.up.sql", sql)]);
    twostep(&project, &ours, &["migrate"]).run().expect(0);
    let mut client = server.client("mariadb");
    client.args(["--default-character-set=utf8mb4", &format!("--execute={sql}"), &plain.name]);
    assert!(client.status().unwrap().success());
    let shown = |database: &Database<'_>| {
        let all = database.mysql(
            "show create table count; show create function f; show create view v; select f(), b from v",
        );
        all.replace(&database.name, "DATABASE")
    };
    assert_eq!(shown(&ours), shown(&plain));
}

#[test]
fn mariadb_refusals_are_clear() {
    let Some(server) = mariadb() else { return };
    let database = server.fresh_database();
    let project = project(&[("1_t.up.sql", "create table t (a int);\n")]);
    let migrate = |url: String| project.twostep(&["migrate"]).env("DATABASE_URL", url).run();
    let refused = migrate(server.url_as("admin", "wrong", &database.name)).expect(9);
    assert!(refused.stderr.contains("check user and password"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("wrong@"), "{}", refused.stderr);
    let missing = migrate(server.url("it_is_not_there")).expect(9);
    assert!(missing.stderr.contains("twostep db create"), "{}", missing.stderr);

    let name = &database.name;
    // MySQL takes no longer names.
    let reader = &format!("reader_{name}")[..32];
    server
        .mysql("", &format!("create user {reader} identified by 'x'; grant select on {name}.* to {reader}"));
    let poor = migrate(server.url_as(reader, "x", name)).expect(9);
    assert!(poor.stderr.contains("not allowed"), "{}", poor.stderr);
    assert_eq!(database.mysql("show tables"), "");
}

#[test]
fn mariadb_what_only_mysql_has_is_said_before_the_start() {
    let Some(server) = mariadb() else { return };
    let database = server.fresh_database();
    let project = project(&[
        ("1_t.up.sql", "create table t (a json);\n"),
        ("2_v.up.sql", "create view v as select a->>'$.b' as b from t;\n"),
    ]);
    if server.is_mysql() {
        twostep(&project, &database, &["migrate"]).run().expect(0);
        return;
    }
    let refused = twostep(&project, &database, &["migrate"]).run().expect(3);
    assert!(refused.stderr.contains("migration 2_v, statement 1 of 1: MariaDB 1"), "{}", refused.stderr);
    assert_eq!(database.mysql("show tables"), "");
}

#[test]
fn mariadb_read_only_server_is_left_alone() {
    let own = MariaDb::start("read_only = 1");
    let Some(server) = required("MariaDB", own) else { return };
    let database = server.fresh_database();
    let project = project(&[("1_t.up.sql", "create table t (a int);\n")]);
    let refused = twostep(&project, &database, &["migrate"]).run().expect(9);
    assert!(refused.stderr.contains("read_only"), "{}", refused.stderr);
    assert_eq!(database.mysql("show tables"), "");
}

#[test]
fn mariadb_databases_are_made_with_accounts() {
    let Some(server) = mariadb() else { return };
    let base = server.fresh_database();
    let name = format!("{}_made", base.name);
    let service = format!("s{}", std::process::id());
    let project = project(&[("1_t.up.sql", "create table t (a int);\n")]);
    let run = |url: &str, arguments: &[&str]| {
        let run = project.twostep(arguments).env("DATABASE_URL", url);
        run.env("TWOSTEP_MIGRATOR_PASSWORD", "it's \\ one").env("TWOSTEP_APP_PASSWORD", "two").run()
    };
    let url = server.url(&name);
    run(
        &url,
        &["db", "create", "--encoding", "utf8mb4", "--collation", "utf8mb4_bin", "--service", &service],
    )
    .expect(0);
    let migrator = server.url_as(&format!("{service}_migrator"), "it's \\ one", &name);
    run(&migrator, &["migrate"]).expect(0);
    let application = server.url_as(&format!("{service}_app"), "two", &name);
    run(&application, &["rollback", "--all"]);
    assert_eq!(server.mysql(&name, "select count(*) from twostep_migration"), "1");
    assert!(server.mysql("", &format!("show create database {name}")).contains("utf8mb4_bin"));
    run(&url, &["db", "drop", "--yes"]).expect(0);
    assert_eq!(server.mysql("", &format!("show databases like '{name}'")), "");
}
