//! `CREATE` of anything: to whom it belongs.

use super::{change, create_table, function, index, object, sequence, types};
use crate::engine::read::constraint::{self, constraint};
use crate::engine::read::cursor::{Cursor, Read};
use crate::engine::read::{expr, query};
use crate::name::{Name, ObjectName};
use crate::schema::change::*;
use crate::text::Span;

/// Reads a `CREATE` statement.
pub fn create(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    cursor.expect(&["CREATE"])?;
    let or_replace = cursor.eat(&["OR", "REPLACE"]);
    cursor.eat_any(&["GLOBAL", "LOCAL"]);
    let persistence = match cursor.eat_any(&["TEMP", "TEMPORARY", "UNLOGGED"]) {
        Some("UNLOGGED") => Persistence::Unlogged,
        Some(_) => Persistence::Temporary,
        None => Persistence::Permanent,
    };
    let temporary = persistence == Persistence::Temporary;
    if cursor.eat(&["TABLE"]) {
        return create_table::create_table(cursor, start, persistence, TableForm::Plain, out);
    }
    if cursor.eat(&["SEQUENCE"]) {
        return sequence::create(cursor, start, temporary, out);
    }
    if cursor.is(&["RECURSIVE", "VIEW"]) || cursor.is(&["VIEW"]) || cursor.is(&["MATERIALIZED", "VIEW"]) {
        return create_view(cursor, start, or_replace, temporary, out);
    }
    if cursor.eat(&["UNIQUE", "INDEX"]) {
        return index::create_index(cursor, start, true, out);
    }
    if cursor.eat(&["INDEX"]) {
        return index::create_index(cursor, start, false, out);
    }
    if cursor.eat(&["FOREIGN", "TABLE"]) {
        return create_table::create_table(cursor, start, persistence, TableForm::Foreign, out);
    }
    match cursor.eat_any(&[
        "TYPE",
        "DOMAIN",
        "FUNCTION",
        "PROCEDURE",
        "AGGREGATE",
        "TRIGGER",
        "CONSTRAINT",
        "RULE",
        "POLICY",
        "SCHEMA",
        "EXTENSION",
    ]) {
        Some("TYPE") => create_type(cursor, start, out),
        Some("DOMAIN") => create_domain(cursor, start, out),
        Some("FUNCTION") => function::create_routine(cursor, start, RoutineKind::Function, or_replace, out),
        Some("PROCEDURE") => function::create_routine(cursor, start, RoutineKind::Procedure, or_replace, out),
        Some("AGGREGATE") => function::create_aggregate(cursor, start, or_replace, out),
        Some("TRIGGER") => function::create_trigger(cursor, start, or_replace, false, out),
        Some("CONSTRAINT") => {
            cursor.expect(&["TRIGGER"])?;
            function::create_trigger(cursor, start, or_replace, true, out)
        }
        Some("RULE") => create_rule(cursor, start, or_replace, out),
        Some("POLICY") => {
            let policy = object::policy(cursor)?;
            out.push(change(cursor, start, ChangeKind::CreatePolicy(Box::new(policy))));
            Ok(())
        }
        Some("SCHEMA") => create_schema(cursor, start, out),
        Some(_) => create_extension(cursor, start, out),
        None => create_other(cursor, start, or_replace, out),
    }
}

fn create_view(
    cursor: &mut Cursor<'_>,
    start: usize,
    or_replace: bool,
    temporary: bool,
    out: &mut Vec<Change>,
) -> Read<()> {
    let materialized = cursor.eat(&["MATERIALIZED"]);
    cursor.eat(&["RECURSIVE"]);
    cursor.expect(&["VIEW"])?;
    let if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
    let name = cursor.object_name()?;
    let columns = if cursor.is_punct(b'(') { cursor.names_in_parens()? } else { Vec::new() };
    let mut options = Vec::new();
    loop {
        if cursor.eat(&["WITH"]) {
            options = create_table::storage_options(cursor)?;
        } else if cursor.eat(&["USING"]) {
            cursor.any_name()?;
        } else if cursor.eat(&["TABLESPACE"]) {
            cursor.name()?;
        } else {
            break;
        }
    }
    cursor.expect(&["AS"])?;
    let (from, mut to) = (cursor.at(), cursor.end());
    let mut no_data = false;
    let at = |back: usize, word: &str| to >= from + back && cursor.word_at(to - back, word);
    if at(3, "WITH") && at(2, "NO") && at(1, "DATA") {
        (to, no_data) = (to - 3, true);
    } else if at(2, "WITH") && at(1, "DATA") {
        to -= 2;
    } else if at(2, "CHECK") && at(1, "OPTION") {
        let scoped = at(3, "LOCAL") || at(3, "CASCADED");
        let scope = if at(3, "LOCAL") { "local" } else { "cascaded" };
        options.push(("check_option".to_owned(), scope.to_owned()));
        to -= if scoped { 4 } else { 3 };
    }
    if to <= from {
        return Err(cursor.unexpected("a query"));
    }
    let query = query::describe(cursor, from, to);
    cursor.set(cursor.end());
    let view = CreateView {
        name,
        materialized,
        or_replace,
        if_not_exists,
        temporary,
        columns,
        options,
        no_data,
        query,
    };
    out.push(change(cursor, start, ChangeKind::CreateView(Box::new(view))));
    Ok(())
}

