//! `GRANT` and `REVOKE`.

use super::alter_table::{cascade, role};
use super::{change, object};
use crate::engine::read::cursor::{Cursor, Read};
use crate::name::{Name, ObjectName};
use crate::schema::change::*;

/// Reads either.
pub fn grant(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    let revokes = cursor.eat_any(&["GRANT", "REVOKE"]) == Some("REVOKE");
    for option in ["GRANT", "ADMIN", "INHERIT", "SET"] {
        cursor.eat(&[option, "OPTION", "FOR"]);
    }
    let mut columns = Vec::new();
    let privileges = cursor.list(|cursor| privilege(cursor, &mut columns))?;
    let mut found = Privileges {
        privileges,
        columns,
        object: None,
        names: Vec::new(),
        all_in_schema: false,
        grantees: Vec::new(),
        cascade: false,
    };
    if cursor.eat(&["ON"]) {
        objects(cursor, &mut found)?;
    }
    cursor.expect(&[if revokes { "FROM" } else { "TO" }])?;
    found.grantees = cursor.list(grantee)?;
    while cursor.eat(&["WITH"]) {
        cursor.any_name()?;
        if cursor.eat_any(&["OPTION", "TRUE", "FALSE"]).is_none() {
            return Err(cursor.unexpected("`OPTION`"));
        }
    }
    if cursor.eat(&["GRANTED", "BY"]) {
        role(cursor)?;
    }
    found.cascade = cascade(cursor);
    let kind = if revokes { ChangeKind::Revoke(found) } else { ChangeKind::Grant(found) };
    out.push(change(cursor, start, kind));
    Ok(())
}

/// `SELECT`, `ALL PRIVILEGES`, `UPDATE (a, b)`, or the name of a role.
fn privilege(cursor: &mut Cursor<'_>, columns: &mut Vec<Name>) -> Read<String> {
    let mut words = vec![cursor.any_name()?.to_string()];
    while !cursor.is_any(&["ON", "TO", "FROM"])
        && !cursor.is_punct(b',')
        && !cursor.is_punct(b'(')
        && !cursor.is_done()
    {
        words.push(cursor.any_name()?.to_string());
    }
    if cursor.is_punct(b'(') {
        columns.extend(cursor.names_in_parens()?);
    }
    let text = words.join(" ");
    Ok(text.to_uppercase())
}

fn objects(cursor: &mut Cursor<'_>, found: &mut Privileges) -> Read<()> {
    if cursor.eat(&["ALL"]) {
        found.object = match cursor.eat_any(&["TABLES", "SEQUENCES", "FUNCTIONS", "PROCEDURES", "ROUTINES"]) {
            Some("TABLES") => Some(ObjectKind::Table),
            Some("SEQUENCES") => Some(ObjectKind::Sequence),
            Some(_) => Some(ObjectKind::Routine),
            None => return Err(cursor.unexpected("`TABLES`, `SEQUENCES` or `FUNCTIONS`")),
        };
        cursor.expect(&["IN", "SCHEMA"])?;
        found.all_in_schema = true;
        found.names = cursor.list(Cursor::object_name)?;
        return Ok(());
    }
    if cursor.eat(&["PARAMETER"]) {
        found.object = Some(ObjectKind::System);
        found.names = cursor.list(Cursor::object_name)?;
        return Ok(());
    }
    let object = if cursor.eat(&["FOREIGN", "SERVER"]) {
        ObjectKind::ForeignServer
    } else {
        object::kind(cursor).unwrap_or(ObjectKind::Table)
    };
    found.object = Some(object);
    found.names = cursor.list(|cursor| match object {
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
            object::signature(cursor).map(|(name, _)| name)
        }
        ObjectKind::LargeObject => cursor.integer().map(|_| ObjectName::default()),
        _ => cursor.object_name(),
    })?;
    Ok(())
}

fn grantee(cursor: &mut Cursor<'_>) -> Read<Name> {
    cursor.eat(&["GROUP"]);
    role(cursor)
}
