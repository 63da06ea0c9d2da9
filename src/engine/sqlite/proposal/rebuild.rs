//! The documented rebuild of a table: a new one, its rows, and the name; then what hung on the old one.
//! <https://www.sqlite.org/lang_altertable.html#otheralter>
//!
//! Foreign keys are off while a migration runs. With `legacy_alter_table` the last renaming leaves views, and triggers
//! and foreign keys of other tables, as they stand: they name the table that comes back.

use super::definition;
use crate::engine::proposal::about::About;
use crate::engine::proposal::{Action, Missing, Proposal, Undo};
use crate::name::{Name, TableName};
use crate::schema::apply::apply;
use crate::schema::change::*;
use crate::schema::model::{Schema, Table};
use std::sync::Arc;

/// What the new column holds of a row of the old table: the column of the same name, unless it is said otherwise.
pub(super) type Values<'v> = &'v dyn Fn(&Name) -> Option<String>;

/// The column of the same name.
pub(super) fn same(_: &Name) -> Option<String> {
    None
}

/// The statements that make `after` of `before`, for one transaction; none where it cannot be written.
pub(super) fn rebuild(
    about: &About<'_>,
    before: &Table,
    after: &Table,
    values: Values<'_>,
    text: &str,
) -> Option<Vec<Action>> {
    let table = about.id(&before.name.name);
    let (new, create) = created(about, after)?;
    let mut into = Vec::new();
    let mut from = Vec::new();
    if keeps_rowids(before) && keeps_rowids(after) {
        into.push("_rowid_".to_owned());
        from.push("_rowid_".to_owned());
    }
    for column in &after.columns {
        if matches!(column.generation, Some(Generation::Expression { .. })) {
            continue;
        }
        let there = before.column(&column.name).map(|column| about.id(&column.name));
        if let Some(value) = values(&column.name).or(there) {
            into.push(about.id(&column.name));
            from.push(value);
        }
    }
    let mut actions = vec![
        Action::new(text, create),
        Action::new(
            "All rows. Other writers wait for as long as it takes.",
            format!("INSERT INTO {new} ({}) SELECT {} FROM {table}", into.join(", "), from.join(", ")),
        ),
    ];
    if is_numbered(before) && is_numbered(after) {
        let name = |name: &str| crate::name::plain_literal(name);
        let (old, fresh) = (name(before.name.name.as_str()), name(&bare(about)));
        actions.push(Action::new(
            "Numbers that were given once are not given again.",
            format!("DELETE FROM sqlite_sequence WHERE name = {fresh}"),
        ));
        actions.push(Action::new(
            "",
            format!(
                "INSERT INTO sqlite_sequence (name, seq) SELECT {fresh}, seq FROM sqlite_sequence WHERE name = {old}"
            ),
        ));
    }
    actions.push(Action::new("", format!("DROP TABLE {table}")));
    actions.push(Action::new(
        "Views, and what other tables say of this one, are left as they stand.",
        "PRAGMA legacy_alter_table = ON",
    ));
    actions.push(Action::new("", format!("ALTER TABLE {new} RENAME TO {table}")));
    actions.push(Action::new("", "PRAGMA legacy_alter_table = OFF"));
    for index in after.indexes.iter().filter(|index| index.constraint.is_none()) {
        let sql = definition::index(about, index, &index.name, index.unique, None);
        actions.push(Action::new("", sql));
    }
    for trigger in &after.triggers {
        actions.push(Action::new("", definition::trigger(about, trigger)?));
    }
    Some(actions)
}

fn bare(about: &About<'_>) -> String {
    about.named("twostep_new").as_str().to_owned()
}

/// The new table's name, and what makes it; none where what it makes is not what it is to be.
fn created(about: &About<'_>, after: &Table) -> Option<(String, String)> {
    let name = Name::new(bare(about));
    let sql = definition::table(about, after, &about.id(&name))?;
    let mut schema = Schema::new(about.dialect());
    for change in super::super::lower::lower(&sql) {
        apply(&mut schema, &change);
    }
    let made = schema.table(&TableName::bare(name.clone()))?;
    is_same(made, after).then_some((about.id(&name), sql))
}

