//! The table: which locks each operation of PostgreSQL takes, and what it does while it holds them. Where versions
//! differ, each has a row of its own. `tests/it/effects.rs` asks servers whether it is true.

use crate::engine::effects::{Lock, Role, Wait, Work};
use crate::engine::version::Number;

/// What an operation does from one version up to, not including, another.
#[derive(Debug)]
pub struct Row {
    /// The operation.
    pub operation: Operation,
    /// The first version that does it like this; the same as in the row above counts as a new row.
    pub since: Number,
    /// Relations by their role, with lock and work.
    pub on: &'static [(Role, Lock, Work)],
    /// What it waits for, beyond locks.
    pub waits: &'static [Wait],
    /// The page of the manual.
    pub manual: &'static str,
}

const fn lock(
    name: &'static str,
    strength: u8,
    blocks_reads: bool,
    blocks_writes: bool,
    blocks_ddl: bool,
) -> Lock {
    Lock { name, strength, blocks_reads, blocks_writes, blocks_ddl }
}

// https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
/// Plain reads.
pub const ACCESS_SHARE: Lock = lock("ACCESS SHARE", 1, false, false, false);
/// `SELECT FOR UPDATE`, and the checks of foreign keys.
pub const ROW_SHARE: Lock = lock("ROW SHARE", 2, false, false, false);
/// Writes of rows.
pub const ROW_EXCLUSIVE: Lock = lock("ROW EXCLUSIVE", 3, false, false, true);
/// `VACUUM`, `VALIDATE CONSTRAINT`, `CONCURRENTLY`.
pub const SHARE_UPDATE_EXCLUSIVE: Lock = lock("SHARE UPDATE EXCLUSIVE", 4, false, false, true);
/// `CREATE INDEX`.
pub const SHARE: Lock = lock("SHARE", 5, false, true, true);
/// `ADD FOREIGN KEY`, `CREATE TRIGGER`.
pub const SHARE_ROW_EXCLUSIVE: Lock = lock("SHARE ROW EXCLUSIVE", 6, false, true, true);
/// `REFRESH MATERIALIZED VIEW CONCURRENTLY`.
pub const EXCLUSIVE: Lock = lock("EXCLUSIVE", 7, false, true, true);
/// Nearly all of `ALTER TABLE`.
pub const ACCESS_EXCLUSIVE: Lock = lock("ACCESS EXCLUSIVE", 8, true, true, true);

/// All locks, the weakest first.
pub static LOCKS: &[Lock] = &[
    ACCESS_SHARE,
    ROW_SHARE,
    ROW_EXCLUSIVE,
    SHARE_UPDATE_EXCLUSIVE,
    SHARE,
    SHARE_ROW_EXCLUSIVE,
    EXCLUSIVE,
    ACCESS_EXCLUSIVE,
];

/// An operation: what a change comes to once the schema before it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // The variants say what the rows of the table say.
pub enum Operation {
    // Tables.
    CreateTable,
    CreateTableWithForeignKey,
    CreatePartition,
    CreateInheritingTable,
    CreateTableLike,
    DropTable,
    TruncateTable,
    // Columns.
    AddColumn,
    AddColumnConstantDefault,
    AddColumnVolatileDefault,
    AddColumnRewrite,
    AddColumnRequired,
    AddColumnVirtual,
    DropColumn,
    AlterColumn,
    AlterColumnQuietly,
    SetNotNull,
    SetNotNullProven,
    SetTypeCatalog,
    SetTypeScan,
    SetTypeIndexBuild,
    SetTypeRewrite,
    SetExpression,
    // Constraints.
    AddCheck,
    AddCheckNotValid,
    AddForeignKey,
    AddForeignKeyNotValid,
    AddUnique,
    AddPrimaryKey,
    AddConstraintUsingIndex,
    AddPrimaryKeyUsingIndexNullable,
    AddExclusion,
    ValidateConstraint,
    ValidateForeignKey,
    DropConstraint,
    DropForeignKey,
    AlterConstraint,
    // The table as a whole.
    AlterTable,
    AlterTableAlone,
    AlterTableQuietly,
    ToggleTrigger,
    RewriteTable,
    AttachPartition,
    AttachPartitionIndexBuild,
    AttachPartitionProven,
    DetachPartition,
    DetachPartitionConcurrently,
    DetachPartitionFinalize,
    Inherit,
    NoInherit,
    // Indexes.
    CreateIndex,
    CreateIndexOnly,
    CreateIndexConcurrently,
    DropIndex,
    DropIndexConcurrently,
    AlterIndex,
    MoveIndex,
    AttachIndex,
    ReindexIndex,
    ReindexTable,
    ReindexConcurrently,
    // Triggers, rules, policies.
    CreateTrigger,
    AlterParts,
    // Views, sequences, types.
    CreateView,
    ReplaceView,
    AlterView,
    DropView,
    RefreshMaterializedView,
    RefreshMaterializedViewConcurrently,
    AlterSequence,
    DropSequence,
    AlterDomainChecked,
    ValidateDomain,
    // Rows and upkeep.
    WriteRows,
    ReadRows,
    LockRows,
    Vacuum,
    VacuumFull,
    Analyze,
    Cluster,
    Comment,
    CreateStatistics,
    LockAccessShare,
    LockRowShare,
    LockRowExclusive,
    LockShareUpdateExclusive,
    LockShare,
    LockShareRowExclusive,
    LockExclusive,
    LockAccessExclusive,
}

