//! What servers tell of the code that runs on them: counted queries, sizes and use, what is hidden, and what a
//! contract's gate sees.

use std::sync::OnceLock;

use serde_json::Value;
use twostep::compat::gate::{Answer, Releases};
use twostep::db::evidence::gate::{self, Question};
use twostep::dialect::Dialect;
use twostep::schema::apply::apply;
use twostep::schema::model::Schema;

use crate::client::Client;
use crate::json_schema;
use crate::servers::postgres::{Database, Postgres, Recipe};
use crate::servers::{MariaDb, mariadb, required};
use crate::twostep::Project;

const COUNTING: &str = "shared_preload_libraries = 'pg_stat_statements'";

/// A PostgreSQL that counts statements.
pub fn counting() -> Option<&'static Postgres> {
    static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
    required("PostgreSQL", SERVER.get_or_init(|| Postgres::start(COUNTING)).as_ref())
}

/// The evidence that a capture of `database` writes, checked against its schema.
fn captured(project: &Project, url: &str, label: &str) -> Value {
    project.on(url, &["capture", "--database", "--label", label]).run().expect(0);
    let text = project.read("twostep.evidence.json");
    let value: Value = serde_json::from_str(&text).unwrap();
    let schema =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/evidence.schema.json")).unwrap();
    assert_eq!(json_schema::problems(&value, &serde_json::from_str(&schema).unwrap()), Vec::<String>::new());
    value
}

fn blind(value: &Value, label: &str) -> String {
    let captures = value["captures"].as_array().unwrap();
    let own = captures.iter().find(|capture| capture["label"] == label).unwrap();
    let all = own["blind"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().map(|text| text.as_str().unwrap()).collect::<Vec<_>>().join("; ")
}

fn query<'v>(value: &'v Value, sql: &str) -> &'v Value {
    let all = value["queries"].as_array().unwrap();
    all.iter().find(|query| query["sql"] == sql).unwrap_or_else(|| panic!("no `{sql}` in {value:#}"))
}

fn pgbench(server: &Postgres, database: &Database<'_>, arguments: &[&str]) {
    let output = server.client("pgbench", &database.name).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_workload_is_captured_resolved_and_judged() {
    let Some(server) = counting() else { return };
    let database = server.fresh_database();
    database.psql("create extension pg_stat_statements");
    let (role, password) = server.fresh_role("");
    pgbench(server, &database, &["--initialize", "--quiet", "--foreign-keys"]);
    database.psql(&format!("grant all on all tables in schema public to {role}; analyze"));
    for protocol in ["simple", "prepared"] {
        pgbench(
            server,
            &database,
            &["--transactions=20", "--client=2", "--no-vacuum", "--protocol", protocol],
        );
    }
    let mut client = Client::connect(&server.url_as(&role, &password, &database.name), "web");
    for secret in ["hunter2", "hunter3"] {
        client
            .run(&format!("select abalance from pgbench_accounts where filler = '{secret}' /* {secret} */"));
    }

    let project =
        Project::with_migrations(&[("1_a.up.sql", "alter table pgbench_accounts drop column filler;")]);
    let value = captured(&project, &database.url(), "web");
    let text = project.read("twostep.evidence.json");
    assert!(!text.contains("hunter") && !text.contains("pg_stat_statements s"), "{text}");
    let update = query(&value, "UPDATE pgbench_accounts SET abalance = abalance + $1 WHERE aid = $2");
    assert_eq!(update["seen"][0]["calls"], 80);
    assert!(update["seen"][0]["mean_ms"].as_f64().unwrap() >= 0.0);
    assert_eq!(update["seen"][0]["role"], "postgres");
    let select = query(&value, "select abalance from pgbench_accounts where filler = $1");
    assert_eq!(
        (&select["seen"][0]["calls"], &select["seen"][0]["role"]),
        (&Value::from(2), &Value::from(role.as_str()))
    );
    let facts = &value["databases"][0];
    assert!(facts["version"].as_str().unwrap().starts_with("PostgreSQL"));
    assert_eq!(facts["settings"]["deadlock_timeout"], "1000ms");
    let tables = facts["tables"].as_array().unwrap();
    let accounts = tables.iter().find(|table| table["name"] == "public.pgbench_accounts").unwrap();
    assert_eq!(accounts["rows"], 100_000);
    assert!(accounts["bytes"].as_u64().unwrap() > 1_000_000 && accounts["writes"].as_u64().unwrap() > 80);
    assert_eq!(accounts["indexes"][0]["name"], "pgbench_accounts_pkey");
    assert!(accounts["indexes"][0]["reads"].as_u64().unwrap() >= 80);

    // What all of that means for a drop: two of the queries use the column, and a day is no week.
    project.write_migrations(&[(
        "0_tables.up.sql",
        "create table pgbench_accounts (aid int primary key, bid int, abalance int, filler char(84));
         create table pgbench_branches (bid int primary key, bbalance int, filler char(88));
         create table pgbench_tellers (tid int primary key, bid int, tbalance int, filler char(84));
         create table pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));",
    )]);
    let compat = project.twostep(&["compat", "--format", "json"]).run().expect(1);
    let report: Value = serde_json::from_str(&compat.stdout).unwrap();
    let of = |verdict: &str| {
        let rows = report["queries"].as_array().unwrap();
        rows.iter().filter(|row| row["verdicts"][0]["verdict"] == verdict).count()
    };
    // pgbench also truncates the table, which is not certain to go on working.
    assert_eq!((of("fails"), of("not-certain"), of("writes-wrongly")), (1, 1, 0), "{}", compat.stdout);
    assert!(report["gaps"].to_string().contains("it has watched 0 days"), "{}", report["gaps"]);

    // A counter that stands still keeps its day.
    let old =
        text.replace(&format!("\"day\": \"{}\"", facts["day"].as_str().unwrap()), "\"day\": \"2020-01-01\"");
    project.write("twostep.evidence.json", &old);
    client.run("select abalance from pgbench_accounts where filler = 'hunter4'");
    let value = captured(&project, &database.url(), "web");
    let seen = |sql: &str| query(&value, sql)["seen"][0].clone();
    let select = seen("select abalance from pgbench_accounts where filler = $1");
    assert_eq!((&select["calls"], &select["day"]), (&Value::from(3), &facts["day"]));
    let update = seen("UPDATE pgbench_accounts SET abalance = abalance + $1 WHERE aid = $2");
    assert_eq!((&update["day"], &update["stale"]), (&Value::from("2020-01-01"), &Value::from(true)));
    let text = project.twostep(&["compat", "--fail-on", "never"]).run().expect(0).stdout;
    assert!(text.contains("web, 3 calls"), "{text}");
}

