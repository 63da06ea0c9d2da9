//! The names that a query can use at one place: relations under their aliases, with their columns.

use crate::name::{Name, TableName};
use crate::schema::change::DataType;

/// A column of a relation in base tables and views: full name of the relation, and the column.
pub(super) type Origin = (TableName, Name);

/// A column that can be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) name: Name,
    /// The columns that it is made of.
    pub(super) origins: Vec<Origin>,
    pub(super) data_type: Option<DataType>,
    /// Part of another one by `USING` or `NATURAL`: found only with its qualifier.
    pub(super) merged: bool,
    /// Not part of `*`.
    pub(super) invisible: bool,
}

impl Known {
    pub(super) fn new(name: Name, origins: Vec<Origin>, data_type: Option<DataType>) -> Self {
        Self { name, origins, data_type, merged: false, invisible: false }
    }
}

/// Whether a relation has columns that are not known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Open {
    /// It has none.
    #[default]
    No,
    /// It has, and they are nobody's business: a function's, the catalog's.
    Foreign,
    /// A relation of the schema that no migration made.
    Unsure(TableName),
}

/// The columns of a relation or of a result.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Columns {
    pub(super) known: Vec<Known>,
    pub(super) open: Open,
}

impl Columns {
    pub(super) fn foreign() -> Self {
        Self { known: Vec::new(), open: Open::Foreign }
    }

    /// The same with the first columns renamed to `names`.
    pub(super) fn renamed(mut self, names: &[Name]) -> Self {
        let shown: Vec<usize> = (0..self.known.len()).filter(|at| !self.known[*at].invisible).collect();
        for (at, name) in names.iter().enumerate() {
            match shown.get(at) {
                Some(place) => self.known[*place].name = name.clone(),
                None if self.open != Open::No => self.known.push(Known::new(name.clone(), Vec::new(), None)),
                None => {}
            }
        }
        self
    }
}

/// A relation that can be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Visible {
    /// Its alias or its name.
    pub(super) name: Option<Name>,
    /// The relation, where it is one of the schema and has no alias.
    pub(super) relation: Option<TableName>,
    pub(super) columns: Columns,
    /// Only with its qualifier: `excluded`, `old`, `new`.
    pub(super) qualified_only: bool,
}

/// The relations of one `FROM`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Frame {
    pub(super) sources: Vec<Visible>,
}

/// What a bare name stands for in one frame.
pub(super) enum Found<'a> {
    One(&'a Known),
    Ambiguous,
    /// It is none of the known ones; these relations may have it.
    Unsure(Vec<TableName>),
    /// A function or the catalog may have it.
    Foreign,
    None,
}

impl Frame {
    /// What the bare name stands for.
    pub(super) fn bare(&self, same: impl Fn(&Name) -> bool) -> Found<'_> {
        let visible = || self.sources.iter().filter(|source| !source.qualified_only);
        let mut hits = visible()
            .flat_map(|source| &source.columns.known)
            .filter(|known| !known.merged && same(&known.name));
        if let Some(first) = hits.next() {
            return if hits.next().is_some() { Found::Ambiguous } else { Found::One(first) };
        }
        let unsure: Vec<TableName> = visible()
            .filter_map(|source| match &source.columns.open {
                Open::Unsure(name) => Some(name.clone()),
                Open::No | Open::Foreign => None,
            })
            .collect();
        if !unsure.is_empty() {
            return Found::Unsure(unsure);
        }
        let foreign = visible().any(|source| source.columns.open == Open::Foreign);
        if foreign { Found::Foreign } else { Found::None }
    }

    /// Makes one column of two: the one called `same` in the last `right` sources, and the one before them.
    /// Gives the columns that it is made of; none where one side lacks it.
    pub(super) fn merge(&mut self, same: impl Fn(&Name) -> bool, right_from: usize) -> Option<Vec<Origin>> {
        let find = |sources: &[Visible]| {
            sources.iter().enumerate().find_map(|(at, source)| {
                let column =
                    source.columns.known.iter().position(|known| !known.merged && same(&known.name))?;
                Some((at, column))
            })
        };
        let (left, right) = self.sources.split_at_mut(right_from);
        let (left_at, right_at) = (find(left)?, find(right)?);
        let second = &mut right[right_at.0].columns.known[right_at.1];
        second.merged = true;
        let origins = second.origins.clone();
        let first = &mut left[left_at.0].columns.known[left_at.1];
        for origin in origins {
            if !first.origins.contains(&origin) {
                first.origins.push(origin);
            }
        }
        Some(first.origins.clone())
    }
}
