//! Another type, which the server would copy the table for: a column of the new type beside it, kept filled by triggers.
//! The contract exchanges both names in one statement; then the old one goes.

use super::sync;
use super::{asked, definition, tool};
use crate::engine::proposal::about::{About, named};
use crate::engine::proposal::{Action, Back, Proposal, Stage, stopped};
use crate::name::Name;
use crate::schema::change::*;
use crate::schema::model::{Column, Index, Table};

pub(super) fn propose(about: &About<'_>, column: &Name, to: &ColumnDef, old: &Column) -> Proposal {
    let mut proposal = Proposal::default();
    about.must_be_known(&mut proposal);
    let tolerant =
        old.data_type.as_ref().zip(to.data_type.as_ref()).is_some_and(|(from, to)| is_tolerant(from, to));
    if !tolerant {
        proposal.missing.push(tool::missing(
            about,
            &format!(
                "no code works with both types of `{}` under one name: add a column under a new name, let the code move over, then drop this one; a tool copies the table without keeping writes waiting, but exchanges it under the code",
                about.id(column)
            ),
        ));
        return proposal;
    }
    if let Some(why) = about.table.and_then(|table| hanging(about, table, column, old)) {
        proposal.missing.push(tool::missing(about, &why));
        return proposal;
    }
    deploy(about, column, to, old, &mut proposal);
    proposal
}

fn deploy(about: &About<'_>, column: &Name, to: &ColumnDef, old: &Column, proposal: &mut Proposal) {
    let (table, id) = (about.sql(), about.id(column));
    let copy = named(column, "new", about.dialect());
    let new = about.id(&copy);
    let definition = about.text_of(to.span);
    let rest = definition.get(to.type_span.start - to.span.start..).unwrap_or("");
    // Until its triggers are there, old code leaves it out.
    let bare = to.nullability == Nullability::NotNull && to.default.is_none();
    let stopgap = to.data_type.as_ref().and_then(definition::implicit).filter(|_| bare);
    let first = match &stopgap {
        Some(value) => format!("{rest} DEFAULT {value}"),
        None if bare => definition::nullable(rest),
        None => rest.to_owned(),
    };
    let add = format!("ALTER TABLE {table} ADD COLUMN {new} {first} AFTER {id}");
    let add = asked::action(
        format!("{new} is to take the place of {id}; no row is written yet."),
        &add,
        about.schema,
        about.server,
    )
    .undone_by(format!("ALTER TABLE {table} DROP COLUMN {new}"));
    proposal.expand.push(Stage::Alone(add));
    let triggers = sync::following(about, column, &copy);
    proposal.expand.extend(triggers.iter().cloned().map(Stage::Alone));
    let condition = format!("NOT ({})", sync::same(about, column, &new, &id));
    about.batch(proposal, "Rows that nobody has written since.", &format!("{new} = {id}"), &condition);
    let mut exchanged = Vec::new();
    for index in about.indexes_of(column) {
        let name = named(&index.name, "new", about.dialect());
        let sql = definition::index_over(about, index, &name, index.unique, Some((column, &copy)));
        let like = definition::index_over(about, index, &name, index.unique, None);
        let words = asked::words_for(&like, about.schema, about.server);
        let mut text = format!("It is to take the place of {}.", about.id(&index.name));
        let is_known =
            |columns: Vec<&Name>| about.table.is_some_and(|table| table.is_unique_by(&columns, &[column]));
        if index.unique && !index.plain_columns().is_some_and(is_known) {
            text.push_str(
                "\ntwostep: allow add-unique-index-compat because what it copies is unique already",
            );
        }
        let drop = format!("DROP INDEX {} ON {table}", about.id(&name));
        proposal.expand.push(Stage::Alone(Action::new(text, format!("{sql}{words}")).undone_by(drop)));
        exchanged.push((index, name));
    }
    if bare && stopgap.is_none() {
        proposal.expand.push(Stage::Alone(
            Action::new(
                "Every row has a value. The table is written anew, while others read and write it.\n\
                 twostep: allow new-write-restriction because the triggers give it a value",
                format!("ALTER TABLE {table} MODIFY {new} {rest}, ALGORITHM=INPLACE, LOCK=NONE"),
            )
            .undone_by(format!("ALTER TABLE {table} MODIFY {new} {first}, ALGORITHM=INPLACE, LOCK=NONE")),
        ));
    }
    let mut contract = vec![exchange(about, &id, &new)];
    contract.extend(exchanged.iter().map(|(index, name)| indexes(about, index, name)));
    // The old column is still there when its triggers go.
    if old.nullability == Nullability::NotNull && old.default.is_none() {
        let text = "What it was may be left out from here on.";
        let how = match old.data_type.as_ref().and_then(definition::implicit) {
            Some(value) => format!("ALTER COLUMN {new} SET DEFAULT {value}, ALGORITHM=INSTANT"),
            None => {
                let of_type = definition::full_type(old).unwrap_or_default();
                format!("MODIFY {new} {of_type} NULL, ALGORITHM=INPLACE, LOCK=NONE")
            }
        };
        contract.push(Action::new(text, format!("ALTER TABLE {table} {how}")));
    }
    contract.extend(stopped(&triggers, "No code uses the old type any more."));
    if stopgap.is_some() {
        contract.push(Action::new(
            "It was for rows without a trigger only.",
            format!("ALTER TABLE {table} ALTER COLUMN {id} DROP DEFAULT, ALGORITHM=INSTANT"),
        ));
    }
    let words = asked::words_for(
        &format!("ALTER TABLE {table} DROP COLUMN {id}"),
        &definition::without_indexes(about, column),
        about.server,
    );
    contract.push(Action::new("What it was goes.", format!("ALTER TABLE {table} DROP COLUMN {new}{words}")));
    proposal.contract = contract.into_iter().map(Stage::Alone).collect();
    proposal.back = Back::Authors;
    proposal.code = format!(
        "it works with {id} as {} and as {}",
        old.data_type.as_ref().map(definition::data_type).unwrap_or_default(),
        to.data_type.as_ref().map(definition::data_type).unwrap_or_default()
    );
    proposal.limits.push(format!(
        "`SELECT *` on {table} has one column more until the contract; INSERT without a column list must not run in between"
    ));
    proposal.limits.push(
        "values that the old type cannot hold may be written behind the contract, so that there is no way back from it"
            .to_owned(),
    );
}

