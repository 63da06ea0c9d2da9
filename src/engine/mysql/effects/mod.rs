//! What a change does to everyone else on MySQL and MariaDB: by which algorithm the server carries it out, and what
//! others may do meanwhile.
//!
//! - `table`: the facts;
//! - `column`: columns that are added, dropped, or defined anew;
//! - `alter`: the actions of `ALTER TABLE`;
//! - `traits`: what a table has that stands against the usual way.

mod alter;
mod column;
pub mod table;
mod traits;

use crate::engine::effects::{Algorithm, Effects, Lock, RelationEffect, Role, Session, Wait, Work};
use crate::engine::version::{Product, ServerVersion};
use crate::name::TableName;
use crate::schema::change::*;
use crate::schema::model::{Schema, Table};
use table::{LINKED, METADATA, Operation, READ, REBUILD, ROWS, SHARED, Way};
use traits::Traits;

/// What `change` does to others on `server`, given the schema `before` it, if its statement does nothing else.
pub fn effects(change: &Change, before: &Schema, server: ServerVersion, session: Session) -> Effects {
    statement_effects(&[(change, before)], server, session)
}

/// What a statement of these `changes` does to others. Its actions on one table are carried out together.
pub fn statement_effects(changes: &[(&Change, &Schema)], server: ServerVersion, session: Session) -> Effects {
    let mut found = Sorting { server, session, actions: Vec::new(), others: Vec::new() };
    for (change, before) in changes {
        found.change(&change.kind, before);
    }
    found.effects(changes)
}

/// An operation on a table, and how it is carried out.
struct Action {
    table: TableName,
    operation: Operation,
    way: Way,
    /// How, where the statement cannot be carried out at once.
    otherwise: Way,
}

/// Finds the operations of a statement.
struct Sorting {
    server: ServerVersion,
    session: Session,
    actions: Vec<Action>,
    others: Vec<RelationEffect>,
}

/// The full name of `name`.
fn key(before: &Schema, name: &TableName) -> TableName {
    before.relation_key(name).unwrap_or_else(|| before.new_key(name))
}

impl Sorting {
    fn add(&mut self, operation: Operation, name: &TableName, before: &Schema) {
        let Some(usual) = table::lookup(operation, self.server) else { return };
        let known = before.table(name);
        let traits = known.map(|table| Traits::of(table)).unwrap_or_default();
        let way = traits.adjusted(operation, usual, self.server);
        let otherwise = if table::restructures(operation) && way.algorithm < Some(Algorithm::Inplace) {
            traits.adjusted(Operation::Rebuild, REBUILD, self.server)
        } else {
            way
        };
        let table = key(before, name);
        self.actions.push(Action { table: table.clone(), operation, way, otherwise });
        self.linked(&table, before);
    }

    /// Tables that foreign keys tie to `table`: who writes one of them uses both, and MySQL notes a change of a table
    /// at those that refer to it.
    fn linked(&mut self, table: &TableName, before: &Schema) {
        let Some(known) = before.tables.get(table) else { return };
        for constraint in &known.constraints {
            if let ConstraintKind::ForeignKey(to) = &constraint.kind {
                self.other(&key(before, &to.references), Role::Referenced, LINKED, Work::Catalog);
            }
        }
        let lock = if self.server.product == Product::Mysql { METADATA } else { LINKED };
        for (from, _) in before.references_to(table) {
            self.other(&from.name, Role::Referencing, lock, Work::Catalog);
        }
    }

    fn other(&mut self, relation: &TableName, role: Role, lock: Lock, work: Work) {
        self.others.push(RelationEffect { relation: relation.clone(), role, lock, work });
    }

