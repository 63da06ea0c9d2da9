//! A schema as the server would hold it: what the statements so far have made, changed and dropped.

mod lookup;

pub use lookup::Relation;

use super::change::*;
use super::map::Map;
use super::seen::Seen;
use crate::dialect::Dialect;
use crate::name::{Name, ObjectName, TableName};
use std::sync::Arc;

/// Which statement did something: the number of the migration and that of the statement in it, both from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct When {
    /// The migration.
    pub migration: usize,
    /// The statement in it.
    pub statement: usize,
}

/// All objects of a database. A copy is cheap and shares what is the same.
///
/// Keys of the maps are full names, folded where the engine does not tell case apart; look up with the methods, which
/// follow `search_path` and fold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// Whose rules hold.
    pub dialect: Dialect,
    /// Where names without a schema are looked for; new objects go into the first.
    pub search_path: Arc<[Name]>,
    /// Schemas (MySQL: databases).
    pub schemas: Map<Name, Option<When>>,
    /// Tables, also partitioned, foreign and virtual ones.
    pub tables: Map<TableName, Arc<Table>>,
    /// Views, also materialized ones.
    pub views: Map<TableName, Arc<View>>,
    /// The table or materialized view of each index of PostgreSQL and SQLite, where indexes have names in a schema.
    pub index_tables: Map<ObjectName, TableName>,
    /// Sequences.
    pub sequences: Map<ObjectName, Arc<Sequence>>,
    /// Enums, domains, composite and other types.
    pub types: Map<ObjectName, Arc<UserType>>,
    /// Functions, procedures and aggregates: all that share a name.
    pub routines: Map<ObjectName, Arc<Vec<Arc<Routine>>>>,
    /// Extensions.
    pub extensions: Map<Name, Option<When>>,
    /// Objects that are known by name only.
    pub others: Map<(ObjectKind, ObjectName), Option<When>>,
    /// What was granted: on which object, to whom.
    pub grants: Map<(ObjectKind, ObjectName, Name), Arc<Vec<String>>>,
    /// Relations that statements have dropped or renamed away, and that nothing has made anew: these are not assumed.
    pub gone: Map<TableName, When>,
    /// The statement that is being applied: what it makes is stamped with it.
    pub now: When,
    /// How many statements could not be read that may have made tables or views: these are missing here.
    pub opaque: usize,
    /// What has ever been in it.
    pub seen: Seen,
}

/// How a table came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// A statement made it.
    #[default]
    Created,
    /// It was in the schema that the analysis started with.
    Given,
    /// No statement made it, but one uses it: it is taken to exist, with rows, and with columns that are not known.
    Assumed,
}

/// What is known of a table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rows {
    /// It was made empty, and no statement since has put rows in. (In an earlier deploy the running code has.)
    #[default]
    Empty,
    /// Statements have put rows in, or it was there before.
    Some,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its full name, as the server spells it.
    pub name: TableName,
    /// Whose rules hold.
    pub dialect: Dialect,
    /// What it is beyond a plain table.
    pub form: TableForm,
    /// How long its rows live.
    pub persistence: Persistence,
    /// Columns in order. Where `origin` is `Assumed`, only those that statements have named.
    pub columns: Vec<Arc<Column>>,
    /// Constraints, all with a name. PostgreSQL before 18 keeps NOT NULL at the column, and so does this.
    pub constraints: Vec<Arc<TableConstraint>>,
    /// Indexes, also those of constraints.
    pub indexes: Vec<Arc<Index>>,
    /// Triggers.
    pub triggers: Vec<Arc<Trigger>>,
    /// Rules (names).
    pub rules: Vec<Name>,
    /// Policies.
    pub policies: Vec<Arc<Policy>>,
    /// `ENABLE ROW LEVEL SECURITY`.
    pub row_security: bool,
    /// `FORCE ROW LEVEL SECURITY`.
    pub force_row_security: bool,
    /// By what updates and deletes are identified in logical replication.
    pub replica_identity: ReplicaIdentity,
    /// How it is divided, if it is.
    pub partition_by: Option<PartitionBy>,
    /// The table that it is a partition of, and which rows it holds.
    pub partition_of: Option<PartitionOf>,
    /// The tables that it inherits from.
    pub inherits: Vec<TableName>,
    /// Storage parameters and table options, names in lower case.
    pub options: Vec<(String, String)>,
    /// The owner, where a statement set one.
    pub owner: Option<Name>,
    /// What `COMMENT ON TABLE` has said (PostgreSQL).
    pub comment: Option<String>,
    /// How it came to be known.
    pub origin: Origin,
    /// What is known of its rows.
    pub rows: Rows,
    /// The statement that made it.
    pub created: Option<When>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: Name,
    /// Its type, where it is known.
    pub data_type: Option<DataType>,
    /// Whether it may be NULL, where that is known.
    pub nullability: Nullability,
    /// Its default.
    pub default: Option<Expr>,
    /// Where its values come from, beyond a default. A `serial` has its `nextval` as `default` as well.
    pub generation: Option<Generation>,
    /// MySQL `ON UPDATE CURRENT_TIMESTAMP`.
    pub on_update: Option<Expr>,
    /// Its collation, where one was given.
    pub collation: Option<String>,
    /// Its character set, where one was given.
    pub charset: Option<String>,
    /// MySQL: what its definition says of it.
    pub comment: Option<String>,
    /// MySQL: not shown by `SELECT *`.
    pub invisible: bool,
    /// Whether a parent table has it as well (so that it cannot be dropped here).
    pub inherited: bool,
    /// The statement that added it (for a column of `CREATE TABLE`: that one).
    pub created: Option<When>,
}

