//! A change that a rule looks at, and what is known around it: context comes before opinion.

use super::migration::Judged;
use super::rule::{Draft, Edit, Severity};
use crate::analysis::{Applied, Step};
use crate::dialect::Dialect;
use crate::engine;
use crate::engine::effects::{Effects, RelationEffect, Session};
use crate::engine::version::ServerVersion;
use crate::name::{Name, ObjectName, TableName};
use crate::schema::apply::{Note, Subject};
use crate::schema::change::{AlterTable, Change, ChangeKind, ObjectKind, TableAction};
use crate::schema::model::{Column, Origin, Relation, Rows, Schema, Table, When, same};
use crate::source::Body;
use crate::sql::directive::directives;
use crate::sql::lex::{TokenKind, significant};
use crate::text::Span;
use std::cell::OnceCell;
use std::sync::Arc;

/// A change of a statement of a migration.
pub struct Place<'a> {
    /// The migration.
    pub judged: &'a Judged<'a>,
    /// The number of the statement among the migration's steps.
    pub number: usize,
    /// The statement.
    pub step: &'a Step,
    /// The change.
    pub applied: &'a Applied,
    effects: OnceCell<Effects>,
}

impl<'a> Place<'a> {
    /// The change `applied` of the step of number `number`.
    pub fn new(judged: &'a Judged<'a>, number: usize, step: &'a Step, applied: &'a Applied) -> Self {
        Self { judged, number, step, applied, effects: OnceCell::new() }
    }

