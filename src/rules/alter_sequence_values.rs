//! Other values of a sequence give the running code duplicates or errors.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "alter-sequence-values",
    Group::Compat,
    Severity::Warning,
    POSTGRES,
    include_str!("alter_sequence_values.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    if let ChangeKind::Select(select) = place.kind() {
        return set_by_hand(place, &select.query);
    }
    let (what, options, made) = match place.kind() {
        ChangeKind::AlterSequence { name, options, .. } => (
            format!("sequence `{}`", place.shown(name)),
            options,
            place.before().sequence(name).and_then(|found| found.created),
        ),
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::SetIdentity { column, options, .. } => (
                format!("the identity of column `{column}` of `{}`", place.shown(&alter.table)),
                options,
                place.made(&alter.table),
            ),
            _ => return None,
        },
        _ => return None,
    };
    if !options.changes_values() || place.is_skipped() || !place.is_known_to_code(made) || widens(options) {
        return None;
    }
    Some(
        Draft::new(
            format!("{what} gives other values from now on"),
            "running code may get numbers that are in use already, or none at the limit",
        )
        .help(
            "take the next value from the rows: `SELECT setval('…', max(id)) FROM …` in the same transaction",
        ),
    )
}

/// `SELECT setval('sequence', 1)`: a number that is not taken from the rows, nor from the sequence.
fn set_by_hand(place: &Place<'_>, query: &Query) -> Option<Draft> {
    let called = |name: &str| query.calls.iter().find(|call| call.name.name.as_str() == name);
    let set = called("setval")?;
    let of = called("pg_get_serial_sequence");
    let name = ObjectName::in_literal(of.unwrap_or(set).literals.first()?, place.dialect());
    let made = match of {
        Some(_) => place.made(&name),
        None => place.before().sequence(&name).and_then(|found| found.created),
    };
    let others = query.calls.len() > 1 + usize::from(of.is_some());
    if others || !query.reads.is_empty() || !query.columns.is_empty() || !place.is_known_to_code(made) {
        return None;
    }
    let what = if of.is_some() { "the sequence of" } else { "sequence" };
    Some(
        Draft::new(
            format!("{what} `{}` is set to a number, whatever numbers are in use", place.shown(&name)),
            "below the highest one in use, inserts of running code fail as duplicates",
        )
        .help("take the number from the rows, in the statement itself: `SELECT setval('…', max(id)) FROM …`"),
    )
}

/// Whether only a limit is lifted.
fn widens(options: &SequenceOptions) -> bool {
    let lifted = options.max == Some(None) || options.min == Some(None);
    let others = options.increment.is_some()
        || options.start.is_some()
        || options.restart.is_some()
        || options.cycle == Some(true)
        || matches!(options.max, Some(Some(_)))
        || matches!(options.min, Some(Some(_)));
    (lifted || options.cycle == Some(false)) && !others
}
