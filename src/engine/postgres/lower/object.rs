//! Objects of any kind: `DROP`, `COMMENT`, policies, `REFRESH`.

use super::alter_table::{cascade, role};
use super::change;
use crate::engine::read::cursor::{Cursor, Read};
use crate::engine::read::expr;
use crate::name::{Name, ObjectName, TableName};
use crate::schema::change::*;
use crate::sql::lex::TokenKind;

/// The kind of object that the next keywords name.
pub fn kind(cursor: &mut Cursor<'_>) -> Option<ObjectKind> {
    const KINDS: [(&[&str], ObjectKind); 46] = [
        (&["TABLE"], ObjectKind::Table),
        (&["FOREIGN", "TABLE"], ObjectKind::ForeignTable),
        (&["VIEW"], ObjectKind::View),
        (&["MATERIALIZED", "VIEW"], ObjectKind::MaterializedView),
        (&["COLUMN"], ObjectKind::Column),
        (&["CONSTRAINT"], ObjectKind::Constraint),
        (&["INDEX"], ObjectKind::Index),
        (&["SEQUENCE"], ObjectKind::Sequence),
        (&["TYPE"], ObjectKind::Type),
        (&["DOMAIN"], ObjectKind::Domain),
        (&["FUNCTION"], ObjectKind::Function),
        (&["PROCEDURE"], ObjectKind::Procedure),
        (&["ROUTINE"], ObjectKind::Routine),
        (&["AGGREGATE"], ObjectKind::Aggregate),
        (&["TRIGGER"], ObjectKind::Trigger),
        (&["EVENT", "TRIGGER"], ObjectKind::EventTrigger),
        (&["RULE"], ObjectKind::Rule),
        (&["POLICY"], ObjectKind::Policy),
        (&["SCHEMA"], ObjectKind::Schema),
        (&["DATABASE"], ObjectKind::Database),
        (&["EXTENSION"], ObjectKind::Extension),
        (&["ROLE"], ObjectKind::Role),
        (&["USER", "MAPPING"], ObjectKind::UserMapping),
        (&["USER"], ObjectKind::Role),
        (&["GROUP"], ObjectKind::Role),
        (&["COLLATION"], ObjectKind::Collation),
        (&["CONVERSION"], ObjectKind::Conversion),
        (&["CAST"], ObjectKind::Cast),
        (&["OPERATOR", "CLASS"], ObjectKind::OperatorClass),
        (&["OPERATOR", "FAMILY"], ObjectKind::OperatorFamily),
        (&["OPERATOR"], ObjectKind::Operator),
        (&["ACCESS", "METHOD"], ObjectKind::AccessMethod),
        (&["TRANSFORM"], ObjectKind::Transform),
        (&["LANGUAGE"], ObjectKind::Language),
        (&["PROCEDURAL", "LANGUAGE"], ObjectKind::Language),
        (&["LARGE", "OBJECT"], ObjectKind::LargeObject),
        (&["STATISTICS"], ObjectKind::Statistics),
        (&["TEXT", "SEARCH", "CONFIGURATION"], ObjectKind::TextSearch),
        (&["TEXT", "SEARCH", "DICTIONARY"], ObjectKind::TextSearch),
        (&["TEXT", "SEARCH", "PARSER"], ObjectKind::TextSearch),
        (&["TEXT", "SEARCH", "TEMPLATE"], ObjectKind::TextSearch),
        (&["PUBLICATION"], ObjectKind::Publication),
        (&["SUBSCRIPTION"], ObjectKind::Subscription),
        (&["SERVER"], ObjectKind::ForeignServer),
        (&["FOREIGN", "DATA", "WRAPPER"], ObjectKind::ForeignDataWrapper),
        (&["TABLESPACE"], ObjectKind::Tablespace),
    ];
    KINDS.iter().find(|(words, _)| cursor.eat(words)).map(|(_, kind)| *kind)
}

