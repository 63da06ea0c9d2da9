//! Behind PgBouncer: a session of one's own works, anything less is refused with what to do, and leaves nothing behind on
//! the sessions that others are given.

use crate::client::Client;
use crate::complaint::complaint;
use crate::proxy::{Harm, Protocol, Proxy};
use crate::servers::{self, PgBouncer, PoolMode, pgbouncer, postgres, postgres::Database};
use crate::twostep::Project;

fn project() -> Project {
    Project::with_migrations(&[
        ("1_t.up.sql", "create table t (id int);"),
        ("2_i.up.sql", "-- twostep: no-transaction\ncreate index concurrently t_id on t (id);"),
    ])
}

/// All sessions that the pooler has on the server are as they were when they were opened. Four is its limit.
fn nothing_is_left(url: &str, database: &Database<'_>) {
    let mut clients: Vec<Client> = (0..4).map(|_| Client::connect(url, "")).collect();
    for client in &mut clients {
        client.run("begin");
    }
    for client in &mut clients {
        for setting in [
            "lock_timeout",
            "statement_timeout",
            "idle_in_transaction_session_timeout",
            "client_connection_check_interval",
        ] {
            assert_eq!(client.text(&format!("show {setting}")), "0", "{setting}");
        }
    }
    let locks = "select count(*) from pg_locks where locktype = 'advisory' and database = \
                 (select oid from pg_database where datname = current_database())";
    assert_eq!(database.psql(locks), "0");
}

#[test]
fn a_session_of_ones_own_works() {
    let (Some(server), Some(pooler)) = (postgres(), pgbouncer(PoolMode::Session)) else { return };
    let database = server.fresh_database();
    let url = pooler.url(&database.name);
    let project = project();
    for _ in 0..2 {
        project.on(&url, &["migrate"]).run().expect(0);
    }
    let status = project.on(&url, &["status", "--exit-code"]).run().expect(0);
    assert!(status.stdout.contains("2 applied, 0 pending"), "{}", status.stdout);
    nothing_is_left(&url, &database);
}

#[test]
fn less_than_a_session_is_refused() {
    let Some(server) = postgres() else { return };
    for (mode, through_it) in [(PoolMode::Transaction, true), (PoolMode::Statement, false)] {
        let Some(pooler) = pgbouncer(mode) else { return };
        let database = server.fresh_database();
        let url = pooler.url(&database.name);
        // Others have sessions open on the server, and release them.
        let busy: Vec<Client> = (0..3).map(|_| Client::connect(&url, "")).collect();
        drop(busy);
        let project = project();
        project.write("seeds/1.sql", "select 1;");
        let before = database.contents();
        for command in [&["migrate"][..], &["db", "seed"], &["unlock"], &["resolve", "1", "--applied"]] {
            let outcome = project.on(&url, command).run().expect(9);
            let state = complaint(&outcome);
            assert!(state.contains("nothing changed"), "{state}");
            for part in ["pooler", "--direct-url", "TWOSTEP_DIRECT_URL"] {
                assert!(outcome.stderr.contains(part), "{command:?}: `{part}` is not in\n{}", outcome.stderr);
            }
        }
        assert_eq!(database.contents(), before);
        if through_it {
            nothing_is_left(&url, &database);
        }

        // Past the pooler it works; and where nothing is to be done, through it too.
        project.on(&url, &["migrate"]).env("TWOSTEP_DIRECT_URL", database.url()).run().expect(0);
        project.on(&url, &["migrate", "--direct-url", &database.url()]).run().expect(0);
        let done = project.on(&url, &["migrate"]).run().expect(0);
        assert!(done.stderr.contains("is up to date"), "{}", done.stderr);
        project.on(&url, &["status", "--exit-code"]).run().expect(0);
    }
}

/// A pooler may keep no prepared statements for its clients, or few (`max_prepared_statements`): a run has none. That no
/// message prepares, binds or executes one holds for every pooler.
#[test]
fn a_run_prepares_nothing() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let proxy = Proxy::start(Protocol::Postgres, server.port());
    let url = proxy.url(&database.url());
    let project = Project::with_migrations(&[
        ("1_t.up.sql", "create table t (id int primary key, n int);\ninsert into t values (1, 1);"),
        ("1_t.down.sql", "drop table t;"),
        ("2_i.up.sql", "-- twostep: no-transaction\ncreate index concurrently t_n on t (n);"),
        ("2_i.down.sql", "-- twostep: no-transaction\ndrop index concurrently t_n;"),
        ("3_f.up.sql", "-- twostep: no-transaction\n-- twostep: backfill\nupdate t set n = 1;"),
        ("3_f.down.sql", "select 1;"),
        ("4_c.up.sql", "copy t from stdin;\n2\t2\n\\.\n"),
        ("4_c.down.sql", "delete from t where id = 2;"),
    ]);
    project.write("seeds/1.sql", "select 1;");
    proxy.plan(Harm::Drop, usize::MAX, false);
    for command in [
        &["status"][..],
        &["migrate"],
        &["migrate"],
        &["db", "seed"],
        &["resolve"],
        &["unlock"],
        &["release", "confirm", "--release", "r"],
        &["rollback", "--all"],
    ] {
        let outcome = project.on(&url, command).run();
        assert!([0, 1].contains(&outcome.code()), "{command:?}: {}", outcome.stderr);
    }
    let seen = proxy.seen();
    // By its first letter: https://www.postgresql.org/docs/current/protocol-message-formats.html
    let of_kind =
        |kinds: &str| seen.iter().filter(|message| message.starts_with(|c: char| kinds.contains(c))).count();
    assert!(of_kind("Q") > 50, "{} messages", seen.len());
    assert_eq!(of_kind("PBE"), 0, "{seen:#?}");
}

