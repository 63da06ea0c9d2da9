//! PostgreSQL's catalog as readable text: the statements that read it (`query`, `follow_up`), and the catalog that
//! their rows make (`assemble`).
//!
//! The server writes the texts, since it alone knows its expressions; every row is an object, a part of one, or a note
//! about either. `assemble` puts them together by the server's internal ids, which never reach the text. Most of the
//! time goes into planning, so the statements join as little as they can, and rare kinds are only asked for where
//! there are some.

mod acl;
mod more;
mod relations;
mod routines;
mod rows;
mod settings;
mod types;
mod world;

use crate::dialect::Dialect;
use crate::name::literal;
use crate::schema::catalog::{Catalog, CatalogOptions};
use rows::Reading;

/// The statements that read the catalog of a server of `version_number` (`server_version_num`, such as `150018`), to
/// be sent as one simple query, so that the snapshot costs one round trip.
///
/// What it changes of the session's settings, it takes back, also inside of an open transaction. It reads only, and
/// needs no rights beyond those of every role.
pub fn query(version_number: i64, options: &CatalogOptions) -> String {
    let context = Context::new(version_number, options);
    let mut statements = vec![world::schemas(), world::extensions(), world::members()];
    statements.extend(relations::statements(&context));
    statements.extend([routines::functions(), types::types(), types::labels(), world::comments()]);
    statements.extend(more::probes());
    message(statements)
}

/// What is to be asked as well after `rows` came from [`query`]; none for most databases. Its rows are added to those.
pub fn follow_up(
    version_number: i64,
    options: &CatalogOptions,
    rows: &[Vec<Option<String>>],
) -> Option<String> {
    let context = Context::new(version_number, options);
    let statements: Vec<String> =
        Reading::of(rows).more().into_iter().filter_map(|class| more::statement(class, &context)).collect();
    (!statements.is_empty()).then(|| message(statements))
}

/// The catalog that the rows of [`query`] and [`follow_up`] make.
pub fn assemble(rows: &[Vec<Option<String>>], options: &CatalogOptions) -> Catalog {
    Reading::of(rows).catalog(options)
}

/// One message of `statements`, under settings of its own.
fn message(mut statements: Vec<String>) -> String {
    statements.insert(0, settings::enter());
    statements.push(settings::leave());
    statements.join(";\n")
}

/// What the statements depend on.
struct Context {
    version: i64,
    /// A subquery for the ids of the schemas that are looked into.
    schemas: String,
}

/// The first id that the server gives to what users make
/// (<https://www.postgresql.org/docs/current/system-catalog-initial-data.html#SYSTEM-CATALOG-OID-ASSIGNMENT>).
const FIRST_USER_OID: u32 = 16384;

impl Context {
    fn new(version: i64, options: &CatalogOptions) -> Self {
        let mut excluded = String::from("'information_schema'");
        for schema in options.hidden_schemas() {
            excluded.push_str(", ");
            excluded.push_str(&literal(schema.as_str(), Dialect::Postgres));
        }
        let schemas =
            format!("(SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ({excluded}))");
        Self { version, schemas }
    }

    /// Whether the server has what came with `major`.
    fn since(&self, major: i64) -> bool {
        self.version >= major * 10_000
    }

    /// A condition: `column` is a schema that is looked into.
    fn in_schema(&self, column: &str) -> String {
        format!("{column} IN {}", self.schemas)
    }
}

/// A condition: the object `oid` of the system catalog `class` is the user's own, not an extension's.
fn is_users(class: &str, oid: &str) -> String {
    format!(
        "{oid} >= {FIRST_USER_OID} AND {oid} NOT IN (SELECT objid FROM pg_depend \
         WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' AND classid = '{class}'::regclass)"
    )
}

/// A condition: the object was not made by the server as the inside of another one.
fn is_made_alone(class: &str, oid: &str) -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = '{class}'::regclass AND d.objid = {oid} \
         AND d.deptype = 'i')"
    )
}

/// Columns 6 to 8 of an object's row: its owner, its access list, and the list that it would have by itself.
fn ownership(owner: &str, acl: &str, acl_kind: &str) -> String {
    format!("pg_get_userbyid({owner}), {}", acl_columns(owner, acl, acl_kind))
}

/// An access list, and the one that holds without it.
fn acl_columns(owner: &str, acl: &str, acl_kind: &str) -> String {
    format!(
        "array_to_string({acl}, chr(30)), \
         CASE WHEN {acl} IS NOT NULL THEN array_to_string(acldefault('{acl_kind}', {owner}), chr(30)) END"
    )
}

/// A `text[]` as a set within an item, to be put into a fixed order by [`rows`]; NULL where the array is.
fn set(array: &str) -> String {
    format!("chr(31) || array_to_string({array}, chr(31)) || chr(31)")
}

/// The same for options that may hold secrets: those are named, and their values are not shown.
fn guarded_set(options: &str) -> String {
    let guarded = format!(
        "ARRAY(SELECT CASE WHEN o ~* '^[^=]*(passw|secret|token|credential|key)' \
         THEN split_part(o, '=', 1) || ' (value not shown)' ELSE o END FROM unnest({options}) AS o)"
    );
    format!("CASE WHEN {options} IS NOT NULL THEN {} END", set(&guarded))
}
