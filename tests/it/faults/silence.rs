//! A machine that is lost without a word: no packet of it arrives any more, and nobody closes its connections. Another run
//! ends what is left of it after a minute, and goes on.

use std::time::Duration;

use super::scene::Scene;
use super::{Tally, chosen, is_long, mariadb, postgres, row_time};
use crate::proxy::{Harm, Protocol, Proxy};
use crate::servers;
use crate::twostep::Running;
use crate::wait;

/// So many runs wait for their minute at the same time.
const AT_ONCE: usize = 10;

/// Silence at some messages, several at the same time: each needs its minute.
fn silent(scene: &Scene<'_>, protocol: Protocol, port: u16) {
    let proxy = Proxy::start(protocol, port);
    let place = scene.place();
    proxy.plan(Harm::Drop, usize::MAX, false);
    scene.run(&proxy.url(&place.url)).run().expect(0);
    let messages = proxy.seen();
    let mut tally = Tally::new("machine lost without a word", scene, messages.len());
    // Among them the one behind the lock, when the run has not written of itself yet.
    let lock = messages.iter().position(|said| said.contains("GET_LOCK") || said.contains("try_advisory"));
    let mut places: Vec<usize> = chosen(messages.len(), 2).collect();
    places.insert(0, lock.expect("a run takes a lock") + 2);
    let batches = if row_time().is_some() { 1 } else { usize::MAX };
    for batch in places.chunks(AT_ONCE).take(batches) {
        silent_at(scene, protocol, port, &messages, batch, &mut tally);
    }
}

fn silent_at(
    scene: &Scene<'_>,
    protocol: Protocol,
    port: u16,
    messages: &[String],
    places: &[usize],
    tally: &mut Tally,
) {
    let tried: Vec<_> = places
        .iter()
        .copied()
        .map(|message| {
            let (place, proxy) = (scene.place(), Proxy::start(protocol, port));
            proxy.plan(Harm::Silence, message, false);
            let mut lost = scene.run(&proxy.url(&place.url)).spawn();
            // A backfill on a server that is quicker this time has fewer chunks, and may end before.
            wait::until_true("it is lost", Duration::from_secs(60), || proxy.is_done() || lost.is_over());
            if !lost.is_over() {
                lost.signal("KILL");
            }
            lost.wait();
            let next = scene.run(&place.url).spawn();
            (place, proxy, next, message)
        })
        .collect();
    for (place, proxy, next, message) in tried {
        let outcome = Running::wait(next);
        let what = format!("silent from message {message} ({})", messages[message - 1]);
        assert_eq!(outcome.code(), 0, "{what}\n{}", outcome.stderr);
        let was_lost = proxy.is_done();
        // Sessions of the lost one that hold nothing stay until the server's keepalive.
        drop(proxy);
        scene.is_at_its_end(&place, &what, &outcome.stderr);
        if was_lost {
            tally.survived();
        }
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