const ALTER: &str = "https://www.postgresql.org/docs/current/sql-altertable.html";
const CREATE_TABLE: &str = "https://www.postgresql.org/docs/current/sql-createtable.html";
const INDEX: &str = "https://www.postgresql.org/docs/current/sql-createindex.html";
const REINDEX: &str = "https://www.postgresql.org/docs/current/sql-reindex.html";
const REFRESH: &str = "https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html";
const DOMAIN: &str = "https://www.postgresql.org/docs/current/sql-alterdomain.html";
const LOCK_TABLE: &str = "https://www.postgresql.org/docs/current/sql-lock.html";
const LOCKING: &str = "https://www.postgresql.org/docs/current/explicit-locking.html";

/// Any version that we know of.
const ALWAYS: Number = (0, 0, 0);

const fn row(operation: Operation, on: &'static [(Role, Lock, Work)], manual: &'static str) -> Row {
    Row { operation, since: ALWAYS, on, waits: &[], manual }
}

const fn since(version: u16, row: Row) -> Row {
    Row { since: (version, 0, 0), ..row }
}

const fn waiting(row: Row, waits: &'static [Wait]) -> Row {
    Row { waits, ..row }
}

use Operation as Op;
use Role::{
    Child, DefaultPartition, Index, Owner, Parent, Partition, Referenced, Referencing, Source, Target, User,
    View,
};
use Work::{Catalog, IndexBuild, Rewrite, Rows, Scan};

const AE: Lock = ACCESS_EXCLUSIVE;
const SRE: Lock = SHARE_ROW_EXCLUSIVE;
const SUE: Lock = SHARE_UPDATE_EXCLUSIVE;

