//! Triggers that keep a column filled, or two columns the same, for as long as old and new code run.
//!
//! There is one for INSERT and one for UPDATE, and each is a single `SET`, so that every format of files can carry it.
//! Where the table has triggers of its own, what new code wrote is taken over in front of them, and what they made of it
//! behind them. Foreign keys that write rows fire no triggers, which is why a plan refuses columns that they write.

use super::definition;
use crate::engine::proposal::Action;
use crate::engine::proposal::about::{About, named};
use crate::name::Name;
use crate::schema::change::{Nullability, Volatility};

/// A column and its copy under another name.
pub(super) struct Pair<'a> {
    /// The column that old code uses.
    pub old: &'a Name,
    /// The one that new code uses.
    pub new: &'a Name,
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
    let order = match (place, own.first(), own.last()) {
        (Place::Front, Some(first), _) => format!("PRECEDES {} ", about.id(first)),
        _ => String::new(),
    };
    let name = about.beside(&named(
        &about.name.name,
        &format!("{called}_{}", event.to_lowercase()),
        about.dialect(),
    ));
    Action::new(
        text,
        format!("CREATE TRIGGER {name} BEFORE {event} ON {} FOR EACH ROW {order}SET {set}", about.sql()),
    )
    .undone_by(format!("DROP TRIGGER {name}"))
}

/// Where a trigger stands among the table's own. Without a word it comes behind those that are there.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Front,
    Behind,
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
            let takes = format!("What is written to {new} goes to {old}, where it changed");
            if own {
                let text = format!("{takes}; in front of the table's own triggers.");
                actions.push(trigger(about, &format!("{called}_in"), event, Place::Front, &into, &text));
                let text = format!("{new} is always what {old} is, with what they made of it.");
                actions.push(trigger(about, &format!("{called}_out"), event, Place::Behind, &out, &text));
            } else {
                let text = format!("{takes}; and {new} is always what {old} is.");
                let both = format!("{into}, {out}");
                actions.push(trigger(about, &format!("{called}_same"), event, Place::Behind, &both, &text));
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
