//! Functions, procedures, aggregates and triggers.

use super::{block, change, types};
use crate::engine::read::cursor::{Cursor, Read};
use crate::engine::read::expr;
use crate::name::Name;
use crate::schema::change::*;

/// Behind `CREATE [OR REPLACE] FUNCTION | PROCEDURE`.
pub fn create_routine(
    cursor: &mut Cursor<'_>,
    start: usize,
    kind: RoutineKind,
    or_replace: bool,
    out: &mut Vec<Change>,
) -> Read<()> {
    let name = cursor.object_name()?;
    let arguments = arguments(cursor)?;
    let mut routine = CreateRoutine {
        kind,
        name,
        or_replace,
        if_not_exists: false,
        arguments,
        returns: None,
        language: None,
        volatility: Volatility::Volatile,
        security_definer: false,
        strict: false,
        settings: Vec::new(),
        body: RoutineBody::default(),
    };
    if cursor.eat(&["RETURNS"]) && !cursor.is(&["NULL", "ON"]) {
        returns(cursor, &mut routine)?;
    }
    let mut text = None;
    while option(cursor, &mut routine, &mut text)? {}
    if let Some(at) = text {
        let language = routine.language.clone().unwrap_or_default();
        routine.body = block::body(cursor, at, &language);
    }
    out.push(change(cursor, start, ChangeKind::CreateRoutine(Box::new(routine))));
    Ok(())
}

/// Behind `RETURNS`.
fn returns(cursor: &mut Cursor<'_>, routine: &mut CreateRoutine) -> Read<()> {
    if cursor.eat(&["TABLE"]) {
        let columns = cursor.in_parens(|cursor| {
            let name = cursor.name()?;
            Ok((name, types::data_type(cursor)?))
        })?;
        let shown: Vec<String> =
            columns.iter().map(|(name, data_type)| format!("{name} {data_type}")).collect();
        routine.returns = Some(format!("TABLE({})", shown.join(", ")));
        routine.arguments.extend(columns.into_iter().map(|(name, data_type)| Argument {
            mode: ArgumentMode::Table,
            name: Some(name),
            data_type,
            default: None,
        }));
        return Ok(());
    }
    let set = if cursor.eat(&["SETOF"]) { "SETOF " } else { "" };
    routine.returns = Some(format!("{set}{}", types::data_type(cursor)?));
    Ok(())
}

