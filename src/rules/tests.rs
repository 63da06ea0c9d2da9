//! Each rule's page is true: what stands under "Fires" is found, what stands under "Quiet" and "Instead" is not.

use super::page::{Example, Page};
use super::*;
use crate::dialect::Dialect;
use crate::engine::version::ServerVersion;
use crate::schema::model::Schema;
use crate::source::{ReadOptions, SourceFile, read};

/// The ids of the rules that fire on an example, with their messages.
fn found(rule: &Rule, example: &Example<'_>) -> Vec<(&'static str, String)> {
    let dialect = example.dialect().unwrap_or(rule.engines[0]);
    let mut files = Vec::new();
    let last = example.migrations.len() - 1;
    for (number, migration) in example.migrations.iter().enumerate() {
        let alone =
            number == last && example.has("no-transaction") && !migration.up.contains("no-transaction");
        let head = if alone { "-- twostep: no-transaction\n" } else { "" };
        files.push(SourceFile::text(format!("{number:04}_a.up.sql"), &format!("{head}{}", migration.up)));
        if let Some(down) = &migration.down {
            files.push(SourceFile::text(format!("{number:04}_a.down.sql"), down));
        }
    }
    let folder = read(&files, Some("twostep"), &ReadOptions::default()).unwrap();
    let version = example.value("version").map(|text| ServerVersion::parse(text, dialect).unwrap());
    let mut options = Options::new(version.unwrap_or(ServerVersion::usual(dialect)));
    options.is_server_known = version.is_some();
    options.groups.push(Group::Style);
    if example.value("runner") == Some("other") {
        options.runner = Runner::Other;
    }
    let linted = lint(&folder, &[last], Schema::new(dialect), &options);
    linted.findings.into_iter().map(|finding| (finding.rule.id, finding.message)).collect()
}

/// Whether the statements of an engine can be read at all yet.
fn is_read(dialect: Dialect) -> bool {
    let changes = crate::engine::lower("create table t (a int)", dialect);
    !matches!(changes[0].kind, crate::schema::change::ChangeKind::Opaque(_))
}

#[test]
fn pages_are_true() {
    let mut wrong = Vec::new();
    let mut examples = 0;
    for rule in RULES {
        let page = match Page::parse(rule.page) {
            Ok(page) => page,
            Err(error) => {
                wrong.push(format!("{}: {error}", rule.id));
                continue;
            }
        };
        if page.title != rule.id {
            wrong.push(format!("{}: its page is called {}", rule.id, page.title));
        }
        let all = page.examples();
        for example in &all {
            if !is_read(example.dialect().unwrap_or(rule.engines[0])) {
                continue;
            }
            examples += 1;
            let found = found(rule, example);
            let fires = found.iter().any(|(id, _)| *id == rule.id);
            if fires != (example.heading == "Fires") {
                let last = example.migrations.last().unwrap();
                wrong.push(format!("{} under {}: {:?} gives {found:?}", rule.id, example.heading, last.up));
            }
        }
        let fires = all.iter().any(|example| example.heading == "Fires");
        let needs_more = rule.id == "edited-after-applied";
        if !fires && !needs_more {
            wrong.push(format!("{}: no example shows it", rule.id));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(examples > 300, "{examples} examples");
}

#[test]
fn ids_are_sorted_and_unique() {
    assert!(RULES.windows(2).all(|pair| pair[0].id < pair[1].id));
}
