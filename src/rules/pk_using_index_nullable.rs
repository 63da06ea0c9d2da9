//! A primary key USING INDEX on columns that may be NULL scans the table while everyone is kept out.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "pk-using-index-nullable",
    Group::Lock,
    Severity::Warning,
    POSTGRES,
    include_str!("pk_using_index_nullable.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, TableAction::AddConstraint { constraint, .. }) = place.alter_of_table()? else { return None };
    let ConstraintKind::PrimaryKey(key) = &constraint.kind else { return None };
    let index = key.using_index.as_ref()?;
    let scans = place.effects().target().is_some_and(|effect| effect.work == Work::Scan);
    if !scans || place.is_skipped() || !place.is_busy(&alter.table) {
        return None;
    }
    let shown = place.shown(&alter.table);
    let known = place.table(&alter.table).and_then(|table| table.index(index)).is_some();
    let if_nullable = if known { "" } else { "if a column of the index may be NULL, " };
    let draft = Draft::new(
        format!("the primary key of `{shown}` makes its columns NOT NULL, which scans the table"),
        format!("{if_nullable}ACCESS EXCLUSIVE on `{shown}` blocks reads and writes while all rows are checked for NULL"),
    )
    .help(format!(
        "first, in transactions of their own:\nALTER TABLE {t} ADD CONSTRAINT c CHECK (column IS NOT NULL) NOT VALID;\nALTER TABLE {t} VALIDATE CONSTRAINT c;\nALTER TABLE {t} ALTER COLUMN column SET NOT NULL;",
        t = place.sql(&alter.table)
    ));
    Some(if known { draft } else { draft.severity(Severity::Note) })
}
