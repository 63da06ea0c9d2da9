//! The look before a release is said to be live alone: does anybody still need what its contracts take away?

use crate::analysis::analyze;
use crate::cli::exit::Exit;
use crate::cli::printer::{Report, visible};
use crate::compat::gate::{Answer, Releases};
use crate::db::error::DbError;
use crate::db::evidence::gate::{Question, Seen, look};
use crate::db::session::Session;
use crate::run::journal::History;
use crate::schema::model::Schema;
use crate::source::{Folder, Kind, Migration, Phase};

/// Looks, where there is a contract that a confirmed release would have applied; none where there is none.
pub async fn asked(
    session: &mut dyn Session,
    folder: &Folder,
    history: &History,
    release: &str,
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
    let (older, mut live) = releases(folder, history);
    live.push(release.to_owned());
    let older: Vec<String> = older.into_iter().filter(|id| id != release).collect();
    let known = Releases { live: &live, older: &older, pooled: false };
    look(session, Question { before: &before, after: &after, then: None, releases: known }).await.map(Some)
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

/// Why the release cannot be said to be live alone.
pub fn refused(seen: &Seen, release: &str) -> Option<Report> {
    if seen.worst() != Answer::Yes {
        return None;
    }
    let mut report = Report::new(
        Exit::Findings,
        format!(
            "release {} is not the only one that is live: its contracts would break others",
            visible(release)
        ),
    );
    for reply in [&seen.sessions, &seen.calls] {
        if reply.answer == Answer::Yes {
            report = reply.why.iter().fold(report, |report, why| report.why(visible(why)));
        }
    }
    Some(
        report
            .state("nothing changed; contracts stay held")
            .help("wait until they are gone, and run the same again")
            .help("if nobody needs what the contracts take away all the same: --anyway REASON"),
    )
}

/// What could not be told, one sentence each.
pub fn doubts(seen: &Seen) -> Vec<String> {
    let parts =
        [("older releases are connected", &seen.sessions), ("what breaks is still called", &seen.calls)];
    let doubtful = parts.into_iter().filter(|(_, reply)| reply.answer == Answer::CannotTell);
    doubtful
        .map(|(what, reply)| format!("whether {what} cannot be told: {}", visible(&reply.why.join("; "))))
        .collect()
}