/// One clause behind the arguments; whether there was one. `text` becomes the number of the token of the body.
fn option(cursor: &mut Cursor<'_>, routine: &mut CreateRoutine, text: &mut Option<usize>) -> Read<bool> {
    let word = cursor.word(cursor.at()).to_ascii_uppercase();
    match word.as_str() {
        "LANGUAGE" => {
            cursor.bump();
            let language = if cursor.is_string() { cursor.string()? } else { cursor.any_name()?.to_string() };
            routine.language = Some(language.to_lowercase());
        }
        "IMMUTABLE" => routine.volatility = bump(cursor, Volatility::Immutable),
        "STABLE" => routine.volatility = bump(cursor, Volatility::Stable),
        "VOLATILE" => routine.volatility = bump(cursor, Volatility::Volatile),
        "STRICT" => routine.strict = bump(cursor, true),
        "WINDOW" | "LEAKPROOF" => bump(cursor, ()),
        "NOT" => cursor.expect(&["NOT", "LEAKPROOF"])?,
        "CALLED" => cursor.expect(&["CALLED", "ON", "NULL", "INPUT"])?,
        "RETURNS" => {
            cursor.expect(&["RETURNS", "NULL", "ON", "NULL", "INPUT"])?;
            routine.strict = true;
        }
        "EXTERNAL" | "SECURITY" => {
            cursor.eat(&["EXTERNAL"]);
            cursor.expect(&["SECURITY"])?;
            match cursor.eat_any(&["DEFINER", "INVOKER"]) {
                Some(who) => routine.security_definer = who == "DEFINER",
                None => return Err(cursor.unexpected("`DEFINER` or `INVOKER`")),
            }
        }
        "PARALLEL" | "COST" | "ROWS" => {
            cursor.bump();
            cursor.bump();
        }
        "SUPPORT" => {
            cursor.bump();
            cursor.object_name()?;
        }
        "TRANSFORM" => {
            cursor.bump();
            cursor.list(|cursor| {
                cursor.expect(&["FOR", "TYPE"])?;
                types::data_type(cursor)
            })?;
        }
        "SET" => {
            cursor.bump();
            routine.settings.push(setting(cursor)?);
        }
        "AS" => {
            cursor.bump();
            if !cursor.is_string() {
                return Err(cursor.unexpected("the body as a string"));
            }
            *text = Some(cursor.at());
            cursor.string()?;
            if cursor.eat_punct(b',') {
                cursor.string()?;
            }
        }
        "RETURN" => {
            let from = cursor.at();
            cursor.bump();
            expr::expr(cursor, &[])?;
            routine.body = RoutineBody {
                text: cursor.span_from(from).of(cursor.text()).to_owned(),
                span: cursor.span_from(from),
                ..RoutineBody::default()
            };
        }
        "BEGIN" => routine.body = block::atomic(cursor)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn bump<T>(cursor: &mut Cursor<'_>, value: T) -> T {
    cursor.bump();
    value
}

/// `name TO value, …`, `name = value`, `name FROM CURRENT`: the name.
fn setting(cursor: &mut Cursor<'_>) -> Read<String> {
    let name = cursor.object_name()?.to_string().to_lowercase();
    if cursor.eat(&["FROM", "CURRENT"]) {
        return Ok(name);
    }
    // `SET TIME ZONE …` has neither.
    let _ = cursor.eat(&["TO"]) || cursor.eat_op("=") || cursor.eat(&["ZONE"]);
    cursor.list(|cursor| {
        cursor.eat_op("-");
        cursor.bump().map(|_| ()).ok_or_else(|| cursor.unexpected("a value"))
    })?;
    Ok(name)
}

/// `( arguments )`.
pub fn arguments(cursor: &mut Cursor<'_>) -> Read<Vec<Argument>> {
    cursor.expect_punct(b'(')?;
    if cursor.eat_punct(b')') {
        return Ok(Vec::new());
    }
    if cursor.eat_op("*") {
        cursor.expect_punct(b')')?;
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    loop {
        // The direct arguments of an ordered-set aggregate end here.
        if cursor.eat(&["ORDER", "BY"]) {
            continue;
        }
        all.push(argument(cursor)?);
        if !cursor.eat_punct(b',') && !cursor.is(&["ORDER", "BY"]) {
            break;
        }
    }
    cursor.expect_punct(b')')?;
    Ok(all)
}

/// `[mode] [name] [mode] type [DEFAULT value]`.
fn argument(cursor: &mut Cursor<'_>) -> Read<Argument> {
    let mut mode = mode(cursor);
    let mut name = None;
    if starts_with_name(cursor) {
        name = Some(cursor.any_name()?);
    }
    if mode.is_none() && name.is_some() {
        mode = self::mode(cursor);
    }
    cursor.eat(&["SETOF"]);
    let data_type = types::data_type(cursor)?;
    let default = if cursor.eat(&["DEFAULT"]) || cursor.eat_op("=") || cursor.eat_op(":=") {
        Some(expr::expr(cursor, &[])?)
    } else {
        None
    };
    Ok(Argument { mode: mode.unwrap_or(ArgumentMode::In), name, data_type, default })
}

fn mode(cursor: &mut Cursor<'_>) -> Option<ArgumentMode> {
    if cursor.eat(&["IN", "OUT"]) || cursor.eat(&["INOUT"]) {
        return Some(ArgumentMode::InOut);
    }
    match cursor.eat_any(&["IN", "OUT", "VARIADIC"]) {
        Some("IN") => Some(ArgumentMode::In),
        Some("OUT") => Some(ArgumentMode::Out),
        Some(_) => Some(ArgumentMode::Variadic),
        None => None,
    }
}

/// Whether an argument's name comes next: a word with another behind it that is not part of the same type.
fn starts_with_name(cursor: &Cursor<'_>) -> bool {
    let at = cursor.at();
    let word = |at: usize| cursor.word(at).to_ascii_lowercase();
    let continues = match word(at).as_str() {
        "double" => word(at + 1) == "precision",
        "character" | "char" | "nchar" | "bit" => word(at + 1) == "varying",
        "national" => matches!(word(at + 1).as_str(), "char" | "character"),
        "timestamp" | "time" => matches!(word(at + 1).as_str(), "with" | "without"),
        "interval" => {
            matches!(word(at + 1).as_str(), "year" | "month" | "day" | "hour" | "minute" | "second")
        }
        _ => false,
    };
    let ends = word(at + 1) == "default" || word(at + 1) == "array" || word(at + 1) == "order";
    let second = cursor.token(at + 1).is_some_and(|token| {
        matches!(token.kind, crate::sql::lex::TokenKind::Word | crate::sql::lex::TokenKind::QuotedWord)
    });
    second && !continues && !ends
}

/// Behind `CREATE [OR REPLACE] AGGREGATE`.
pub fn create_aggregate(
    cursor: &mut Cursor<'_>,
    start: usize,
    or_replace: bool,
    out: &mut Vec<Change>,
) -> Read<()> {
    let name = cursor.object_name()?;
    // The old form has no arguments, only options.
    let old = cursor.op_at(cursor.at() + 2, "=");
    let arguments = if old { Vec::new() } else { arguments(cursor)? };
    cursor.parens()?;
    let routine = CreateRoutine {
        kind: RoutineKind::Aggregate,
        name,
        or_replace,
        if_not_exists: false,
        arguments,
        returns: None,
        language: None,
        volatility: Volatility::Immutable,
        security_definer: false,
        strict: false,
        settings: Vec::new(),
        body: RoutineBody::default(),
    };
    out.push(change(cursor, start, ChangeKind::CreateRoutine(Box::new(routine))));
    Ok(())
}

/// Behind `CREATE [CONSTRAINT] TRIGGER`.
pub fn create_trigger(
    cursor: &mut Cursor<'_>,
    start: usize,
    or_replace: bool,
    constraint: bool,
    out: &mut Vec<Change>,
) -> Read<()> {
    let name = cursor.name()?;
    let timing = if cursor.eat(&["INSTEAD", "OF"]) {
        "INSTEAD OF"
    } else {
        cursor
            .eat_any(&["BEFORE", "AFTER"])
            .ok_or_else(|| cursor.unexpected("`BEFORE`, `AFTER` or `INSTEAD OF`"))?
    };
    let (events, update_of) = events(cursor)?;
    cursor.expect(&["ON"])?;
    let table = cursor.object_name()?;
    let mut trigger = CreateTrigger {
        name,
        table,
        or_replace,
        if_not_exists: false,
        constraint,
        timing: timing.to_owned(),
        events,
        update_of,
        for_each_row: false,
        when: None,
        function: None,
        body: None,
    };
    loop {
        if cursor.eat(&["FROM"]) {
            cursor.object_name()?;
        } else if cursor.eat(&["REFERENCING"]) {
            while cursor.eat_any(&["OLD", "NEW"]).is_some() {
                cursor.expect(&["TABLE"])?;
                cursor.eat(&["AS"]);
                cursor.name()?;
            }
        } else if cursor.eat(&["FOR"]) {
            cursor.eat(&["EACH"]);
            trigger.for_each_row = match cursor.eat_any(&["ROW", "STATEMENT"]) {
                Some(each) => each == "ROW",
                None => return Err(cursor.unexpected("`ROW` or `STATEMENT`")),
            };
        } else if cursor.eat(&["WHEN"]) {
            trigger.when = Some(expr::paren_expr(cursor)?);
        } else if cursor.eat(&["NOT", "DEFERRABLE"]) || cursor.eat(&["DEFERRABLE"]) {
        } else if cursor.eat(&["INITIALLY"]) {
            cursor.bump();
        } else {
            break;
        }
    }
    cursor.expect(&["EXECUTE"])?;
    if cursor.eat_any(&["FUNCTION", "PROCEDURE"]).is_none() {
        return Err(cursor.unexpected("`FUNCTION`"));
    }
    trigger.function = Some(cursor.object_name()?);
    cursor.parens()?;
    out.push(change(cursor, start, ChangeKind::CreateTrigger(Box::new(trigger))));
    Ok(())
}

/// `INSERT OR UPDATE OF a, b OR …`.
fn events(cursor: &mut Cursor<'_>) -> Read<(Vec<String>, Vec<Name>)> {
    let (mut events, mut columns) = (Vec::new(), Vec::new());
    loop {
        let Some(event) = cursor.eat_any(&["INSERT", "UPDATE", "DELETE", "TRUNCATE"]) else {
            return Err(cursor.unexpected("an event"));
        };
        events.push(event.to_owned());
        if cursor.eat(&["OF"]) {
            columns = cursor.list(Cursor::name)?;
        }
        if !cursor.eat(&["OR"]) {
            return Ok((events, columns));
        }
    }
}
