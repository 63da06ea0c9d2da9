//! `ALTER COLUMN … TYPE` that writes the table anew: a column of the new type beside it, which takes its name.

use super::retype::{Retype, Turn, identity_of};
use super::subject::{Subject, data_type, quoted};
use super::{id, own_triggers};
use crate::engine::postgres::effects::convert::{Conversion, conversion, is_plain_using};
use crate::engine::postgres::effects::volatility;
use crate::engine::proposal::{Action, Back, Given, Missing, Proposal, Stage};
use crate::name::{Name, plain_literal};
use crate::schema::change::*;
use crate::schema::model::{Schema, UserTypeKind};

/// Whether the server changes the type without looking at a row.
pub(super) fn is_cheap(
    column: &Name,
    from: Option<&DataType>,
    to: &DataType,
    using: Option<&Expr>,
    collation: Option<&str>,
    schema: &Schema,
) -> bool {
    let plain = using.is_none_or(|using| is_plain_using(using, column.as_str(), to));
    from.is_some_and(|from| {
        plain && collation.is_none() && conversion(from, to, schema, false) == Conversion::Relabel
    })
}

pub(super) fn propose(
    subject: &Subject<'_>,
    column: &Name,
    to: &DataType,
    using: Option<&Expr>,
    collation: Option<&str>,
) -> Option<Proposal> {
    let from = subject.column(column).and_then(|known| known.data_type.as_ref());
    if is_cheap(column, from, to, using, collation, subject.schema) {
        return None;
    }
    let mut proposal = Proposal::default();
    subject.must_take_triggers(&mut proposal);
    let using = using.filter(|using| !is_plain_using(using, column.as_str(), to));
    let name = id(column);
    let (from_sql, to_sql) = (subject.type_of(column), full_type(subject, to, collation));
    let fits = from.map_or(Fit::No, |from| fit(from, to));
    let mut missing = |why: String| proposal.missing.push(Missing::Other(why));
    if let Some(why) = from.and_then(|from| other_labels(subject, column, from, to)) {
        missing(why);
    } else if fits == Fit::No {
        missing(format!(
            "no code works with `{name}` as {from_sql} and as {to_sql} under one name: add a column under a new name, let the code move over, then drop this one; each is a plan of its own"
        ));
    }
    if let Some(using) =
        using.filter(|using| using.has_query || volatility(using, subject.schema) != Volatility::Immutable)
    {
        missing(format!("`{}` is not the same each time that it is computed", using.text));
    }
    let text = using.map(|using| using.text.as_str());
    let one = Retype::new(subject, column, to_sql.clone(), text, &subject.given.apart);
    one.obstacles().into_iter().for_each(&mut missing);
    stages(subject, &one, fits, using.is_some(), &mut proposal);
    proposal.code = match fits {
        Fit::Narrower => {
            format!("it works with {name} as {from_sql} and as {to_sql}, and writes only what fits")
        }
        Fit::Wider | Fit::No => format!("it works with {name} as {from_sql} and as {to_sql}"),
    };
    proposal.limits.push("prepared statements that select the column fail once at the contract, since its type changes under them; drivers that check the type of a column fail until they prepare again".to_owned());
    proposal.limits.push("the column stands last in its table afterwards".to_owned());
    if identity_of(subject, column).is_some() {
        proposal
            .limits
            .push(format!("currval() of {name}'s sequence is unknown to a session once after the contract"));
    }
    own_triggers::limit(subject, &mut proposal);
    Some(proposal)
}

/// What there is instead of a type with other labels: a statement that is prepared with the old type fails at each call
/// once the column has the new one, and a label that nothing uses does no harm.
fn other_labels(subject: &Subject<'_>, column: &Name, from: &DataType, to: &DataType) -> Option<String> {
    let labels = |of: &DataType| match &subject.schema.user_type(&of.object_name())?.kind {
        UserTypeKind::Enum(labels) => Some(labels.iter().map(|one| one.value.clone()).collect::<Vec<_>>()),
        _ => None,
    };
    let (old, new) = (labels(from)?, labels(to)?);
    let literals = |all: &[String], other: &[String]| {
        let only = all.iter().filter(|label| !other.contains(label)).map(|label| plain_literal(label));
        only.collect::<Vec<_>>()
    };
    let (gone, more) = (literals(&old, &new), literals(&new, &old));
    let name = id(column);
    let mut instead = Vec::new();
    if !gone.is_empty() {
        instead.push(format!(
            "ALTER TABLE {} ADD CHECK ({name} NOT IN ({})) keeps labels out that shall not be there any more, which stay in the type and do no harm",
            subject.sql(),
            gone.join(", ")
        ));
    }
    if !more.is_empty() {
        instead.push(format!("ALTER TYPE … ADD VALUE adds {}", more.join(", ")));
    }
    if instead.is_empty() {
        instead.push("the labels are the same, and their order alone is not worth it".to_owned());
    }
    Some(format!(
        "no code works with `{name}` as one enum and as another one under one name, since statements that are prepared for the one fail with the other: {}",
        instead.join("; ")
    ))
}

