//! The rows of the catalog's statements, and the objects that they make.

use super::{FIRST_USER_OID, acl, more};
use crate::schema::catalog::{Catalog, CatalogKind, CatalogOptions, ObjectKey, ObjectText};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Parts the items of a list in one column, and the elements of a set in one item. Control characters that nobody puts
/// into a definition; who does gets odd line breaks.
pub(super) const ITEM_SEPARATOR: char = '\u{1e}';
const SET_SEPARATOR: char = '\u{1f}';

/// One row. Column 0 says what it is; the others by their number:
///
/// | | `object` | `part` | `note`, `item` |
/// |---|---|---|---|
/// | 1 | kind | id of what it belongs to | |
/// | 2 | class | class | class |
/// | 3 | id | id | id |
/// | 4 | name | number in it: of a column, else 0 | number in it, 0 for all of it |
/// | 5 | its items | its text | text |
/// | 6 | owner | rank among the parts | |
/// | 7, 8 | access list, and the one that it has by itself | the same | |
/// | 9 | id of the relation that it is as well (composite types) | sort key | |
/// | 10 | id of the relation that it goes with | whether it is left out where no note is about it | |
/// | 11 | a table's or schema's name without quotes | class of what it belongs to, if no relation | |
/// | 12 | id of the schema that its name is to be put behind | | |
///
/// `member` names what is an extension's by 2 and 3, and `acl` what has an access list and may be one; `more` a class
/// that has more to ask for, with the number of its objects in 4.
#[derive(Clone, Copy)]
struct Fields<'a>(&'a [Option<String>]);

impl<'a> Fields<'a> {
    fn get(self, column: usize) -> Option<&'a str> {
        self.0.get(column).and_then(|value| value.as_deref())
    }

    fn text(self, column: usize) -> &'a str {
        self.get(column).unwrap_or("")
    }

    fn number(self, column: usize) -> i64 {
        self.text(column).parse().unwrap_or(0)
    }

    fn is_true(self, column: usize) -> bool {
        self.text(column) == "t"
    }

    /// The class and the id of what the row is about.
    fn id(self) -> Id<'a> {
        (self.text(2), self.text(3))
    }
}

/// A system catalog's name and an id in it: an id alone is not unique.
type Id<'a> = (&'a str, &'a str);

/// The class of relations.
const RELATION: &str = "pg_class";
/// The class of schemas.
const SCHEMA: &str = "pg_namespace";
/// The rank of columns among the parts.
const COLUMN_RANK: i64 = 0;

/// The rows, by what they are.
#[derive(Default)]
pub(super) struct Reading<'a> {
    objects: Vec<Fields<'a>>,
    parts: Vec<Fields<'a>>,
    /// What is said about an object or a part beside its row, by its number in the object.
    notes: HashMap<(Id<'a>, &'a str), Vec<String>>,
    /// More properties of objects, in their order.
    items: HashMap<Id<'a>, Vec<&'a str>>,
    members: HashSet<Id<'a>>,
    /// What has an access list.
    with_acl: Vec<Id<'a>>,
    more: Vec<(&'a str, i64)>,
}

impl<'a> Reading<'a> {
    pub(super) fn of(rows: &'a [Vec<Option<String>>]) -> Self {
        let mut reading = Self::default();
        for row in rows {
            let row = Fields(row);
            match row.text(0) {
                "object" => reading.objects.push(row),
                "part" => reading.parts.push(row),
                "note" => {
                    reading.notes.entry((row.id(), row.text(4))).or_default().push(ordered(row.text(5)));
                }
                "item" => reading.items.entry(row.id()).or_default().push(row.text(5)),
                "member" => drop(reading.members.insert(row.id())),
                "acl" => reading.with_acl.push(row.id()),
                "more" => reading.more.push((row.text(2), row.number(4))),
                _ => {}
            }
        }
        reading.notes.values_mut().for_each(|all| all.sort_unstable());
        reading
    }

