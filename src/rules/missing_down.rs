//! A migration without a way back, in a folder whose migrations have one.

use super::prelude::*;
use crate::schema::compare::differences;

/// The rule.
pub static RULE: Rule = Rule::on_migration(
    "missing-down",
    Group::Wrong,
    Severity::Warning,
    ALL_ENGINES,
    include_str!("missing_down.md"),
    find,
);

fn find(judged: &Judged<'_>) -> Vec<Draft> {
    if !judged.wants_down || judged.migration.irreversible.is_some() {
        return Vec::new();
    }
    // What changes nothing needs no way back.
    if judged.steps.is_empty() {
        return Vec::new();
    }
    let help = "write its down, or say why there is none: `-- twostep: irreversible because …`";
    let why = "a rollback stops here: nothing says how to undo it";
    let draft = match judged.back {
        None if judged.migration.down.is_none() => {
            Draft::new("this migration has no way back", why).at(At::File)
        }
        // Rows may need no way back, which an empty one then says.
        Some(back) if back.is_empty() && !differences(judged.before, judged.after).is_empty() => {
            let why = "a rollback does nothing here, and goes on as if it had undone the migration";
            Draft::new("the way back of this migration is empty", why).at(At::Down)
        }
        None | Some(_) => return Vec::new(),
    };
    vec![draft.help(help)]
}
