//! The list of changes, and those that concern any kind of object.

use super::alter::{AlterTable, TableAction};
use super::dml::*;
use super::expr::DataType;
use super::object::*;
use super::table::CreateTable;
use crate::name::{Name, ObjectName, TableName};
use crate::text::Span;

/// One thing that a statement does. A statement gives one change or several, in order: an `ALTER TABLE` one for each
/// action, a `DROP` one for each object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where it stands in its statement.
    pub span: Span,
    /// How the statement comes to it.
    pub via: Via,
    /// What it does.
    pub kind: ChangeKind,
}

/// How a statement comes to a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// The statement says it.
    Statement,
    /// It stands in a `DO` block (or MariaDB `BEGIN NOT ATOMIC`).
    Block {
        /// It is run only under a condition, or in a loop.
        conditional: bool,
    },
    /// The statement calls a routine of an earlier statement, in which it stands; the span is that of the call.
    Call {
        /// The routine.
        routine: ObjectName,
        /// It is run only under a condition, or in a loop.
        conditional: bool,
    },
}

impl Via {
    /// Whether it may be skipped when the statement runs.
    pub fn is_conditional(&self) -> bool {
        match self {
            Via::Statement => false,
            Via::Block { conditional } | Via::Call { conditional, .. } => *conditional,
        }
    }
}

impl Change {
    /// A change that its statement says itself.
    pub fn new(span: Span, kind: ChangeKind) -> Self {
        Self { span, via: Via::Statement, kind }
    }

    /// The action and what its statement says around it, if it is one of `ALTER TABLE`.
    pub fn table_action(&self) -> Option<(&AlterTable, &TableAction)> {
        match &self.kind {
            ChangeKind::AlterTable(alter) => Some((alter, &alter.action)),
            _ => None,
        }
    }
}

/// What `COMMENT ON` or `SECURITY LABEL` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A comment; none where it is taken away.
    Comment(Option<String>),
    /// A label.
    Label,
}

