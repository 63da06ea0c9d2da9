//! The look that a contract's gate takes: does anybody still send what the contract breaks, and is anybody of an older
//! release still connected? Each answer is yes, no, or cannot tell, with the reason. Pure: `db::evidence::gate` asks.

use super::judge::Verdict;
use super::matrix::{Prepared, Stage, matrix};
use crate::dialect::Dialect;
use crate::engine::query::normal::normalize;
use crate::evidence::facts::Look;
use crate::schema::model::Schema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Programs of people and of servers, which no release brings.
const TOOLS: &[&str] = &[
    "psql",
    "pg_dump",
    "pg_restore",
    "pg_basebackup",
    "pgadmin",
    "dbeaver",
    "datagrip",
    "walreceiver",
    "twostep",
];
/// How many queries, or kinds of sessions, an answer names.
const NAMED: usize = 5;
/// Of a release's id, which may be long, so many characters are enough to know it by.
const ID_CHARS: usize = 7;

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// There is nobody.
    No,
    /// It cannot be told.
    CannotTell,
    /// There is somebody.
    Yes,
}

/// An answer and its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reply {
    /// The answer.
    pub answer: Answer,
    /// Why, one sentence each.
    pub why: Vec<String>,
}

impl Reply {
    fn new(answer: Answer, why: Vec<String>) -> Self {
        Self { answer, why }
    }
}

/// What a server had counted at some time: small enough to be kept where the first step of a deploy is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// When the counting began, in the server's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// How often entries had been thrown away.
    #[serde(default)]
    pub evicted: u64,
    /// Calls by query, without literals.
    pub calls: BTreeMap<String, u64>,
}

impl Counts {
    /// What `look` has counted.
    pub fn of(look: &Look, dialect: Dialect) -> Self {
        let mut calls: BTreeMap<String, u64> = BTreeMap::new();
        for sent in &look.sent {
            *calls.entry(normalize(&sent.sql, dialect)).or_default() += sent.calls.unwrap_or(0);
        }
        Self { since: look.counted_since.clone(), evicted: look.evicted, calls }
    }
}

/// Whether queries that work on `before` and break on `after` were called, since `then` was counted. Queries are broken
/// that fail or write wrongly; one of which that is not certain makes the answer not certain, if it was called.
pub fn calls(then: Option<&Counts>, now: &Look, before: &Schema, after: &Schema) -> Reply {
    let counts = Counts::of(now, before.dialect);
    let prepared: Vec<Prepared> = counts.calls.keys().map(|sql| Prepared::new(sql, before.dialect)).collect();
    let stage = Stage { label: String::new(), schema: after.clone() };
    let rows = matrix(&prepared, before, std::slice::from_ref(&stage)).rows;
    let (mut called, mut doubtful, mut undated) = (Vec::new(), Vec::new(), Vec::new());
    // After a reset everything that was counted is later than `then`.
    let then_calls = then.filter(|then| then.since == counts.since);
    for ((sql, calls), row) in counts.calls.iter().zip(rows) {
        let Some(judged) = row.into_iter().next() else { continue };
        let earlier = then_calls.and_then(|then| then.calls.get(sql)).copied().unwrap_or(0);
        let new = calls.saturating_sub(earlier);
        if new == 0 || matches!(judged.verdict, Verdict::Works | Verdict::OtherResult) {
            continue;
        }
        let why = judged.why.first().map(String::as_str).unwrap_or_default();
        let said = format!("{new} calls of `{}`: {why}", super::running::shortened(sql));
        match judged.verdict {
            Verdict::NotCertain => doubtful.push((new, said)),
            _ if then.is_none() => undated.push((new, said)),
            _ => called.push((new, said)),
        }
    }
    if !called.is_empty() {
        return Reply::new(Answer::Yes, named(called));
    }
    let mut why = now.blind.clone();
    match then {
        None if !undated.is_empty() => {
            why.push("what was called before the first step and what after it was not kept apart".to_owned());
            why.extend(named(undated));
        }
        None => {}
        Some(then) => {
            if then.since != counts.since {
                why.push(
                    "the statistics were reset since the first step, so that earlier calls are forgotten"
                        .to_owned(),
                );
            }
            if counts.evicted > then.evicted && now.blind.is_empty() {
                why.push("rare statements were thrown away since the first step".to_owned());
            }
        }
    }
    why.extend(named(doubtful));
    if why.is_empty() {
        let text = "no query that it breaks was called, as far as the server has counted them".to_owned();
        return Reply::new(Answer::No, vec![text]);
    }
    Reply::new(Answer::CannotTell, why)
}

