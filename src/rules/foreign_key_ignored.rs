//! MySQL reads a foreign key that stands with its column, and makes none.

use super::prelude::*;
use crate::engine::version::Product;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "foreign-key-ignored",
    Group::Wrong,
    Severity::Warning,
    MYSQL,
    include_str!("foreign_key_ignored.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let server = place.server();
    if server.product != Product::Mysql || server.at_least((9, 0, 0)) || place.is_skipped() {
        return None;
    }
    let (column, constraint, key) = super::columns::definitions(place).find_map(|(column, _)| {
        let key = |constraint: &&Constraint| matches!(constraint.kind, ConstraintKind::ForeignKey(_));
        let constraint = column.constraints.iter().find(key)?;
        let ConstraintKind::ForeignKey(key) = &constraint.kind else { return None };
        Some((column, constraint, key))
    })?;
    let (name, to) = (place.id(&column.name), place.sql(&key.references));
    let draft = Draft::new(
        format!("the foreign key of column `{}` is read and not made", column.name),
        format!("{server} takes REFERENCES behind a column and ignores it: nothing keeps orphans away"),
    )
    .at(At::Statement(place.number, constraint.span))
    .help(format!("as a constraint of the table: FOREIGN KEY ({name}) REFERENCES {to} (…)"));
    // MariaDB makes it, and so does MySQL 9.
    Some(if place.judged.is_server_known { draft } else { draft.severity(Severity::Note) })
}
