//! What a server says to queries at each stage of a deploy: on a scratch database they are prepared, never run.

use super::bench::Bench;
use super::run::{Options, RoundtripError, prelude, ready};
use crate::compat::verify::{Answer, Answers};
use crate::db::error::{DbError, DbErrorClass};
use crate::db::scratch::Place;
use crate::db::session::Session;
use crate::dialect::Dialect;
use crate::engine::query::digest::opened;
use crate::engine::query::parameters::{parameters, typed};
use crate::run::task::Direction;
use crate::source::Folder;

/// The types that are tried for parameters whose type the server cannot tell: in the code a literal stood there, which
/// says more than the parameter that a capture has instead.
const TYPES: &[&str] = &["int4", "text", "numeric", "timestamptz", "interval", "bool"];
/// SQLSTATEs of queries whose parameters may only lack a type.
const UNTYPED: &[&str] = &["42P18", "42725", "42883", "42804", "42846", "42P08", "22P02"];
/// In a query with more parameters, no types are tried.
const PARAMETERS_MAX: usize = 40;

/// Asks at the schema before the migrations `chosen` of `folder` (numbers, in order), and after each of them.
pub async fn ask(
    place: &mut Place,
    folder: &Folder,
    chosen: &[usize],
    queries: &[String],
    options: &Options,
) -> Result<Answers, RoundtripError> {
    let dialect = place.dialect();
    let migrations = ready(folder, dialect);
    let mut bench = Bench::new(place, options, prelude(options, dialect)?);
    let mut applier = bench.fresh().await?;
    let failed = RoundtripError::Database;
    let mut answers = Answers { stages: vec![Vec::new(); chosen.len()], ..Answers::default() };
    answers.server = applier.session().identity().await.map_err(failed)?.version;
    let mut texts: Vec<Text> = queries.iter().map(|sql| Text::new(sql, dialect)).collect();
    let stage_of = |version: &crate::source::Version| {
        chosen.iter().position(|number| folder.migrations[*number].version == *version)
    };
    let mut is_home = false;
    for ready in &migrations {
        let stage = stage_of(ready.version());
        if stage.is_some() && !is_home {
            is_home = true;
            answers.home = all(applier.session(), &mut texts).await.map_err(failed)?;
        }
        let refused = |why| RoundtripError::UpFails { migration: ready.label.clone(), why };
        let up = ready.up.as_ref().map_err(|why| refused(why.clone()))?;
        let done = applier.run(up, ready.version(), Direction::Up).await;
        done.map_err(|error| refused(error.to_string()))?;
        if let Some(stage) = stage {
            answers.stages[stage] = all(applier.session(), &mut texts).await.map_err(failed)?;
        }
    }
    bench.remove(applier).await?;
    Ok(answers)
}

/// A query as it is sent.
struct Text {
    sql: String,
    /// Why it is not asked about.
    not_asked: Option<String>,
    /// The server has taken it on some schema.
    is_settled: bool,
}

impl Text {
    fn new(sql: &str, dialect: Dialect) -> Self {
        let opened = opened(sql, dialect);
        let is_guess = opened.as_ref().is_some_and(|opened| opened.is_guess);
        Self {
            sql: opened.map_or_else(|| sql.to_owned(), |opened| opened.text),
            not_asked: is_guess.then(|| "the server has kept no number of values".to_owned()),
            is_settled: false,
        }
    }
}

/// Asks about each query, and finds types for parameters that have none.
async fn all(session: &mut dyn Session, texts: &mut [Text]) -> Result<Vec<Answer>, DbError> {
    session.reset().await?;
    let mut answers = Vec::with_capacity(texts.len());
    for text in texts {
        if let Some(why) = &text.not_asked {
            answers.push(Answer::NotAsked(why.clone()));
            continue;
        }
        let mut answer = described(session, &text.sql).await?;
        if let Err(error) = &answer
            && !text.is_settled
            && error.code.as_deref().is_some_and(|code| UNTYPED.contains(&code))
            && let Some((sql, columns)) = with_types(session, &text.sql, error.clone()).await?
        {
            text.sql = sql;
            answer = Ok(columns);
        }
        text.is_settled |= answer.is_ok();
        answers.push(match answer {
            Ok(columns) => Answer::Taken(columns),
            Err(error) => Answer::Refused(error.message),
        });
    }
    Ok(answers)
}

/// The columns of a query's result, or why the server refuses it.
type Described = Result<Vec<(String, String)>, DbError>;

async fn described(session: &mut dyn Session, sql: &str) -> Result<Described, DbError> {
    match session.describe(sql).await {
        // A server that is gone says nothing of the query.
        Err(error) if error.class == DbErrorClass::ConnectionLost => Err(error),
        other => Ok(other),
    }
}

/// `sql` with types for its parameters with which the server takes it, and what comes out of it. One after the other
/// gets the first type with which the server's complaint is about a later place.
async fn with_types(
    session: &mut dyn Session,
    sql: &str,
    mut refused: DbError,
) -> Result<Option<(String, Vec<(String, String)>)>, DbError> {
    let parameters = parameters(sql);
    if session.dialect() != Dialect::Postgres || parameters.len() > PARAMETERS_MAX {
        return Ok(None);
    }
    let mut types: Vec<(u32, &str)> = Vec::new();
    let mut reached = refused.offset.unwrap_or(0);
    while types.len() < parameters.len() {
        let open = |types: &[(u32, &str)], number: u32| types.iter().all(|(known, _)| *known != number);
        // Where any type will do, as in a JSON object, a literal is text.
        let named = unknown_parameter(&refused).filter(|number| open(&types, *number));
        let tries: Vec<(u32, &str)> = match named {
            Some(number) => vec![(number, "text")],
            None => (TYPES.iter())
                .flat_map(|data_type| parameters.iter().map(|number| (*number, *data_type)))
                .filter(|(number, _)| open(&types, *number))
                .collect(),
        };
        // A wrong type moves the complaint too, but not as far.
        let mut best: Option<((u32, &str), usize, DbError)> = None;
        for one in tries {
            types.push(one);
            let typed = typed(sql, &types);
            types.pop();
            let error = match described(session, &typed.text).await? {
                Ok(columns) => return Ok(Some((typed.text, columns))),
                Err(error) => error,
            };
            let at = typed.original(error.offset.unwrap_or(0));
            if best.as_ref().is_none_or(|(_, far, _)| at > *far) {
                best = Some((one, at, error));
            }
        }
        match best.filter(|(_, at, _)| *at > reached || named.is_some()) {
            Some((one, at, error)) => {
                types.push(one);
                (reached, refused) = (at, error);
            }
            None => return Ok(None),
        }
    }
    Ok(None)
}

/// The parameter of which the server says that it cannot tell its type.
fn unknown_parameter(error: &DbError) -> Option<u32> {
    if error.code.as_deref() != Some("42P18") {
        return None;
    }
    error.message.rsplit('$').next()?.parse().ok()
}
