//! PostgreSQL: `pg_stat_statements`, and the sizes and use of tables.

use super::{first, is_ours, number};
use crate::db::error::DbError;
use crate::db::session::{Row, Session};
use crate::engine::postgres::statements as ask;
use crate::evidence::facts::{IndexFacts, Look, TableFacts};
use crate::evidence::model::Sent;
use std::collections::BTreeMap;

/// What `pg_stat_statements` has counted.
pub(super) async fn counted(session: &mut dyn Session) -> Result<Look, DbError> {
    let version = session.identity().await?.version_number;
    let state = first(session, ask::STATE).await?;
    let mut look = Look::default();
    let (Some(schema), Some(_)) = (state.get(0), state.get(1)) else {
        let missing = if state.get(0).is_none() { "extension" } else { "library" };
        look.blind.push(format!(
            "pg_stat_statements is not there (no {missing}), so that no query was seen; {}",
            ask::HOW_TO_ENABLE
        ));
        return Ok(look);
    };
    if !state.is_true(2) {
        look.blind.push(
            "what other roles send is hidden from this one: GRANT pg_read_all_stats TO it, and capture again"
                .to_owned(),
        );
    }
    if state.get(3) == Some("none") {
        look.blind.push("pg_stat_statements.track is `none`: nothing is counted; set it to `top`".to_owned());
    }
    if state.get(4) == Some("off") {
        look.blind.push("compute_query_id is `off`: nothing is counted; set it to `auto`".to_owned());
    }
    if state.get(5) == Some("off") {
        look.blind.push("pg_stat_statements.track_utility is `off`: COPY is not counted".to_owned());
    }
    if version >= 140_000 {
        let info = first(session, &ask::info(schema)).await?;
        look.counted_since = info.get(0).map(str::to_owned);
        look.window_days = number(info.get(1)).map(|days| u32::try_from(days).unwrap_or(u32::MAX));
        look.evicted = number(info.get(2)).unwrap_or(0);
    } else {
        look.blind.push(
            "before version 14 the server does not say when its statistics were reset, or entries evicted"
                .to_owned(),
        );
    }
    if look.evicted > 0 {
        look.blind.push(format!(
            "rare statements were thrown away {} times to make room: raise pg_stat_statements.max ({}), and reset",
            look.evicted,
            state.text(1)
        ));
    }
    statements(&mut look, session.query(&ask::statements(schema)).await?);
    Ok(look)
}

fn statements(look: &mut Look, rows: Vec<Row>) {
    let (mut hidden, mut lost) = (0_u64, 0_u64);
    for row in rows {
        match row.get(0) {
            Some(ask::HIDDEN) => hidden += 1,
            None => lost += 1,
            Some(sql) if is_ours(sql) => {}
            Some(sql) => look.sent.push(Sent {
                sql: sql.to_owned(),
                calls: number(row.get(1)),
                mean_ms: row.get(2).and_then(|mean| mean.parse().ok()),
                role: row.get(3).map(str::to_owned),
                ..Sent::default()
            }),
        }
    }
    if hidden > 0 {
        look.blind.push(format!("the texts of {hidden} statements of other roles were hidden"));
    }
    if lost > 0 {
        look.blind.push(format!(
            "the server has lost the texts of {lost} statements: its file of texts grew too large"
        ));
    }
}

/// The sizes and the use of its tables.
pub(super) async fn tables(session: &mut dyn Session) -> Result<Vec<TableFacts>, DbError> {
    let full = |row: &Row| format!("{}.{}", row.text(0), row.text(1));
    // The message sets a time limit first, whose answer is a row of one value.
    let long = |rows: Vec<Row>| rows.into_iter().filter(|row| row.0.len() > 1);
    let tables = long(session.query(ask::TABLES).await?).map(|row| TableFacts {
        name: full(&row),
        rows: number(row.get(2)),
        bytes: number(row.get(3)),
        reads: number(row.get(4)),
        writes: number(row.get(5)),
        indexes: Vec::new(),
    });
    let mut tables: BTreeMap<String, TableFacts> = tables.map(|table| (table.name.clone(), table)).collect();
    for row in long(session.query(ask::INDEXES).await?) {
        let index =
            IndexFacts { name: row.text(2).to_owned(), bytes: number(row.get(3)), reads: number(row.get(4)) };
        if let Some(table) = tables.get_mut(&full(&row)) {
            table.indexes.push(index);
        }
    }
    Ok(tables.into_values().collect())
}