/// Whether two tables are the same but for names that the engine makes up, and where they stand in a text.
fn is_same(one: &Table, other: &Table) -> bool {
    let text = |expr: &Option<Expr>| expr.as_ref().map(|expr| expr.text.trim().to_owned());
    let generation = |generation: &Option<Generation>| match generation {
        Some(Generation::Expression { expr, stored }) => {
            format!("{} {stored}", expr.text.trim().trim_start_matches('(').trim_end_matches(')'))
        }
        Some(Generation::AutoIncrement) => "numbered".to_owned(),
        Some(Generation::Serial | Generation::Identity(_)) | None => String::new(),
    };
    let columns = one.columns.len() == other.columns.len()
        && one.columns.iter().zip(&other.columns).all(|(one, other)| {
            one.name == other.name
                && one.data_type == other.data_type
                && (one.nullability == Nullability::NotNull) == (other.nullability == Nullability::NotNull)
                && text(&one.default) == text(&other.default)
                && one.collation == other.collation
                && generation(&one.generation) == generation(&other.generation)
        });
    let kinds = |table: &Table| {
        let mut kinds: Vec<String> = table
            .constraints
            .iter()
            .filter(|one| !matches!(one.kind, ConstraintKind::NotNull(_)))
            .map(|one| {
                let (kind, columns) = (std::mem::discriminant(&one.kind), one.columns());
                format!("{kind:?} {columns:?} {} {}", one.deferrable, one.initially_deferred)
            })
            .collect();
        kinds.sort_unstable();
        kinds
    };
    columns && kinds(one) == kinds(other) && one.form == other.form
}

fn is_numbered(table: &Table) -> bool {
    table.columns.iter().any(|column| matches!(column.generation, Some(Generation::AutoIncrement)))
}

/// Whether the numbers of its rows are its own: no column of a key is them.
fn keeps_rowids(table: &Table) -> bool {
    let integer = |name: &Name| {
        let of_type = table.column(name).and_then(|column| column.data_type.as_ref());
        of_type.is_some_and(|one| one.name.eq_ignore_ascii_case("integer"))
    };
    let alias = table.primary_key().is_some_and(|key| matches!(key.columns(), [only] if integer(only)));
    let named = |name: &str| table.columns.iter().any(|one| one.name.as_str().eq_ignore_ascii_case(name));
    matches!(table.form, TableForm::Plain | TableForm::Strict) && !alias && !named("_rowid_")
}

/// The rebuild as actions that are taken back by the opposite one; says why where there is none.
pub(super) fn both_ways(
    about: &About<'_>,
    before: &Table,
    after: &Table,
    values: Values<'_>,
    text: &str,
    proposal: &mut Proposal,
) -> Vec<Action> {
    let forth = rebuild(about, before, after, values, text);
    let back = rebuild(about, after, before, &same, "");
    let (Some(mut forth), Some(back)) = (forth, back) else {
        proposal.missing.push(Missing::Other(format!(
            "`{}` has what the schema does not know well enough to write it anew",
            about.sql()
        )));
        return Vec::new();
    };
    if let Some(first) = forth.first_mut() {
        first.undo = Undo::Together(back.into_iter().map(|action| action.sql).collect());
    }
    let said = format!("{} is written anew: other writers wait meanwhile", about.sql());
    if !proposal.limits.contains(&said) {
        proposal.limits.push(said);
        proposal.limits.push(
            "clauses ON CONFLICT of its constraints, and comments in its text, are not carried over"
                .to_owned(),
        );
    }
    forth
}

/// The table behind the change, as the schema has it.
pub(super) fn after(about: &About<'_>) -> Option<Arc<Table>> {
    let mut schema = about.schema.clone();
    apply(&mut schema, about.change);
    schema.table(about.name).cloned()
}
