//! Changes of tables, columns and constraints.

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

/// Where a new column goes (MySQL).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ColumnPosition {
    /// Behind all others.
    #[default]
    Last,
    /// In front of all others.
    First,
    /// Behind this one.
    After(Name),
}

/// One action of `ALTER TABLE` (or `ALTER VIEW`, `ALTER FOREIGN TABLE`, `RENAME TABLE`) with what its statement says
/// for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterTable {
    /// The table.
    pub table: TableName,
    /// What the text calls it: a table, a view, a materialized view, a foreign table.
    pub object: super::ObjectKind,
    /// `IF EXISTS` for the table.
    pub if_exists: bool,
    /// `ONLY`: without its partitions and children.
    pub only: bool,
    /// MySQL `ALGORITHM=` in upper case.
    pub algorithm: Option<String>,
    /// MySQL `LOCK=` in upper case.
    pub lock: Option<String>,
    /// Where the action stands in its statement, from 0, and how many there are: all of them take one lock and,
    /// where they must, scan or rewrite once.
    pub part: (usize, usize),
    /// The action.
    pub action: TableAction,
}

/// What an `ALTER TABLE` does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableAction {
    /// `ADD COLUMN`.
    AddColumn {
        /// The column.
        column: Box<ColumnDef>,
        /// `IF NOT EXISTS`.
        if_not_exists: bool,
        /// MySQL `FIRST`, `AFTER`.
        position: ColumnPosition,
    },
    /// `DROP COLUMN`.
    DropColumn {
        /// The column.
        column: Name,
        /// `IF EXISTS`.
        if_exists: bool,
        /// `CASCADE`.
        cascade: bool,
    },
    /// `RENAME COLUMN`.
    RenameColumn {
        /// The old name.
        from: Name,
        /// The new one.
        to: Name,
        /// `IF EXISTS` (MariaDB).
        if_exists: bool,
    },
    /// `ALTER COLUMN … TYPE`.
    SetType {
        /// The column.
        column: Name,
        /// The new type.
        data_type: DataType,
        /// `COLLATE`.
        collation: Option<String>,
        /// `USING`.
        using: Option<Expr>,
    },
    /// MySQL `CHANGE` and `MODIFY`: the column is defined anew, in whole.
    ChangeColumn {
        /// The old name; that of `column` for `MODIFY`.
        from: Name,
        /// The new definition.
        column: Box<ColumnDef>,
        /// `FIRST`, `AFTER`; `None` where it stays.
        position: Option<ColumnPosition>,
        /// `IF EXISTS` (MariaDB).
        if_exists: bool,
    },
    /// `ALTER COLUMN … SET NOT NULL`.
    SetNotNull {
        /// The column.
        column: Name,
    },
    /// `ALTER COLUMN … DROP NOT NULL`.
    DropNotNull {
        /// The column.
        column: Name,
    },
    /// `ALTER COLUMN … SET DEFAULT`.
    SetDefault {
        /// The column.
        column: Name,
        /// The default.
        default: Expr,
    },
    /// `ALTER COLUMN … DROP DEFAULT`.
    DropDefault {
        /// The column.
        column: Name,
    },
    /// `ALTER COLUMN … ADD GENERATED … AS IDENTITY`.
    AddIdentity {
        /// The column.
        column: Name,
        /// The identity.
        identity: Identity,
    },
    /// `ALTER COLUMN … SET GENERATED …`, `SET INCREMENT …`, `RESTART …`.
    SetIdentity {
        /// The column.
        column: Name,
        /// `SET GENERATED ALWAYS` (true) or `BY DEFAULT` (false).
        always: Option<bool>,
        /// Options of its sequence that change.
        options: SequenceOptions,
    },
    /// `ALTER COLUMN … DROP IDENTITY`.
    DropIdentity {
        /// The column.
        column: Name,
        /// `IF EXISTS`.
        if_exists: bool,
    },
    /// `ALTER COLUMN … SET EXPRESSION AS (…)` (PostgreSQL 17).
    SetExpression {
        /// The column.
        column: Name,
        /// The new expression.
        expr: Expr,
    },
    /// `ALTER COLUMN … DROP EXPRESSION`.
    DropExpression {
        /// The column.
        column: Name,
        /// `IF EXISTS`.
        if_exists: bool,
    },
    /// `ALTER COLUMN … SET STATISTICS`.
    SetStatistics {
        /// The column (of an index: its number).
        column: Name,
    },
    /// `ALTER COLUMN … SET STORAGE`.
    SetStorage {
        /// The column.
        column: Name,
        /// In upper case: `PLAIN`, `EXTERNAL`, `EXTENDED`, `MAIN`, `DEFAULT`.
        storage: String,
    },
    /// `ALTER COLUMN … SET COMPRESSION`.
    SetCompression {
        /// The column.
        column: Name,
    },
    /// `ALTER COLUMN … SET (…)`, `RESET (…)`.
    SetColumnOptions {
        /// The column.
        column: Name,
    },
    /// MySQL `ALTER COLUMN … SET VISIBLE | INVISIBLE`.
    SetColumnVisible {
        /// The column.
        column: Name,
        /// Whether `SELECT *` shows it from now on.
        visible: bool,
    },
    /// `ADD CONSTRAINT`, `ADD PRIMARY KEY`, `ADD CHECK`, ….
    AddConstraint {
        /// The constraint.
        constraint: Box<Constraint>,
        /// `IF NOT EXISTS` (MariaDB).
        if_not_exists: bool,
    },
    /// `VALIDATE CONSTRAINT`.
    ValidateConstraint {
        /// The constraint.
        name: Name,
    },
    /// `DROP CONSTRAINT`, MySQL `DROP FOREIGN KEY`, `DROP CHECK`.
    DropConstraint {
        /// The constraint.
        name: Name,
        /// `IF EXISTS`.
        if_exists: bool,
        /// `CASCADE`.
        cascade: bool,
        /// Whether it may be a key: not where MySQL says `FOREIGN KEY` or `CHECK`.
        may_be_key: bool,
    },
    /// MySQL `DROP PRIMARY KEY`.
    DropPrimaryKey,
    /// `RENAME CONSTRAINT`.
    RenameConstraint {
        /// The old name.
        from: Name,
        /// The new one.
        to: Name,
    },
    /// `ALTER CONSTRAINT`.
    AlterConstraint {
        /// The constraint.
        name: Name,
        /// `DEFERRABLE` (true) or `NOT DEFERRABLE` (false).
        deferrable: Option<bool>,
        /// `INITIALLY DEFERRED` (true) or `IMMEDIATE` (false).
        initially_deferred: Option<bool>,
        /// `ENFORCED` (true) or `NOT ENFORCED` (false).
        enforced: Option<bool>,
    },
    /// MySQL `ADD INDEX`, `ADD KEY`, `ADD UNIQUE`, `ADD FULLTEXT`.
    AddIndex(Box<CreateIndex>),
    /// MySQL `DROP INDEX`, `DROP KEY`.
    DropIndex {
        /// The index.
        name: Name,
        /// `IF EXISTS` (MariaDB).
        if_exists: bool,
    },
    /// MySQL `RENAME INDEX`.
    RenameIndex {
        /// The old name.
        from: Name,
        /// The new one.
        to: Name,
    },
    /// MySQL `ALTER INDEX … VISIBLE | INVISIBLE`.
    SetIndexVisible {
        /// The index.
        name: Name,
        /// Whether the optimizer may use it from now on.
        visible: bool,
    },
    /// `RENAME TO`, MySQL `RENAME TABLE`.
    RenameTable {
        /// The new name; with a schema where it moves there as well (MySQL).
        to: TableName,
    },
    /// `SET SCHEMA`.
    SetSchema {
        /// The new schema.
        schema: Name,
    },
    /// `OWNER TO`.
    SetOwner {
        /// The new owner.
        owner: Name,
    },
    /// `SET TABLESPACE`.
    SetTablespace {
        /// The tablespace.
        tablespace: Name,
    },
    /// `SET ACCESS METHOD`.
    SetAccessMethod {
        /// The method.
        method: String,
    },
    /// `SET LOGGED`.
    SetLogged,
    /// `SET UNLOGGED`.
    SetUnlogged,
    /// `SET (…)`, MySQL table options (`engine`, `row_format`, `auto_increment`, `comment`, default `charset`).
    SetOptions {
        /// Names in lower case, and values.
        options: Vec<(String, String)>,
    },
    /// `RESET (…)`.
    ResetOptions {
        /// Names in lower case.
        names: Vec<String>,
    },
    /// MySQL `CONVERT TO CHARACTER SET`.
    ConvertCharset {
        /// The character set.
        charset: String,
        /// `COLLATE`.
        collation: Option<String>,
    },
    /// `CLUSTER ON`.
    ClusterOn {
        /// The index.
        index: Name,
    },
    /// `SET WITHOUT CLUSTER`, `SET WITHOUT OIDS`.
    SetWithout {
        /// `CLUSTER` or `OIDS`.
        what: String,
    },
    /// `INHERIT`.
    Inherit {
        /// The new parent.
        parent: TableName,
    },
    /// `NO INHERIT`.
    NoInherit {
        /// The parent that it leaves.
        parent: TableName,
    },
    /// `ATTACH PARTITION`.
    AttachPartition {
        /// The table that becomes a partition.
        partition: TableName,
        /// Its rows.
        bound: PartitionBound,
    },
    /// `DETACH PARTITION`.
    DetachPartition {
        /// The partition.
        partition: TableName,
        /// `CONCURRENTLY`.
        concurrently: bool,
        /// `FINALIZE`.
        finalize: bool,
    },
    /// `REPLICA IDENTITY`.
    ReplicaIdentity {
        /// What updates and deletes are identified by.
        identity: ReplicaIdentity,
    },
    /// `ENABLE`, `DISABLE`, `FORCE`, `NO FORCE ROW LEVEL SECURITY`.
    RowSecurity {
        /// What it is set to.
        state: RowSecurity,
    },
    /// `ENABLE`, `DISABLE TRIGGER`.
    TriggerState {
        /// The trigger; none for `ALL` or `USER`.
        trigger: Option<Name>,
        /// `ALL`, which includes the foreign keys' own.
        all: bool,
        /// When it fires from now on.
        state: FiringState,
    },
    /// `ENABLE`, `DISABLE RULE`.
    RuleState {
        /// The rule.
        rule: Name,
        /// When it applies from now on.
        state: FiringState,
    },
    /// MySQL's operations on partitions.
    Partitions(PartitionOperation),
    /// MySQL `DISCARD TABLESPACE`, `IMPORT TABLESPACE`.
    Tablespace {
        /// Whether its rows are thrown away.
        discard: bool,
    },
    /// MySQL `FORCE`: the table is rebuilt.
    Rebuild,
    /// An action that is understood but has no part in the model (`ORDER BY`, `OF type`, `ENABLE KEYS`, …).
    Other {
        /// Its keywords.
        what: String,
    },
}

