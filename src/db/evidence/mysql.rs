//! MySQL and MariaDB: digests of `performance_schema`, and the sizes and use of tables.

use super::{is_ours, nothing, number};
use crate::compat::gate::Connected;
use crate::db::error::{DbError, DbErrorClass};
use crate::db::session::{Row, Session};
use crate::engine::mysql::statements as ask;
use crate::evidence::facts::{IndexFacts, Look, TableFacts};
use crate::evidence::model::Sent;
use std::collections::BTreeMap;

/// What the digests have counted.
pub(super) async fn counted(session: &mut dyn Session) -> Result<Look, DbError> {
    let state = session.query(ask::STATE).await?;
    if !state.first().is_some_and(|state| state.is_true(0)) {
        return Ok(nothing(&format!(
            "performance_schema is off, so that no query was seen; {}",
            ask::HOW_TO_ENABLE
        )));
    }
    let (consumers, rows) = match digests(session).await {
        Err(error) if error.class == DbErrorClass::PermissionDenied => {
            let text = "performance_schema is hidden from this account, so that no query was seen: \
                        GRANT SELECT ON performance_schema.* TO it, and capture again";
            return Ok(nothing(text));
        }
        other => other?,
    };
    let mut look = Look::default();
    if consumers.get(0) != Some("YES") {
        look.blind.push(
            "digests are not taken: UPDATE performance_schema.setup_consumers SET enabled = 'YES' \
             WHERE name = 'statements_digest'"
                .to_owned(),
        );
    }
    if number(consumers.get(1)).unwrap_or(0) > 0 {
        look.blind
            .push("some kinds of statements are not counted (setup_instruments, statement/sql/%)".to_owned());
    }
    look.window_days = number(consumers.get(2)).map(|days| u32::try_from(days).unwrap_or(u32::MAX));
    look.counted_since = consumers.get(3).map(str::to_owned);
    statements(&mut look, rows);
    if look.evicted > 0 {
        look.blind.push(format!(
            "{} calls of statements that had no place were not kept: raise performance_schema_digests_size",
            look.evicted
        ));
    }
    Ok(look)
}

async fn digests(session: &mut dyn Session) -> Result<(Row, Vec<Row>), DbError> {
    let consumers = session.query(ask::CONSUMERS).await?.into_iter().next().unwrap_or(Row(Vec::new()));
    Ok((consumers, session.query(ask::STATEMENTS).await?))
}

fn statements(look: &mut Look, rows: Vec<Row>) {
    let mut cut = 0_u64;
    for row in rows {
        let Some(sql) = row.get(0) else {
            look.evicted += number(row.get(1)).unwrap_or(0);
            continue;
        };
        if is_ours(sql) {
            continue;
        }
        // The server ends a text that was too long with three dots, and so it does a list of values, in parentheses.
        if sql.trim_end().ends_with("...") {
            cut += 1;
        }
        look.sent.push(Sent {
            sql: sql.to_owned(),
            calls: number(row.get(1)),
            mean_ms: row
                .get(2)
                .and_then(|mean| mean.parse().ok())
                .map(|mean: f64| (mean * 1000.0).round() / 1000.0),
            day: row.get(3).map(str::to_owned),
            ..Sent::default()
        });
    }
    if cut > 0 {
        look.blind.push(format!(
            "the texts of {cut} statements are cut off: raise performance_schema_max_digest_length and max_digest_length"
        ));
    }
}

/// The sizes and the use of its tables.
pub(super) async fn tables(session: &mut dyn Session) -> Result<Vec<TableFacts>, DbError> {
    let rows = session.query(ask::TABLES).await?;
    let tables = rows.iter().map(|row| TableFacts {
        name: row.text(0).to_owned(),
        rows: number(row.get(1)),
        bytes: number(row.get(2)),
        ..TableFacts::default()
    });
    let mut tables: BTreeMap<String, TableFacts> = tables.map(|table| (table.name.clone(), table)).collect();
    for row in seen(session, ask::TABLE_USE).await? {
        if let Some(table) = tables.get_mut(row.text(0)) {
            table.reads = number(row.get(1));
            table.writes = number(row.get(2));
        }
    }
    for row in seen(session, ask::INDEX_USE).await? {
        if let Some(table) = tables.get_mut(row.text(0)) {
            let index = IndexFacts { name: row.text(1).to_owned(), bytes: None, reads: number(row.get(2)) };
            table.indexes.push(index);
        }
    }
    Ok(tables.into_values().collect())
}

/// Who else is connected; none where we would not see all of them.
pub(super) async fn connected(session: &mut dyn Session) -> Result<Option<Vec<Connected>>, DbError> {
    let sees = session.query(ask::SEES_SESSIONS).await?;
    if sees.first().and_then(|row| number(row.get(0))).unwrap_or(0) == 0 {
        return Ok(None);
    }
    let rows = match session.query(ask::SESSIONS).await {
        Err(error) if error.class == DbErrorClass::PermissionDenied => return Ok(None),
        other => other?,
    };
    Ok(Some(rows.iter().map(super::connected_row).collect()))
}

/// The rows of `performance_schema`, none where it is hidden.
async fn seen(session: &mut dyn Session, sql: &str) -> Result<Vec<Row>, DbError> {
    match session.query(sql).await {
        Err(error) if error.class == DbErrorClass::PermissionDenied => Ok(Vec::new()),
        other => other,
    }
}
