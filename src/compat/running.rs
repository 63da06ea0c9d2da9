//! The queries of the running code, read once, and what a change means for them.

use super::judge::{Judgement, Verdict};
use super::matrix::{Prepared, Stage, matrix};
use crate::evidence::model::{Evidence, SeenQuery};
use crate::schema::model::Schema;

/// How many queries a text names.
const NAMED: usize = 3;
/// How much of a query a text shows, in characters.
const SHOWN_CHARS: usize = 90;

/// The evidence with its queries read.
#[derive(Debug, Clone)]
pub struct Running {
    queries: Vec<SeenQuery>,
    prepared: Vec<Prepared>,
    gaps: Vec<String>,
}

/// What a change means for the running code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// It, for people.
    pub text: String,
    /// Whether it is proved that nobody notices.
    pub is_unnoticed: bool,
}

impl Running {
    /// Reads the queries of `evidence`.
    pub fn new(evidence: &Evidence) -> Self {
        let dialect = evidence.dialect();
        let prepare = |query: &SeenQuery| dialect.map(|dialect| Prepared::new(&query.sql, dialect));
        Self {
            prepared: evidence.queries.iter().filter_map(prepare).collect(),
            queries: evidence.queries.clone(),
            gaps: evidence.gaps(),
        }
    }

    /// The queries, and each read.
    pub fn queries(&self) -> (&[SeenQuery], &[Prepared]) {
        (&self.queries, &self.prepared)
    }

    /// What becomes of the queries when `before` turns into `after`: those that notice, the worst first.
    pub fn affected(&self, before: &Schema, after: &Schema) -> Vec<(&SeenQuery, Judgement)> {
        let stage = Stage { label: String::new(), schema: after.clone() };
        let found = matrix(&self.prepared, before, std::slice::from_ref(&stage));
        let judged = found.rows.into_iter().filter_map(|mut row| row.pop());
        let mut affected: Vec<(&SeenQuery, Judgement)> =
            self.queries.iter().zip(judged).filter(|(_, judged)| judged.verdict != Verdict::Works).collect();
        affected.sort_by_key(|(_, judged)| std::cmp::Reverse(judged.verdict));
        affected
    }

    /// The same, said for people.
    pub fn say(&self, before: &Schema, after: &Schema) -> Said {
        let affected = self.affected(before, after);
        let all = self.queries.len();
        if affected.is_empty() {
            let mut text = format!("none of the {all} queries of the evidence notices it");
            if let Some(gap) = self.gaps.first() {
                text.push_str(&format!(", which proves nothing, since the evidence has gaps: {gap}"));
            }
            return Said { text, is_unnoticed: self.gaps.is_empty() };
        }
        let one = |(query, judged): &(&SeenQuery, Judgement)| {
            let why = judged.why.first().map(|why| format!(": {why}")).unwrap_or_default();
            format!("`{}` ({}) {}{why}", shortened(&query.sql), query.senders(), judged.verdict.word())
        };
        let named: Vec<String> = affected.iter().take(NAMED).map(one).collect();
        let more = affected.len().saturating_sub(NAMED);
        let more =
            if more > 0 { format!("; and {more} more: `twostep compat` lists them") } else { String::new() };
        let text = format!(
            "of the {all} queries of the evidence {} notice it: {}{more}",
            affected.len(),
            named.join("; ")
        );
        Said { text, is_unnoticed: false }
    }
}

/// The beginning of a query.
pub fn shortened(sql: &str) -> String {
    match sql.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{} …", sql[..end].trim_end()),
        None => sql.to_owned(),
    }
}
