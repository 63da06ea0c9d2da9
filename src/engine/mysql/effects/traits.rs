//! What a table has that keeps InnoDB from changing it in the usual way.

use super::table::{self, COPY, INSTANT, Operation, REBUILD, REBUILD_SHARED, Way};
use crate::engine::effects::{Algorithm, Work};
use crate::engine::version::{Product, ServerVersion};
use crate::name::Name;
use crate::schema::change::Generation;
use crate::schema::model::{Index, Table};

/// What stands against the usual way.
#[derive(Debug, Clone, Copy, Default)]
pub struct Traits {
    /// Another engine than InnoDB.
    other_engine: bool,
    /// `ROW_FORMAT=COMPRESSED`.
    compressed: bool,
    /// A full-text index.
    pub fulltext: bool,
    /// A generated column that is not stored.
    virtual_column: bool,
    /// One with an index.
    indexed_virtual: bool,
    /// Any generated column.
    generated: bool,
    /// `ROW_FORMAT=REDUNDANT`.
    pub redundant: bool,
}

impl Traits {
    /// Those of `table`.
    pub fn of(table: &Table) -> Self {
        let option = |name: &str| {
            let found = table.options.iter().rev().find(|(option, _)| option == name);
            found.map(|(_, value)| value.to_ascii_lowercase())
        };
        let is_virtual = |name: &Name| {
            let generation = table.column(name).and_then(|column| column.generation.as_ref());
            matches!(generation, Some(Generation::Expression { stored: false, .. }))
        };
        let row_format = option("row_format").unwrap_or_default();
        let block = option("key_block_size").is_some_and(|size| size != "0");
        let virtuals: Vec<&Name> =
            table.columns.iter().map(|column| &column.name).filter(|name| is_virtual(name)).collect();
        Self {
            other_engine: option("engine").is_some_and(|engine| engine != "innodb"),
            compressed: row_format == "compressed" || block,
            redundant: row_format == "redundant",
            fulltext: table.indexes.iter().any(|index| is_fulltext(index)),
            indexed_virtual: virtuals.iter().any(|name| table.indexes.iter().any(|index| index.uses(name))),
            virtual_column: !virtuals.is_empty(),
            generated: table
                .columns
                .iter()
                .any(|column| matches!(column.generation, Some(Generation::Expression { .. }))),
        }
    }

    /// The way that `server` takes for `operation` on such a table instead of the `usual` one.
    pub fn adjusted(self, operation: Operation, usual: Way, server: ServerVersion) -> Way {
        use Operation as Op;
        let restructures = table::restructures(operation);
        let rebuilds = usual.work == Work::Rewrite && usual.algorithm == Some(Algorithm::Inplace);
        if self.other_engine {
            let rows = restructures || usual.work.grows_with_rows() || operation == Op::DropIndex;
            return match usual.algorithm {
                Some(_) if rows => table::copy(server),
                Some(_) if operation == Op::ChangeOptions => INSTANT,
                _ => usual,
            };
        }
        if server.product == Product::Mariadb {
            if operation == Op::AllowNull && self.redundant {
                return INSTANT;
            }
            let copies = match operation {
                Op::AddColumnWithin => self.virtual_column,
                Op::DropColumn | Op::MoveColumn => self.indexed_virtual,
                Op::ChangeNullability | Op::AllowNull | Op::DropColumnOfIndex => self.generated,
                Op::ChangeVirtual => self.indexed_virtual,
                _ => false,
            };
            if copies {
                return table::copy(server);
            }
            if self.indexed_virtual && (restructures || rebuilds) {
                return REBUILD_SHARED;
            }
        }
        if self.fulltext && (restructures || rebuilds) {
            return if server.product == Product::Mysql { COPY } else { REBUILD_SHARED };
        }
        if self.compressed && restructures { REBUILD } else { usual }
    }
}

/// Whether `index` is a full-text index.
pub fn is_fulltext(index: &Index) -> bool {
    index.method.as_deref() == Some("fulltext")
}
