//! What a database says of itself: its server, the settings that matter, the sizes and the use of tables and indexes.

use super::model::Sent;
use crate::engine::query::constants::Constants;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a look at one source gave.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Look {
    /// Its queries.
    pub sent: Vec<Sent>,
    /// What it could not see.
    pub blind: Vec<String>,
    /// How many days it has watched, where that is known.
    pub window_days: Option<u32>,
    /// When the counting began, in the server's own words; another value means that it began anew.
    pub counted_since: Option<String>,
    /// How often entries were thrown away to make room.
    pub evicted: u64,
    /// The database that was asked.
    pub database: Option<Database>,
    /// The names of the schema, in small letters, where they are known: on SQLite other words in double quotes are
    /// strings.
    pub names: Option<BTreeSet<String>>,
    /// The constants of the schema, as far as they are known: they stay in the queries.
    pub constants: Constants,
}

impl Look {
    /// A look that gave `sent`, with nothing to be said against it.
    pub fn of(sent: Vec<Sent>) -> Self {
        Self { sent, ..Self::default() }
    }
}

/// A database, as the server described it on one day.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// The label of the capture.
    #[serde(default)]
    pub label: String,
    /// The day of it, as `2026-01-31`.
    #[serde(default)]
    pub day: String,
    /// Its name.
    pub name: String,
    /// The server's product and version.
    pub version: String,
    /// What the primary and its standbys have in common, where the server tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Whether it is a standby or replica.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub standby: bool,
    /// How many standbys read from it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub standbys: u32,
    /// Settings that decide what a migration may do, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// Its tables, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<TableFacts>,
}

/// A table's size and use.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableFacts {
    /// Its name, with its schema on PostgreSQL.
    pub name: String,
    /// About how many rows it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Its size without indexes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// How often it was read: scans of it and of its indexes (PostgreSQL), rows (MySQL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<u64>,
    /// How many rows were inserted, updated and deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes: Option<u64>,
    /// Its indexes, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<IndexFacts>,
}

/// An index's size and use.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexFacts {
    /// Its name.
    pub name: String,
    /// Its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// How often it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}
