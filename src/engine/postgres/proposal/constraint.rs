//! Constraints: added without a check, then checked under a lock that nobody feels.

use super::definition::{deferring, foreign_key, unwrapped};
use super::set_not_null;
use super::subject::Subject;
use super::{id, ids, sql};
use crate::engine::proposal::{Action, Back, Missing, Proposal, Stage, Undo};
use crate::name::{Name, TableName};
use crate::schema::change::*;
use crate::schema::model::{Table, TableConstraint};

/// A constraint that is added to a table with rows: what running code writes may not satisfy it, so that all of it is
/// the second step.
pub(super) fn propose(subject: &Subject<'_>, constraint: &Constraint, text: &str) -> Option<Proposal> {
    let mut proposal = Proposal::default();
    match &constraint.kind {
        ConstraintKind::NotNull(column) => return set_not_null::propose(subject, column),
        ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) if key.using_index.is_some() => {
            return as_it_stands(subject, constraint, text);
        }
        ConstraintKind::Check(_) | ConstraintKind::ForeignKey(_) if constraint.not_valid => {
            return as_it_stands(subject, constraint, text);
        }
        ConstraintKind::Check(_) => {
            proposal.code = "it writes only rows that satisfy the check; repair those that do not".to_owned();
        }
        ConstraintKind::ForeignKey(_) => {
            proposal.code = "it writes only what the other table has".to_owned();
        }
        ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_) => {
            proposal.code =
                "it writes no duplicates, or handles the error; look for those that are there first"
                    .to_owned();
        }
        ConstraintKind::Exclude(_) => {
            proposal.missing.push(Missing::Other(
                "PostgreSQL has no way to add an EXCLUDE constraint without reading all rows under ACCESS EXCLUSIVE: at a time when nobody needs the table, or in a new table".to_owned(),
            ));
        }
    }
    for one in subject.new_constraints() {
        if let Some(stages) = stages(subject, &one, &mut proposal) {
            proposal.contract.extend(stages);
        }
    }
    let mut back: Vec<Stage> = Vec::new();
    for action in proposal.contract.iter().rev().flat_map(Stage::actions) {
        match &action.undo {
            Undo::Nothing => {}
            Undo::Together(all) => {
                back.push(Stage::Together(all.iter().map(|sql| Action::new("", sql.clone())).collect()));
            }
            Undo::Alone(all) => back.extend(all.iter().map(|sql| Stage::Alone(Action::new("", sql.clone())))),
        }
    }
    proposal.back = if back.is_empty() { Back::Nothing } else { Back::Stages(back) };
    Some(proposal)
}

/// A constraint for which the migration itself does what takes long: it is the second step as it stands.
fn as_it_stands(subject: &Subject<'_>, constraint: &Constraint, text: &str) -> Option<Proposal> {
    let made = subject.new_constraints();
    let name = constraint.name.as_ref().or_else(|| made.first().map(|one| &one.name))?;
    let drop = format!("ALTER TABLE {} DROP CONSTRAINT {}", subject.sql(), id(name));
    let mut back = vec![Stage::Together(vec![Action::new("", drop)])];
    let mut code = "it writes only rows that satisfy it; repair those that do not";
    if let ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) = &constraint.kind {
        let index = subject.table?.index(key.using_index.as_ref()?)?;
        let columns = index.plain_columns()?;
        if matches!(constraint.kind, ConstraintKind::PrimaryKey(_))
            && !columns.into_iter().all(|column| subject.is_required(column))
        {
            // The server would read all rows under a lock.
            return None;
        }
        code = "it writes no duplicates, or handles the error";
        if index.created.is_none_or(|made| made.migration != subject.schema.now.migration) {
            let again = super::definition::index_over(subject, index, &index.name, &[]);
            back.push(Stage::Alone(Action::new("The constraint has taken it along.", again)));
        }
    }
    let about = "As it was: it takes a moment, and holds for what is written from here on.";
    Some(Proposal {
        code: code.to_owned(),
        contract: vec![Stage::Alone(Action::new(about, text))],
        back: Back::Stages(back),
        ..Proposal::default()
    })
}

