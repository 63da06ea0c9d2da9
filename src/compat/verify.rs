//! What a server said to queries at each stage, beside what the schema alone tells. The server's word holds.

use super::judge::{Judgement, Verdict};
use crate::dialect::Dialect;
use crate::sql::lex::significant;
use std::ops::Range;

/// What a server said to a query on one schema, without running it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It takes it; the columns of the result, with their types.
    Taken(Vec<(String, String)>),
    /// It refuses it, in its own words.
    Refused(String),
    /// It was not asked, and why.
    NotAsked(String),
}

/// What a server said to all queries at all stages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answers {
    /// The server's product and version.
    pub server: String,
    /// Before the deploy, by query.
    pub home: Vec<Answer>,
    /// After each migration of the deploy, by query; empty where a migration was not applied by itself.
    pub stages: Vec<Vec<Answer>>,
}

impl Answers {
    /// Those about some of the queries.
    #[must_use]
    pub fn of(&self, queries: Range<usize>) -> Self {
        let some = |all: &Vec<Answer>| all.get(queries.clone()).unwrap_or_default().to_vec();
        Self {
            server: self.server.clone(),
            home: some(&self.home),
            stages: self.stages.iter().map(some).collect(),
        }
    }

    /// The same for queries that were written for the last stage.
    #[must_use]
    pub fn of_new_code(mut self) -> Self {
        if let Some(last) = self.stages.last() {
            self.home.clone_from(last);
        }
        self
    }

    /// Takes the answers about the query `at` into what was told of it at each stage.
    pub fn verify(&self, at: usize, asked: Asked<'_>, row: &mut [Judgement]) {
        let Some(home) = self.home.get(at) else { return };
        for (judged, stage) in row.iter_mut().zip(&self.stages) {
            if let Some(stage) = stage.get(at) {
                *judged = verified(judged.clone(), asked, home, stage);
            }
        }
    }
}

/// A query that a server was asked about.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Its text.
    pub sql: &'a str,
    /// Its dialect.
    pub dialect: Dialect,
    /// Whether we could not read it ourselves.
    pub is_unread: bool,
}

/// `judged`, which was told from the schemas alone, with what the server said on the schema that the query was written
/// for (`home`), and on the later one (`stage`).
pub fn verified(judged: Judgement, asked: Asked<'_>, home: &Answer, stage: &Answer) -> Judgement {
    let (home, stage) = match (home, stage) {
        (Answer::NotAsked(_), _) | (_, Answer::NotAsked(_)) => return judged,
        (Answer::Refused(error), Answer::Taken(_)) if judged.verdict <= Verdict::NotCertain => {
            let why = format!("the server refuses it on the schema that it was written for: {error}");
            return Judgement { verdict: Verdict::NotCertain, why: vec![why] };
        }
        (Answer::Refused(_), Answer::Taken(_)) => return judged,
        (Answer::Refused(before), Answer::Refused(_)) => {
            let why = format!("the server refuses it before and after: {before}");
            return Judgement { verdict: Verdict::NotCertain, why: vec![why] };
        }
        (Answer::Taken(_), Answer::Refused(error)) => {
            return Judgement { verdict: Verdict::Fails, why: vec![error.clone()] };
        }
        (Answer::Taken(home), Answer::Taken(stage)) => (home, stage),
    };
    if home != stage && judged.verdict < Verdict::OtherResult {
        return Judgement { verdict: Verdict::OtherResult, why: vec![difference(home, stage)] };
    }
    match judged.verdict {
        Verdict::Fails => {
            let why =
                format!("the server takes it, although by the files it fails: {}", judged.why.join("; "));
            Judgement { verdict: Verdict::NotCertain, why: vec![why] }
        }
        // Where only our own reading was in doubt, the server has read it.
        Verdict::NotCertain if asked.is_unread && only_reads(asked.sql, asked.dialect) => {
            Judgement { verdict: Verdict::Works, why: Vec::new() }
        }
        Verdict::Works | Verdict::NotCertain | Verdict::OtherResult | Verdict::WritesWrongly => judged,
    }
}

/// What differs between two results.
fn difference(home: &[(String, String)], stage: &[(String, String)]) -> String {
    let names =
        |columns: &[(String, String)]| columns.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let (before, after) = (names(home), names(stage));
    if before != after {
        return format!("its result has the columns {} instead of {}", after.join(", "), before.join(", "));
    }
    let changed = home.iter().zip(stage).filter(|(one, other)| one != other);
    let changed: Vec<String> = changed
        .map(|((name, from), (_, to))| format!("its column `{name}` changes from {from} to {to}"))
        .collect();
    changed.join("; ")
}

/// Whether no word in `sql` writes.
fn only_reads(sql: &str, dialect: Dialect) -> bool {
    const WRITES: &[&str] = &["insert", "update", "delete", "merge", "replace", "call", "copy"];
    !significant(sql, dialect).any(|token| WRITES.iter().any(|word| token.is_word(sql, word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(verdict: Verdict, home: &Answer, stage: &Answer) -> Judgement {
        let why = if verdict == Verdict::Works { Vec::new() } else { vec!["told".to_owned()] };
        let asked = Asked { sql: "select a from t", dialect: Dialect::Postgres, is_unread: true };
        verified(Judgement { verdict, why }, asked, home, stage)
    }

    #[test]
    fn the_servers_word_holds() {
        let taken = |data_type: &str| Answer::Taken(vec![("a".to_owned(), data_type.to_owned())]);
        let (one, other) = (taken("INT4"), taken("INT8"));
        let refused = Answer::Refused("column \"a\" does not exist".to_owned());
        let found = check(Verdict::Works, &one, &refused);
        assert_eq!((found.verdict, found.why[0].as_str()), (Verdict::Fails, "column \"a\" does not exist"));
        let found = check(Verdict::Works, &one, &other);
        assert!(found.verdict == Verdict::OtherResult && found.why[0].contains("INT4 to INT8"), "{found:?}");
        let longer =
            Answer::Taken(vec![("a".to_owned(), "INT4".to_owned()), ("b".to_owned(), "X".to_owned())]);
        assert!(check(Verdict::Works, &one, &longer).why[0].contains("a, b instead of a"));
        assert_eq!(check(Verdict::WritesWrongly, &one, &other).verdict, Verdict::WritesWrongly);
        assert_eq!(check(Verdict::NotCertain, &one, &one).verdict, Verdict::Works);
        assert_eq!(check(Verdict::Fails, &one, &one).verdict, Verdict::NotCertain);
        assert_eq!(check(Verdict::Works, &refused, &refused).verdict, Verdict::NotCertain);
        assert_eq!(check(Verdict::Works, &refused, &one).verdict, Verdict::NotCertain);
        let not_asked = Answer::NotAsked("x".to_owned());
        assert_eq!(check(Verdict::Fails, &not_asked, &one).verdict, Verdict::Fails);
    }
}
