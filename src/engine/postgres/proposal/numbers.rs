//! Where the numbers of a column come from, handed over to the column that takes its place.

use super::retype::{identity_of, serial_of};
use super::subject::{Subject, data_type};
use super::{id, identity, sql};
use crate::engine::proposal::Action;
use crate::name::{Name, ObjectName, plain_literal};
use crate::schema::change::{Expr, Identity};

/// The default, the sequence or the identity of `column`, for `copy`. `keep`: the column stays, without it.
pub(super) fn moved(subject: &Subject<'_>, column: &Name, copy: &Name, keep: bool) -> Vec<Action> {
    let (table, old, new) = (subject.sql(), id(column), id(copy));
    let mut actions = Vec::new();
    if let Some(identity) = identity_of(subject, column) {
        actions.push(identity_moved(subject, column, copy, identity));
        return actions;
    }
    if let Some(sequence) = serial_of(subject, column) {
        let sequence = sql(&super::constraint::as_named(subject, &sequence));
        actions.push(Action::new(
            "Its numbers go on.",
            format!("ALTER SEQUENCE {sequence} OWNED BY {table}.{new}"),
        ));
    }
    let known = subject.column(column);
    if let Some(default) = known.and_then(|known| known.default.as_ref()) {
        let default = of_old_type(subject, column, default);
        actions
            .push(Action::new("", format!("ALTER TABLE {table} ALTER COLUMN {new} SET DEFAULT {default}")));
        if keep {
            actions.push(Action::new("", format!("ALTER TABLE {table} ALTER COLUMN {old} DROP DEFAULT")));
        }
    }
    actions
}

/// A string keeps the type that it was read as, as it does with a plain change of type.
fn of_old_type(subject: &Subject<'_>, column: &Name, default: &Expr) -> String {
    let text = default.text.trim();
    let known = subject.column(column).and_then(|known| known.data_type.as_ref());
    match known.filter(|_| text.starts_with('\'') && default.literal.is_some() && !text.contains("::")) {
        Some(known) => {
            let mut bare = known.clone();
            bare.arguments.clear();
            format!("{text}::{}", data_type(&bare, subject.schema))
        }
        None => text.to_owned(),
    }
}

/// An identity ends with its sequence: another one of the same name begins where it stood.
fn identity_moved(subject: &Subject<'_>, column: &Name, copy: &Name, known: &Identity) -> Action {
    let (table, old, new) = (subject.sql(), id(column), id(copy));
    let found = identity::sequence(subject, column).unwrap_or_else(|| {
        ObjectName::qualified(subject.schema.home(), subject.named(&format!("{}_seq", column.as_str())))
    });
    let name = sql(&super::constraint::as_named(subject, &found));
    let mut options = vec![format!("SEQUENCE NAME {}", sql(&found))];
    let said = identity::parts(&known.options);
    options.extend(said.into_iter().filter(|part| !part.starts_with("SEQUENCE NAME")));
    let when = if known.always { "ALWAYS" } else { "BY DEFAULT" };
    let body = format!(
        "DECLARE\n  last bigint;\n  called boolean;\nBEGIN\n  LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;\n  SELECT last_value, is_called INTO last, called FROM {name};\n  \
         ALTER TABLE {table} ALTER COLUMN {old} DROP IDENTITY;\n  \
         ALTER TABLE {table} ALTER COLUMN {new} ADD GENERATED {when} AS IDENTITY ({});\n  \
         PERFORM pg_catalog.setval({}, last, called);\nEND",
        options.join(" "),
        plain_literal(&name),
    );
    Action::new("Its numbers go on where they stood.", format!("DO $twostep$\n{body} $twostep$"))
}