/// The statements that add `one`, which has the name that the server gives it.
pub(super) fn stages(
    subject: &Subject<'_>,
    one: &TableConstraint,
    proposal: &mut Proposal,
) -> Option<Vec<Stage>> {
    let defer = deferring(one.deferrable, one.initially_deferred);
    match &one.kind {
        ConstraintKind::Check(expr) => {
            let inherit = if one.no_inherit { " NO INHERIT" } else { "" };
            let clause = format!("CHECK ({}){inherit}", unwrapped(&expr.text));
            let mut stages = vec![Stage::Alone(all_satisfy(subject, &one.name, &expr.text))];
            stages.extend(two_steps(&subject.sql(), &one.name, &clause));
            Some(stages)
        }
        ConstraintKind::ForeignKey(key) => {
            subject.must_be_known(proposal);
            let clause = format!("{}{defer}", foreign_key(key, &as_named(subject, &key.references)));
            Some(foreign_key_stages(subject, one, &clause, proposal))
        }
        ConstraintKind::Unique(key) => Some(with_index(subject, one, key, "UNIQUE", proposal)),
        ConstraintKind::PrimaryKey(key) => {
            let mut stages = Vec::new();
            for column in &key.columns {
                let known = subject.column(column);
                if known.is_some_and(|column| column.nullability != Nullability::NotNull) {
                    stages.extend(set_not_null::not_null(subject, column));
                }
            }
            stages.extend(with_index(subject, one, key, "PRIMARY KEY", proposal));
            Some(stages)
        }
        ConstraintKind::Exclude(_) | ConstraintKind::NotNull(_) => None,
    }
}

/// The table that a foreign key points to, with its schema only where the migration would not find it without.
pub(super) fn as_named(subject: &Subject<'_>, references: &TableName) -> TableName {
    let bare = TableName::bare(references.name.clone());
    let found = subject.schema.relation_key(&bare);
    if found.as_ref() == Some(references)
        || subject.schema.relation_key(references).is_none()
            && references.schema == Some(subject.schema.home())
    {
        bare
    } else {
        references.clone()
    }
}

/// A statement that fails where a row does not satisfy a check: one that is not valid would refuse each write of it.
fn all_satisfy(subject: &Subject<'_>, name: &Name, condition: &str) -> Action {
    let table = subject.sql();
    let said = crate::name::plain_literal(
        &format!("rows of {table} do not satisfy {}: repair them first", id(name)).replace('%', "%%"),
    );
    Action::new(
        "Stops here where a row does not satisfy it, before anything is changed.",
        format!(
            "DO $twostep$\nBEGIN\n  IF EXISTS (SELECT FROM {table} WHERE NOT ({})) THEN\n    RAISE EXCEPTION {said};\n  \
             END IF;\nEND $twostep$",
            unwrapped(condition)
        ),
    )
}

/// NOT VALID, and VALIDATE in a transaction of its own.
pub(super) fn two_steps(table: &str, name: &Name, clause: &str) -> [Stage; 2] {
    let name = id(name);
    [
        Stage::Alone(
            Action::new(
                "It holds for what is written from here on; the rows that are there are not looked at.",
                format!("ALTER TABLE {table} ADD CONSTRAINT {name} {clause} NOT VALID"),
            )
            .undone_by(format!("ALTER TABLE {table} DROP CONSTRAINT {name}")),
        ),
        Stage::Alone(Action::new(
            "Reads all rows, while reads and writes go on.",
            format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}"),
        )),
    ]
}

fn foreign_key_stages(
    subject: &Subject<'_>,
    one: &TableConstraint,
    clause: &str,
    proposal: &mut Proposal,
) -> Vec<Stage> {
    if !subject.is_partitioned() || subject.version >= (18, 0, 0) {
        return two_steps(&subject.sql(), &one.name, clause).into();
    }
    // A partitioned table takes none that is not valid. Its partitions do, and the parent then takes theirs over.
    let mut stages = Vec::new();
    for partition in told(subject, proposal) {
        let mut steps = two_steps(&sql(&partition.name), &one.name, clause);
        if let Stage::Alone(add) = &mut steps[0] {
            add.undo = Undo::Nothing;
        }
        stages.extend(steps);
    }
    let (table, name) = (subject.sql(), id(&one.name));
    stages.push(Stage::Alone(
        Action::new(
            "Takes over those of its partitions, without looking at their rows again.\ntwostep: allow add-fk-validating because its partitions have it already",
            format!("ALTER TABLE {table} ADD CONSTRAINT {name} {clause}"),
        )
        .prepared()
        .undone_by(format!("ALTER TABLE {table} DROP CONSTRAINT {name}")),
    ));
    stages
}