/// `DROP …`: one change for each object.
pub fn drop(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    cursor.expect(&["DROP"])?;
    if cursor.eat(&["OWNED", "BY"]) {
        cursor.list(role)?;
        cascade(cursor);
        let kind =
            ChangeKind::AlterOther { object: ObjectKind::Owned, name: None, what: "DROP OWNED".to_owned() };
        out.push(change(cursor, start, kind));
        return Ok(());
    }
    let Some(object) = kind(cursor) else { return Err(cursor.unexpected("what to drop")) };
    if matches!(object, ObjectKind::Column | ObjectKind::Constraint | ObjectKind::LargeObject) {
        cursor.set(start + 1);
        return Err(cursor.unexpected("what to drop"));
    }
    let concurrently = cursor.eat(&["CONCURRENTLY"]);
    let if_exists = cursor.eat(&["IF", "EXISTS"]);
    let mut found = Vec::new();
    loop {
        let from = cursor.at();
        let (name, arguments) = dropped_name(cursor, object)?;
        let on = match object {
            ObjectKind::Trigger | ObjectKind::Rule | ObjectKind::Policy => {
                cursor.expect(&["ON"])?;
                Some(cursor.object_name()?)
            }
            _ => None,
        };
        if cursor.eat(&["USING"]) {
            // The access method of an operator class.
            cursor.any_name()?;
        }
        found.push((cursor.span_from(from), name, arguments, on));
        if !cursor.eat_punct(b',') {
            break;
        }
    }
    if object == ObjectKind::Database {
        cursor.eat(&["WITH"]);
        if cursor.is_punct(b'(') {
            cursor.parens()?;
        }
    }
    let cascade = cascade(cursor);
    let count = found.len();
    for (index, (span, name, arguments, on)) in found.into_iter().enumerate() {
        let span = if count == 1 { cursor.span_from(start) } else { span };
        let drop = DropObject {
            object,
            name,
            on,
            arguments,
            if_exists,
            cascade,
            concurrently,
            temporary: false,
            part: (index, count),
            algorithm: None,
            lock: None,
        };
        out.push(Change::new(span, ChangeKind::Drop(Box::new(drop))));
    }
    Ok(())
}

/// A name behind `DROP`, with the types of its arguments where there are any.
fn dropped_name(cursor: &mut Cursor<'_>, object: ObjectKind) -> Read<(ObjectName, Option<Vec<DataType>>)> {
    match object {
        ObjectKind::Cast => {
            cursor.parens()?;
            Ok((ObjectName::default(), None))
        }
        ObjectKind::UserMapping | ObjectKind::Transform => {
            cursor.set(cursor.end());
            Ok((ObjectName::default(), None))
        }
        ObjectKind::Operator => operator(cursor).map(|name| (name, None)),
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => signature(cursor),
        ObjectKind::Aggregate => match signature(cursor)? {
            (_, None) => Err(cursor.unexpected("`(`")),
            named => Ok(named),
        },
        _ => Ok((cursor.object_name()?, None)),
    }
}

/// `[schema.]operator (left, right)`.
pub fn operator(cursor: &mut Cursor<'_>) -> Read<ObjectName> {
    let mut schema = None;
    if cursor.name_at(cursor.at()) {
        schema = Some(cursor.name()?);
        cursor.expect_punct(b'.')?;
    }
    let sign = cursor.peek().filter(|token| token.kind == TokenKind::Operator);
    let Some(sign) = sign else { return Err(cursor.unexpected("an operator")) };
    cursor.bump();
    if cursor.is_punct(b'(') {
        cursor.parens()?;
    }
    Ok(ObjectName { schema, name: Name::new(sign.text(cursor.text())) })
}

/// `name [( arguments )]` of a routine: its input types.
pub fn signature(cursor: &mut Cursor<'_>) -> Read<(ObjectName, Option<Vec<DataType>>)> {
    let name = cursor.object_name()?;
    if !cursor.is_punct(b'(') {
        return Ok((name, None));
    }
    let arguments = super::function::arguments(cursor)?;
    Ok((name, Some(crate::schema::model::signature(&arguments).into_iter().cloned().collect())))
}

/// `COMMENT ON … IS …`.
pub fn comment(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    cursor.expect(&["COMMENT", "ON"])?;
    let (object, name, column) = labelled(cursor)?;
    cursor.expect(&["IS"])?;
    let text = if cursor.eat(&["NULL"]) { None } else { Some(cursor.string()?) };
    // An empty one is none.
    let said = Said::Comment(text.filter(|text| !text.is_empty()));
    out.push(change(cursor, start, ChangeKind::Comment { object, name, column, said }));
    Ok(())
}