fn create_type(cursor: &mut Cursor<'_>, start: usize, out: &mut Vec<Change>) -> Read<()> {
    let name = cursor.object_name()?;
    let definition = if cursor.eat(&["AS", "ENUM"]) {
        cursor.expect_punct(b'(')?;
        let labels = if cursor.is_punct(b')') { Vec::new() } else { cursor.list(Cursor::string)? };
        cursor.expect_punct(b')')?;
        TypeDefinition::Enum(labels)
    } else if cursor.eat(&["AS", "RANGE"]) {
        cursor.parens()?;
        TypeDefinition::Range
    } else if cursor.eat(&["AS"]) {
        TypeDefinition::Composite(create_table::attributes(cursor)?)
    } else {
        if cursor.is_punct(b'(') {
            cursor.parens()?;
        }
        TypeDefinition::Base
    };
    out.push(change(cursor, start, ChangeKind::CreateType { name, definition }));
    Ok(())
}

/// A domain's `[CONSTRAINT name] CHECK ( … )`, with what follows it.
pub fn domain_check(cursor: &mut Cursor<'_>, name: Option<Name>, from: usize) -> Read<Constraint> {
    cursor.expect(&["CHECK"])?;
    let mut found = constraint(name, ConstraintKind::Check(expr::paren_expr(cursor)?), Span::default());
    while constraint::attribute(cursor, &mut found)? {}
    found.span = cursor.span_from(from);
    Ok(found)
}

fn create_domain(cursor: &mut Cursor<'_>, start: usize, out: &mut Vec<Change>) -> Read<()> {
    let name = cursor.object_name()?;
    cursor.eat(&["AS"]);
    let base = types::data_type(cursor)?;
    let mut domain =
        CreateDomain { name, base, collation: None, default: None, not_null: false, constraints: Vec::new() };
    loop {
        let from = cursor.at();
        let label = constraint::constraint_name(cursor)?;
        if cursor.eat(&["NOT", "NULL"]) {
            domain.not_null = true;
        } else if cursor.is(&["CHECK"]) {
            let check = domain_check(cursor, label, from)?;
            domain.constraints.push(check);
        } else if cursor.eat(&["NULL"]) {
        } else if cursor.eat(&["COLLATE"]) {
            domain.collation = Some(cursor.object_name()?.to_string());
        } else if cursor.eat(&["DEFAULT"]) {
            domain.default = Some(expr::expr(cursor, &["NOT", "NULL", "CHECK", "CONSTRAINT", "COLLATE"])?);
        } else if label.is_some() {
            return Err(cursor.unexpected("`CHECK` or `NOT NULL`"));
        } else {
            break;
        }
    }
    out.push(change(cursor, start, ChangeKind::CreateDomain(Box::new(domain))));
    Ok(())
}

fn create_rule(cursor: &mut Cursor<'_>, start: usize, or_replace: bool, out: &mut Vec<Change>) -> Read<()> {
    let name = cursor.name()?;
    cursor.expect(&["AS", "ON"])?;
    let event = match cursor.eat_any(&["SELECT", "INSERT", "UPDATE", "DELETE"]) {
        Some(event) => event.to_owned(),
        None => return Err(cursor.unexpected("an event")),
    };
    cursor.expect(&["TO"])?;
    let table = cursor.object_name()?;
    if cursor.eat(&["WHERE"]) {
        expr::expr(cursor, &["DO"])?;
    }
    cursor.expect(&["DO"])?;
    let instead = cursor.eat_any(&["INSTEAD", "ALSO"]) == Some("INSTEAD");
    cursor.set(cursor.end());
    let rule = CreateRule { name, table, or_replace, event, instead };
    out.push(change(cursor, start, ChangeKind::CreateRule(rule)));
    Ok(())
}

