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
    if !is_routine || place.is_skipped() || new || again || is_idle(place, known) {
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

/// Whether these are functions of triggers that no trigger runs any more: nothing else can call them.
fn is_idle(place: &Place<'_>, known: &[std::sync::Arc<Routine>]) -> bool {
    let of_trigger = |routine: &std::sync::Arc<Routine>| {
        let returns = routine.definition.returns.as_deref().unwrap_or("");
        returns.eq_ignore_ascii_case("trigger") || returns.eq_ignore_ascii_case("event_trigger")
    };
    let takes_trigger = || place.taken().any(|subject| subject.object == ObjectKind::Trigger);
    let runs = |trigger: &std::sync::Arc<Trigger>| {
        let function = trigger.definition.function.as_ref();
        function.is_some_and(|function| known.iter().any(|one| one.name.name == function.name))
    };
    let is_run = || {
        let before = place.before();
        before.tables.values().any(|table| table.triggers.iter().any(runs))
            || before.views.values().any(|view| view.triggers.iter().any(runs))
    };
    !known.is_empty() && known.iter().all(of_trigger) && !takes_trigger() && !is_run()
}
