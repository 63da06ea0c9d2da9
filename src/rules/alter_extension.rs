//! Updating an extension changes functions under the running code.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "alter-extension",
    Group::Wrong,
    Severity::Warning,
    POSTGRES,
    include_str!("alter_extension.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::AlterOther { object: ObjectKind::Extension, name: Some(name), what } = place.kind()
    else {
        return None;
    };
    let word = what.split_whitespace().next().unwrap_or("").to_ascii_uppercase();
    let why = match word.as_str() {
        "UPDATE" => {
            "the script of the new version may replace or drop functions that running code calls, and lock what it changes"
        }
        "DROP" => "what is taken out of the extension is no longer dumped, updated and dropped with it",
        _ => return None,
    };
    Some(
        Draft::new(format!("changing extension `{}` in a migration", name.name), why)
            .help("give it a deploy of its own, with nothing else in it"),
    )
}
