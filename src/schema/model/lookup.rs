//! How things are found in a schema: by names as the engine looks them up, and by what they belong to.

use super::*;

/// What a name stands for among the relations.
#[derive(Debug, Clone, Copy)]
pub enum Relation<'a> {
    /// A table.
    Table(&'a Arc<Table>),
    /// A view.
    View(&'a Arc<View>),
    /// A sequence.
    Sequence(&'a Arc<Sequence>),
}

impl Schema {
    /// An empty database.
    pub fn new(dialect: Dialect) -> Self {
        let home = Name::new(match dialect {
            Dialect::Postgres => "public",
            Dialect::Mysql => "default",
            Dialect::Sqlite => "main",
        });
        let mut schemas = Map::default();
        schemas.insert(home.clone(), None);
        Self {
            dialect,
            search_path: Arc::from([home]),
            schemas,
            tables: Map::default(),
            views: Map::default(),
            index_tables: Map::default(),
            sequences: Map::default(),
            types: Map::default(),
            routines: Map::default(),
            extensions: Map::default(),
            others: Map::default(),
            grants: Map::default(),
            gone: Map::default(),
            now: When::default(),
            opaque: 0,
            seen: Seen::default(),
        }
    }

    /// The schema into which a name without one goes.
    pub fn home(&self) -> Name {
        self.search_path
            .iter()
            .find(|schema| self.schemas.contains_key(*schema))
            .or(self.search_path.first())
            .cloned()
            .unwrap_or_default()
    }

    /// `name` in the spelling of the maps' keys.
    pub fn fold(&self, name: &Name) -> Name {
        match self.dialect {
            Dialect::Postgres => stored(name, self.dialect),
            Dialect::Mysql | Dialect::Sqlite => Name::new(name.as_str().to_lowercase()),
        }
    }

    /// The schema of temporary objects of PostgreSQL, in which unqualified names are looked for first.
    pub fn temporary() -> Name {
        Name::new("pg_temp")
    }

    /// The full name that a new object called `name` gets, as a key.
    pub fn new_key(&self, name: &ObjectName) -> ObjectName {
        let schema = name.schema.as_ref().map_or_else(|| self.home(), |schema| self.fold(schema));
        ObjectName::qualified(schema, self.fold(&name.name))
    }

    /// The key under which `exists` finds something called `name`, following `search_path`.
    pub fn find(&self, name: &ObjectName, exists: impl Fn(&ObjectName) -> bool) -> Option<ObjectName> {
        if name.schema.is_some() {
            let key = self.new_key(name);
            return exists(&key).then_some(key);
        }
        let folded = self.fold(&name.name);
        let temporary = (self.dialect == Dialect::Postgres).then(Self::temporary);
        (temporary.iter().chain(self.search_path.iter()))
            .map(|schema| ObjectName::qualified(schema.clone(), folded.clone()))
            .find(|key| exists(key))
    }

    /// The key of the relation called `name`: a table, a view or a sequence.
    pub fn relation_key(&self, name: &TableName) -> Option<TableName> {
        self.find(name, |key| {
            self.tables.contains_key(key) || self.views.contains_key(key) || self.sequences.contains_key(key)
        })
    }

    /// The relation called `name`.
    pub fn relation(&self, name: &TableName) -> Option<Relation<'_>> {
        let key = self.relation_key(name)?;
        (self.tables.get(&key).map(Relation::Table))
            .or_else(|| self.views.get(&key).map(Relation::View))
            .or_else(|| self.sequences.get(&key).map(Relation::Sequence))
    }

    /// The table called `name`.
    pub fn table(&self, name: &TableName) -> Option<&Arc<Table>> {
        self.tables.get(&self.find(name, |key| self.tables.contains_key(key))?)
    }

    /// The view called `name`.
    pub fn view(&self, name: &TableName) -> Option<&Arc<View>> {
        self.views.get(&self.find(name, |key| self.views.contains_key(key))?)
    }

    /// The type called `name`.
    pub fn user_type(&self, name: &ObjectName) -> Option<&Arc<UserType>> {
        self.types.get(&self.find(name, |key| self.types.contains_key(key))?)
    }

    /// The sequence called `name`.
    pub fn sequence(&self, name: &ObjectName) -> Option<&Arc<Sequence>> {
        self.sequences.get(&self.find(name, |key| self.sequences.contains_key(key))?)
    }

    /// All routines called `name`; empty where there is none.
    pub fn routines(&self, name: &ObjectName) -> &[Arc<Routine>] {
        let key = self.find(name, |key| self.routines.contains_key(key));
        key.and_then(|key| self.routines.get(&key)).map_or(&[], |all| all.as_slice())
    }

    /// Takes out what ends with the session.
    pub fn drop_temporary(&mut self) {
        let temporary = |key: &ObjectName| key.schema == Some(Self::temporary());
        let tables: Vec<TableName> = self.tables.keys().filter(|key| temporary(key)).cloned().collect();
        let views: Vec<TableName> = self.views.keys().filter(|key| temporary(key)).cloned().collect();
        let sequences: Vec<ObjectName> =
            self.sequences.keys().filter(|key| temporary(key)).cloned().collect();
        let indexes: Vec<ObjectName> =
            self.index_tables.keys().filter(|key| temporary(key)).cloned().collect();
        for key in tables {
            self.tables.remove(&key);
        }
        for key in views {
            self.views.remove(&key);
        }
        for key in sequences {
            self.sequences.remove(&key);
        }
        for key in indexes {
            self.index_tables.remove(&key);
        }
    }

    /// The table with the key `key`, to be changed.
    pub fn table_mut(&mut self, key: &TableName) -> Option<&mut Table> {
        self.tables.get_mut(key).map(Arc::make_mut)
    }

    /// The table and the index called `name`, where indexes have names of their own (PostgreSQL, SQLite).
    pub fn index(&self, name: &ObjectName) -> Option<(&Arc<Table>, &Arc<Index>)> {
        let key = self.find(name, |key| self.index_tables.contains_key(key))?;
        let table = self.tables.get(self.index_tables.get(&key)?)?;
        Some((table, table.index(&key.name)?))
    }

    /// The tables with a foreign key to `table` (its key), and that constraint.
    pub fn references_to<'a>(
        &'a self,
        table: &'a TableName,
    ) -> impl Iterator<Item = (&'a Arc<Table>, &'a Arc<TableConstraint>)> {
        let tables = self.seen.referenced(table).then(|| self.tables.values());
        tables.into_iter().flatten().flat_map(move |from| {
            from.constraints.iter().filter_map(move |constraint| match &constraint.kind {
                ConstraintKind::ForeignKey(key) if key.references == *table => Some((from, constraint)),
                _ => None,
            })
        })
    }

    /// The views that read `relation` (its key).
    pub fn views_of<'a>(
        &'a self,
        relation: &'a TableName,
    ) -> impl Iterator<Item = (&'a Arc<View>, &'a Dependency)> {
        let views = self.seen.read(relation).then(|| self.views.values());
        views.into_iter().flatten().flat_map(move |view| {
            view.reads.iter().filter(move |read| read.relation == *relation).map(move |read| (view, read))
        })
    }

    /// The partitions of `table` (its key), and tables that inherit from it.
    pub fn children_of<'a>(&'a self, table: &'a TableName) -> impl Iterator<Item = &'a Arc<Table>> {
        self.children_with_keys(table).map(|(_, child)| child)
    }

    /// The same, with their keys.
    pub fn children_with_keys<'a>(
        &'a self,
        table: &'a TableName,
    ) -> impl Iterator<Item = (&'a TableName, &'a Arc<Table>)> {
        let tables = self.seen.parent(table).then(|| self.tables.iter());
        tables.into_iter().flatten().filter(move |(_, child)| {
            child.partition_of.as_ref().is_some_and(|of| of.parent == *table)
                || child.inherits.contains(table)
        })
    }

    /// The columns that use the type or domain with the key `name`, by table.
    pub fn columns_of_type<'a>(
        &'a self,
        name: &'a ObjectName,
    ) -> impl Iterator<Item = (&'a Arc<Table>, &'a Arc<Column>)> {
        self.tables.values().flat_map(move |table| {
            let uses = move |column: &&Arc<Column>| {
                column.data_type.as_ref().is_some_and(|data_type| {
                    data_type.name == name.name.as_str()
                        && self.find(&data_type.object_name(), |key| self.types.contains_key(key)).as_ref()
                            == Some(name)
                })
            };
            table.columns.iter().filter(uses).map(move |column| (table, column))
        })
    }
}

