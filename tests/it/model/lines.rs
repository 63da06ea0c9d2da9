//! What the model holds, one fact a line, as the catalogs show it.

use super::Facts;
use twostep::dialect::Dialect;
use twostep::name::{Name, TableName};
use twostep::schema::change::*;
use twostep::schema::model::*;
use twostep::sql::lex::{self, TokenKind};

/// Everything that the model holds.
pub fn of_model(schema: &Schema) -> Facts {
    let mut facts = Facts::new();
    for (key, table) in schema.tables.iter().filter(|(key, _)| key.schema != Some(Schema::temporary())) {
        let mut lines = vec![format!("columns {}", names(table.columns.iter().map(|column| &column.name)))];
        lines.extend(table.columns.iter().map(|column| of_column(column, schema.dialect)));
        lines.extend(table.indexes.iter().map(|index| of_index(index, schema.dialect)));
        lines.extend(table.constraints.iter().filter_map(|constraint| of_constraint(constraint)));
        lines.extend(table.triggers.iter().map(|trigger| format!("trigger {}", trigger.definition.name)));
        if let Some(of) = &table.partition_of {
            lines.push(format!("partition of {}", of.parent));
        }
        facts.insert(format!("table {key}"), lines);
    }
    for (key, view) in schema.views.iter() {
        let columns = view.columns.as_ref();
        let mut lines = vec![match columns {
            Some(columns) => format!("columns {}", names(columns.iter().map(|column| &column.name))),
            None => "columns not known".to_owned(),
        }];
        lines.extend(view.indexes.iter().map(|index| of_index(index, schema.dialect)));
        facts.insert(format!("view {key}"), lines);
    }
    for (key, sequence) in schema.sequences.iter() {
        let owner = sequence.owned_by.as_ref().map(|(table, column)| format!("{table}.{column}"));
        facts.insert(format!("sequence {key}"), vec![format!("owned by {}", owner.unwrap_or_default())]);
    }
    for (key, user_type) in schema.types.iter() {
        let line = match &user_type.kind {
            UserTypeKind::Enum(labels) => {
                labels.iter().map(|label| label.value.as_str()).collect::<Vec<_>>().join(",")
            }
            UserTypeKind::Domain(domain) => format!("domain {}", shown_type(&domain.base)),
            UserTypeKind::Composite(attributes) => names(attributes.iter().map(|(name, _)| name)),
            UserTypeKind::Range | UserTypeKind::Base | UserTypeKind::Unknown => String::new(),
        };
        facts.insert(format!("type {key}"), vec![line]);
    }
    for (key, routines) in schema.routines.iter() {
        let mut lines: Vec<String> = routines
            .iter()
            .map(|routine| routine.signature().into_iter().map(shown_type).collect::<Vec<_>>().join(","))
            .collect();
        lines.sort();
        facts.insert(format!("routine {key}"), lines);
    }
    facts
}

/// Each column with a default: its relation, its line, its type and its default, as they were written.
pub fn defaults(schema: &Schema) -> Vec<(String, String, String, String)> {
    let mut found = Vec::new();
    for (key, table) in schema.tables.iter() {
        for column in &table.columns {
            let expr = match (&column.default, &column.generation) {
                (Some(default), _) => default,
                (None, _) => continue,
            };
            let data_type = column.data_type.as_ref().map(ToString::to_string).unwrap_or_default();
            found.push((
                format!("table {key}"),
                of_column(column, schema.dialect),
                data_type,
                expr.text.clone(),
            ));
        }
    }
    found
}

fn names<'a>(names: impl Iterator<Item = &'a Name>) -> String {
    names.map(Name::as_str).collect::<Vec<_>>().join(",")
}

/// A type without its schema.
fn shown_type(data_type: &DataType) -> String {
    DataType { schema: None, ..data_type.clone() }.to_string()
}

fn of_column(column: &Column, dialect: Dialect) -> String {
    let mut line = format!("column {}", column.name);
    line.push_str(&format!(" {}", column.data_type.as_ref().map_or("?".to_owned(), shown_type)));
    line.push_str(match column.nullability {
        Nullability::NotNull => " not null",
        Nullability::Null => "",
        Nullability::Unstated => " null?",
    });
    if let Some(default) = &column.default {
        line.push_str(&format!(" default {}", normal(&default.text, dialect)));
    }
    match &column.generation {
        Some(Generation::Identity(identity)) => {
            line.push_str(if identity.always { " identity a" } else { " identity d" })
        }
        Some(Generation::Expression { expr, .. }) => {
            line.push_str(&format!(" generated {}", normal(&expr.text, dialect)))
        }
        Some(Generation::AutoIncrement) => line.push_str(" auto_increment"),
        Some(Generation::Serial) | None => {}
    }
    line
}

