//! All knowledge of dialects: one folder per engine, what a statement does (`lower`), and the questions that the
//! runner asks of any of them (`transaction`, `session`, `locks`).

pub mod backfill;
pub mod effects;
mod foreign_types;
mod guess;
pub mod locks;
pub mod mysql;
pub mod postgres;
pub mod proposal;
pub mod query;
mod reach;
pub mod read;
mod scratch;
pub mod session;
pub mod sqlite;
pub mod transaction;
pub mod update;
pub mod version;
mod widths;

pub use foreign_types::foreign_type;
pub use guess::guess;
pub use locks::{LockMode, LockRequest, relations_locked, table_made, touches_rows_only};
pub use reach::reaches_beyond_database;
pub use scratch::{breaks_prepared_shapes, has_one_writer, held_query, prepare_sql};
pub use session::{
    LeftBehind, Resume, Scope, SessionChange, asks_for_the_last, inserts, keep, lacks, left_behind,
    only_session, put_back, resume, session_changes, user_variables,
};
pub use transaction::{
    Conflict, ConflictKind, TransactionControl, may_end_transactions, may_run_in_transaction,
    transaction_conflict, transaction_control,
};
pub use widths::{fits, is_narrower, is_other_number, is_same_kind, is_widest, lacks_operator, own_labels};

use crate::dialect::Dialect;
use crate::name::Name;
use crate::schema::change::{Change, Expr, Nullability, Volatility};
use crate::schema::model::{Schema, Table};
use crate::sql::lex::{TokenKind, significant};
use crate::text::Span;
use effects::{Effects, Session};
use proposal::{Apart, Given, Proposal, Undo};
use version::{Product, ServerVersion};

/// All engines.
pub const ALL_ENGINES: &[Dialect] = &Dialect::ALL;
/// PostgreSQL alone.
pub const POSTGRES: &[Dialect] = &[Dialect::Postgres];
/// MySQL and MariaDB alone.
pub const MYSQL: &[Dialect] = &[Dialect::Mysql];
/// SQLite alone.
pub const SQLITE: &[Dialect] = &[Dialect::Sqlite];
/// The servers.
pub const POSTGRES_AND_MYSQL: &[Dialect] = &[Dialect::Postgres, Dialect::Mysql];
/// Rules about engines that refuse some statements in a transaction.
pub const POSTGRES_AND_SQLITE: &[Dialect] = &[Dialect::Postgres, Dialect::Sqlite];

/// What the one statement `text` does, in order; nothing for an empty one. It never fails: what it cannot read
/// becomes [`crate::schema::change::ChangeKind::Opaque`].
pub fn lower(text: &str, dialect: Dialect) -> Vec<Change> {
    match dialect {
        Dialect::Postgres => postgres::lower::lower(text),
        Dialect::Sqlite => sqlite::lower::lower(text),
        Dialect::Mysql => mysql::lower::lower(text),
    }
}

/// What tells the triggers of a table that a backfill of a plan writes its rows, and that it has ended; none where a plan
/// needs none.
pub fn told_of_backfill(dialect: Dialect) -> Option<(&'static str, &'static str)> {
    match dialect {
        Dialect::Mysql => Some(("SET @twostep_backfill = 1", "SET @twostep_backfill = 0")),
        Dialect::Postgres => Some(("SET twostep.backfill = 'on'", "RESET twostep.backfill")),
        Dialect::Sqlite => None,
    }
}

/// Whether a rollback takes back what statements have done to the schema.
pub fn rolls_back_schema(dialect: Dialect) -> bool {
    match dialect {
        Dialect::Postgres | Dialect::Sqlite => true,
        // Each statement that changes the schema commits
        // (<https://dev.mysql.com/doc/refman/8.4/en/implicit-commit.html>).
        Dialect::Mysql => false,
    }
}

/// What `change` does to everyone else on a server of `version`, given the schema `before` it.
pub fn effects(change: &Change, before: &Schema, version: ServerVersion, session: Session) -> Effects {
    match before.dialect {
        Dialect::Postgres => postgres::effects::effects(change, before, version.number, session.utc),
        Dialect::Mysql => mysql::effects::effects(change, before, version, session),
        Dialect::Sqlite => sqlite::effects::effects(change, before),
    }
}

/// Why the server refuses `change`, given the schema `before` it and the `effects` of its statement, as far as that is
/// certain.
pub fn refuses(change: &Change, before: &Schema, effects: &Effects) -> Option<String> {
    match before.dialect {
        Dialect::Postgres => None,
        Dialect::Mysql => mysql::effects::refuses(change, effects),
        Dialect::Sqlite => sqlite::effects::refuses(change, before),
    }
}

/// What a whole statement does to everyone else: all of its `changes`, each with the schema before it. On MySQL the
/// actions of one `ALTER TABLE` are carried out together, by the algorithm that suits all of them.
pub fn statement_effects(
    changes: &[(&Change, &Schema)],
    version: ServerVersion,
    session: Session,
) -> Effects {
    let mut all = Effects::default();
    match changes.first().map(|(_, before)| before.dialect) {
        Some(Dialect::Mysql) => return mysql::effects::statement_effects(changes, version, session),
        Some(Dialect::Postgres | Dialect::Sqlite) | None => {}
    }
    for (change, before) in changes {
        all.merge(effects(change, before, version, session));
    }
    all
}

/// The two steps that do without harm what `change` does on a server of `version`, given the schema `before` it; none
/// where none are known, or none are needed. `text` is what the change says.
pub fn propose(
    change: &Change,
    text: &str,
    before: &Schema,
    version: ServerVersion,
    given: &Given,
) -> Option<Proposal> {
    match before.dialect {
        Dialect::Postgres => postgres::proposal::propose(change, text, before, version.number, given),
        Dialect::Mysql => mysql::proposal::propose(change, text, before, version, given),
        Dialect::Sqlite => sqlite::proposal::propose(change, text, before, version, given),
    }
}

