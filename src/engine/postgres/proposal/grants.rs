//! Rights that were granted on one thing, granted on another: who has them only the database knows.

use super::id;
use super::subject::Subject;
use crate::engine::proposal::Action;
use crate::name::{Name, TableName, plain_literal};

/// The rights on one column, for another one of the same table.
pub(super) fn copy_of_column(subject: &Subject<'_>, from: &Name, to: &Name) -> Action {
    let table = subject.sql();
    let body = format!(
        "DECLARE one record;\nBEGIN\n  FOR one IN SELECT x.privilege_type, x.grantee, x.is_grantable\n    \
         FROM pg_catalog.pg_attribute a, pg_catalog.aclexplode(a.attacl) x\n    \
         WHERE a.attrelid = {}::pg_catalog.regclass AND a.attname = {} AND NOT a.attisdropped\n  LOOP\n    \
         EXECUTE pg_catalog.format('GRANT %s (%I) ON %s TO %s%s', one.privilege_type, {},\n      {}::pg_catalog.regclass, {GRANTEE}, {OPTION});\n  \
         END LOOP;\nEND",
        plain_literal(&table),
        plain_literal(from.as_str()),
        plain_literal(to.as_str()),
        plain_literal(&table),
    );
    let about = format!("Rights on {} alone, if there are any, hold for {} too.", id(from), id(to));
    Action::new(about, format!("DO $twostep$\n{body} $twostep$")).carrying()
}

/// The rights on a table and on single columns of it, for a view of it.
pub(super) fn copy_to_view(table: &TableName, view: &TableName) -> Action {
    let (table, view) = (super::sql(table), super::sql(view));
    let body = format!(
        "DECLARE one record;\nBEGIN\n  FOR one IN SELECT x.privilege_type, x.grantee, x.is_grantable, NULL::name AS of\n    \
         FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) x\n    \
         WHERE c.oid = {literal}::pg_catalog.regclass AND x.grantee <> c.relowner\n    UNION ALL\n    \
         SELECT x.privilege_type, x.grantee, x.is_grantable, a.attname\n    \
         FROM pg_catalog.pg_attribute a, pg_catalog.aclexplode(a.attacl) x\n    \
         WHERE a.attrelid = {literal}::pg_catalog.regclass AND a.attnum > 0 AND NOT a.attisdropped\n  LOOP\n    \
         EXECUTE pg_catalog.format('GRANT %s%s ON %s TO %s%s', one.privilege_type,\n      \
         CASE WHEN one.of IS NULL THEN '' ELSE pg_catalog.format(' (%I)', one.of) END,\n      {view}::pg_catalog.regclass, {GRANTEE}, {OPTION});\n  END LOOP;\nEND",
        literal = plain_literal(&table),
        view = plain_literal(&view),
    );
    Action::new(
        "Who may use the table may use it by its old name.",
        format!("DO $twostep$\n{body} $twostep$"),
    )
    .carrying()
}

const GRANTEE: &str = "CASE one.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(one.grantee)) END";
const OPTION: &str = "CASE WHEN one.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END";