/// The partitions that hold the rows of a partitioned table, with what is to be known of them.
fn told(subject: &Subject<'_>, proposal: &mut Proposal) -> Vec<std::sync::Arc<Table>> {
    let partitions = subject.leaves();
    proposal.limits.push(format!(
        "for the {} partitions that the migrations make; one that was made otherwise is read under a lock when the parent follows",
        partitions.len()
    ));
    partitions
}

/// An index that is built concurrently, and becomes the constraint's.
fn with_index(
    subject: &Subject<'_>,
    one: &TableConstraint,
    key: &KeyConstraint,
    kind: &str,
    proposal: &mut Proposal,
) -> Vec<Stage> {
    let nulls = if key.nulls_not_distinct { " NULLS NOT DISTINCT" } else { "" };
    let include =
        if key.include.is_empty() { String::new() } else { format!(" INCLUDE ({})", ids(&key.include)) };
    let defer = deferring(one.deferrable, one.initially_deferred);
    if key.without_overlaps {
        proposal.missing.push(Missing::Other(
            "WITHOUT OVERLAPS needs an index that is not built concurrently: there is no online way"
                .to_owned(),
        ));
    }
    let build = |table: &str, schema: &TableName, name: &Name| {
        let index = id(name);
        let qualified = sql(&TableName { schema: schema.schema.clone(), name: name.clone() });
        [
            Stage::Alone(
                Action::new(
                    "Built while reads and writes go on; fails where there are duplicates, and leaves nothing behind.",
                    format!("CREATE UNIQUE INDEX CONCURRENTLY {index} ON {table} ({}){include}{nulls}", ids(&key.columns)),
                )
                .undone_alone_by(vec![format!("DROP INDEX CONCURRENTLY IF EXISTS {qualified}")]),
            ),
            Stage::Alone(
                Action::new(
                    "The index becomes the constraint's.",
                    format!("ALTER TABLE {table} ADD CONSTRAINT {index} {kind} USING INDEX {index}{defer}"),
                )
                .undone_by(format!("ALTER TABLE {table} DROP CONSTRAINT {index}")),
            ),
        ]
    };
    if !subject.is_partitioned() {
        return build(&subject.sql(), subject.name, &one.name).into();
    }
    let mut stages = Vec::new();
    let after = subject.after();
    for partition in told(subject, proposal) {
        let made = after.table(&partition.name).and_then(|table| {
            table.constraints.iter().find(|new| {
                partition.constraint(&new.name).is_none() && new.columns() == key.columns.as_slice()
            })
        });
        let Some(made) = made else {
            proposal.missing.push(Missing::Other(format!(
                "the name of the constraint of the partition `{}` is not known",
                sql(&partition.name)
            )));
            continue;
        };
        let mut pair = build(&sql(&partition.name), &partition.name, &made.name);
        for stage in &mut pair {
            if let Stage::Alone(action) = stage {
                action.undo = Undo::Nothing;
            }
        }
        stages.extend(pair);
    }
    let (table, name) = (subject.sql(), id(&one.name));
    stages.push(Stage::Alone(
        Action::new(
            "Takes over those of its partitions, without building anything.\ntwostep: allow add-unique-constraint because its partitions have it already",
            format!(
                "ALTER TABLE {table} ADD CONSTRAINT {name} {kind}{nulls} ({}){include}{defer}",
                ids(&key.columns)
            ),
        )
        .prepared()
        .undone_by(format!("ALTER TABLE {table} DROP CONSTRAINT {name}")),
    ));
    stages
}
