//! Enums, domains, composite types.

use super::{Apply, Note, Subject};
use crate::dialect::Dialect;
use crate::name::{Name, ObjectName, TableName, literal};
use crate::schema::change::*;
use crate::schema::model::*;
use std::sync::Arc;

impl Apply<'_> {
    fn type_key(&self, name: &ObjectName) -> Option<ObjectName> {
        self.schema.find(name, |key| self.schema.types.contains_key(key))
    }

    /// Puts a new type in, unless there is one of that name.
    fn add_type(&mut self, name: &ObjectName, kind: UserTypeKind) {
        let key = self.schema.new_key(name);
        if self.schema.types.contains_key(&key) {
            let subject = Subject { object: ObjectKind::Type, name: key, of: None };
            return self.exists(subject, false, false);
        }
        let user_type = UserType { name: self.full_name(name), kind, created: Some(self.schema.now) };
        self.schema.types.insert(key, Arc::new(user_type));
    }

    pub(super) fn create_type(&mut self, name: &ObjectName, definition: &TypeDefinition) {
        let now = Some(self.schema.now);
        let kind = match definition {
            TypeDefinition::Enum(labels) => UserTypeKind::Enum(
                labels.iter().map(|value| Label { value: value.clone(), created: now }).collect(),
            ),
            TypeDefinition::Composite(attributes) => UserTypeKind::Composite(attributes.clone()),
            TypeDefinition::Range => UserTypeKind::Range,
            TypeDefinition::Base => UserTypeKind::Base,
        };
        self.add_type(name, kind);
    }

    pub(super) fn create_domain(&mut self, create: &CreateDomain) {
        let mut domain = Domain {
            base: create.base.clone(),
            default: create.default.clone(),
            not_null: create.not_null,
            checks: Vec::new(),
        };
        for constraint in &create.constraints {
            add_domain_check(&mut domain, &create.name.name, constraint);
        }
        self.add_type(&create.name, UserTypeKind::Domain(Box::new(domain)));
    }

    /// Changes the type called `name`; one that nothing has made is taken to exist.
    fn on_type(&mut self, name: &ObjectName, change: impl FnOnce(&mut UserType)) {
        let key = self.type_key(name).unwrap_or_else(|| {
            let key = self.schema.new_key(name);
            let subject = Subject { object: ObjectKind::Type, name: key.clone(), of: None };
            self.note(Note::Assumed(subject));
            let user_type =
                UserType { name: self.full_name(name), kind: UserTypeKind::Unknown, created: None };
            self.schema.types.insert(key.clone(), Arc::new(user_type));
            key
        });
        if let Some(found) = self.schema.types.get_mut(&key) {
            change(Arc::make_mut(found));
        }
    }

    pub(super) fn alter_type(&mut self, name: &ObjectName, action: &TypeAction) {
        if let TypeAction::RenameValue { from, to } = action {
            self.rename_label_of_defaults(name, from, to);
        }
        let now = Some(self.schema.now);
        let there = match (action, self.schema.user_type(name).map(|found| &found.kind)) {
            (TypeAction::AddValue { value, .. }, Some(UserTypeKind::Enum(labels))) => {
                labels.iter().any(|label| label.value == *value)
            }
            _ => false,
        };
        if there && let TypeAction::AddValue { if_not_exists, .. } = action {
            let subject = Subject { object: ObjectKind::Type, name: name.clone(), of: None };
            return self.exists(subject, *if_not_exists, false);
        }
        self.on_type(name, |found| match (&mut found.kind, action) {
            (UserTypeKind::Enum(labels), TypeAction::AddValue { value, neighbour, .. }) => {
                let label = Label { value: value.clone(), created: now };
                let at = neighbour.as_ref().and_then(|(before, other)| {
                    let at = labels.iter().position(|label| label.value == *other)?;
                    Some(if *before { at } else { at + 1 })
                });
                labels.insert(at.unwrap_or(labels.len()), label);
            }
            (UserTypeKind::Enum(labels), TypeAction::RenameValue { from, to }) => {
                for label in labels.iter_mut().filter(|label| label.value == *from) {
                    label.value.clone_from(to);
                }
            }
            (UserTypeKind::Composite(attributes), TypeAction::AddAttribute { name, data_type }) => {
                attributes.push((name.clone(), data_type.clone()));
            }
            (UserTypeKind::Composite(attributes), TypeAction::DropAttribute { name, .. }) => {
                attributes.retain(|(own, _)| own != name);
            }
            (UserTypeKind::Composite(attributes), TypeAction::SetAttributeType { name, data_type }) => {
                for (_, own) in attributes.iter_mut().filter(|(own, _)| own == name) {
                    *own = data_type.clone();
                }
            }
            (UserTypeKind::Composite(attributes), TypeAction::RenameAttribute { from, to }) => {
                for (own, _) in attributes.iter_mut().filter(|(own, _)| own == from) {
                    *own = to.clone();
                }
            }
            // Of a type whose inside is not known there is nothing to change.
            _ => {}
        });
    }

    pub(super) fn alter_domain(&mut self, name: &ObjectName, action: &DomainAction) {
        self.on_type(name, |found| {
            let short = found.name.name.clone();
            let UserTypeKind::Domain(domain) = &mut found.kind else { return };
            match action {
                DomainAction::SetDefault(expr) => domain.default = Some(expr.clone()),
                DomainAction::DropDefault => domain.default = None,
                DomainAction::SetNotNull => domain.not_null = true,
                DomainAction::DropNotNull => domain.not_null = false,
                DomainAction::AddConstraint(constraint) => add_domain_check(domain, &short, constraint),
                DomainAction::DropConstraint { name, .. } => domain.checks.retain(|(own, ..)| own != name),
                DomainAction::RenameConstraint { from, to } => {
                    for (own, ..) in domain.checks.iter_mut().filter(|(own, ..)| own == from) {
                        *own = to.clone();
                    }
                }
                DomainAction::ValidateConstraint(name) => {
                    for (_, _, valid) in domain.checks.iter_mut().filter(|(own, ..)| own == name) {
                        *valid = true;
                    }
                }
            }
        });
    }

    /// A default is kept by the label itself: under a new name it is the same.
    fn rename_label_of_defaults(&mut self, name: &ObjectName, from: &str, to: &str) {
        let Some(key) = self.type_key(name) else { return };
        let is_label = |column: &Column| {
            column.default.as_ref().is_some_and(|default| default.literal.as_deref() == Some(from))
        };
        let columns: Vec<(TableName, usize)> = self
            .schema
            .columns_of_type(&key)
            .filter(|(_, column)| is_label(column))
            .filter_map(|(table, column)| {
                Some((self.schema.new_key(&table.name), table.column_at(&column.name)?))
            })
            .collect();
        for (table, at) in columns {
            self.edit(&table, |table| {
                if let Some(default) = &mut Arc::make_mut(&mut table.columns[at]).default {
                    default.text = literal(to, Dialect::Sqlite);
                    default.literal = Some(to.to_owned());
                }
            });
        }
    }

    pub(super) fn drop_type(&mut self, drop: &DropObject) {
        let Some(key) = self.type_key(&drop.name) else {
            return self.missing(super::drop::subject_of(drop), true);
        };
        self.remove_type(&key, drop.cascade);
    }

    /// Takes a type out; with `CASCADE` the columns of that type as well.
    pub(super) fn remove_type(&mut self, key: &ObjectName, cascade: bool) {
        let columns: Vec<(TableName, Name)> = self
            .schema
            .columns_of_type(key)
            .map(|(table, column)| (self.schema.new_key(&table.name), column.name.clone()))
            .collect();
        for (table, column) in columns {
            let subject = self.part(ObjectKind::Column, &column, &table);
            if !cascade {
                self.note(Note::Blocked(subject));
                continue;
            }
            self.taken(subject);
            self.drop_uses_of_column(&table, &column, true);
            self.edit(&table, |table| table.columns.retain(|own| own.name != column));
        }
        self.schema.types.remove(key);
    }

    pub(super) fn rename_type(&mut self, name: &ObjectName, to: &Name) {
        let Some(key) = self.type_key(name) else { return };
        let new = ObjectName { schema: key.schema.clone(), name: stored(to, self.schema.dialect) };
        self.rekey_type(&key, new);
    }

    pub(super) fn move_type(&mut self, name: &ObjectName, schema: &Name) {
        let Some(key) = self.type_key(name) else { return };
        let new = ObjectName::qualified(schema.clone(), key.name.clone());
        self.rekey_type(&key, new);
    }

    /// Puts a type under another name; columns of it follow.
    fn rekey_type(&mut self, key: &ObjectName, new: ObjectName) {
        let columns: Vec<(TableName, usize)> = self
            .schema
            .columns_of_type(key)
            .filter_map(|(table, column)| {
                Some((self.schema.new_key(&table.name), table.column_at(&column.name)?))
            })
            .collect();
        let in_path = new.schema.as_ref().is_some_and(|schema| self.schema.search_path.contains(schema));
        let Some(found) = self.schema.types.remove(key) else { return };
        let mut found = UserType::clone(&found);
        found.name = new.clone();
        self.schema.types.insert(new.clone(), Arc::new(found));
        for (table, at) in columns {
            self.edit(&table, |table| {
                if let Some(data_type) = &mut Arc::make_mut(&mut table.columns[at]).data_type {
                    data_type.name = new.name.to_string();
                    data_type.schema = new.schema.clone().filter(|_| !in_path);
                }
            });
        }
    }
}

/// Adds a check to a domain, with the name that the server makes up where it has none.
fn add_domain_check(domain: &mut Domain, of: &Name, constraint: &Constraint) {
    let ConstraintKind::Check(expr) = &constraint.kind else { return };
    let mut name = constraint.name.clone().unwrap_or_else(|| Name::new(format!("{of}_check")));
    let mut number = 0usize;
    while domain.checks.iter().any(|(own, ..)| *own == name) {
        number += 1;
        name = Name::new(format!("{of}_check{number}"));
    }
    domain.checks.push((name, expr.clone(), !constraint.not_valid));
}
