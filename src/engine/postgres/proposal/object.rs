//! Tables and types as a whole: rename, drop, labels.

use super::{Subject, id, sql};
use crate::engine::proposal::Proposal;
use crate::name::{ObjectName, TableName};
use crate::schema::change::*;

/// `RENAME TO`.
pub(super) fn rename_table(subject: &Subject<'_>, from: &TableName, to: &TableName) -> Proposal {
    let new = TableName { schema: from.schema.clone(), name: to.name.clone() };
    let (old, new) = (sql(from), sql(&new));
    let invoker = if subject.version >= (15, 0, 0) { " WITH (security_invoker = true)" } else { "" };
    Proposal {
        expand: vec![
            "BEGIN;".to_owned(),
            format!("ALTER TABLE {old} RENAME TO {};", id(&to.name)),
            format!("CREATE VIEW {old}{invoker} AS SELECT * FROM {new};"),
            "-- and the rights on the table, granted on the view as well".to_owned(),
            "COMMIT;".to_owned(),
        ],
        backfill: None,
        code: format!("the new code uses {new}; old code goes on with {old}, which reads and writes through"),
        contract: vec![format!("DROP VIEW {old};")],
        limits: vec!["through the view do not work: ON CONFLICT ON CONSTRAINT, COPY, TRUNCATE, foreign keys to it, and row locks by ctid".to_owned()],
    }
}

/// `DROP TABLE`.
pub(super) fn drop(subject: &Subject<'_>, drop: &DropObject) -> Option<Proposal> {
    if drop.object != ObjectKind::Table {
        return None;
    }
    let name = subject.sql();
    let keys =
        subject.table.map_or(&[][..], |table| &table.constraints).iter().filter_map(|one| match &one.kind {
            ConstraintKind::ForeignKey(key) if key.references != subject.schema.new_key(subject.name) => {
                Some(format!("ALTER TABLE {name} DROP CONSTRAINT {};", id(&one.name)))
            }
            _ => None,
        });
    let mut contract: Vec<String> = keys.collect();
    let mut limits =
        vec!["its rows are gone with the contract; its down can only make an empty table".to_owned()];
    if !contract.is_empty() {
        limits.push(
            "each foreign key in a transaction of its own, so that the tables are not locked together"
                .to_owned(),
        );
    }
    contract.push(format!("DROP TABLE {name};"));
    Some(Proposal {
        expand: Vec::new(),
        backfill: None,
        code: format!("it no longer uses {name}"),
        contract,
        limits,
    })
}

/// `ALTER TYPE … RENAME VALUE`.
pub(super) fn alter_type(_: &Subject<'_>, name: &ObjectName, action: &TypeAction) -> Option<Proposal> {
    let TypeAction::RenameValue { from, to } = action else { return None };
    let (old, new) = (crate::name::plain_literal(from), crate::name::plain_literal(to));
    Some(Proposal {
        expand: vec![format!("ALTER TYPE {} ADD VALUE {new};", sql(name))],
        backfill: Some(format!("UPDATE … SET … = {new} WHERE … = {old} AND id > $1 AND id <= $2;")),
        code: format!("the new code reads {old} and {new} alike, and writes {new} once no older code runs"),
        contract: Vec::new(),
        limits: vec![format!("{old} stays in the type: a label that nothing uses does no harm")],
    })
}
