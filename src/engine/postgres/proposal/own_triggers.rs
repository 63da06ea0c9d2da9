//! A table's own UPDATE triggers, which fire for each row that a plan fills: what they make of that row is taken back,
//! since the plain migration does not touch it.

use super::id;
use super::subject::Subject;
use crate::dialect::Dialect;
use crate::engine::proposal::{Proposal, Stage};
use crate::engine::update::unquoted;
use crate::name::Name;
use crate::schema::change::{CreateTrigger, FiringState, Generation};
use crate::sql::lex::{Token, TokenKind, significant};
use std::collections::BTreeSet;

/// Those that an UPDATE of a column that is new fires.
fn fired<'a>(subject: &Subject<'a>) -> impl Iterator<Item = &'a CreateTrigger> {
    let table = subject.table.into_iter();
    let all = table.flat_map(|table| &table.triggers).filter(|one| one.state != FiringState::Disabled);
    all.map(|trigger| &*trigger.definition).filter(|one| {
        one.events.iter().any(|event| event == "UPDATE") && one.update_of.is_empty() && one.for_each_row
    })
}

/// Lets the triggers be told that `stage` fills rows, where there are some.
pub(super) fn tell(subject: &Subject<'_>, stage: Option<&mut Stage>) {
    if let Some(Stage::Backfill { action, .. }) = stage {
        action.told = fired(subject).next().is_some();
    }
}

/// What a person has to know of them.
pub(super) fn limit(subject: &Subject<'_>, proposal: &mut Proposal) {
    if fired(subject).next().is_some() {
        proposal.limits.push(
            "the table's own UPDATE triggers fire for each row that is filled: what they make of the row is taken back, what they do beyond it is not; \
             let those that write elsewhere ask first, with WHEN (current_setting('twostep.backfill', true) IS DISTINCT FROM 'on')"
                .to_owned(),
        );
    }
}

/// The lines of a trigger function that take back what the table's own triggers have made of a row that is filled; empty
/// where there is nothing. `called` gives the name that a column of the schema has now, and none for a copy.
pub(super) fn taken_back(subject: &Subject<'_>, called: &dyn Fn(&Name) -> Option<Name>) -> String {
    let Some(table) = subject.table else { return String::new() };
    let mut written = Written::default();
    fired(subject).filter(|one| one.timing == "BEFORE").for_each(|one| written.add(subject, one));
    let is_copy =
        |name: &Name| subject.given.apart.iter().any(|one| one.table == table.name && one.copy == *name);
    let columns = table.columns.iter().filter(|column| {
        let computed = matches!(column.generation, Some(Generation::Expression { .. }));
        !computed && !is_copy(&column.name) && (written.all || written.columns.contains(&column.name))
    });
    let lines: String = columns
        .filter_map(|column| called(&column.name))
        .map(|name| format!("    NEW.{0} := OLD.{0};\n", id(&name)))
        .collect();
    if lines.is_empty() {
        return lines;
    }
    format!(
        "  IF TG_OP = 'UPDATE' AND pg_catalog.current_setting('twostep.backfill', true) = 'on' THEN\n{lines}  END IF;\n"
    )
}

/// What functions may write of the row that they are called for.
#[derive(Default)]
struct Written {
    columns: BTreeSet<Name>,
    /// Any column: a function is not known, or writes the row as a whole.
    all: bool,
}

impl Written {
    fn add(&mut self, subject: &Subject<'_>, trigger: &CreateTrigger) {
        let routines = trigger.function.as_ref().map_or(&[][..], |name| subject.schema.routines(name));
        self.all |= routines.is_empty();
        for routine in routines {
            self.add_body(&routine.definition.body.text);
        }
    }

    fn add_body(&mut self, text: &str) {
        let tokens: Vec<Token> = significant(text, Dialect::Postgres).collect();
        let is_dynamic = |one: &Token| one.is_word(text, "execute");
        self.all |= tokens.is_empty() || tokens.iter().any(is_dynamic);
        for (at, _) in tokens.iter().enumerate().filter(|(_, token)| token.is_word(text, "new")) {
            let next = tokens.get(at + 1).map_or("", |next| next.text(text));
            let is_target = at > 0 && tokens[at - 1].is_word(text, "into");
            match (next, tokens.get(at + 2)) {
                (".", Some(column)) if column.kind == TokenKind::QuotedWord => {
                    self.columns.insert(unquoted(column.text(text)));
                }
                (".", Some(column)) => {
                    self.columns.insert(Name::unquoted(column.text(text), Dialect::Postgres));
                }
                (":=" | "=", _) => self.all = true,
                _ => self.all |= is_target,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expect: Option<&[&str]>) {
        let mut written = Written::default();
        written.add_body(body);
        let columns: Vec<&str> = written.columns.iter().map(Name::as_str).collect();
        assert_eq!((!written.all).then_some(columns.as_slice()), expect, "{body}");
    }

    #[test]
    fn what_a_function_may_write_is_told_from_its_body() {
        check("BEGIN NEW.Touched := now(); NEW.\"A b\" = 1; RETURN NEW; END", Some(&["A b", "touched"]));
        check("BEGIN INSERT INTO audit SELECT OLD.*; RETURN NULL; END", Some(&[]));
        check("BEGIN NEW := OLD; RETURN NEW; END", None);
        check("BEGIN SELECT * INTO NEW FROM t; RETURN NEW; END", None);
        check("BEGIN EXECUTE 'x' INTO NEW; RETURN NEW; END", None);
    }
}
