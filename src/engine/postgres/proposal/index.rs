//! `CREATE INDEX`, `REINDEX`: concurrently, by themselves.

use super::definition::index_over;
use super::subject::{Subject, named};
use super::{id, sql};
use crate::dialect::Dialect;
use crate::engine::proposal::{Action, Back, Missing, Proposal, Stage};
use crate::name::Name;
use crate::schema::change::*;
use crate::schema::model::Index;
use crate::sql::lex::significant;

pub(super) fn create(subject: &Subject<'_>, create: &CreateIndex, text: &str) -> Option<Proposal> {
    let partitioned = subject.is_partitioned() && !create.only;
    if create.concurrently && !create.unique || create.only {
        return None;
    }
    if let Some(old) = rebuilt(subject, create) {
        return Some(anew(subject, create, text, old));
    }
    let mut proposal = Proposal::default();
    if partitioned && !create.concurrently {
        partitions(subject, create, text, &mut proposal);
    } else {
        let text = if create.concurrently { text.to_owned() } else { behind(text, "INDEX", "CONCURRENTLY") };
        let about = if create.unique {
            "Built while reads and writes go on; fails where there are duplicates, and leaves nothing behind."
        } else {
            "Built while reads and writes go on."
        };
        let mut action = Action::new(about, text);
        match name(subject, create) {
            Some(name) => {
                action = action.undone_alone_by(vec![format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")])
            }
            None => {
                proposal.missing.push(Missing::Other("the name that the index gets is not known".to_owned()))
            }
        }
        proposal.expand.push(Stage::Alone(action));
    }
    if create.unique && !subject.table.is_some_and(|table| is_new_to_code(subject, table, create)) {
        proposal.code =
            "it writes no duplicates, or handles the error; look for those that are there first".to_owned();
        proposal.contract = std::mem::take(&mut proposal.expand);
        let drop = name(subject, create)
            .map(|name| Action::new("", format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")));
        proposal.back = drop.map_or(Back::Authors, |drop| Back::Stages(vec![Stage::Alone(drop)]));
        if partitioned {
            proposal.back = name(subject, create).map_or(Back::Authors, |name| {
                Back::Stages(vec![Stage::Alone(Action::new("", format!("DROP INDEX {name}")))])
            });
        }
    }
    Some(proposal)
}

/// The index that has its name, where the migration drops that.
fn rebuilt<'g>(subject: &Subject<'g>, create: &CreateIndex) -> Option<&'g Index> {
    subject.given.rebuilt(&subject.table?.name, create.name.as_ref()?)
}

/// An index that takes the place of one with its name: built beside it, so that queries never do without.
fn anew(subject: &Subject<'_>, create: &CreateIndex, text: &str, old: &Index) -> Proposal {
    let (new, before) = (named(&old.name, "new"), named(&old.name, "old"));
    let name = &old.name;
    let drop = |which: &Name| format!("DROP INDEX CONCURRENTLY IF EXISTS {}", subject.in_schema(which));
    let rename = |from: &Name, to: &Name, about: &str| {
        Action::new(about, format!("ALTER INDEX {} RENAME TO {}", subject.in_schema(from), id(to)))
    };
    let text = with_name(text, &id(&new));
    let text = if create.concurrently { text } else { behind(&text, "INDEX", "CONCURRENTLY") };
    let about = "Built beside the one that has its name, while reads and writes go on.";
    let build = Stage::Alone(Action::new(about, text).undone_alone_by(vec![drop(&new)]));
    let mut proposal = Proposal {
        code: format!("its queries are as quick with the new {}", id(name)),
        ..Proposal::default()
    };
    let again = Action::new("The old one again.", index_over(subject, old, &before, &[]));
    let mut back =
        vec![Stage::Alone(again), Stage::Together(vec![rename(name, &new, ""), rename(&before, name, "")])];
    if create.unique && !subject.table.is_some_and(|table| is_new_to_code(subject, table, create)) {
        proposal.code =
            "it writes no duplicates, or handles the error; look for those that are there first".to_owned();
        proposal.contract.push(build);
        back.push(Stage::Alone(Action::new("", drop(&new))));
    } else {
        proposal.expand.push(build);
    }
    proposal.contract.push(Stage::Together(vec![
        rename(name, &before, "In one moment the new one has the name."),
        rename(&new, name, ""),
    ]));
    proposal.contract.push(Stage::Alone(Action::new(
        "Waits for whoever uses it, and keeps nobody waiting.",
        drop(&before),
    )));
    proposal.back = Back::Stages(back);
    proposal
}

/// The `CREATE INDEX` of `text` under another name.
fn with_name(text: &str, name: &str) -> String {
    let mut tokens = significant(text, Dialect::Postgres).skip_while(|token| !token.is_word(text, "INDEX"));
    let own = tokens.by_ref().skip(1).find(|token| !token.is_word(text, "CONCURRENTLY"));
    match own {
        Some(own) => format!("{}{name}{}", &text[..own.span.start], &text[own.span.end..]),
        None => text.to_owned(),
    }
}

/// Whether all columns of the index came with this migration, so that no running code writes them.
fn is_new_to_code(subject: &Subject<'_>, table: &crate::schema::model::Table, create: &CreateIndex) -> bool {
    create.plain_columns().is_some_and(|columns| {
        columns.iter().any(|column| {
            let made = table.column(column).and_then(|column| column.created);
            made.is_some_and(|made| made.migration == subject.schema.now.migration)
                && table.created.is_none_or(|created| created.migration != subject.schema.now.migration)
        })
    })
}

/// The index's name as the server gives it.
pub(super) fn name(subject: &Subject<'_>, create: &CreateIndex) -> Option<String> {
    if let Some(name) = &create.name {
        return Some(subject.in_schema(name));
    }
    let after = subject.after();
    let table = after.table(subject.name)?;
    let index = table
        .indexes
        .iter()
        .find(|index| subject.table.is_none_or(|before| before.index(&index.name).is_none()))?;
    Some(subject.in_schema(&index.name))
}

/// An index of a partitioned table: of each partition concurrently, then the parent's, which takes those over.
fn partitions(subject: &Subject<'_>, create: &CreateIndex, text: &str, proposal: &mut Proposal) {
    let after = subject.after();
    let own = name(subject, create);
    let partitions = subject.leaves();
    for partition in &partitions {
        let made = after
            .table(&partition.name)
            .and_then(|table| table.indexes.iter().find(|index| partition.index(&index.name).is_none()));
        let Some(made) = made else {
            proposal.missing.push(Missing::Other(format!(
                "the name of the index of the partition `{}` is not known",
                sql(&partition.name)
            )));
            continue;
        };
        let of =
            Subject::new(subject.schema, &partition.name, subject.version, subject.given, subject.change);
        let sql = super::definition::index_over(&of, made, &made.name, &[]);
        proposal.expand.push(Stage::Alone(Action::new("Built while reads and writes go on.", sql)));
    }
    let mut parent = Action::new(
        "Takes over those of its partitions, without building anything.\ntwostep: allow create-index-nonconcurrent because its partitions have it already",
        text,
    );
    parent.prepared = true;
    if let Some(own) = own {
        parent = parent.undone_by(format!("DROP INDEX {own}"));
    }
    proposal.expand.push(Stage::Alone(parent));
    proposal.limits.push(format!(
        "for the {} partitions that the migrations make; writes wait while the index of one that was made otherwise is built",
        partitions.len()
    ));
}

pub(super) fn rebuild(reindex: &Reindex, text: &str) -> Option<Proposal> {
    if reindex.concurrently {
        return None;
    }
    let word = match reindex.object {
        ObjectKind::Index => "INDEX",
        ObjectKind::Table => "TABLE",
        ObjectKind::Schema => "SCHEMA",
        _ => "DATABASE",
    };
    let about = "Built beside the old one while reads and writes go on.";
    Some(Proposal {
        expand: vec![Stage::Alone(Action::new(about, behind(text, word, "CONCURRENTLY")))],
        ..Proposal::default()
    })
}

/// `text` with `more` behind its first word `word`.
fn behind(text: &str, word: &str, more: &str) -> String {
    match significant(text, Dialect::Postgres).find(|token| token.is_word(text, word)) {
        Some(token) => {
            format!("{} {more}{}", &text[..token.span.end], &text[token.span.end..])
        }
        None => text.to_owned(),
    }
}
