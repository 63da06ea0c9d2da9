//! Adding a foreign key that is checked at once stops writes to both tables while all rows are looked up.

use super::prelude::*;
use crate::engine::effects::Algorithm;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "add-fk-validating",
    Group::Lock,
    Severity::Error,
    POSTGRES_AND_MYSQL,
    include_str!("add_fk_validating.md"),
    find,
)
.splitting();

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, action) = place.alter_of_table()?;
    let (key, constraint, inline) = match action {
        TableAction::AddConstraint { constraint, .. } => match &constraint.kind {
            ConstraintKind::ForeignKey(key) => (key, &**constraint, None),
            _ => return None,
        },
        TableAction::AddColumn { column, .. } => {
            let found = column.constraints.iter().find_map(|constraint| match &constraint.kind {
                ConstraintKind::ForeignKey(key) => Some((key, constraint)),
                _ => None,
            });
            let (key, constraint) = found?;
            (key, constraint, Some(column))
        }
        _ => return None,
    };
    if constraint.not_valid || constraint.not_enforced || place.is_skipped() || !place.is_busy(&alter.table) {
        return None;
    }
    let (shown, other) = (place.shown(&alter.table), place.shown(&key.references));
    if place.effects().algorithm.is_some() {
        return copied(place, alter, key, constraint);
    }
    if let Some(column) = inline {
        let (sql, to) = (place.sql(&alter.table), place.sql(&key.references));
        let name = place.id(&Name::new(format!("{}_{}_fkey", alter.table.name, column.name)));
        return Some(
            Draft::new(
                format!("new column `{}` with a foreign key locks `{shown}` and `{other}`", column.name),
                format!("ACCESS EXCLUSIVE on `{shown}` and SHARE ROW EXCLUSIVE on `{other}` at once: it waits for both, and everyone behind it{}",
                    if place.effects().on(Role::Target).is_some_and(|effect| effect.work != Work::Catalog) { "; all rows are checked meanwhile" } else { "" }),
            )
            .severity(Severity::Warning)
            .help(format!(
                "add the column without it, and the key by itself:\nALTER TABLE {sql} ADD CONSTRAINT {name} FOREIGN KEY ({}) REFERENCES {to} NOT VALID;\nALTER TABLE {sql} VALIDATE CONSTRAINT {name};",
                place.id(&column.name)
            )),
        );
    }
    let target = place.effects().target();
    let lock = target.map_or("a lock", |effect| effect.lock.name);
    let draft = Draft::new(
        format!(
            "adding a foreign key from `{shown}` to `{other}` blocks writes to both while all rows are checked"
        ),
        format!("{lock} on both tables: inserts, updates and deletes wait"),
    );
    let partitioned = place.table(&alter.table).is_some_and(|table| table.partition_by.is_some());
    let draft = if partitioned && !place.server().at_least((18, 0, 0)) {
        draft.help("before PostgreSQL 18 a partitioned table takes no NOT VALID foreign key: add it to each partition NOT VALID, validate it there, then to the parent")
    } else {
        draft
    };
    Some(draft)
}

/// On MySQL, where a foreign key that is checked copies the table.
fn copied(place: &Place<'_>, alter: &AlterTable, key: &ForeignKey, constraint: &Constraint) -> Option<Draft> {
    let effects = place.effects();
    if effects.algorithm != Some(Algorithm::Copy) {
        return None;
    }
    let target = effects.target()?;
    let (shown, other) = (place.shown(&alter.table), place.shown(&key.references));
    let (sql, to) = (place.sql(&alter.table), place.sql(&key.references));
    let name = constraint.name.clone();
    let name = name.unwrap_or_else(|| Name::new(format!("{}_{}", alter.table.name, key.references.name)));
    let (columns, name) = (place.ids(&key.columns), place.id(&name));
    let referenced = match key.referenced_columns.as_slice() {
        [] => "id".to_owned(),
        names => place.ids(names),
    };
    let waits =
        target.lock.blocked().map_or("others go on".to_owned(), |who| format!("{who} of `{shown}` wait"));
    let draft = Draft::new(
        format!("adding a foreign key from `{shown}` to `{other}` copies `{shown}` to check its rows"),
        format!(
            "ALGORITHM=COPY, {}: {waits} until all rows are copied; `{other}` is locked for a moment too",
            target.lock
        ),
    );
    let help = format!(
        "unchecked, without a copy:\nSET foreign_key_checks = 0;\nALTER TABLE {sql} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {to} ({referenced}), ALGORITHM=INPLACE, LOCK=NONE;\nSET foreign_key_checks = 1;\nthen look for rows that violate it, for the server never does:\nSELECT * FROM {sql} a LEFT JOIN {to} b ON ({}) WHERE {} IS NULL AND {} IS NOT NULL LIMIT 10;",
        joined(place, key, &referenced),
        format_args!("b.{}", referenced.split(", ").next().unwrap_or("id")),
        key.columns.first().map_or_else(String::new, |column| format!("a.{}", place.id(column))),
    );
    let online = !target.lock.blocks_writes;
    Some(if online { draft.severity(Severity::Warning).help(help) } else { draft.help(help) })
}

/// The condition under which a row of the one table belongs to one of the other.
fn joined(place: &Place<'_>, key: &ForeignKey, referenced: &str) -> String {
    let pairs = key.columns.iter().zip(referenced.split(", "));
    pairs.map(|(own, other)| format!("a.{} = b.{other}", place.id(own))).collect::<Vec<_>>().join(" AND ")
}
