//! The table: how MySQL and MariaDB carry out each operation on an InnoDB table, and what others may do meanwhile.
//! Where products or versions differ, each has a row of its own. `tests/it/effects_mysql.rs` asks servers, by
//! `ALGORITHM=` and `LOCK=`, whether it is true.

use crate::engine::effects::{Algorithm, Lock, Work};
use crate::engine::version::{Number, Product, ServerVersion};

const fn lock(name: &'static str, strength: u8, reads: bool, writes: bool) -> Lock {
    Lock { name, strength, blocks_reads: reads, blocks_writes: writes, blocks_ddl: true }
}

// https://dev.mysql.com/doc/refman/8.4/en/metadata-locking.html
/// The locks of rows that a statement writes: only writers of the same rows wait.
pub const ROWS: Lock = Lock { blocks_ddl: true, ..lock("ROW LOCKS", 1, false, false) };
/// `LOCK=NONE`: others read and write the table.
pub const NONE: Lock = lock("LOCK=NONE", 2, false, false);
/// The metadata lock of a table that a foreign key ties to the altered one: whoever writes it uses both.
pub const LINKED: Lock = lock("METADATA LOCK", 3, false, true);
/// `LOCK=SHARED`: others read the table.
pub const SHARED: Lock = lock("LOCK=SHARED", 4, false, true);
/// `LOCK TABLES … READ`.
pub const READ: Lock = lock("READ LOCK", 5, false, true);
/// The exclusive metadata lock that every schema change takes at its end, and most at their start too.
pub const METADATA: Lock = lock("EXCLUSIVE METADATA LOCK", 6, true, true);
/// `LOCK=EXCLUSIVE`: nobody uses the table.
pub const EXCLUSIVE: Lock = lock("LOCK=EXCLUSIVE", 7, true, true);

/// How an operation is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// The algorithm; none where the statement has no choice.
    pub algorithm: Option<Algorithm>,
    /// The lock that is held for as long as it takes.
    pub lock: Lock,
    /// What is done meanwhile.
    pub work: Work,
}

const fn way(algorithm: Algorithm, lock: Lock, work: Work) -> Way {
    Way { algorithm: Some(algorithm), lock, work }
}

/// The data dictionary alone.
pub const INSTANT: Way = way(Algorithm::Instant, METADATA, Work::Catalog);
/// `INPLACE` that touches no rows.
pub const IN_PLACE: Way = way(Algorithm::Nocopy, METADATA, Work::Catalog);
/// An index is built while others read and write.
pub const BUILD: Way = way(Algorithm::Nocopy, NONE, Work::IndexBuild);
/// An index is built while others read.
pub const BUILD_SHARED: Way = way(Algorithm::Nocopy, SHARED, Work::IndexBuild);
/// The table is written anew while others read and write.
pub const REBUILD: Way = way(Algorithm::Inplace, NONE, Work::Rewrite);
/// The table is written anew while others read.
pub const REBUILD_SHARED: Way = way(Algorithm::Inplace, SHARED, Work::Rewrite);
/// The server copies row by row while others read.
pub const COPY: Way = way(Algorithm::Copy, SHARED, Work::Rewrite);
/// The same on a server that lets others write meanwhile.
pub const COPY_ONLINE: Way = way(Algorithm::Copy, NONE, Work::Rewrite);
/// A short statement that has no choice.
pub const MOMENT: Way = Way { algorithm: None, lock: METADATA, work: Work::Catalog };

/// An operation: what a change comes to once the schema before it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // The variants say what the rows of the table say.
pub enum Operation {
    // Columns.
    AddColumn,
    AddColumnWithin,
    AddColumnVirtual,
    AddColumnVirtualWithin,
    AddColumnStored,
    AddColumnAutoIncrement,
    AddColumnWithKey,
    AddColumnChecked,
    AddColumnExpressionDefault,
    AddColumnDependentDefault,
    DropColumn,
    DropColumnVirtual,
    DropColumnWithIndex,
    DropColumnOfIndex,
    RenameColumn,
    RenameColumnReferenced,
    MoveColumn,
    ChangeDefault,
    ChangeNullability,
    AllowNull,
    ExtendText,
    ExtendShortText,
    AppendLabel,
    ChangeCharset,
    ChangeCharsetIndexed,
    ChangeCollationIndexed,
    ChangeType,
    ChangeTypeAutoIncrement,
    ChangeVirtual,
    // Indexes and constraints.
    AddIndex,
    AddFulltext,
    AddFirstFulltext,
    AddSpatial,
    AddFunctionalIndex,
    DropIndex,
    RenameIndex,
    ShowIndex,
    AddPrimaryKey,
    DropPrimaryKey,
    DropPrimaryKeyReplaced,
    DropPrimaryKeySpared,
    AddForeignKey,
    AddForeignKeyUnchecked,
    DropForeignKey,
    AddCheck,
    AddCheckUnenforced,
    DropCheck,
    // The table as a whole.
    RenameTable,
    Rebuild,
    ChangeEngine,
    ChangeEncryption,
    ChangeOptions,
    ChangeDefaultCharset,
    OrderRows,
    Versioning,
    ToggleKeys,
    AddPartition,
    DropPartition,
    TruncatePartition,
    ExchangePartition,
    RebuildPartition,
    Repartition,
    Other,
}

