//! The queries of the running code, read once, and what a change means for them.

use super::judge::{Judgement, Verdict};
use super::matrix::{Prepared, Stage, matrix};
use super::verify::{Answers, Asked, verified};
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
    /// What a server said, and the files of the migrations behind its stages.
    answers: Option<(Answers, Vec<String>)>,
}

/// The migration that a change is part of.
#[derive(Debug, Clone, Copy)]
pub struct Whole<'a> {
    /// Its file.
    pub file: &'a str,
    /// The schema before its first statement.
    pub before: &'a Schema,
    /// The schema behind its last one.
    pub after: &'a Schema,
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
        let prepare = |query: &SeenQuery| {
            dialect.map(|dialect| Prepared::with_literals(&query.sql, &query.literals(), dialect))
        };
        Self {
            prepared: evidence.queries.iter().filter_map(prepare).collect(),
            queries: evidence.queries.clone(),
            gaps: evidence.gaps(),
            answers: None,
        }
    }

    /// The same with what a server said to the queries: at each stage, which is behind the migration in the file of the
    /// same number.
    #[must_use]
    pub fn with_answers(self, answers: Answers, files: Vec<String>) -> Self {
        Self { answers: Some((answers, files)), ..self }
    }

    /// The queries, and each read.
    pub fn queries(&self) -> (&[SeenQuery], &[Prepared]) {
        (&self.queries, &self.prepared)
    }

    /// What becomes of the queries when `before` turns into `after` in `migration`: those that notice, the worst first,
    /// and of those the ones that are sent most.
    pub fn affected(
        &self,
        before: &Schema,
        after: &Schema,
        migration: &Whole<'_>,
    ) -> Vec<(&SeenQuery, Judgement)> {
        let judged = self.judged(before, after).enumerate();
        // A server is asked behind the whole migration: what it refuses is told where the query's own tables change.
        let noticed: Vec<bool> = match self.answers {
            Some(_) => self
                .judged(migration.before, migration.after)
                .map(|judged| judged.verdict != Verdict::Works)
                .collect(),
            None => Vec::new(),
        };
        let is_elsewhere = |at: usize, judged: &Judgement| {
            judged.verdict == Verdict::Works && noticed.get(at) == Some(&true)
        };
        let judged = judged.map(|(at, judged)| {
            if is_elsewhere(at, &judged) { judged } else { self.verified(at, judged, before, migration.file) }
        });
        let mut affected: Vec<(&SeenQuery, Judgement)> =
            self.queries.iter().zip(judged).filter(|(_, judged)| judged.verdict != Verdict::Works).collect();
        let calls = |query: &SeenQuery| query.seen.iter().filter_map(|one| one.calls).sum::<u64>();
        affected.sort_by_key(|(query, judged)| std::cmp::Reverse((judged.verdict, calls(query))));
        affected
    }

    /// What becomes of each query, without a server.
    fn judged(&self, before: &Schema, after: &Schema) -> impl Iterator<Item = Judgement> + use<> {
        let stage = Stage { label: String::new(), schema: after.clone() };
        let found = matrix(&self.prepared, before, std::slice::from_ref(&stage));
        found.rows.into_iter().filter_map(|mut row| row.pop())
    }

    /// `judged` of the query `at`, with what a server said to it before and after the migration `file`.
    fn verified(&self, at: usize, judged: Judgement, home: &Schema, file: &str) -> Judgement {
        let Some((answers, files)) = &self.answers else { return judged };
        let Some(stage) = files.iter().position(|known| known == file) else { return judged };
        let before = match stage.checked_sub(1) {
            Some(earlier) => answers.stages.get(earlier),
            None => Some(&answers.home),
        };
        let (Some(before), Some(after)) =
            (before.and_then(|all| all.get(at)), answers.stages.get(stage).and_then(|all| all.get(at)))
        else {
            return judged;
        };
        let is_unread = self.prepared[at].read().is_err();
        let asked = Asked { sql: &self.queries[at].sql, dialect: home.dialect, is_unread };
        verified(judged, asked, before, after)
    }

    /// The same, said for people.
    pub fn say(&self, before: &Schema, after: &Schema, migration: &Whole<'_>) -> Said {
        let affected = self.affected(before, after, migration);
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
