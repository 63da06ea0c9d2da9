//! Columns: add, drop, rename, change of type.

use super::sync::Pair;
use super::{Subject, constraint, id, ids};
use crate::engine::postgres::effects::{convert, volatility};
use crate::engine::proposal::Proposal;
use crate::name::Name;
use crate::schema::change::*;

/// `ADD COLUMN` that is required, or written for each row.
pub(super) fn add(subject: &Subject<'_>, column: &ColumnDef) -> Option<Proposal> {
    let (table, name) = (subject.sql(), id(&column.name));
    let of_type = column.data_type.as_ref().map_or_else(|| "…".to_owned(), ToString::to_string);
    let inline = column.constraints.iter().find(|one| !matches!(one.kind, ConstraintKind::NotNull(_)));
    if let Some(inline) = inline {
        return add_apart(subject, column, inline, &of_type);
    }
    match (&column.generation, &column.default) {
        (Some(Generation::Expression { expr, stored: true }), _) => {
            Some(computed(subject, column, expr, &of_type))
        }
        (Some(Generation::Serial | Generation::Identity(_)), _) => Some(numbered(subject, column, &of_type)),
        (Some(_), _) => None,
        (None, Some(default))
            if !default.is_null && volatility(default, subject.schema) >= Volatility::Volatile =>
        {
            let text = &default.text;
            Some(Proposal {
                expand: vec![
                    format!("ALTER TABLE {table} ADD COLUMN {name} {of_type};"),
                    format!("ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {text};"),
                ],
                backfill: Some(subject.batch(&format!("{name} = {text}"), &format!("{name} IS NULL"))),
                code: "it may read NULL until all rows are filled".to_owned(),
                contract: required_at_last(subject, column),
                limits: Vec::new(),
            })
        }
        (None, default)
            if column.nullability == Nullability::NotNull
                && default.as_ref().is_none_or(|one| one.is_null) =>
        {
            Some(Proposal {
                expand: vec![format!("ALTER TABLE {table} ADD COLUMN {name} {of_type};")],
                backfill: Some(subject.batch(&format!("{name} = …"), &format!("{name} IS NULL"))),
                code: format!("the new code writes {name} in every insert, and can read NULL"),
                contract: required_at_last(subject, column),
                limits: vec![format!(
                    "where one constant fits all rows, a single step does it: ADD COLUMN {name} {of_type} NOT NULL DEFAULT …"
                )],
            })
        }
        (None, _) => None,
    }
}

/// The contract that makes a column NOT NULL without a scan under lock; nothing where it may be NULL.
fn required_at_last(subject: &Subject<'_>, column: &ColumnDef) -> Vec<String> {
    if column.nullability == Nullability::NotNull {
        constraint::not_null_steps(subject, &column.name)
    } else {
        Vec::new()
    }
}

/// A column whose constraint is added by itself.
fn add_apart(
    subject: &Subject<'_>,
    column: &ColumnDef,
    inline: &Constraint,
    of_type: &str,
) -> Option<Proposal> {
    let (table, name) = (subject.sql(), id(&column.name));
    let of_type = match column.generation {
        // The sequence comes with its own two steps.
        Some(Generation::Serial | Generation::Identity(_)) => {
            return Some(numbered(subject, column, of_type));
        }
        Some(Generation::Expression { .. } | Generation::AutoIncrement) | None => of_type,
    };
    let default = match &column.default {
        Some(default) if volatility(default, subject.schema) < Volatility::Volatile => {
            format!(" DEFAULT {}", default.text)
        }
        Some(_) | None => String::new(),
    };
    let rest = constraint::add_to(subject, inline)?;
    let mut expand = vec![format!("ALTER TABLE {table} ADD COLUMN {name} {of_type}{default};")];
    expand.extend(rest.expand);
    Some(Proposal { expand, ..rest })
}