    fn change(&mut self, kind: &ChangeKind, before: &Schema) {
        match kind {
            ChangeKind::AlterTable(alter) if alter.object == ObjectKind::Table => self.alter(alter, before),
            ChangeKind::CreateIndex(create) => self.add_index(create, before),
            ChangeKind::CreateTable(create) => self.create_table(create, before),
            ChangeKind::Drop(drop) => match drop.object {
                ObjectKind::Index => {
                    if let Some(table) = &drop.on {
                        self.add(Operation::DropIndex, table, before);
                    }
                }
                ObjectKind::Table if before.table(&drop.name).is_some() || !drop.if_exists => {
                    self.moment(&drop.name, before);
                    let noted = self.server.product == Product::Mysql;
                    self.parents(&drop.name, if noted { METADATA } else { LINKED }, before);
                }
                ObjectKind::Trigger => {
                    if let Some(table) = &drop.on {
                        self.moment(table, before);
                    }
                }
                _ => {}
            },
            ChangeKind::Truncate(truncate) => {
                self.moment(&truncate.table, before);
                self.parents(&truncate.table, LINKED, before);
            }
            ChangeKind::CreateTrigger(create) => {
                self.moment(&create.table, before);
                self.writers(&create.table, before);
            }
            ChangeKind::Optimize { table } => self.add(Operation::Rebuild, table, before),
            ChangeKind::LockTable(lock) => {
                let (lock_of, role) =
                    if lock.mode == "READ" { (READ, Role::Target) } else { (METADATA, Role::Target) };
                self.other(&key(before, &lock.table), role, lock_of, Work::Catalog);
                if lock_of == METADATA {
                    self.writers(&lock.table, before);
                }
            }
            ChangeKind::Insert(insert) => self.rows(&insert.table, before),
            ChangeKind::Update(update) => self.rows(&update.table, before),
            ChangeKind::Delete(delete) => self.rows(&delete.table, before),
            // These keep nobody from a table.
            _ => {}
        }
    }

    /// A short statement that has no choice.
    fn moment(&mut self, name: &TableName, before: &Schema) {
        self.other(&key(before, name), Role::Target, METADATA, Work::Catalog);
    }

    /// On MySQL, tables that refer to `name`: who writes them uses it.
    fn writers(&mut self, name: &TableName, before: &Schema) {
        if self.server.product == Product::Mysql {
            for (from, _) in before.references_to(&key(before, name)) {
                self.other(&from.name, Role::Referencing, LINKED, Work::Catalog);
            }
        }
    }

    fn rows(&mut self, name: &TableName, before: &Schema) {
        self.other(&key(before, name), Role::Target, ROWS, Work::Rows);
    }

    /// The tables that `name` refers to.
    fn parents(&mut self, name: &TableName, lock: Lock, before: &Schema) {
        let Some(known) = before.table(name) else { return };
        for constraint in &known.constraints {
            if let ConstraintKind::ForeignKey(to) = &constraint.kind {
                self.other(&key(before, &to.references), Role::Referenced, lock, Work::Catalog);
            }
        }
    }

    fn create_table(&mut self, create: &CreateTable, before: &Schema) {
        // MariaDB takes no lock on the other table that anyone would notice.
        if self.server.product != Product::Mysql
            || create.if_not_exists && before.table(&create.table).is_some()
        {
            return;
        }
        let own = before.new_key(&create.table);
        let inline = create.columns.iter().flat_map(|column| &column.constraints);
        for constraint in create.constraints.iter().chain(inline) {
            if let ConstraintKind::ForeignKey(to) = &constraint.kind {
                let referenced = key(before, &to.references);
                if referenced != own {
                    self.other(&referenced, Role::Referenced, METADATA, Work::Catalog);
                }
            }
        }
    }

    /// The lock on the table that a foreign key is added to, or dropped from.
    fn referenced(&mut self, to: &TableName, before: &Schema, checked: bool) {
        match self.server.product {
            Product::Mysql => self.other(&key(before, to), Role::Referenced, METADATA, Work::Catalog),
            Product::Mariadb | Product::Postgres | Product::Sqlite if checked => {
                self.other(&key(before, to), Role::Referenced, SHARED, Work::Scan);
            }
            Product::Mariadb | Product::Postgres | Product::Sqlite => {}
        }
    }

    /// All of it together.
    fn effects(mut self, changes: &[(&Change, &Schema)]) -> Effects {
        let mut effects = Effects { manual: table::manual(self.server.product), ..Effects::default() };
        let mut tables: Vec<TableName> = self.actions.iter().map(|action| action.table.clone()).collect();
        tables.dedup();
        for name in tables {
            self.keys_replaced(&name);
            let actions: Vec<&Action> = self.actions.iter().filter(|action| action.table == name).collect();
            let way = asked(together(&actions, self.server), &actions, changes, self.server);
            effects.algorithm = effects.algorithm.max(way.algorithm);
            if !way.lock.blocks_reads && !effects.waits.contains(&Wait::OpenTransactions) {
                effects.waits.push(Wait::OpenTransactions);
            }
            effects.add(RelationEffect {
                relation: name,
                role: Role::Target,
                lock: way.lock,
                work: way.work,
            });
        }
        for other in self.others {
            effects.add(other);
        }
        if effects.relations.is_empty() {
            effects.manual = "";
        }
        effects
    }