/// The sample application's queries by their names, as a script of pgbench: the variables stand for the parameters.
fn shop_at_work() -> Vec<(String, String)> {
    let variables = |query: &str| -> &[&str] {
        match query {
            "SignUp" => &["new", "new", "word"],
            "CustomerByEmail" | "ProductBySlug" => &["word"],
            "RenameCustomer" => &["one", "word"],
            "Catalogue" => &["one", "many"],
            "ChangePrice" => &["sku", "many"],
            "PutProduct" => &["sku", "word", "many"],
            "PlaceOrder" => &["new", "one", "word"],
            "AddLine" => &["one", "sku", "one"],
            "OrdersOfCustomer" | "BestSellers" => &["one"],
            "BookStock" => &["new", "sku", "one", "word"],
            "RemoveOrder" => &["new"],
            "RunningOut" => &["many"],
            _ => &[],
        }
    };
    let text = include_str!("../../fixtures/queries/shop.sql");
    let queries = text.split("-- name: ").skip(1).map(|part| {
        let (head, sql) = part.split_once('\n').unwrap();
        let name = head.split(' ').next().unwrap();
        let mut sql = sql.trim().replace('\n', " ");
        for (number, variable) in variables(name).iter().enumerate() {
            sql = sql.replace(&format!("${}", number + 1), &format!(":{variable}"));
        }
        assert!(!sql.contains('$'), "{name} has a parameter without a value: {sql}");
        (name.to_owned(), sql)
    });
    queries.collect()
}