/// What a [`Change`] does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// `CREATE TABLE`.
    CreateTable(Box<CreateTable>),
    /// One action of `ALTER TABLE`, `ALTER VIEW`, `ALTER FOREIGN TABLE`, `RENAME TABLE`.
    AlterTable(Box<AlterTable>),
    /// `CREATE INDEX`.
    CreateIndex(Box<CreateIndex>),
    /// `ALTER INDEX`.
    AlterIndex {
        /// The index.
        name: ObjectName,
        /// What is done.
        action: IndexAction,
    },
    /// `REINDEX`.
    Reindex(Reindex),
    /// `CREATE VIEW`, `CREATE MATERIALIZED VIEW`.
    CreateView(Box<CreateView>),
    /// `REFRESH MATERIALIZED VIEW`.
    RefreshMaterializedView {
        /// The view.
        name: TableName,
        /// `CONCURRENTLY`.
        concurrently: bool,
        /// `WITH NO DATA`.
        no_data: bool,
    },
    /// `CREATE SEQUENCE`.
    CreateSequence {
        /// The sequence.
        name: ObjectName,
        /// `IF NOT EXISTS`.
        if_not_exists: bool,
        /// `TEMPORARY`.
        temporary: bool,
        /// Its options.
        options: SequenceOptions,
    },
    /// `ALTER SEQUENCE`.
    AlterSequence {
        /// The sequence.
        name: ObjectName,
        /// `IF EXISTS`.
        if_exists: bool,
        /// What changes.
        options: SequenceOptions,
    },
    /// `CREATE TYPE`.
    CreateType {
        /// The type.
        name: ObjectName,
        /// What it is.
        definition: TypeDefinition,
    },
    /// `ALTER TYPE`.
    AlterType {
        /// The type.
        name: ObjectName,
        /// What is done.
        action: TypeAction,
    },
    /// `CREATE DOMAIN`.
    CreateDomain(Box<CreateDomain>),
    /// `ALTER DOMAIN`.
    AlterDomain {
        /// The domain.
        name: ObjectName,
        /// What is done.
        action: DomainAction,
    },
    /// `CREATE FUNCTION`, `CREATE PROCEDURE`, `CREATE AGGREGATE`.
    CreateRoutine(Box<CreateRoutine>),
    /// `ALTER FUNCTION`, `ALTER PROCEDURE`: its options.
    AlterRoutine {
        /// What it is.
        kind: RoutineKind,
        /// Its name.
        name: ObjectName,
        /// The types of its arguments, where given.
        arguments: Option<Vec<DataType>>,
        /// What is set, in upper case keywords.
        what: String,
    },
    /// `CREATE TRIGGER`.
    CreateTrigger(Box<CreateTrigger>),
    /// `CREATE RULE`.
    CreateRule(CreateRule),
    /// `CREATE POLICY`.
    CreatePolicy(Box<Policy>),
    /// `ALTER POLICY`.
    AlterPolicy(Box<Policy>),
    /// `CREATE SCHEMA`, MySQL `CREATE DATABASE` (the same thing there). What stands inside it follows as changes.
    CreateSchema {
        /// The schema.
        name: Name,
        /// `IF NOT EXISTS`.
        if_not_exists: bool,
    },
    /// `CREATE EXTENSION`.
    CreateExtension(CreateExtension),
    /// `CREATE` of an object that the model holds by name only (role, publication, statistics, operator, …).
    CreateOther {
        /// What kind of object.
        object: ObjectKind,
        /// Its name, where it has one.
        name: Option<ObjectName>,
        /// The table that it belongs to, where it belongs to one.
        on: Option<TableName>,
        /// `IF NOT EXISTS` or `OR REPLACE`.
        tolerant: bool,
    },
    /// `ALTER` of an object that the model holds by name only, or of options that it does not hold.
    AlterOther {
        /// What kind of object.
        object: ObjectKind,
        /// Its name, where it has one.
        name: Option<ObjectName>,
        /// What is done, as written behind the name.
        what: String,
    },
    /// `DROP` of one object.
    Drop(Box<DropObject>),
    /// `RENAME` of one object that is not a table or a column of one.
    Rename(Box<RenameObject>),
    /// `ALTER … SET SCHEMA` of one object that is not a table.
    SetSchema {
        /// What kind of object.
        object: ObjectKind,
        /// Its name.
        name: ObjectName,
        /// The types of a routine's arguments, where given.
        arguments: Option<Vec<DataType>>,
        /// The new schema.
        schema: Name,
    },
    /// `ALTER … OWNER TO` of one object that is not a table; `REASSIGN OWNED`.
    SetOwner {
        /// What kind of object.
        object: ObjectKind,
        /// Its name; none for `REASSIGN OWNED`.
        name: Option<ObjectName>,
        /// The new owner.
        owner: Name,
    },
    /// `COMMENT ON`, `SECURITY LABEL`.
    Comment {
        /// On what.
        object: ObjectKind,
        /// Its name; for a column that of its table.
        name: ObjectName,
        /// The column, if it is on one.
        column: Option<Name>,
        /// What is said.
        said: Said,
    },
    /// `GRANT`.
    Grant(Privileges),
    /// `REVOKE`.
    Revoke(Privileges),
    /// `ALTER DEFAULT PRIVILEGES`.
    DefaultPrivileges {
        /// Whether it takes away.
        revokes: bool,
    },
    /// `INSERT`, `REPLACE`.
    Insert(Box<Insert>),
    /// `UPDATE`.
    Update(Box<Update>),
    /// `DELETE`.
    Delete(Box<Delete>),
    /// `TRUNCATE`.
    Truncate(Truncate),
    /// `COPY`, `LOAD DATA`.
    Copy(CopyRows),
    /// `MERGE`.
    Merge(Box<Merge>),
    /// `SELECT` and its like.
    Select(Box<Select>),
    /// `CALL`.
    Call(CallRoutine),
    /// `LOCK TABLE`.
    LockTable(LockTable),
    /// `VACUUM`.
    Vacuum(Vacuum),
    /// `ANALYZE`, MySQL `ANALYZE TABLE`.
    Analyze {
        /// The table; none for all of them.
        table: Option<TableName>,
    },
    /// `CLUSTER`.
    Cluster {
        /// The table; none for all that were clustered before.
        table: Option<TableName>,
        /// The index.
        index: Option<Name>,
    },
    /// MySQL `OPTIMIZE TABLE`: a rebuild.
    Optimize {
        /// The table.
        table: TableName,
    },
    /// `SET`, `RESET`, `PRAGMA`, `USE`.
    SetVariable(SetVariable),
    /// `BEGIN`, `COMMIT`, ….
    Transaction(TransactionControl),
    /// A `DO` block: its static statements follow as changes of their own.
    Block {
        /// Its language in lower case.
        language: String,
        /// Its body; its `changes` are empty, for they follow.
        body: RoutineBody,
    },
    /// A statement that changes neither schema nor rows nor settings (`EXPLAIN`, `SHOW`, `NOTIFY`, `CHECKPOINT`, …).
    Harmless {
        /// Its first keyword in upper case.
        what: String,
    },
    /// What could not be read.
    Opaque(Opaque),
}

/// What could not be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opaque {
    /// What kind of hole in our knowledge it is.
    pub reason: OpaqueReason,
    /// One line: what was expected, and what was found.
    pub why: String,
    /// Whether it may make tables or views, as far as its first words tell.
    pub may_make: bool,
}

