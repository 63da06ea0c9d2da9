//! Replacing a view, function, rule or trigger in place changes what the running code gets.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "replace-view-function",
    Group::Compat,
    Severity::Note,
    POSTGRES,
    include_str!("replace_view_function.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let before = place.before();
    let unknown = !place.judged.is_history_known && place.judged.number == 0 && place.judged.is_alone;
    let (what, name, there, made) = match place.kind() {
        ChangeKind::CreateView(create) if create.or_replace => {
            let old = before.view(&create.name);
            let same = old.is_some_and(|old| squeezed(&old.query.text) == squeezed(&create.query.text));
            ("view", &create.name, old.is_some() && !same, old.and_then(|old| old.created))
        }
        ChangeKind::CreateRoutine(create) if create.or_replace => {
            let of_same_arguments =
                |routine: &&std::sync::Arc<Routine>| routine.signature() == signature(&create.arguments);
            let old = before.routines(&create.name).iter().find(of_same_arguments);
            let same =
                old.is_some_and(|old| squeezed(&old.definition.body.text) == squeezed(&create.body.text));
            (
                match create.kind {
                    RoutineKind::Function => "function",
                    RoutineKind::Procedure => "procedure",
                    RoutineKind::Aggregate => "aggregate",
                },
                &create.name,
                old.is_some() && !same,
                old.and_then(|old| old.created),
            )
        }
        ChangeKind::CreateRule(create) if create.or_replace => {
            let there = place.table(&create.table).is_some_and(|table| table.rules.contains(&create.name));
            ("rule of", &create.table, there, place.made(&create.table))
        }
        ChangeKind::CreateTrigger(create) if create.or_replace => {
            let old = place.table(&create.table).and_then(|table| {
                table.triggers.iter().find(|trigger| trigger.definition.name == create.name)
            });
            ("trigger of", &create.table, old.is_some(), old.and_then(|old| old.created))
        }
        _ => return None,
    };
    if !(there && place.is_known_to_code(made) || unknown) {
        return None;
    }
    Some(
        Draft::new(
            format!("replacing {what} `{}` in place", place.shown(name)),
            "running code gets the new behaviour at once, and a rollback of the code does not bring back the old one",
        )
        .help("if it behaves differently for those who use it now, give it another name; drop the old one in a later release"),
    )
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
