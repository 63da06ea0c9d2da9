//! `ALTER` of anything: to whom it belongs.

use super::alter_table::{alter_table, cascade, role};
use super::{change, create, create_table, object, sequence, types};
use crate::engine::read::constraint;
use crate::engine::read::cursor::{Cursor, Read};
use crate::engine::read::expr;
use crate::name::{Name, ObjectName, TableName};
use crate::schema::change::*;

/// Reads an `ALTER` statement.
pub fn alter(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    cursor.expect(&["ALTER"])?;
    if cursor.eat(&["DEFAULT", "PRIVILEGES"]) {
        let revokes = cursor.find(|cursor, at| cursor.word_at(at, "REVOKE")) < cursor.end();
        cursor.set(cursor.end());
        out.push(change(cursor, start, ChangeKind::DefaultPrivileges { revokes }));
        return Ok(());
    }
    if cursor.eat(&["SYSTEM"]) {
        return rest(cursor, start, ObjectKind::System, None, out);
    }
    let Some(object) = object::kind(cursor) else { return Err(cursor.unexpected("what to alter")) };
    match object {
        ObjectKind::Table | ObjectKind::ForeignTable | ObjectKind::View | ObjectKind::MaterializedView => {
            alter_table(cursor, start, object, out)
        }
        ObjectKind::Index => alter_index(cursor, start, out),
        ObjectKind::Sequence => alter_sequence(cursor, start, out),
        ObjectKind::Type => alter_type(cursor, start, out),
        ObjectKind::Domain => alter_domain(cursor, start, out),
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate => {
            alter_routine(cursor, start, object, out)
        }
        ObjectKind::Trigger | ObjectKind::Rule | ObjectKind::Policy => {
            alter_of_table(cursor, start, object, out)
        }
        ObjectKind::Operator => {
            let name = Some(object::operator(cursor)?);
            rest(cursor, start, object, name, out)
        }
        ObjectKind::UserMapping | ObjectKind::LargeObject => rest(cursor, start, object, None, out),
        _ => {
            let name = object_or_role(cursor, object)?;
            if cursor.eat(&["USING"]) {
                cursor.any_name()?;
            }
            if common(cursor, start, object, &name, None, false, out)? {
                return Ok(());
            }
            rest(cursor, start, object, Some(name), out)
        }
    }
}

fn object_or_role(cursor: &mut Cursor<'_>, object: ObjectKind) -> Read<ObjectName> {
    if object == ObjectKind::Role {
        return if cursor.eat(&["ALL"]) {
            Ok(ObjectName::default())
        } else {
            role(cursor).map(ObjectName::bare)
        };
    }
    cursor.object_name()
}

/// The rest of the statement, as written.
fn rest(
    cursor: &mut Cursor<'_>,
    start: usize,
    object: ObjectKind,
    name: Option<ObjectName>,
    out: &mut Vec<Change>,
) -> Read<()> {
    if cursor.is_done() {
        return Err(cursor.unexpected("what to alter"));
    }
    let what = cursor.rest();
    out.push(change(cursor, start, ChangeKind::AlterOther { object, name, what }));
    Ok(())
}

/// `RENAME TO`, `SET SCHEMA`, `OWNER TO`, which most objects have; whether it was one of them.
fn common(
    cursor: &mut Cursor<'_>,
    start: usize,
    object: ObjectKind,
    name: &ObjectName,
    arguments: Option<&Vec<DataType>>,
    if_exists: bool,
    out: &mut Vec<Change>,
) -> Read<bool> {
    let (name, arguments) = (name.clone(), arguments.cloned());
    let kind = if cursor.eat(&["RENAME", "TO"]) {
        let to = cursor.name()?;
        ChangeKind::Rename(Box::new(RenameObject { object, name, on: None, arguments, to, if_exists }))
    } else if cursor.eat(&["SET", "SCHEMA"]) {
        ChangeKind::SetSchema { object, name, arguments, schema: cursor.name()? }
    } else if cursor.eat(&["OWNER", "TO"]) {
        ChangeKind::SetOwner { object, name: Some(name), owner: role(cursor)? }
    } else {
        return Ok(false);
    };
    out.push(change(cursor, start, kind));
    Ok(true)
}

