//! Changes of what is not a table: indexes, views, sequences, types, functions, triggers, policies, grants.

use super::expr::{DataType, Expr, Query, Volatility};
use super::kind::{Change, ObjectKind};
use super::table::Constraint;
use crate::name::{Name, ObjectName, TableName};
use crate::text::Span;

/// `CREATE INDEX`, and MySQL's `KEY` and `ADD INDEX`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CreateIndex {
    /// Its name; none where the server makes one up.
    pub name: Option<Name>,
    /// Schema in front of the name (SQLite).
    pub schema: Option<Name>,
    /// The table.
    pub table: TableName,
    /// `UNIQUE`.
    pub unique: bool,
    /// `CONCURRENTLY`.
    pub concurrently: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// MariaDB `OR REPLACE`.
    pub or_replace: bool,
    /// `ON ONLY`: not on the partitions.
    pub only: bool,
    /// `USING method` in lower case; MySQL's `fulltext` and `spatial` stand here as well.
    pub method: Option<String>,
    /// Its key, in order.
    pub elements: Vec<IndexElement>,
    /// `INCLUDE`.
    pub include: Vec<Name>,
    /// `WHERE`.
    pub predicate: Option<Expr>,
    /// `NULLS NOT DISTINCT`.
    pub nulls_not_distinct: bool,
    /// MySQL `INVISIBLE`.
    pub invisible: bool,
    /// MySQL `ALGORITHM=` in upper case.
    pub algorithm: Option<String>,
    /// MySQL `LOCK=` in upper case.
    pub lock: Option<String>,
    /// The whole clause.
    pub span: Span,
}

impl CreateIndex {
    /// The names of its key's columns, where all of them are plain columns.
    pub fn plain_columns(&self) -> Option<Vec<&Name>> {
        self.elements.iter().map(|element| element.column.as_ref()).collect()
    }
}

/// One element of an index's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexElement {
    /// The column, where it is a plain one.
    pub column: Option<Name>,
    /// What is indexed, as written.
    pub expr: Expr,
    /// What the server calls it when it makes up the index's name: the column, the function, or `expr`.
    pub label: Name,
    /// `COLLATE`.
    pub collation: Option<String>,
    /// The operator class.
    pub opclass: Option<ObjectName>,
    /// `DESC`.
    pub descending: bool,
    /// `NULLS FIRST` (true) or `NULLS LAST` (false), where said.
    pub nulls_first: Option<bool>,
    /// MySQL: only so many characters of the column.
    pub prefix: Option<u32>,
}

/// What an `ALTER INDEX` does, beyond renaming.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexAction {
    /// `ATTACH PARTITION`.
    AttachPartition(ObjectName),
    /// `SET TABLESPACE`.
    SetTablespace(Name),
    /// `SET (…)`, `RESET (…)`, `ALTER COLUMN … SET STATISTICS`, `DEPENDS ON EXTENSION`.
    Options,
}

/// What `REINDEX` builds anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reindex {
    /// An index, a table, a schema or the database.
    pub object: ObjectKind,
    /// Its name; none for the current database.
    pub name: Option<ObjectName>,
    /// `CONCURRENTLY`.
    pub concurrently: bool,
}

/// `CREATE VIEW`, `CREATE MATERIALIZED VIEW`, MySQL's `ALTER VIEW … AS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateView {
    /// The view.
    pub name: TableName,
    /// Whether it holds rows of its own.
    pub materialized: bool,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `TEMPORARY`.
    pub temporary: bool,
    /// The names of its columns, where the text lists them.
    pub columns: Vec<Name>,
    /// Options in lower case (`security_invoker`, `check_option`, …), and values.
    pub options: Vec<(String, String)>,
    /// `WITH NO DATA`.
    pub no_data: bool,
    /// What it shows.
    pub query: Query,
}

