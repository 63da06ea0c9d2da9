//! Dropping a key or a unique constraint drops its index, which running code may rely on.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-constraint-drops-index",
    Group::Compat,
    Severity::Warning,
    POSTGRES_AND_MYSQL,
    include_str!("drop_constraint_drops_index.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    if let Some(what) = guarantee(place) {
        return Some(
            Draft::new(
                format!("{what}, which running code may rely on"),
                "rows that it refused are written from now on, and the constraint cannot come back as long as there are any",
            )
            .severity(Severity::Note)
            .help("deploy code that can read such rows first"),
        );
    }
    let (alter, action) = place.alter_of_table()?;
    if alter.object == ObjectKind::ForeignTable || place.is_skipped() || !place.is_used(&alter.table) {
        return None;
    }
    let table = place.table(&alter.table);
    let (name, known) = match action {
        TableAction::DropConstraint { may_be_key: false, .. } => return None,
        TableAction::DropConstraint { name, .. } => {
            (format!("constraint `{name}`"), table.and_then(|table| table.constraint(name)))
        }
        TableAction::DropPrimaryKey => {
            ("the primary key".to_owned(), table.and_then(|table| table.primary_key()))
        }
        _ => return None,
    };
    let is_key = match known.map(|known| &known.kind) {
        Some(ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_) | ConstraintKind::Exclude(_)) => true,
        Some(ConstraintKind::Check(_) | ConstraintKind::ForeignKey(_) | ConstraintKind::NotNull(_)) => {
            return None;
        }
        // All constraints of a table that a statement made are known.
        None if place.is_assumed(&alter.table) => false,
        None => return None,
    };
    let made = known.and_then(|known| known.created);
    let again = known.is_some_and(|known| {
        place.committed().table(&alter.table).is_some_and(|after| replaces(after, known))
    });
    if again || !place.is_known_to_code(made) {
        return None;
    }
    let shown = place.shown(&alter.table);
    let if_key = if is_key { "" } else { "if it is a key, " };
    let draft = Draft::new(
        format!("dropping {name} of `{shown}`{}", if is_key { " drops its index" } else { " may drop an index" }),
        format!("{if_key}`ON CONFLICT` of running code fails without it, duplicates are accepted, and queries lose the index"),
    )
    .help("keep a unique index on the same columns until no query needs it; make it concurrently before");
    Some(if is_key { draft } else { draft.severity(Severity::Note) })
}

/// Whether `table` has a unique index on the same columns, or the same constraint again.
fn replaces(table: &Table, dropped: &TableConstraint) -> bool {
    table.constraint(&dropped.name).is_some()
        || table.indexes.iter().any(|index| {
            let columns = index.plain_columns();
            index.unique && columns.is_some_and(|own| own.into_iter().eq(dropped.columns()))
        })
}

/// A constraint that goes or is no longer enforced, although it has no index.
fn guarantee(place: &Place<'_>) -> Option<String> {
    if let ChangeKind::AlterDomain { name, action: DomainAction::DropConstraint { name: constraint, .. } } =
        place.kind()
    {
        let made = place.before().user_type(name).and_then(|found| found.created);
        let known = place.is_known_to_code(made) && !place.is_skipped();
        return known
            .then(|| format!("dropping constraint `{constraint}` of domain `{}`", place.shown(name)));
    }
    let (alter, action) = place.alter_of_table()?;
    if place.is_skipped() || !place.is_used(&alter.table) {
        return None;
    }
    match action {
        TableAction::AlterConstraint { name, enforced: Some(false), .. } => {
            Some(format!("constraint `{name}` of `{}` is no longer enforced", place.shown(&alter.table)))
        }
        _ => None,
    }
}
