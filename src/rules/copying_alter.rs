//! A change that MySQL can only make by writing the table or an index while writes wait.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "copying-alter",
    Group::Lock,
    Severity::Error,
    MYSQL,
    include_str!("copying_alter.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    if is_of_another_rule(place) || place.is_skipped() {
        return None;
    }
    let effects = place.statement_effects();
    let target = effects.target()?;
    let (own, all) = (place.effects(), &effects);
    // One finding for the statement, at the action that needs most.
    let needs = own.target().is_some_and(|own| own.work == target.work && own.lock == target.lock);
    let earlier = place.step.changes.iter().take_while(|applied| !std::ptr::eq(*applied, place.applied));
    let mut earlier = earlier.map(|applied| Place::new(place.judged, place.number, place.step, applied));
    if !needs || earlier.any(|other| *other.effects() == *own) || !place.is_busy(&target.relation) {
        return None;
    }
    if crate::engine::refuses(place.change(), place.before(), all).is_some() || !target.work.grows_with_rows()
    {
        return None;
    }
    let table = place.shown(&target.relation);
    let Some(algorithm) = all.algorithm.map(|algorithm| algorithm.sql()) else {
        return partition(place, target);
    };
    let unknown = is_unknown(place);
    if !target.lock.blocks_writes {
        let online = Draft::new(
            format!("`{table}` is written anew by ALGORITHM={algorithm}"),
            "others read and write meanwhile, but it takes as long as the table is large, replicas start on it only when it is done here, and at its end it waits for open transactions with everyone behind it",
        );
        let rewrites = target.work == Work::Rewrite && !unknown;
        return rewrites.then(|| online.severity(Severity::Note).help(tools(place, &table)));
    }
    let what = match target.work {
        Work::IndexBuild => format!("building the index on `{table}` makes writes wait"),
        _ => format!("`{table}` is written anew by ALGORITHM={algorithm} while writes wait"),
    };
    let why = if unknown {
        format!(
            "unless the type stays what it is, {} holds until all rows are written: inserts, updates and deletes wait; replicas do the same when it is done here",
            target.lock
        )
    } else {
        format!(
            "{} holds {}: inserts, updates and deletes wait; replicas do the same when it is done here",
            target.lock,
            target.work.during()
        )
    };
    let draft = Draft::new(what, why);
    let draft = if unknown { draft.severity(Severity::Warning) } else { draft };
    let asked = "with `, ALGORITHM=INPLACE, LOCK=NONE` at its end the server refuses such a change instead of making writes wait";
    Some(draft.help(tools(place, &table)).help(asked))
}

/// An operation on partitions, for which the server has no choice.
fn partition(place: &Place<'_>, target: &RelationEffect) -> Option<Draft> {
    let table = place.shown(&target.relation);
    let rewrites = target.work == Work::Rewrite;
    rewrites.then(|| {
        Draft::new(
            format!("rows of `{table}` are moved to other partitions while writes wait"),
            format!("{} holds until they are written", target.lock),
        )
        .help("ADD PARTITION at the end of a range and DROP PARTITION move no rows")
    })
}

/// What a rule of its own is about.
fn is_of_another_rule(place: &Place<'_>) -> bool {
    match place.kind() {
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::AddConstraint { constraint, .. } => {
                matches!(constraint.kind, ConstraintKind::ForeignKey(_))
            }
            TableAction::ConvertCharset { .. } => true,
            TableAction::AddColumn { column, .. } => {
                matches!(column.generation, Some(Generation::Expression { stored: true, .. }))
            }
            _ => false,
        },
        ChangeKind::CreateIndex(_) | ChangeKind::Optimize { .. } => false,
        _ => true,
    }
}

/// Whether a column is defined anew of which it is not known what it was.
fn is_unknown(place: &Place<'_>) -> bool {
    match place.alter() {
        Some((alter, TableAction::ChangeColumn { from, .. })) => {
            place.column(&alter.table, from).is_none_or(|column| column.data_type.is_none())
        }
        _ => false,
    }
}

/// The command lines of the tools that change a table beside the one in use.
fn tools(place: &Place<'_>, table: &str) -> String {
    let Some((alter, _)) = place.alter() else {
        return "gh-ost and pt-online-schema-change build it on a copy, beside the table in use".to_owned();
    };
    let sql = place.step.sql.trim_end().trim_end_matches(';');
    let first = place.step.changes.first().map_or(0, |applied| applied.change.span.start);
    let actions = sql.get(first..).unwrap_or(sql).split_whitespace().collect::<Vec<_>>().join(" ");
    let (database, quoted) =
        (alter.table.schema.as_ref().map_or("DATABASE", Name::as_str), actions.replace('\'', "'\\''"));
    let name = table.rsplit('.').next().unwrap_or(table);
    format!(
        "a tool that changes a copy of the table beside it:\ngh-ost --database={database} --table={name} --alter='{quoted}' --execute\npt-online-schema-change --alter '{quoted}' D={database},t={name} --execute"
    )
}