    /// The change.
    pub fn change(&self) -> &'a Change {
        &self.applied.change
    }

    /// What it does.
    pub fn kind(&self) -> &'a ChangeKind {
        &self.applied.change.kind
    }

    /// The action and what its statement says around it, if it is one of `ALTER TABLE`.
    pub fn alter(&self) -> Option<(&'a AlterTable, &'a TableAction)> {
        self.applied.change.table_action()
    }

    /// The same, of a table and not of a view, an index or a sequence.
    pub fn alter_of_table(&self) -> Option<(&'a AlterTable, &'a TableAction)> {
        let is_table =
            |alter: &AlterTable| matches!(alter.object, ObjectKind::Table | ObjectKind::ForeignTable);
        self.alter().filter(|(alter, _)| is_table(alter))
    }

    /// Whether a directive has the statement run in chunks of rows.
    pub fn is_backfill(&self) -> bool {
        let dialect = self.before().dialect;
        let said = |text: &str, span: Span| {
            directives(text, span, dialect).found.iter().any(|directive| directive.name == "backfill")
        };
        let within = said(&self.step.sql, Span::new(0, self.step.sql.len()));
        within || matches!(&self.judged.script.body, Body::Sql { file, .. } if said(file, self.step.leading))
    }

    /// The schema before it.
    pub fn before(&self) -> &'a Schema {
        &self.applied.before
    }

    /// The schema that others see once its transaction has committed.
    pub fn committed(&self) -> &'a Schema {
        self.judged.committed_after(self.number)
    }

    /// The schema at the end of its migration. Outside of a transaction others see what is between, too.
    pub fn in_the_end(&self) -> &'a Schema {
        self.judged.after
    }

    /// The schema before the transaction that it runs in.
    pub fn at_start(&self) -> &'a Schema {
        self.judged.transaction_of(self.number).first().map_or(self.before(), |first| &first.before)
    }

    /// What goes along with it, although the statement does not name it.
    pub fn taken(&self) -> impl Iterator<Item = &'a Subject> {
        self.applied.notes.iter().filter_map(|note| match note {
            Note::Taken(subject) => Some(subject),
            _ => None,
        })
    }

    /// Whether `IF EXISTS` or `IF NOT EXISTS` leaves nothing to do. Where the history is not known, what is missing
    /// in the schema is taken to exist.
    pub fn is_skipped(&self) -> bool {
        let known = |subject: &Subject| {
            self.judged.is_history_known || self.before().gone.contains_key(&subject.name)
        };
        let skipped = self.applied.notes.iter().any(|note| match note {
            Note::Skipped { subject, .. } => known(subject),
            _ => false,
        });
        let missing = match self.kind() {
            ChangeKind::Drop(drop) if drop.if_exists && self.judged.is_history_known => {
                let is_relation = matches!(
                    drop.object,
                    ObjectKind::Table
                        | ObjectKind::ForeignTable
                        | ObjectKind::View
                        | ObjectKind::MaterializedView
                );
                is_relation && self.before().relation(&drop.name).is_none()
            }
            _ => false,
        };
        skipped || missing
    }

    /// Whether a statement before it in its transaction has already taken away what it names: then it fails.
    pub fn is_gone(&self, name: &TableName) -> bool {
        self.before().relation(name).is_none()
            && self.before().gone.contains_key(&self.before().new_key(name))
    }

    /// Whether two names mean the same relation.
    pub fn is_same(&self, one: &TableName, other: &TableName) -> bool {
        let key = |name| self.before().relation_key(name).unwrap_or_else(|| self.before().new_key(name));
        one == other || same(&one.name, &other.name, self.dialect()) && key(one) == key(other)
    }

    /// The table that a change makes or alters.
    pub fn table_written(&self) -> Option<&'a TableName> {
        match self.kind() {
            ChangeKind::CreateTable(create) => Some(&create.table),
            ChangeKind::AlterTable(alter) => Some(&alter.table),
            _ => None,
        }
    }

    /// The server.
    pub fn server(&self) -> ServerVersion {
        self.judged.server
    }

    /// Whose SQL it is.
    pub fn dialect(&self) -> Dialect {
        self.before().dialect
    }

    /// What is known of the session that it runs in.
    fn session(&self) -> Session {
        Session::of(|name| self.step.settings.get(name).map(String::as_str))
    }

    /// What its whole statement does to others.
    pub fn statement_effects(&self) -> Effects {
        let changes: Vec<_> =
            self.step.changes.iter().map(|applied| (&applied.change, &applied.before)).collect();
        engine::statement_effects(&changes, self.server(), self.session())
    }

    /// What it does to others.
    pub fn effects(&self) -> &Effects {
        self.effects.get_or_init(|| {
            if self.is_skipped() {
                return Effects::default();
            }
            // What no statement made may be there all the same: then IF EXISTS says nothing.
            let certain = without_if_exists(self.change());
            let change = certain.as_ref().unwrap_or(self.change());
            engine::effects(change, self.before(), self.server(), self.session())
        })
    }

    /// Whether it runs in a transaction with other statements of its file.
    pub fn in_transaction(&self) -> bool {
        self.step.transaction.is_some()
    }

    /// The table called `name`, as it is before the change.
    pub fn table(&self, name: &TableName) -> Option<&'a Arc<Table>> {
        self.before().table(name)
    }

    /// The column `column` of the table called `name`, as it is before the change.
    pub fn column(&self, name: &TableName, column: &Name) -> Option<&'a Arc<Column>> {
        self.table(name)?.column(column)
    }

    /// When the relation called `name` was made, where a statement did.
    pub fn made(&self, name: &TableName) -> Option<When> {
        match self.before().relation(name)? {
            Relation::Table(table) => table.created,
            Relation::View(view) => view.created,
            Relation::Sequence(sequence) => sequence.created,
        }
    }

    /// Whether running code may know what was made at `made`: all that this deploy did not bring.
    pub fn is_known_to_code(&self, made: Option<When>) -> bool {
        !self.judged.is_of_deploy(made)
    }

    /// Whether running code may use the relation called `name`.
    pub fn is_used(&self, name: &TableName) -> bool {
        self.is_known_to_code(self.made(name))
    }

    /// Whether a lock on the relation called `name` can keep anyone from anything, and work on it can take long: not
    /// where this deploy has made it, and either nobody else sees it yet or it is empty.
    pub fn is_busy(&self, name: &TableName) -> bool {
        let Some(made) = self.made(name).filter(|made| self.judged.is_of_deploy(Some(*made))) else {
            return true;
        };
        let unseen = self
            .judged
            .step_of(made)
            .is_some_and(|step| step.transaction.is_some() && step.transaction == self.step.transaction);
        if unseen {
            return false;
        }
        // Nobody writes into a new view, and nobody reads it yet.
        let view = self.before().view(name).is_some();
        let empty = view || self.table(name).is_some_and(|table| table.rows == Rows::Empty);
        !empty || self.judged.is_published(made, self.number)
    }

    /// The effects on relations that are in use, the strongest lock first among equals in work.
    pub fn felt(&self) -> impl Iterator<Item = &RelationEffect> {
        self.effects().relations.iter().filter(|effect| self.is_busy(&effect.relation))
    }

    /// Whether nothing is known of the table but that statements use it.
    pub fn is_assumed(&self, name: &TableName) -> bool {
        self.table(name).is_none_or(|table| table.origin == Origin::Assumed)
    }

    /// `name` as people read it, without the schema that is meant anyway.
    pub fn shown(&self, name: &ObjectName) -> String {
        match &name.schema {
            Some(schema) if *schema != self.before().home() => format!("{schema}.{}", name.name),
            Some(_) | None => name.name.to_string(),
        }
    }

    /// `name` ready to be pasted into SQL.
    pub fn sql(&self, name: &ObjectName) -> String {
        match &name.schema {
            Some(schema) if *schema != self.before().home() => {
                format!("{}.{}", self.id(schema), self.id(&name.name))
            }
            Some(_) | None => self.id(&name.name),
        }
    }

    /// `name` ready to be pasted into SQL.
    pub fn id(&self, name: &Name) -> String {
        name.readable(self.dialect())
    }

    /// `names` ready to be pasted into SQL, parted by commas.
    pub fn ids(&self, names: &[Name]) -> String {
        names.iter().map(|name| self.id(name)).collect::<Vec<_>>().join(", ")
    }

    /// The text of the change.
    pub fn text(&self) -> &'a str {
        self.change().span.of(&self.step.sql)
    }

    /// The statement with `put` behind its first `word`, and the edit that does it; none where it has no such word.
    pub fn with_word_behind(&self, word: &str, put: &str) -> Option<(String, Edit)> {
        let sql: &str = &self.step.sql;
        let token = significant(sql, self.dialect())
            .find(|token| token.kind == TokenKind::Word && token.is_word(sql, word))?;
        let at = token.span.end;
        let edit = Edit { span: Span::new(at, at), text: format!(" {put}") };
        Some((format!("{} {put}{};", &sql[..at], &sql[at..]), edit))
    }

    /// `draft` with an edit after which the statement cannot run in a transaction, where that changes nothing else: it is
    /// in none now, or it is all that its file does.
    pub fn fixed_outside(&self, draft: Draft, edit: Edit) -> Draft {
        let is_alone = self.judged.steps.len() == 1 && self.step.changes.len() == 1;
        match (self.in_transaction(), is_alone) {
            (false, _) => draft.fix(vec![edit]),
            (true, true) => draft.fix_outside(edit),
            (true, false) => draft,
        }
    }

    /// How bad something is that happens only under a condition: one step less.
    pub fn severity(&self, severity: Severity) -> Severity {
        match severity {
            Severity::Error if self.change().via.is_conditional() => Severity::Warning,
            other => other,
        }
    }
}

/// The same change of a relation without `IF EXISTS`, if it has one.
fn without_if_exists(change: &Change) -> Option<Change> {
    let (ChangeKind::AlterTable(_) | ChangeKind::Drop(_)) = &change.kind else { return None };
    let mut certain = change.clone();
    match &mut certain.kind {
        ChangeKind::AlterTable(alter) if alter.if_exists => alter.if_exists = false,
        ChangeKind::Drop(drop) if drop.if_exists => drop.if_exists = false,
        _ => return None,
    }
    Some(certain)
}
