//! Triggers that keep a column filled, or two columns the same, for as long as old and new code run.
//!
//! There is one for INSERT and one for UPDATE, and each is a single `SET`, so that every format of files can carry it.
//! Where the table has triggers of its own, what new code wrote is taken over in front of them, and what they made of it
//! behind them. Foreign keys that write rows fire no triggers, which is why a plan refuses columns that they write.

use super::definition;
use crate::dialect::Dialect;
use crate::engine::proposal::about::{About, named};
use crate::engine::proposal::{Action, Missing, Proposal};
use crate::engine::update::unquoted;
use crate::name::Name;
use crate::schema::change::{CreateTrigger, Generation, Nullability, Volatility};
use crate::sql::lex::{Token, significant};

/// A column and its copy under another name.
pub(super) struct Pair<'a> {
    /// The column that old code uses.
    pub old: &'a Name,
    /// The one that new code uses.
    pub new: &'a Name,
    /// Another one that new code uses, whose triggers are there already and come behind these.
    pub next: Option<&'a Name>,
}

/// Whether two values are the same to the byte: a collation, or a float's zero, says less.
pub(super) fn same(about: &About<'_>, column: &Name, one: &str, other: &str) -> String {
    let data_type = about.column(column).and_then(|column| column.data_type.as_ref());
    let bytes = format!("CAST({one} AS BINARY) <=> CAST({other} AS BINARY)");
    match data_type.map_or("", |known| known.name.as_str()) {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "year" | "bit" | "date"
        | "time" | "datetime" | "timestamp" | "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob"
        | "longblob" | "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring"
        | "multipolygon" | "geometrycollection" => format!("{one} <=> {other}"),
        "float" | "double" => format!("{one} <=> {other} AND {bytes}"),
        _ => bytes,
    }
}

/// Whether a value is the default to the byte, whatever character set the text of the default has.
fn is_default(about: &About<'_>, column: &Name, value: &str, default: &str) -> String {
    let data_type = about.column(column).and_then(|column| column.data_type.as_ref());
    match data_type.map_or("", |known| known.name.as_str()) {
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set" => {
            let bytes = |one: &str| format!("CAST(CONVERT({one} USING utf8mb4) AS BINARY)");
            format!("{} <=> {}", bytes(value), bytes(default))
        }
        _ => same(about, column, value, default),
    }
}

/// Events that triggers fire on.
const EVENTS: [&str; 2] = ["INSERT", "UPDATE"];

/// What tells the table's own triggers that a backfill of a plan writes a row.
pub(super) const BACKFILL: &str = "@twostep_backfill";

/// The table's own triggers that fire for each row that is filled.
fn fired<'a>(about: &About<'a>) -> impl Iterator<Item = &'a CreateTrigger> {
    let all = about.table.into_iter().flat_map(|table| &table.triggers).map(|trigger| &*trigger.definition);
    all.filter(|one| one.events.iter().any(|event| event == "UPDATE"))
}

/// Whether the table has triggers that are to be told of a backfill.
pub(super) fn must_be_told(about: &About<'_>) -> bool {
    fired(about).next().is_some()
}

/// Whether a trigger asks by itself whether it is a backfill that writes.
fn asks(trigger: &CreateTrigger) -> bool {
    body(trigger).to_ascii_lowercase().contains(BACKFILL)
}

fn body(trigger: &CreateTrigger) -> &str {
    trigger.body.as_ref().map_or("", |body| &body.text)
}

/// Whether a trigger may do more than give values to the row that it fires for.
fn reaches_out(trigger: &CreateTrigger) -> bool {
    const WORDS: [&str; 6] = ["insert", "update", "delete", "replace", "call", "load"];
    let text = body(trigger);
    let tokens: Vec<Token> = significant(text, Dialect::Mysql).collect();
    // INSERT(…) and REPLACE(…) are functions too.
    let is_statement = |at: usize| {
        WORDS.iter().any(|word| tokens[at].is_word(text, word))
            && tokens.get(at + 1).is_none_or(|next| !next.is_punct(b'('))
    };
    let is_kept = |word: &str| word.starts_with('@') && !word.starts_with("@@");
    let keeps = tokens.iter().any(|token| is_kept(token.text(text)));
    trigger.timing != "BEFORE" || keeps || (0..tokens.len()).any(is_statement)
}