/// `SECURITY LABEL [FOR provider] ON … IS …`.
pub fn security_label(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    cursor.expect(&["SECURITY", "LABEL"])?;
    if cursor.eat(&["FOR"]) {
        cursor.bump();
    }
    cursor.expect(&["ON"])?;
    let (object, name, column) = labelled(cursor)?;
    cursor.expect(&["IS"])?;
    cursor.bump();
    out.push(change(cursor, start, ChangeKind::Comment { object, name, column, said: Said::Label }));
    Ok(())
}

/// What a comment is on.
fn labelled(cursor: &mut Cursor<'_>) -> Read<(ObjectKind, ObjectName, Option<Name>)> {
    let Some(object) = kind(cursor) else { return Err(cursor.unexpected("a kind of object")) };
    match object {
        ObjectKind::Column => {
            let mut parts = vec![cursor.name()?];
            while cursor.eat_punct(b'.') {
                parts.push(cursor.any_name()?);
            }
            let (Some(column), Some(table)) = (parts.pop(), parts.pop()) else {
                return Err(cursor.unexpected("`.` and a column"));
            };
            Ok((object, TableName { schema: parts.pop(), name: table }, Some(column)))
        }
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate => {
            Ok((object, signature(cursor)?.0, None))
        }
        ObjectKind::Operator => Ok((object, operator(cursor)?, None)),
        ObjectKind::Cast => cursor.parens().map(|_| (object, ObjectName::default(), None)),
        ObjectKind::LargeObject => cursor.integer().map(|_| (object, ObjectName::default(), None)),
        ObjectKind::Transform => {
            let is = cursor.find(|cursor, at| cursor.word_at(at, "IS"));
            cursor.set(is);
            Ok((object, ObjectName::default(), None))
        }
        _ => {
            let name = cursor.object_name()?;
            if cursor.eat(&["USING"]) {
                cursor.any_name()?;
            }
            if cursor.eat(&["ON"]) {
                cursor.eat(&["DOMAIN"]);
                cursor.object_name()?;
            }
            Ok((object, name, None))
        }
    }
}

/// `name ON table [AS …] [FOR …] [TO …] [USING ( … )] [WITH CHECK ( … )]` of a policy.
pub fn policy(cursor: &mut Cursor<'_>) -> Read<Policy> {
    let name = cursor.name()?;
    cursor.expect(&["ON"])?;
    let table = cursor.object_name()?;
    let mut policy = Policy {
        name,
        table,
        restrictive: false,
        command: "ALL".to_owned(),
        roles: Vec::new(),
        using: None,
        check: None,
    };
    loop {
        if cursor.eat(&["AS"]) {
            policy.restrictive = match cursor.eat_any(&["PERMISSIVE", "RESTRICTIVE"]) {
                Some(kind) => kind == "RESTRICTIVE",
                None => return Err(cursor.unexpected("`PERMISSIVE` or `RESTRICTIVE`")),
            };
        } else if cursor.eat(&["FOR"]) {
            policy.command = match cursor.eat_any(&["ALL", "SELECT", "INSERT", "UPDATE", "DELETE"]) {
                Some(command) => command.to_owned(),
                None => return Err(cursor.unexpected("a command")),
            };
        } else if cursor.eat(&["TO"]) {
            policy.roles = cursor.list(role)?;
        } else if cursor.eat(&["USING"]) {
            policy.using = Some(expr::paren_expr(cursor)?);
        } else if cursor.eat(&["WITH", "CHECK"]) {
            policy.check = Some(expr::paren_expr(cursor)?);
        } else {
            return Ok(policy);
        }
    }
}

/// `REFRESH MATERIALIZED VIEW [CONCURRENTLY] name [WITH [NO] DATA]`.
pub fn refresh(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    cursor.expect(&["REFRESH", "MATERIALIZED", "VIEW"])?;
    let concurrently = cursor.eat(&["CONCURRENTLY"]);
    let name = cursor.object_name()?;
    let no_data = cursor.eat(&["WITH", "NO", "DATA"]);
    cursor.eat(&["WITH", "DATA"]);
    out.push(change(cursor, start, ChangeKind::RefreshMaterializedView { name, concurrently, no_data }));
    Ok(())
}