#[test]
fn the_sample_application_at_work_is_captured_and_judged() {
    let Some(server) = counting() else { return };
    let database = server.fresh_database();
    let project = Project::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        project.write(&format!("migrations/{name}"), std::fs::read(&path).unwrap());
    }
    project.on(&database.url(), &["migrate"]).run().expect(0);
    database.psql(
        "insert into customers values (1, 'one', 'one'); insert into orders (id, customer_id) values (1, 1); \
         create extension pg_stat_statements",
    );
    let queries = shop_at_work();
    let script: String = queries.iter().map(|(_, sql)| format!("{sql}\n")).collect();
    project.write("shop.pgbench", format!("\\set new random(10, 2000000000)\n{script}"));
    let file = project.path("shop.pgbench").display().to_string();
    for protocol in ["extended", "prepared"] {
        let values =
            ["--define=one=1", "--define=many=900", "--define=word=standard", "--define=sku=CUP-CLAY-02"];
        let run = ["--no-vacuum", "--transactions=20", "--protocol", protocol, "--file", &file];
        pgbench(server, &database, &[&run[..], &values].concat());
    }

    let value = captured(&project, &database.url(), "shop");
    let at_work = |row: &Value| row["seen"].as_array().is_some_and(|seen| seen[0]["calls"] == 40);
    let captured = value["queries"].as_array().unwrap().iter().filter(|row| at_work(row)).count();
    assert_eq!(captured, queries.len(), "{value:#}");

    // Each works as the database stands; a column that goes is missed by those that name it, and by no other.
    let verdicts = |migration: &str| -> Vec<(String, String)> {
        let run =
            project.twostep(&["compat", "--format", "json", "--fail-on", "never", migration]).run().expect(0);
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        let rows = report["queries"].as_array().unwrap().clone();
        let of = |row: &Value| row["verdicts"][0]["verdict"].as_str().unwrap().to_owned();
        let known: Vec<&Value> =
            value["queries"].as_array().unwrap().iter().filter(|row| at_work(row)).collect();
        let is_known = |row: &&Value| known.iter().any(|one| one["sql"] == row["sql"]);
        rows.iter().filter(is_known).map(|row| (row["sql"].as_str().unwrap().to_owned(), of(row))).collect()
    };
    project.write("migrations/20990101000000_note.up.sql", "create table notes (id int primary key);");
    let found = verdicts("migrations/20990101000000_note.up.sql");
    assert!(
        found.len() == queries.len() && found.iter().all(|(_, verdict)| verdict == "works"),
        "{found:#?}"
    );
    project.write("migrations/20990101000001_drop.up.sql", "alter table products drop column title;");
    let found = verdicts("migrations/20990101000001_drop.up.sql");
    let failing: Vec<&str> =
        found.iter().filter(|(_, verdict)| verdict == "fails").map(|(sql, _)| sql.as_str()).collect();
    let uses = |sql: &str| sql.contains("title") && !sql.contains("shipping_methods");
    let expected: Vec<&str> = found.iter().map(|(sql, _)| sql.as_str()).filter(|sql| uses(sql)).collect();
    assert_eq!(failing, expected);
    assert_eq!(failing.len(), 5, "{failing:#?}");
}

#[test]
fn what_it_could_not_see_is_said() {
    // A server of its own: one that throws statements away.
    let settings = format!("{COUNTING}\npg_stat_statements.max = 100");
    let Some(server) = required("PostgreSQL", Postgres::start(&settings)) else { return };
    let server = &server;
    let project = Project::new();
    let bare = server.fresh_database();
    bare.psql("create table t (id int primary key); insert into t values (1); analyze t");
    let value = captured(&project, &bare.url(), "bare");
    assert!(
        blind(&value, "bare").contains("CREATE EXTENSION pg_stat_statements"),
        "{}",
        blind(&value, "bare")
    );
    assert_eq!(value["databases"][0]["tables"][0]["rows"], 1, "sizes are there all the same");
    assert_eq!(value["queries"], Value::Array(Vec::new()));

    let database = server.fresh_database();
    database.psql("create extension pg_stat_statements; create table t (id int)");
    let (role, password) = server.fresh_role("");
    database.psql("select count(*) from t");
    let url = server.url_as(&role, &password, &database.name);
    let value = captured(&project, &url, "poor");
    assert!(blind(&value, "poor").contains("pg_read_all_stats"), "{}", blind(&value, "poor"));
    assert!(blind(&value, "poor").contains("of other roles were hidden"), "{}", blind(&value, "poor"));
    server.psql("postgres", &format!("grant pg_read_all_stats to {role}"));
    let value = captured(&project, &url, "poor");
    assert!(!blind(&value, "poor").contains("pg_read_all_stats"), "{}", blind(&value, "poor"));

    // More kinds of statements than the server keeps.
    let many: Vec<String> = (1..150).map(|n| format!("select {}", vec!["1"; n].join(", "))).collect();
    database.psql(&many.join(";"));
    let value = captured(&project, &url, "poor");
    assert!(blind(&value, "poor").contains("thrown away"), "{}", blind(&value, "poor"));

    // A standby counts for itself.
    let settings = format!("{COUNTING}\npg_stat_statements.max = 100\nhot_standby = on");
    let recipe = Recipe { settings, standby_of: Some(server.port()), ..Recipe::default() };
    let Some(standby) = required("PostgreSQL", Postgres::start_as(&recipe)) else { return };
    let project = Project::with_migrations(&[("1_a.up.sql", "create table t (id int);")]);
    let value = captured(&project, &database.url(), "primary");
    assert_eq!(value["databases"][0]["standbys"], 1);
    let gaps = |project: &Project| {
        let compat = project.twostep(&["compat", "--format", "json"]).run();
        serde_json::from_str::<Value>(&compat.stdout).unwrap()["gaps"].to_string()
    };
    assert!(
        gaps(&project).contains("1 standbys read from it, and 1 of them were not captured"),
        "{}",
        gaps(&project)
    );
    let value = captured(&project, &standby.url(&database.name), "reports");
    assert_eq!(value["databases"][1]["standby"], true);
    assert_eq!(value["databases"][1]["cluster"], value["databases"][0]["cluster"]);
    assert!(!gaps(&project).contains("standby"), "{}", gaps(&project));
}

