//! Sequences, routines, triggers, rules, policies, schemas, extensions, grants.

use super::{Apply, Note, Subject};
use crate::dialect::Dialect;
use crate::name::{Name, ObjectName, TableName};
use crate::schema::change::*;
use crate::schema::model::*;
use std::sync::Arc;

impl Apply<'_> {
    pub(super) fn create_sequence(
        &mut self,
        name: &ObjectName,
        if_not_exists: bool,
        temporary: bool,
        options: &SequenceOptions,
    ) {
        let mut full = self.full_name(name);
        if temporary && self.schema.dialect == Dialect::Postgres {
            full.schema = Some(Schema::temporary());
        }
        let key = self.schema.new_key(&full);
        if self.schema.relation(&key).is_some() {
            let subject = Subject { object: ObjectKind::Sequence, name: key, of: None };
            return self.exists(subject, if_not_exists, false);
        }
        let owned_by = self.owner_of(options);
        let sequence = Sequence {
            name: full,
            options: SequenceOptions { owned_by: None, ..options.clone() },
            owned_by,
            identity: false,
            created: Some(self.schema.now),
        };
        self.schema.sequences.insert(key, Arc::new(sequence));
    }

    /// The column that `OWNED BY` names.
    fn owner_of(&mut self, options: &SequenceOptions) -> Option<(TableName, Name)> {
        let (table, column) = options.owned_by.clone().flatten()?;
        Some((self.table_key(&table)?, column))
    }

    pub(super) fn alter_sequence(&mut self, name: &ObjectName, options: &SequenceOptions) {
        let Some(key) = self.schema.find(name, |key| self.schema.sequences.contains_key(key)) else { return };
        let owner = self.owner_of(options);
        let Some(sequence) = self.schema.sequences.get_mut(&key) else { return };
        let sequence = Arc::make_mut(sequence);
        if options.owned_by.is_some() {
            sequence.owned_by = owner;
        }
        let own = &mut sequence.options;
        own.data_type = options.data_type.clone().or(own.data_type.take());
        own.increment = options.increment.or(own.increment);
        own.min = options.min.or(own.min);
        own.max = options.max.or(own.max);
        own.start = options.start.or(own.start);
        own.cache = options.cache.or(own.cache);
        own.cycle = options.cycle.or(own.cycle);
    }

    pub(super) fn create_routine(&mut self, create: &CreateRoutine) {
        let key = self.schema.new_key(&create.name);
        let full = self.full_name(&create.name);
        let now = Some(self.schema.now);
        let same_signature = |routine: &Arc<Routine>| {
            self.schema.dialect != Dialect::Postgres || routine.signature() == signature(&create.arguments)
        };
        let mut all: Vec<Arc<Routine>> =
            self.schema.routines.get(&key).map(|all| all.to_vec()).unwrap_or_default();
        let at = all.iter().position(same_signature);
        let definition = Arc::new(create.clone());
        match at {
            Some(at) if create.or_replace => {
                let routine = Arc::make_mut(&mut all[at]);
                (routine.definition, routine.replaced) = (definition, now);
            }
            Some(_) => {
                let subject = Subject { object: ObjectKind::Function, name: key, of: None };
                return self.exists(subject, create.if_not_exists, false);
            }
            None => all.push(Arc::new(Routine { name: full, definition, created: now, replaced: None })),
        }
        self.schema.routines.insert(key, Arc::new(all));
    }

    pub(super) fn drop_routine(&mut self, drop: &DropObject) {
        let found = self.schema.find(&drop.name, |key| self.schema.routines.contains_key(key));
        let Some(key) = found else { return self.missing(super::drop::subject_of(drop), true) };
        let mut all: Vec<Arc<Routine>> =
            self.schema.routines.get(&key).map(|all| all.to_vec()).unwrap_or_default();
        match &drop.arguments {
            Some(types) if self.schema.dialect == Dialect::Postgres => {
                all.retain(|routine| !routine.signature().into_iter().eq(types.iter()));
            }
            _ => all.clear(),
        }
        if !all.is_empty() {
            self.schema.routines.insert(key, Arc::new(all));
            return;
        }
        self.schema.routines.remove(&key);
        self.triggers_calling(&key.name, drop.cascade);
        self.views_calling(&key.name, drop.cascade);
    }

    /// Triggers that call a function which is dropped.
    fn triggers_calling(&mut self, name: &Name, cascade: bool) {
        let calls =
            |trigger: &Trigger| trigger.definition.function.as_ref().is_some_and(|own| own.name == *name);
        let found: Vec<(TableName, Name)> = (self.schema.tables.iter())
            .flat_map(|(key, table)| {
                let calling = table.triggers.iter().filter(|trigger| calls(trigger));
                calling.map(move |trigger| (key.clone(), trigger.definition.name.clone()))
            })
            .collect();
        for (table, trigger) in found {
            let subject = self.part(ObjectKind::Trigger, &trigger, &table);
            if !cascade {
                self.note(Note::Blocked(subject));
                continue;
            }
            self.taken(subject);
            self.edit(&table, |table| table.triggers.retain(|own| own.definition.name != trigger));
        }
    }

    pub(super) fn rename_routine(&mut self, rename: &RenameObject) {
        let Some(key) = self.schema.find(&rename.name, |key| self.schema.routines.contains_key(key)) else {
            return;
        };
        let new = ObjectName { schema: key.schema.clone(), name: rename.to.clone() };
        self.rekey_routines(&key, new, rename.arguments.as_deref());
    }

    pub(super) fn move_routine(&mut self, name: &ObjectName, schema: &Name) {
        let Some(key) = self.schema.find(name, |key| self.schema.routines.contains_key(key)) else { return };
        let new = ObjectName::qualified(schema.clone(), key.name.clone());
        self.rekey_routines(&key, new, None);
    }

    /// Puts the routines called `key` (those with these argument types) under another name.
    fn rekey_routines(&mut self, key: &ObjectName, new: ObjectName, types: Option<&[DataType]>) {
        let Some(all) = self.schema.routines.remove(key) else { return };
        let meant =
            |routine: &Arc<Routine>| types.is_none_or(|types| routine.signature().into_iter().eq(types));
        let (moved, left): (Vec<_>, Vec<_>) = all.iter().cloned().partition(meant);
        if !left.is_empty() {
            self.schema.routines.insert(key.clone(), Arc::new(left));
        }
        let mut there: Vec<Arc<Routine>> =
            self.schema.routines.get(&new).map(|all| all.to_vec()).unwrap_or_default();
        there.extend(
            moved
                .into_iter()
                .map(|routine| Arc::new(Routine { name: new.clone(), ..Routine::clone(&routine) })),
        );
        self.schema.routines.insert(new, Arc::new(there));
    }

    pub(super) fn create_trigger(&mut self, create: &CreateTrigger) {
        let trigger = Trigger {
            definition: Arc::new(create.clone()),
            state: FiringState::Enabled,
            created: Some(self.schema.now),
        };
        let view = self.schema.find(&create.table, |key| self.schema.views.contains_key(key));
        if let Some(view) = view.and_then(|key| self.schema.views.get_mut(&key)) {
            put_trigger(&mut Arc::make_mut(view).triggers, Arc::new(trigger));
            return;
        }
        let Some(key) = self.table_key(&create.table) else { return };
        let there = self.schema.tables.get(&key).is_some_and(|table| {
            table.triggers.iter().any(|own| table.same(&own.definition.name, &create.name))
        });
        if there && !create.or_replace {
            let subject = self.part(ObjectKind::Trigger, &create.name, &key);
            return self.exists(subject, create.if_not_exists, false);
        }
        let trigger = Arc::new(trigger);
        let partitions = if create.for_each_row { self.partitions(&key) } else { Vec::new() };
        for table in std::iter::once(key).chain(partitions) {
            let trigger = Arc::clone(&trigger);
            self.edit(&table, |table| put_trigger(&mut table.triggers, trigger));
        }
    }

    pub(super) fn create_rule(&mut self, create: &CreateRule) {
        if self.schema.view(&create.table).is_some() {
            return;
        }
        let Some(key) = self.table_key(&create.table) else { return };
        self.edit(&key, |table| {
            table.rules.retain(|rule| *rule != create.name);
            table.rules.push(create.name.clone());
        });
    }

    pub(super) fn create_policy(&mut self, policy: &Policy) {
        let Some(key) = self.table_key(&policy.table) else { return };
        if self
            .schema
            .tables
            .get(&key)
            .is_some_and(|table| table.policies.iter().any(|own| own.name == policy.name))
        {
            let subject = self.part(ObjectKind::Policy, &policy.name, &key);
            return self.exists(subject, false, false);
        }
        self.edit(&key, |table| table.policies.push(Arc::new(policy.clone())));
    }

    pub(super) fn alter_policy(&mut self, policy: &Policy) {
        let Some(key) = self.table_key(&policy.table) else { return };
        self.edit(&key, |table| {
            for own in table.policies.iter_mut().filter(|own| own.name == policy.name) {
                let own = Arc::make_mut(own);
                if !policy.roles.is_empty() {
                    own.roles.clone_from(&policy.roles);
                }
                own.using = policy.using.clone().or(own.using.take());
                own.check = policy.check.clone().or(own.check.take());
            }
        });
    }

    pub(super) fn create_schema(&mut self, name: &Name, if_not_exists: bool) {
        let key = self.schema.fold(name);
        if self.schema.schemas.contains_key(&key) {
            let subject = Subject { object: ObjectKind::Schema, name: ObjectName::bare(key), of: None };
            return self.exists(subject, if_not_exists, false);
        }
        self.schema.schemas.insert(key, Some(self.schema.now));
    }

    pub(super) fn create_extension(&mut self, create: &CreateExtension) {
        if self.schema.extensions.contains_key(&create.name) {
            let subject = Subject {
                object: ObjectKind::Extension,
                name: ObjectName::bare(create.name.clone()),
                of: None,
            };
            return self.exists(subject, create.if_not_exists, false);
        }
        self.schema.extensions.insert(create.name.clone(), Some(self.schema.now));
    }

    pub(super) fn create_other(&mut self, object: ObjectKind, name: &ObjectName, tolerant: bool) {
        let key = (object, name.clone());
        if self.schema.others.contains_key(&key) {
            return self.exists(Subject { object, name: name.clone(), of: None }, tolerant, false);
        }
        self.schema.others.insert(key, Some(self.schema.now));
    }

    pub(super) fn grant(&mut self, privileges: &Privileges) {
        for (object, name) in self.granted(privileges) {
            for grantee in &privileges.grantees {
                let key = (object, name.clone(), grantee.clone());
                let mut held = self.schema.grants.get(&key).map(|held| held.to_vec()).unwrap_or_default();
                for privilege in &privileges.privileges {
                    if !held.contains(privilege) {
                        held.push(privilege.clone());
                    }
                }
                self.schema.grants.insert(key, Arc::new(held));
            }
        }
    }

    pub(super) fn revoke(&mut self, privileges: &Privileges) {
        let all = privileges.privileges.iter().any(|privilege| privilege.starts_with("ALL"));
        for (object, name) in self.granted(privileges) {
            for grantee in &privileges.grantees {
                let key = (object, name.clone(), grantee.clone());
                let Some(held) = self.schema.grants.get(&key) else { continue };
                let left: Vec<String> = held
                    .iter()
                    .filter(|held| !all && !privileges.privileges.contains(held))
                    .cloned()
                    .collect();
                if left.is_empty() {
                    self.schema.grants.remove(&key);
                } else {
                    self.schema.grants.insert(key, Arc::new(left));
                }
            }
        }
    }

    /// The objects that a `GRANT` or `REVOKE` speaks of.
    fn granted(&self, privileges: &Privileges) -> Vec<(ObjectKind, ObjectName)> {
        let Some(object) = privileges.object else { return Vec::new() };
        if !privileges.all_in_schema {
            let key = |name: &ObjectName| match object {
                ObjectKind::Table => {
                    self.schema.relation_key(name).unwrap_or_else(|| self.schema.new_key(name))
                }
                _ => name.clone(),
            };
            return privileges.names.iter().map(|name| (object, key(name))).collect();
        }
        let inside = |key: &&ObjectName| {
            privileges.names.iter().any(|schema| key.schema.as_ref() == Some(&schema.name))
        };
        match object {
            ObjectKind::Table => {
                let keys = self.schema.tables.keys().chain(self.schema.views.keys()).filter(inside);
                keys.map(|key| (object, key.clone())).collect()
            }
            ObjectKind::Sequence => {
                self.schema.sequences.keys().filter(inside).map(|key| (object, key.clone())).collect()
            }
            _ => self.schema.routines.keys().filter(inside).map(|key| (object, key.clone())).collect(),
        }
    }
}

/// Puts a trigger in, in the place of one with the same name.
fn put_trigger(triggers: &mut Vec<Arc<Trigger>>, trigger: Arc<Trigger>) {
    triggers.retain(|own| own.definition.name != trigger.definition.name);
    triggers.push(trigger);
}
