//! A column beside another one, of the type that this shall have, and all that hangs on the one made for the other: what
//! then takes its place in one moment. Where several columns of a migration get other types, what hangs on more than
//! one of them is made for the last and gone with the first.

use super::constraint::{as_named, two_steps};
use super::definition::{self, Instead, index_over, instead_of};
use super::set_not_null::not_null;
use super::subject::{Subject, named};
use super::sync::{differ, same};
use super::{carry, grants, id, identity, ids, numbers, own_triggers, sql};
use crate::engine::proposal::{Action, Apart, Copied, Stage};
use crate::name::{Name, TableName};
use crate::schema::change::*;
use crate::schema::model::{Index, Table, TableConstraint};

/// A column that gets another type.
pub(super) struct Retype<'a> {
    pub subject: &'a Subject<'a>,
    pub column: &'a Name,
    /// The column that takes its place.
    pub copy: Name,
    /// Its type as SQL, with a collation.
    pub to: String,
    /// What it holds, over the row: as an expression of its type, and as it is assigned to it, which fails where a
    /// value would be cut off.
    pub value: String,
    pub assigned: String,
    /// All columns of the migration that get other types, in order.
    pub all: Vec<Apart>,
}

/// Why a unique index over copies refuses no write.
const UNIQUE: &str = "\ntwostep: allow add-unique-index-compat because what it copies is unique";

/// Whose it is to make what hangs on several columns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// That of the last one.
    Last,
    /// That of the first one: what takes contracts back begins with the last of them.
    First,
}

