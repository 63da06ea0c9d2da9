//! `CHANGE` and `MODIFY`, which define a column anew in whole: what of it changes decides what is done.

use super::{change_type, definition, online, rename_column, required, tool};
use crate::engine::proposal::about::About;
use crate::engine::proposal::{Action, Back, Missing, Proposal, Stage};
use crate::name::Name;
use crate::schema::change::*;
use crate::schema::model::Column;

pub(super) fn propose(
    about: &About<'_>,
    from: &Name,
    to: &ColumnDef,
    position: Option<&ColumnPosition>,
) -> Option<Proposal> {
    let renames = about.table.map_or(*from != to.name, |table| !table.same(from, &to.name));
    let Some(old) = about.column(from) else {
        let mut proposal = Proposal::default();
        about.must_be_known(&mut proposal);
        return Some(proposal).filter(|proposal| !proposal.missing.is_empty());
    };
    let changes = Changes::of(old, to);
    if renames {
        if changes.retypes || changes.requires || changes.relaxes || changes.default || position.is_some() {
            let mut proposal = Proposal::default();
            proposal.missing.push(Missing::Other(format!(
                "`{}` gets another name and another definition at once: write it as two statements",
                about.id(from)
            )));
            return Some(proposal);
        }
        return Some(rename_column::propose(about, from, &to.name));
    }
    if changes.requires && !changes.retypes {
        let fill = about.fill(from);
        let definition = about.text_of(to.span);
        return Some(match fill {
            Some(fill) => required::filled(about, from, definition, fill, None),
            None if online::blocks(about) => tool::proposal(about),
            None => required::waiting(about, to),
        });
    }
    if online::blocks(about) {
        return Some(if changes.retypes && !changes.requires && position.is_none() {
            change_type::propose(about, from, to, old)
        } else {
            tool::proposal(about)
        });
    }
    // It takes a moment, or others read and write meanwhile.
    if changes.drops_default || changes.retypes && !widens(old, to) {
        return Some(whole_contract(about, old));
    }
    Some(kept(about, old))
}

/// What of a column's definition changes.
struct Changes {
    retypes: bool,
    requires: bool,
    relaxes: bool,
    default: bool,
    drops_default: bool,
}

impl Changes {
    fn of(old: &Column, to: &ColumnDef) -> Self {
        let required = |nullability| nullability == Nullability::NotNull;
        let text = |default: &Option<Expr>| {
            default.as_ref().filter(|one| !one.is_null).map(|one| one.text.trim().to_ascii_lowercase())
        };
        let lower = |text: &Option<String>| text.as_ref().map(|text| text.to_ascii_lowercase());
        let charset = to.charset.is_some() && lower(&to.charset) != lower(&old.charset)
            || to.collation.is_some() && lower(&to.collation) != lower(&old.collation);
        Self {
            retypes: old.data_type != to.data_type || charset,
            requires: required(to.nullability) && !required(old.nullability) && to.generation.is_none(),
            relaxes: !required(to.nullability) && required(old.nullability),
            default: text(&old.default) != text(&to.default),
            drops_default: text(&old.default).is_some() && text(&to.default).is_none(),
        }
    }
}

/// Whether code that knows the old type works with the new one, which the server needs no copy for.
fn widens(old: &Column, to: &ColumnDef) -> bool {
    let (Some(from), Some(to)) = (&old.data_type, &to.data_type) else { return false };
    from == to || change_type::is_tolerant(from, to)
}

/// The definition as it was.
fn before(about: &About<'_>, old: &Column) -> Option<Action> {
    let default = old.default.as_ref().map(|default| default.text.as_str());
    let definition = definition::column(old, old.nullability, default)?;
    Some(Action::new(
        "The definition as it was.",
        format!("ALTER TABLE {} MODIFY {} {definition}", about.sql(), about.id(&old.name)),
    ))
}

/// A new definition that older code does not notice.
fn kept(about: &About<'_>, old: &Column) -> Proposal {
    let action = online::action(about, "As it was: older code does not notice it.");
    let action = match before(about, old) {
        Some(back) => action.undone_by(back.sql),
        None => action,
    };
    Proposal { expand: vec![Stage::Alone(action)], ..Proposal::default() }
}

/// A new definition that older code may not work with.
fn whole_contract(about: &About<'_>, old: &Column) -> Proposal {
    Proposal {
        code: format!("it works with the new definition of {}", about.id(&old.name)),
        contract: vec![Stage::Alone(online::action(about, "No code relies on the old definition any more."))],
        back: before(about, old).map_or(Back::Authors, |back| Back::Stages(vec![Stage::Alone(back)])),
        ..Proposal::default()
    }
}
