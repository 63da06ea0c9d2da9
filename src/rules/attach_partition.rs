//! Attaching a partition reads all its rows, and those of the default partition, under a lock.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "attach-partition",
    Group::Lock,
    Severity::Warning,
    POSTGRES,
    include_str!("attach_partition.md"),
    find,
)
.splitting();

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, TableAction::AttachPartition { partition, .. }) = place.alter_of_table()? else {
        return None;
    };
    let felt: Vec<&RelationEffect> = place
        .felt()
        .filter(|effect| {
            effect.work.grows_with_rows() && matches!(effect.role, Role::Partition | Role::DefaultPartition)
        })
        .collect();
    let effect = felt.first()?;
    let (shown, child) = (place.shown(&alter.table), place.shown(partition));
    let names: Vec<String> =
        felt.iter().map(|effect| format!("`{}`", place.shown(&effect.relation))).collect();
    Some(
        Draft::new(
            format!("attaching `{child}` to `{shown}` blocks reads and writes of {} {}", names.join(" and "), effect.work.during()),
            format!("ACCESS EXCLUSIVE on {}; `{shown}` itself stays usable", names.join(" and ")),
        )
        .help(format!(
            "make the parent's indexes on the partition concurrently, add a CHECK that says what its bounds say NOT VALID, and VALIDATE it; then ATTACH reads nothing:\nALTER TABLE {c} ADD CONSTRAINT fits CHECK (…) NOT VALID;\nALTER TABLE {c} VALIDATE CONSTRAINT fits;",
            c = place.sql(partition)
        )),
    )
}