/// `CREATE SCHEMA`; the statements that stand inside it follow.
fn create_schema(cursor: &mut Cursor<'_>, start: usize, out: &mut Vec<Change>) -> Read<()> {
    let if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
    let mut name = None;
    if !cursor.is(&["AUTHORIZATION"]) {
        name = Some(cursor.name()?);
    }
    if cursor.eat(&["AUTHORIZATION"]) {
        let owner = super::alter_table::role(cursor)?;
        name.get_or_insert(owner);
    }
    let name = name.unwrap_or_default();
    out.push(change(cursor, start, ChangeKind::CreateSchema { name: name.clone(), if_not_exists }));
    while cursor.is_any(&["CREATE", "GRANT"]) {
        let next = cursor.find(|inner, at| {
            at > cursor.at() && (inner.word_at(at, "CREATE") || inner.word_at(at, "GRANT"))
        });
        let mut inner = Vec::new();
        cursor.within(cursor.at(), next, |cursor| super::lower_into(cursor, &mut inner));
        for change in &mut inner {
            put_into_schema(change, &name);
        }
        out.append(&mut inner);
        cursor.set(next);
    }
    Ok(())
}

/// What `CREATE SCHEMA` makes without naming a schema goes into that one.
fn put_into_schema(change: &mut Change, schema: &Name) {
    let name: Option<&mut ObjectName> = match &mut change.kind {
        ChangeKind::CreateTable(create) => Some(&mut create.table),
        ChangeKind::CreateView(create) => Some(&mut create.name),
        ChangeKind::CreateIndex(create) => Some(&mut create.table),
        ChangeKind::CreateSequence { name, .. } => Some(name),
        ChangeKind::CreateTrigger(create) => Some(&mut create.table),
        _ => None,
    };
    if let Some(name) = name {
        name.schema.get_or_insert_with(|| schema.clone());
    }
}

fn create_extension(cursor: &mut Cursor<'_>, start: usize, out: &mut Vec<Change>) -> Read<()> {
    let if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
    let name = cursor.name()?;
    cursor.eat(&["WITH"]);
    let mut schema = None;
    loop {
        if cursor.eat(&["SCHEMA"]) {
            schema = Some(cursor.name()?);
        } else if cursor.eat(&["VERSION"]) || cursor.eat(&["FROM"]) {
            cursor.bump();
        } else if !cursor.eat(&["CASCADE"]) {
            break;
        }
    }
    out.push(change(
        cursor,
        start,
        ChangeKind::CreateExtension(CreateExtension { name, if_not_exists, schema }),
    ));
    Ok(())
}

/// An object that the model holds by name only.
fn create_other(cursor: &mut Cursor<'_>, start: usize, or_replace: bool, out: &mut Vec<Change>) -> Read<()> {
    let trusted = cursor.eat(&["TRUSTED"]);
    cursor.eat(&["PROCEDURAL"]);
    cursor.eat(&["DEFAULT"]);
    let Some(object) = object::kind(cursor) else { return Err(cursor.unexpected("what to create")) };
    let tolerant = cursor.eat(&["IF", "NOT", "EXISTS"]) || or_replace || trusted;
    let nameless = matches!(object, ObjectKind::Cast | ObjectKind::Transform | ObjectKind::UserMapping)
        || cursor.is(&["ON"])
        || cursor.peek().is_some_and(|token| token.kind == crate::sql::lex::TokenKind::Operator);
    let name = if nameless { None } else { Some(cursor.object_name()?) };
    // An operator in a schema, or what an unknown option holds, is the server's to judge.
    let on = statistics_table(cursor, object);
    cursor.set(cursor.end());
    out.push(change(cursor, start, ChangeKind::CreateOther { object, name, on, tolerant }));
    Ok(())
}

/// The table of `CREATE STATISTICS … FROM table`.
fn statistics_table(cursor: &mut Cursor<'_>, object: ObjectKind) -> Option<ObjectName> {
    if object != ObjectKind::Statistics {
        return None;
    }
    let from = cursor.find(|cursor, at| cursor.word_at(at, "FROM"));
    cursor.set((from + 1).min(cursor.end()));
    cursor.object_name().ok()
}
