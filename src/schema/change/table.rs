//! Tables as they are made: their columns, constraints and partitions.

use super::expr::{DataType, Expr, Query};
use super::object::{CreateIndex, IndexElement, SequenceOptions};
use crate::name::{Name, TableName};
use crate::text::Span;

/// How long a table's rows live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Persistence {
    /// Like any table.
    #[default]
    Permanent,
    /// Not in the write-ahead log: empty after a crash.
    Unlogged,
    /// For this session only.
    Temporary,
}

/// What a text says of a column, or what is known of one, about NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nullability {
    /// Not said, or not known.
    #[default]
    Unstated,
    /// May be NULL.
    Null,
    /// May not.
    NotNull,
}

/// `CREATE TABLE`, `CREATE TABLE AS`, `SELECT INTO`, `CREATE FOREIGN TABLE`, `CREATE VIRTUAL TABLE`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CreateTable {
    /// The table.
    pub table: TableName,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// MariaDB `OR REPLACE`.
    pub or_replace: bool,
    /// How long its rows live.
    pub persistence: Persistence,
    /// Columns in order.
    pub columns: Vec<ColumnDef>,
    /// Constraints that stand by themselves; those written at a column stand there.
    pub constraints: Vec<Constraint>,
    /// MySQL's `KEY` and `INDEX` clauses.
    pub indexes: Vec<CreateIndex>,
    /// `LIKE other`.
    pub like: Vec<LikeTable>,
    /// `INHERITS (parents)`.
    pub inherits: Vec<TableName>,
    /// `PARTITION BY`.
    pub partition_by: Option<PartitionBy>,
    /// `PARTITION OF`.
    pub partition_of: Option<PartitionOf>,
    /// `OF type`.
    pub of_type: Option<TableName>,
    /// `AS query`.
    pub as_query: Option<Query>,
    /// `WITH NO DATA` behind it.
    pub no_data: bool,
    /// Storage parameters and table options (`fillfactor`, `engine`, `charset`, `collate`, `row_format`), names in
    /// lower case.
    pub options: Vec<(String, String)>,
    /// What kind of table it is beyond a plain one.
    pub form: TableForm,
}

/// What a table is beyond a plain one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TableForm {
    /// A plain table.
    #[default]
    Plain,
    /// A foreign table of PostgreSQL.
    Foreign,
    /// A virtual table of SQLite (full text, R-tree, …).
    Virtual,
    /// SQLite `STRICT`.
    Strict,
    /// SQLite `WITHOUT ROWID`.
    WithoutRowid,
    /// SQLite `STRICT, WITHOUT ROWID`.
    StrictWithoutRowid,
}

/// `LIKE other INCLUDING …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LikeTable {
    /// The table that is copied.
    pub table: TableName,
    /// What is copied beyond names, types and NOT NULL, in lower case: `defaults`, `constraints`, `identity`,
    /// `generated`, `indexes`, `comments`, `storage`, `statistics`. MySQL's `LIKE` copies all.
    pub including: Vec<String>,
    /// Where its columns stand among the table's own: before the own column of this number.
    pub at: usize,
}

/// `PARTITION BY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionBy {
    /// `range`, `list`, `hash`, `key`, in lower case.
    pub strategy: String,
    /// The key; plain columns are expressions of one column.
    pub key: Vec<Expr>,
}

/// `PARTITION OF parent FOR VALUES …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionOf {
    /// The partitioned table.
    pub parent: TableName,
    /// Its rows.
    pub bound: PartitionBound,
}

/// Which rows a partition holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionBound {
    /// `DEFAULT`: what no other partition takes.
    Default,
    /// `FOR VALUES …`, as written.
    Values(String),
}

/// Where a column's values come from if no one gives them, beyond a default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Generation {
    /// `serial`, `bigserial`: a sequence of its own.
    Serial,
    /// `GENERATED … AS IDENTITY`.
    Identity(Identity),
    /// MySQL's `AUTO_INCREMENT`, SQLite's `AUTOINCREMENT`.
    AutoIncrement,
    /// `GENERATED ALWAYS AS (expression)`.
    Expression {
        /// The expression.
        expr: Expr,
        /// `STORED` (else `VIRTUAL`).
        stored: bool,
    },
}

/// `GENERATED ALWAYS | BY DEFAULT AS IDENTITY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `ALWAYS`: an INSERT may not give a value.
    pub always: bool,
    /// Options of its sequence.
    pub options: SequenceOptions,
}

