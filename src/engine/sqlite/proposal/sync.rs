//! Triggers that keep a column filled, or two columns the same, for as long as old and new code run. A trigger cannot
//! change the row that is being written, so each writes it once more, where that is needed.

use crate::engine::proposal::Action;
use crate::engine::proposal::about::About;
use crate::name::Name;
use crate::schema::change::{Nullability, TableForm, Volatility};

/// The condition that finds the row that a trigger fires for.
fn row(about: &About<'_>) -> String {
    let without = about
        .table
        .is_some_and(|table| matches!(table.form, TableForm::WithoutRowid | TableForm::StrictWithoutRowid));
    match about.table.and_then(|table| table.primary_key()).filter(|_| without) {
        Some(key) => {
            let same = |name: &Name| format!("{0} = NEW.{0}", about.id(name));
            key.columns().iter().map(same).collect::<Vec<_>>().join(" AND ")
        }
        None => "_rowid_ = NEW._rowid_".to_owned(),
    }
}

/// Whether two values differ: in their text as literals, which knows no collation and tells 1 from 1.0.
pub(super) fn differ(one: &str, other: &str) -> String {
    format!("quote({one}) IS NOT quote({other})")
}

fn trigger(about: &About<'_>, called: &str, event: &str, when: &str, set: &str, text: &str) -> Action {
    let table = about.id(&about.name.name);
    let name = about.id(&about.named(called));
    Action::new(
        text,
        format!(
            "CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW WHEN {when} BEGIN UPDATE {table} SET {set} WHERE {}; END",
            row(about)
        ),
    )
    .undone_by(format!("DROP TRIGGER {name}"))
}

/// Triggers that fill `column` with `value`, an expression over the row, where a write leaves it NULL.
pub(super) fn filling(about: &About<'_>, column: &Name, value: &str) -> Vec<Action> {
    let id = about.id(column);
    let text = format!("What a write leaves NULL is filled, so that older code need not know {id}.");
    ["INSERT", "UPDATE"]
        .iter()
        .map(|event| {
            let called = format!("{}_fill_{}", column.as_str(), event.to_lowercase());
            trigger(about, &called, event, &format!("NEW.{id} IS NULL"), &format!("{id} = {value}"), &text)
        })
        .collect()
}

/// Triggers that keep `old` and `new` the same. `original`: the column that the schema knows.
pub(super) fn pair(about: &About<'_>, old: &Name, new: &Name, original: &Name) -> Vec<Action> {
    let (a, b) = (about.id(old), about.id(new));
    let given = match default(about, original) {
        Some(default) => differ(&format!("NEW.{b}"), &default),
        None => format!("NEW.{b} IS NOT NULL"),
    };
    let changed = differ(&format!("NEW.{b}"), &format!("OLD.{b}"));
    let when = differ(&format!("NEW.{a}"), &format!("NEW.{b}"));
    let set = |wrote: &str| {
        let value = format!("CASE WHEN {wrote} THEN NEW.{b} ELSE NEW.{a} END");
        format!("{a} = {value}, {b} = {value}")
    };
    let text =
        format!("What is written to {b} goes to {a}, where it changed; and {b} is always what {a} is.");
    vec![
        trigger(about, &format!("{}_same_insert", new.as_str()), "INSERT", &when, &set(&given), &text),
        trigger(
            about,
            &format!("{}_same_update", new.as_str()),
            &format!("UPDATE OF {a}, {b}"),
            &when,
            &set(&changed),
            &text,
        ),
    ]
}

/// The default of a column that may be NULL, where it is the same for the whole statement.
pub(super) fn default(about: &About<'_>, column: &Name) -> Option<String> {
    let column = about.column(column)?;
    let default = column.default.as_ref().filter(|default| !default.is_null)?;
    let constant = default.volatility < Volatility::Volatile && default.is_constant();
    (constant && column.nullability != Nullability::NotNull).then(|| default.text.trim().to_owned())
}
