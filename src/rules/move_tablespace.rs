//! SET TABLESPACE copies the table while everyone is kept out.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "move-tablespace",
    Group::Lock,
    Severity::Error,
    POSTGRES,
    include_str!("move_tablespace.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (what, name) = match place.kind() {
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::SetTablespace { .. } | TableAction::SetAccessMethod { .. }
                if place.is_busy(&alter.table) =>
            {
                (alter.object.title(), &alter.table)
            }
            _ => return None,
        },
        ChangeKind::AlterIndex { name, action: IndexAction::SetTablespace(_) } => ("index", name),
        ChangeKind::AlterOther { object, name, what }
            if what.to_ascii_uppercase().contains("SET TABLESPACE") =>
        {
            if stays(place.text()) {
                return None;
            }
            return Some(moves_many(object.title(), name.as_ref().map(|name| name.name.as_str())));
        }
        _ => return None,
    };
    if place.is_skipped() {
        return None;
    }
    Some(
        Draft::new(
            format!("moving {what} `{}` blocks whoever uses it until it is copied", place.shown(name)),
            "ACCESS EXCLUSIVE while all of it is copied",
        )
        .help("pg_repack moves a table without the lock; an index can be built concurrently in the other tablespace"),
    )
}

/// Whether `ALL IN TABLESPACE a … SET TABLESPACE b` names one tablespace twice.
fn stays(statement: &str) -> bool {
    let words: Vec<&str> = statement.split_whitespace().collect();
    let mut named = words
        .windows(2)
        .filter(|pair| pair[0].eq_ignore_ascii_case("tablespace"))
        .map(|pair| pair[1].trim_end_matches([',', ';']));
    matches!((named.next(), named.next()), (Some(from), Some(to)) if from == to)
}

/// `ALTER TABLE ALL IN TABLESPACE … SET TABLESPACE`, `ALTER DATABASE … SET TABLESPACE`.
fn moves_many(object: &str, name: Option<&str>) -> Draft {
    let what =
        name.map_or_else(|| format!("every {object} of a tablespace"), |name| format!("{object} `{name}`"));
    Draft::new(
        format!("moving {what} blocks whoever uses it until it is copied"),
        "ACCESS EXCLUSIVE on each relation while it is copied; for a database nobody may be connected",
    )
    .help("move them one by one, with pg_repack or by indexes built concurrently in the other tablespace")
}