/// Whether a trigger names `column` of the row that it fires for.
pub(super) fn reads(trigger: &CreateTrigger, column: &Name) -> bool {
    let text = body(trigger);
    let tokens: Vec<Token> = significant(text, Dialect::Mysql).collect();
    let is_column = |word: &str| match word.strip_prefix('`') {
        Some(_) => unquoted(word).as_str().eq_ignore_ascii_case(column.as_str()),
        None => word.eq_ignore_ascii_case(column.as_str()),
    };
    tokens.windows(3).any(|three| {
        (three[0].is_word(text, "new") || three[0].is_word(text, "old"))
            && three[1].is_punct(b'.')
            && is_column(three[2].text(text))
    })
}

/// Says why there is no plan that fills rows of the table where its own triggers would do what nothing takes back.
pub(super) fn must_leave_others_alone(about: &About<'_>, proposal: &mut Proposal) {
    for trigger in fired(about).filter(|one| reaches_out(one) && !asks(one)) {
        proposal.missing.push(Missing::Other(format!(
            "the trigger {} fires for each row that is filled, and what it does beyond the row would be done for all of them: \
             let it do nothing while {BACKFILL} is 1, in a migration before (IF {BACKFILL} <=> 1 THEN … )",
            about.id(&trigger.name)
        )));
    }
}

/// What takes back what the table's own triggers make of a row that is filled, as assignments.
fn restored(about: &About<'_>) -> Vec<String> {
    let Some(table) = about.table else { return Vec::new() };
    let key = about.key();
    let is_copy = |column: &Name| about.given.apart.iter().any(|one| one.table == key && one.copy == *column);
    let changed = |column: &Name| fired(about).any(|one| !asks(one) && reads(one, column));
    let columns = table.columns.iter().filter(|column| {
        !matches!(column.generation, Some(Generation::Expression { .. })) && !is_copy(&column.name)
    });
    let back = |column: &Name| {
        let id = about.id(column);
        format!("NEW.{id} = IF({BACKFILL} <=> 1, OLD.{id}, NEW.{id})")
    };
    columns.map(|column| &column.name).filter(|name| changed(name)).map(back).collect()
}

/// A trigger that does `set` in front of each row that is written, among or around the table's own ones.
fn trigger(about: &About<'_>, called: &str, event: &str, place: Place, set: &str, text: &str) -> Action {
    let own: Vec<&Name> = about
        .table
        .iter()
        .flat_map(|table| &table.triggers)
        .filter(|trigger| trigger.definition.timing == "BEFORE")
        .filter(|trigger| trigger.definition.events.iter().any(|one| one == event))
        .map(|trigger| &trigger.definition.name)
        .collect();
    let order = match (place, own.first()) {
        (Place::Before(other), _) => format!("PRECEDES {} ", about.id(&trigger_name(about, &other, event))),
        (Place::Front, Some(first)) => format!("PRECEDES {} ", about.id(first)),
        (Place::Front, None) | (Place::Behind, _) => String::new(),
    };
    let name = about.beside(&trigger_name(about, called, event));
    Action::new(
        text,
        format!("CREATE TRIGGER {name} BEFORE {event} ON {} FOR EACH ROW {order}SET {set}", about.sql()),
    )
    .undone_by(format!("DROP TRIGGER {name}"))
}

/// What a trigger of ours is called.
fn trigger_name(about: &About<'_>, called: &str, event: &str) -> Name {
    named(&about.name.name, &format!("{called}_{}", event.to_lowercase()), about.dialect())
}

/// Where a trigger stands among the others. Without a word it comes behind those that are there.
enum Place {
    /// In front of the table's own.
    Front,
    /// Behind all.
    Behind,
    /// In front of another one of ours, by what it is called for.
    Before(String),
}

