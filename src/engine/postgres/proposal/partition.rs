//! `ATTACH` and `DETACH PARTITION`: what the server would look for under a lock is proved and built before.

use super::constraint::{as_named, stages as constraint_stages, two_steps};
use super::definition::{index_over, unwrapped};
use super::subject::{Subject, named};
use super::{id, sql};
use crate::dialect::Dialect;
use crate::engine::proposal::{Action, Back, Missing, Proposal, Stage, Undo};
use crate::name::{Name, TableName, plain_literal};
use crate::schema::change::{ConstraintKind, PartitionBound, PartitionBy};
use crate::schema::model::{Schema, Table};
use crate::sql::lex::{Token, TokenKind, significant};

/// `ATTACH PARTITION`.
pub(super) fn attach(
    subject: &Subject<'_>,
    partition: &TableName,
    bound: &PartitionBound,
    text: &str,
) -> Proposal {
    let mut proposal = Proposal::default();
    let after = subject.after();
    proposal.expand = attached(subject, &after, partition, bound, text, &mut proposal.missing);
    let child = sql(partition);
    proposal
        .limits
        .push(format!("from the first step on, rows of {child} outside of its bounds are refused"));
    if default_of(subject).is_some() {
        proposal.limits.push(format!(
            "while the default partition is proved to have no rows of {child}, such rows are refused: they must not come yet"
        ));
    }
    proposal
}

/// The statements that attach a partition: `after` is the schema behind them.
fn attached(
    subject: &Subject<'_>,
    after: &Schema,
    partition: &TableName,
    bound: &PartitionBound,
    text: &str,
    missing: &mut Vec<Missing>,
) -> Vec<Stage> {
    let (parent, child_sql) = (subject.sql(), sql(partition));
    let mut refuse = |why: String| missing.push(Missing::Other(why));
    let known = subject.schema.table(partition).zip(subject.table).zip(after.table(partition));
    let Some(((child, table), child_after)) = known.filter(|((child, _), _)| child.is_complete()) else {
        refuse(format!("no migration makes `{parent}` and `{child_sql}`"));
        return Vec::new();
    };
    let inside = table.partition_by.as_ref().and_then(|by| condition(by, bound));
    let Some(inside) = inside else {
        refuse(format!(
            "which rows `{child_sql}` takes is not said by one column and its values, so that the server reads all of its rows under ACCESS EXCLUSIVE"
        ));
        return Vec::new();
    };
    let of = Subject::new(subject.schema, partition, subject.version, subject.given, subject.change);
    let mut stages = built(&of, child, child_after);
    let check = named(&partition.name, "bounds");
    let rest = default_of(subject);
    // What the model does not know: that the default partition has none of its rows.
    let allow = if rest.is_some() {
        "\ntwostep: allow attach-partition because a validated check says that the default partition has none of its rows"
    } else {
        ""
    };
    let attach = Action::new(
        format!(
            "It is a partition from here on: its rows were proved to be inside, and its indexes are there.{allow}"
        ),
        text,
    );
    let mut dropped =
        vec![attach.prepared().undone_by(format!("ALTER TABLE {parent} DETACH PARTITION {child_sql}"))];
    stages.push(Stage::Alone(none_with(&child_sql, &format!("NOT ({inside})"), "outside of its bounds")));
    stages.extend(proved(&child_sql, &check, &inside));
    dropped.push(Action::new("", format!("ALTER TABLE {child_sql} DROP CONSTRAINT {}", id(&check))));
    if let Some(rest) = rest {
        let name = sql(&as_named(subject, &rest.name));
        let check = named(&rest.name.name, "others");
        stages.push(Stage::Alone(none_with(&name, &inside, &format!("that belong into {child_sql}"))));
        stages.extend(proved(&name, &check, &format!("NOT ({inside})")));
        dropped.push(Action::new("", format!("ALTER TABLE {name} DROP CONSTRAINT {}", id(&check))));
    }
    stages.push(Stage::Together(dropped));
    stages
}