/// By what updates and deletes are identified in logical replication.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ReplicaIdentity {
    /// The primary key.
    #[default]
    Default,
    /// This index.
    Index(Name),
    /// All columns.
    Full,
    /// Nothing: updates and deletes on a published table fail.
    Nothing,
}

/// Row level security of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowSecurity {
    /// On, but not for the owner.
    Enable,
    /// Off.
    Disable,
    /// For the owner as well.
    Force,
    /// Not for the owner.
    NoForce,
}

/// When a trigger or a rule fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FiringState {
    /// In ordinary sessions.
    #[default]
    Enabled,
    /// Never.
    Disabled,
    /// In replicas only.
    Replica,
    /// Everywhere.
    Always,
}

/// MySQL's operations on partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionOperation {
    /// `ADD PARTITION`.
    Add,
    /// `DROP PARTITION`: their rows are gone.
    Drop(Vec<Name>),
    /// `TRUNCATE PARTITION`: their rows are gone.
    Truncate(Vec<Name>),
    /// `EXCHANGE PARTITION`.
    Exchange {
        /// The partition.
        partition: Name,
        /// The table that takes its place.
        table: TableName,
    },
    /// `PARTITION BY`: the table is rebuilt.
    PartitionBy(PartitionBy),
    /// `REMOVE PARTITIONING`: the table is rebuilt.
    Remove,
    /// Any other: `REORGANIZE`, `COALESCE`, `REBUILD`, `OPTIMIZE`, `ANALYZE`, `CHECK`, `REPAIR`, in upper case.
    Other(String),
}
