//! The network breaks at each message of a run, in each way in which it can.

use super::scene::{Place, Scene};
use super::{Tally, at_messages, chosen, is_long, mariadb, messages, postgres, row_time};
use crate::proxy::{Harm, Protocol, Proxy};
use crate::servers::{self, required};

/// Each way in which a connection can break, and come back at once.
const HARMS: &[(Harm, &str)] = &[
    (Harm::Drop, "connection broken before a message"),
    (Harm::CutMessage, "connection broken within a message"),
    (Harm::LoseAnswer, "answer lost, also to COMMIT"),
    (Harm::CutAnswer, "connection broken within an answer"),
    (Harm::HalfClose, "half-closed connection"),
];

/// Breaks the connection at each message; the network is there again at once, unless it `stays_away`.
fn at_each_message(scene: &Scene<'_>, proxy: &Proxy, harm: Harm, name: &'static str, few: usize) {
    let plan = |message, _: &Place<'_>| proxy.plan(harm, message, false);
    at_messages(scene, proxy, name, &|_| true, few, &plan);
}

/// A slow network changes nothing but the time.
fn slowly(scene: &Scene<'_>, proxy: &Proxy) {
    let mut tally = Tally::new("slow network, messages in pieces", scene, 1);
    let place = scene.place();
    proxy.plan(Harm::Slow, 1, false);
    let outcome = scene.run(&proxy.url(&place.url)).run().expect(0);
    scene.is_at_its_end(&place, "slowly", &outcome.stderr);
    tally.survived();
}

/// The network breaks and stays away: the run gives up after its time, and says what holds.
fn for_good(scene: &Scene<'_>, protocol: Protocol, port: u16) {
    let proxy = Proxy::start(protocol, port);
    let messages = messages(scene, &proxy);
    // Those at which most hangs: a commit, and what runs outside a transaction.
    // Of a long message only the start is kept: commits begin with a look whether the lock is still there.
    let words = ["COMMIT", "RELEASE SAVEPOINT", "CASE WHEN current_user", "concurrently"];
    let matters = |message: &&String| words.iter().any(|word| message.contains(word));
    // Which of them it is, and not which of all messages: signs of life come in between.
    let places = messages.iter().filter(matters).count();
    // Each of them needs half a minute.
    let most = if row_time().is_some() { 4 } else { usize::MAX };
    let tried: Vec<usize> = chosen(places, 1).take(most).collect();
    let mut tally = Tally::new("network gone for good behind a COMMIT", scene, places);
    for four in tried.chunks(4) {
        let running: Vec<_> = four
            .iter()
            .map(|nth| {
                let (place, proxy) = (scene.place(), Proxy::start(protocol, port));
                proxy.plan_among(Harm::LoseAnswer, &words, *nth, true);
                let running = scene.run(&proxy.url(&place.url)).spawn();
                (place, proxy, running, nth)
            })
            .collect();
        for (place, proxy, running, nth) in running {
            let disturbed = running.wait();
            let said = proxy.seen();
            let what = format!("gone behind commit {nth} ({})", said.last().map_or("", String::as_str));
            if !proxy.is_done() {
                // A backfill on a server that is quicker this time has fewer chunks.
                assert_eq!(disturbed.code(), 0, "{what}: {}", disturbed.stderr);
                scene.is_at_its_end(&place, &what, &disturbed.stderr);
                continue;
            }
            assert_ne!(disturbed.code(), 0, "{what}: nobody could know\n{}", disturbed.stderr);
            scene.is_honest(&place, &disturbed, &what);
            scene.completes(&place, &what, &disturbed.stderr);
            tally.survived();
        }
    }
}

/// The connection breaks where the run writes that it begins, or that answer is lost, and again at each message by which it
/// is opened anew: a run that has tries left goes on by itself, and is written of once.
fn twice(scene: &Scene<'_>, proxy: &Proxy, ask: &dyn Fn(&str, &str) -> String, few: usize) {
    let messages = messages(scene, proxy);
    let begins = messages.iter().position(|said| said.contains("backend_started, started_at, heartbeat_at)"));
    let begins = begins.expect("a run writes that it begins") + 1;
    let mut tally = Tally::new("connection broken again while it is opened anew", scene, 24);
    for number in chosen(24, few) {
        let harm = if number % 2 == 0 { Harm::Drop } else { Harm::LoseAnswer };
        let behind = number.div_ceil(2);
        let place = scene.place();
        proxy.plan_all(&[(harm, begins), (Harm::Drop, begins + behind)], false);
        let disturbed = scene.run(&proxy.url(&place.url)).run();
        let what = format!("{harm:?} at {begins}, and broken {behind} messages later");
        assert!(proxy.is_done(), "{what}: it ended before\n{}", disturbed.stderr);
        assert_eq!(disturbed.code(), 0, "{what}\n{}", disturbed.stderr);
        scene.is_at_its_end(&place, &what, &disturbed.stderr);
        assert_eq!(ask(&place.name, "outcome is null"), "0", "{what}: a run that nobody ended");
        assert_eq!(ask(&place.name, "command = 'migrate'"), "1", "{what}: written of twice");
        tally.survived();
    }
}

#[test]
fn postgres_network_twice() {
    let Some(server) = required("PostgreSQL", servers::postgres()) else { return };
    let proxy = Proxy::start(Protocol::Postgres, server.port());
    let ask = |name: &str, which: &str| {
        server.psql(name, &format!("select count(*) from twostep.run where {which}"))
    };
    twice(&postgres::scene(server, "migrate"), &proxy, &ask, 3);
}

#[test]
fn mariadb_network_twice() {
    let Some(server) = servers::mariadb() else { return };
    let proxy = Proxy::start(Protocol::Mysql, server.port());
    let ask = |name: &str, which: &str| {
        server.mysql(name, &format!("select count(*) from twostep_run where {which}"))
    };
    twice(&mariadb::scene(server, "migrate"), &proxy, &ask, 3);
}

#[test]
fn postgres_network() {
    let Some(server) = required("PostgreSQL", servers::postgres()) else { return };
    let proxy = Proxy::start(Protocol::Postgres, server.port());
    for command in postgres::COMMANDS {
        let scene = postgres::scene(server, command);
        for (harm, name) in HARMS {
            at_each_message(&scene, &proxy, *harm, name, 2);
        }
        slowly(&scene, &proxy);
    }
}

#[test]
fn postgres_network_for_good() {
    let Some(server) = required("PostgreSQL", servers::postgres()) else { return };
    for command in postgres::COMMANDS.iter().take(if is_long() { 4 } else { 1 }) {
        for_good(&postgres::scene(server, command), Protocol::Postgres, server.port());
    }
}

#[test]
fn mariadb_network() {
    let Some(server) = servers::mariadb() else { return };
    let proxy = Proxy::start(Protocol::Mysql, server.port());
    for command in mariadb::COMMANDS {
        let scene = mariadb::scene(server, command);
        for (harm, name) in HARMS {
            at_each_message(&scene, &proxy, *harm, name, 2);
        }
        slowly(&scene, &proxy);
    }
}

#[test]
fn mariadb_network_for_good() {
    let Some(server) = servers::mariadb() else { return };
    for command in mariadb::COMMANDS.iter().take(if is_long() { 4 } else { 1 }) {
        for_good(&mariadb::scene(server, command), Protocol::Mysql, server.port());
    }
}
