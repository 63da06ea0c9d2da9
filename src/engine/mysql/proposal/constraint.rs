//! Keys, checks and indexes: what rows must satisfy waits for the contract, since whether older code satisfies it no
//! schema can tell; an index that only serves comes at once.

use super::{definition, online, tool, undo};
use crate::engine::effects::Session;
use crate::engine::mysql::effects::effects;
use crate::engine::proposal::about::About;
use crate::engine::proposal::{Action, Back, Missing, Proposal, Stage, Undo};
use crate::engine::version::Product;
use crate::name::Name;
use crate::schema::change::*;

pub(super) fn propose(about: &About<'_>, constraint: &Constraint) -> Option<Proposal> {
    match &constraint.kind {
        ConstraintKind::ForeignKey(key) => Some(foreign_key(about, constraint, key)),
        ConstraintKind::Check(_) if constraint.not_enforced => None,
        _ if online::blocks(about) => {
            let mut proposal = Proposal::default();
            proposal
                .missing
                .push(tool::missing(about, "the server copies the table, and writes wait for all of it"));
            Some(proposal)
        }
        ConstraintKind::Check(_) | ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_) => {
            Some(contract(about, "what it writes satisfies it, and no row breaks it any more"))
        }
        ConstraintKind::Exclude(_) | ConstraintKind::NotNull(_) => None,
    }
}

/// A change that waits until no older code runs, as it stands: the server looks at the rows while others read and write,
/// and refuses where one breaks it.
fn contract(about: &About<'_>, code: &str) -> Proposal {
    let back = match undo::undo(about.change, about.schema, about.server) {
        Some(Undo::Together(all) | Undo::Alone(all)) => {
            Back::Stages(all.into_iter().map(|sql| Stage::Alone(Action::new("", sql))).collect())
        }
        Some(Undo::Nothing) => Back::Nothing,
        None => Back::Authors,
    };
    let action = online::action(
        about,
        "Refused where a row breaks it. Others read and write meanwhile.\ntwostep: allow new-write-restriction because older code is gone by now",
    );
    Proposal { code: code.to_owned(), contract: vec![Stage::Alone(action)], back, ..Proposal::default() }
}

/// An index: at once, or with the contract where it is unique.
pub(super) fn index(about: &About<'_>, create: &CreateIndex) -> Option<Proposal> {
    if online::blocks(about) {
        return Some(tool::proposal(about));
    }
    if create.unique {
        return Some(contract(about, "what it writes is unique, and no two rows are the same any more"));
    }
    if effects(about.change, about.schema, about.server, Session::default()).is_instant() {
        return None;
    }
    let action = online::action(about, "Others read and write while it is built.");
    let undo = undo::undo(about.change, about.schema, about.server)?;
    Some(Proposal { expand: vec![Stage::Alone(Action { undo, ..action })], ..Proposal::default() })
}

/// `DROP INDEX`: queries of the running code may need it to be quick, and what is unique to be so.
pub(super) fn drop_index(about: &About<'_>, name: &Name) -> Proposal {
    let table = about.sql();
    let known = about.table.and_then(|known| known.index(name));
    let back = known.map(|index| {
        let sql = definition::index_over(about, index, &index.name, index.unique, None);
        let words = super::asked::words_for(&sql, about.schema, about.server);
        Stage::Alone(Action::new("", format!("{sql}{words}")))
    });
    let mut proposal = Proposal {
        code: format!("no query of it needs {}, neither to be quick nor to be unique", about.id(name)),
        contract: vec![Stage::Alone(online::action(about, "The catalog alone changes."))],
        back: back.map_or(Back::Authors, |stage| Back::Stages(vec![stage])),
        ..Proposal::default()
    };
    if online::blocks(about) {
        proposal
            .missing
            .push(tool::missing(about, "the server copies the table, and writes wait for all of it"));
    }
    let hidden = if about.server.product == Product::Mariadb { "IGNORED" } else { "INVISIBLE" };
    proposal.limits.push(format!(
        "whether queries need it can be tried before, with a way back in a moment: ALTER TABLE {table} ALTER INDEX {} {hidden}",
        about.id(name)
    ));
    proposal
}