/// A constraint as the server holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableConstraint {
    /// Its name; the server's own choice where the text gives none.
    pub name: Name,
    /// What it demands; names of tables are full, and referenced columns are filled in.
    pub kind: ConstraintKind,
    /// Whether it is known to hold for all rows (not `NOT VALID`).
    pub valid: bool,
    /// Whether it is enforced.
    pub enforced: bool,
    /// `DEFERRABLE`.
    pub deferrable: bool,
    /// `INITIALLY DEFERRED`.
    pub initially_deferred: bool,
    /// `NO INHERIT`.
    pub no_inherit: bool,
    /// The index that serves it.
    pub index: Option<Name>,
    /// Whether it came from a parent table.
    pub inherited: bool,
    /// The statement that added it.
    pub created: Option<When>,
}

impl TableConstraint {
    /// The columns of this table that it speaks of.
    pub fn columns(&self) -> &[Name] {
        match &self.kind {
            ConstraintKind::Check(expr) => &expr.columns,
            ConstraintKind::ForeignKey(key) => &key.columns,
            ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => &key.columns,
            ConstraintKind::Exclude(_) => &[],
            ConstraintKind::NotNull(column) => std::slice::from_ref(column),
        }
    }
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name; the server's own choice where the text gives none.
    pub name: Name,
    /// `UNIQUE`.
    pub unique: bool,
    /// The index of the primary key.
    pub primary: bool,
    /// The method in lower case; none for the engine's usual one.
    pub method: Option<String>,
    /// Its key, in order.
    pub elements: Vec<IndexElement>,
    /// `INCLUDE`.
    pub include: Vec<Name>,
    /// `WHERE`.
    pub predicate: Option<Expr>,
    /// `NULLS NOT DISTINCT`.
    pub nulls_not_distinct: bool,
    /// MySQL: not used by the optimizer.
    pub invisible: bool,
    /// False where it is not used: left over by a failed `CONCURRENTLY`, or on a partitioned table, by `ON ONLY`.
    pub valid: bool,
    /// The constraint that it serves.
    pub constraint: Option<Name>,
    /// Made by MySQL for a foreign key: it goes as soon as another one serves its columns, also after the foreign key.
    pub generated: bool,
    /// On a partition: the index of the parent that it is a part of.
    pub part_of: Option<ObjectName>,
    /// The statement that made it.
    pub created: Option<When>,
}

impl Index {
    /// The names of its key's columns, where all of them are plain columns.
    pub fn plain_columns(&self) -> Option<Vec<&Name>> {
        self.elements.iter().map(|element| element.column.as_ref()).collect()
    }

    /// Whether `column` is anywhere in it.
    pub fn uses(&self, column: &Name) -> bool {
        self.elements.iter().any(|element| element.expr.columns.contains(column))
            || self.include.contains(column)
            || self.predicate.as_ref().is_some_and(|predicate| predicate.columns.contains(column))
    }
}

/// A trigger of a table or a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// As it was created.
    pub definition: Arc<CreateTrigger>,
    /// When it fires.
    pub state: FiringState,
    /// The statement that made it.
    pub created: Option<When>,
}

