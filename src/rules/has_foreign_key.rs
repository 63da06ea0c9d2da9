//! A foreign key is something that gh-ost and most online tools of MySQL cannot handle.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "has-foreign-key",
    Group::Style,
    Severity::Note,
    MYSQL,
    include_str!("has_foreign_key.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let is_key = |constraint: &Constraint| matches!(constraint.kind, ConstraintKind::ForeignKey(_));
    let (table, found) = match place.kind() {
        ChangeKind::CreateTable(create) => (&create.table, create.constraints.iter().any(is_key)),
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::AddConstraint { constraint, .. } => (&alter.table, is_key(constraint)),
            _ => return None,
        },
        _ => return None,
    };
    found.then(|| {
        Draft::new(
            format!("`{}` has a foreign key", place.shown(table)),
            "gh-ost refuses tables with foreign keys, and pt-online-schema-change must rebuild them",
        )
        .help("leave it to the code, or know that large changes of the table will need a window")
    })
}
