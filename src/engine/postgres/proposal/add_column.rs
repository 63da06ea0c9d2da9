//! `ADD COLUMN` that is required, or that a value is computed for in each row.

use super::set_not_null::{filled, not_null};
use super::subject::Subject;
use super::{constraint, id};
use crate::engine::postgres::effects::volatility;
use crate::engine::proposal::{Action, Missing, Proposal, Stage};
use crate::schema::change::*;

pub(super) fn propose(subject: &Subject<'_>, column: &ColumnDef) -> Option<Proposal> {
    let is_extra = |one: &&Constraint| !matches!(one.kind, ConstraintKind::NotNull(_));
    let extra: Vec<&Constraint> = column.constraints.iter().filter(is_extra).collect();
    match (&column.generation, &column.default) {
        (Some(Generation::Expression { expr, stored: true }), _) => Some(generated(subject, column, expr)),
        (Some(Generation::Serial | Generation::Identity(_)), _) => {
            Some(super::numbered_column::propose(subject, column, &extra))
        }
        (Some(_), _) => None,
        (None, Some(default))
            if !default.is_null && volatility(default, subject.schema) >= Volatility::Volatile =>
        {
            Some(with_constraints(subject, &extra, computed(subject, column, default)))
        }
        (None, default)
            if column.nullability == Nullability::NotNull
                && default.as_ref().is_none_or(|one| one.is_null) =>
        {
            Some(with_constraints(subject, &extra, required(subject, column)))
        }
        (None, _) if extra.is_empty() => None,
        (None, default) => {
            let default =
                default.as_ref().map_or_else(String::new, |default| format!(" DEFAULT {}", default.text));
            let not_null = if column.nullability == Nullability::NotNull { " NOT NULL" } else { "" };
            let add = add(subject, column, &format!("{default}{not_null}"), "No row is written.");
            let proposal = Proposal { expand: vec![Stage::Together(vec![add])], ..Proposal::default() };
            Some(with_constraints(subject, &extra, proposal))
        }
    }
}

/// `ADD COLUMN` with its type, and `rest`.
pub(super) fn add(subject: &Subject<'_>, column: &ColumnDef, rest: &str, about: &str) -> Action {
    let (table, name) = (subject.sql(), id(&column.name));
    let of_type = column
        .data_type
        .as_ref()
        .map_or_else(|| "…".to_owned(), |known| super::subject::data_type(known, subject.schema));
    let collation = column
        .collation
        .as_ref()
        .map_or_else(String::new, |collation| format!(" COLLATE {}", super::subject::quoted(collation)));
    Action::new(about, format!("ALTER TABLE {table} ADD COLUMN {name} {of_type}{collation}{rest}"))
        .undone_by(format!("ALTER TABLE {table} DROP COLUMN {name}"))
}

/// The column's own constraints, each added as if by itself. No running code writes the column, so that none of them
/// has to wait for it to be gone.
fn with_constraints(subject: &Subject<'_>, extra: &[&Constraint], mut proposal: Proposal) -> Proposal {
    if extra.is_empty() {
        return proposal;
    }
    for one in subject.new_constraints() {
        if let Some(stages) = constraint::stages(subject, &one, &mut proposal) {
            proposal.expand.extend(stages);
        }
    }
    proposal
}

/// Required, without a value for the rows that are there: filled by an expression, for old code's inserts too.
fn required(subject: &Subject<'_>, column: &ColumnDef) -> Proposal {
    let name = id(&column.name);
    let mut proposal =
        Proposal { code: format!("the new code writes {name} in every insert"), ..Proposal::default() };
    let mut first = vec![add(subject, column, "", "It may be NULL for now; no row is written.")];
    let key = subject.schema.new_key(subject.name);
    let key = subject.table.map_or(key, |table| table.name.clone());
    let fill = subject.given.fill(&key, &column.name);
    if fill.is_none() {
        proposal.missing.push(Missing::Fill(column.name.clone()));
        proposal.limits.push(format!(
            "where one constant fits all rows, a single step does it: ADD COLUMN {name} … NOT NULL DEFAULT …"
        ));
    }
    filled(subject, &column.name, fill.unwrap_or("…"), &mut first, &mut proposal);
    proposal
}

/// A default that is another value for each row: set for new rows, filled in for the others.
fn computed(subject: &Subject<'_>, column: &ColumnDef, default: &Expr) -> Proposal {
    let (table, name, text) = (subject.sql(), id(&column.name), &default.text);
    let mut proposal = Proposal::default();
    subject.must_be_known(&mut proposal);
    proposal.expand.push(Stage::Together(vec![
        add(subject, column, "", "Without its default, so that no row is written."),
        Action::new(
            "New rows have it from here on.",
            format!("ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {text}"),
        ),
    ]));
    let (set, condition) = (format!("{name} = {text}"), format!("{name} IS NULL"));
    subject.batch(&mut proposal, "The rows that were there before.", &set, &condition);
    if column.nullability == Nullability::NotNull {
        proposal.expand.extend(not_null(subject, &column.name));
    }
    proposal
}

/// A stored generated column: there is no way to have one without writing the table anew under a lock.
fn generated(subject: &Subject<'_>, column: &ColumnDef, expr: &Expr) -> Proposal {
    let (table, name) = (subject.sql(), id(&column.name));
    let function = subject.beside(&format!("{}_fill", column.name.as_str()));
    let trigger = id(&super::subject::named(&crate::name::Name::new("~twostep_fill"), column.name.as_str()));
    let value = subject.over_new(&expr.text);
    let mut proposal = Proposal {
        limits: vec![
            "unlike a generated column it can be written by hand; the trigger puts it right on each write"
                .to_owned(),
        ],
        ..Proposal::default()
    };
    proposal.expand.push(Stage::Together(vec![
        add(subject, column, "", "A plain column, which a trigger fills."),
        Action::new(
            "",
            format!("CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $twostep$\nBEGIN\n  NEW.{name} := {value};\n  RETURN NEW;\nEND $twostep$"),
        ),
        Action::new(
            "",
            format!("CREATE TRIGGER {trigger} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"),
        ),
    ]));
    let (set, condition) = (format!("{name} = {}", expr.text), format!("{name} IS NULL"));
    subject.batch(&mut proposal, "The rows that were there before.", &set, &condition);
    let virtual_one = if subject.version >= (18, 0, 0) {
        "VIRTUAL instead of STORED, which is computed when it is read, in one step and without rewriting anything; or "
    } else {
        ""
    };
    proposal.missing.push(Missing::Other(format!(
        "PostgreSQL makes a column GENERATED … STORED only by writing all of `{table}` anew under ACCESS EXCLUSIVE. What there is instead is another schema, which the migration has to say: {virtual_one}a plain column, a trigger that computes it on each write, and an UPDATE of the rows that are there"
    )));
    proposal
}
