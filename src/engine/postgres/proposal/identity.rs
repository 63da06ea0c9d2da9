//! Identities: a column becomes one, stops being one, and what is known of the sequence behind it.

use super::subject::Subject;
use super::{id, sql};
use crate::engine::proposal::{Action, Back, Missing, Proposal, Stage, Undo};
use crate::name::{Name, TableName, plain_literal};
use crate::schema::change::{Generation, Identity, SequenceOptions};

/// `ADD GENERATED … AS IDENTITY`: by default only at first, since the running code gives the numbers itself.
pub(super) fn add(subject: &Subject<'_>, column: &Name, identity: &Identity) -> Proposal {
    let (table, name) = (subject.sql(), id(column));
    let mut proposal = Proposal::default();
    let mut missing = |why: String| proposal.missing.push(Missing::Other(why));
    match subject.column(column) {
        None => missing(format!("no migration makes `{table}.{name}`")),
        Some(known) => {
            if !subject.is_required(column) {
                missing(format!("`{name}` may be NULL, which an identity may not: SET NOT NULL first"));
            }
            if known.default.is_some() {
                missing(format!(
                    "`{name}` has a default, beside which the server takes no identity: DROP DEFAULT first, in the same migration"
                ));
            }
        }
    }
    if subject.is_renumbered(column) {
        let about = "Its numbers are an identity's, where they were a sequence's.";
        let mut add = made(subject, column, identity.always, &identity.options, about);
        let lock = format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
        let drop = format!("ALTER TABLE {table} ALTER COLUMN {name} DROP IDENTITY");
        add.undo = Undo::Together(vec![lock, remember(subject, column).sql, drop]);
        proposal.expand = vec![Stage::Together(vec![add, put_back(subject, column)])];
        return proposal;
    }
    let about = "A row that gives no number gets one; rows may still give theirs.";
    let make = made(subject, column, false, &identity.options, about);
    proposal.expand = vec![Stage::Together(vec![make])];
    proposal.expand.extend(go_on(subject, column, &identity.options));
    proposal.limits.push(format!(
        "older code makes numbers for {name} by itself: they must not meet those of the new code's sequence"
    ));
    if identity.always {
        only_the_servers(subject, column, &mut proposal);
    }
    proposal
}

/// `SET GENERATED ALWAYS`, which refuses what running code may give.
pub(super) fn set(
    subject: &Subject<'_>,
    column: &Name,
    always: Option<bool>,
    options: &SequenceOptions,
) -> Option<Proposal> {
    if always != Some(true) || *options != SequenceOptions::default() {
        return None;
    }
    let mut proposal = Proposal::default();
    only_the_servers(subject, column, &mut proposal);
    Some(proposal)
}

/// The contract by which only the server numbers the column.
fn only_the_servers(subject: &Subject<'_>, column: &Name, proposal: &mut Proposal) {
    let (table, name) = (subject.sql(), id(column));
    let alter = |how: &str, about: &str| {
        Stage::Together(vec![Action::new(
            about,
            format!("ALTER TABLE {table} ALTER COLUMN {name} SET GENERATED {how}"),
        )])
    };
    proposal.code = format!("it gives no {name} in its inserts, or says OVERRIDING SYSTEM VALUE");
    proposal.contract = vec![alter("ALWAYS", "No code gives its own numbers any more.")];
    proposal.back = Back::Stages(vec![alter("BY DEFAULT", "")]);
}

/// `DROP IDENTITY`: rows that give no number are refused from then on.
pub(super) fn drop(subject: &Subject<'_>, column: &Name, if_exists: bool) -> Proposal {
    let (table, name) = (subject.sql(), id(column));
    let exists = if if_exists { " IF EXISTS" } else { "" };
    let mut proposal = Proposal {
        code: format!("it gives {name} in every insert"),
        contract: vec![Stage::Together(vec![Action::new(
            "All code gives its own numbers now. Its sequence goes with it.",
            format!("ALTER TABLE {table} ALTER COLUMN {name} DROP IDENTITY{exists}"),
        )])],
        back: Back::Authors,
        ..Proposal::default()
    };
    let known = subject.column(column).and_then(|known| known.generation.as_ref());
    if let Some(Generation::Identity(known)) = known {
        let again = made(subject, column, known.always, &known.options, "");
        let mut back = vec![Stage::Together(vec![again])];
        back.extend(go_on(subject, column, &SequenceOptions::default()));
        proposal.back = Back::Stages(back);
    }
    proposal
}

