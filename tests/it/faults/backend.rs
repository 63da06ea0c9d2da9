//! The server ends the sessions of a run at each message, before it or while it works on it; and the server itself is stopped
//! at once, and started again.

use super::scene::{Place, Scene};
use super::{at_messages, is_long, mariadb, postgres};
use crate::proxy::{Protocol, Proxy};
use crate::servers::{self, MariaDb, Postgres, postgres::Recipe, required};

/// What is done to the server, given the name of the scene's database.
type Act<'a> = &'a dyn Fn(&str) -> Box<dyn FnOnce() + Send>;

/// Acts at each message, before it or beside it. The run goes on by itself, or says what holds.
fn at_each_message(
    scene: &Scene<'_>,
    proxy: &Proxy,
    act: Act<'_>,
    name: &'static str,
    beside: bool,
    few: usize,
) {
    // Behind a message that says good-bye, nobody waits for anything.
    let matters = |message: &str| !["X", ""].contains(&message);
    let plan = |message, place: &Place<'_>| proxy.plan_act(beside, message, act(&place.name));
    at_messages(scene, proxy, name, &matters, few, &plan);
}

/// Each way of a server to end a session.
const ENDED: [(&str, bool); 2] =
    [("session ended by the server before a message", false), ("session ended by the server at work", true)];

/// Each time at which a server crashes.
const CRASHED: [(&str, bool); 2] = [
    ("server crashed before a message, and restarted", false),
    ("server crashed at work, and restarted", true),
];

fn end_on_postgres(server: &'static Postgres, name: &str) -> Box<dyn FnOnce() + Send> {
    let sql = format!(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}' \
         and application_name like 'twostep%'"
    );
    Box::new(move || drop(server.psql("postgres", &sql)))
}

fn end_on_mariadb(server: &'static MariaDb, name: &str) -> Box<dyn FnOnce() + Send> {
    let sessions = format!("select id from information_schema.processlist where db = '{name}'");
    Box::new(move || {
        for id in server.mysql("", &sessions).lines() {
            // It may have ended by itself.
            server.try_mysql("", &format!("kill {id}")).ok();
        }
    })
}

#[test]
fn postgres_sessions_ended() {
    let Some(server) = required("PostgreSQL", servers::postgres()) else { return };
    let proxy = Proxy::start(Protocol::Postgres, server.port());
    for command in postgres::COMMANDS {
        let scene = postgres::scene(server, command);
        for (name, beside) in ENDED {
            at_each_message(&scene, &proxy, &|name| end_on_postgres(server, name), name, beside, 2);
        }
    }
}

#[test]
fn mariadb_sessions_ended() {
    let Some(server) = servers::mariadb() else { return };
    let proxy = Proxy::start(Protocol::Mysql, server.port());
    for command in mariadb::COMMANDS {
        let scene = mariadb::scene(server, command);
        for (name, beside) in ENDED {
            at_each_message(&scene, &proxy, &|name| end_on_mariadb(server, name), name, beside, 2);
        }
    }
}

/// The commands that are tried with a crash, which takes seconds.
fn crashed_at(commands: &'static [&'static str]) -> impl Iterator<Item = &'static &'static str> {
    commands.iter().take(if is_long() { usize::MAX } else { 1 })
}

#[test]
fn postgres_crashed() {
    // What was committed has to be there after a crash.
    let recipe =
        Recipe { settings: "synchronous_commit = on".to_owned(), restarts: true, ..Recipe::default() };
    let Some(server) = required("PostgreSQL", Postgres::start_as(&recipe)) else { return };
    let server: &'static Postgres = Box::leak(Box::new(server));
    let proxy = Proxy::start(Protocol::Postgres, server.port());
    for command in crashed_at(postgres::COMMANDS) {
        let scene = postgres::scene(server, command);
        for (name, beside) in CRASHED {
            at_each_message(&scene, &proxy, &|_| Box::new(|| server.crash()), name, beside, 2);
        }
    }
}

#[test]
fn mariadb_crashed() {
    let durable = "innodb-flush-log-at-trx-commit = 1\ninnodb-doublewrite = 1";
    let Some(server) = required("MariaDB", MariaDb::start_as(durable, true)) else { return };
    let server: &'static MariaDb = Box::leak(Box::new(server));
    let proxy = Proxy::start(Protocol::Mysql, server.port());
    for command in crashed_at(mariadb::COMMANDS) {
        let scene = mariadb::scene(server, command);
        for (name, beside) in CRASHED {
            at_each_message(&scene, &proxy, &|_| Box::new(|| server.crash()), name, beside, 2);
        }
    }
}