/// How an operation is carried out on a server of a product, from one version on.
#[derive(Debug)]
pub struct Row {
    /// The operation.
    pub operation: Operation,
    /// The product; none for both.
    pub product: Option<Product>,
    /// The first version that does it like this; later rows win.
    pub since: Number,
    /// How.
    pub way: Way,
}

/// Any version that we know of.
const ALWAYS: Number = (0, 0, 0);

const fn both(operation: Operation, way: Way) -> Row {
    Row { operation, product: None, since: ALWAYS, way }
}
const fn mysql(operation: Operation, since: Number, way: Way) -> Row {
    Row { operation, product: Some(Product::Mysql), since, way }
}
const fn mariadb(operation: Operation, way: Way) -> Row {
    Row { operation, product: Some(Product::Mariadb), since: ALWAYS, way }
}

use Operation as Op;

/// The table. Of the rows for one operation and product, the last whose version the server has reached holds.
#[rustfmt::skip]
pub static TABLE: &[Row] = &[
    both(Op::AddColumn, INSTANT),
    mysql(Op::AddColumn, ALWAYS, REBUILD),
    mysql(Op::AddColumn, (8, 0, 12), INSTANT),
    both(Op::AddColumnWithin, INSTANT),
    mysql(Op::AddColumnWithin, ALWAYS, REBUILD),
    mysql(Op::AddColumnWithin, (8, 0, 29), INSTANT),
    both(Op::AddColumnVirtual, INSTANT),
    mysql(Op::AddColumnVirtual, ALWAYS, IN_PLACE),
    mysql(Op::AddColumnVirtual, (8, 0, 12), INSTANT),
    both(Op::AddColumnVirtualWithin, INSTANT),
    mysql(Op::AddColumnVirtualWithin, ALWAYS, COPY),
    both(Op::AddColumnStored, COPY),
    both(Op::AddColumnAutoIncrement, REBUILD_SHARED),
    both(Op::AddColumnWithKey, REBUILD),
    mysql(Op::AddColumnChecked, ALWAYS, COPY),
    mariadb(Op::AddColumnChecked, INSTANT),
    mysql(Op::AddColumnExpressionDefault, ALWAYS, COPY),
    mariadb(Op::AddColumnExpressionDefault, INSTANT),
    both(Op::AddColumnDependentDefault, COPY),
    mysql(Op::DropColumn, ALWAYS, REBUILD),
    mysql(Op::DropColumn, (8, 0, 29), INSTANT),
    mariadb(Op::DropColumn, INSTANT),
    both(Op::DropColumnVirtual, INSTANT),
    mysql(Op::DropColumnVirtual, ALWAYS, IN_PLACE),
    mysql(Op::DropColumnVirtual, (8, 0, 12), INSTANT),
    mysql(Op::DropColumnWithIndex, ALWAYS, REBUILD),
    mariadb(Op::DropColumnWithIndex, IN_PLACE),
    both(Op::DropColumnOfIndex, REBUILD),
    mysql(Op::RenameColumn, ALWAYS, IN_PLACE),
    mysql(Op::RenameColumn, (8, 0, 28), INSTANT),
    mariadb(Op::RenameColumn, INSTANT),
    mysql(Op::RenameColumnReferenced, ALWAYS, IN_PLACE),
    mariadb(Op::RenameColumnReferenced, INSTANT),
    mysql(Op::MoveColumn, ALWAYS, REBUILD),
    mariadb(Op::MoveColumn, INSTANT),
    both(Op::ChangeDefault, INSTANT),
    both(Op::ChangeNullability, REBUILD),
    both(Op::AllowNull, REBUILD),
    mysql(Op::ExtendText, ALWAYS, IN_PLACE),
    mariadb(Op::ExtendText, INSTANT),
    // Across 256 bytes, from 127 bytes or fewer.
    mysql(Op::ExtendShortText, ALWAYS, COPY),
    mariadb(Op::ExtendShortText, INSTANT),
    both(Op::AppendLabel, INSTANT),
    mysql(Op::ChangeCharset, ALWAYS, IN_PLACE),
    mariadb(Op::ChangeCharset, INSTANT),
    mysql(Op::ChangeCharsetIndexed, ALWAYS, COPY),
    mariadb(Op::ChangeCharsetIndexed, INSTANT),
    mysql(Op::ChangeCollationIndexed, ALWAYS, COPY),
    mariadb(Op::ChangeCollationIndexed, BUILD),
    both(Op::ChangeType, COPY),
    both(Op::ChangeTypeAutoIncrement, COPY),
    mysql(Op::ChangeVirtual, ALWAYS, COPY),
    mariadb(Op::ChangeVirtual, INSTANT),

    both(Op::AddIndex, BUILD),
    both(Op::AddFulltext, BUILD_SHARED),
    // It adds a hidden column FTS_DOC_ID.
    both(Op::AddFirstFulltext, REBUILD_SHARED),
    both(Op::AddSpatial, BUILD_SHARED),
    both(Op::AddFunctionalIndex, BUILD_SHARED),
    both(Op::DropIndex, IN_PLACE),
    mysql(Op::RenameIndex, ALWAYS, IN_PLACE),
    mariadb(Op::RenameIndex, INSTANT),
    mysql(Op::ShowIndex, ALWAYS, IN_PLACE),
    mariadb(Op::ShowIndex, INSTANT),
    both(Op::AddPrimaryKey, REBUILD),
    // A unique key of columns that are never null takes its place.
    mysql(Op::DropPrimaryKeySpared, ALWAYS, COPY),
    mariadb(Op::DropPrimaryKeySpared, REBUILD),
    both(Op::DropPrimaryKey, COPY),
    both(Op::DropPrimaryKeyReplaced, REBUILD),
    both(Op::AddForeignKey, COPY),
    both(Op::AddForeignKeyUnchecked, BUILD),
    mysql(Op::DropForeignKey, ALWAYS, IN_PLACE),
    mariadb(Op::DropForeignKey, INSTANT),
    both(Op::AddCheck, COPY),
    both(Op::AddCheckUnenforced, INSTANT),
    both(Op::DropCheck, INSTANT),

    mysql(Op::RenameTable, ALWAYS, INSTANT),
    // INPLACE, with LOCK=EXCLUSIVE.
    mariadb(Op::RenameTable, IN_PLACE),
    both(Op::Rebuild, REBUILD),
    both(Op::ChangeEngine, COPY),
    both(Op::ChangeEncryption, COPY),
    mysql(Op::ChangeOptions, ALWAYS, IN_PLACE),
    mariadb(Op::ChangeOptions, INSTANT),
    mysql(Op::ChangeDefaultCharset, ALWAYS, IN_PLACE),
    mariadb(Op::ChangeDefaultCharset, INSTANT),
    both(Op::OrderRows, COPY),
    both(Op::Versioning, COPY),
    both(Op::ToggleKeys, MOMENT),
    both(Op::AddPartition, MOMENT),
    both(Op::DropPartition, MOMENT),
    both(Op::TruncatePartition, MOMENT),
    both(Op::ExchangePartition, Way { algorithm: None, lock: METADATA, work: Work::Scan }),
    both(Op::RebuildPartition, Way { algorithm: None, lock: SHARED, work: Work::Rewrite }),
    both(Op::Repartition, COPY),
    both(Op::Other, MOMENT),
];

