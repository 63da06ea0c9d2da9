//! The look before a contract: does anybody still need what it takes away? `release confirm` takes it before it writes
//! that a release is live, and a run before it applies a contract: meanwhile older code may have come back.

use super::contracts::{Contracts, Gate, may_contract};
use super::journal::History;
use super::pending;
use super::task::Goal;
use crate::analysis::analyze;
use crate::compat::gate::{Answer, Counts, Releases};
use crate::db::error::DbError;
use crate::db::evidence::gate::{Question, Seen, counts, look};
use crate::db::session::Session;
use crate::schema::model::Schema;
use crate::source::{Folder, Kind, Migration, Phase};
use std::time::Duration;

/// Looks, where there is a contract that is not applied; none where there is none. `release`: the one that is, or is
/// about to be, live. `watch`: how long to watch whether what the contracts break is called, where the server counts.
pub async fn asked(
    session: &mut dyn Session,
    folder: &Folder,
    history: &History,
    release: Option<&str>,
    watch: Duration,
) -> Result<Option<Seen>, DbError> {
    let is_applied = |one: &&Migration| history.get(&one.version).is_some();
    let waits = |one: &&Migration| one.phase() == Some(Phase::Contract) && !is_applied(one);
    if !folder.migrations.iter().any(|one| waits(&one)) {
        return Ok(None);
    }
    let versioned = || folder.migrations.iter().filter(|one| one.kind == Kind::Versioned);
    let schema = |chosen: &dyn Fn(&&Migration) -> bool| {
        let scripts = versioned().filter(chosen).map(|one| &one.up);
        analyze(scripts, Schema::new(session.dialect())).end
    };
    let (before, after) = (schema(&is_applied), schema(&|one| is_applied(one) || waits(one)));
    let (mut older, mut live) = releases(folder, history);
    if let Some(release) = release {
        older.retain(|id| id != release);
        live.push(release.to_owned());
    }
    let known = Releases { live: &live, older: &older, pooled: false };
    let question = Question { before: &before, after: &after, then: None, releases: known };
    let seen = look(session, question).await?;
    // Old code has called it since the first step, while it was still there: what counts is whether it goes on.
    let may_be_called = seen.calls.answer == Answer::CannotTell && !watch.is_zero();
    let then = if may_be_called { counts(session).await? } else { Counts::default() };
    if then.calls.is_empty() {
        return Ok(Some(seen));
    }
    tokio::time::sleep(watch).await;
    let watched = look(session, Question { then: Some(&then), ..question }).await?;
    Ok(Some(if watched.calls.answer == Answer::Yes { watched } else { seen }))
}

/// The releases that have applied nothing since the first steps of what waits, and the others.
fn releases(folder: &Folder, history: &History) -> (Vec<String>, Vec<String>) {
    let is_first = |one: &&Migration| one.phase() == Some(Phase::Expand);
    let waiting = |at: usize| {
        let one = &folder.migrations[at];
        one.phase() == Some(Phase::Contract) && history.get(&one.version).is_none()
    };
    let first = (0..folder.migrations.len()).find(|at| waiting(*at)).unwrap_or(0);
    // The first steps just before it.
    let steps = folder.migrations[..first].iter().rev().take_while(is_first);
    let since = steps.filter_map(|one| history.get(&one.version)).map(|row| row.sequence).min();
    let (mut older, mut later) = (Vec::new(), Vec::new());
    for row in &history.applied {
        let Some(id) = &row.release else { continue };
        let is_later = since.is_none_or(|since| row.sequence >= since);
        let list = if is_later { &mut later } else { &mut older };
        if !list.contains(id) {
            list.push(id.clone());
        }
    }
    older.retain(|id| !later.contains(id));
    (older, later)
}

/// `goal`, with what is seen of those who need what its contracts take away. What cannot be asked leaves it as it is.
pub(crate) async fn seen(
    session: &mut dyn Session,
    folder: &Folder,
    history: &History,
    goal: &Goal,
    release: Option<&str>,
) -> Goal {
    let mut goal = goal.clone();
    let Goal::Migrate(wanted) = &mut goal else { return goal };
    if wanted.contracts == Contracts::Hold || history.applied.is_empty() {
        return goal;
    }
    let pending = pending::compare(folder, history, wanted.to.as_ref()).pending;
    if !may_contract(folder, history, &pending) {
        return goal;
    }
    wanted.gate = match asked(session, folder, history, release, Duration::ZERO).await {
        Ok(Some(seen)) => gate(&seen, is_next(folder, history, release)),
        Ok(None) => Gate::Unknown,
        Err(error) => {
            tracing::warn!("who still needs what a contract takes away could not be asked: {error}");
            Gate::Unknown
        }
    };
    goal
}

/// Whether `release` comes behind those that brought the first steps: while one of these is rolled out, code of before
/// may be running without a session.
fn is_next(folder: &Folder, history: &History, release: Option<&str>) -> bool {
    let first_steps = folder.migrations.iter().filter(|one| one.phase() == Some(Phase::Expand));
    let mut rows = first_steps.filter_map(|one| history.get(&one.version));
    release.is_some() && rows.all(|row| row.release.is_some() && row.release.as_deref() != release)
}

/// What was seen as what it means for a contract.
fn gate(seen: &Seen, is_next: bool) -> Gate {
    let needs = [&seen.sessions, &seen.calls].into_iter().filter(|reply| reply.answer == Answer::Yes);
    let why: Vec<&str> = needs.flat_map(|reply| &reply.why).map(String::as_str).collect();
    if !why.is_empty() {
        return Gate::Closed(why.join("; "));
    }
    let alone = seen.sessions.answer == Answer::No && seen.is_live;
    if alone && is_next { Gate::Open } else { Gate::Unknown }
}