fn named(mut queries: Vec<(u64, String)>) -> Vec<String> {
    queries.sort_by_key(|(calls, _)| std::cmp::Reverse(*calls));
    let more = queries.len().saturating_sub(NAMED);
    let mut said: Vec<String> = queries.into_iter().take(NAMED).map(|(_, said)| said).collect();
    if more > 0 {
        said.push(format!("and {more} more queries"));
    }
    said
}

/// Sessions of one name and role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// `application_name`, or what the engine has for it; empty where the client gave none.
    pub application: String,
    /// The role.
    pub role: String,
    /// How many.
    pub count: u64,
}

/// What is known of releases.
#[derive(Debug, Clone, Copy, Default)]
pub struct Releases<'a> {
    /// The release that is live and needs nothing that the contract takes away; those that came after it may be here too.
    pub live: &'a [String],
    /// Earlier ones.
    pub older: &'a [String],
    /// Whether clients come through a pooler, so that one can be there without a session.
    pub pooled: bool,
}

/// Whether sessions of older releases are among `connected`: those whose `application_name` carries the id of one. One
/// that carries no known id, and is no tool of people, makes the answer not certain; none: the engine cannot tell.
pub fn sessions(connected: Option<&[Connected]>, releases: Releases<'_>) -> Reply {
    let Some(connected) = connected else {
        return Reply::new(Answer::CannotTell, vec!["the server does not tell who is connected".to_owned()]);
    };
    let (mut old, mut unknown) = (Vec::new(), Vec::new());
    for session in connected {
        let (name, count) = (&session.application, session.count);
        let said = format!("{count} sessions of `{}`, called `{name}`", session.role);
        if carries(name, releases.live) || is_tool(name) {
            continue;
        }
        match carries(name, releases.older) {
            true => old.push(said),
            false => unknown.push(said),
        }
    }
    if !old.is_empty() {
        return Reply::new(Answer::Yes, old);
    }
    if !unknown.is_empty() {
        unknown.truncate(NAMED);
        unknown.push(
            "set application_name to the name and the release of the program (`web 3f2a9c1`), and they can be told apart"
                .to_owned(),
        );
        return Reply::new(Answer::CannotTell, unknown);
    }
    if releases.pooled {
        let text =
            "no older release has a session, but clients of a pooler can be there without one".to_owned();
        return Reply::new(Answer::CannotTell, vec![text]);
    }
    Reply::new(Answer::No, vec!["each session is of a release that does without".to_owned()])
}

/// Whether a session of a release is connected that needs nothing of what the contract takes away.
pub fn is_live(connected: &[Connected], releases: Releases<'_>) -> bool {
    connected.iter().any(|one| !is_tool(&one.application) && carries(&one.application, releases.live))
}

/// Whether `name` carries the id of one of `releases`: all of it, or its first characters.
fn carries(name: &str, releases: &[String]) -> bool {
    let words = || name.split(|c: char| !c.is_ascii_alphanumeric());
    releases.iter().filter(|id| !id.is_empty()).any(|id| {
        name.contains(id.as_str())
            || words().any(|word| word.chars().count() >= ID_CHARS && id.starts_with(word))
    })
}