/// Options of a sequence; what is not said is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SequenceOptions {
    /// `AS type`.
    pub data_type: Option<DataType>,
    /// `INCREMENT`.
    pub increment: Option<i64>,
    /// `MINVALUE`; `NO MINVALUE` is `Some(None)`.
    pub min: Option<Option<i64>>,
    /// `MAXVALUE`; `NO MAXVALUE` is `Some(None)`.
    pub max: Option<Option<i64>>,
    /// `START`.
    pub start: Option<i64>,
    /// `RESTART`; without a value `Some(None)`.
    pub restart: Option<Option<i64>>,
    /// `CACHE`.
    pub cache: Option<i64>,
    /// `CYCLE` (true), `NO CYCLE` (false).
    pub cycle: Option<bool>,
    /// `OWNED BY table.column`; `OWNED BY NONE` is `Some(None)`.
    pub owned_by: Option<Option<(TableName, Name)>>,
    /// `SEQUENCE NAME` of an identity.
    pub name: Option<ObjectName>,
}

impl SequenceOptions {
    /// Whether it changes which values come next, so that running code may meet duplicates or errors.
    pub fn changes_values(&self) -> bool {
        self.increment.is_some()
            || self.min.is_some()
            || self.max.is_some()
            || self.start.is_some()
            || self.restart.is_some()
            || self.cycle.is_some()
    }
}

/// What kind of type a `CREATE TYPE` makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeDefinition {
    /// `AS ENUM`: its labels in order.
    Enum(Vec<String>),
    /// `AS (attributes)`.
    Composite(Vec<(Name, DataType)>),
    /// `AS RANGE`.
    Range,
    /// A base type, or only its name.
    Base,
}

/// What an `ALTER TYPE` does, beyond renaming and moving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeAction {
    /// `ADD VALUE`.
    AddValue {
        /// The label.
        value: String,
        /// `BEFORE` (true) or `AFTER` (false) a label.
        neighbour: Option<(bool, String)>,
        /// `IF NOT EXISTS`.
        if_not_exists: bool,
    },
    /// `RENAME VALUE`.
    RenameValue {
        /// The old label.
        from: String,
        /// The new one.
        to: String,
    },
    /// `ADD ATTRIBUTE`.
    AddAttribute {
        /// The attribute.
        name: Name,
        /// Its type.
        data_type: DataType,
    },
    /// `DROP ATTRIBUTE`.
    DropAttribute {
        /// The attribute.
        name: Name,
        /// `IF EXISTS`.
        if_exists: bool,
    },
    /// `ALTER ATTRIBUTE … TYPE`.
    SetAttributeType {
        /// The attribute.
        name: Name,
        /// Its new type.
        data_type: DataType,
    },
    /// `RENAME ATTRIBUTE`.
    RenameAttribute {
        /// The old name.
        from: Name,
        /// The new one.
        to: Name,
    },
    /// `SET (…)`.
    Options,
}

/// `CREATE DOMAIN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateDomain {
    /// The domain.
    pub name: ObjectName,
    /// What it is based on.
    pub base: DataType,
    /// `COLLATE`.
    pub collation: Option<String>,
    /// `DEFAULT`.
    pub default: Option<Expr>,
    /// `NOT NULL`.
    pub not_null: bool,
    /// Its checks.
    pub constraints: Vec<Constraint>,
}

/// What an `ALTER DOMAIN` does, beyond renaming and moving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DomainAction {
    /// `SET DEFAULT`.
    SetDefault(Expr),
    /// `DROP DEFAULT`.
    DropDefault,
    /// `SET NOT NULL`.
    SetNotNull,
    /// `DROP NOT NULL`.
    DropNotNull,
    /// `ADD CONSTRAINT`.
    AddConstraint(Box<Constraint>),
    /// `DROP CONSTRAINT`.
    DropConstraint {
        /// The constraint.
        name: Name,
        /// `IF EXISTS`.
        if_exists: bool,
    },
    /// `RENAME CONSTRAINT`.
    RenameConstraint {
        /// The old name.
        from: Name,
        /// The new one.
        to: Name,
    },
    /// `VALIDATE CONSTRAINT`.
    ValidateConstraint(Name),
}

/// What kind of routine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RoutineKind {
    /// `FUNCTION`.
    Function,
    /// `PROCEDURE`.
    Procedure,
    /// `AGGREGATE`.
    Aggregate,
}

/// How an argument is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentMode {
    /// `IN`, also where nothing is said.
    In,
    /// `OUT`.
    Out,
    /// `INOUT`.
    InOut,
    /// `VARIADIC`.
    Variadic,
    /// A column of `RETURNS TABLE`.
    Table,
}