    /// A primary key that another one takes the place of is not missed meanwhile.
    fn keys_replaced(&mut self, table: &TableName) {
        let of = |actions: &[Action], wanted: Operation| {
            actions.iter().any(|action| action.operation == wanted && action.table == *table)
        };
        if !of(&self.actions, Operation::AddPrimaryKey) {
            return;
        }
        if let Some(way) = table::lookup(Operation::DropPrimaryKeyReplaced, self.server) {
            for action in &mut self.actions {
                if action.operation == Operation::DropPrimaryKey && action.table == *table {
                    (action.way, action.otherwise) = (way, way);
                }
            }
        }
    }
}

/// How several actions on one table are carried out: by the algorithm that suits all of them.
fn together(actions: &[&Action], server: ServerVersion) -> Way {
    let at_once = |way: Way| match server.product {
        Product::Mariadb => way.work < Work::IndexBuild,
        Product::Mysql | Product::Postgres | Product::Sqlite => way.algorithm == Some(Algorithm::Instant),
    };
    let all_at_once = actions.iter().all(|action| at_once(action.way));
    let ways: Vec<Way> =
        actions.iter().map(|action| if all_at_once { action.way } else { action.otherwise }).collect();
    let work = ways.iter().map(|way| way.work).max().unwrap_or(Work::Catalog);
    // A lock for a moment does not count beside one that is held while rows are read.
    let held = ways.iter().filter(|way| way.work.grows_with_rows() == work.grows_with_rows());
    Way {
        algorithm: ways.iter().filter_map(|way| way.algorithm).max(),
        lock: held.map(|way| way.lock).max_by_key(|lock| lock.strength).unwrap_or(METADATA),
        work,
    }
}

/// The same where the statement asks for an algorithm or a lock that does more than is needed. Where it asks for less,
/// the server refuses it.
fn asked(way: Way, actions: &[&Action], changes: &[(&Change, &Schema)], server: ServerVersion) -> Way {
    let mut way = way;
    let (algorithm, lock) = changes.iter().map(|(change, _)| words(change)).next().unwrap_or_default();
    match algorithm {
        Some("COPY") => way = table::copy(server),
        Some("INPLACE") if way.algorithm == Some(Algorithm::Instant) => {
            let rebuilds = actions.iter().find(|action| action.otherwise.work == Work::Rewrite);
            way = rebuilds.map_or(way, |action| action.otherwise);
        }
        _ => {}
    }
    match lock {
        Some("SHARED") if !way.lock.blocks_writes => way.lock = SHARED,
        Some("EXCLUSIVE") => way.lock = table::EXCLUSIVE,
        _ => {}
    }
    way
}

/// What a change's statement says behind `ALGORITHM=` and `LOCK=`.
pub fn words(change: &Change) -> (Option<&str>, Option<&str>) {
    match &change.kind {
        ChangeKind::AlterTable(alter) => (alter.algorithm.as_deref(), alter.lock.as_deref()),
        ChangeKind::CreateIndex(create) => (create.algorithm.as_deref(), create.lock.as_deref()),
        ChangeKind::Drop(drop) => (drop.algorithm.as_deref(), drop.lock.as_deref()),
        _ => (None, None),
    }
}

/// Why the server refuses what the statement of `change` asks for with `ALGORITHM=` and `LOCK=`, where its `effects`
/// need more.
pub fn refuses(change: &Change, effects: &Effects) -> Option<String> {
    let (algorithm, lock) = words(change);
    let (needed, target) = (effects.algorithm?, effects.target()?);
    let refused = match algorithm {
        Some("INSTANT") => needed > Algorithm::Instant,
        Some("NOCOPY") => needed > Algorithm::Nocopy,
        Some("INPLACE") => needed > Algorithm::Inplace,
        _ => false,
    };
    if refused {
        return Some(format!("the change needs ALGORITHM={}", needed.sql()));
    }
    let held = target.work.grows_with_rows() && target.lock.blocks_writes;
    (lock == Some("NONE") && held).then(|| format!("the change needs {}", target.lock))
}

fn known<'a>(before: &'a Schema, name: &TableName) -> Option<&'a Table> {
    before.table(name).map(|table| &**table)
}