/// What lets a sequence go on behind the greatest number that is there, where nothing else is said of its beginning: a
/// new one begins at 1, and would meet them.
fn go_on(subject: &Subject<'_>, column: &Name, options: &SequenceOptions) -> Option<Stage> {
    let is_said = options.start.is_some() || options.increment.is_some_and(|by| by < 0);
    if is_said {
        return None;
    }
    let (table, name) = (subject.sql(), id(column));
    Some(Stage::Alone(Action::new(
        "Its numbers begin behind the greatest one that is there.",
        format!(
            "SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence({}, {}), (SELECT max({name}) FROM {table}))",
            plain_literal(&table),
            plain_literal(column.as_str()),
        ),
    )))
}

/// Writes down where the numbers of a column stand, for the rest of a transaction that has locked its table.
pub(super) fn remember(subject: &Subject<'_>, column: &Name) -> Action {
    let sequence = behind(subject, column);
    Action::new(
        "Where its numbers stand.",
        format!(
            "SELECT pg_catalog.set_config('{SETTING}', coalesce(pg_catalog.pg_sequence_last_value({sequence}::pg_catalog.regclass)::text, ''), true)"
        ),
    )
}

/// Lets the sequence behind a column go on where the numbers stood.
pub(super) fn put_back(subject: &Subject<'_>, column: &Name) -> Action {
    let sequence = behind(subject, column);
    Action::new(
        "Its numbers go on where they stood.",
        format!(
            "SELECT pg_catalog.setval({sequence}::pg_catalog.regclass, nullif(pg_catalog.current_setting('{SETTING}'), '')::bigint)"
        ),
    )
}

/// Where it is written down: a setting that ends with the transaction.
const SETTING: &str = "twostep.numbers";

/// The sequence that a column owns, as SQL.
fn behind(subject: &Subject<'_>, column: &Name) -> String {
    let (table, column) = (plain_literal(&subject.sql()), plain_literal(column.as_str()));
    format!("pg_catalog.pg_get_serial_sequence({table}, {column})")
}

/// A column with a default from `sequence`, which `create` makes, that becomes an identity: all in one transaction, since between
/// two of these statements a row would get no number.
pub(super) fn instead_of_default(
    subject: &Subject<'_>,
    column: &Name,
    sequence: &str,
    create: &str,
    identity: &Identity,
) -> Vec<Action> {
    let (table, name) = (subject.sql(), id(column));
    let about = if identity.always {
        "twostep: allow alter-identity because no running code gives a value to a column that is new"
    } else {
        ""
    };
    let mut add = made(subject, column, identity.always, &identity.options, about);
    add.undo = Undo::Together(vec![
        format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"),
        remember(subject, column).sql,
        format!("ALTER TABLE {table} ALTER COLUMN {name} DROP IDENTITY"),
        create.to_owned(),
        format!("ALTER SEQUENCE {sequence} OWNED BY {table}.{name}"),
        format!("ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT nextval({})", plain_literal(sequence)),
        put_back(subject, column).sql,
    ]);
    vec![
        Action::new(
            "In one moment its numbers are those of an identity.",
            format!("ALTER TABLE {table} ALTER COLUMN {name} DROP DEFAULT"),
        ),
        remember(subject, column),
        Action::new("", format!("DROP SEQUENCE {sequence}")),
        add,
        put_back(subject, column),
    ]
}

/// `ADD GENERATED … AS IDENTITY`.
fn made(
    subject: &Subject<'_>,
    column: &Name,
    always: bool,
    options: &SequenceOptions,
    about: &str,
) -> Action {
    let (table, name, options) = (subject.sql(), id(column), in_parentheses(options));
    let when = if always { "ALWAYS" } else { "BY DEFAULT" };
    Action::new(
        about,
        format!("ALTER TABLE {table} ALTER COLUMN {name} ADD GENERATED {when} AS IDENTITY{options}"),
    )
    .undone_by(format!("ALTER TABLE {table} ALTER COLUMN {name} DROP IDENTITY"))
}

/// The sequence of an identity by its name, as far as the schema tells.
pub(super) fn sequence(subject: &Subject<'_>, column: &Name) -> Option<TableName> {
    let table = &subject.table?.name;
    let owned = |owner: &Option<(TableName, Name)>| {
        owner.as_ref().is_some_and(|(of, name)| of == table && name == column)
    };
    let found = subject.schema.sequences.iter().find(|(_, sequence)| owned(&sequence.owned_by));
    found.map(|(_, sequence)| sequence.name.clone())
}

/// The options of a sequence in parentheses, as an identity takes them.
fn in_parentheses(options: &SequenceOptions) -> String {
    let parts = parts(options);
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(" ")) }
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