/// An argument of a routine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// How it is passed.
    pub mode: ArgumentMode,
    /// Its name.
    pub name: Option<Name>,
    /// Its type.
    pub data_type: DataType,
    /// Its default.
    pub default: Option<Expr>,
}

/// `CREATE FUNCTION`, `CREATE PROCEDURE`, `CREATE AGGREGATE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateRoutine {
    /// What it is.
    pub kind: RoutineKind,
    /// Its name.
    pub name: ObjectName,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// `IF NOT EXISTS` (MySQL, MariaDB).
    pub if_not_exists: bool,
    /// Its arguments.
    pub arguments: Vec<Argument>,
    /// What it returns, in canonical spelling (`integer`, `SETOF t`, `trigger`, `TABLE(…)`).
    pub returns: Option<String>,
    /// `LANGUAGE` in lower case.
    pub language: Option<String>,
    /// What was declared, or `Volatile`.
    pub volatility: Volatility,
    /// `SECURITY DEFINER`.
    pub security_definer: bool,
    /// `STRICT`.
    pub strict: bool,
    /// `SET name` clauses: the settings' names.
    pub settings: Vec<String>,
    /// Its body.
    pub body: RoutineBody,
}

/// The body of a routine or of a `DO` block.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoutineBody {
    /// As written, without its quotes.
    pub text: String,
    /// Where it stands in the statement.
    pub span: Span,
    /// The static statements in it, in order, with their spans in the outer statement.
    pub changes: Vec<Change>,
    /// Where it executes SQL that is put together when it runs, so that no one can read it here.
    pub dynamic: Vec<Span>,
}

/// `CREATE TRIGGER`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTrigger {
    /// Its name.
    pub name: Name,
    /// The table or view.
    pub table: TableName,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `CONSTRAINT TRIGGER`.
    pub constraint: bool,
    /// `BEFORE`, `AFTER`, `INSTEAD OF`, in upper case.
    pub timing: String,
    /// `INSERT`, `UPDATE`, `DELETE`, `TRUNCATE`, in upper case.
    pub events: Vec<String>,
    /// `UPDATE OF columns`.
    pub update_of: Vec<Name>,
    /// `FOR EACH ROW`.
    pub for_each_row: bool,
    /// `WHEN`.
    pub when: Option<Expr>,
    /// The function that it calls (PostgreSQL).
    pub function: Option<ObjectName>,
    /// Its own body (MySQL, SQLite).
    pub body: Option<RoutineBody>,
}

/// `CREATE RULE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateRule {
    /// Its name.
    pub name: Name,
    /// The table or view.
    pub table: TableName,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// The event in upper case.
    pub event: String,
    /// `DO INSTEAD`.
    pub instead: bool,
}

/// `CREATE POLICY`, `ALTER POLICY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub name: Name,
    /// The table.
    pub table: TableName,
    /// `AS RESTRICTIVE`.
    pub restrictive: bool,
    /// `FOR command` in upper case; `ALL` where nothing is said.
    pub command: String,
    /// `TO roles`; empty for everyone.
    pub roles: Vec<Name>,
    /// `USING`.
    pub using: Option<Expr>,
    /// `WITH CHECK`.
    pub check: Option<Expr>,
}

/// `GRANT` and `REVOKE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Privileges {
    /// The privileges in upper case (`SELECT`, `ALL`), or the roles that are granted.
    pub privileges: Vec<String>,
    /// Columns that they are limited to.
    pub columns: Vec<Name>,
    /// On what; none for the membership in a role.
    pub object: Option<ObjectKind>,
    /// The objects; for `ALL TABLES IN SCHEMA` the schemas.
    pub names: Vec<ObjectName>,
    /// Whether `names` are schemas and all objects in them are meant.
    pub all_in_schema: bool,
    /// To or from whom.
    pub grantees: Vec<Name>,
    /// `CASCADE`.
    pub cascade: bool,
}

/// `CREATE EXTENSION`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateExtension {
    /// The extension.
    pub name: Name,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `SCHEMA`.
    pub schema: Option<Name>,
}
