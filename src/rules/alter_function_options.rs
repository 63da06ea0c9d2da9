//! Other options of a function change how calls of the running code behave.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "alter-function-options",
    Group::Compat,
    Severity::Warning,
    POSTGRES,
    include_str!("alter_function_options.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::AlterRoutine { kind, name, what, .. } = place.kind() else { return None };
    let made = place.before().routines(name).iter().find_map(|routine| routine.created);
    let kind = match kind {
        RoutineKind::Function => "function",
        RoutineKind::Procedure => "procedure",
        RoutineKind::Aggregate => "aggregate",
    };
    place.is_known_to_code(made).then(|| {
        Draft::new(
            format!("{kind} `{}` gets other options: {what}", place.shown(name)),
            "calls of running code run with other rights, settings or assumptions from now on",
        )
        .help("try it on a copy as the role that the application uses")
    })
}