/// What the parent has and its partition lacks, built and checked while everyone goes on.
fn built(of: &Subject<'_>, child: &Table, child_after: &Table) -> Vec<Stage> {
    let mut stages = Vec::new();
    let plain = child_after.indexes.iter().filter(|index| index.constraint.is_none());
    for index in plain.filter(|index| child.index(&index.name).is_none()) {
        let drop = format!("DROP INDEX CONCURRENTLY IF EXISTS {}", of.in_schema(&index.name));
        let unique = if index.unique {
            "\ntwostep: allow add-unique-index-compat because a row of the parent is unique as well"
        } else {
            ""
        };
        stages.push(Stage::Alone(
            Action::new(
                format!("What the parent has, built while reads and writes go on.{unique}"),
                index_over(of, index, &index.name, &[]),
            )
            .undone_alone_by(vec![drop]),
        ));
    }
    for one in child_after.constraints.iter().filter(|one| child.constraint(&one.name).is_none()) {
        if matches!(one.kind, ConstraintKind::Check(_) | ConstraintKind::NotNull(_)) {
            // The server wants these to be there already.
            continue;
        }
        let mut made = constraint_stages(of, one, &mut Proposal::default()).unwrap_or_default();
        if let Some(Stage::Alone(first)) = made.first_mut() {
            let rule = match &one.kind {
                ConstraintKind::ForeignKey(_) => "new-write-restriction",
                _ => "add-unique-index-compat",
            };
            first.about.push_str(&format!(
                "\ntwostep: allow {rule} because what is written becomes the parent's, which has it"
            ));
        }
        stages.extend(made);
    }
    stages
}

/// A statement that fails where there are rows that satisfy `condition`.
fn none_with(table: &str, condition: &str, what: &str) -> Action {
    let said = plain_literal(&format!("{table} has rows {what}").replace('%', "%%"));
    Action::new(
        "Stops here where there are such rows, before anything is changed.",
        format!(
            "DO $twostep$\nBEGIN\n  IF EXISTS (SELECT FROM {table} WHERE {condition}) THEN\n    RAISE EXCEPTION {said};\n  \
             END IF;\nEND $twostep$"
        ),
    )
}

