//! Dropping a table breaks the running code that uses it, and its rows are gone.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-table",
    Group::Compat,
    Severity::Error,
    ALL_ENGINES,
    include_str!("drop_table.md"),
    find,
)
.splitting();

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Drop(drop) = place.kind() else { return None };
    let is_table = matches!(drop.object, ObjectKind::Table | ObjectKind::ForeignTable);
    let temporary = drop.temporary
        || place.table(&drop.name).is_some_and(|table| table.persistence == Persistence::Temporary);
    if !is_table || temporary || place.is_skipped() || place.is_gone(&drop.name) || !place.is_used(&drop.name)
    {
        return None;
    }
    // Under the name that it has only since this migration renamed it, nobody uses it.
    let name = renamed_from(place, &drop.name).unwrap_or(&drop.name);
    let shown = place.shown(name);
    // A table that takes the name over is one made anew; the columns that it leaves out are another rule's.
    if let Some(new) = place.committed().table(name).filter(|table| table.is_complete()) {
        let before = place.table(&drop.name);
        let had_rows = before.is_none_or(|old| old.rows == Rows::Some || place.is_known_to_code(old.created));
        return (had_rows && new.rows == Rows::Empty).then(|| {
            Draft::new(
                format!("dropping table `{shown}` and making it anew throws its rows away"),
                "the new table has the old one's name, and is empty",
            )
            .help("alter the table that is there, or copy the rows over before it goes")
            .whole()
        });
    }
    if place.in_the_end().table(name).is_some_and(|table| table.is_complete()) {
        return Some(super::columns::gone_for_a_moment(place, &shown));
    }
    let others: Vec<String> = place
        .effects()
        .relations
        .iter()
        .filter(|effect| effect.role != Role::Target && effect.lock.blocks_reads)
        .map(|effect| format!("`{}` ({})", place.shown(&effect.relation), effect.role.title()))
        .collect();
    let mut why = "queries of running code that use it fail at once, and its rows are gone".to_owned();
    if !others.is_empty() {
        why.push_str(&format!("; it also blocks reads and writes of {}", others.join(", ")));
    }
    Some(Draft::new(format!("dropping table `{shown}` breaks running code that uses it"), why))
}

/// The name that a table had when this migration began, where a statement of it has renamed it to `name`.
fn renamed_from<'a>(place: &Place<'a>, name: &TableName) -> Option<&'a TableName> {
    if place.judged.before.relation(name).is_some() {
        return None;
    }
    let earlier = place.judged.changes().take_while(|(number, _)| *number < place.number);
    let renamed = earlier.filter_map(|(_, change)| match change.table_action()? {
        (alter, TableAction::RenameTable { to }) if same(&to.name, &name.name, place.dialect()) => {
            Some(&alter.table)
        }
        _ => None,
    });
    renamed.last()
}