/// A constraint that goes: one that is unique serves queries as an index.
pub(super) fn dropped(about: &About<'_>, name: &Name) -> Option<Proposal> {
    let kind = about.table.and_then(|table| table.constraint(name)).map(|one| &one.kind);
    match kind {
        Some(ConstraintKind::Unique(_)) => Some(drop_index(about, name)),
        _ => None,
    }
}

/// A foreign key. With `foreign_key_checks` the server copies the table; without, it is made while others read and
/// write, and holds for what is written from then on; rows that were there are looked at by us, before and behind it.
/// <https://dev.mysql.com/doc/refman/8.4/en/innodb-online-ddl-operations.html#online-ddl-foreign-key-operations>
fn foreign_key(about: &About<'_>, constraint: &Constraint, key: &ForeignKey) -> Proposal {
    let table = about.sql();
    let mut proposal = Proposal {
        code: "what it writes satisfies the foreign key, and no row breaks it any more".to_owned(),
        ..Proposal::default()
    };
    let referenced = match key.referenced_columns.as_slice() {
        [] => {
            let to = about.schema.table(&key.references).and_then(|table| table.primary_key());
            to.map(|key| key.columns().to_vec()).unwrap_or_default()
        }
        some => some.to_vec(),
    };
    if referenced.len() != key.columns.len() {
        proposal.missing.push(Missing::Other(format!(
            "the key of `{}` that it points to is not known",
            about.sql_of(&key.references)
        )));
        return proposal;
    }
    let look = |text: &str| {
        let child = |column: &Name| format!("child.{}", about.id(column));
        let pairs = key.columns.iter().zip(&referenced);
        let same: Vec<String> =
            pairs.map(|(one, other)| format!("parent.{} = {}", about.id(other), child(one))).collect();
        let given: Vec<String> =
            key.columns.iter().map(|one| format!("{} IS NOT NULL", child(one))).collect();
        // The server says the text behind `~` as an error, up to 32 characters of it.
        let said = crate::name::mysql_string(&format!("~ no row for {}", about.ids(&key.columns)));
        Stage::Alone(Action::new(
            text,
            format!(
                "DO EXTRACTVALUE(1, IF(EXISTS (SELECT 1 FROM {table} AS child WHERE {} AND NOT EXISTS (SELECT 1 FROM {} AS parent WHERE {})), {said}, '/a'))",
                given.join(" AND "),
                about.sql_of(&key.references),
                same.join(" AND ")
            ),
        ))
    };
    let checks = |on: u8| Stage::Alone(Action::new("", format!("SET SESSION foreign_key_checks = {on}")));
    let sql = about.text.trim().trim_end_matches(';').trim_end();
    let algorithm = if about.server.product == Product::Mariadb { "NOCOPY" } else { "INPLACE" };
    let add = Action::new(
        "Others read and write meanwhile; what they write is looked at from here on.\ntwostep: allow new-write-restriction because older code is gone by now",
        format!("{sql}, ALGORITHM={algorithm}, LOCK=NONE"),
    );
    proposal.contract = vec![
        look("Stops with an error where a row has none to point to, before anything is changed."),
        checks(0),
        Stage::Alone(add),
        checks(1),
        look("Rows that were written in between."),
    ];
    proposal.back = match undo::constraint_name(about, constraint) {
        Some(name) => {
            let mut back =
                vec![Action::new("", format!("ALTER TABLE {table} DROP FOREIGN KEY {}", about.id(&name)))];
            for index in undo::new_indexes(about) {
                let sql = format!("DROP INDEX {} ON {table}", about.id(&index));
                back.push(Action::new("The server made it for the key.", sql));
            }
            Back::Stages(back.into_iter().map(Stage::Alone).collect())
        }
        None => Back::Authors,
    };
    proposal
}
