//! Tables of MySQL and MariaDB: `CREATE TABLE`, `ALTER TABLE`, columns and types
//! (<https://dev.mysql.com/doc/refman/8.4/en/create-table.html>).

use crate::engine::read::constraint::{self, IndexOption, constraint};
use crate::engine::read::cursor::{Cursor, Read};
use crate::engine::read::{expr, query};
use crate::name::{Name, TableName};
use crate::schema::change::*;
use crate::text::Span;

/// Keywords that end the expression of a `DEFAULT`.
const ENDS_DEFAULT: [&str; 22] = [
    "NOT",
    "NULL",
    "DEFAULT",
    "AUTO_INCREMENT",
    "PRIMARY",
    "KEY",
    "UNIQUE",
    "COMMENT",
    "COLLATE",
    "CHARACTER",
    "CHARSET",
    "ON",
    "GENERATED",
    "AS",
    "CHECK",
    "REFERENCES",
    "INVISIBLE",
    "VISIBLE",
    "FIRST",
    "AFTER",
    "CONSTRAINT",
    "STORAGE",
];

/// Behind `CREATE [OR REPLACE] [TEMPORARY] TABLE`.
pub fn create_table(cursor: &mut Cursor<'_>, or_replace: bool, temporary: bool) -> Read<ChangeKind> {
    let mut create = CreateTable {
        or_replace,
        if_not_exists: cursor.eat(&["IF", "NOT", "EXISTS"]),
        ..CreateTable::default()
    };
    create.table = cursor.object_name()?;
    if temporary {
        create.persistence = Persistence::Temporary;
    }
    let like_in_parens = cursor.is_punct(b'(') && cursor.word_at(cursor.at() + 1, "LIKE");
    if like_in_parens || cursor.is(&["LIKE"]) {
        cursor.eat_punct(b'(');
        cursor.expect(&["LIKE"])?;
        let table = cursor.object_name()?;
        cursor.eat_punct(b')');
        create.like.push(LikeTable { table, including: Vec::new(), at: 0 });
        return Ok(ChangeKind::CreateTable(Box::new(create)));
    }
    if cursor.is_punct(b'(') && !cursor.word_at(cursor.at() + 1, "SELECT") {
        elements(cursor, &mut create)?;
    }
    create.options = options(cursor)?;
    if cursor.eat(&["PARTITION", "BY"]) {
        create.partition_by = Some(partition_by(cursor)?);
    }
    cursor.eat_any(&["IGNORE", "REPLACE"]);
    cursor.eat(&["AS"]);
    if cursor.is_any(&["SELECT", "WITH", "VALUES"]) || cursor.is_punct(b'(') {
        create.as_query = Some(query::describe(cursor, cursor.at(), cursor.end()));
        cursor.set(cursor.end());
    }
    Ok(ChangeKind::CreateTable(Box::new(create)))
}

fn elements(cursor: &mut Cursor<'_>, create: &mut CreateTable) -> Read<()> {
    cursor.expect_punct(b'(')?;
    loop {
        if starts_index(cursor) {
            let index = index(cursor, &create.table)?;
            create.indexes.push(index);
        } else if constraint::starts_table_constraint(cursor) {
            create.constraints.push(constraint::table_constraint(cursor)?);
        } else {
            create.columns.push(column(cursor)?);
        }
        if !cursor.eat_punct(b',') {
            break;
        }
    }
    cursor.expect_punct(b')')
}

/// Whether `KEY`, `INDEX`, `FULLTEXT …` or `SPATIAL …` comes next.
fn starts_index(cursor: &Cursor<'_>) -> bool {
    cursor.is_any(&["KEY", "INDEX", "FULLTEXT", "SPATIAL"])
}

