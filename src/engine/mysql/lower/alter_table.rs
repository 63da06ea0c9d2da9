//! `ALTER TABLE` of MySQL and MariaDB (<https://dev.mysql.com/doc/refman/8.4/en/alter-table.html>).

use super::column::{charset, column};
use super::create_table::{options, partition_by};
use super::index::{algorithm_or_lock, index, starts_index};
use crate::engine::read::constraint;
use crate::engine::read::cursor::{Cursor, Read};
use crate::engine::read::expr;
use crate::name::{Name, TableName};
use crate::schema::change::*;
use crate::text::Span;

/// Behind `ALTER [ONLINE] [IGNORE] TABLE`: the actions with their places, then `ALGORITHM=` and `LOCK=` for all.
pub fn alter_table(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let if_exists = cursor.eat(&["IF", "EXISTS"]);
    let table = cursor.object_name()?;
    let (mut algorithm, mut lock) = (None, None);
    let mut actions: Vec<(Span, TableAction)> = Vec::new();
    loop {
        let from = cursor.at();
        if let Some((name, value)) = algorithm_or_lock(cursor)? {
            let place = if name == "ALGORITHM" { &mut algorithm } else { &mut lock };
            *place = Some(value);
        } else {
            let found = action(cursor, &table)?;
            let span = cursor.span_from(from);
            actions.extend(found.into_iter().map(|action| (span, action)));
        }
        // Partition clauses need no comma.
        if !cursor.eat_punct(b',') && !cursor.is_any(&["PARTITION", "REMOVE"]) {
            break;
        }
    }
    let actions = one_by_one(actions);
    let count = actions.len();
    for (index, (span, action)) in actions.into_iter().enumerate() {
        let alter = AlterTable {
            table: table.clone(),
            object: ObjectKind::Table,
            if_exists,
            only: false,
            algorithm: algorithm.clone(),
            lock: lock.clone(),
            part: (index, count),
            action,
        };
        out.push(Change::new(span, ChangeKind::AlterTable(Box::new(alter))));
    }
    Ok(())
}

/// The actions of a statement, which renames all its columns at once, so that they can be applied one by one: a column
/// that gets the name of one that is renamed behind it has another name in between.
fn one_by_one(actions: Vec<(Span, TableAction)>) -> Vec<(Span, TableAction)> {
    let same = |one: &Name, other: &Name| one.as_str().eq_ignore_ascii_case(other.as_str());
    let sources: Vec<Option<Name>> = actions
        .iter()
        .map(|(_, action)| match action {
            TableAction::RenameColumn { from, .. } => Some(from.clone()),
            _ => None,
        })
        .collect();
    let mut first = Vec::with_capacity(actions.len());
    let mut last = Vec::new();
    for (at, (span, action)) in actions.into_iter().enumerate() {
        let taken = |to: &Name| sources[at + 1..].iter().flatten().any(|source| same(source, to));
        match action {
            TableAction::RenameColumn { from, to, if_exists } if taken(&to) => {
                let between = Name::new(format!("{} (to be {})", from.as_str(), to.as_str()));
                first.push((span, TableAction::RenameColumn { from, to: between.clone(), if_exists }));
                last.push((span, TableAction::RenameColumn { from: between, to, if_exists }));
            }
            other => first.push((span, other)),
        }
    }
    first.extend(last);
    first
}

