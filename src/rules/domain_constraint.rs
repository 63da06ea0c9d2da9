//! A constraint on a domain scans every table that uses it, and makes later columns of it rewrite theirs.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "domain-constraint",
    Group::Lock,
    Severity::Warning,
    POSTGRES,
    include_str!("domain_constraint.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    if let ChangeKind::CreateDomain(create) = place.kind() {
        let constrained = create.not_null || !create.constraints.is_empty();
        return constrained.then(|| {
            Draft::new(
                format!("domain `{}` has constraints from its start", place.shown(&create.name)),
                "adding a column of it to a table rewrites the table, and its constraints cannot be changed without scans under lock",
            )
            .severity(Severity::Note)
            .help("use the base type, with a check on the table: that can be added NOT VALID and validated")
        });
    }
    let ChangeKind::AlterDomain { name, action } = place.kind() else { return None };
    let what = match action {
        DomainAction::SetNotNull => "NOT NULL",
        DomainAction::AddConstraint(constraint) if !constraint.not_valid => "a check",
        _ => return None,
    };
    let made = place.before().user_type(name).and_then(|found| found.created);
    let users: Vec<String> =
        place.felt().map(|effect| format!("`{}`", place.shown(&effect.relation))).collect();
    if !place.is_known_to_code(made) && users.is_empty() {
        return None;
    }
    let tables = if users.is_empty() { "every table that uses it".to_owned() } else { users.join(", ") };
    let sql = place.sql(name);
    let draft = Draft::new(
        format!(
            "adding {what} to domain `{}` blocks writes to {tables} while all rows are checked",
            place.shown(name)
        ),
        "SHARE lock on each of the tables during its scan, all held until the commit",
    );
    Some(match action {
        DomainAction::AddConstraint(_) => draft.help(format!("ALTER DOMAIN {sql} ADD CONSTRAINT … CHECK (…) NOT VALID;\n-- then, in a transaction of its own:\nALTER DOMAIN {sql} VALIDATE CONSTRAINT …;")),
        _ => draft.help(format!("ALTER DOMAIN {sql} ADD CONSTRAINT … CHECK (VALUE IS NOT NULL) NOT VALID, which is validated apart")),
    })
}
