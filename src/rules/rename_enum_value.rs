//! Renaming a label of an enum breaks the running code, which writes and expects the old one.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "rename-enum-value",
    Group::Compat,
    Severity::Error,
    POSTGRES,
    include_str!("rename_enum_value.md"),
    find,
)
.splitting();

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::AlterType { name, action: TypeAction::RenameValue { from, to } } = place.kind() else {
        return None;
    };
    let found = place.before().user_type(name);
    let made = found.and_then(|found| match &found.kind {
        UserTypeKind::Enum(labels) => labels.iter().find(|label| label.value == *from)?.created,
        _ => found.created,
    });
    place.is_known_to_code(made).then(|| {
        Draft::new(
            format!("renaming label `{from}` of enum `{}` to `{to}` breaks running code that uses the old one", place.shown(name)),
            "running code that writes the old label fails, and what it reads is a label that it does not know",
        )
    })
}