/// A column of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewColumn {
    /// Its name.
    pub name: Name,
    /// The type, where it is known.
    pub data_type: Option<DataType>,
    /// The relation and column that it passes on unchanged.
    pub source: Option<(TableName, Name)>,
}

/// What a view reads of one relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The relation, by its full name.
    pub relation: TableName,
    /// Its columns that the view names, or may name.
    pub columns: Vec<Name>,
}

/// A view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its full name.
    pub name: TableName,
    /// Whether it holds rows of its own.
    pub materialized: bool,
    /// Its columns, where they are known.
    pub columns: Option<Vec<ViewColumn>>,
    /// What it shows.
    pub query: Query,
    /// What it reads.
    pub reads: Vec<Dependency>,
    /// The functions that it calls.
    pub calls: Vec<ObjectName>,
    /// Options in lower case, and values.
    pub options: Vec<(String, String)>,
    /// Indexes of a materialized view.
    pub indexes: Vec<Arc<Index>>,
    /// `INSTEAD OF` triggers.
    pub triggers: Vec<Arc<Trigger>>,
    /// Whether a materialized view was filled.
    pub populated: bool,
    /// The statement that made it.
    pub created: Option<When>,
}

/// A sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// Its full name.
    pub name: ObjectName,
    /// Its options as far as they were said.
    pub options: SequenceOptions,
    /// The column that it goes with.
    pub owned_by: Option<(TableName, Name)>,
    /// Whether it is the inside of an identity column.
    pub identity: bool,
    /// The statement that made it.
    pub created: Option<When>,
}

/// A label of an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The label.
    pub value: String,
    /// The statement that added it.
    pub created: Option<When>,
}

/// What a type is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserTypeKind {
    /// Labels in order.
    Enum(Vec<Label>),
    /// Attributes in order.
    Composite(Vec<(Name, DataType)>),
    /// A domain.
    Domain(Box<Domain>),
    /// A range.
    Range,
    /// A base type.
    Base,
    /// No statement made it, but one uses it.
    Unknown,
}

/// A domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// What it is based on.
    pub base: DataType,
    /// Its default.
    pub default: Option<Expr>,
    /// `NOT NULL`.
    pub not_null: bool,
    /// Its checks: name, expression, and whether it is validated.
    pub checks: Vec<(Name, Expr, bool)>,
}

/// A type of the user's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserType {
    /// Its full name.
    pub name: ObjectName,
    /// What it is.
    pub kind: UserTypeKind,
    /// The statement that made it.
    pub created: Option<When>,
}

/// A function, procedure or aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routine {
    /// Its full name.
    pub name: ObjectName,
    /// As it was created.
    pub definition: Arc<CreateRoutine>,
    /// The statement that made it.
    pub created: Option<When>,
    /// The statement that replaced it last.
    pub replaced: Option<When>,
}

impl Routine {
    /// The types of its input arguments: what tells it from others of its name.
    pub fn signature(&self) -> Vec<&DataType> {
        signature(&self.definition.arguments)
    }
}

/// The types of the input arguments among `arguments`.
pub fn signature(arguments: &[Argument]) -> Vec<&DataType> {
    arguments
        .iter()
        .filter(|argument| !matches!(argument.mode, ArgumentMode::Out | ArgumentMode::Table))
        .map(|argument| &argument.data_type)
        .collect()
}

/// `name` as the server stores it: PostgreSQL cuts it to 63 bytes
/// (<https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS>).
pub fn stored(name: &Name, dialect: Dialect) -> Name {
    const LIMIT: usize = 63;
    let text = name.as_str();
    if dialect != Dialect::Postgres || text.len() <= LIMIT {
        return name.clone();
    }
    let end = (0..=LIMIT).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    Name::new(&text[..end])
}

/// Whether two names of columns, constraints or indexes are the same to the engine.
pub fn same(one: &Name, other: &Name, dialect: Dialect) -> bool {
    match dialect {
        Dialect::Postgres => {
            let long = one.as_str().len().max(other.as_str().len()) > 63;
            one == other || long && stored(one, dialect) == stored(other, dialect)
        }
        Dialect::Mysql | Dialect::Sqlite => {
            one == other || one.as_str().to_lowercase() == other.as_str().to_lowercase()
        }
    }
}