/// An index of a table's definition or of `ADD`.
fn index(cursor: &mut Cursor<'_>, table: &TableName) -> Read<CreateIndex> {
    let start = cursor.at();
    let mut index = CreateIndex { table: table.clone(), ..CreateIndex::default() };
    if let Some(kind) = cursor.eat_any(&["FULLTEXT", "SPATIAL"]) {
        index.method = Some(kind.to_ascii_lowercase());
    }
    cursor.eat_any(&["KEY", "INDEX"]);
    index.if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
    if !cursor.is_punct(b'(') && !cursor.is(&["USING"]) {
        index.name = Some(cursor.name()?);
    }
    index_rest(cursor, &mut index)?;
    index.span = cursor.span_from(start);
    Ok(index)
}

/// `[USING method] ( key ) [options]`.
pub fn index_rest(cursor: &mut Cursor<'_>, index: &mut CreateIndex) -> Read<()> {
    index_options(cursor, index)?;
    index.elements = cursor.in_parens(constraint::index_element)?;
    index_options(cursor, index)
}

/// Options of an index, and `ALGORITHM=`, `LOCK=` behind `CREATE INDEX`.
pub fn index_options(cursor: &mut Cursor<'_>, index: &mut CreateIndex) -> Read<()> {
    loop {
        if let Some((name, value)) = algorithm_or_lock(cursor)? {
            let place = if name == "ALGORITHM" { &mut index.algorithm } else { &mut index.lock };
            *place = Some(value);
            continue;
        }
        match constraint::mysql_index_option(cursor)? {
            Some(IndexOption::Method(method)) => index.method = Some(method),
            Some(IndexOption::Invisible) => index.invisible = true,
            Some(IndexOption::Other) => {}
            None => return Ok(()),
        }
    }
}

/// `ALGORITHM [=] value` or `LOCK [=] value`, in upper case.
pub fn algorithm_or_lock(cursor: &mut Cursor<'_>) -> Read<Option<(&'static str, String)>> {
    let Some(name) = cursor.eat_any(&["ALGORITHM", "LOCK"]) else { return Ok(None) };
    cursor.eat_op("=");
    Ok(Some((name, cursor.any_name()?.as_str().to_uppercase())))
}

fn partition_by(cursor: &mut Cursor<'_>) -> Read<PartitionBy> {
    cursor.eat(&["LINEAR"]);
    let strategy = cursor.any_name()?.as_str().to_lowercase();
    cursor.eat(&["COLUMNS"]);
    let mut key = Vec::new();
    if cursor.is_punct(b'(') {
        let (from, to) = cursor.parens()?;
        if from < to {
            key.push(expr::describe(cursor, from, to));
        }
    }
    // PARTITIONS n, SUBPARTITION BY …, and the definitions.
    cursor.set(cursor.end());
    Ok(PartitionBy { strategy, key })
}

/// Table options, with or without commas and `=`, names in lower case.
fn options(cursor: &mut Cursor<'_>) -> Read<Vec<(String, String)>> {
    let mut found = Vec::new();
    while let Some(one) = option(cursor)? {
        found.push(one);
        let behind = cursor.at();
        if cursor.eat_punct(b',') {
            // A comma may also come before what is no option.
            match option(cursor)? {
                Some(next) => found.push(next),
                None => {
                    cursor.set(behind);
                    break;
                }
            }
        }
    }
    Ok(found)
}