impl Table {
    /// Whether two names are the same to the engine.
    pub fn same(&self, one: &Name, other: &Name) -> bool {
        same(one, other, self.dialect)
    }

    /// Whether an index or a key says that `columns`, or fewer of them, are unique; one on a column of `without` does not
    /// count.
    pub fn is_unique_by(&self, columns: &[&Name], without: &[&Name]) -> bool {
        self.indexes.iter().any(|index| {
            let counts = |column: &&Name| columns.contains(column) && !without.contains(column);
            index.unique
                && index.predicate.is_none()
                && index.plain_columns().is_some_and(|own| own.iter().all(counts))
        })
    }

    /// Where the column `name` stands.
    pub fn column_at(&self, name: &Name) -> Option<usize> {
        self.columns.iter().position(|column| self.same(&column.name, name))
    }

    /// The column `name`.
    pub fn column(&self, name: &Name) -> Option<&Arc<Column>> {
        self.columns.get(self.column_at(name)?)
    }

    /// The constraint `name`.
    pub fn constraint(&self, name: &Name) -> Option<&Arc<TableConstraint>> {
        self.constraints.iter().find(|constraint| self.same(&constraint.name, name))
    }

    /// The index `name`.
    pub fn index(&self, name: &Name) -> Option<&Arc<Index>> {
        self.indexes.iter().find(|index| self.same(&index.name, name))
    }

    /// The primary key.
    pub fn primary_key(&self) -> Option<&Arc<TableConstraint>> {
        self.constraints.iter().find(|constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey(_)))
    }

    /// Whether all of its columns are known.
    pub fn is_complete(&self) -> bool {
        self.origin != Origin::Assumed
    }

    /// Whether a validated check already says that `column` is never NULL, so that `SET NOT NULL` need not scan.
    pub fn has_valid_not_null_check(&self, column: &Name) -> bool {
        self.constraints.iter().any(|constraint| match &constraint.kind {
            ConstraintKind::Check(expr) => {
                constraint.valid && constraint.enforced && expr.requires_not_null.contains(column)
            }
            _ => false,
        })
    }
}