fn action(cursor: &mut Cursor<'_>, table: &TableName) -> Read<Vec<TableAction>> {
    let options = options(cursor)?;
    if !options.is_empty() {
        return Ok(vec![TableAction::SetOptions { options }]);
    }
    let one = match cursor.eat_any(&[
        "ADD",
        "DROP",
        "CHANGE",
        "MODIFY",
        "ALTER",
        "RENAME",
        "CONVERT",
        "ORDER",
        "FORCE",
        "DISABLE",
        "ENABLE",
        "DISCARD",
        "IMPORT",
        "PARTITION",
        "REMOVE",
        "TRUNCATE",
        "EXCHANGE",
        "REORGANIZE",
        "COALESCE",
        "REBUILD",
        "OPTIMIZE",
        "ANALYZE",
        "CHECK",
        "REPAIR",
        "WITH",
        "WITHOUT",
    ]) {
        Some("ADD") => return add(cursor, table),
        Some("DROP") => drop(cursor)?,
        Some("CHANGE") => {
            cursor.eat(&["COLUMN"]);
            let if_exists = cursor.eat(&["IF", "EXISTS"]);
            let from = cursor.name()?;
            let column = Box::new(column(cursor)?);
            TableAction::ChangeColumn { from, column, position: position(cursor)?, if_exists }
        }
        Some("MODIFY") => {
            cursor.eat(&["COLUMN"]);
            let if_exists = cursor.eat(&["IF", "EXISTS"]);
            let column = Box::new(column(cursor)?);
            TableAction::ChangeColumn {
                from: column.name.clone(),
                column,
                position: position(cursor)?,
                if_exists,
            }
        }
        Some("ALTER") => alter(cursor)?,
        Some("RENAME") => rename(cursor)?,
        Some("CONVERT") => {
            cursor.expect(&["TO"])?;
            if !cursor.eat(&["CHARACTER", "SET"]) {
                cursor.expect(&["CHARSET"])?;
            }
            let charset = charset(cursor)?;
            let collation = if cursor.eat(&["COLLATE"]) { Some(self::charset(cursor)?) } else { None };
            TableAction::ConvertCharset { charset, collation }
        }
        Some("FORCE") => TableAction::Rebuild,
        Some("DISCARD") => whole(cursor, TableAction::Tablespace { discard: true }),
        Some("IMPORT") => whole(cursor, TableAction::Tablespace { discard: false }),
        Some("PARTITION") => {
            cursor.expect(&["BY"])?;
            TableAction::Partitions(PartitionOperation::PartitionBy(partition_by(cursor)?))
        }
        Some("REMOVE") => {
            cursor.expect(&["PARTITIONING"])?;
            TableAction::Partitions(PartitionOperation::Remove)
        }
        Some("TRUNCATE") => {
            cursor.expect(&["PARTITION"])?;
            TableAction::Partitions(PartitionOperation::Truncate(cursor.list(Cursor::any_name)?))
        }
        Some("EXCHANGE") => {
            cursor.expect(&["PARTITION"])?;
            let partition = cursor.name()?;
            cursor.expect(&["WITH", "TABLE"])?;
            let table = cursor.object_name()?;
            whole(cursor, TableAction::Partitions(PartitionOperation::Exchange { partition, table }))
        }
        Some(word @ ("ORDER" | "DISABLE" | "ENABLE" | "WITH" | "WITHOUT")) => {
            cursor.skip_to_comma();
            TableAction::Other { what: word.to_owned() }
        }
        Some(word) => {
            cursor.set(cursor.end());
            TableAction::Partitions(PartitionOperation::Other(word.to_owned()))
        }
        None => return Err(cursor.unexpected("an action of ALTER TABLE")),
    };
    Ok(vec![one])
}

/// `action`, which reaches to the end of the statement.
fn whole(cursor: &mut Cursor<'_>, action: TableAction) -> TableAction {
    cursor.set(cursor.end());
    action
}

fn add(cursor: &mut Cursor<'_>, table: &TableName) -> Read<Vec<TableAction>> {
    if cursor.eat(&["PARTITION"]) {
        cursor.set(cursor.end());
        return Ok(vec![TableAction::Partitions(PartitionOperation::Add)]);
    }
    if starts_index(cursor) {
        return Ok(vec![TableAction::AddIndex(Box::new(index(cursor, table)?))]);
    }
    if constraint::starts_table_constraint(cursor) {
        let constraint = Box::new(constraint::table_constraint(cursor)?);
        return Ok(vec![TableAction::AddConstraint { constraint, if_not_exists: false }]);
    }
    cursor.eat(&["COLUMN"]);
    let if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
    if cursor.is_punct(b'(') {
        let columns = cursor.in_parens(column)?;
        let add = |column: ColumnDef| TableAction::AddColumn {
            column: Box::new(column),
            if_not_exists,
            position: ColumnPosition::Last,
        };
        return Ok(columns.into_iter().map(add).collect());
    }
    let column = Box::new(column(cursor)?);
    let position = position(cursor)?.unwrap_or_default();
    Ok(vec![TableAction::AddColumn { column, if_not_exists, position }])
}

