//! TRUNCATE … CASCADE throws away the rows of other tables too.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "truncate-cascade",
    Group::Loss,
    Severity::Error,
    POSTGRES,
    include_str!("truncate_cascade.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Truncate(truncate) = place.kind() else { return None };
    let others: Vec<String> = place
        .effects()
        .relations
        .iter()
        .filter(|effect| effect.role == Role::Referencing)
        .map(|effect| format!("`{}`", place.shown(&effect.relation)))
        .collect();
    if !truncate.cascade || !place.is_used(&truncate.table) && others.is_empty() {
        return None;
    }
    let which =
        if others.is_empty() { "every table with a foreign key to it".to_owned() } else { others.join(", ") };
    Some(
        Draft::new(
            format!("the rows of {which} go with those of `{}`", place.shown(&truncate.table)),
            "CASCADE follows foreign keys to any depth, whatever their ON DELETE says",
        )
        .help("name the tables that are meant: TRUNCATE a, b; which stops if one was forgotten"),
    )
}
