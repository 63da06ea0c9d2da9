//! An index whose columns another one begins with.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "duplicate-index",
    Group::Style,
    Severity::Warning,
    ALL_ENGINES,
    include_str!("duplicate_index.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let create: &CreateIndex = match place.kind() {
        ChangeKind::CreateIndex(create) => create,
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::AddIndex(create) => create,
            _ => return None,
        },
        _ => return None,
    };
    if create.unique
        || create.method.as_deref().is_some_and(|method| method != "btree")
        || create.predicate.is_some()
    {
        return None;
    }
    let columns = create.plain_columns()?;
    let table = place.table(&create.table)?;
    let covers = |index: &&std::sync::Arc<Index>| {
        let plain =
            index.method.as_deref().is_none_or(|method| method == "btree") && index.predicate.is_none();
        let own = index.plain_columns().unwrap_or_default();
        plain
            && index.valid
            && Some(&index.name) != create.name.as_ref()
            && own.len() >= columns.len()
            && own[..columns.len()] == columns[..]
    };
    let other = table.indexes.iter().find(covers)?;
    // The one that is there may go in the same migration.
    place.judged.after.table(&create.table)?.index(&other.name)?;
    Some(
        Draft::new(
            format!(
                "index `{}` of `{}` begins with the same columns",
                other.name,
                place.shown(&create.table)
            ),
            "it serves the same queries; two cost each write twice",
        )
        .help("leave the new one out, or drop the old one"),
    )
}