fn option(cursor: &mut Cursor<'_>) -> Read<Option<(String, String)>> {
    const NAMES: [&str; 30] = [
        "ENGINE",
        "TYPE",
        "AUTO_INCREMENT",
        "AVG_ROW_LENGTH",
        "CHARSET",
        "COLLATE",
        "CHECKSUM",
        "COMMENT",
        "COMPRESSION",
        "CONNECTION",
        "DELAY_KEY_WRITE",
        "ENCRYPTION",
        "INSERT_METHOD",
        "KEY_BLOCK_SIZE",
        "MAX_ROWS",
        "MIN_ROWS",
        "PACK_KEYS",
        "PASSWORD",
        "ROW_FORMAT",
        "STATS_AUTO_RECALC",
        "STATS_PERSISTENT",
        "STATS_SAMPLE_PAGES",
        "TABLESPACE",
        "UNION",
        "PAGE_COMPRESSED",
        "PAGE_CHECKSUM",
        "TRANSACTIONAL",
        "SEQUENCE",
        "ENCRYPTED",
        "AUTOEXTEND_SIZE",
    ];
    let start = cursor.at();
    cursor.eat(&["DEFAULT"]);
    let name = if cursor.eat(&["CHARACTER", "SET"]) || cursor.eat(&["CHAR", "SET"]) {
        "charset".to_owned()
    } else if let Some(name) = cursor.eat_any(&NAMES) {
        name.to_ascii_lowercase()
    } else if (cursor.eat(&["DATA"]) || cursor.is(&["INDEX"])) && cursor.eat(&["DIRECTORY"]) {
        "directory".to_owned()
    } else {
        cursor.set(start);
        return Ok(None);
    };
    cursor.eat_op("=");
    let value = if cursor.is_string() {
        cursor.string()?
    } else if cursor.is_punct(b'(') {
        cursor.parens()?;
        String::new()
    } else {
        let value = cursor.word(cursor.at()).trim_matches('`').to_owned();
        if cursor.bump().is_none() {
            return Err(cursor.unexpected("a value"));
        }
        value
    };
    Ok(Some((name, value)))
}

/// `name type [qualities]`.
pub fn column(cursor: &mut Cursor<'_>) -> Read<ColumnDef> {
    let start = cursor.at();
    let name = cursor.name()?;
    let type_start = cursor.at();
    let serial = cursor.is(&["SERIAL"]);
    let data_type = data_type(cursor)?;
    let mut column = ColumnDef {
        name,
        data_type: Some(data_type),
        type_span: cursor.span_from(type_start),
        collation: None,
        charset: None,
        nullability: if serial { Nullability::NotNull } else { Nullability::Unstated },
        default: None,
        generation: serial.then_some(Generation::AutoIncrement),
        on_update: None,
        constraints: Vec::new(),
        comment: None,
        invisible: false,
        span: Span::default(),
    };
    if serial {
        let key = KeyConstraint { columns: vec![column.name.clone()], ..KeyConstraint::default() };
        column.constraints.push(constraint(None, ConstraintKind::Unique(key), column.type_span));
    }
    while quality(cursor, &mut column)? {}
    column.span = cursor.span_from(start);
    Ok(column)
}

/// A type, as `COLUMN_TYPE` shows it but for the display width of integers.
pub fn data_type(cursor: &mut Cursor<'_>) -> Read<DataType> {
    let word = cursor.word(cursor.at()).to_ascii_lowercase();
    if word.is_empty()
        || cursor.is_punct(b',')
        || cursor.is_punct(b')')
        || cursor.is_any(&["NOT", "NULL", "DEFAULT"])
    {
        return Err(cursor.unexpected("a data type"));
    }
    cursor.bump();
    let name = match word.as_str() {
        "integer" | "int4" => "int",
        "int1" => "tinyint",
        "int2" => "smallint",
        "int3" | "middleint" => "mediumint",
        "int8" => "bigint",
        "dec" | "numeric" | "fixed" => "decimal",
        "bool" | "boolean" => {
            return Ok(DataType { arguments: vec!["1".to_owned()], ..DataType::plain("tinyint") });
        }
        "serial" => return Ok(DataType { unsigned: true, ..DataType::plain("bigint") }),
        "double" => {
            cursor.eat(&["PRECISION"]);
            "double"
        }
        "float8" | "real" => "double",
        "float4" => "float",
        "character" | "char" | "nchar" if cursor.eat(&["VARYING"]) => "varchar",
        "character" | "nchar" => "char",
        "nvarchar" | "varcharacter" => "varchar",
        "national" => {
            let varying = cursor.eat_any(&["CHAR", "CHARACTER", "VARCHAR"]) == Some("VARCHAR");
            if varying || cursor.eat(&["VARYING"]) { "varchar" } else { "char" }
        }
        "long" => {
            cursor.eat_any(&["VARCHAR", "VARBINARY"]);
            "mediumtext"
        }
        other => other,
    };
    let mut found = DataType::plain(name.trim_matches('`'));
    if cursor.is_punct(b'(') {
        found.arguments = cursor.in_parens(|cursor| {
            if cursor.is_string() {
                return cursor.string();
            }
            cursor.integer().map(|number| number.to_string())
        })?;
    }
    while let Some(word) =
        cursor.eat_any(&["UNSIGNED", "SIGNED", "ZEROFILL", "BINARY", "ASCII", "UNICODE", "BYTE"])
    {
        // ZEROFILL makes a column unsigned.
        found.unsigned |= matches!(word, "UNSIGNED" | "ZEROFILL");
    }
    Ok(found)
}

