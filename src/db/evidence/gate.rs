//! The look that a contract's gate takes at the server, on any session of it.

use super::{Connected, connected, counted};
use crate::compat::gate::{Answer, Counts, Releases, Reply, calls, is_live, sessions};
use crate::db::error::DbError;
use crate::db::session::Session;
use crate::schema::model::Schema;
use serde::Serialize;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The schema as it is.
    pub before: &'a Schema,
    /// The schema that the contract makes.
    pub after: &'a Schema,
    /// What [`counts`] gave when the first step was applied, if it was kept.
    pub then: Option<&'a Counts>,
    /// What is known of releases.
    pub releases: Releases<'a>,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Whether queries that the contract breaks were called since the first step.
    pub calls: Reply,
    /// Whether sessions of older releases are connected.
    pub sessions: Reply,
    /// Whether a session of a release is connected that does without.
    pub is_live: bool,
}

impl Seen {
    /// The worse of both answers: `No` only where nobody calls and nobody is there.
    pub fn worst(&self) -> Answer {
        self.calls.answer.max(self.sessions.answer)
    }
}

/// What the server has counted by now, to be kept with the first step.
pub async fn counts(session: &mut dyn Session) -> Result<Counts, DbError> {
    let look = counted(session).await?;
    Ok(Counts::of(&look, session.dialect()))
}

/// Looks.
pub async fn look(session: &mut dyn Session, question: Question<'_>) -> Result<Seen, DbError> {
    let mut now = counted(session).await?;
    let database = super::server(session).await?;
    if database.standby || database.standbys > 0 {
        now.blind
            .push("a server and its standbys count by themselves, and only this one was asked".to_owned());
    }
    let connected: Option<Vec<Connected>> = connected(session).await?;
    let all = connected.as_deref().unwrap_or_default();
    Ok(Seen {
        is_live: is_live(all, question.releases),
        calls: calls(question.then, &now, question.before, question.after),
        sessions: sessions(connected.as_deref(), question.releases),
    })
}
