//! What is known of the running code, as one file that people review: `twostep.evidence.json`. It holds no data: no
//! literal and no comment of a query gets into it, but for the schema's own words, such as labels of enums.

use super::day;
use super::facts::{Database, Look};
use super::resolve::resolve;
use super::sources::Source;
use crate::dialect::Dialect;
use crate::engine::query::normal::{Known, Literal, Normalized, normalize_with};
use crate::engine::query::tree::Query;
use crate::engine::query::{Unread, digest::small_names, lower};
use crate::engine::read::words;
use crate::schema::model::Schema;
use crate::sql::lex::{Token, significant};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the file's form; older ones are read, a newer one is not. 2: constants stay in the queries, and
/// sightings tell of their literals.
pub const FORM: u32 = 2;
/// The file where nothing else is said.
pub const FILE_NAME: &str = "twostep.evidence.json";
/// A query that the last captures of its source did not see for so many days is marked.
const STALE_DAYS: i64 = 30;

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
    /// The databases that were asked, by label.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub databases: Vec<Database>,
    /// The queries, by their text.
    pub queries: Vec<SeenQuery>,
}

/// The version of a file's form.
#[derive(Deserialize)]
struct Form {
    form: u32,
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
    /// Its text, without comments, and without literals but those that are the schema's own.
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
    /// Whether later captures of its source did not see it for a long time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stale: bool,
    /// The parameters that stand for literals of the program's code.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "super::literals")]
    pub literals: Vec<Literal>,
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
    /// The day on which it was sent last, where that is known.
    pub day: Option<String>,
}

