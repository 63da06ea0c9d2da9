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
