//! `SET NOT NULL`: a check that is validated while everyone goes on, and by which the server knows without a scan.

use super::id;
use super::subject::{Subject, named};
use crate::engine::proposal::{Action, Back, Proposal, Stage};
use crate::name::Name;

pub(super) fn propose(subject: &Subject<'_>, column: &Name) -> Option<Proposal> {
    if subject.table.is_some_and(|table| table.has_valid_not_null_check(column)) {
        return None;
    }
    let name = id(column);
    let key = subject.table.map_or_else(|| subject.schema.new_key(subject.name), |table| table.name.clone());
    let mut proposal = Proposal::default();
    if let Some(fill) = subject.given.fill(&key, column) {
        proposal.code = format!("the new code writes {name} in every row");
        filled(subject, column, fill, &mut Vec::new(), &mut proposal);
        return Some(proposal);
    }
    proposal.code = format!("it writes {name} in every row, and no row is NULL any more");
    proposal.contract = vec![Stage::Alone(no_null_left(subject, column))];
    proposal.contract.extend(not_null(subject, column));
    proposal.back = Back::Stages(vec![Stage::Together(vec![drop_not_null(subject, column)])]);
    proposal.limits.push(format!(
        "no row may be NULL when the contract begins: `plan --fill` with a value for {name} fills them, old code's writes too"
    ));
    Some(proposal)
}

/// The check of [`not_null`].
fn check(subject: &Subject<'_>, column: &Name) -> String {
    id(&subject.named(&format!("{}_filled", column.as_str())))
}

fn drop_not_null(subject: &Subject<'_>, column: &Name) -> Action {
    Action::new("", format!("ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL", subject.sql(), id(column)))
}

/// A statement that fails where the column is NULL in a row: a check that is not valid would refuse each write of it.
fn no_null_left(subject: &Subject<'_>, column: &Name) -> Action {
    let (table, name) = (subject.sql(), id(column));
    let said = crate::name::plain_literal(
        &format!("{table}.{name} is NULL in some rows: fill them first").replace('%', "%%"),
    );
    Action::new(
        "Stops here where a row is still NULL, before anything is changed.",
        format!(
            "DO $twostep$\nBEGIN\n  IF EXISTS (SELECT FROM {table} WHERE {name} IS NULL) THEN\n    RAISE EXCEPTION {said};\n  \
             END IF;\nEND $twostep$"
        ),
    )
}

/// NOT NULL without a scan under a lock, where every row has a value and every write gives one.
pub(super) fn not_null(subject: &Subject<'_>, column: &Name) -> Vec<Stage> {
    let (table, name, check) = (subject.sql(), id(column), check(subject, column));
    vec![
        Stage::Alone(add_check(subject, column)),
        Stage::Alone(validate(subject, column)),
        Stage::Together(vec![
            Action::new(
                "The validated check tells the server what it would have to scan for.",
                format!("ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL"),
            )
            .undone_by(format!("ALTER TABLE {table} ALTER COLUMN {name} DROP NOT NULL")),
            Action::new("", format!("ALTER TABLE {table} DROP CONSTRAINT {check}")),
        ]),
    ]
}

fn add_check(subject: &Subject<'_>, column: &Name) -> Action {
    let (table, name, check) = (subject.sql(), id(column), check(subject, column));
    Action::new(
        "From here on no write leaves it NULL; the rows that are there are not looked at.\ntwostep: allow new-write-restriction because every write gives it a value by now",
        format!("ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({name} IS NOT NULL) NOT VALID"),
    )
    .undone_by(format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {check}"))
}

fn validate(subject: &Subject<'_>, column: &Name) -> Action {
    Action::new(
        "Reads all rows, while reads and writes go on.",
        format!("ALTER TABLE {} VALIDATE CONSTRAINT {}", subject.sql(), check(subject, column)),
    )
}

/// The whole deploy of a column that is filled by the expression `fill`: behind `first` a trigger for what old code
/// leaves NULL, then the check, the backfill and its proof; NOT NULL itself is the contract.
pub(super) fn filled(
    subject: &Subject<'_>,
    column: &Name,
    fill: &str,
    first: &mut Vec<Action>,
    proposal: &mut Proposal,
) {
    subject.must_take_triggers(proposal);
    proposal.must_fill_from_the_row(fill);
    let (table, name, check) = (subject.sql(), id(column), check(subject, column));
    let mut expand = std::mem::take(first);
    let start = start(subject, column, fill);
    expand.extend(start.iter().cloned());
    proposal.expand.push(Stage::Together(expand));
    let (set, condition) = (format!("{name} = {fill}"), format!("{name} IS NULL"));
    subject.batch(proposal, "The rows that nobody has written since.", &set, &condition);
    proposal.expand.push(Stage::Alone(validate(subject, column)));
    let (function, trigger) = names(subject, column);
    proposal.contract = vec![Stage::Together(vec![
        Action::new(
            "The validated check tells the server what it would have to scan for.",
            format!("ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL"),
        ),
        Action::new("", format!("ALTER TABLE {table} DROP CONSTRAINT {check}")),
        Action::new("All code gives a value now.", format!("DROP TRIGGER {trigger} ON {table}")),
        Action::new("", format!("DROP FUNCTION {function}()")),
    ])];
    let mut back = start;
    back.push(drop_not_null(subject, column));
    proposal.back = Back::Stages(vec![Stage::Together(back), Stage::Alone(validate(subject, column))]);
    proposal.limits.push(format!("until the contract, NULL that is given for {name} is filled, not refused"));
}

fn names(subject: &Subject<'_>, column: &Name) -> (String, String) {
    let function = subject.beside(&format!("{}_fill", column.as_str()));
    (function, id(&named(&Name::new("~twostep_fill"), column.as_str())))
}

/// The trigger that fills what is left NULL, and the check that relies on it, for one transaction.
fn start(subject: &Subject<'_>, column: &Name, fill: &str) -> Vec<Action> {
    let (table, name) = (subject.sql(), id(column));
    let (function, trigger) = names(subject, column);
    let value = subject.over_new(fill);
    let mut check = add_check(subject, column);
    let made = subject.column(column).map(|known| known.created.map(|made| made.migration));
    if made.is_none_or(|made| made == Some(subject.schema.now.migration)) {
        // No running code writes a column that comes with it.
        check.about.truncate(check.about.find('\n').unwrap_or(check.about.len()));
    }
    vec![
        Action::new(
            format!("What a write leaves NULL is filled, so that older code need not know {name}."),
            format!(
                "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $twostep$\nBEGIN\n  \
                 IF NEW.{name} IS NULL THEN NEW.{name} := {value}; END IF;\n  RETURN NEW;\nEND $twostep$"
            ),
        )
        .undone_by(format!("DROP FUNCTION {function}()")),
        Action::new(
            "",
            format!("CREATE TRIGGER {trigger} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"),
        )
        .undone_by(format!("DROP TRIGGER {trigger} ON {table}")),
        check,
    ]
}