fn exchange(about: &About<'_>, one: &str, other: &str) -> Action {
    let sql = format!("ALTER TABLE {} RENAME COLUMN {one} TO {other}", about.sql());
    let words = asked::words_for(&sql, about.schema, about.server);
    Action::new(
        "Both hold the same, so that their names can be exchanged.",
        format!("{sql}, RENAME COLUMN {other} TO {one}{words}"),
    )
}

fn indexes(about: &About<'_>, index: &Index, name: &Name) -> Action {
    let (old, new) = (about.id(&index.name), about.id(name));
    let drop = format!("ALTER TABLE {} DROP INDEX {old}", about.sql());
    let words = asked::words_for(&drop, about.schema, about.server);
    Action::new("", format!("{drop}, RENAME INDEX {new} TO {old}{words}"))
}

/// Whether code that reads and writes the one type works with the other one.
pub(super) fn is_tolerant(from: &DataType, to: &DataType) -> bool {
    let width = |one: &DataType| {
        ["tinyint", "smallint", "mediumint", "int", "bigint"].iter().position(|name| *name == one.name)
    };
    let length = |one: &DataType| match one.name.as_str() {
        "char" | "varchar" => Some(u64::try_from(one.number(0).unwrap_or(1)).unwrap_or(0)),
        "tinytext" => Some(63),
        "text" => Some(16_383),
        "mediumtext" => Some(4_194_303),
        "longtext" => Some(u64::MAX),
        _ => None,
    };
    let bytes = |one: &DataType| match one.name.as_str() {
        "varbinary" => Some(u64::try_from(one.number(0).unwrap_or(1)).unwrap_or(0)),
        "tinyblob" => Some(255),
        "blob" => Some(65_535),
        "mediumblob" => Some(16_777_215),
        "longblob" => Some(u64::MAX),
        _ => None,
    };
    let digits = |one: &DataType| {
        let scale = one.number(1).unwrap_or(0);
        (one.number(0).unwrap_or(10) - scale, scale)
    };
    if let (Some(one), Some(other)) = (width(from), width(to)) {
        return from.unsigned == to.unsigned && one <= other || from.unsigned && !to.unsigned && one < other;
    }
    if let (Some(one), Some(other)) = (length(from), length(to)) {
        return one <= other;
    }
    if let (Some(one), Some(other)) = (bytes(from), bytes(to)) {
        return one <= other;
    }
    match (from.name.as_str(), to.name.as_str()) {
        ("decimal", "decimal") => {
            let ((one, scale), (other, other_scale)) = (digits(from), digits(to));
            one <= other && scale <= other_scale
        }
        ("float", "double") => true,
        ("enum", "enum") | ("set", "set") => from.arguments.iter().all(|label| to.arguments.contains(label)),
        ("enum", "varchar" | "text") => true,
        ("datetime", "datetime") | ("timestamp", "timestamp") | ("time", "time") => {
            from.number(0).unwrap_or(0) <= to.number(0).unwrap_or(0)
        }
        _ => false,
    }
}

/// What hangs on the column and is not carried over to another one.
fn hanging(about: &About<'_>, table: &Table, column: &Name, old: &Column) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    for one in table.constraints.iter().filter(|one| one.columns().contains(column)) {
        match &one.kind {
            ConstraintKind::ForeignKey(_) | ConstraintKind::Check(_) => {
                parts.push(format!("constraint {}", about.id(&one.name)));
            }
            ConstraintKind::PrimaryKey(_) => parts.push("the primary key".to_owned()),
            ConstraintKind::Unique(_) | ConstraintKind::Exclude(_) | ConstraintKind::NotNull(_) => {}
        }
    }
    for (from, one) in about.schema.references_to(&table.name) {
        if let ConstraintKind::ForeignKey(key) = &one.kind
            && key.referenced_columns.contains(column)
        {
            parts.push(format!("foreign key {} of {}", about.id(&one.name), about.sql_of(&from.name)));
        }
    }
    for other in &table.columns {
        if let Some(Generation::Expression { expr, .. }) = &other.generation
            && expr.columns.contains(column)
        {
            parts.push(format!("generated column {}", about.id(&other.name)));
        }
    }
    if old.generation.is_some() {
        parts.push("its numbers or its expression".to_owned());
    }
    if table.partition_by.is_some() {
        parts.push("partitions".to_owned());
    }
    if table.indexes.iter().any(|index| index.uses(column) && index.method.as_deref() == Some("fulltext")) {
        parts.push("a full-text index".to_owned());
    }
    if !table.triggers.is_empty() {
        parts.push("triggers".to_owned());
    }
    let name = about.id(column);
    (!parts.is_empty()).then(|| {
        format!(
            "what hangs on `{name}` is not carried over to a column of another type: {}",
            parts.join(", ")
        )
    })
}