#[test]
fn logs_of_a_server_are_read_in_each_form() {
    for logged in ["log_statement = all\nlog_duration = on", "log_min_duration_statement = 0"] {
        let settings = format!(
            "{logged}\nlogging_collector = on\nlog_destination = 'stderr,csvlog,jsonlog'\nlog_filename = 'server'\n\
             log_file_mode = 0644\nlog_line_prefix = '%m [%p] %u@%d '\nshared_preload_libraries = 'auto_explain'\n\
             auto_explain.log_min_duration = 0"
        );
        let Some(server) = required("PostgreSQL", Postgres::start(&settings)) else { return };
        let database = server.fresh_database();
        database.psql("create table t (id int primary key, name text, kind text default 'new')");
        let mut app = Client::connect(&database.url(), "web");
        app.run("select id\n from t\n where name = 'hunter2' and kind = 'new'");
        app.try_prepared("insert into t (id, name) values (1, 'hunter2') returning id").unwrap();
        assert!(app.try_run("select nope from t where name = 'hunter2'").is_err());
        let folder = std::path::PathBuf::from(database.psql("show data_directory")).join("log");
        let project = Project::with_migrations(&[(
            "1_t.up.sql",
            "create table t (id int primary key, name text, kind text default 'new');",
        )]);
        for ending in ["server", "server.csv", "server.json"] {
            // The newest PostgreSQL that has no jsonlog is 14.
            let Ok(text) = std::fs::read_to_string(folder.join(ending)) else { continue };
            project.write("postgres.log", &text);
            let captured = project
                .twostep(&[
                    "capture",
                    "--engine",
                    "postgres",
                    "--postgres-log",
                    "postgres.log",
                    "--out",
                    ending,
                ])
                .run()
                .expect(0);
            assert!(captured.stdout.contains("taken in"), "{}", captured.stdout);
            let kept = project.read(ending);
            assert!(!kept.contains("hunter2"), "{logged}, {ending}: {kept}");
            for query in [
                "select id from t where name = $1 and kind = 'new'",
                "insert into t (id, name) values ($1, $2) returning id",
            ] {
                assert!(kept.contains(query), "{logged}, {ending}: no {query} in {kept}\n{text}");
            }
        }
    }
}

