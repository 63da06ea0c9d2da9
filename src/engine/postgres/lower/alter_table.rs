//! `ALTER TABLE`, and what `ALTER VIEW`, `ALTER MATERIALIZED VIEW` and `ALTER FOREIGN TABLE` share with it.

use super::{column, create_table, sequence, types};
use crate::engine::read::constraint;
use crate::engine::read::cursor::{Cursor, Read};
use crate::engine::read::expr;
use crate::name::{Name, TableName};
use crate::schema::change::*;
use crate::text::Span;

/// Behind `ALTER TABLE` (or `VIEW`, …). An action that cannot be read is opaque by itself; the others are kept.
pub fn alter_table(
    cursor: &mut Cursor<'_>,
    start: usize,
    object: ObjectKind,
    out: &mut Vec<Change>,
) -> Read<()> {
    if cursor.eat(&["ALL", "IN", "TABLESPACE"]) {
        let what = cursor.rest();
        out.push(super::change(cursor, start, ChangeKind::AlterOther { object, name: None, what }));
        return Ok(());
    }
    let if_exists = cursor.eat(&["IF", "EXISTS"]);
    let only = cursor.eat(&["ONLY"]);
    let table = cursor.object_name()?;
    if !only {
        cursor.eat_op("*");
    }
    let mut actions: Vec<(Span, TableAction)> = Vec::new();
    let mut unread = Vec::new();
    loop {
        let from = cursor.at();
        // An action with words behind it that do not belong there is judged as far as it was read.
        let read = action(cursor).and_then(|action| {
            actions.push((cursor.span_from(from), action));
            if cursor.is_done() || cursor.is_punct(b',') {
                Ok(())
            } else {
                Err(cursor.unexpected("`,` or the end of the statement"))
            }
        });
        match read {
            Ok(()) => {}
            Err(error) => {
                cursor.set(cursor.at().max(from));
                cursor.skip_to_comma();
                // An action that is missing leaves nothing in front of the comma.
                let end = error.span.end.min(cursor.span_from(from).end).max(error.span.start);
                let span = Span::new(error.span.start, end);
                unread.push(crate::engine::read::cursor::Unread { span, ..error }.opaque());
            }
        }
        if !cursor.eat_punct(b',') {
            break;
        }
    }
    let count = actions.len();
    for (index, (span, action)) in actions.into_iter().enumerate() {
        let alter = AlterTable {
            table: table.clone(),
            object,
            if_exists,
            only,
            algorithm: None,
            lock: None,
            part: (index, count),
            action,
        };
        out.push(Change::new(span, ChangeKind::AlterTable(Box::new(alter))));
    }
    out.append(&mut unread);
    Ok(())
}

fn action(cursor: &mut Cursor<'_>) -> Read<TableAction> {
    match cursor.eat_any(&[
        "ADD", "DROP", "ALTER", "RENAME", "SET", "RESET", "VALIDATE", "OWNER", "ATTACH", "DETACH", "ENABLE",
        "DISABLE", "FORCE", "NO", "INHERIT", "REPLICA", "CLUSTER", "OF", "NOT", "OPTIONS", "MERGE", "SPLIT",
    ]) {
        Some("ADD") => add(cursor),
        Some("DROP") => drop(cursor),
        Some("ALTER") => alter(cursor),
        Some("RENAME") => rename(cursor),
        Some("SET") => set(cursor),
        Some("RESET") => Ok(TableAction::ResetOptions {
            names: create_table::storage_options(cursor)?.into_iter().map(|(name, _)| name).collect(),
        }),
        Some("VALIDATE") => {
            cursor.expect(&["CONSTRAINT"])?;
            Ok(TableAction::ValidateConstraint { name: cursor.name()? })
        }
        Some("OWNER") => {
            cursor.expect(&["TO"])?;
            Ok(TableAction::SetOwner { owner: role(cursor)? })
        }
        Some("ATTACH") => {
            cursor.expect(&["PARTITION"])?;
            let partition = cursor.object_name()?;
            Ok(TableAction::AttachPartition { partition, bound: create_table::bound(cursor)? })
        }
        Some("DETACH") => {
            cursor.expect(&["PARTITION"])?;
            let partition = cursor.object_name()?;
            let concurrently = cursor.eat(&["CONCURRENTLY"]);
            Ok(TableAction::DetachPartition { partition, concurrently, finalize: cursor.eat(&["FINALIZE"]) })
        }
        Some("ENABLE") => switch(cursor, true),
        Some("DISABLE") => switch(cursor, false),
        Some("FORCE") => row_security(cursor, RowSecurity::Force),
        Some("NO") if cursor.eat(&["FORCE"]) => row_security(cursor, RowSecurity::NoForce),
        Some("NO") => {
            cursor.expect(&["INHERIT"])?;
            Ok(TableAction::NoInherit { parent: cursor.object_name()? })
        }
        Some("INHERIT") => Ok(TableAction::Inherit { parent: cursor.object_name()? }),
        Some("REPLICA") => replica_identity(cursor),
        Some("CLUSTER") => {
            cursor.expect(&["ON"])?;
            Ok(TableAction::ClusterOn { index: cursor.name()? })
        }
        Some("OF") => {
            cursor.object_name()?;
            other("OF")
        }
        Some("NOT") => cursor.expect(&["OF"]).and_then(|()| other("NOT OF")),
        Some("OPTIONS") => cursor.parens().and_then(|_| other("OPTIONS")),
        // PostgreSQL 19: partitions.
        Some(word) => {
            cursor.skip_to_comma();
            other(word)
        }
        None => Err(cursor.unexpected("an action of ALTER TABLE")),
    }
}

