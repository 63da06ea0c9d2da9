//! What `ALTER TABLE` does, one action at a time.

use super::expr::{DataType, Expr};
use super::object::{CreateIndex, SequenceOptions};
use super::table::*;
use crate::name::{Name, TableName};

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