/// A stored generated column: a plain one that a trigger fills.
fn computed(subject: &Subject<'_>, column: &ColumnDef, expr: &Expr, of_type: &str) -> Proposal {
    let (table, name) = (subject.sql(), id(&column.name));
    let function = subject.beside(&format!("{}_fill", column.name));
    let mut value = expr.text.clone();
    for used in &expr.columns {
        value = replace_word(&value, used.as_str(), &format!("NEW.{}", id(used)));
    }
    let mut limits = vec![
        "unlike a generated column it can be written by hand; the trigger puts it right on each write"
            .to_owned(),
    ];
    if subject.version >= (18, 0, 0) {
        limits.push("VIRTUAL instead of STORED computes it when it is read, in one step and without rewriting anything".to_owned());
    }
    Proposal {
        expand: vec![
            format!("ALTER TABLE {table} ADD COLUMN {name} {of_type};"),
            format!(
                "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN NEW.{name} := {value}; RETURN NEW; END $$;"
            ),
            format!(
                "CREATE TRIGGER \"~{}_fill\" BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}();",
                column.name
            ),
        ],
        backfill: Some(subject.batch(&format!("{name} = {}", expr.text), &format!("{name} IS NULL"))),
        code: "it may read NULL until all rows are filled".to_owned(),
        contract: Vec::new(),
        limits,
    }
}

/// A serial or identity column: a plain one with a sequence.
fn numbered(subject: &Subject<'_>, column: &ColumnDef, of_type: &str) -> Proposal {
    let (table, name) = (subject.sql(), id(&column.name));
    let sequence = subject.beside(&format!("{}_seq", column.name));
    let quoted = crate::name::plain_literal(&sequence);
    let primary = column.constraints.iter().any(|one| matches!(one.kind, ConstraintKind::PrimaryKey(_)));
    let mut contract = constraint::not_null_steps(subject, &column.name);
    if primary {
        let index = subject.beside("pkey");
        contract.push(format!("CREATE UNIQUE INDEX CONCURRENTLY {index} ON {table} ({name});"));
        contract.push(format!("ALTER TABLE {table} ADD PRIMARY KEY USING INDEX {index};"));
    }
    Proposal {
        expand: vec![
            format!("CREATE SEQUENCE {sequence};"),
            format!("ALTER TABLE {table} ADD COLUMN {name} {of_type};"),
            format!("ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT nextval({quoted});"),
            format!("ALTER SEQUENCE {sequence} OWNED BY {table}.{name};"),
        ],
        backfill: Some(subject.batch(&format!("{name} = nextval({quoted})"), &format!("{name} IS NULL"))),
        code: "it may read NULL until all rows are filled".to_owned(),
        contract,
        limits: Vec::new(),
    }
}

/// `DROP COLUMN`.
pub(super) fn drop(subject: &Subject<'_>, column: &Name) -> Proposal {
    let (table, name) = (subject.sql(), id(column));
    let known = subject.column(column);
    let required = known.is_none_or(|known| known.nullability == Nullability::NotNull);
    let filled = known.is_some_and(|known| known.default.is_some() || known.generation.is_some());
    let mut expand = Vec::new();
    if required && !filled {
        let if_so = if known.is_none() { " -- if it is NOT NULL" } else { "" };
        expand.push(format!("ALTER TABLE {table} ALTER COLUMN {name} DROP NOT NULL;{if_so}"));
    }
    Proposal {
        expand,
        backfill: None,
        code: format!(
            "it neither reads nor writes {name} any more: no column list, no `SELECT *` into a fixed shape,\nthe ORM told to leave it out"
        ),
        contract: vec![format!("ALTER TABLE {table} DROP COLUMN {name};")],
        limits: vec![
            "the values are gone with the contract; its down can only make an empty column".to_owned(),
        ],
    }
}