/// The stages of both steps, and of the way back.
fn stages(subject: &Subject<'_>, one: &Retype<'_>, fits: Fit, computed: bool, proposal: &mut Proposal) {
    let (set, condition) = one.filling();
    let swap = Stage::Together(one.swap(false));
    let mut fill = Proposal::default();
    subject.batch(&mut fill, "Rows that nobody has written since.", &set, &condition);
    proposal.missing.append(&mut fill.missing);
    let mut first = vec![Stage::Together(one.start())];
    own_triggers::tell(subject, fill.expand.last_mut());
    first.append(&mut fill.expand);
    first.extend(one.prepare());
    if fits == Fit::Narrower {
        // Whether running code writes only what fits, no schema can tell.
        proposal.contract = vec![Stage::Alone(all_fit(subject, one))];
        proposal.contract.extend(first);
        proposal.contract.push(swap);
        proposal.back = Back::Authors;
        return;
    }
    proposal.expand = first;
    proposal.contract = vec![swap];
    proposal.back = if computed { Back::Authors } else { Back::Stages(back(subject, one)) };
}

/// From the new type back to the old one with a copy of the new type beside it: the same the other way round, and then
/// the first step again.
fn back(subject: &Subject<'_>, forth: &Retype<'_>) -> Vec<Stage> {
    let after = subject.after();
    // What else the migration takes apart is whole again behind it, or not taken back yet.
    let none = Given::default();
    let behind = Subject::new(&after, subject.name, subject.version, &none, subject.change);
    let collation = subject.column(forth.column).and_then(|known| known.collation.as_deref());
    let known = subject.column(forth.column).and_then(|known| known.data_type.as_ref());
    let to = known.map_or_else(String::new, |known| full_type(subject, known, collation));
    let mirror = Retype::new(&behind, forth.column, to, None, &[]);
    let (set, condition) = mirror.filling();
    let update = format!("UPDATE {} SET {set} WHERE {condition}", subject.sql());
    let mut stages = vec![Stage::Together(mirror.start())];
    let action = Action::new("Stops where a value does not fit any more.", update);
    stages.push(Stage::Backfill { action, key: subject.key() });
    own_triggers::tell(subject, stages.last_mut());
    stages.extend(mirror.prepare());
    let mut swap = mirror.swap(true);
    swap.extend(forth.follow());
    stages.push(Stage::Together(swap));
    stages.extend(forth.made(Turn::First));
    stages.extend(forth.proved());
    stages
}

/// A type with its collation, where it has one.
fn full_type(subject: &Subject<'_>, to: &DataType, collation: Option<&str>) -> String {
    let bare = data_type(to, subject.schema);
    collation.map_or(bare.clone(), |collation| format!("{bare} COLLATE {}", quoted(collation)))
}

/// A statement that fails where a value does not fit, before anything is changed.
fn all_fit(subject: &Subject<'_>, one: &Retype<'_>) -> Action {
    let (table, name) = (subject.sql(), id(one.column));
    let said =
        plain_literal(&format!("{table}.{name} holds values that do not fit {}", one.to).replace('%', "%%"));
    let kept = format!("({})::{}", one.value, subject.type_of(one.column));
    Action::new(
        "Stops here where a value does not fit, before anything is changed.",
        format!(
            "DO $twostep$\nBEGIN\n  IF EXISTS (SELECT FROM {table} WHERE {kept} IS DISTINCT FROM {name}) THEN\n    RAISE EXCEPTION {said};\n  \
             END IF;\nEND $twostep$"
        ),
    )
}

/// How the values and the code of one type get on with another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// All values are values of it, and code that reads and writes the one works with the other.
    Wider,
    /// The same for such values as fit.
    Narrower,
    /// Code works with the one or with the other.
    No,
}

fn fit(from: &DataType, to: &DataType) -> Fit {
    let same_kind = from.dimensions == to.dimensions && from.schema.is_none() && to.schema.is_none();
    if !same_kind {
        return Fit::No;
    }
    let width = |one: &DataType| match one.name.as_str() {
        "smallint" => Some(1),
        "integer" => Some(2),
        "bigint" => Some(3),
        _ => None,
    };
    let is_text = |one: &DataType| ["text", "character varying", "character"].contains(&one.name.as_str());
    let is_float = |one: &DataType| ["real", "double precision"].contains(&one.name.as_str());
    match (width(from), width(to)) {
        (Some(one), Some(other)) if one < other => Fit::Wider,
        (Some(_), Some(_)) => Fit::Narrower,
        (Some(_), None) if to.name == "numeric" && to.arguments.is_empty() => Fit::Wider,
        (Some(one), None) if to.name == "double precision" && one < 3 => Fit::Wider,
        (None, None) if is_text(from) && is_text(to) => {
            match (to.name.as_str(), from.number(0), to.number(0)) {
                ("character", ..) => Fit::No,
                (_, _, None) => Fit::Wider,
                (_, Some(old), Some(new)) if old <= new => Fit::Wider,
                _ => Fit::Narrower,
            }
        }
        (None, None) if is_float(from) && is_float(to) && to.name == "double precision" => Fit::Wider,
        (None, None) if from.name == "numeric" && to.name == "numeric" => {
            match (to.arguments.is_empty(), from.number(1).unwrap_or(0) <= to.number(1).unwrap_or(0)) {
                (true, _) => Fit::Wider,
                (false, true) if !from.arguments.is_empty() && whole(from) <= whole(to) => Fit::Wider,
                (false, _) => Fit::Narrower,
            }
        }
        (None, None) if from.name == to.name && from.arguments == to.arguments => Fit::Wider,
        _ => Fit::No,
    }
}

/// How many digits a `numeric(p, s)` has in front of the point.
fn whole(data_type: &DataType) -> i64 {
    data_type.number(0).unwrap_or(0) - data_type.number(1).unwrap_or(0)
}