fn alter_index(cursor: &mut Cursor<'_>, start: usize, out: &mut Vec<Change>) -> Read<()> {
    if cursor.is(&["ALL", "IN"]) {
        return rest(cursor, start, ObjectKind::Index, None, out);
    }
    let if_exists = cursor.eat(&["IF", "EXISTS"]);
    let name = cursor.object_name()?;
    if common(cursor, start, ObjectKind::Index, &name, None, if_exists, out)? {
        return Ok(());
    }
    let action = if cursor.eat(&["ATTACH", "PARTITION"]) {
        IndexAction::AttachPartition(cursor.object_name()?)
    } else if cursor.eat(&["SET", "TABLESPACE"]) {
        let tablespace = cursor.name()?;
        cursor.eat(&["NOWAIT"]);
        IndexAction::SetTablespace(tablespace)
    } else if cursor.eat_any(&["SET", "RESET"]).is_some() {
        create_table::storage_options(cursor)?;
        IndexAction::Options
    } else if cursor.eat(&["ALTER"]) {
        cursor.eat(&["COLUMN"]);
        cursor.integer()?;
        cursor.expect(&["SET", "STATISTICS"])?;
        cursor.integer()?;
        IndexAction::Options
    } else {
        cursor.eat(&["NO"]);
        cursor.expect(&["DEPENDS", "ON", "EXTENSION"])?;
        cursor.name()?;
        IndexAction::Options
    };
    out.push(change(cursor, start, ChangeKind::AlterIndex { name, action }));
    Ok(())
}

fn alter_sequence(cursor: &mut Cursor<'_>, start: usize, out: &mut Vec<Change>) -> Read<()> {
    let if_exists = cursor.eat(&["IF", "EXISTS"]);
    let name = cursor.object_name()?;
    if common(cursor, start, ObjectKind::Sequence, &name, None, if_exists, out)? {
        return Ok(());
    }
    if cursor.eat(&["SET"]) {
        return rest(cursor, start, ObjectKind::Sequence, Some(name), out);
    }
    if cursor.is_done() {
        return Err(cursor.unexpected("an option of a sequence"));
    }
    let options = sequence::options(cursor)?;
    out.push(change(cursor, start, ChangeKind::AlterSequence { name, if_exists, options }));
    Ok(())
}

fn alter_type(cursor: &mut Cursor<'_>, start: usize, out: &mut Vec<Change>) -> Read<()> {
    let name = cursor.object_name()?;
    if common(cursor, start, ObjectKind::Type, &name, None, false, out)? {
        return Ok(());
    }
    loop {
        let from = cursor.at();
        let action = type_action(cursor)?;
        cascade(cursor);
        let name = name.clone();
        out.push(change(cursor, from, ChangeKind::AlterType { name, action }));
        if !cursor.eat_punct(b',') {
            return Ok(());
        }
    }
}

fn type_action(cursor: &mut Cursor<'_>) -> Read<TypeAction> {
    if cursor.eat(&["ADD", "VALUE"]) {
        let if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
        let value = cursor.string()?;
        let side = cursor.eat_any(&["BEFORE", "AFTER"]);
        let neighbour = match side {
            Some(side) => Some((side == "BEFORE", cursor.string()?)),
            None => None,
        };
        return Ok(TypeAction::AddValue { value, neighbour, if_not_exists });
    }
    if cursor.eat(&["RENAME", "VALUE"]) {
        let from = cursor.string()?;
        cursor.expect(&["TO"])?;
        return Ok(TypeAction::RenameValue { from, to: cursor.string()? });
    }
    if cursor.eat(&["RENAME", "ATTRIBUTE"]) {
        let from = cursor.name()?;
        cursor.expect(&["TO"])?;
        return Ok(TypeAction::RenameAttribute { from, to: cursor.name()? });
    }
    if cursor.eat(&["ADD", "ATTRIBUTE"]) {
        let name = cursor.name()?;
        let data_type = types::data_type(cursor)?;
        collate(cursor)?;
        return Ok(TypeAction::AddAttribute { name, data_type });
    }
    if cursor.eat(&["DROP", "ATTRIBUTE"]) {
        let if_exists = cursor.eat(&["IF", "EXISTS"]);
        return Ok(TypeAction::DropAttribute { name: cursor.name()?, if_exists });
    }
    if cursor.eat(&["ALTER", "ATTRIBUTE"]) {
        let name = cursor.name()?;
        cursor.eat(&["SET", "DATA"]);
        cursor.expect(&["TYPE"])?;
        let data_type = types::data_type(cursor)?;
        collate(cursor)?;
        return Ok(TypeAction::SetAttributeType { name, data_type });
    }
    cursor.expect(&["SET"])?;
    cursor.parens()?;
    Ok(TypeAction::Options)
}