    /// The classes that are to be asked for in a second message.
    pub(super) fn more(&self) -> BTreeSet<&'a str> {
        // Those that the server itself was made with are not counted.
        let is_users = |id: &str| id.parse::<u32>().is_ok_and(|id| id >= FIRST_USER_OID);
        let members_of =
            |class: &str| self.members.iter().filter(|(of, id)| *of == class && is_users(id)).count();
        let mut classes: BTreeSet<&str> = self
            .more
            .iter()
            .filter(|(class, count)| more::is_needed(class, *count, members_of(class)))
            .map(|(class, _)| *class)
            .collect();
        if self.with_acl.iter().any(|id| self.members.contains(id)) {
            classes.insert("pg_init_privs");
        }
        classes
    }

    /// The catalog.
    pub(super) fn catalog(&self, options: &CatalogOptions) -> Catalog {
        let schemas: HashMap<&str, Fields> = self
            .objects
            .iter()
            .filter(|row| row.text(2) == SCHEMA)
            .filter(|row| !options.hidden_schemas().any(|name| name.as_str() == row.text(11)))
            .map(|row| (row.text(3), *row))
            .collect();
        let excluded: HashSet<&str> = self
            .objects
            .iter()
            .filter(|row| row.text(2) == RELATION)
            .filter(|row| {
                let schema = schemas.get(row.text(12)).map_or("", |schema| schema.text(11));
                options.excludes_table(schema, row.text(11))
            })
            .map(|row| row.text(3))
            .collect();

        let mut drafts = Drafts::default();
        for row in &self.objects {
            let own_schema = row.text(2) == SCHEMA && !schemas.contains_key(row.text(3));
            let own_table = row.text(2) == RELATION && excluded.contains(row.text(3));
            if own_schema || own_table || excluded.contains(row.text(10)) || self.members.contains(&row.id())
            {
                continue;
            }
            let name = match row.get(12) {
                None => row.text(4).to_owned(),
                Some(id) => match schemas.get(id) {
                    Some(schema) => format!("{}.{}", schema.text(4), row.text(4)),
                    // In a schema that is left out.
                    None => continue,
                },
            };
            drafts.add_object(self, *row, name, options);
        }
        for row in &self.parts {
            drafts.add_part(self, *row);
        }
        drafts.finish()
    }

    /// The notes on an object, or on a part of it.
    fn notes(&self, id: Id<'a>, number: &'a str) -> impl Iterator<Item = String> {
        self.notes.get(&(id, number)).into_iter().flatten().cloned()
    }
}

/// Objects in the making.
#[derive(Default)]
struct Drafts<'a> {
    drafts: Vec<Draft<'a>>,
    by_id: HashMap<Id<'a>, usize>,
}

/// One object in the making.
struct Draft<'a> {
    key: ObjectKey,
    owner: &'a str,
    symbolic: bool,
    properties: Vec<String>,
    /// By rank, number and sort key, so that the order of the rows does not matter.
    parts: BTreeMap<(i64, i64, &'a str), Vec<String>>,
    grants: Vec<String>,
}

impl<'a> Drafts<'a> {
    fn add_object(&mut self, reading: &Reading<'a>, row: Fields<'a>, name: String, options: &CatalogOptions) {
        // A kind that is not in the list is a mistake in the statements, which the test of all kinds shows.
        let Some(kind) = CatalogKind::from_title(row.text(1)) else { return };
        let owner = row.text(6);
        let mut properties: Vec<String> = Vec::new();
        if options.owners && !owner.is_empty() {
            properties.push(format!("owner {owner}"));
        }
        properties.extend(items(row.text(5)));
        properties.extend(reading.items.get(&row.id()).into_iter().flatten().map(|item| (*item).to_owned()));
        properties.extend(reading.notes(row.id(), "0"));
        let symbolic = !options.owners;
        let grants = acl::lines(row.get(7), row.get(8), owner, symbolic);
        if kind == CatalogKind::MemberPrivileges && grants.is_empty() {
            return;
        }
        let index = self.drafts.len();
        self.by_id.insert(row.id(), index);
        if let Some(relation) = row.get(9) {
            self.by_id.insert((RELATION, relation), index);
        }
        let key = ObjectKey { kind, name };
        self.drafts.push(Draft { key, owner, symbolic, properties, parts: BTreeMap::new(), grants });
    }

