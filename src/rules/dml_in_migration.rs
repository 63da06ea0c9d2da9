//! Rows that a migration changes in bulk stay locked until it commits.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_migration(
    "dml-in-migration",
    Group::Lock,
    Severity::Note,
    ALL_ENGINES,
    include_str!("dml_in_migration.md"),
    find,
);

fn find(judged: &Judged<'_>) -> Vec<Draft> {
    let mut first: Option<(At, String, &str)> = None;
    let mut others: Vec<String> = Vec::new();
    for place in judged.places() {
        let Some((table, what)) = in_bulk(&place) else { continue };
        let shown = place.shown(table);
        match &first {
            None => first = Some((At::Statement(place.number, place.change().span), shown, what)),
            Some((_, one, _)) if *one == shown || others.contains(&shown) => {}
            Some(_) => others.push(shown),
        }
    }
    let Some((at, shown, what)) = first else { return Vec::new() };
    let also = match others.as_slice() {
        [] => String::new(),
        [one] => format!("; further down also rows of `{one}`"),
        [one, two] => format!("; further down also rows of `{one}` and `{two}`"),
        [one, two, rest @ ..] => {
            format!("; further down also rows of `{one}`, `{two}` and {} more tables", rest.len())
        }
    };
    let draft = Draft::new(
        format!("rows of `{shown}` are {what} in bulk by a migration{also}"),
        "however many there are, they stay locked until the commit, and the release waits for them",
    )
    .help("if there are many, run it in chunks: `-- twostep: backfill` above it")
    .at(at);
    vec![draft]
}

/// The table of which a statement changes rows in bulk, and how.
fn in_bulk<'a>(place: &Place<'a>) -> Option<(&'a TableName, &'static str)> {
    let (table, what) = match place.kind() {
        ChangeKind::Update(update) if update.bounded => (&update.table, "updated"),
        ChangeKind::Delete(delete) if delete.bounded => (&delete.table, "deleted"),
        ChangeKind::Insert(insert)
            if insert.rows == InsertRows::Query
                && insert.query.reads.iter().any(|name| place.is_busy(name)) =>
        {
            (&insert.table, "inserted")
        }
        ChangeKind::Merge(merge) => (&merge.table, "merged"),
        _ => return None,
    };
    (place.is_busy(table) && !is_narrow(place) && !place.is_backfill()).then_some((table, what))
}

/// Whether the condition names single rows: it compares a key with values.
fn is_narrow(place: &Place<'_>) -> bool {
    let text = place.step.sql.to_ascii_lowercase();
    let Some(at) = text.rfind(" where ").or_else(|| text.rfind("\nwhere ")) else {
        return text.contains(" limit ");
    };
    let condition = &text[at + 7..];
    let literal = |rest: &str| {
        let rest = rest.trim_start();
        rest.starts_with(['\'', '$', ':']) || rest.starts_with(|c: char| c.is_ascii_digit())
    };
    let equals = condition.match_indices('=').any(|(at, _)| {
        let before = condition[..at].trim_end();
        !before.ends_with(['<', '>', '!']) && literal(&condition[at + 1..])
    });
    let listed = condition.find(" in (").is_some_and(|at| literal(&condition[at + 5..]));
    let between = condition.contains(" between ");
    equals || listed || between || condition.contains(" limit ")
}