/// `text`, a statement of these `changes`, each with the schema before it, so that the server refuses it where it could
/// not do it in the way that is expected, and takes it a second time where nothing takes it back.
pub fn explicit(text: &str, changes: &[(&Change, &Schema)], version: ServerVersion) -> String {
    match changes.first().map(|(_, before)| before.dialect) {
        Some(Dialect::Mysql) => mysql::proposal::explicit(text, changes, version),
        Some(Dialect::Postgres) => postgres::proposal::repeatable(text, changes),
        Some(Dialect::Sqlite) | None => text.to_owned(),
    }
}

/// The locks of a chunk of a backfill, as the engine calls them, and who waits for them.
pub fn row_locks(dialect: Dialect) -> (String, String) {
    let (lock, waits) = match dialect {
        Dialect::Postgres => ("ROW EXCLUSIVE", "for a row of the chunk"),
        Dialect::Mysql => (mysql::effects::table::ROWS.name, "for a row of the chunk"),
        Dialect::Sqlite => (sqlite::effects::WRITER.name, "writes, for a chunk"),
    };
    (lock.to_owned(), waits.to_owned())
}

/// The column that the two steps of `change` keep twice until the contract; none where they need not.
pub fn apart(change: &Change, before: &Schema) -> Option<Apart> {
    match before.dialect {
        Dialect::Postgres => postgres::proposal::apart(change, before),
        Dialect::Mysql => mysql::proposal::apart(change, before),
        Dialect::Sqlite => None,
    }
}

/// The columns of a key of `table` that no two rows share and that is never NULL: what a backfill goes through it by.
pub fn key_of(table: &Table) -> Vec<Name> {
    if let Some(key) = (table.dialect == Dialect::Sqlite).then(|| sqlite::backfill::key_of(table)).flatten() {
        return key;
    }
    if let Some(key) = table.primary_key() {
        return key.columns().to_vec();
    }
    let required =
        |name: &Name| table.column(name).is_some_and(|column| column.nullability == Nullability::NotNull);
    let unique =
        table.indexes.iter().filter(|index| index.unique && index.predicate.is_none() && index.valid);
    let mut keys = unique.filter_map(|index| {
        let columns: Vec<Name> = index.plain_columns()?.into_iter().cloned().collect();
        columns.iter().all(required).then_some(columns)
    });
    keys.next().unwrap_or_default()
}

/// What takes `change` back, given the schema `before` it; none where that is not known.
pub fn undo(change: &Change, before: &Schema, version: ServerVersion) -> Option<Undo> {
    match before.dialect {
        Dialect::Postgres => postgres::proposal::undo(change, before, version.number),
        Dialect::Mysql => mysql::proposal::undo(change, before, version),
        Dialect::Sqlite => sqlite::proposal::undo(change, before),
    }
}

/// How volatile `expr` is, with the functions that `schema` knows.
pub fn volatility(expr: &Expr, schema: &Schema) -> Volatility {
    match schema.dialect {
        Dialect::Postgres => postgres::effects::volatility(expr, schema),
        Dialect::Mysql | Dialect::Sqlite => expr.volatility,
    }
}

/// Whether the server has generated columns that are computed when they are read.
pub fn has_virtual_columns(server: ServerVersion) -> bool {
    match server.product {
        Product::Postgres => server.at_least((18, 0, 0)),
        Product::Mysql | Product::Mariadb | Product::Sqlite => true,
    }
}

/// Whether a constraint can be added that rows which are there need not satisfy (`NOT VALID`).
pub fn has_not_valid(dialect: Dialect) -> bool {
    match dialect {
        Dialect::Postgres => true,
        Dialect::Mysql | Dialect::Sqlite => false,
    }
}

/// Whether a unique constraint is nothing but a unique index, and built like one.
pub fn is_unique_an_index(dialect: Dialect) -> bool {
    match dialect {
        Dialect::Mysql => true,
        Dialect::Postgres | Dialect::Sqlite => false,
    }
}

/// Whether two spellings of a table's name that differ in capitals alone may be two tables: on MySQL by default wherever
/// the file system tells them apart
/// (<https://dev.mysql.com/doc/refman/8.4/en/identifier-case-sensitivity.html>).
pub fn tells_tables_by_capitals(dialect: Dialect) -> bool {
    match dialect {
        Dialect::Mysql => true,
        Dialect::Postgres | Dialect::Sqlite => false,
    }
}

/// Whether `ALTER TABLE` can do so little that tables are made anew instead.
pub fn alters_little(dialect: Dialect) -> bool {
    match dialect {
        Dialect::Sqlite => true,
        Dialect::Postgres | Dialect::Mysql => false,
    }
}

/// The first name in `text` that the engine cuts because it is too long, and where it stands.
pub fn long_identifier(text: &str, dialect: Dialect) -> Option<(Name, Span)> {
    const LIMIT: usize = 63;
    match dialect {
        Dialect::Postgres => {}
        // They refuse it, so nobody is surprised later.
        Dialect::Mysql | Dialect::Sqlite => return None,
    }
    significant(text, dialect).find_map(|token| {
        let word = token.text(text);
        let name = match token.kind {
            TokenKind::Word => Name::unquoted(word, dialect),
            TokenKind::QuotedWord => Name::new(word.trim_matches('"')),
            _ => return None,
        };
        (name.as_str().len() > LIMIT).then_some((name, token.span))
    })
}
