//! A foreign key without an index on its columns makes deletes on the other side scan the table.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "fk-missing-index",
    Group::Style,
    Severity::Warning,
    POSTGRES,
    include_str!("fk_missing_index.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (table, keys): (&TableName, Vec<&ForeignKey>) = match place.kind() {
        ChangeKind::CreateTable(create) => {
            let inline = create.columns.iter().flat_map(|column| &column.constraints);
            (&create.table, create.constraints.iter().chain(inline).filter_map(key).collect())
        }
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::AddConstraint { constraint, .. } => {
                (&alter.table, key(constraint).into_iter().collect())
            }
            TableAction::AddColumn { column, .. } => {
                (&alter.table, column.constraints.iter().filter_map(key).collect())
            }
            _ => return None,
        },
        _ => return None,
    };
    let after = place.judged.after.table(table);
    // Of a table that nothing has made, the indexes are not known.
    let known = after.is_some_and(|after| after.origin != Origin::Assumed);
    let unless = if known { "" } else { ", unless an earlier one serves it" };
    let indexed = |key: &ForeignKey| {
        after.is_some_and(|after| {
            after.indexes.iter().any(|index| {
                let own = index.plain_columns().unwrap_or_default();
                own.len() >= key.columns.len()
                    && key.columns.iter().all(|column| own[..key.columns.len()].contains(&column))
            })
        })
    };
    let missing = keys.into_iter().find(|key| !indexed(key))?;
    let (shown, columns) = (place.shown(table), place.ids(&missing.columns));
    Some(
        Draft::new(
            format!("the foreign key ({columns}) of `{shown}` has no index{unless}"),
            format!(
                "each delete and each change of a key in `{}` scans `{shown}`, and holds its locks meanwhile",
                place.shown(&missing.references)
            ),
        )
        .help(format!("CREATE INDEX CONCURRENTLY ON {} ({columns});", place.sql(table))),
    )
}

fn key(constraint: &Constraint) -> Option<&ForeignKey> {
    match &constraint.kind {
        ConstraintKind::ForeignKey(key) => Some(key),
        _ => None,
    }
}