/// Something that hangs on the column.
enum Hanging<'s> {
    Index(&'s Index),
    Check(&'s TableConstraint, &'s Expr),
    Key(&'s TableConstraint, &'s KeyConstraint, &'static str),
    Foreign(&'s Table, &'s TableConstraint, &'s ForeignKey),
}

impl<'a> Retype<'a> {
    pub fn new(
        subject: &'a Subject<'a>,
        column: &'a Name,
        to: String,
        using: Option<&str>,
        siblings: &[Apart],
    ) -> Self {
        let copy = named(column, "new");
        let table =
            subject.table.map_or_else(|| subject.schema.new_key(subject.name), |one| one.name.clone());
        let own = Apart { table, column: column.clone(), copy: copy.clone(), copied: Copied::Retyped };
        let mut all: Vec<Apart> =
            siblings.iter().filter(|one| one.copied == Copied::Retyped).cloned().collect();
        if !all.contains(&own) {
            all = vec![own];
        }
        let bare = to.split(" COLLATE ").next().unwrap_or(&to);
        let value = using.map_or_else(|| format!("{}::{bare}", id(column)), ToOwned::to_owned);
        let assigned = using.map_or_else(|| id(column), ToOwned::to_owned);
        Self { subject, column, copy, to, value, assigned, all }
    }

    /// Its place among the columns that get other types.
    fn me(&self) -> usize {
        self.all
            .iter()
            .position(|one| one.copy == self.copy && one.column == *self.column && self.is_own(one))
            .unwrap_or(0)
    }

    fn is_own(&self, one: &Apart) -> bool {
        self.subject.table.is_none_or(|table| table.name == one.table)
    }

    /// The columns of `table` that have others in their place until the contract.
    fn instead(&self, table: &TableName, turn: Turn) -> Vec<(Name, Name)> {
        let mut pairs: Vec<(Name, Name)> = (self.all.iter())
            .filter(|one| one.table == *table)
            .map(|one| (one.column.clone(), one.copy.clone()))
            .collect();
        if turn == Turn::First {
            return pairs;
        }
        // A column that is renamed is still called what it was; what has its new name is a copy.
        let renamed = self.subject.given.apart.iter();
        let renamed = renamed.filter(|one| one.table == *table && one.copied == Copied::Renamed);
        let known = self.subject.schema.tables.get(table);
        pairs.extend(
            renamed
                .filter(|one| known.is_some_and(|known| known.column(&one.copy).is_some()))
                .map(|one| (one.copy.clone(), one.column.clone())),
        );
        pairs
    }

    /// The places of the columns on which something hangs.
    fn over(&self, hanging: &Hanging<'_>) -> Vec<usize> {
        let own = |name: &dyn Fn(&Name) -> bool| -> Vec<usize> {
            (self.all.iter().enumerate())
                .filter(|(_, one)| self.is_own(one) && name(&one.column))
                .map(|(at, _)| at)
                .collect()
        };
        match hanging {
            Hanging::Index(index) => own(&|name| index.uses(name)),
            Hanging::Check(_, expr) => own(&|name| expr.columns.contains(name)),
            Hanging::Key(_, key, _) => own(&|name| key.columns.contains(name) || key.include.contains(name)),
            Hanging::Foreign(from, _, key) => (self.all.iter().enumerate())
                .filter(|(_, one)| {
                    one.table == from.name && key.columns.contains(&one.column)
                        || one.table == key.references && key.referenced_columns.contains(&one.column)
                })
                .map(|(at, _)| at)
                .collect(),
        }
    }

    fn is_mine(&self, hanging: &Hanging<'_>, turn: Turn) -> bool {
        let over = self.over(hanging);
        let whose = match turn {
            Turn::Last => over.iter().max(),
            Turn::First => over.iter().min(),
        };
        whose == Some(&self.me())
    }

    /// All that hangs on the column.
    fn hanging(&self) -> Vec<Hanging<'a>> {
        let Some(table) = self.subject.table else { return Vec::new() };
        let mut all = Vec::new();
        for one in &table.constraints {
            match &one.kind {
                ConstraintKind::Unique(key) => all.push(Hanging::Key(one, key, "UNIQUE")),
                ConstraintKind::PrimaryKey(key) => all.push(Hanging::Key(one, key, "PRIMARY KEY")),
                ConstraintKind::Check(expr) => all.push(Hanging::Check(one, expr)),
                ConstraintKind::ForeignKey(key) => all.push(Hanging::Foreign(table, one, key)),
                ConstraintKind::Exclude(_) | ConstraintKind::NotNull(_) => {}
            }
        }
        let plain = table.indexes.iter().filter(|index| index.constraint.is_none());
        all.extend(plain.map(|index| Hanging::Index(index)));
        let schema = self.subject.schema;
        for from in schema.tables.values().filter(|from| from.name != table.name) {
            for one in &from.constraints {
                if let ConstraintKind::ForeignKey(key) = &one.kind
                    && key.references == table.name
                {
                    all.push(Hanging::Foreign(from, one, key));
                }
            }
        }
        all.retain(|one| self.over(one).contains(&self.me()));
        all
    }

    fn function(&self) -> String {
        self.subject.beside(&format!("{}_out", self.copy.as_str()))
    }

    fn trigger(&self) -> String {
        id(&named(&Name::new("~twostep_out"), self.copy.as_str()))
    }

    fn same_check(&self) -> String {
        id(&self.subject.named(&format!("{}_same", self.copy.as_str())))
    }

    /// The column and what keeps it in step, for one transaction.
    pub fn start(&self) -> Vec<Action> {
        let (table, old, new) = (self.subject.sql(), id(self.column), id(&self.copy));
        let mut actions = vec![
            Action::new(
                format!("{old} as {}; no row is written yet.", self.to),
                format!("ALTER TABLE {table} ADD COLUMN {new} {}", self.to),
            )
            .undone_by(format!("ALTER TABLE {table} DROP COLUMN {new}")),
        ];
        actions.extend(self.follow());
        actions.push(grants::copy_of_column(self.subject, self.column, &self.copy));
        actions
    }

    /// The trigger by which the copy follows the column.
    pub fn follow(&self) -> [Action; 2] {
        let (table, old, new) = (self.subject.sql(), id(self.column), id(&self.copy));
        let (function, trigger) = (self.function(), self.trigger());
        // It fires behind the table's own triggers, and takes what they have made of the row.
        let value = self.subject.over_new(&self.assigned);
        let taken_back = own_triggers::taken_back(self.subject, &|name| Some(name.clone()));
        [
            Action::new(
                format!("{new} is always what {old} is."),
                format!("CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $twostep$\nBEGIN\n{taken_back}  NEW.{new} := {value};\n  RETURN NEW;\nEND $twostep$"),
            )
            .undone_by(format!("DROP FUNCTION {function}()")),
            Action::new(
                "",
                format!("CREATE TRIGGER {trigger} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"),
            )
            .undone_by(format!("DROP TRIGGER {trigger} ON {table}")),
        ]
    }

    /// The assignment and the condition by which rows are filled.
    pub fn filling(&self) -> (String, String) {
        let new = id(&self.copy);
        (format!("{new} = {}", self.assigned), differ(&new, &self.value))
    }

    /// NOT NULL, and all that hangs on the column made for the copy; then what proves that both agree.
    pub fn prepare(&self) -> Vec<Stage> {
        let mut stages = Vec::new();
        if self.subject.is_required(self.column) {
            stages.extend(not_null(self.subject, &self.copy));
        }
        stages.extend(self.made(Turn::Last));
        stages.extend(self.proved());
        stages
    }

    /// The check that both agree, validated without keeping anyone waiting.
    pub fn proved(&self) -> [Stage; 2] {
        let (table, check) = (self.subject.sql(), self.same_check());
        let clause = same(&id(&self.copy), &self.value);
        [
            Stage::Alone(
                Action::new(
                    "Every row is filled, and every row that is written is filled by the trigger.\ntwostep: allow new-write-restriction because the trigger keeps both in step",
                    format!("ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({clause}) NOT VALID"),
                )
                .undone_by(format!("ALTER TABLE {table} DROP CONSTRAINT {check}")),
            ),
            Stage::Alone(Action::new(
                "The proof: both agree in each row. Reads and writes go on meanwhile.",
                format!("ALTER TABLE {table} VALIDATE CONSTRAINT {check}"),
            )),
        ]
    }

    /// What hangs on the column, for the copy.
    pub fn made(&self, turn: Turn) -> Vec<Stage> {
        let hanging = self.hanging();
        let mine = || hanging.iter().filter(|one| self.is_mine(one, turn));
        let mut stages = Vec::new();
        let mut unique: Vec<Vec<Name>> = Vec::new();
        for one in mine() {
            match one {
                Hanging::Key(one, key, _) => {
                    let known = self.is_unique_already(&unique, &key.columns, turn);
                    unique.push(key.columns.clone());
                    stages.push(self.key_index(one, key, known, turn));
                }
                Hanging::Index(index) => {
                    let columns: Option<Vec<Name>> =
                        index.plain_columns().map(|columns| columns.into_iter().cloned().collect());
                    let known = columns
                        .as_ref()
                        .is_some_and(|columns| self.is_unique_already(&unique, columns, turn));
                    unique.extend(columns.filter(|_| index.unique && index.predicate.is_none()));
                    stages.push(self.index(index, known, turn));
                }
                Hanging::Check(..) | Hanging::Foreign(..) => {}
            }
        }
        // A foreign key needs the key that it points to.
        for one in mine() {
            match one {
                Hanging::Check(one, expr) => stages.extend(self.check(one, expr, turn)),
                Hanging::Foreign(from, one, key) => stages.extend(self.foreign(from, one, key, turn)),
                Hanging::Key(..) | Hanging::Index(_) => {}
            }
        }
        stages
    }

    /// Whether something `made` before, or an index that is there and has no copy, says that the copies of `columns` are
    /// unique.
    fn is_unique_already(&self, made: &[Vec<Name>], columns: &[Name], turn: Turn) -> bool {
        let copied = self.own_instead(turn);
        let (columns, without): (Vec<&Name>, Vec<&Name>) =
            (columns.iter().collect(), copied.iter().map(|(from, _)| from).collect());
        made.iter().any(|one| one.iter().all(|column| columns.contains(&column)))
            || self.subject.table.is_some_and(|table| table.is_unique_by(&columns, &without))
    }

    fn own_instead(&self, turn: Turn) -> Vec<(Name, Name)> {
        self.subject.table.map_or_else(Vec::new, |table| self.instead(&table.name, turn))
    }

    fn built(&self, about: String, text: String, name: &Name) -> Stage {
        let drop = format!("DROP INDEX CONCURRENTLY {}", self.subject.in_schema(name));
        Stage::Alone(Action::new(about, text).undone_alone_by(vec![drop]))
    }

    fn index(&self, index: &Index, known: bool, turn: Turn) -> Stage {
        let name = named(&index.name, "new");
        let mut text = index_over(self.subject, index, &name, &self.own_instead(turn));
        if index.unique {
            text = text.replacen("CREATE INDEX", "CREATE UNIQUE INDEX", 1);
            if index.nulls_not_distinct {
                text = match text.split_once(" WHERE ") {
                    Some((front, rest)) => format!("{front} NULLS NOT DISTINCT WHERE {rest}"),
                    None => format!("{text} NULLS NOT DISTINCT"),
                };
            }
        }
        let unique = if index.unique && !known { UNIQUE } else { "" };
        let about = format!("What {} is to {}.{unique}", id(&index.name), id(self.column));
        self.built(about, text, &name)
    }

    fn key_index(&self, one: &TableConstraint, key: &KeyConstraint, known: bool, turn: Turn) -> Stage {
        let name = named(&one.name, "new");
        let instead = self.own_instead(turn);
        let over = |columns: &[Name]| {
            ids(&columns.iter().map(|column| instead_of(column, &instead)).collect::<Vec<_>>())
        };
        let include =
            if key.include.is_empty() { String::new() } else { format!(" INCLUDE ({})", over(&key.include)) };
        let nulls = if key.nulls_not_distinct { " NULLS NOT DISTINCT" } else { "" };
        let text = format!(
            "CREATE UNIQUE INDEX CONCURRENTLY {} ON {} ({}){include}{nulls}",
            id(&name),
            self.subject.sql(),
            over(&key.columns)
        );
        let unique = if known { "" } else { UNIQUE };
        self.built(format!("What will be the index of {}.{unique}", id(&one.name)), text, &name)
    }

    fn check(&self, one: &TableConstraint, expr: &Expr, turn: Turn) -> [Stage; 2] {
        let inherit = if one.no_inherit { " NO INHERIT" } else { "" };
        let text = definition::renamed(self.subject, &expr.text, &self.own_instead(turn));
        let clause = format!("CHECK ({}){inherit}", definition::unwrapped(&text));
        harmless(two_steps(&self.subject.sql(), &named(&one.name, "new"), &clause), true)
    }

    fn foreign(&self, from: &Table, one: &TableConstraint, key: &ForeignKey, turn: Turn) -> Vec<Stage> {
        let over = |columns: &[Name], instead: &Instead| -> Vec<Name> {
            columns.iter().map(|column| instead_of(column, instead)).collect()
        };
        let copied = ForeignKey {
            columns: over(&key.columns, &self.instead(&from.name, turn)),
            referenced_columns: over(&key.referenced_columns, &self.instead(&key.references, turn)),
            ..key.clone()
        };
        let to = as_named(self.subject, &key.references);
        let defer = definition::deferring(one.deferrable, one.initially_deferred);
        let clause = format!("{}{defer}", definition::foreign_key(&copied, &to));
        let steps = two_steps(&sql(&as_named(self.subject, &from.name)), &named(&one.name, "new"), &clause);
        harmless(steps, copied.columns != key.columns).into()
    }

    /// The copy takes the place of the column, in one transaction; `keep`: the column stays as the copy's copy.
    pub fn swap(&self, keep: bool) -> Vec<Action> {
        let (table, old, new) = (self.subject.sql(), id(self.column), id(&self.copy));
        let hanging = self.hanging();
        let plain = |sql: String| Action::new("", sql);
        let numbers = identity_of(self.subject, self.column).is_some();
        let mut swap = vec![carry::gather(self.subject, self.column, numbers, keep.then_some(&self.copy))];
        swap.push(Action::new(
            "The copy takes the place of the column.",
            format!("DROP TRIGGER {} ON {table}", self.trigger()),
        ));
        swap.push(plain(format!("DROP FUNCTION {}()", self.function())));
        swap.push(plain(format!("ALTER TABLE {table} DROP CONSTRAINT {}", self.same_check())));
        let gone = || hanging.iter().filter(|one| self.is_mine(one, Turn::First));
        for one in gone() {
            if let Hanging::Foreign(from, one, _) = one {
                let from = sql(&as_named(self.subject, &from.name));
                swap.push(plain(format!("ALTER TABLE {from} DROP CONSTRAINT {}", id(&one.name))));
            }
        }
        for one in gone() {
            match one {
                Hanging::Key(one, ..) | Hanging::Check(one, _) => {
                    swap.push(plain(format!("ALTER TABLE {table} DROP CONSTRAINT {}", id(&one.name))));
                }
                Hanging::Index(index) if keep => {
                    swap.push(plain(format!("DROP INDEX {}", self.subject.in_schema(&index.name))));
                }
                Hanging::Index(_) | Hanging::Foreign(..) => {}
            }
        }
        swap.extend(numbers::moved(self.subject, self.column, &self.copy, keep));
        let rename =
            |from: &str, to: &str| plain(format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}"));
        if keep {
            let between = id(&named(&self.copy, "swap"));
            swap.extend([rename(&old, &between), rename(&new, &old), rename(&between, &new)]);
        } else {
            swap.push(plain(format!("ALTER TABLE {table} DROP COLUMN {old}")));
            swap.push(rename(&new, &old));
        }
        swap.extend(self.named_as_before(&hanging));
        if self.is_last_of_table() {
            swap.push(carry::put_back());
        }
        swap
    }

    fn is_last_of_table(&self) -> bool {
        self.all.iter().rposition(|one| self.is_own(one)) == Some(self.me())
    }

    /// What was made for the copy gets the names of what it replaces.
    fn named_as_before(&self, hanging: &[Hanging<'_>]) -> Vec<Action> {
        let table = self.subject.sql();
        let mut actions = Vec::new();
        let mut add = |sql: String| actions.push(Action::new("", sql));
        let mine = || hanging.iter().filter(|one| self.is_mine(one, Turn::Last));
        for one in mine() {
            let (of, new, name) = match one {
                Hanging::Key(one, _, word) => {
                    let defer = definition::deferring(one.deferrable, one.initially_deferred);
                    let (name, new) = (id(&one.name), id(&named(&one.name, "new")));
                    add(format!("ALTER TABLE {table} ADD CONSTRAINT {name} {word} USING INDEX {new}{defer}"));
                    continue;
                }
                Hanging::Index(index) => {
                    let new = self.subject.in_schema(&named(&index.name, "new"));
                    add(format!("ALTER INDEX {new} RENAME TO {}", id(&index.name)));
                    continue;
                }
                Hanging::Check(one, _) => (table.clone(), named(&one.name, "new"), &one.name),
                Hanging::Foreign(from, one, _) => {
                    (sql(&as_named(self.subject, &from.name)), named(&one.name, "new"), &one.name)
                }
            };
            add(format!("ALTER TABLE {of} RENAME CONSTRAINT {} TO {}", id(&new), id(name)));
        }
        if let Some(ReplicaIdentity::Index(index)) = self.subject.table.map(|table| &table.replica_identity)
            && mine().any(|one| match one {
                Hanging::Index(one) => one.name == *index,
                Hanging::Key(one, ..) => one.name == *index,
                Hanging::Check(..) | Hanging::Foreign(..) => false,
            })
        {
            add(format!("ALTER TABLE {table} REPLICA IDENTITY USING INDEX {}", id(index)));
        }
        actions
    }

    /// What hangs on the column and cannot be made for another one.
    pub fn obstacles(&self) -> Vec<String> {
        let (Some(table), Some(column)) = (self.subject.table, self.subject.column(self.column)) else {
            return Vec::new();
        };
        let (name, shown) = (self.column, id(self.column));
        let mut parts = plainly_refused(self.subject, table, name);
        if let Some(Generation::Expression { .. }) = &column.generation {
            parts.push(format!("`{shown}` is a generated column, which no trigger can write"));
        }
        if table.constraints.iter().any(|one| matches!(&one.kind, ConstraintKind::Exclude(_)))
            && table
                .indexes
                .iter()
                .any(|index| index.uses(name) && index.constraint.is_some() && !index.unique)
        {
            parts.push(format!("an EXCLUDE constraint over `{shown}` cannot be built without a lock"));
        }
        let hanging = self.hanging();
        let on_partitions = |one: &Hanging<'_>| match one {
            Hanging::Check(..) => false,
            Hanging::Index(_) | Hanging::Key(..) => table.partition_by.is_some(),
            Hanging::Foreign(from, ..) => from.partition_by.is_some() || table.partition_by.is_some(),
        };
        if hanging.iter().any(on_partitions) {
            parts.push(format!(
                "an index, a key or a foreign key over `{shown}` is on a partitioned table, where none can be made without a lock"
            ));
        }
        if column.inherited {
            parts.push(format!("`{shown}` comes from a table that `{}` inherits from", self.subject.sql()));
        }
        parts
    }
}

/// What PostgreSQL itself refuses a change of type for.
fn plainly_refused(subject: &Subject<'_>, table: &Table, column: &Name) -> Vec<String> {
    let mut found = Vec::new();
    let read = |expr: &Option<Expr>| expr.as_ref().is_some_and(|expr| expr.columns.contains(column));
    for (view, _) in subject.schema.views_of(&table.name).filter(|(_, read)| read.columns.contains(column)) {
        found.push(format!("view `{}`", sql(&view.name)));
    }
    for other in &table.columns {
        if let Some(Generation::Expression { expr, .. }) = &other.generation
            && expr.columns.contains(column)
        {
            found.push(format!("generated column `{}`", id(&other.name)));
        }
    }
    for trigger in &table.triggers {
        let definition = &trigger.definition;
        if definition.update_of.contains(column) || read(&definition.when) {
            found.push(format!("trigger `{}`", id(&definition.name)));
        }
    }
    for policy in table.policies.iter().filter(|policy| read(&policy.using) || read(&policy.check)) {
        found.push(format!("policy `{}`", id(&policy.name)));
    }
    let why = |what: String| {
        format!(
            "PostgreSQL refuses the plain statement as well while the {what} uses `{}`: drop that in front of it and create it again behind it, in this migration; the plan does all of it in one moment",
            id(column)
        )
    };
    found.into_iter().map(why).collect()
}

/// Stages that no write can meet: what they ask for is already asked for. `found`: whether lint cannot know that.
fn harmless(mut stages: [Stage; 2], found: bool) -> [Stage; 2] {
    if let Stage::Alone(add) = &mut stages[0] {
        add.about = "What holds for the column holds for its copy.".to_owned();
        if found {
            add.about.push_str("\ntwostep: allow new-write-restriction because the column itself has it");
        }
    }
    stages
}

/// The identity of a column, where it has one.
pub(super) fn identity_of<'s>(subject: &'s Subject<'_>, column: &Name) -> Option<&'s Identity> {
    match &subject.column(column)?.generation {
        Some(Generation::Identity(identity)) => Some(identity),
        Some(Generation::Serial | Generation::AutoIncrement | Generation::Expression { .. }) | None => None,
    }
}

/// The sequence of a column that has a default of its own.
pub(super) fn serial_of(subject: &Subject<'_>, column: &Name) -> Option<TableName> {
    if identity_of(subject, column).is_some() { None } else { identity::sequence(subject, column) }
}