fn other(what: &str) -> Read<TableAction> {
    Ok(TableAction::Other { what: what.to_owned() })
}

/// A role, also `CURRENT_USER` and its like.
pub fn role(cursor: &mut Cursor<'_>) -> Read<Name> {
    let special = ["CURRENT_USER", "CURRENT_ROLE", "SESSION_USER"];
    if special.iter().any(|word| cursor.word_at(cursor.at(), word)) {
        cursor.any_name()
    } else {
        cursor.name()
    }
}

fn add(cursor: &mut Cursor<'_>) -> Read<TableAction> {
    if constraint::starts_table_constraint(cursor) && !cursor.is(&["COLUMN"]) {
        let constraint = Box::new(constraint::table_constraint(cursor)?);
        return Ok(TableAction::AddConstraint { constraint, if_not_exists: false });
    }
    cursor.eat(&["COLUMN"]);
    let if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
    let column = Box::new(column::column(cursor)?);
    Ok(TableAction::AddColumn { column, if_not_exists, position: ColumnPosition::Last })
}

fn drop(cursor: &mut Cursor<'_>) -> Read<TableAction> {
    if cursor.eat(&["CONSTRAINT"]) {
        let if_exists = cursor.eat(&["IF", "EXISTS"]);
        let name = cursor.name()?;
        return Ok(TableAction::DropConstraint {
            name,
            if_exists,
            cascade: cascade(cursor),
            may_be_key: true,
        });
    }
    cursor.eat(&["COLUMN"]);
    let if_exists = cursor.eat(&["IF", "EXISTS"]);
    let column = cursor.name()?;
    Ok(TableAction::DropColumn { column, if_exists, cascade: cascade(cursor) })
}

/// `CASCADE` or `RESTRICT`, if one comes next.
pub fn cascade(cursor: &mut Cursor<'_>) -> bool {
    cursor.eat_any(&["CASCADE", "RESTRICT"]) == Some("CASCADE")
}

fn rename(cursor: &mut Cursor<'_>) -> Read<TableAction> {
    if cursor.eat(&["TO"]) {
        return Ok(TableAction::RenameTable { to: TableName::bare(cursor.name()?) });
    }
    let constraint = cursor.eat(&["CONSTRAINT"]);
    if !constraint {
        cursor.eat(&["COLUMN"]);
    }
    let from = cursor.name()?;
    cursor.expect(&["TO"])?;
    let to = cursor.name()?;
    Ok(if constraint {
        TableAction::RenameConstraint { from, to }
    } else {
        TableAction::RenameColumn { from, to, if_exists: false }
    })
}

fn alter(cursor: &mut Cursor<'_>) -> Read<TableAction> {
    if cursor.eat(&["CONSTRAINT"]) {
        return alter_constraint(cursor);
    }
    cursor.eat(&["COLUMN"]);
    // `ALTER INDEX … ALTER COLUMN 1` names a column by its number.
    let column = match cursor.integer() {
        Ok(number) => Name::new(number.to_string()),
        Err(_) => cursor.name()?,
    };
    if cursor.eat(&["SET", "DATA", "TYPE"]) || cursor.eat(&["TYPE"]) {
        return set_type(cursor, column);
    }
    match cursor.eat_any(&["SET", "DROP", "ADD", "RESTART", "RESET", "OPTIONS"]) {
        Some("SET") => set_column(cursor, column),
        Some("DROP") => drop_of_column(cursor, column),
        Some("ADD") => {
            cursor.expect(&["GENERATED"])?;
            match column::generation(cursor)? {
                Generation::Identity(identity) => Ok(TableAction::AddIdentity { column, identity }),
                _ => Err(cursor.unexpected("`IDENTITY`")),
            }
        }
        Some("RESTART") => {
            cursor.set(cursor.at() - 1);
            set_identity(cursor, column)
        }
        Some("RESET") => {
            create_table::storage_options(cursor)?;
            Ok(TableAction::SetColumnOptions { column })
        }
        Some(_) => {
            cursor.parens()?;
            Ok(TableAction::SetColumnOptions { column })
        }
        None => Err(cursor.unexpected("`TYPE`, `SET`, `DROP` or `ADD`")),
    }
}