fn is_tool(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TOOLS.iter().any(|tool| name.starts_with(tool))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::model::Sent;
    use crate::schema::apply::apply;

    fn applied(mut schema: Schema, sql: &str) -> Schema {
        for change in crate::engine::lower(sql, schema.dialect) {
            apply(&mut schema, &change);
        }
        schema
    }

    fn look(calls: &[(&str, u64)]) -> Look {
        let sent = calls.iter().map(|(sql, calls)| Sent {
            sql: (*sql).to_owned(),
            calls: Some(*calls),
            ..Sent::default()
        });
        Look { counted_since: Some("monday".to_owned()), ..Look::of(sent.collect()) }
    }

    fn asked(then: Option<&Counts>, now: &Look) -> (Answer, String) {
        let before = applied(Schema::new(Dialect::Postgres), "create table t (id int, old text)");
        let after = applied(before.clone(), "alter table t drop column old");
        let reply = calls(then, now, &before, &after);
        (reply.answer, reply.why.join("; "))
    }

    #[test]
    fn calls_since_the_first_step() {
        let then = Counts::of(&look(&[("select old from t", 3), ("select id from t", 9)]), Dialect::Postgres);
        let (answer, _) = asked(Some(&then), &look(&[("select old from t", 3), ("select id from t", 99)]));
        assert_eq!(answer, Answer::No);
        let (answer, why) = asked(Some(&then), &look(&[("select old from t", 5)]));
        assert!(answer == Answer::Yes && why.contains("2 calls of `select old from t`"), "{why}");
        let (answer, why) = asked(None, &look(&[("select old from t", 5)]));
        assert!(answer == Answer::CannotTell && why.contains("not kept apart"), "{why}");
        assert_eq!(asked(None, &look(&[("select id from t", 5), ("select * from t", 1)])).0, Answer::No);
        let (answer, why) = asked(Some(&then), &look(&[("selec old from t", 5)]));
        assert!(answer == Answer::CannotTell && why.contains("not understood"), "{why}");
    }

    #[test]
    fn what_the_server_has_forgotten_is_no_proof() {
        let then = Counts::of(&look(&[("select old from t", 3)]), Dialect::Postgres);
        let reset = Look { counted_since: Some("friday".to_owned()), ..look(&[("select id from t", 1)]) };
        let (answer, why) = asked(Some(&then), &reset);
        assert!(answer == Answer::CannotTell && why.contains("reset"), "{why}");
        let reset = Look { counted_since: Some("friday".to_owned()), ..look(&[("select old from t", 1)]) };
        assert_eq!(asked(Some(&then), &reset).0, Answer::Yes);
        let evicted = Look { evicted: 4, ..look(&[]) };
        let (answer, why) = asked(Some(&then), &evicted);
        assert!(answer == Answer::CannotTell && why.contains("thrown away"), "{why}");
        let blind = Look { blind: vec!["hidden".to_owned()], ..look(&[]) };
        assert_eq!(asked(Some(&then), &blind), (Answer::CannotTell, "hidden".to_owned()));
        let text = serde_json::to_string(&then).unwrap();
        assert_eq!(serde_json::from_str::<Counts>(&text).unwrap(), then);
    }

    #[test]
    fn sessions_of_older_releases() {
        let one = |name: &str| Connected { application: name.to_owned(), role: "app".to_owned(), count: 2 };
        let (live, older) = (["3f2a9c1d77".to_owned()], ["0badcafe11".to_owned()]);
        let releases = Releases { live: &live, older: &older, pooled: false };
        let ask = |names: &[&str], releases| {
            let all: Vec<Connected> = names.iter().map(|name| one(name)).collect();
            sessions(Some(&all), releases).answer
        };
        assert_eq!(ask(&["web 3f2a9c1d77", "worker-3f2a9c1", "psql", "twostep x"], releases), Answer::No);
        assert_eq!(ask(&["web 3f2a9c1d77"], Releases { pooled: true, ..releases }), Answer::CannotTell);
        assert_eq!(ask(&["web 3f2a9c1d77", "web 0badcafe11"], releases), Answer::Yes);
        assert_eq!(ask(&["web 3f2a9c1d77", "web"], releases), Answer::CannotTell);
        assert_eq!(ask(&[""], releases), Answer::CannotTell);
        assert_eq!(sessions(None, releases).answer, Answer::CannotTell);
        assert!(is_live(&[one("psql"), one("web 3f2a9c1d77")], releases));
        assert!(!is_live(&[one("twostep 3f2a9c1d77"), one("web 0badcafe11")], releases));
    }
}
