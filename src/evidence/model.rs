//! What is known of the running code, as one file that people review: `twostep.evidence.json`. It holds no data: no
//! literal and no comment of a query gets into it.

use super::sources::Source;
use crate::dialect::Dialect;
use crate::engine::query::{lower, normal::normalize};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the file's form; a newer one is not read.
pub const FORM: u32 = 1;
/// The file where nothing else is said.
pub const FILE_NAME: &str = "twostep.evidence.json";
/// The least number of days that must have been watched before "nobody uses it" is believed.
const WINDOW_DAYS: u32 = 7;

/// What is known of the running code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The version of this form.
    pub form: u32,
    /// The dialect of its queries: `postgres`, `mysql` or `sqlite`.
    pub engine: String,
    /// Where it comes from, by label and source.
    pub captures: Vec<Capture>,
    /// The queries, by their text.
    pub queries: Vec<SeenQuery>,
}

/// One look at one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// Which program it is about: `web`, `worker`.
    pub label: String,
    /// The source's id.
    pub source: String,
    /// The day of it, as `2026-01-31`.
    pub day: String,
    /// How many days it has watched, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_days: Option<u32>,
    /// What it could not see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blind: Vec<String>,
}

/// A query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeenQuery {
    /// Its text, without literals and comments.
    pub sql: String,
    /// Who sends it, by label, source and caller.
    pub seen: Vec<Sighting>,
}

/// That a program sends a query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sighting {
    /// Which program: a capture's label.
    pub label: String,
    /// The source's id.
    pub source: String,
    /// The day on which it was seen last.
    pub day: String,
    /// What sends it: a file, the name of a query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// `application_name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// The role that sends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// How often, where it was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<u64>,
    /// How long it takes on average, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_ms: Option<f64>,
}

/// A query as a source gives it: with its literals, which get no further.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sent {
    /// Its text.
    pub sql: String,
    /// What sends it.
    pub caller: Option<String>,
    /// `application_name`.
    pub application: Option<String>,
    /// The role that sends it.
    pub role: Option<String>,
    /// How often, where it was counted.
    pub calls: Option<u64>,
    /// How long it takes on average, in milliseconds.
    pub mean_ms: Option<f64>,
}

impl Evidence {
    /// Nothing known.
    pub fn new(dialect: Dialect) -> Self {
        Self { form: FORM, engine: dialect.id().to_owned(), captures: Vec::new(), queries: Vec::new() }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It is no evidence, or of a newer form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let evidence: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match (evidence.form, evidence.dialect()) {
            (_, None) => Err(format!("`{}` is no engine", evidence.engine)),
            (form, _) if form > FORM => Err(format!("its form is {form}, and this version knows {FORM}")),
            (_, Some(_)) => Ok(evidence),
        }
    }

    /// The dialect of its queries.
    pub fn dialect(&self) -> Option<Dialect> {
        Dialect::from_word(&self.engine)
    }

    /// The file's text; the same evidence gives the same bytes.
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("its keys are strings");
        format!("{text}\n")
    }

    /// Takes in what `source` gave for the program `label` on `day`. What the same source said of it before is replaced
    /// where it shows all at once, and else kept with its day.
    pub fn add(&mut self, source: &Source, label: &str, day: &str, sent: &[Sent], blind: &[String]) {
        let Some(dialect) = self.dialect() else { return };
        let is_same = |of: &str, id: &str| of == label && id == source.id;
        self.captures.retain(|capture| !is_same(&capture.label, &capture.source));
        let all_blind = source.blind.iter().map(|text| (*text).to_owned()).chain(blind.iter().cloned());
        self.captures.push(Capture {
            label: label.to_owned(),
            source: source.id.to_owned(),
            day: day.to_owned(),
            window_days: None,
            blind: all_blind.collect(),
        });
        self.captures.sort_by(|one, two| (&one.label, &one.source).cmp(&(&two.label, &two.source)));

        let old = std::mem::take(&mut self.queries);
        let mut queries: BTreeMap<String, Vec<Sighting>> = BTreeMap::new();
        for mut query in old {
            if source.shows_all {
                query.seen.retain(|sighting| !is_same(&sighting.label, &sighting.source));
            }
            if !query.seen.is_empty() {
                queries.insert(query.sql, query.seen);
            }
        }
        for one in sent {
            let sql = normalize(&one.sql, dialect);
            // What begins transactions or sets variables uses nothing of a schema.
            if sql.is_empty() || lower(&sql, dialect).is_err_and(|unread| unread.is_other) {
                continue;
            }
            let new = Sighting {
                label: label.to_owned(),
                source: source.id.to_owned(),
                day: day.to_owned(),
                caller: one.caller.clone(),
                application: one.application.clone(),
                role: one.role.clone(),
                calls: one.calls,
                mean_ms: one.mean_ms,
            };
            join(queries.entry(sql).or_default(), new);
        }
        self.queries = queries.into_iter().map(|(sql, seen)| SeenQuery { sql, seen }).collect();
        for query in &mut self.queries {
            query.seen.sort_by(|one, two| key(one).cmp(&key(two)));
        }
    }

    /// Why it cannot prove that a query is not sent; empty where it can.
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps: Vec<String> = Vec::new();
        for capture in &self.captures {
            for blind in &capture.blind {
                gaps.push(format!("{} ({}): {blind}", capture.label, capture.source));
            }
            if capture.window_days.is_none_or(|days| days < WINDOW_DAYS) {
                let days =
                    capture.window_days.map_or_else(|| "not known".to_owned(), |days| days.to_string());
                gaps.push(format!(
                    "{} ({}): the days it has watched are {days}, not {WINDOW_DAYS}",
                    capture.label, capture.source
                ));
            }
        }
        if self.captures.is_empty() {
            gaps.push("nothing was captured".to_owned());
        }
        gaps
    }
}

impl SeenQuery {
    /// Who sends it and how often, in one line: `web: src/a.rs, 120 calls`.
    pub fn senders(&self) -> String {
        let one = |sighting: &Sighting| {
            let mut text = sighting.label.clone();
            for part in [&sighting.caller, &sighting.application].into_iter().flatten() {
                text.push_str(&format!(": {part}"));
            }
            if let Some(calls) = sighting.calls {
                text.push_str(&format!(", {calls} calls"));
            }
            text
        };
        self.seen.iter().map(one).collect::<Vec<_>>().join("; ")
    }
}

/// What tells the sightings of a query apart, and their order.
fn key(sighting: &Sighting) -> (&str, &str, &Option<String>, &Option<String>, &Option<String>) {
    (&sighting.label, &sighting.source, &sighting.caller, &sighting.application, &sighting.role)
}

/// Adds `new` to `seen`: one that is there already gets its counts and its day.
fn join(seen: &mut Vec<Sighting>, new: Sighting) {
    let Some(old) = seen.iter_mut().find(|old| key(old) == key(&new)) else {
        seen.push(new);
        return;
    };
    if old.day != new.day {
        *old = new;
        return;
    }
    let (one, two) = (old.calls.unwrap_or(1), new.calls.unwrap_or(1));
    old.mean_ms = match (old.mean_ms, new.mean_ms) {
        (Some(a), Some(b)) => Some((a * one as f64 + b * two as f64) / (one + two).max(1) as f64),
        (a, b) => a.or(b),
    };
    if old.calls.is_some() || new.calls.is_some() {
        old.calls = Some(one + two);
    }
}
