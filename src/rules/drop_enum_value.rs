//! An enum that is made anew without one of its labels refuses what the running code writes.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-enum-value",
    Group::Compat,
    Severity::Error,
    ALL_ENGINES,
    include_str!("drop_enum_value.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (shown, missing) = match place.kind() {
        ChangeKind::CreateType { name, definition: TypeDefinition::Enum(labels) } => {
            // Since the deploy began, a type of this name was renamed away or dropped.
            let old = place.judged.before.user_type(name)?;
            let UserTypeKind::Enum(old) = &old.kind else { return None };
            let gone = old.iter().map(|label| &label.value).filter(|value| !labels.contains(value));
            (place.shown(name), gone.cloned().collect::<Vec<_>>())
        }
        ChangeKind::AlterTable(alter) => {
            let (from, to) = match &alter.action {
                TableAction::ChangeColumn { from, column, .. } => (from, column.data_type.as_ref()?),
                _ => return None,
            };
            let known = place.column(&alter.table, from)?;
            let old = known.data_type.as_ref()?;
            let is_list = |data_type: &DataType| matches!(data_type.name.as_str(), "enum" | "set");
            if !is_list(old) || !is_list(to) || !place.is_used(&alter.table) {
                return None;
            }
            let gone = old.arguments.iter().filter(|value| !to.arguments.contains(value));
            (format!("{}.{from}", place.shown(&alter.table)), gone.cloned().collect())
        }
        _ => return None,
    };
    if missing.is_empty() {
        return None;
    }
    let labels = missing.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
    Some(
        Draft::new(
            format!("enum `{shown}` loses {labels}"),
            "running code that writes it gets an error, and rows that hold it stop the migration or lose it",
        )
        .help("deploy code that no longer writes it, change the rows in batches, and take the label out in a later release"),
    )
}
