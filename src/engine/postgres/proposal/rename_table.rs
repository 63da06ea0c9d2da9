//! `RENAME TO`, `SET SCHEMA`: the old name lives on as a view, which reads and writes through.

use super::subject::Subject;
use super::{grants, id, ids, sql};
use crate::engine::proposal::{Action, Back, Missing, Proposal, Stage};
use crate::name::{Name, TableName};
use crate::schema::model::Relation;

/// `RENAME TO`.
pub(super) fn propose(subject: &Subject<'_>, from: &TableName, to: &TableName) -> Option<Proposal> {
    let new = TableName { schema: from.schema.clone(), name: to.name.clone() };
    let (object, old) = (object(subject, from)?, id(&from.name));
    let there = Action::new(
        "Rows, indexes, constraints and rights stay with the table.",
        format!("ALTER {object} {} RENAME TO {}", sql(from), id(&to.name)),
    )
    .undone_by(format!("ALTER {object} {} RENAME TO {old}", sql(&new)));
    Some(both_names(subject, from, &new, there))
}

/// `SET SCHEMA`.
pub(super) fn moved(subject: &Subject<'_>, from: &TableName, schema: &Name) -> Option<Proposal> {
    let new = TableName::qualified(schema.clone(), from.name.clone());
    let object = object(subject, from)?;
    let home = subject.schema.relation_key(from).and_then(|key| key.schema);
    let home = home.unwrap_or_else(|| subject.schema.home());
    let there = Action::new(
        "Rows, indexes, constraints and rights stay with the table; its own sequences move along.",
        format!("ALTER {object} {} SET SCHEMA {}", sql(from), id(schema)),
    )
    .undone_by(format!("ALTER {object} {} SET SCHEMA {}", sql(&new), id(&home)));
    let mut proposal = both_names(subject, from, &new, there);
    let own = subject.table.map(|table| &table.name);
    for (_, sequence) in subject.schema.sequences.iter() {
        if sequence.owned_by.as_ref().map(|(table, _)| table) == own && own.is_some() && !sequence.identity {
            proposal.limits.push(format!(
                "code that names {} itself meets it in {} from the first step on",
                sql(&sequence.name),
                id(schema)
            ));
        }
    }
    Some(proposal)
}

/// What stands behind `ALTER`; none for what is neither a table nor a view.
fn object(subject: &Subject<'_>, from: &TableName) -> Option<&'static str> {
    match subject.schema.relation(from) {
        Some(Relation::Table(_)) | None => Some("TABLE"),
        Some(Relation::View(view)) if !view.materialized => Some("VIEW"),
        Some(Relation::View(_) | Relation::Sequence(_)) => None,
    }
}

/// Both names for as long as older code runs; `there` gives the table the new one.
fn both_names(subject: &Subject<'_>, from: &TableName, new: &TableName, there: Action) -> Proposal {
    let (old_sql, new_sql) = (sql(from), sql(new));
    let mut proposal = Proposal {
        code: format!(
            "the new code uses {new_sql}; old code goes on with {old_sql}, which reads and writes through"
        ),
        ..Proposal::default()
    };
    if subject.schema.view(from).is_none() {
        subject.must_be_known(&mut proposal);
    }
    let columns = match subject.table.filter(|table| table.is_complete()) {
        Some(table) => ids(&table.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>()),
        None => "*".to_owned(),
    };
    if subject.table.is_some_and(|table| table.row_security) && subject.version < (15, 0, 0) {
        proposal.missing.push(Missing::Other(format!(
            "`{old_sql}` has row level security, which a view goes past before PostgreSQL 15"
        )));
    }
    if subject.schema.relation(new).is_some() {
        proposal.missing.push(Missing::Other(format!("`{new_sql}` is there already")));
    }
    let view = self::view(subject, from, new, &columns);
    let mut expand = vec![there];
    expand.extend(view.iter().cloned());
    proposal.expand = vec![Stage::Together(expand)];
    proposal.contract = vec![Stage::Together(vec![Action::new(
        "No code uses the old name any more.",
        format!("DROP VIEW {old_sql}"),
    )])];
    proposal.back = Back::Stages(vec![Stage::Together(view)]);
    proposal.limits.push("through the view do not work: ON CONFLICT ON CONSTRAINT, COPY, TRUNCATE, MERGE before 17, foreign keys to it, ctid and the other system columns, GROUP BY of the key alone".to_owned());
    if subject.version < (15, 0, 0) {
        proposal.limits.push(
            "before PostgreSQL 15 the view reads with the rights of its owner, not of its user".to_owned(),
        );
    }
    for (name, routines) in subject.schema.routines.iter() {
        let names = |text: &str| {
            text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == from.name.as_str())
        };
        if routines.iter().any(|routine| names(&routine.definition.body.text)) {
            proposal.limits.push(format!(
                "the body of {} has the word {}: replace it before the contract",
                sql(name),
                id(&from.name)
            ));
        }
    }
    proposal
}

fn view(subject: &Subject<'_>, from: &TableName, new: &TableName, columns: &str) -> Vec<Action> {
    let invoker = if subject.version >= (15, 0, 0) { " WITH (security_invoker = true)" } else { "" };
    let (old_sql, new_sql) = (sql(from), sql(new));
    vec![
        Action::new(
            "The old name, for code that runs: it reads and writes the table itself.",
            format!("CREATE VIEW {old_sql}{invoker} AS SELECT {columns} FROM {new_sql}"),
        )
        .undone_by(format!("DROP VIEW {old_sql}")),
        grants::copy_to_view(new, from),
    ]
}