/// From which version on a copying change lets others write, but for one that numbers rows.
/// <https://mariadb.com/kb/en/alter-table/#lock>
const COPY_IS_ONLINE: ServerVersion = ServerVersion { product: Product::Mariadb, number: (11, 2, 0) };

/// The way that `server` takes for `operation`, if nothing about the table stands against it.
pub fn lookup(operation: Operation, server: ServerVersion) -> Option<Way> {
    let holds = |row: &&Row| {
        row.operation == operation
            && row.product.is_none_or(|product| product == server.product)
            && row.since <= server.number
    };
    let way = TABLE.iter().rev().find(holds)?.way;
    let numbered = operation == Op::ChangeTypeAutoIncrement;
    Some(if way == COPY && !numbered { copy(server) } else { way })
}

/// How `server` copies.
pub fn copy(server: ServerVersion) -> Way {
    if server.product == COPY_IS_ONLINE.product && server.at_least(COPY_IS_ONLINE.number) {
        COPY_ONLINE
    } else {
        COPY
    }
}

/// Whether an operation adds, drops or moves columns: where it cannot be done at once, the table is written anew.
pub const fn restructures(operation: Operation) -> bool {
    matches!(
        operation,
        Op::AddColumn
            | Op::AddColumnWithin
            | Op::AddColumnChecked
            | Op::AddColumnExpressionDefault
            | Op::DropColumn
            | Op::DropColumnWithIndex
            | Op::MoveColumn
    )
}

/// The page of the manual.
pub const fn manual(product: Product) -> &'static str {
    match product {
        Product::Mariadb => "https://mariadb.com/kb/en/innodb-online-ddl-overview/",
        Product::Mysql | Product::Postgres | Product::Sqlite => {
            "https://dev.mysql.com/doc/refman/8.4/en/innodb-online-ddl-operations.html"
        }
    }
}
