//! A change that the server makes by copying the table while writes wait: what has no phases of its own is for a tool
//! that copies the table beside the application, and the command line for it is ready.

use crate::engine::proposal::about::About;
use crate::engine::proposal::{Missing, Proposal};
use crate::engine::version::Product;
use crate::schema::change::{ChangeKind, ConstraintKind, CreateIndex};

/// No plan, but the command lines of the tools.
pub(super) fn proposal(about: &About<'_>) -> Proposal {
    let mut proposal = Proposal::default();
    proposal.missing.push(missing(about, "the server copies the table, and writes wait for all of it"));
    proposal
}

/// That there is no plan, because of `why`, and what to run instead.
pub(super) fn missing(about: &About<'_>, why: &str) -> Missing {
    Missing::Tool { why: why.to_owned(), commands: commands(about) }
}

/// The command lines: the database is the one that the statement names, else a placeholder.
fn commands(about: &About<'_>) -> Vec<String> {
    let Some(alter) = alter(about) else { return Vec::new() };
    let database = about.name.schema.as_ref().map_or("DATABASE", |schema| schema.as_str());
    let table = about.name.name.as_str();
    let keys = |kind: &ConstraintKind| matches!(kind, ConstraintKind::ForeignKey(_));
    let refers = about.table.is_some_and(|table| table.constraints.iter().any(|one| keys(&one.kind)));
    let referred = about.table.is_some_and(|table| about.schema.references_to(&table.name).next().is_some());
    let triggers = about.table.is_some_and(|table| !table.triggers.is_empty());
    let mut commands = Vec::new();
    // <https://github.com/github/gh-ost/blob/master/doc/requirements-and-limitations.md>: no foreign keys, no triggers,
    // and not MariaDB.
    if about.server.product == Product::Mysql && !refers && !referred && !triggers {
        commands.push(format!(
            "gh-ost --host=HOST --user=USER --ask-pass --database={} --table={} --alter={} --execute",
            shell(database),
            shell(table),
            shell(&alter)
        ));
    }
    // <https://docs.percona.com/percona-toolkit/pt-online-schema-change.html>
    let mut more = String::new();
    if referred {
        more.push_str(" --alter-foreign-keys-method=auto");
    }
    if triggers {
        more.push_str(" --preserve-triggers");
    }
    let part = |name: &str| name.replace('\\', "\\\\").replace(',', "\\,");
    commands.push(format!(
        "pt-online-schema-change --host=HOST --user=USER --ask-pass{more} --alter={} --execute {}",
        shell(&alter),
        shell(&format!("D={},t={}", part(database), part(table)))
    ));
    commands
}

/// What stands behind `ALTER TABLE name`.
fn alter(about: &About<'_>) -> Option<String> {
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    match &about.change.kind {
        ChangeKind::AlterTable(_) => Some(one_line(about.text_of(about.change.span))),
        ChangeKind::CreateIndex(create) => Some(index(about, create)),
        _ => None,
    }
}

fn index(about: &About<'_>, create: &CreateIndex) -> String {
    let kind = match create.method.as_deref() {
        Some(method @ ("fulltext" | "spatial")) => format!("{} ", method.to_uppercase()),
        _ if create.unique => "UNIQUE ".to_owned(),
        _ => String::new(),
    };
    let name = create.name.as_ref().map_or_else(String::new, |name| format!("{} ", about.id(name)));
    let elements: Vec<String> =
        create.elements.iter().map(|element| super::definition::element(about, element)).collect();
    format!("ADD {kind}INDEX {name}({})", elements.join(", "))
}

/// `text` as one word of a shell's command line.
fn shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::shell;

    #[test]
    fn words_of_a_shell() {
        assert_eq!(shell("users"), "users");
        assert_eq!(shell("MODIFY a enum('x')"), r"'MODIFY a enum('\''x'\'')'");
        assert_eq!(shell("`a`"), "'`a`'");
        assert_eq!(shell(""), "''");
    }
}
