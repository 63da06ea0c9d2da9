//! A name without a schema means whatever the search_path says.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "require-table-schema",
    Group::Style,
    Severity::Warning,
    POSTGRES,
    include_str!("require_table_schema.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let table = match place.kind() {
        ChangeKind::CreateTable(create) if create.persistence != Persistence::Temporary => &create.table,
        ChangeKind::AlterTable(alter) => &alter.table,
        ChangeKind::Drop(drop) if drop.object == ObjectKind::Table => &drop.name,
        _ => return None,
    };
    table.schema.is_none().then(|| {
        Draft::new(
            format!("`{}` stands without a schema", table.name),
            "which table that is depends on the search_path of whoever runs the migration",
        )
        .help(format!("{}.{}", place.id(&place.before().home()), place.id(&table.name)))
    })
}
