//! A new constraint refuses writes of the running code that do not satisfy it, also where it is NOT VALID.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "new-write-restriction",
    Group::Compat,
    Severity::Warning,
    ALL_ENGINES,
    include_str!("new_write_restriction.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    if let ChangeKind::AlterDomain { name, action } = place.kind() {
        let new = matches!(action, DomainAction::SetNotNull | DomainAction::AddConstraint(_));
        let made = place.before().user_type(name).and_then(|found| found.created);
        return (new && place.is_known_to_code(made)).then(|| draft("a new constraint", &place.shown(name)));
    }
    if let ChangeKind::CreateTrigger(create) = place.kind() {
        let new = create.constraint && place.is_used(&create.table);
        return new
            .then(|| draft(&format!("constraint trigger `{}`", create.name), &place.shown(&create.table)));
    }
    if let Some((name, old, new)) = super::columns::made_anew(place) {
        return made_stricter(old, new).map(|what| draft(&what, &place.shown(name)));
    }
    let (alter, action) = place.alter_of_table()?;
    if place.is_skipped() || !place.is_used(&alter.table) {
        return None;
    }
    let shown = place.shown(&alter.table);
    match action {
        TableAction::AddConstraint { constraint, .. } => {
            let what = restricts(place, &alter.table, constraint)?;
            Some(draft(&what, &shown))
        }
        TableAction::SetNotNull { column } => {
            let table = place.table(&alter.table);
            let known = table.and_then(|table| table.column(column));
            let said = table.is_some_and(|table| {
                table.constraints.iter().any(|one| match &one.kind {
                    ConstraintKind::Check(expr) => one.enforced && expr.requires_not_null.contains(column),
                    ConstraintKind::NotNull(other) => other == column,
                    _ => false,
                })
            });
            let is_so = known.is_some_and(|known| known.nullability == Nullability::NotNull);
            (!said && !is_so && !validates_unknown(place, &alter.table))
                .then(|| draft(&format!("NOT NULL of `{column}`"), &shown))
        }
        TableAction::ChangeColumn { from, column, .. } if column.nullability == Nullability::NotNull => {
            let known = place.column(&alter.table, from)?;
            let may_be_null = known.nullability == Nullability::Null && place.is_known_to_code(known.created);
            may_be_null.then(|| draft(&format!("NOT NULL of `{from}`"), &shown))
        }
        TableAction::AddColumn { column, .. } => {
            let no_value =
                column.default.as_ref().is_none_or(|default| default.is_null) && column.generation.is_none();
            let key = column.constraints.iter().any(|one| matches!(one.kind, ConstraintKind::PrimaryKey(_)));
            (no_value && (key || column.nullability == Nullability::NotNull))
                // Another rule says it as an error.
                .then(|| {
                    draft(&format!("a required column, `{}`,", column.name), &shown).severity(Severity::Note)
                })
        }
        TableAction::AlterConstraint { name, deferrable: Some(false), .. } => {
            Some(draft(&format!("constraint `{name}`, checked at once from now on,"), &shown))
        }
        TableAction::AlterConstraint { name, initially_deferred: Some(false), deferrable: None, .. } => {
            Some(draft(&format!("constraint `{name}`, checked at once from now on,"), &shown))
        }
        TableAction::AlterConstraint { name, enforced: Some(true), .. } => {
            Some(draft(&format!("constraint `{name}`, enforced from now on,"), &shown))
        }
        _ => None,
    }
}

fn draft(what: &str, shown: &str) -> Draft {
    Draft::new(
        format!("{what} on `{shown}` may refuse writes of running code"),
        "it counts for every row that is written from that moment on, NOT VALID or not; no DDL can prove that running code satisfies it",
    )
    .help("deploy code that satisfies it first, and count the rows that do not")
}

/// What a table that is made anew asks of each row that it did not ask before.
fn made_stricter(old: &Table, new: &Table) -> Option<String> {
    let required = new.columns.iter().find(|column| {
        let was = old.column(&column.name).map(|was| was.nullability);
        column.nullability == Nullability::NotNull && was == Some(Nullability::Null)
    });
    if let Some(column) = required {
        return Some(format!("NOT NULL of `{}`", column.name));
    }
    let knows = |kind: &ConstraintKind| {
        old.constraints.iter().any(|one| match (&one.kind, kind) {
            (ConstraintKind::Check(one), ConstraintKind::Check(other)) => one.text == other.text,
            (ConstraintKind::ForeignKey(one), ConstraintKind::ForeignKey(other)) => {
                one.columns == other.columns
            }
            (ConstraintKind::Unique(one), ConstraintKind::Unique(other)) => one.columns == other.columns,
            _ => false,
        })
    };
    let added = new.constraints.iter().filter(|_| old.is_complete()).map(|one| &one.kind);
    added.filter(|kind| !knows(kind)).find_map(|kind| match kind {
        ConstraintKind::Check(_) => Some("a new check".to_owned()),
        ConstraintKind::ForeignKey(_) => Some("a new foreign key".to_owned()),
        ConstraintKind::Unique(_) => Some("a new unique key".to_owned()),
        _ => None,
    })
}

/// What a new constraint is, where running code may violate it.
fn restricts(place: &Place<'_>, table: &TableName, constraint: &Constraint) -> Option<String> {
    if constraint.not_enforced {
        return None;
    }
    let known = place.table(table);
    let new = |columns: &[Name]| {
        let is_new = |column: &Name| {
            known
                .and_then(|table| table.column(column))
                .is_some_and(|column| !place.is_known_to_code(column.created))
        };
        // Running code leaves a new column empty, which satisfies all but NOT NULL.
        !columns.is_empty() && columns.iter().all(is_new)
    };
    let name = constraint.name.as_ref().map_or_else(String::new, |name| format!(" `{name}`"));
    match &constraint.kind {
        ConstraintKind::Check(expr) => {
            let same = known.is_some_and(|table| {
                table
                    .constraints
                    .iter()
                    .any(|one| matches!(&one.kind, ConstraintKind::Check(old) if old.text == expr.text))
            });
            (!new(&expr.columns) && !same).then(|| format!("new check{name}"))
        }
        ConstraintKind::ForeignKey(key) => {
            let same = place.at_start().table(table).is_some_and(|table| {
                table.constraints.iter().any(|one| {
                    matches!(&one.kind, ConstraintKind::ForeignKey(old) if old.columns == key.columns && old.references.name == key.references.name)
                })
            });
            (!new(&key.columns) && !same).then(|| format!("new foreign key{name}"))
        }
        // The index that it is there is another rule's.
        ConstraintKind::Unique(_) if crate::engine::is_unique_an_index(place.dialect()) => None,
        ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => {
            // The index refuses already what the constraint would.
            let unique = known.is_some_and(|table| {
                let columns: Vec<&Name> = key.columns.iter().collect();
                table
                    .indexes
                    .iter()
                    .any(|index| index.unique && index.plain_columns().as_ref() == Some(&columns))
            });
            (key.using_index.is_none() && !new(&key.columns) && !unique)
                .then(|| format!("new unique key{name}"))
        }
        ConstraintKind::Exclude(_) => Some(format!("new exclusion constraint{name}")),
        ConstraintKind::NotNull(column) => Some(format!("NOT NULL of `{column}`")),
    }
}

/// Whether this migration has validated a constraint of the table that no statement made: it may be the check that
/// says so already.
fn validates_unknown(place: &Place<'_>, table: &TableName) -> bool {
    let mut validated = place.judged.outline().validated.iter();
    place.is_assumed(table)
        && validated.any(|(at, other, _)| *at < place.number && place.is_same(other, table))
}