fn of_index(index: &Index, dialect: Dialect) -> String {
    let elements: Vec<String> = index
        .elements
        .iter()
        .map(|element| {
            let text = element
                .column
                .as_ref()
                .map_or_else(|| normal(&element.expr.text, dialect), ToString::to_string);
            let prefix = element.prefix.map(|length| format!("({length})")).unwrap_or_default();
            format!("{text}{prefix}{}", if element.descending { " desc" } else { "" })
        })
        .collect();
    format!(
        "index {}{} {} ({}){}{}{}",
        index.name,
        if index.unique { " unique" } else { "" },
        index.method.as_deref().unwrap_or("btree"),
        elements.join(","),
        if index.include.is_empty() {
            String::new()
        } else {
            format!(" include ({})", names(index.include.iter()))
        },
        index.predicate.as_ref().map(|_| " where").unwrap_or_default(),
        if index.valid { "" } else { " invalid" },
    )
}

fn of_constraint(constraint: &TableConstraint) -> Option<String> {
    let mut columns: Vec<&str> = constraint.columns().iter().map(Name::as_str).collect();
    let what = match &constraint.kind {
        ConstraintKind::Check(_) => {
            columns.sort_unstable();
            format!("check ({})", columns.join(","))
        }
        ConstraintKind::Unique(_) => format!("unique ({})", columns.join(",")),
        ConstraintKind::PrimaryKey(_) => format!("primary key ({})", columns.join(",")),
        ConstraintKind::Exclude(_) => "exclude".to_owned(),
        ConstraintKind::ForeignKey(key) => format!(
            "foreign key ({}) {} ({}) {} {}",
            columns.join(","),
            shown_table(&key.references),
            names(key.referenced_columns.iter()),
            action(key.on_delete),
            action(key.on_update)
        ),
        ConstraintKind::NotNull(_) => return None,
    };
    let flags = format!(
        "{}{}",
        if constraint.valid { "" } else { " not valid" },
        if constraint.deferrable { " deferrable" } else { "" }
    );
    Some(format!("constraint {} {what}{flags}", constraint.name))
}

fn shown_table(table: &TableName) -> String {
    table.to_string()
}

fn action(action: ForeignKeyAction) -> &'static str {
    match action {
        ForeignKeyAction::NoAction => "a",
        ForeignKeyAction::Restrict => "r",
        ForeignKeyAction::Cascade => "c",
        ForeignKeyAction::SetNull => "n",
        ForeignKeyAction::SetDefault => "d",
    }
}

/// An expression without what servers add or take away when they print it: casts, parentheses, case, blanks.
pub fn normal(text: &str, dialect: Dialect) -> String {
    let tokens: Vec<_> = lex::significant(text, dialect).collect();
    let mut out: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let word = token.text(text);
        match token.kind {
            TokenKind::Operator if word == "::" => {
                at = behind_type(&tokens, text, at + 1);
                continue;
            }
            TokenKind::Punct(b'(' | b')') => {}
            TokenKind::Word => out.push(match word.to_lowercase().as_str() {
                // The server knows it by another name.
                "current_timestamp" if dialect == Dialect::Mysql => "now".to_owned(),
                lowered => lowered.to_owned(),
            }),
            TokenKind::QuotedWord => out.push(word.trim_matches(['"', '`']).to_owned()),
            TokenKind::String => {
                let inner = word.trim_start_matches(['e', 'E']).trim_matches('\'');
                match inner {
                    "t" => out.push("true".to_owned()),
                    "f" => out.push("false".to_owned()),
                    _ => out.push(inner.to_owned()),
                }
            }
            _ => out.push(word.to_owned()),
        }
        at += 1;
    }
    // `- 1` is one number.
    out.join(" ").replace("- ", "-").replace("pg_catalog . ", "").replace("public . ", "")
}

/// The number of the token behind the type that starts at `at`.
fn behind_type(tokens: &[lex::Token], text: &str, at: usize) -> usize {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is_word(text, word));
    let punct = |at: usize, punct: u8| tokens.get(at).is_some_and(|token| token.is_punct(punct));
    let mut next = at + 1;
    while punct(next, b'.') {
        next += 2;
    }
    if is(next, "varying") || is(next, "precision") {
        next += 1;
    }
    if punct(next, b'(') {
        while tokens.get(next).is_some() && !punct(next, b')') {
            next += 1;
        }
        next += 1;
    }
    if is(next, "with") || is(next, "without") {
        next += 3;
    }
    while punct(next, b'[') {
        next += 2;
    }
    next
}