/// The check by which the server knows without looking.
fn proved(table: &str, check: &Name, condition: &str) -> [Stage; 2] {
    let mut steps = two_steps(table, check, &format!("CHECK ({condition})"));
    if let Stage::Alone(add) = &mut steps[0] {
        add.about
            .push_str("\ntwostep: allow new-write-restriction because the partition's bounds say the same");
        add.undo =
            Undo::Together(vec![format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {}", id(check))]);
    }
    steps
}

/// Which rows are within `bound`, as a condition; none for what cannot be said by one column and its values.
fn condition(by: &PartitionBy, bound: &PartitionBound) -> Option<String> {
    let ([key], PartitionBound::Values(values)) = (by.key.as_slice(), bound) else { return None };
    let text = unwrapped(&key.text);
    let key = match key.columns.as_slice() {
        [only]
            if crate::engine::update::unquoted(text) == *only
                || Name::unquoted(text, Dialect::Postgres) == *only =>
        {
            id(only)
        }
        _ => format!("({text})"),
    };
    match by.strategy.as_str() {
        "range" => {
            let (from, to) = (list(values, "FROM")?, list(values, "TO")?);
            let ([from], [to]) = (from.as_slice(), to.as_slice()) else { return None };
            let mut parts = vec![format!("{key} IS NOT NULL")];
            if !from.eq_ignore_ascii_case("minvalue") {
                parts.push(format!("{key} >= {from}"));
            }
            if !to.eq_ignore_ascii_case("maxvalue") {
                parts.push(format!("{key} < {to}"));
            }
            Some(parts.join(" AND "))
        }
        "list" => {
            let all = list(values, "IN")?;
            let (null, some): (Vec<String>, Vec<String>) =
                all.into_iter().partition(|value| value.eq_ignore_ascii_case("null"));
            match (null.is_empty(), some.is_empty()) {
                (_, true) => Some(format!("{key} IS NULL")),
                (true, _) => Some(format!("{key} IS NOT NULL AND {key} IN ({})", some.join(", "))),
                (false, _) => Some(format!("{key} IS NULL OR {key} IN ({})", some.join(", "))),
            }
        }
        _ => None,
    }
}

/// The expressions in the parentheses behind `word`.
fn list(text: &str, word: &str) -> Option<Vec<String>> {
    let tokens: Vec<Token> = significant(text, Dialect::Postgres).collect();
    let at = tokens.iter().position(|token| token.is_word(text, word))?;
    let open = tokens.get(at + 1).filter(|token| token.is_punct(b'('))?;
    let (mut depth, mut from, mut all) = (1_usize, open.span.end, Vec::new());
    for token in &tokens[at + 2..] {
        match token.kind {
            TokenKind::Punct(b'(' | b'[') => depth += 1,
            TokenKind::Punct(b')' | b']') => depth -= 1,
            _ => {}
        }
        if depth == 0 || depth == 1 && token.is_punct(b',') {
            all.push(text[from..token.span.start].trim().to_owned());
            from = token.span.end;
        }
        if depth == 0 {
            return Some(all);
        }
    }
    None
}

/// `DETACH PARTITION`: its rows are gone from the parent, which running code may read.
pub(super) fn detach(subject: &Subject<'_>, partition: &TableName, finalize: bool) -> Option<Proposal> {
    if finalize {
        return None;
    }
    let (parent, child_sql) = (subject.sql(), sql(partition));
    let mut proposal = Proposal {
        code: format!("it looks for the rows of {child_sql} there, not in {parent}"),
        back: Back::Authors,
        ..Proposal::default()
    };
    let child = subject.schema.table(partition);
    let Some((table, child)) = subject.table.zip(child).filter(|(_, child)| child.partition_of.is_some())
    else {
        proposal
            .missing
            .push(Missing::Other(format!("no migration makes `{child_sql}` a partition of `{parent}`")));
        return Some(proposal);
    };
    let bound = child.partition_of.as_ref().map(|of| of.bound.clone());
    if subject.schema.references_to(&table.name).next().is_some() {
        proposal.limits.push(format!(
            "foreign keys point to {parent}: the server looks for rows that point into {child_sql} while it is locked"
        ));
    }
    proposal.limits.push(format!(
        "until the contract, what reads or writes {parent} still meets the rows of {child_sql}, which takes no others"
    ));
    if subject.version >= (14, 0, 0) && default_of(subject).is_none() {
        proposal.contract = vec![
            Stage::Alone(Action::new(
                "Waits for whoever uses it, and keeps nobody waiting.",
                format!("ALTER TABLE {parent} DETACH PARTITION {child_sql} CONCURRENTLY"),
            )),
            Stage::Alone(Action::new(
                "The check that the server has put in the place of its bounds.",
                format!("ALTER TABLE {child_sql} DROP CONSTRAINT IF EXISTS {}", id(&check_of(table, child))),
            )),
        ];
    } else {
        let why = match default_of(subject) {
            Some(_) => "a table with a default partition takes no CONCURRENTLY",
            None => "before PostgreSQL 14 there is no CONCURRENTLY",
        };
        proposal.contract = vec![Stage::Together(vec![Action::new(
            format!(
                "For a moment it keeps others waiting.\ntwostep: allow detach-partition-nonconcurrent because {why}"
            ),
            format!("ALTER TABLE {parent} DETACH PARTITION {child_sql}"),
        )])];
    }
    if let Some(bound) = bound {
        let after = subject.after();
        let behind = Subject::new(&after, subject.name, subject.version, subject.given, subject.change);
        let values = match &bound {
            PartitionBound::Default => "DEFAULT".to_owned(),
            PartitionBound::Values(values) => values.clone(),
        };
        let again = format!("ALTER TABLE {parent} ATTACH PARTITION {child_sql} {values}");
        let mut missing = Vec::new();
        let stages = attached(&behind, subject.schema, partition, &bound, &again, &mut missing);
        if missing.is_empty() {
            proposal.back = Back::Stages(stages);
        }
    }
    Some(proposal)
}

/// The partition that takes what no other one does.
fn default_of(subject: &Subject<'_>) -> Option<std::sync::Arc<Table>> {
    let is_default = |other: &std::sync::Arc<Table>| {
        other.partition_of.as_ref().is_some_and(|of| of.bound == PartitionBound::Default)
    };
    subject.partitions().into_iter().find(is_default)
}

/// The name that the server gives to the check that stands for the bounds of a partition that is detached concurrently.
fn check_of(parent: &Table, child: &Table) -> Name {
    let column = parent.partition_by.as_ref().and_then(|by| match by.key.as_slice() {
        [only] => match only.columns.as_slice() {
            [column] => Some(column.as_str().to_owned()),
            _ => None,
        },
        _ => None,
    });
    let suffix = column.map_or_else(|| "check".to_owned(), |column| format!("{column}_check"));
    let first = format!("{}_{suffix}", child.name.name.as_str());
    let names = std::iter::once(first.clone()).chain((1..).map(|number| format!("{first}{number}")));
    let mut free = names.map(Name::new).filter(|name| child.constraint(name).is_none());
    free.next().unwrap_or_else(|| Name::new(first))
}
