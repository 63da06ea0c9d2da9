//! Dropping a function or procedure breaks the running code that calls it.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-function",
    Group::Compat,
    Severity::Error,
    POSTGRES_AND_MYSQL,
    include_str!("drop_function.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Drop(drop) = place.kind() else { return None };
    let is_routine = matches!(
        drop.object,
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate
    );
    let known = place.before().routines(&drop.name);
    let new = !known.is_empty() && known.iter().all(|routine| !place.is_known_to_code(routine.created));
    // With other arguments it is another rule's; with the same it is a replacement.
    let again = !place.judged.after.routines(&drop.name).is_empty();
    if !is_routine || place.is_skipped() || new || again {
        return None;
    }
    Some(
        Draft::new(
            format!(
                "dropping {} `{}` breaks running code that calls it",
                drop.object.title(),
                place.shown(&drop.name)
            ),
            "calls of running code fail at once, and with them triggers, defaults and policies that use it",
        )
        .help("drop it in the release after the one that stopped calling it"),
    )
}
