//! IF NOT EXISTS over something of another shape does nothing, and the migration counts as applied.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "create-if-not-exists-noop",
    Group::Wrong,
    Severity::Warning,
    ALL_ENGINES,
    include_str!("create_if_not_exists_noop.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let differs = place.applied.notes.iter().find_map(|note| match note {
        Note::Skipped { subject, differs: true } => Some(subject),
        _ => None,
    });
    if let Some(subject) = differs {
        let of = subject.of.as_ref().map_or_else(String::new, |of| format!(" of `{}`", place.shown(of)));
        return Some(
            Draft::new(
                format!("{} `{}`{of} is there already, in another shape: this does nothing", subject.object.title(), place.shown(&subject.name)),
                "IF NOT EXISTS looks at the name alone; the migration is recorded as applied, and the database is not what the file says",
            )
            .help("leave IF NOT EXISTS out, or change what is there with ALTER"),
        );
    }
    let ChangeKind::CreateIndex(create) = place.kind() else { return None };
    let name = create.name.as_ref()?;
    let index = place.table(&create.table).and_then(|table| table.index(name))?;
    let partitioned = place.table(&create.table).is_some_and(|table| table.partition_by.is_some());
    (create.if_not_exists && !index.valid && !partitioned).then(|| {
        Draft::new(
            format!("index `{name}` is there already, and invalid: this does nothing"),
            "a failed build left it behind; IF NOT EXISTS looks at the name alone",
        )
        .help(format!("DROP INDEX CONCURRENTLY {};", place.id(name)))
    })
}
