//! A new column that is NOT NULL and has no default fails on a table with rows, and for inserts of the running code.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "add-not-null-no-default",
    Group::Compat,
    Severity::Error,
    ALL_ENGINES,
    include_str!("add_not_null_no_default.md"),
    find,
)
.splitting();

fn find(place: &Place<'_>) -> Option<Draft> {
    if let Some((name, old, new)) = super::columns::made_anew(place) {
        return made_with(place, name, old, new);
    }
    let (alter, TableAction::AddColumn { column, .. }) = place.alter_of_table()? else { return None };
    let no_value = column.default.as_ref().is_none_or(|default| default.is_null);
    let key = column.constraints.iter().any(|one| matches!(one.kind, ConstraintKind::PrimaryKey(_)));
    let not_null = key || column.nullability == Nullability::NotNull;
    let required = not_null && no_value && column.generation.is_none();
    let empty = !place.is_used(&alter.table)
        && place.table(&alter.table).is_some_and(|table| table.rows == Rows::Empty);
    if !required || empty || place.is_skipped() || domain_fills(place, column) {
        return None;
    }
    let shown = place.shown(&alter.table);
    Some(Draft::new(
        format!("new column `{}` of `{shown}` is NOT NULL and has no default", column.name),
        "the migration fails if the table has rows, and inserts of running code, which does not know the column, fail after it",
    ))
}

/// A column that a table has only since it was made anew.
fn made_with(place: &Place<'_>, name: &TableName, old: &Table, new: &Table) -> Option<Draft> {
    let is_required = |column: &&std::sync::Arc<Column>| {
        old.column(&column.name).is_none()
            && column.nullability == Nullability::NotNull
            && column.default.is_none()
            && column.generation.is_none()
    };
    let column = new.columns.iter().find(is_required).filter(|_| old.is_complete())?;
    Some(
        Draft::new(
            format!(
                "`{}` made anew has a new column `{}` that is NOT NULL and has no default",
                place.shown(name),
                column.name
            ),
            "inserts of running code, which does not know the column, fail from then on",
        )
        .help(format!("give `{}` a default, or leave out NOT NULL until no older code runs", column.name))
        .whole(),
    )
}

/// Whether the column's type is a domain with a default.
fn domain_fills(place: &Place<'_>, column: &ColumnDef) -> bool {
    let found =
        column.data_type.as_ref().and_then(|data_type| place.before().user_type(&data_type.object_name()));
    matches!(found.map(|found| &found.kind), Some(UserTypeKind::Domain(domain)) if domain.default.is_some())
}