/// `RENAME COLUMN`.
pub(super) fn rename(subject: &Subject<'_>, from: &Name, to: &Name) -> Proposal {
    let (table, old, new) = (subject.sql(), id(from), id(to));
    let pair = Pair { old: from, new: to, up: format!("NEW.{old}"), down: format!("NEW.{new}") };
    let mut expand = vec![format!("ALTER TABLE {table} ADD COLUMN {new} {};", subject.type_of(from))];
    expand.extend(pair.start(subject));
    let mut contract = vec!["BEGIN;".to_owned()];
    contract.extend(pair.stop(subject));
    contract.push(format!("ALTER TABLE {table} DROP COLUMN {new};"));
    contract.push(format!("ALTER TABLE {table} RENAME COLUMN {old} TO {new};"));
    contract.push("COMMIT;".to_owned());
    Proposal {
        expand,
        backfill: Some(pair.fill(subject)),
        code: format!("the new code, which starts after the backfill, reads and writes {new} only"),
        contract,
        limits: vec![format!(
            "the contract drops the copy and renames the column itself, which keeps its indexes, constraints and place"
        )],
    }
}

/// `ALTER COLUMN … TYPE`.
pub(super) fn retype(subject: &Subject<'_>, column: &Name, to: &DataType) -> Proposal {
    let (table, old) = (subject.sql(), id(column));
    let copy = Name::new(format!("{column}_new"));
    let new = id(&copy);
    let from = subject.type_of(column);
    let pair =
        Pair { old: column, new: &copy, up: format!("NEW.{old}::{to}"), down: format!("NEW.{new}::{from}") };
    let mut expand = vec![format!("ALTER TABLE {table} ADD COLUMN {new} {to};")];
    expand.extend(pair.start(subject));
    let mut contract = vec!["BEGIN;".to_owned()];
    contract.extend(pair.stop(subject));
    contract.push(format!("ALTER TABLE {table} DROP COLUMN {old};"));
    contract.push(format!("ALTER TABLE {table} RENAME COLUMN {new} TO {old};"));
    contract.push("COMMIT;".to_owned());
    let mut limits = vec![
        "prepared statements that select the column fail once at the contract, since its type changes under them".to_owned(),
    ];
    let parts = dependants(subject, column);
    if !parts.is_empty() {
        limits.push(format!(
            "before the contract the new column needs what the old one has: {}",
            parts.join(", ")
        ));
    }
    let known = subject.column(column).and_then(|known| known.data_type.as_ref());
    if known.is_some_and(|known| {
        convert::conversion(known, to, subject.schema, false) != convert::Conversion::Rewrite
    }) {
        limits.push("no row is rewritten by this change of type: a check on the column, or an index of another operator class, is what takes time".to_owned());
    }
    Proposal {
        expand,
        backfill: Some(pair.fill(subject)),
        code: format!("the new code works with both types, or reads and writes {new}"),
        contract,
        limits,
    }
}

/// The indexes and constraints over a column.
fn dependants(subject: &Subject<'_>, column: &Name) -> Vec<String> {
    let Some(table) = subject.table else { return Vec::new() };
    let indexes = table
        .indexes
        .iter()
        .filter(|index| index.uses(column))
        .map(|index| format!("index {}", id(&index.name)));
    let constraints = table
        .constraints
        .iter()
        .filter(|one| one.index.is_none() && one.columns().contains(column))
        .map(|one| format!("constraint {} ({})", id(&one.name), ids(one.columns())));
    indexes.chain(constraints).collect()
}

/// `text` with `word` replaced where it stands by itself.
fn replace_word(text: &str, word: &str, by: &str) -> String {
    let is_part =
        |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.' || c == '"');
    let mut out = String::with_capacity(text.len() + by.len());
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let (before, behind) = (rest[..at].chars().next_back(), rest[at + word.len()..].chars().next());
        out.push_str(&rest[..at]);
        out.push_str(if is_part(before) || is_part(behind) { word } else { by });
        rest = &rest[at + word.len()..];
    }
    out.push_str(rest);
    out
}