#[test]
fn the_gate_sees_who_still_needs_the_old_shape() {
    let Some(server) = counting() else { return };
    let database = server.fresh_database();
    database.psql("create extension pg_stat_statements; create table t (id int, old text)");
    let mut app = Client::connect(&database.url(), "web 1111111aaaa");
    app.run("select old from t");
    let applied = |mut schema: Schema, sql: &str| {
        for change in twostep::engine::lower(sql, schema.dialect) {
            apply(&mut schema, &change);
        }
        schema
    };
    let before = applied(Schema::new(Dialect::Postgres), "create table t (id int, old text)");
    let after = applied(before.clone(), "alter table t drop column old");
    let url = twostep::db::url::DatabaseUrl::parse(&database.url()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut session = runtime.block_on(twostep::db::connect(&url, &Default::default())).unwrap();
    let then = runtime.block_on(gate::counts(&mut *session)).unwrap();
    assert!(then.calls["select old from t"] >= 1);
    let (live, older) = (["2222222bbbb".to_owned()], ["1111111aaaa".to_owned()]);
    let releases = Releases { live: &live, older: &older, pooled: false };
    let question = Question { before: &before, after: &after, then: Some(&then), releases };
    let mut look = |question| runtime.block_on(gate::look(&mut *session, question)).unwrap();

    let seen = look(question);
    assert_eq!((seen.calls.answer, seen.sessions.answer), (Answer::No, Answer::Yes), "{seen:?}");
    app.run("select old from t");
    let seen = look(question);
    assert!(seen.calls.answer == Answer::Yes && seen.calls.why[0].contains("1 calls of"), "{seen:?}");
    assert_eq!(look(Question { then: None, ..question }).calls.answer, Answer::CannotTell);
    drop(app);
    let other = Client::connect(&database.url(), "nobody knows");
    crate::wait::until("the session is gone", std::time::Duration::from_secs(20), || {
        (look(question).sessions.answer == Answer::CannotTell).then_some(())
    });
    drop(other);
    let _new = Client::connect(&database.url(), "web 2222222bbbb");
    crate::wait::until("the session is gone", std::time::Duration::from_secs(20), || {
        (look(question).sessions.answer == Answer::No).then_some(())
    });
    assert_eq!(look(question).worst(), Answer::Yes, "the call of the old release is not forgotten");
}

#[test]
fn digests_of_mariadb_are_captured() {
    let Some(shared) = mariadb().filter(|server| !server.is_mysql()) else { return };
    let off = shared.fresh_database();
    off.mysql("create table t (id int primary key)");
    let project = Project::new();
    let value = captured(&project, &off.url(), "web");
    assert!(
        blind(&value, "web").contains("performance_schema = ON"),
        "MariaDB ships so: {}",
        blind(&value, "web")
    );
    assert_eq!(value["databases"][0]["tables"][0]["name"], "t", "sizes are there all the same");

    let Some(server) = required("MariaDB", MariaDb::start("performance_schema = ON")) else { return };
    check_digests(&server);
}

/// `scripts/test --matrix` names one; MySQL counts as it is shipped.
#[test]
fn mysql_has_digests_that_are_captured() {
    if let Some(server) = mariadb().filter(|server| server.is_mysql()) {
        check_digests(server);
    }
}

/// Queries that are counted, without their literals, and what becomes of them.
fn check_digests(server: &MariaDb) {
    let database = server.fresh_database();
    database.mysql("create table t (id int primary key, name varchar(20), old text)");
    for n in 1..4 {
        database.mysql(&format!("insert into t (id, name) values ({n}, 'hunter2'); select old from t where name in ('hunter2', \"hunter2\")"));
    }
    database.mysql("insert into t values (9, 'hunter2', 'hunter2')");
    let project = Project::with_migrations(&[
        ("1_t.up.sql", "create table t (id int primary key, name varchar(20), old text);"),
        ("2_t.up.sql", "alter table t drop column old;"),
    ]);
    let value = captured(&project, &database.url(), "web");
    let text = project.read("twostep.evidence.json");
    assert!(!text.contains("hunter"), "{text}");
    let queries = value["queries"].as_array().unwrap();
    let of = |word: &str| {
        let found = queries.iter().find(|query| query["sql"].as_str().unwrap().contains(word));
        found.unwrap_or_else(|| panic!("{word}: {text}"))
    };
    assert_eq!(of("IN (...)")["seen"][0]["calls"], 3, "{text}");
    let facts = &value["databases"][0];
    assert_eq!(facts["settings"]["performance_schema"], "ON");
    assert_eq!(facts["tables"][0]["name"], "t");
    assert!(facts["tables"][0]["reads"].as_u64().unwrap() > 0, "{facts}");
    let compat = project.twostep(&["compat", "--format", "json"]).run().expect(1);
    let report: Value = serde_json::from_str(&compat.stdout).unwrap();
    let verdict = |word: &str| {
        let rows = report["queries"].as_array().unwrap();
        let row = rows.iter().find(|row| row["sql"].as_str().unwrap().contains(word));
        let row = row.unwrap_or_else(|| panic!("{word}: {}", compat.stdout));
        row["verdicts"][0]["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(verdict("IN (...)"), "fails");
    assert_eq!(verdict("name ) VALUES"), "works", "{}", compat.stdout);
    assert_ne!(verdict("`t` VALUES"), "works", "{}", compat.stdout);

    // Who may not look is told so.
    server.mysql(
        "",
        &format!("create user poor identified by 'x'; grant select on {}.* to poor", database.name),
    );
    let value = captured(&project, &server.url_as("poor", "x", &database.name), "poor");
    assert!(
        blind(&value, "poor").contains("GRANT SELECT ON performance_schema"),
        "{}",
        blind(&value, "poor")
    );
}