fn quality(cursor: &mut Cursor<'_>, column: &mut ColumnDef) -> Read<bool> {
    let start = cursor.at();
    let name = constraint::constraint_name(cursor)?;
    let key = KeyConstraint { columns: vec![column.name.clone()], ..KeyConstraint::default() };
    let kind = if cursor.eat(&["PRIMARY", "KEY"]) || cursor.eat(&["KEY"]) || cursor.eat(&["PRIMARY"]) {
        ConstraintKind::PrimaryKey(key)
    } else if cursor.eat(&["UNIQUE"]) {
        cursor.eat(&["KEY"]);
        ConstraintKind::Unique(key)
    } else if cursor.eat(&["CHECK"]) {
        ConstraintKind::Check(expr::paren_expr(cursor)?)
    } else if cursor.is(&["REFERENCES"]) {
        ConstraintKind::ForeignKey(constraint::references(cursor, vec![column.name.clone()])?)
    } else {
        return property(cursor, column);
    };
    let mut found = constraint(name, kind, Span::default());
    while cursor.is_any(&["NOT", "ENFORCED"])
        && !cursor.is(&["NOT", "NULL"])
        && constraint::attribute(cursor, &mut found)?
    {}
    found.span = cursor.span_from(start);
    column.constraints.push(found);
    Ok(true)
}

fn property(cursor: &mut Cursor<'_>, column: &mut ColumnDef) -> Read<bool> {
    if cursor.eat(&["NOT", "NULL"]) {
        column.nullability = Nullability::NotNull;
    } else if cursor.eat(&["NULL"]) {
        column.nullability = Nullability::Null;
    } else if cursor.eat(&["DEFAULT"]) {
        column.default = Some(expr::expr(cursor, &ENDS_DEFAULT)?);
    } else if cursor.eat(&["ON", "UPDATE"]) {
        column.on_update = Some(expr::expr(cursor, &ENDS_DEFAULT)?);
    } else if cursor.eat(&["AUTO_INCREMENT"]) {
        column.generation = Some(Generation::AutoIncrement);
    } else if cursor.eat(&["COMMENT"]) {
        column.comment = Some(cursor.string()?);
    } else if cursor.eat(&["COLLATE"]) {
        column.collation = Some(charset(cursor)?);
    } else if cursor.eat(&["CHARACTER", "SET"]) || cursor.eat(&["CHARSET"]) {
        column.charset = Some(charset(cursor)?);
    } else if cursor.eat(&["GENERATED", "ALWAYS", "AS"]) || cursor.eat(&["AS"]) {
        let expr = expr::paren_expr(cursor)?;
        let stored =
            matches!(cursor.eat_any(&["STORED", "VIRTUAL", "PERSISTENT"]), Some("STORED" | "PERSISTENT"));
        column.generation = Some(Generation::Expression { expr, stored });
    } else if cursor.eat(&["INVISIBLE"]) {
        column.invisible = true;
    } else if cursor.eat_any(&["COLUMN_FORMAT", "STORAGE", "SRID"]).is_some() {
        cursor.bump();
    } else {
        return Ok(cursor.eat_any(&["VISIBLE", "BINARY", "COMPRESSED"]).is_some());
    }
    Ok(true)
}

/// The name of a character set or collation, which may stand in quotes.
fn charset(cursor: &mut Cursor<'_>) -> Read<String> {
    cursor.eat_op("=");
    if cursor.is_string() { cursor.string() } else { cursor.any_name().map(|name| name.to_string()) }
}

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
