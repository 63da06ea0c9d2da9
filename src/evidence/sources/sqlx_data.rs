//! `.sqlx/query-*.json`, which `cargo sqlx prepare` writes for each `query!` of a Rust program.

use super::{Source, TextSource};
use crate::dialect::Dialect;
use crate::evidence::facts::Look;
use crate::evidence::model::Sent;
use serde::Deserialize;

/// The source.
pub static SOURCE: TextSource = TextSource {
    about: Source {
        id: "sqlx",
        shows_all: true,
        counts: false,
        blind: &["queries that are no `query!` macro, or put together when the program runs, are not in it"],
    },
    read,
};

#[derive(Deserialize)]
struct Offline {
    db_name: String,
    query: String,
}

fn read(path: &str, text: &str, dialect: Dialect) -> Result<Look, String> {
    let offline: Offline = serde_json::from_str(text).map_err(|error| format!("{path}: {error}"))?;
    match Dialect::from_word(&offline.db_name) {
        Some(own) if own == dialect => Ok(Look::of(vec![Sent { sql: offline.query, ..Sent::default() }])),
        Some(_) | None => {
            Err(format!("{path}: its query is for {}, not for {}", offline.db_name, dialect.title()))
        }
    }
}