    fn add_part(&mut self, reading: &Reading<'a>, row: Fields<'a>) {
        // Parts of what is left out have no object here.
        let parent = (row.get(11).unwrap_or(RELATION), row.text(1));
        let Some(index) = self.by_id.get(&parent) else { return };
        let draft = &mut self.drafts[*index];
        let mut text: Vec<String> = items(row.text(5)).collect();
        let said = text.len();
        text.extend(reading.notes(row.id(), row.text(4)));
        if row.is_true(10) && text.len() == said {
            return;
        }
        text.extend(acl::lines(row.get(7), row.get(8), draft.owner, draft.symbolic));
        let rank = row.number(6);
        let number = if rank == COLUMN_RANK { row.number(4) } else { 0 };
        draft.parts.entry((rank, number, row.text(9))).or_default().push(text.join("\n"));
    }

    fn finish(self) -> Catalog {
        let mut catalog = Catalog::default();
        for draft in self.drafts {
            let mut text = ObjectText { properties: draft.properties, ..ObjectText::default() };
            for ((rank, ..), mut same) in draft.parts {
                same.sort_unstable();
                let list = if rank == COLUMN_RANK { &mut text.columns } else { &mut text.parts };
                list.extend(same);
            }
            text.parts.extend(draft.grants);
            catalog.objects.insert(draft.key, text);
        }
        catalog
    }
}

/// The items of a column that holds a list.
fn items(column: &str) -> impl Iterator<Item = String> {
    column.split(ITEM_SEPARATOR).filter(|item| !item.is_empty()).map(ordered)
}