/// The table. Of the rows of one operation, the last whose version the server has reached holds.
#[rustfmt::skip]
pub static TABLE: &[Row] = &[
    row(Op::CreateTable, &[], CREATE_TABLE),
    row(Op::CreateTableWithForeignKey, &[(Referenced, SRE, Catalog)], CREATE_TABLE),
    row(Op::CreatePartition, &[(Parent, AE, Catalog), (DefaultPartition, AE, Scan)], CREATE_TABLE),
    row(Op::CreateInheritingTable, &[(Parent, SUE, Catalog)], CREATE_TABLE),
    row(Op::CreateTableLike, &[(Source, ACCESS_SHARE, Catalog)], CREATE_TABLE),
    row(Op::DropTable, &[(Target, AE, Catalog), (Referenced, AE, Catalog), (Referencing, AE, Catalog), (Parent, AE, Catalog),
        (DefaultPartition, AE, Catalog), (Child, AE, Catalog), (View, AE, Catalog)],
        "https://www.postgresql.org/docs/current/sql-droptable.html"),
    row(Op::TruncateTable, &[(Target, AE, Rewrite), (Child, AE, Rewrite), (Referencing, AE, Rewrite)],
        "https://www.postgresql.org/docs/current/sql-truncate.html"),

    row(Op::AddColumn, &[(Target, AE, Catalog), (Child, AE, Catalog)], ALTER),
    row(Op::AddColumnConstantDefault, &[(Target, AE, Rewrite), (Child, AE, Rewrite)], ALTER),
    since(11, row(Op::AddColumnConstantDefault, &[(Target, AE, Catalog), (Child, AE, Catalog)], ALTER)),
    row(Op::AddColumnVolatileDefault, &[(Target, AE, Rewrite), (Child, AE, Rewrite)], ALTER),
    row(Op::AddColumnRewrite, &[(Target, AE, Rewrite), (Child, AE, Rewrite)], ALTER),
    row(Op::AddColumnRequired, &[(Target, AE, Scan), (Child, AE, Scan)], ALTER),
    row(Op::AddColumnVirtual, &[(Target, AE, Catalog), (Child, AE, Catalog)], ALTER),
    row(Op::DropColumn, &[(Target, AE, Catalog), (Referenced, AE, Catalog), (Referencing, AE, Catalog), (Child, AE, Catalog),
        (View, AE, Catalog)], ALTER),
    row(Op::AlterColumn, &[(Target, AE, Catalog), (Child, AE, Catalog)], ALTER),
    row(Op::AlterColumnQuietly, &[(Target, SUE, Catalog)], ALTER),
    row(Op::SetNotNull, &[(Target, AE, Scan), (Child, AE, Scan)], ALTER),
    row(Op::SetNotNullProven, &[(Target, AE, Scan), (Child, AE, Scan)], ALTER),
    since(12, row(Op::SetNotNullProven, &[(Target, AE, Catalog), (Child, AE, Catalog)], ALTER)),
    row(Op::SetTypeCatalog, &[(Target, AE, Catalog), (Child, AE, Catalog), (Referenced, AE, Catalog), (Referencing, AE, Catalog)], ALTER),
    row(Op::SetTypeScan, &[(Target, AE, Scan), (Child, AE, Scan), (Referenced, AE, Catalog), (Referencing, AE, Catalog)], ALTER),
    row(Op::SetTypeIndexBuild, &[(Target, AE, IndexBuild), (Child, AE, IndexBuild), (Referenced, AE, Catalog), (Referencing, AE, Scan)], ALTER),
    row(Op::SetTypeRewrite, &[(Target, AE, Rewrite), (Child, AE, Rewrite), (Referenced, AE, Scan), (Referencing, AE, Scan)], ALTER),
    row(Op::SetExpression, &[(Target, AE, Rewrite), (Child, AE, Rewrite)], ALTER),

    row(Op::AddCheck, &[(Target, AE, Scan), (Child, AE, Scan)], ALTER),
    row(Op::AddCheckNotValid, &[(Target, AE, Catalog), (Child, AE, Catalog)], ALTER),
    row(Op::AddForeignKey, &[(Target, SRE, Scan), (Child, SRE, Scan), (Referenced, SRE, Scan)], ALTER),
    row(Op::AddForeignKeyNotValid, &[(Target, SRE, Catalog), (Child, SRE, Catalog), (Referenced, SRE, Catalog)], ALTER),
    row(Op::AddUnique, &[(Target, AE, IndexBuild), (Child, SHARE, IndexBuild)], ALTER),
    since(18, row(Op::AddUnique, &[(Target, AE, IndexBuild), (Child, AE, IndexBuild)], ALTER)),
    row(Op::AddPrimaryKey, &[(Target, AE, IndexBuild), (Child, AE, IndexBuild)], ALTER),
    row(Op::AddConstraintUsingIndex, &[(Target, AE, Catalog)], ALTER),
    row(Op::AddPrimaryKeyUsingIndexNullable, &[(Target, AE, Scan)], ALTER),
    row(Op::AddExclusion, &[(Target, AE, IndexBuild), (Child, SHARE, IndexBuild)], ALTER),
    row(Op::ValidateConstraint, &[(Target, SUE, Scan), (Child, SUE, Scan)], ALTER),
    row(Op::ValidateForeignKey, &[(Target, SUE, Scan), (Child, SUE, Scan), (Referenced, ROW_SHARE, Scan)], ALTER),
    row(Op::DropConstraint, &[(Target, AE, Catalog), (Child, AE, Catalog), (Referencing, AE, Catalog)], ALTER),
    row(Op::DropForeignKey, &[(Target, AE, Catalog), (Child, AE, Catalog), (Referenced, AE, Catalog)], ALTER),
    row(Op::AlterConstraint, &[(Target, AE, Catalog), (Child, AE, Catalog)], ALTER),

    row(Op::AlterTable, &[(Target, AE, Catalog), (Child, AE, Catalog)], ALTER),
    row(Op::AlterTableAlone, &[(Target, AE, Catalog)], ALTER),
    row(Op::AlterTableQuietly, &[(Target, SUE, Catalog)], ALTER),
    row(Op::ToggleTrigger, &[(Target, SRE, Catalog), (Child, SRE, Catalog)], ALTER),
    row(Op::RewriteTable, &[(Target, AE, Rewrite)], ALTER),
    row(Op::AttachPartition, &[(Parent, SUE, Catalog), (Partition, AE, Scan), (DefaultPartition, AE, Scan)], ALTER),
    row(Op::AttachPartitionIndexBuild, &[(Parent, SUE, Catalog), (Partition, AE, IndexBuild), (DefaultPartition, AE, Scan)], ALTER),
    row(Op::AttachPartitionProven, &[(Parent, SUE, Catalog), (Partition, AE, Catalog), (DefaultPartition, AE, Scan)], ALTER),
    row(Op::DetachPartition, &[(Parent, AE, Catalog), (Partition, SUE, Catalog), (DefaultPartition, AE, Catalog)], ALTER),
    since(14, row(Op::DetachPartition, &[(Parent, AE, Catalog), (Partition, AE, Catalog), (DefaultPartition, AE, Catalog)], ALTER)),
    waiting(row(Op::DetachPartitionConcurrently, &[(Parent, SUE, Catalog), (Partition, AE, Catalog)], ALTER),
        &[Wait::OlderTransactions]),
    row(Op::DetachPartitionFinalize, &[(Parent, SUE, Catalog), (Partition, AE, Catalog)], ALTER),
    row(Op::Inherit, &[(Target, AE, Catalog), (Parent, SUE, Catalog)], ALTER),
    row(Op::NoInherit, &[(Target, AE, Catalog), (Parent, ACCESS_SHARE, Catalog)], ALTER),

    row(Op::CreateIndex, &[(Target, SHARE, IndexBuild), (Child, SHARE, IndexBuild)], INDEX),
    row(Op::CreateIndexOnly, &[(Target, SHARE, Catalog)], INDEX),
    waiting(row(Op::CreateIndexConcurrently, &[(Target, SUE, IndexBuild)], INDEX),
        &[Wait::OlderTransactions, Wait::OlderSnapshots]),
    row(Op::DropIndex, &[(Owner, AE, Catalog), (Index, AE, Catalog)],
        "https://www.postgresql.org/docs/current/sql-dropindex.html"),
    waiting(row(Op::DropIndexConcurrently, &[(Owner, SUE, Catalog)],
        "https://www.postgresql.org/docs/current/sql-dropindex.html"), &[Wait::OlderTransactions]),
    row(Op::AlterIndex, &[(Index, AE, Catalog)], "https://www.postgresql.org/docs/current/sql-alterindex.html"),
    since(12, row(Op::AlterIndex, &[(Index, SUE, Catalog)], "https://www.postgresql.org/docs/current/sql-alterindex.html")),
    row(Op::MoveIndex, &[(Index, AE, Rewrite)], "https://www.postgresql.org/docs/current/sql-alterindex.html"),
    row(Op::AttachIndex, &[(Index, SUE, Catalog)], "https://www.postgresql.org/docs/current/sql-alterindex.html"),
    row(Op::ReindexIndex, &[(Owner, SHARE, IndexBuild), (Index, AE, IndexBuild)], REINDEX),
    row(Op::ReindexTable, &[(Target, SHARE, IndexBuild), (Index, AE, IndexBuild)], REINDEX),
    waiting(row(Op::ReindexConcurrently, &[(Target, SUE, IndexBuild), (Owner, SUE, IndexBuild)], REINDEX),
        &[Wait::OlderTransactions, Wait::OlderSnapshots]),

    row(Op::CreateTrigger, &[(Target, SRE, Catalog), (Child, SRE, Catalog)],
        "https://www.postgresql.org/docs/current/sql-createtrigger.html"),
    row(Op::AlterParts, &[(Target, AE, Catalog)], LOCKING),

    row(Op::CreateView, &[(Source, ACCESS_SHARE, Catalog)], "https://www.postgresql.org/docs/current/sql-createview.html"),
    row(Op::ReplaceView, &[(View, AE, Catalog), (Source, ACCESS_SHARE, Catalog)],
        "https://www.postgresql.org/docs/current/sql-createview.html"),
    row(Op::AlterView, &[(View, AE, Catalog)], "https://www.postgresql.org/docs/current/sql-alterview.html"),
    row(Op::DropView, &[(View, AE, Catalog)], "https://www.postgresql.org/docs/current/sql-dropview.html"),
    row(Op::RefreshMaterializedView, &[(View, AE, Rewrite), (Source, ACCESS_SHARE, Catalog)], REFRESH),
    row(Op::RefreshMaterializedViewConcurrently, &[(View, EXCLUSIVE, Rows), (Source, ACCESS_SHARE, Catalog)], REFRESH),
    row(Op::AlterSequence, &[(Target, SRE, Catalog)], "https://www.postgresql.org/docs/current/sql-altersequence.html"),
    row(Op::DropSequence, &[(Target, AE, Catalog)], "https://www.postgresql.org/docs/current/sql-dropsequence.html"),
    row(Op::AlterDomainChecked, &[(User, SHARE, Scan)], DOMAIN),
    row(Op::ValidateDomain, &[(User, SHARE, Scan)], DOMAIN),

    row(Op::WriteRows, &[(Target, ROW_EXCLUSIVE, Rows), (Source, ACCESS_SHARE, Catalog)], LOCKING),
    row(Op::ReadRows, &[(Source, ACCESS_SHARE, Catalog)], LOCKING),
    row(Op::LockRows, &[(Source, ROW_SHARE, Rows)], LOCKING),
    row(Op::Vacuum, &[(Target, SUE, Scan)], "https://www.postgresql.org/docs/current/sql-vacuum.html"),
    row(Op::VacuumFull, &[(Target, AE, Rewrite)], "https://www.postgresql.org/docs/current/sql-vacuum.html"),
    // It reads a sample, whose size does not depend on the table's.
    row(Op::Analyze, &[(Target, SUE, Catalog)], "https://www.postgresql.org/docs/current/sql-analyze.html"),
    row(Op::Cluster, &[(Target, AE, Rewrite)], "https://www.postgresql.org/docs/current/sql-cluster.html"),
    row(Op::Comment, &[(Target, SUE, Catalog)], "https://www.postgresql.org/docs/current/sql-comment.html"),
    row(Op::CreateStatistics, &[(Target, SUE, Catalog)], "https://www.postgresql.org/docs/current/sql-createstatistics.html"),
    row(Op::LockAccessShare, &[(Target, ACCESS_SHARE, Catalog)], LOCK_TABLE),
    row(Op::LockRowShare, &[(Target, ROW_SHARE, Catalog)], LOCK_TABLE),
    row(Op::LockRowExclusive, &[(Target, ROW_EXCLUSIVE, Catalog)], LOCK_TABLE),
    row(Op::LockShareUpdateExclusive, &[(Target, SUE, Catalog)], LOCK_TABLE),
    row(Op::LockShare, &[(Target, SHARE, Catalog)], LOCK_TABLE),
    row(Op::LockShareRowExclusive, &[(Target, SRE, Catalog)], LOCK_TABLE),
    row(Op::LockExclusive, &[(Target, EXCLUSIVE, Catalog)], LOCK_TABLE),
    row(Op::LockAccessExclusive, &[(Target, AE, Catalog)], LOCK_TABLE),
];

/// The row that holds for `operation` on a server of `version`.
pub fn lookup(operation: Operation, version: Number) -> Option<&'static Row> {
    TABLE.iter().rev().find(|row| row.operation == operation && row.since <= version)
}
