//! Keys of tables that are there, to which a new table refers before the contract makes them.

use super::behind::ONE_AFTER_THE_OTHER;
use super::{Deciding, Refusal, refusal, short};
use crate::analysis::Step;
use crate::name::Name;
use crate::schema::apply::apply;
use crate::schema::change::{Change, ConstraintKind, ForeignKey};
use crate::schema::model::{Schema, Table, When};

impl Deciding<'_> {
    /// A table that is made with the first step can refer to no key that is there only from the contract on.
    pub(super) fn refers_to_no_later_key(
        &self,
        step: &Step,
        change: &Change,
        before: &Schema,
        text: &str,
    ) -> Result<(), Refusal> {
        let mut after = before.clone();
        apply(&mut after, change);
        let is_of_this = |when: Option<When>| when.is_some_and(|when| when.migration == self.migration);
        let tables = after.tables.values().filter(|table| is_of_this(table.created));
        for key in tables.flat_map(|table| &table.constraints).filter_map(|one| match &one.kind {
            ConstraintKind::ForeignKey(key) => Some(key),
            _ => None,
        }) {
            let Some(there) = before.table(&key.references).filter(|table| !is_of_this(table.created)) else {
                continue;
            };
            let serving = serving(there, key);
            if !serving.is_empty() && serving.iter().all(|made| is_of_this(*made)) {
                let what = format!(
                    "`{}` refers to a key of `{}` that this migration adds, and that is there only from the contract on",
                    short(text),
                    there.name.name.as_str()
                );
                return Err(refusal(step, what, ONE_AFTER_THE_OTHER));
            }
        }
        Ok(())
    }
}

/// When the keys and unique indexes of `table` were made that `foreign` can refer to.
fn serving(table: &Table, foreign: &ForeignKey) -> Vec<Option<When>> {
    let is_same = |columns: &[Name]| {
        columns.len() == foreign.referenced_columns.len()
            && columns.iter().all(|one| foreign.referenced_columns.iter().any(|other| table.same(one, other)))
    };
    let constraints = table.constraints.iter().filter_map(|one| match &one.kind {
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => {
            is_same(&key.columns).then_some(one.created)
        }
        _ => None,
    });
    let indexes = table.indexes.iter().filter(|index| index.constraint.is_none() && index.unique);
    let indexes = indexes.filter_map(|index| {
        let columns: Option<Vec<Name>> = index.elements.iter().map(|one| one.column.clone()).collect();
        columns.filter(|columns| is_same(columns)).map(|_| index.created)
    });
    constraints.chain(indexes).collect()
}
