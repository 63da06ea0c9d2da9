//! Other options of a view change which rows the running code sees and may write.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "alter-view-options",
    Group::Compat,
    Severity::Warning,
    POSTGRES,
    include_str!("alter_view_options.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, action) = place.alter()?;
    let names: Vec<&str> = match action {
        TableAction::SetOptions { options } => options.iter().map(|(name, _)| name.as_str()).collect(),
        TableAction::ResetOptions { names } => names.iter().map(String::as_str).collect(),
        _ => return None,
    };
    if alter.object != ObjectKind::View || !place.is_used(&alter.table) {
        return None;
    }
    Some(
        Draft::new(
            format!("view `{}` gets other options: {}", place.shown(&alter.table), names.join(", ")),
            "`security_invoker` changes whose rights count, `check_option` which rows may be written, `security_barrier` how it is planned",
        )
        .help("make a second view with these options, and let the new code use that"),
    )
}
