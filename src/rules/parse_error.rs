//! A statement that is not SQL of this engine, as far as its grammar is known.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "parse-error",
    Group::Wrong,
    Severity::Error,
    ALL_ENGINES,
    include_str!("parse_error.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    if let Some(why) = lacks(place) {
        return Some(
            Draft::new(
                format!("{} does not understand this statement", place.server()),
                format!("{why}; the migration fails here"),
            )
            .help("look in the catalog whether it is there, or write a migration for each server"),
        );
    }
    if let Some(draft) = other_engines_type(place) {
        return Some(draft);
    }
    let ChangeKind::Opaque(opaque) = place.kind() else { return None };
    // What SQLite's ALTER TABLE does not have is another rule's.
    let mut words = place.step.sql.split_whitespace().map(str::to_ascii_lowercase);
    let alters = words.next().as_deref() == Some("alter") && words.next().as_deref() == Some("table");
    if opaque.reason != OpaqueReason::Syntax || alters && crate::engine::alters_little(place.dialect()) {
        return None;
    }
    Some(
        Draft::new(
            format!("this is not SQL that {} is known to understand", place.server().product.title()),
            format!("{}; the migration fails here, or does what cannot be judged", opaque.why),
        )
        .help("if the server does take it, say so: `-- twostep: allow parse-error because …`; then nothing else of the statement is judged"),
    )
}

/// A type that is another engine's, and that no migration has made.
fn other_engines_type(place: &Place<'_>) -> Option<Draft> {
    let (column, data_type, instead) = super::columns::definitions(place).find_map(|(column, _)| {
        let data_type = column.data_type.as_ref()?;
        let instead = crate::engine::foreign_type(data_type, place.dialect())?;
        let is_made = place.before().user_type(&data_type.object_name()).is_some();
        (!is_made).then_some((column, data_type, instead))
    })?;
    let product = place.server().product.title();
    Some(
        Draft::new(
            format!("{product} has no type `{}`", data_type.name),
            "another engine has it; unless somebody has made a type of that name here, the migration fails",
        )
        .at(At::Statement(place.number, column.type_span))
        .help(format!("{product} has {instead}")),
    )
}

/// What the statement says that the server, which somebody has named, surely has not.
fn lacks(place: &Place<'_>) -> Option<String> {
    let is_first = place.step.changes.first().is_some_and(|first| std::ptr::eq(first, place.applied));
    let (server, (major, minor, _)) = (place.server(), place.server().number);
    let number = i64::from(major) * 100 + i64::from(minor);
    let known = is_first && place.judged.is_server_known;
    known
        .then(|| crate::engine::lacks(&place.step.sql, place.dialect(), &server.to_string(), number))
        .flatten()
}
