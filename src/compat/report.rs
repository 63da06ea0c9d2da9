//! The matrix of queries and stages, written: text, JSON, Markdown.

use super::judge::{Judgement, Verdict};
use super::running::shortened;
use crate::evidence::model::SeenQuery;
use serde::Serialize;
use std::fmt::Write as _;

/// Judged queries.
#[derive(Debug, Default, Serialize)]
pub struct CompatReport {
    /// The stages: what has been done at each.
    pub stages: Vec<String>,
    /// What becomes of each query.
    pub queries: Vec<Row>,
    /// Why the evidence may lack queries.
    pub gaps: Vec<String>,
    /// The server that was asked at each stage, where one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<String>,
}

/// What becomes of one query.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Whose query it is.
    pub code: Code,
    /// The query.
    #[serde(flatten)]
    pub query: SeenQuery,
    /// What becomes of it at each stage.
    pub verdicts: Vec<Judgement>,
}

/// Whose query it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Code {
    /// That of the code that is running.
    Old,
    /// That of the code that is deployed.
    New,
}

impl Code {
    fn word(self) -> &'static str {
        match self {
            Code::Old => "old",
            Code::New => "new",
        }
    }
}

impl Row {
    fn worst(&self) -> Verdict {
        self.verdicts.iter().map(|one| one.verdict).max().unwrap_or(Verdict::Works)
    }

    fn marks(&self) -> impl Iterator<Item = &'static str> {
        self.verdicts.iter().map(|one| one.verdict.mark())
    }
}

impl CompatReport {
    /// The worst verdict on a query of the running code, or on one of the new code at the last stage: before that, new
    /// code is not there yet.
    pub fn worst(&self) -> Verdict {
        let counted = |row: &Row| match row.code {
            Code::Old => row.worst(),
            Code::New => row.verdicts.last().map_or(Verdict::Works, |one| one.verdict),
        };
        self.queries.iter().map(counted).max().unwrap_or(Verdict::Works)
    }

    /// How many queries come to `verdict` at their worst.
    fn count(&self, verdict: Verdict) -> usize {
        self.queries.iter().filter(|row| row.worst() == verdict).count()
    }

    fn summary(&self) -> String {
        let all = [
            Verdict::Fails,
            Verdict::WritesWrongly,
            Verdict::OtherResult,
            Verdict::NotCertain,
            Verdict::Works,
        ];
        let counts = all.map(|verdict| format!("{} {}", self.count(verdict), verdict.word()));
        format!("{} queries: {}", self.queries.len(), counts.join(", "))
    }

    /// Lines for people: the queries that notice, then the sum.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for (number, stage) in self.stages.iter().enumerate() {
            let _ = writeln!(out, "stage {}: after {stage}", number + 1);
        }
        for row in self.queries.iter().filter(|row| row.worst() > Verdict::Works) {
            let marks: String = row.marks().collect();
            let _ = writeln!(out, "\n{marks}  {} {}", row.code.word(), shortened(&row.query.sql));
            let _ = writeln!(out, "    sent by {}", row.query.senders());
            let mut last: &[String] = &[];
            for (number, one) in row.verdicts.iter().enumerate() {
                if one.verdict > Verdict::Works && one.why.as_slice() != last {
                    let _ = writeln!(
                        out,
                        "    stage {}: {}: {}",
                        number + 1,
                        one.verdict.word(),
                        one.why.join("; ")
                    );
                }
                last = &one.why;
            }
        }
        let _ = writeln!(out, "\n{}", self.summary());
        if let Some(server) = &self.verified {
            let _ = writeln!(out, "each query was prepared at each stage on {server}");
        }
        if let Some(gap) = self.gaps.first() {
            let more = self.gaps.len() - 1;
            let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
            let _ = writeln!(out, "the evidence has gaps: {gap}{more}");
        }
        out
    }

    /// A table for a pull request.
    pub fn markdown(&self) -> String {
        let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
        let mut out = format!("{}\n\n| code | query |", self.summary());
        for stage in &self.stages {
            let _ = write!(out, " {} |", cell(stage));
        }
        out.push_str(" why |\n|---|---|");
        out.push_str(&"---|".repeat(self.stages.len() + 1));
        out.push('\n');
        for row in self.queries.iter().filter(|row| row.worst() > Verdict::Works) {
            let _ = write!(out, "| {} | `{}` |", row.code.word(), cell(&shortened(&row.query.sql)));
            for one in &row.verdicts {
                let _ = write!(out, " {} |", one.verdict.word());
            }
            let why = row.verdicts.iter().max_by_key(|one| one.verdict).map(|one| one.why.join("; "));
            let _ = writeln!(out, " {} |", cell(&why.unwrap_or_default()));
        }
        out
    }

    /// All of it, for programs.
    pub fn json(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("its keys are strings");
        format!("{text}\n")
    }
}
