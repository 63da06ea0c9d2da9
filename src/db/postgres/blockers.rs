//! Sessions that are in the way, as people read them.

use crate::db::session::{Blocker, Row};

/// Describes the sessions of `locks` (columns `pid`, `mode`, `target`). Other roles' queries are hidden from a role without
/// rights, their `application_name` is not.
pub(super) fn blocker_query(locks: &str) -> String {
    format!(
        "SELECT DISTINCT ON (a.pid) a.pid, COALESCE(NULLIF(a.application_name, ''), a.usename, a.backend_type), \
         a.state, EXTRACT(epoch FROM pg_catalog.now() - COALESCE(a.xact_start, a.query_start, a.backend_start))::int8, \
         l.mode, a.backend_type = 'autovacuum worker', l.target \
         FROM ({locks}) l JOIN pg_catalog.pg_stat_activity a USING (pid) \
         WHERE a.pid <> pg_catalog.pg_backend_pid() ORDER BY a.pid"
    )
}

pub(super) fn blocker(row: &Row) -> Blocker {
    let age = row.number(3).unwrap_or(0);
    let age = if age >= 120 { format!("{} min", age / 60) } else { format!("{age} s") };
    let state = row.get(2).unwrap_or("state hidden");
    let mode = row.text(4).trim_end_matches("Lock");
    let on = row.get(6).map_or_else(String::new, |target| format!(" on {target}"));
    let holding = if mode.is_empty() { String::new() } else { format!(", holds {}{on}", spaced(mode)) };
    Blocker {
        pid: row.number(0).unwrap_or(0),
        application: row.text(1).to_owned(),
        doing: format!("{state}, {age} old{holding}"),
        autovacuum: row.is_true(5),
    }
}

/// `AccessExclusive` as the manual writes it: `ACCESS EXCLUSIVE`.
fn spaced(mode: &str) -> String {
    let mut out = String::new();
    for character in mode.chars() {
        if character.is_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.extend(character.to_uppercase());
    }
    out
}

/// The modes that conflict with `mode`: <https://www.postgresql.org/docs/current/explicit-locking.html>, table 13.2.
pub(super) fn conflicting_modes(mode: &str) -> &'static [&'static str] {
    const ALL: [&str; 8] = [
        "AccessShareLock",
        "RowShareLock",
        "RowExclusiveLock",
        "ShareUpdateExclusiveLock",
        "ShareLock",
        "ShareRowExclusiveLock",
        "ExclusiveLock",
        "AccessExclusiveLock",
    ];
    const SHARE: [&str; 5] = [
        "RowExclusiveLock",
        "ShareUpdateExclusiveLock",
        "ShareRowExclusiveLock",
        "ExclusiveLock",
        "AccessExclusiveLock",
    ];
    match mode {
        "ACCESS SHARE" => &ALL[7..],
        "ROW SHARE" => &ALL[6..],
        "ROW EXCLUSIVE" => &ALL[4..],
        "SHARE UPDATE EXCLUSIVE" => &ALL[3..],
        "SHARE" => &SHARE,
        "SHARE ROW EXCLUSIVE" => &ALL[2..],
        "EXCLUSIVE" => &ALL[1..],
        _ => &ALL,
    }
}
