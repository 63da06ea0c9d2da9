//! Statements of a client that were prepared before a part of a deploy and return all columns of a table: which of them
//! fail behind it, beside those of which the model foresees it.

use crate::compat::judge::Verdict;
use crate::compat::matrix::{Prepared, Stage, matrix};
use crate::db::session::Session;
use crate::roundtrip::fill::tables::Table;
use crate::schema::model::Schema;

/// A client that holds a `SELECT *` of each table.
pub(super) struct Stars {
    client: Box<dyn Session>,
    /// The number of each statement, and its table's name as SQL.
    held: Vec<(usize, String)>,
}

/// What came of them.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// The tables whose statement fails, as it was foreseen.
    pub(super) foreseen: Vec<String>,
    /// What was not foreseen, or did not come true, a line each.
    pub(super) wrong: Vec<String>,
}

impl Stars {
    /// Prepares them with `client`, as code holds them.
    pub(super) async fn prepare(mut client: Box<dyn Session>, tables: &[Table]) -> Self {
        let mut held = Vec::new();
        for (number, table) in tables.iter().enumerate() {
            let name = &table.name;
            let sql = format!("PREPARE star_{number} AS SELECT * FROM {name}; EXECUTE star_{number}");
            // Who may not read it holds none.
            if client.query(&sql).await.is_ok() {
                held.push((number, name.clone()));
            }
        }
        Self { client, held }
    }

    /// Sends them behind the part `label`, which leads from one schema to the other.
    pub(super) async fn judge(mut self, before: &Schema, after: &Schema, label: &str) -> Judged {
        let dialect = self.client.dialect();
        let mut judged = Judged::default();
        for (number, table) in &self.held {
            let found = self.client.query(&format!("EXECUTE star_{number}")).await;
            let sql = format!("SELECT * FROM {table}");
            let stage = Stage { label: String::new(), schema: after.clone() };
            let worst = matrix(&[Prepared::new(&sql, dialect)], before, &[stage]).worst();
            match (found, worst > Verdict::NotCertain) {
                (Ok(_), false) => {}
                (Err(_), true) => judged.foreseen.push(table.replace('"', "")),
                (Err(error), false) => {
                    judged.wrong.push(format!("after {label}, `{sql}`: {error}; not foreseen"));
                }
                (Ok(_), true) => {
                    let why = "works, although it was foreseen that it fails";
                    judged.wrong.push(format!("after {label}, `{sql}` {why}"));
                }
            }
        }
        self.client.close().await;
        judged
    }
}
