//! A machine that is lost without a word: no packet of it arrives any more, and nobody closes its connections. Another run
//! ends what is left of it after a minute, and goes on.

use std::time::Duration;

use super::scene::Scene;
use super::{Tally, chosen, is_long, mariadb, postgres};
use crate::proxy::{Harm, Protocol, Proxy};
use crate::servers;
use crate::twostep::Running;
use crate::wait;

/// Silence at some messages, all at the same time: each needs its minute.
fn silent(scene: &Scene<'_>, protocol: Protocol, port: u16) {
    let proxy = Proxy::start(protocol, port);
    let place = scene.place();
    proxy.plan(Harm::Drop, usize::MAX, false);
    scene.run(&proxy.url(&place.url)).run().expect(0);
    let messages = proxy.seen();
    let mut tally = Tally::new("machine lost without a word", scene, messages.len());
    // Among them the one behind the lock, when the run has not written of itself yet.
    let lock = messages.iter().position(|said| said.contains("GET_LOCK") || said.contains("try_advisory"));
    let mut places = chosen(messages.len(), 2);
    places.push(lock.expect("a run takes a lock") + 2);
    let tried: Vec<_> = places
        .into_iter()
        .map(|message| {
            let (place, proxy) = (scene.place(), Proxy::start(protocol, port));
            proxy.plan(Harm::Silence, message, false);
            let lost = scene.run(&proxy.url(&place.url)).spawn();
            wait::until_true("it is lost", Duration::from_secs(60), || proxy.is_done());
            lost.signal("KILL");
            lost.wait();
            let next = scene.run(&place.url).spawn();
            (place, proxy, next, message)
        })
        .collect();
    for (place, proxy, next, message) in tried {
        let outcome = Running::wait(next);
        let what = format!("silent from message {message} ({})", messages[message - 1]);
        assert_eq!(outcome.code(), 0, "{what}\n{}", outcome.stderr);
        // Sessions of the lost one that hold nothing stay until the server's keepalive.
        drop(proxy);
        scene.is_at_its_end(&place, &what, &outcome.stderr);
        tally.survived();
    }
}

#[test]
fn postgres_silence() {
    let Some(server) = servers::postgres() else { return };
    for command in postgres::COMMANDS.iter().take(if is_long() { 4 } else { 1 }) {
        silent(&postgres::scene(server, command), Protocol::Postgres, server.port());
    }
}

#[test]
fn mariadb_silence() {
    let Some(server) = servers::mariadb() else { return };
    for command in mariadb::COMMANDS.iter().take(if is_long() { 4 } else { 1 }) {
        silent(&mariadb::scene(server, command), Protocol::Mysql, server.port());
    }
}
