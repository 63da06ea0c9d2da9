//! A function with other arguments or another result breaks the calls of running code.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "change-function-signature",
    Group::Compat,
    Severity::Error,
    POSTGRES,
    include_str!("change_function_signature.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Drop(drop) = place.kind() else { return None };
    let is_routine =
        matches!(drop.object, ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine);
    if !is_routine {
        return None;
    }
    let (before, after) = (place.before().routines(&drop.name), place.judged.after.routines(&drop.name));
    let given: Option<Vec<&DataType>> = drop.arguments.as_ref().map(|arguments| arguments.iter().collect());
    let dropped =
        before.iter().find(|routine| given.as_ref().is_none_or(|given| routine.signature() == *given))?;
    let same = |routine: &&std::sync::Arc<Routine>| {
        routine.signature() == dropped.signature() && routine.definition.returns == dropped.definition.returns
    };
    if after.is_empty()
        || after.iter().any(|routine| same(&routine))
        || !place.is_known_to_code(dropped.created)
    {
        return None;
    }
    Some(
        Draft::new(
            format!("{} `{}` gets other arguments or another result", drop.object.title(), place.shown(&drop.name)),
            "calls of running code with the old arguments fail, or read a result of another type",
        )
        .help("make the new one beside the old one, under another name or with its own arguments, and drop the old one in a later release"),
    )
}