/// Behind `TYPE`.
fn set_type(cursor: &mut Cursor<'_>, column: Name) -> Read<TableAction> {
    let data_type = types::data_type(cursor)?;
    let collation = if cursor.eat(&["COLLATE"]) { Some(cursor.object_name()?.to_string()) } else { None };
    let using = if cursor.eat(&["USING"]) { Some(expr::expr(cursor, &[])?) } else { None };
    Ok(TableAction::SetType { column, data_type, collation, using })
}

/// Behind `ALTER COLUMN … SET`.
fn set_column(cursor: &mut Cursor<'_>, column: Name) -> Read<TableAction> {
    if cursor.eat(&["NOT", "NULL"]) {
        return Ok(TableAction::SetNotNull { column });
    }
    if cursor.eat(&["DEFAULT"]) {
        return Ok(TableAction::SetDefault { column, default: expr::expr(cursor, &[])? });
    }
    if cursor.eat(&["STATISTICS"]) {
        if !cursor.eat(&["DEFAULT"]) {
            cursor.integer()?;
        }
        return Ok(TableAction::SetStatistics { column });
    }
    if cursor.eat(&["STORAGE"]) {
        let storage = cursor.word(cursor.at()).to_ascii_uppercase();
        cursor.any_name()?;
        return Ok(TableAction::SetStorage { column, storage });
    }
    if cursor.eat(&["COMPRESSION"]) {
        cursor.any_name()?;
        return Ok(TableAction::SetCompression { column });
    }
    if cursor.eat(&["EXPRESSION", "AS"]) {
        return Ok(TableAction::SetExpression { column, expr: expr::paren_expr(cursor)? });
    }
    if cursor.is_punct(b'(') {
        create_table::storage_options(cursor)?;
        return Ok(TableAction::SetColumnOptions { column });
    }
    cursor.set(cursor.at() - 1);
    set_identity(cursor, column)
}

/// `SET GENERATED …`, `SET option`, `RESTART …`, one or several.
fn set_identity(cursor: &mut Cursor<'_>, column: Name) -> Read<TableAction> {
    let mut always = None;
    let mut options = SequenceOptions::default();
    let start = cursor.at();
    loop {
        if cursor.eat(&["SET", "GENERATED", "ALWAYS"]) {
            always = Some(true);
        } else if cursor.eat(&["SET", "GENERATED", "BY", "DEFAULT"]) {
            always = Some(false);
        } else if cursor.is(&["RESTART"]) {
            sequence::option(cursor, &mut options)?;
        } else if cursor.eat(&["SET"]) {
            if !sequence::option(cursor, &mut options)? {
                return Err(cursor.unexpected("what to set of a column"));
            }
        } else if cursor.at() > start {
            return Ok(TableAction::SetIdentity { column, always, options });
        } else {
            return Err(cursor.unexpected("what to set of a column"));
        }
    }
}

/// Behind `ALTER COLUMN … DROP`.
fn drop_of_column(cursor: &mut Cursor<'_>, column: Name) -> Read<TableAction> {
    if cursor.eat(&["NOT", "NULL"]) {
        return Ok(TableAction::DropNotNull { column });
    }
    if cursor.eat(&["DEFAULT"]) {
        return Ok(TableAction::DropDefault { column });
    }
    if cursor.eat(&["IDENTITY"]) {
        return Ok(TableAction::DropIdentity { column, if_exists: cursor.eat(&["IF", "EXISTS"]) });
    }
    if cursor.eat(&["EXPRESSION"]) {
        return Ok(TableAction::DropExpression { column, if_exists: cursor.eat(&["IF", "EXISTS"]) });
    }
    Err(cursor.unexpected("`NOT NULL`, `DEFAULT`, `IDENTITY` or `EXPRESSION`"))
}