/// Poolers that do keep prepared statements (PgBouncer 1.21 and later), with each limit, in each mode: a run is safe
/// through it or refused, leaves nothing behind, and the statements that the application keeps there stay.
#[test]
fn limits_of_prepared_statements() {
    let Some(server) = postgres() else { return };
    if !PgBouncer::keeps_prepared_statements() {
        // What `a_run_prepares_nothing` shows holds for any of them.
        servers::tell("limits of prepared statements: PgBouncer here is older than 1.21, which keeps none\n");
        return;
    }
    let limits = [0, 1, 10, 200];
    for limit in limits {
        for mode in [PoolMode::Session, PoolMode::Transaction, PoolMode::Statement] {
            let settings = format!("max_prepared_statements = {limit}\n");
            let pooler = PgBouncer::start(server, mode, &settings).expect("it is on this machine");
            under_a_limit(server, &pooler, mode, limit);
        }
    }
    let version = PgBouncer::version().expect("it says its version");
    servers::tell(&format!(
        "poolers: PgBouncer {version}, 3 modes with {} limits of prepared statements each: safe or refused\n",
        limits.len()
    ));
}

fn under_a_limit(server: &'static servers::Postgres, pooler: &PgBouncer, mode: PoolMode, limit: u32) {
    let database = server.fresh_database();
    let url = pooler.url(&database.name);
    let own_session = matches!(mode, PoolMode::Session);
    // Two statements that the application keeps, where the pooler keeps them for it.
    let mut application = (own_session || (matches!(mode, PoolMode::Transaction) && limit > 0))
        .then(|| Client::connect(&url, "app"));
    let mut work = || {
        for sql in ["select 1", "select 2", "select 1"] {
            if let Some(application) = &mut application {
                application.try_prepared(sql).unwrap_or_else(|error| panic!("limit {limit}: {error}"));
            }
        }
    };
    work();
    let project = project();
    project.write_migrations(&[
        ("1_t.up.sql", "create table t (id int primary key);"),
        ("1_t.down.sql", "drop table t;"),
        ("2_i.down.sql", "-- twostep: no-transaction\ndrop index concurrently t_id;"),
        ("3_f.up.sql", "-- twostep: no-transaction\n-- twostep: backfill\nupdate t set id = 1;"),
        ("3_f.down.sql", "select 1;"),
    ]);
    database.psql("create table before_it (i int)");
    let before = database.contents();
    for command in [&["migrate"][..], &["rollback", "--all"], &["backfill"]] {
        if own_session {
            continue;
        }
        if command[0] != "migrate" {
            project.on(&database.url(), &["migrate", "--to", "2"]).run().expect(0);
        }
        let refused = project.on(&url, command).run().expect(9);
        assert!(complaint(&refused).contains("nothing changed"), "{}", refused.stderr);
        assert!(refused.stderr.contains("--direct-url"), "{command:?}: {}", refused.stderr);
        if command[0] == "migrate" {
            assert_eq!(database.contents(), before);
        }
        work();
    }
    let past_it = database.url();
    let direct: &[&str] = if own_session { &[] } else { &["--direct-url", &past_it] };
    for command in [&["migrate"][..], &["rollback", "--all"], &["migrate", "--to", "2"], &["backfill"]] {
        project.on(&url, &[command, direct].concat()).run().expect(0);
        work();
    }
    // Where nothing is to be done, through it as well.
    project.on(&url, &["migrate"]).run().expect(0);
    project.on(&url, &["status", "--exit-code"]).run().expect(0);
    let doctor = project.on(&url, &["doctor"]).run();
    assert!([0, 1].contains(&doctor.code()), "{}", doctor.stderr);
    assert_eq!(doctor.stdout.contains("--direct-url"), !own_session, "{}", doctor.stdout);
    drop(application);
    if !matches!(mode, PoolMode::Statement) {
        nothing_is_left(&url, &database);
    }
}