fn position(cursor: &mut Cursor<'_>) -> Read<Option<ColumnPosition>> {
    if cursor.eat(&["FIRST"]) {
        return Ok(Some(ColumnPosition::First));
    }
    if cursor.eat(&["AFTER"]) {
        return Ok(Some(ColumnPosition::After(cursor.name()?)));
    }
    Ok(None)
}

fn drop(cursor: &mut Cursor<'_>) -> Read<TableAction> {
    if cursor.eat(&["PRIMARY", "KEY"]) {
        return Ok(TableAction::DropPrimaryKey);
    }
    if cursor.eat(&["PARTITION"]) {
        return Ok(TableAction::Partitions(PartitionOperation::Drop(cursor.list(Cursor::any_name)?)));
    }
    let kind = cursor.eat_any(&["INDEX", "KEY", "FOREIGN", "CONSTRAINT", "CHECK", "COLUMN"]);
    if kind == Some("FOREIGN") {
        cursor.expect(&["KEY"])?;
    }
    let if_exists = cursor.eat(&["IF", "EXISTS"]);
    let name: Name = cursor.name()?;
    cursor.eat_any(&["RESTRICT", "CASCADE"]);
    Ok(match kind {
        Some("INDEX" | "KEY") => TableAction::DropIndex { name, if_exists },
        Some("FOREIGN" | "CONSTRAINT" | "CHECK") => TableAction::DropConstraint {
            name,
            if_exists,
            cascade: false,
            may_be_key: kind == Some("CONSTRAINT"),
        },
        _ => TableAction::DropColumn { column: name, if_exists, cascade: false },
    })
}

fn alter(cursor: &mut Cursor<'_>) -> Read<TableAction> {
    if cursor.eat_any(&["INDEX", "KEY"]).is_some() {
        let name = cursor.name()?;
        let visible = match cursor.eat_any(&["VISIBLE", "INVISIBLE", "IGNORED", "NOT"]) {
            Some("VISIBLE") => true,
            Some("NOT") => cursor.expect(&["IGNORED"]).map(|()| true)?,
            Some(_) => false,
            None => return Err(cursor.unexpected("`VISIBLE` or `INVISIBLE`")),
        };
        return Ok(TableAction::SetIndexVisible { name, visible });
    }
    if cursor.eat_any(&["CHECK", "CONSTRAINT"]).is_some() {
        let name = cursor.name()?;
        let not = cursor.eat(&["NOT"]);
        cursor.expect(&["ENFORCED"])?;
        return Ok(TableAction::AlterConstraint {
            name,
            deferrable: None,
            initially_deferred: None,
            enforced: Some(!not),
        });
    }
    cursor.eat(&["COLUMN"]);
    let column = cursor.name()?;
    if cursor.eat(&["SET", "DEFAULT"]) {
        return Ok(TableAction::SetDefault { column, default: expr::expr(cursor, &[])? });
    }
    if cursor.eat(&["DROP", "DEFAULT"]) {
        return Ok(TableAction::DropDefault { column });
    }
    cursor.expect(&["SET"])?;
    match cursor.eat_any(&["VISIBLE", "INVISIBLE"]) {
        Some(word) => Ok(TableAction::SetColumnVisible { column, visible: word == "VISIBLE" }),
        None => Err(cursor.unexpected("`DEFAULT`, `VISIBLE` or `INVISIBLE`")),
    }
}

fn rename(cursor: &mut Cursor<'_>) -> Read<TableAction> {
    if let Some(kind) = cursor.eat_any(&["COLUMN", "INDEX", "KEY"]) {
        let if_exists = cursor.eat(&["IF", "EXISTS"]);
        let from = cursor.name()?;
        cursor.expect(&["TO"])?;
        let to = cursor.name()?;
        return Ok(if kind == "COLUMN" {
            TableAction::RenameColumn { from, to, if_exists }
        } else {
            TableAction::RenameIndex { from, to }
        });
    }
    let _ = cursor.eat(&["TO"]) || cursor.eat(&["AS"]) || cursor.eat_op("=");
    Ok(TableAction::RenameTable { to: cursor.object_name()? })
}