/// Behind `ALTER CONSTRAINT`.
fn alter_constraint(cursor: &mut Cursor<'_>) -> Read<TableAction> {
    let name = cursor.name()?;
    let (mut deferrable, mut initially_deferred, mut enforced) = (None, None, None);
    loop {
        if cursor.eat(&["NOT", "DEFERRABLE"]) {
            deferrable = Some(false);
        } else if cursor.eat(&["DEFERRABLE"]) {
            deferrable = Some(true);
        } else if cursor.eat(&["INITIALLY", "DEFERRED"]) {
            initially_deferred = Some(true);
        } else if cursor.eat(&["INITIALLY", "IMMEDIATE"]) {
            initially_deferred = Some(false);
        } else if cursor.eat(&["NOT", "ENFORCED"]) {
            enforced = Some(false);
        } else if cursor.eat(&["ENFORCED"]) {
            enforced = Some(true);
        } else if cursor.eat(&["NO", "INHERIT"]) || cursor.eat(&["INHERIT"]) {
        } else {
            return Ok(TableAction::AlterConstraint { name, deferrable, initially_deferred, enforced });
        }
    }
}

/// Behind `SET` of the table.
fn set(cursor: &mut Cursor<'_>) -> Read<TableAction> {
    if cursor.eat(&["SCHEMA"]) {
        return Ok(TableAction::SetSchema { schema: cursor.name()? });
    }
    if cursor.eat(&["TABLESPACE"]) {
        let tablespace = cursor.name()?;
        cursor.eat(&["NOWAIT"]);
        return Ok(TableAction::SetTablespace { tablespace });
    }
    if cursor.eat(&["ACCESS", "METHOD"]) {
        return Ok(TableAction::SetAccessMethod { method: cursor.any_name()?.to_string() });
    }
    if cursor.eat(&["LOGGED"]) {
        return Ok(TableAction::SetLogged);
    }
    if cursor.eat(&["UNLOGGED"]) {
        return Ok(TableAction::SetUnlogged);
    }
    if cursor.eat(&["WITHOUT"]) {
        return match cursor.eat_any(&["CLUSTER", "OIDS"]) {
            Some(what) => Ok(TableAction::SetWithout { what: what.to_owned() }),
            None => Err(cursor.unexpected("`CLUSTER` or `OIDS`")),
        };
    }
    if cursor.eat(&["WITH", "OIDS"]) {
        return other("SET WITH OIDS");
    }
    Ok(TableAction::SetOptions { options: create_table::storage_options(cursor)? })
}

/// Behind `ENABLE` or `DISABLE`.
fn switch(cursor: &mut Cursor<'_>, on: bool) -> Read<TableAction> {
    if cursor.is(&["ROW"]) {
        return row_security(cursor, if on { RowSecurity::Enable } else { RowSecurity::Disable });
    }
    let state = match (on, cursor.eat_any(&["REPLICA", "ALWAYS"])) {
        (true, Some("REPLICA")) => FiringState::Replica,
        (true, Some(_)) => FiringState::Always,
        (true, None) => FiringState::Enabled,
        (false, _) => FiringState::Disabled,
    };
    if cursor.eat(&["RULE"]) {
        return Ok(TableAction::RuleState { rule: cursor.name()?, state });
    }
    cursor.expect(&["TRIGGER"])?;
    let all = cursor.eat(&["ALL"]);
    let trigger = if all || cursor.eat(&["USER"]) { None } else { Some(cursor.name()?) };
    Ok(TableAction::TriggerState { trigger, all, state })
}

fn row_security(cursor: &mut Cursor<'_>, state: RowSecurity) -> Read<TableAction> {
    cursor.expect(&["ROW", "LEVEL", "SECURITY"])?;
    Ok(TableAction::RowSecurity { state })
}

/// Behind `REPLICA`.
fn replica_identity(cursor: &mut Cursor<'_>) -> Read<TableAction> {
    cursor.expect(&["IDENTITY"])?;
    let identity = if cursor.eat(&["USING", "INDEX"]) {
        ReplicaIdentity::Index(cursor.name()?)
    } else {
        match cursor.eat_any(&["DEFAULT", "FULL", "NOTHING"]) {
            Some("FULL") => ReplicaIdentity::Full,
            Some("NOTHING") => ReplicaIdentity::Nothing,
            Some(_) => ReplicaIdentity::Default,
            None => return Err(cursor.unexpected("`DEFAULT`, `FULL`, `NOTHING` or `USING INDEX`")),
        }
    };
    Ok(TableAction::ReplicaIdentity { identity })
}