impl Evidence {
    /// Nothing known.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            form: FORM,
            engine: dialect.id().to_owned(),
            captures: Vec::new(),
            databases: Vec::new(),
            queries: Vec::new(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It is no evidence, or of a newer form.
    pub fn parse(text: &str) -> Result<Self, String> {
        // A newer form may have what this one does not know.
        let form: Form = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if form.form > FORM {
            return Err(format!("its form is {}, and this version knows {FORM}", form.form));
        }
        let evidence: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match evidence.dialect() {
            None => Err(format!("`{}` is no engine", evidence.engine)),
            // What is added to it is of the form of today.
            Some(_) => Ok(Self { form: FORM, ..evidence }),
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

    /// Takes in what a look at `source` gave for the program `label` on `day`. What the same source said of it before is
    /// replaced where it shows all at once, and else kept with its day.
    pub fn add(&mut self, source: &Source, label: &str, day: &str, look: &Look) {
        let Some(dialect) = self.dialect() else { return };
        let is_same = |of: &str, id: &str| of == label && id == source.id;
        self.captures.retain(|capture| !is_same(&capture.label, &capture.source));
        let all_blind = source.blind.iter().map(|text| (*text).to_owned()).chain(look.blind.iter().cloned());
        self.captures.push(Capture {
            label: label.to_owned(),
            source: source.id.to_owned(),
            day: day.to_owned(),
            window_days: look.window_days,
            blind: all_blind.collect(),
        });
        self.captures.sort_by(|one, two| (&one.label, &one.source).cmp(&(&two.label, &two.source)));
        if let Some(database) = &look.database {
            self.databases.retain(|known| known.label != label);
            self.databases.push(Database {
                label: label.to_owned(),
                day: day.to_owned(),
                ..database.clone()
            });
            self.databases.sort_by(|one, two| one.label.cmp(&two.label));
        }
        let mut queries: BTreeMap<String, Vec<Sighting>> = BTreeMap::new();
        let mut before: BTreeMap<String, Vec<Sighting>> = BTreeMap::new();
        for query in std::mem::take(&mut self.queries) {
            let (own, others) =
                query.seen.into_iter().partition(|sighting| is_same(&sighting.label, &sighting.source));
            before.insert(query.sql.clone(), own);
            queries.insert(query.sql, others);
        }
        for (sql, mut seen) in sightings(source, label, day, look, dialect) {
            let old = before.remove(&sql).unwrap_or_default();
            for sighting in &mut seen {
                let known = old.iter().find(|old| key(old) == key(sighting));
                // A counter that stands still: it was not sent since.
                if let Some(known) = known.filter(|old| source.counts && old.calls == sighting.calls)
                    && sighting.day == day
                {
                    sighting.day = known.day.clone();
                }
            }
            if !source.shows_all {
                seen.extend(
                    old.into_iter()
                        .filter(|old| !seen.iter().any(|new| key(new) == key(old)))
                        .collect::<Vec<_>>(),
                );
            }
            queries.entry(sql).or_default().extend(seen);
        }
        if !source.shows_all {
            for (sql, seen) in before {
                queries.entry(sql).or_default().extend(seen);
            }
        }
        self.put(queries);
    }

    /// Adds all of `other`, which is for the same engine: what both know of the same program from the same source is
    /// taken from the newer one.
    pub fn merge(&mut self, other: Evidence) {
        let newer = |of: &Capture| {
            let own = self.captures.iter().find(|own| own.label == of.label && own.source == of.source);
            own.is_none_or(|own| own.day <= of.day)
        };
        let taken: Vec<Capture> = other.captures.into_iter().filter(newer).collect();
        let is_taken = |label: &str, source: &str| {
            taken.iter().any(|capture| capture.label == label && capture.source == source)
        };
        let mut queries: BTreeMap<String, Vec<Sighting>> = BTreeMap::new();
        for query in std::mem::take(&mut self.queries) {
            let kept = query.seen.into_iter().filter(|one| !is_taken(&one.label, &one.source)).collect();
            queries.insert(query.sql, kept);
        }
        for query in other.queries {
            let new = query.seen.into_iter().filter(|one| is_taken(&one.label, &one.source));
            queries.entry(query.sql).or_default().extend(new);
        }
        for database in other.databases {
            if self.databases.iter().all(|own| own.label != database.label || own.day <= database.day) {
                self.databases.retain(|own| own.label != database.label);
                self.databases.push(database);
            }
        }
        self.databases.sort_by(|one, two| one.label.cmp(&two.label));
        self.captures
            .retain(|own| !taken.iter().any(|new| new.label == own.label && new.source == own.source));
        self.captures.extend(taken);
        self.captures.sort_by(|one, two| (&one.label, &one.source).cmp(&(&two.label, &two.source)));
        self.put(queries);
    }

    /// Takes `queries` for its own, in their order, and marks the old ones.
    fn put(&mut self, queries: BTreeMap<String, Vec<Sighting>>) {
        let mut all: Vec<SeenQuery> =
            queries.into_iter().map(|(sql, seen)| SeenQuery { sql, seen }).collect();
        all.retain(|query| !query.seen.is_empty());
        for query in &mut all {
            query.seen.sort_by(|one, two| key(one).cmp(&key(two)));
            for sighting in &mut query.seen {
                sighting.stale = self.is_stale(sighting);
            }
        }
        self.queries = all;
    }

    /// Whether `sighting` is old: later captures of its source did not see it again.
    fn is_stale(&self, sighting: &Sighting) -> bool {
        let same = |capture: &&Capture| capture.label == sighting.label && capture.source == sighting.source;
        let last = self.captures.iter().find(same);
        last.and_then(|last| day::between(&sighting.day, &last.day)).is_some_and(|days| days >= STALE_DAYS)
    }
}

/// The queries of a look, each once, with who sends them.
fn sightings(
    source: &Source,
    label: &str,
    day: &str,
    look: &Look,
    dialect: Dialect,
) -> BTreeMap<String, Vec<Sighting>> {
    let mut found: BTreeMap<String, Vec<Sighting>> = BTreeMap::new();
    for one in &look.sent {
        let known = Known { names: look.names.as_ref(), constants: Some(&look.constants) };
        let Normalized { text: sql, mut literals } = normalize_with(inner(&one.sql, dialect), dialect, known);
        if !source.shows_all {
            // Of data nothing is kept, not even its length; what shows all is code.
            literals.clear();
        }
        let sql = if source.id == super::sources::DIGESTS.id { small_names(&sql) } else { sql };
        // What begins transactions or sets variables uses nothing of a schema.
        if sql.is_empty() || is_utility(&sql, dialect) {
            continue;
        }
        let read = lower(&sql, dialect);
        let is_other = read.as_ref().is_err_and(|unread| unread.is_other);
        if is_other || source.counts && is_of_catalog(&sql, &read, dialect) {
            continue;
        }
        let new = Sighting {
            label: label.to_owned(),
            source: source.id.to_owned(),
            day: one.day.clone().unwrap_or_else(|| day.to_owned()),
            caller: one.caller.clone(),
            application: one.application.clone(),
            role: one.role.clone(),
            calls: one.calls,
            mean_ms: one.mean_ms,
            stale: false,
            literals,
        };
        join(found.entry(sql).or_default(), new);
    }
    found
}

impl SeenQuery {
    /// What is known of the parameters that stand for literals, whoever sends it.
    pub fn literals(&self) -> Vec<Literal> {
        let mut all = self.seen.iter().map(|sighting| sighting.literals.as_slice());
        let first = all.next().unwrap_or_default().to_vec();
        all.fold(first, |known, other| in_both(&known, other))
    }

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
            if sighting.stale {
                text.push_str(&format!(", not seen since {}", sighting.day));
            }
            text
        };
        self.seen.iter().map(one).collect::<Vec<_>>().join("; ")
    }
}

/// Whether a query uses nothing but the server's own catalogs: people, monitoring and we ourselves ask such.
fn is_of_catalog(sql: &str, read: &Result<Query, Unread>, dialect: Dialect) -> bool {
    const CATALOGS: &[&str] = &["pg_catalog", "pg_stat", "information_schema", "performance_schema", "pg_"];
    let names_one = CATALOGS.iter().any(|catalog| sql.to_ascii_lowercase().contains(catalog));
    // On a schema without anything, whatever else it uses is missing.
    names_one && read.is_ok() && resolve(read, &Schema::new(dialect)).problems.is_empty()
}

/// Whether `sql` is a statement for the server, which no code needs the schema for, in whatever form.
fn is_utility(sql: &str, dialect: Dialect) -> bool {
    const WORDS: &str = " vacuum analyze set show begin start commit rollback reset use create alter drop grant revoke \
                         comment optimize kill flush checkpoint reindex discard ";
    significant(sql, dialect).next().is_some_and(|first| words::contains(WORDS, first.text(sql)))
}

/// What `sql` is about: of a cursor, an `EXPLAIN` or a `PREPARE` the query in it, else all of it.
fn inner(sql: &str, dialect: Dialect) -> &str {
    const AROUND: &[&str] = &["declare", "explain", "prepare", "create"];
    const QUERIES: &[&str] = &["select", "with", "values", "insert", "update", "delete", "merge"];
    let mut tokens = significant(sql, dialect);
    let is_any = |token: &Token, words: &[&str]| words.iter().any(|word| token.is_word(sql, word));
    if !tokens.next().is_some_and(|first| is_any(&first, AROUND)) {
        return sql;
    }
    // Not the words in `CURSOR WITH HOLD`, `ON UPDATE` and their like: a query stands behind one of these.
    let is_before =
        |token: &Token| is_any(token, &["for", "as"]) || token.is_punct(b')') || token.is_punct(b'(');
    let tokens: Vec<Token> = tokens.collect();
    let is_explain = significant(sql, dialect).next().is_some_and(|first| first.is_word(sql, "explain"));
    let start = tokens
        .iter()
        .enumerate()
        .find(|(at, token)| is_any(token, QUERIES) && (is_explain || *at > 0 && is_before(&tokens[at - 1])));
    start.map_or(sql, |(_, start)| &sql[start.span.start..])
}

/// What tells the sightings of a query apart, and their order.
fn key(sighting: &Sighting) -> (&str, &str, &Option<String>, &Option<String>, &Option<String>) {
    (&sighting.label, &sighting.source, &sighting.caller, &sighting.application, &sighting.role)
}

/// Adds `new` to `seen`: one that is there already gets its counts.
fn join(seen: &mut Vec<Sighting>, new: Sighting) {
    let Some(old) = seen.iter_mut().find(|old| key(old) == key(&new)) else {
        seen.push(new);
        return;
    };
    let (one, two) = (old.calls.unwrap_or(1), new.calls.unwrap_or(1));
    old.mean_ms = match (old.mean_ms, new.mean_ms) {
        (Some(a), Some(b)) => Some((a * one as f64 + b * two as f64) / (one + two).max(1) as f64),
        (a, b) => a.or(b),
    };
    if old.calls.is_some() || new.calls.is_some() {
        old.calls = Some(one + two);
    }
    old.literals = in_both(&old.literals, &new.literals);
    old.day = old.day.clone().max(new.day);
}

/// What holds for parameters, whether `one` or `other` was sent.
fn in_both(one: &[Literal], other: &[Literal]) -> Vec<Literal> {
    let same = |literal: &Literal| {
        let found =
            other.iter().find(|own| own.parameter == literal.parameter && own.kind == literal.kind)?;
        Some(Literal { chars: literal.chars.filter(|chars| found.chars == Some(*chars)), ..*literal })
    };
    one.iter().filter_map(same).collect()
}
