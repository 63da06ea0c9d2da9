//! `ADD COLUMN`, also one that is required, or that a value is computed for in each row.

use super::{asked, definition, online, required, tool};
use crate::dialect::Dialect;
use crate::engine::proposal::about::{About, is_literal};
use crate::engine::proposal::{Action, Back, Missing, Proposal, Stage};
use crate::engine::version::Product;
use crate::schema::change::*;

pub(super) fn propose(about: &About<'_>, column: &ColumnDef) -> Option<Proposal> {
    let plain = column.constraints.iter().all(|one| matches!(one.kind, ConstraintKind::NotNull(_)));
    let default = column.default.as_ref().filter(|default| !default.is_null);
    let is_required = column.nullability == Nullability::NotNull;
    match (&column.generation, default) {
        (None, None) if is_required && plain => Some(required(about, column)),
        (None, None) if is_required => {
            let mut proposal = Proposal::default();
            proposal.missing.push(Missing::Other(format!(
                "`{}` is required, and has a constraint of its own: write the constraint as a statement behind it",
                about.id(&column.name)
            )));
            Some(proposal)
        }
        (None, Some(default)) if plain && is_computed(default) => Some(computed(about, column, default)),
        _ if online::blocks(about) => {
            let mut proposal = Proposal::default();
            let why = match &column.generation {
                Some(Generation::Expression { stored: true, .. }) => {
                    "the server copies the table to compute a STORED column, and writes wait for all of it; VIRTUAL computes it when it is read, in a moment"
                }
                _ => "the server copies the table, and writes wait for all of it",
            };
            proposal.missing.push(tool::missing(about, why));
            Some(proposal)
        }
        _ => online::propose(about),
    }
}

/// Whether a default is another value for each row.
fn is_computed(default: &Expr) -> bool {
    default.volatility >= Volatility::Volatile
        || default.calls.iter().any(|call| call.name.name.as_str().eq_ignore_ascii_case("uuid"))
}

/// What stands behind the column's definition: its place.
fn place<'a>(about: &About<'a>, column: &ColumnDef) -> String {
    let end = about.change.span.end.max(column.span.end);
    let behind = about.text.get(column.span.end..end).unwrap_or("").trim();
    // In `ADD (a int, b int)` other columns stand there.
    let is_place = ["first", "after"]
        .iter()
        .any(|word| behind.get(..5).is_some_and(|front| front.eq_ignore_ascii_case(word)));
    if is_place { format!(" {behind}") } else { String::new() }
}

/// Required, without a value for the rows that are there.
fn required(about: &About<'_>, column: &ColumnDef) -> Proposal {
    let (table, id) = (about.sql(), about.id(&column.name));
    let (definition, place) = (about.text_of(column.span), place(about, column));
    let given = about.fill(&column.name);
    let of_type = column.data_type.as_ref();
    // MySQL takes no plain default for these, and computes another one by copying the table.
    let is_large = of_type.is_some_and(|one| {
        one.name.ends_with("text")
            || one.name.ends_with("blob")
            || one.name == "json"
            || one.name == "geometry"
    });
    let constant = match given {
        Some(fill) if is_literal(fill, Dialect::Mysql) => Some(fill.to_owned()),
        Some(_) => None,
        None => of_type.and_then(definition::implicit),
    };
    let drop = format!("ALTER TABLE {table} DROP COLUMN {id}");
    if let Some(constant) = constant.filter(|_| !is_large || about.server.product == Product::Mariadb) {
        let add = format!("ALTER TABLE {table} ADD COLUMN {definition} DEFAULT {constant}{place}");
        let add = asked::action(
            format!("Rows that are there, and those of older code, have {constant}; no row is written."),
            &add,
            about.schema,
            about.server,
        );
        let mut proposal = Proposal {
            expand: vec![Stage::Alone(add.undone_by(drop))],
            code: format!("the new code writes {id} in every insert"),
            contract: vec![Stage::Alone(Action::new(
                "All code gives a value now.",
                format!("ALTER TABLE {table} ALTER COLUMN {id} DROP DEFAULT, ALGORITHM=INSTANT"),
            ))],
            back: Back::Stages(vec![Stage::Alone(Action::new(
                "Older code leaves it out.",
                format!("ALTER TABLE {table} ALTER COLUMN {id} SET DEFAULT {constant}, ALGORITHM=INSTANT"),
            ))]),
            ..Proposal::default()
        };
        if given.is_none() {
            proposal.limits.push(format!(
                "rows that are there, and those of older code, have {constant} in {id}, as the plain statement gives them; --fill gives another value"
            ));
        }
        return proposal;
    }
    let mut missing = None;
    if given.is_none() {
        missing = Some(Missing::Fill(column.name.clone()));
    }
    let nullable = definition::nullable(definition);
    let add = format!("ALTER TABLE {table} ADD COLUMN {nullable}{place}");
    let text = "It may be NULL for now; no row is written.";
    let add = asked::action(text, &add, about.schema, about.server).undone_by(drop);
    let mut proposal = required::filled(about, &column.name, definition, given.unwrap_or("…"), Some(add));
    proposal.missing.extend(missing);
    proposal
}

/// A default that is another value for each row: set for new rows, filled in for the others.
fn computed(about: &About<'_>, column: &ColumnDef, default: &Expr) -> Proposal {
    let (table, id, text) = (about.sql(), about.id(&column.name), &default.text);
    let mut proposal = Proposal::default();
    about.must_be_known(&mut proposal);
    let definition = about.text_of(column.span);
    let start = default.span.start.saturating_sub(column.span.start);
    let front = definition.get(..start).unwrap_or(definition).trim_end();
    let front = front.get(..front.len().saturating_sub("default".len())).unwrap_or(front).trim_end();
    let behind = definition.get(start + text.len()..).unwrap_or("");
    let bare = definition::nullable(&format!("{front}{behind}"));
    let add = format!("ALTER TABLE {table} ADD COLUMN {bare}{}", place(about, column));
    let add =
        asked::action("Without its default, so that no row is written.", &add, about.schema, about.server)
            .undone_by(format!("ALTER TABLE {table} DROP COLUMN {id}"));
    proposal.expand.push(Stage::Alone(add));
    proposal.expand.push(Stage::Alone(Action::new(
        "New rows have it from here on.",
        format!("ALTER TABLE {table} ALTER COLUMN {id} SET DEFAULT {text}, ALGORITHM=INSTANT"),
    )));
    let (set, condition) = (format!("{id} = {text}"), format!("{id} IS NULL"));
    about.batch(&mut proposal, "The rows that were there before.", &set, &condition);
    if column.nullability == Nullability::NotNull {
        proposal.expand.push(Stage::Alone(Action::new(
            "Every row has a value, and a new one gets it. The table is written anew, while others read and write it.\n\
             twostep: allow new-write-restriction because a row that gives none gets the default",
            format!("ALTER TABLE {table} MODIFY {definition}, ALGORITHM=INPLACE, LOCK=NONE"),
        )
        .undone_by(format!(
            "ALTER TABLE {table} MODIFY {}, ALGORITHM=INPLACE, LOCK=NONE",
            definition::nullable(definition)
        ))));
    }
    proposal
}