fn collate(cursor: &mut Cursor<'_>) -> Read<()> {
    if cursor.eat(&["COLLATE"]) {
        cursor.object_name()?;
    }
    Ok(())
}

fn alter_domain(cursor: &mut Cursor<'_>, start: usize, out: &mut Vec<Change>) -> Read<()> {
    let name = cursor.object_name()?;
    if common(cursor, start, ObjectKind::Domain, &name, None, false, out)? {
        return Ok(());
    }
    let action = if cursor.eat(&["SET", "DEFAULT"]) {
        DomainAction::SetDefault(expr::expr(cursor, &[])?)
    } else if cursor.eat(&["DROP", "DEFAULT"]) {
        DomainAction::DropDefault
    } else if cursor.eat(&["SET", "NOT", "NULL"]) {
        DomainAction::SetNotNull
    } else if cursor.eat(&["DROP", "NOT", "NULL"]) {
        DomainAction::DropNotNull
    } else if cursor.eat(&["ADD"]) {
        let from = cursor.at();
        let label = constraint::constraint_name(cursor)?;
        if cursor.eat(&["NOT", "NULL"]) {
            DomainAction::SetNotNull
        } else {
            DomainAction::AddConstraint(Box::new(create::domain_check(cursor, label, from)?))
        }
    } else if cursor.eat(&["DROP", "CONSTRAINT"]) {
        let if_exists = cursor.eat(&["IF", "EXISTS"]);
        let name = cursor.name()?;
        cascade(cursor);
        DomainAction::DropConstraint { name, if_exists }
    } else if cursor.eat(&["RENAME", "CONSTRAINT"]) {
        let from = cursor.name()?;
        cursor.expect(&["TO"])?;
        DomainAction::RenameConstraint { from, to: cursor.name()? }
    } else {
        cursor.expect(&["VALIDATE", "CONSTRAINT"])?;
        DomainAction::ValidateConstraint(cursor.name()?)
    };
    out.push(change(cursor, start, ChangeKind::AlterDomain { name, action }));
    Ok(())
}

fn alter_routine(
    cursor: &mut Cursor<'_>,
    start: usize,
    object: ObjectKind,
    out: &mut Vec<Change>,
) -> Read<()> {
    let (name, arguments) = object::signature(cursor)?;
    if common(cursor, start, object, &name, arguments.as_ref(), false, out)? {
        return Ok(());
    }
    if cursor.is_done() {
        return Err(cursor.unexpected("what to alter"));
    }
    let kind = match object {
        ObjectKind::Procedure => RoutineKind::Procedure,
        ObjectKind::Aggregate => RoutineKind::Aggregate,
        _ => RoutineKind::Function,
    };
    let what = cursor.rest().to_uppercase();
    out.push(change(cursor, start, ChangeKind::AlterRoutine { kind, name, arguments, what }));
    Ok(())
}

/// `ALTER TRIGGER | RULE | POLICY name ON table …`.
fn alter_of_table(
    cursor: &mut Cursor<'_>,
    start: usize,
    object: ObjectKind,
    out: &mut Vec<Change>,
) -> Read<()> {
    let behind_on = cursor.find(|cursor, at| cursor.word_at(at, "RENAME"));
    if object == ObjectKind::Policy && behind_on >= cursor.end() {
        let policy = object::policy(cursor)?;
        out.push(change(cursor, start, ChangeKind::AlterPolicy(Box::new(policy))));
        return Ok(());
    }
    let name: Name = cursor.name()?;
    cursor.expect(&["ON"])?;
    let table: TableName = cursor.object_name()?;
    if cursor.eat(&["RENAME", "TO"]) {
        let to = cursor.name()?;
        let rename = RenameObject {
            object,
            name: ObjectName::bare(name),
            on: Some(table),
            arguments: None,
            to,
            if_exists: false,
        };
        out.push(change(cursor, start, ChangeKind::Rename(Box::new(rename))));
        return Ok(());
    }
    rest(cursor, start, object, Some(ObjectName::bare(name)), out)
}
