//! All queries on all schemas of a deploy.

use super::difference::Difference;
use super::judge::{Judgement, Verdict, View, judge};
use crate::dialect::Dialect;
use crate::engine::query::normal::Literal;
use crate::engine::query::tree::Query;
use crate::engine::query::{Unread, lower_with};
use crate::evidence::resolve::resolve;
use crate::schema::model::Schema;

/// A schema during a deploy.
#[derive(Debug, Clone)]
pub struct Stage {
    /// What has been done: a migration's name.
    pub label: String,
    /// What there is then.
    pub schema: Schema,
}

/// What becomes of each query at each stage: rows in the order of the queries, columns in that of the stages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    /// The judgements.
    pub rows: Vec<Vec<Judgement>>,
}

impl Matrix {
    /// The worst verdict of all.
    pub fn worst(&self) -> Verdict {
        self.rows.iter().flatten().map(|one| one.verdict).max().unwrap_or(Verdict::Works)
    }
}

/// A query that was read once, to be looked at on many schemas.
#[derive(Debug, Clone)]
pub struct Prepared(Result<Query, Unread>);

impl Prepared {
    /// Reads `sql`.
    pub fn new(sql: &str, dialect: Dialect) -> Self {
        Self::with_literals(sql, &[], dialect)
    }

    /// Reads `sql`, in which some parameters stand for literals.
    pub fn with_literals(sql: &str, literals: &[Literal], dialect: Dialect) -> Self {
        Self(lower_with(sql, dialect, literals))
    }

    /// What it is, or why it could not be read.
    pub fn read(&self) -> &Result<Query, Unread> {
        &self.0
    }
}

/// Judges `queries`, which were written for the schema `home`, at each of `stages`.
pub fn matrix(queries: &[Prepared], home: &Schema, stages: &[Stage]) -> Matrix {
    let differences: Vec<Difference> =
        stages.iter().map(|stage| Difference::between(home, &stage.schema)).collect();
    let works = || Judgement { verdict: Verdict::Works, why: Vec::new() };
    let row = |query: &Prepared| {
        let uses = resolve(&query.0, home);
        let before = View { schema: home, uses: &uses };
        let at = |(stage, difference): (&Stage, &Difference)| {
            if !difference.touches(&uses) {
                return works();
            }
            let after = resolve(&query.0, &stage.schema);
            judge(before, View { schema: &stage.schema, uses: &after }, difference)
        };
        stages.iter().zip(&differences).map(at).collect()
    };
    Matrix { rows: queries.iter().map(row).collect() }
}