/// `item` with the set in it, if there is one, in the order of its elements.
fn ordered(item: &str) -> String {
    let Some((before, rest)) = item.split_once(SET_SEPARATOR) else { return item.to_owned() };
    let Some((set, after)) = rest.rsplit_once(SET_SEPARATOR) else { return item.to_owned() };
    let mut elements: Vec<&str> = set.split(SET_SEPARATOR).collect();
    elements.sort_unstable();
    format!("{before}{}{after}", elements.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::{Name, TableName};

    /// A row of columns parted by `|`; an empty one is NULL, and `;` parts the items of a list.
    fn rows(text: &str) -> Vec<Vec<Option<String>>> {
        let column = |text: &str| {
            let text = text.trim().replace(';', "\u{1e}").replace(',', "\u{1f}");
            (!text.is_empty()).then_some(text)
        };
        text.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(|line| line.split('|').map(column).collect())
            .collect()
    }

    const ROWS: &str = "
        part   | 7   | pg_class     | 7  | 2 | column b text        | 0  | app=r/me |
        part   | 7   | pg_constraint | 9 | 0 | constraint c CHECK   | 11 |   |   | c
        part   | 7   | pg_class     | 8  | 0 | index t_pkey         | 20 |   |   | t_pkey | t
        part   | 7   | pg_class     | 7  | 1 | column a integer     | 0
        part   | 70  | pg_class     | 70 | 1 | column gone integer  | 0
        part   | 6   | pg_constraint | 5 | 0 | constraint d CHECK   | 11 |   |   | d |   | pg_type
        note   |     | pg_class     | 7  | 2 | comment: the b
        note   |     | pg_class     | 7  | 0 | comment: the t
        item   |     | pg_type      | 7  |   | label 'z'
        item   |     | pg_type      | 7  |   | label 'a'
        object | table | pg_class   | 7  | t | unlogged;with (,b=2,a=1,) | me | me=arwdDxt/me;app=r/me | me=arwdDxt/me |  |  | t | 1
        object | table | pg_class   | 71 | left_out |  | me |  |  |  |  | left_out | 1
        object | sequence | pg_class | 72 | s |  | me |  |  |  | 71 | s | 1
        object | table | pg_class   | 73 | journal |  | me |  |  |  |  | journal | 2
        object | domain | pg_type   | 6  | d | text | me |  |  |  |  |  | 1
        object | type | pg_type     | 7  | e | enum | me |  |  |  |  |  | 1
        object | function | pg_proc | 7  | f() |  | me |  |  |  |  |  | 1
        object | schema | pg_namespace | 1 | public |  | me |  |  |  |  | public
        object | schema | pg_namespace | 2 | twostep |  | me |  |  |  |  | twostep
        member |     | pg_proc      | 7
        setting | anything
    ";

    #[test]
    fn rows_become_objects_whatever_their_order() {
        let options = CatalogOptions {
            excluded_tables: vec![TableName::qualified(Name::new("public"), Name::new("left_out"))],
            ..CatalogOptions::default()
        };
        let mut all = rows(ROWS);
        let text = Reading::of(&all).catalog(&options).to_text();
        insta::assert_snapshot!(text, @r"
        schema public

        domain public.d
          text
          constraint d CHECK

        type public.e
          enum
          label 'z'
          label 'a'

        table public.t
          unlogged
          with (a=1, b=2)
          comment: the t
          column a integer
          column b text
            comment: the b
            grant select to app
          constraint c CHECK
          grant select to app
        ");
        // But for the labels, whose order is that of their rows.
        let items = all.iter().position(|row| row[0].as_deref() == Some("item")).unwrap();
        all.swap(items, items + 1);
        all.reverse();
        assert_eq!(Reading::of(&all).catalog(&options).to_text(), text);
    }

    #[test]
    fn owners_are_named_on_request() {
        let options = CatalogOptions { owners: true, ..CatalogOptions::default() };
        let text = Reading::of(&rows(ROWS)).catalog(&options).to_text();
        assert!(text.contains("table public.t\n  owner me\n  unlogged\n"), "{text}");
        assert!(text.contains("table public.left_out\n"), "{text}");
    }

    #[test]
    fn a_part_without_a_word_of_its_own_is_said_once_there_is_a_note() {
        let mut all = rows(ROWS);
        all.extend(rows("note | | pg_class | 8 | 0 | comment: the key"));
        let text = Reading::of(&all).catalog(&CatalogOptions::default()).to_text();
        assert!(text.contains("\n  index t_pkey\n    comment: the key\n"), "{text}");
    }

    #[test]
    fn more_is_asked_for_where_there_is_more_than_extensions_have() {
        let more =
            |text: &str| Reading::of(&rows(text)).more().into_iter().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(more(ROWS), [""; 0]);
        assert_eq!(more("more | | pg_cast | | 1\nmember | | pg_cast | 17000"), [""; 0]);
        assert_eq!(more("more | | pg_cast | | 2\nmember | | pg_cast | 17000"), ["pg_cast"]);
        assert_eq!(more("more | | pg_cast | | 1\nmember | | pg_cast | 13000"), ["pg_cast"]);
        assert_eq!(
            more("more | | pg_publication | | 1\nmore | | pg_aggregate | 17000"),
            ["pg_aggregate", "pg_publication"]
        );
        // An access list on a table of the user's is in its row; one on an extension's table is not.
        assert_eq!(more("acl | | pg_class | 7\nmember | | pg_proc | 7"), [""; 0]);
        assert_eq!(more("acl | | pg_proc | 7\nmember | | pg_proc | 7"), ["pg_init_privs"]);
    }
}