/// A column as `CREATE TABLE`, `ADD COLUMN`, `CHANGE` or `MODIFY` writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDef {
    /// Its name.
    pub name: Name,
    /// Its type; none in SQLite and in a typed table's options, where it may be left out.
    pub data_type: Option<DataType>,
    /// Where the type stands in the statement.
    pub type_span: Span,
    /// `COLLATE`.
    pub collation: Option<String>,
    /// MySQL `CHARACTER SET`.
    pub charset: Option<String>,
    /// `NULL`, `NOT NULL`, or nothing.
    pub nullability: Nullability,
    /// `DEFAULT`.
    pub default: Option<Expr>,
    /// `serial`, identity, generated.
    pub generation: Option<Generation>,
    /// MySQL `ON UPDATE CURRENT_TIMESTAMP`.
    pub on_update: Option<Expr>,
    /// Constraints written at the column; their `columns` name it. A named NOT NULL is here as well.
    pub constraints: Vec<Constraint>,
    /// MySQL `COMMENT`.
    pub comment: Option<String>,
    /// MySQL `INVISIBLE`.
    pub invisible: bool,
    /// The whole definition.
    pub span: Span,
}

impl ColumnDef {
    /// A column of which nothing is said but its name.
    pub fn bare(name: Name) -> Self {
        Self {
            name,
            data_type: None,
            type_span: Span::default(),
            collation: None,
            charset: None,
            nullability: Nullability::Unstated,
            default: None,
            generation: None,
            on_update: None,
            constraints: Vec::new(),
            comment: None,
            invisible: false,
            span: Span::default(),
        }
    }
}

/// A table constraint, or one written at a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// Its name, where the text gives one.
    pub name: Option<Name>,
    /// What it demands.
    pub kind: ConstraintKind,
    /// `NOT VALID`: rows that are there are not checked.
    pub not_valid: bool,
    /// `NOT ENFORCED`.
    pub not_enforced: bool,
    /// `DEFERRABLE`.
    pub deferrable: bool,
    /// `INITIALLY DEFERRED`.
    pub initially_deferred: bool,
    /// `NO INHERIT`.
    pub no_inherit: bool,
    /// The whole clause.
    pub span: Span,
}

/// What a constraint demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConstraintKind {
    /// `CHECK`.
    Check(Expr),
    /// `FOREIGN KEY`, `REFERENCES`.
    ForeignKey(ForeignKey),
    /// `UNIQUE`.
    Unique(KeyConstraint),
    /// `PRIMARY KEY`.
    PrimaryKey(KeyConstraint),
    /// `EXCLUDE`.
    Exclude(Exclusion),
    /// `NOT NULL column` as a constraint with a name (PostgreSQL 18).
    NotNull(Name),
}

/// `FOREIGN KEY (columns) REFERENCES table (columns)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// The columns that refer.
    pub columns: Vec<Name>,
    /// The table that is referred to.
    pub references: TableName,
    /// Its columns; empty for its primary key.
    pub referenced_columns: Vec<Name>,
    /// `ON DELETE`.
    pub on_delete: ForeignKeyAction,
    /// `ON UPDATE`.
    pub on_update: ForeignKeyAction,
    /// `MATCH FULL`.
    pub match_full: bool,
    /// MySQL: the name of the index, where one is given.
    pub index_name: Option<Name>,
}

/// What a foreign key does when the row that it refers to goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForeignKeyAction {
    /// `NO ACTION`, also where nothing is said.
    #[default]
    NoAction,
    /// `RESTRICT`.
    Restrict,
    /// `CASCADE`.
    Cascade,
    /// `SET NULL`.
    SetNull,
    /// `SET DEFAULT`.
    SetDefault,
}

/// `UNIQUE` or `PRIMARY KEY`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyConstraint {
    /// Its columns, in order; empty with `using_index`. A MySQL prefix or direction is in `elements`.
    pub columns: Vec<Name>,
    /// The columns as elements of the index.
    pub elements: Vec<IndexElement>,
    /// `INCLUDE`.
    pub include: Vec<Name>,
    /// `USING INDEX name`: the index is there already.
    pub using_index: Option<Name>,
    /// `NULLS NOT DISTINCT`.
    pub nulls_not_distinct: bool,
    /// MySQL: a second name, of the index (`CONSTRAINT a UNIQUE KEY b (…)`).
    pub index_name: Option<Name>,
    /// `WITHOUT OVERLAPS` on the last column (PostgreSQL 18).
    pub without_overlaps: bool,
    /// SQLite: `AUTOINCREMENT`.
    pub autoincrement: bool,
}

/// `EXCLUDE USING method (element WITH operator, …) WHERE (…)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclusion {
    /// The index method (`gist`).
    pub method: Option<String>,
    /// What is compared, with its operator.
    pub elements: Vec<(IndexElement, String)>,
    /// `WHERE`.
    pub predicate: Option<Expr>,
}