/// Triggers that fill `column` with `value`, an expression over `NEW`, where a write leaves it NULL.
pub(super) fn filling(about: &About<'_>, column: &Name, value: &str) -> Vec<Action> {
    let id = about.id(column);
    let set = format!("NEW.{id} = IF(NEW.{id} IS NULL, {value}, NEW.{id})");
    let text = format!("What a write leaves NULL is filled, so that older code need not know {id}.");
    let called = format!("{}_fill", column.as_str());
    EVENTS.iter().map(|event| trigger(about, &called, event, Place::Behind, &set, &text)).collect()
}

/// Triggers that give `copy` what `column` has.
pub(super) fn following(about: &About<'_>, column: &Name, copy: &Name) -> Vec<Action> {
    let set = format!("NEW.{} = NEW.{}", about.id(copy), about.id(column));
    let text = format!("{} is always what {} is.", about.id(copy), about.id(column));
    let called = format!("{}_out", column.as_str());
    EVENTS.iter().map(|event| trigger(about, &called, event, Place::Behind, &set, &text)).collect()
}

impl Pair<'_> {
    /// Triggers that keep both the same. `original`: the column that the schema knows.
    pub fn start(&self, about: &About<'_>, original: &Name) -> Vec<Action> {
        let (old, new) = (about.id(self.old), about.id(self.new));
        let given = match default(about, original) {
            // Which of both an INSERT gave is told by the default.
            Some(default) => {
                format!("NOT ({})", is_default(about, original, &format!("NEW.{new}"), &default))
            }
            None => format!("NEW.{new} IS NOT NULL"),
        };
        let changed =
            format!("NOT ({})", same(about, original, &format!("NEW.{new}"), &format!("OLD.{new}")));
        let mut actions = Vec::new();
        for event in EVENTS {
            let wrote = if event == "INSERT" { &given } else { &changed };
            let into = format!("NEW.{old} = IF({wrote}, NEW.{new}, NEW.{old})");
            let out = format!("NEW.{new} = NEW.{old}");
            let called = self.new.as_str();
            let own = about.table.iter().flat_map(|table| &table.triggers).any(|trigger| {
                trigger.definition.timing == "BEFORE"
                    && trigger.definition.events.iter().any(|one| one == event)
            });
            let place = |kind: &str, usual: Place| match self.next {
                Some(next) => Place::Before(format!("{}_{kind}", next.as_str())),
                None => usual,
            };
            let takes = format!("What is written to {new} goes to {old}, where it changed");
            if own {
                let text = format!("{takes}; in front of the table's own triggers.");
                actions.push(trigger(
                    about,
                    &format!("{called}_in"),
                    event,
                    place("in", Place::Front),
                    &into,
                    &text,
                ));
                let mut text = format!("{new} is always what {old} is, with what they made of it.");
                let mut set = if event == "UPDATE" { restored(about) } else { Vec::new() };
                if !set.is_empty() {
                    text.push_str(" Of a row that is filled nothing else is changed.");
                }
                set.push(out);
                let set = set.join(", ");
                let place = place("out", Place::Behind);
                actions.push(trigger(about, &format!("{called}_out"), event, place, &set, &text));
            } else {
                let text = format!("{takes}; and {new} is always what {old} is.");
                let both = format!("{into}, {out}");
                let place = place("same", Place::Behind);
                actions.push(trigger(about, &format!("{called}_same"), event, place, &both, &text));
            }
        }
        actions
    }
}

/// The default of a column that may be NULL, where it is the same for the whole statement.
pub(super) fn default(about: &About<'_>, column: &Name) -> Option<String> {
    let column = about.column(column)?;
    let default = column.default.as_ref().filter(|default| !default.is_null)?;
    let constant = default.volatility < Volatility::Volatile;
    (constant && column.nullability != Nullability::NotNull).then(|| default.text.clone())
}

/// The value that a NOT NULL column may be left out with, without writing a row: as a default. None where there is none,
/// or two rows may not share it.
pub(super) fn harmless_default(about: &About<'_>, column: &Name) -> Option<String> {
    let known = about.column(column)?;
    let table = about.table?;
    let unique = table.indexes.iter().any(|index| index.unique && index.uses(column));
    let checked = table.constraints.iter().any(|one| one.columns().contains(column));
    if unique || checked {
        return None;
    }
    definition::implicit(known.data_type.as_ref()?)
}