/// What kind of hole in our knowledge something opaque is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpaqueReason {
    /// Not SQL of this engine, as far as its grammar is known; the change's span begins at the first wrong word.
    Syntax,
    /// A kind of statement that is not known.
    Unknown,
    /// SQL that is put together when it runs.
    Dynamic,
    /// A line for psql or the mysql client, or a program.
    Client,
}

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // The variants are the keywords of SQL.
pub enum ObjectKind {
    Table,
    ForeignTable,
    View,
    MaterializedView,
    Column,
    Constraint,
    Index,
    Sequence,
    Type,
    Domain,
    Function,
    Procedure,
    Routine,
    Aggregate,
    Trigger,
    EventTrigger,
    Rule,
    Policy,
    Schema,
    Database,
    Extension,
    Role,
    Collation,
    Conversion,
    Cast,
    Operator,
    OperatorClass,
    OperatorFamily,
    AccessMethod,
    Transform,
    Language,
    LargeObject,
    Statistics,
    TextSearch,
    Publication,
    Subscription,
    ForeignServer,
    ForeignDataWrapper,
    UserMapping,
    Tablespace,
    System,
    Event,
    Owned,
}

impl ObjectKind {
    /// Its name in prose, in lower case.
    pub const fn title(self) -> &'static str {
        match self {
            ObjectKind::Table => "table",
            ObjectKind::ForeignTable => "foreign table",
            ObjectKind::View => "view",
            ObjectKind::MaterializedView => "materialized view",
            ObjectKind::Column => "column",
            ObjectKind::Constraint => "constraint",
            ObjectKind::Index => "index",
            ObjectKind::Sequence => "sequence",
            ObjectKind::Type => "type",
            ObjectKind::Domain => "domain",
            ObjectKind::Function => "function",
            ObjectKind::Procedure => "procedure",
            ObjectKind::Routine => "routine",
            ObjectKind::Aggregate => "aggregate",
            ObjectKind::Trigger => "trigger",
            ObjectKind::EventTrigger => "event trigger",
            ObjectKind::Rule => "rule",
            ObjectKind::Policy => "policy",
            ObjectKind::Schema => "schema",
            ObjectKind::Database => "database",
            ObjectKind::Extension => "extension",
            ObjectKind::Role => "role",
            ObjectKind::Collation => "collation",
            ObjectKind::Conversion => "conversion",
            ObjectKind::Cast => "cast",
            ObjectKind::Operator => "operator",
            ObjectKind::OperatorClass => "operator class",
            ObjectKind::OperatorFamily => "operator family",
            ObjectKind::AccessMethod => "access method",
            ObjectKind::Transform => "transform",
            ObjectKind::Language => "language",
            ObjectKind::LargeObject => "large object",
            ObjectKind::Statistics => "statistics",
            ObjectKind::TextSearch => "text search object",
            ObjectKind::Publication => "publication",
            ObjectKind::Subscription => "subscription",
            ObjectKind::ForeignServer => "foreign server",
            ObjectKind::ForeignDataWrapper => "foreign data wrapper",
            ObjectKind::UserMapping => "user mapping",
            ObjectKind::Tablespace => "tablespace",
            ObjectKind::System => "system",
            ObjectKind::Event => "event",
            ObjectKind::Owned => "owned objects",
        }
    }
}

/// `DROP` of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropObject {
    /// What kind of object the text calls it.
    pub object: ObjectKind,
    /// Its name.
    pub name: ObjectName,
    /// The table that a trigger, rule, policy or (MySQL) index is on.
    pub on: Option<TableName>,
    /// The types of a routine's arguments, where given.
    pub arguments: Option<Vec<DataType>>,
    /// `IF EXISTS`.
    pub if_exists: bool,
    /// `CASCADE`.
    pub cascade: bool,
    /// `CONCURRENTLY`.
    pub concurrently: bool,
    /// MySQL, MariaDB `DROP TEMPORARY TABLE`.
    pub temporary: bool,
    /// Which of the statement's objects it is, from 0, and how many there are.
    pub part: (usize, usize),
    /// MySQL `ALGORITHM=` of `DROP INDEX`, in upper case.
    pub algorithm: Option<String>,
    /// MySQL `LOCK=` of `DROP INDEX`, in upper case.
    pub lock: Option<String>,
}

/// `RENAME` of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenameObject {
    /// What kind of object the text calls it.
    pub object: ObjectKind,
    /// Its name.
    pub name: ObjectName,
    /// The table that a trigger, rule or policy is on.
    pub on: Option<TableName>,
    /// The types of a routine's arguments, where given.
    pub arguments: Option<Vec<DataType>>,
    /// The new name.
    pub to: Name,
    /// `IF EXISTS`.
    pub if_exists: bool,
}
