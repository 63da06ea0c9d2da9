//! Renaming a column breaks the running code, which uses the old name.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "rename-column",
    Group::Compat,
    Severity::Error,
    ALL_ENGINES,
    include_str!("rename_column.md"),
    find,
)
.splitting();

fn find(place: &Place<'_>) -> Option<Draft> {
    if let ChangeKind::AlterType { name, action: TypeAction::RenameAttribute { from, to } } = place.kind() {
        let made = place.before().user_type(name).and_then(|found| found.created);
        return place
            .is_known_to_code(made)
            .then(|| draft(from, to, &format!("type `{}`", place.shown(name))));
    }
    let (alter, action) = place.alter()?;
    let (from, to) = match action {
        TableAction::RenameColumn { from, to, .. } => (from, to),
        TableAction::ChangeColumn { from, column, .. } => (from, &column.name),
        _ => return None,
    };
    let schema = place.before();
    let made = place.column(&alter.table, from).and_then(|column| column.created);
    let same = same(from, to, schema.dialect);
    if same || place.is_skipped() || !place.is_used(&alter.table) || !place.is_known_to_code(made) {
        return None;
    }
    let has = |schema: &Schema, column: &Name| {
        schema.table(&alter.table).is_some_and(|table| table.column(column).is_some())
    };
    // A contract drops the copy that new code uses and gives its name to the column itself; or the old name is there
    // again, as a column that follows the new one.
    let swaps = !has(schema, to) && has(place.at_start(), to);
    if swaps || has(place.committed(), from) {
        return None;
    }
    Some(draft(from, to, &format!("`{}`", place.shown(&alter.table))))
}

fn draft(from: &Name, to: &Name, of: &str) -> Draft {
    Draft::new(
        format!("renaming column `{from}` of {of} to `{to}` breaks running code that uses the old name"),
        "queries of running code that name it fail from that moment on, and new code fails until then",
    )
}
