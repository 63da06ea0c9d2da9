//! Identities: the sequence behind one, and its options.

use super::sql;
use super::subject::Subject;
use crate::name::{Name, TableName};
use crate::schema::change::SequenceOptions;

/// The sequence of an identity by its name, as far as the schema tells.
pub(super) fn sequence(subject: &Subject<'_>, column: &Name) -> Option<TableName> {
    let table = &subject.table?.name;
    let owned = |owner: &Option<(TableName, Name)>| {
        owner.as_ref().is_some_and(|(of, name)| of == table && name == column)
    };
    let found = subject.schema.sequences.iter().find(|(_, sequence)| owned(&sequence.owned_by));
    found.map(|(_, sequence)| sequence.name.clone())
}

/// The options of a sequence, each as SQL.
pub(super) fn parts(options: &SequenceOptions) -> Vec<String> {
    let mut parts = Vec::new();
    if let Some(name) = &options.name {
        parts.push(format!("SEQUENCE NAME {}", sql(name)));
    }
    let number = |word: &str, value: Option<i64>| value.map(|value| format!("{word} {value}"));
    parts.extend(number("INCREMENT BY", options.increment));
    let bound = |word: &str, value: Option<Option<i64>>| {
        value.map(|value| value.map_or_else(|| format!("NO {word}"), |value| format!("{word} {value}")))
    };
    parts.extend(bound("MINVALUE", options.min));
    parts.extend(bound("MAXVALUE", options.max));
    parts.extend(number("START WITH", options.start));
    parts.extend(number("CACHE", options.cache));
    if let Some(cycle) = options.cycle {
        parts.push(if cycle { "CYCLE" } else { "NO CYCLE" }.to_owned());
    }
    parts
}
