//! What only the database knows of a column and of what hangs on it: comments, statistics, rights on its sequence. Each
//! is written down as a statement before the column goes, and run on what has its name then.

use super::subject::Subject;
use crate::engine::proposal::Action;
use crate::name::{Name, plain_literal};

/// Writes down what `column` has, for the rest of the transaction; `numbers`: whether it is an identity; `stays_as`: the
/// name under which the column stays, and has none of it.
pub(super) fn gather(subject: &Subject<'_>, column: &Name, numbers: bool, stays_as: Option<&Name>) -> Action {
    let (table, name) = (plain_literal(&subject.sql()), plain_literal(column.as_str()));
    let mut parts: Vec<String> = PARTS.iter().map(|part| (*part).to_owned()).collect();
    if numbers {
        parts.push(RIGHTS.to_owned());
    }
    if let Some(other) = stays_as.map(|other| plain_literal(other.as_str())) {
        parts.push(format!("SELECT 1, format('COMMENT ON COLUMN %s.%I IS NULL', tab, {other}) FROM col WHERE col_description(t, n) IS NOT NULL"));
        parts.push(format!("SELECT 1, format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS -1', tab, {other}) FROM col WHERE attstattarget >= 0"));
    }
    let sql = format!(
        "WITH col AS (
    SELECT attrelid AS t, attnum AS n, attrelid::regclass::text AS tab, quote_ident(attname) AS c, attstattarget, attoptions
    FROM pg_attribute WHERE attrelid = {table}::regclass AND attname = {name} AND NOT attisdropped
), key AS (
    SELECT k.* FROM pg_constraint k, col WHERE conrelid = t AND n = ANY (conkey) OR confrelid = t AND n = ANY (confkey)
), made (step, sql) AS (
    {}
)
SELECT set_config('{SETTING}', concat(current_setting('{SETTING}', true), string_agg(sql || '; ', '' ORDER BY step)), true) FROM made",
        parts.join("\n    UNION ALL ")
    );
    Action::new("What only the database knows is kept: comments, statistics.", sql).carrying()
}

/// The statements, each with a turn: what is made, then what is said of it.
const PARTS: &[&str] = &[
    "SELECT 1, format('COMMENT ON COLUMN %s.%s IS %L', tab, c, col_description(t, n)) FROM col WHERE col_description(t, n) IS NOT NULL",
    "SELECT 1, format('ALTER TABLE %s ALTER COLUMN %s SET STATISTICS %s', tab, c, attstattarget) FROM col WHERE attstattarget >= 0",
    "SELECT 1, format('ALTER TABLE %s ALTER COLUMN %s SET (%s)', tab, c, array_to_string(attoptions, ', ')) FROM col WHERE attoptions IS NOT NULL",
    "SELECT 1, format('COMMENT ON CONSTRAINT %I ON %s IS %L', conname, conrelid::regclass, obj_description(oid, 'pg_constraint'))
    FROM key WHERE obj_description(oid, 'pg_constraint') IS NOT NULL",
    "SELECT 1, concat(format('COMMENT ON INDEX %s IS %L', indexrelid::regclass, obj_description(indexrelid, 'pg_class')),
        CASE WHEN indisclustered THEN format('; ALTER TABLE %s CLUSTER ON %I', tab, (SELECT relname FROM pg_class WHERE oid = indexrelid)) END)
    FROM pg_index, col WHERE indrelid = t AND strpos(pg_get_indexdef(indexrelid), c) > 0 AND (indisclustered OR obj_description(indexrelid, 'pg_class') IS NOT NULL)",
    // Where the column stays under another name, they are there still.
    "SELECT 1, format('DROP STATISTICS IF EXISTS %s.%I; ', stxnamespace::regnamespace, stxname) || pg_get_statisticsobjdef(s.oid)
    FROM pg_statistic_ext s JOIN pg_depend d ON d.objid = s.oid, col WHERE d.refobjid = t AND d.refobjsubid = n",
    "SELECT 2, format('COMMENT ON STATISTICS %s.%I IS %L', stxnamespace::regnamespace, stxname, obj_description(s.oid, 'pg_statistic_ext'))
    FROM pg_statistic_ext s JOIN pg_depend d ON d.objid = s.oid, col WHERE d.refobjid = t AND d.refobjsubid = n AND obj_description(s.oid, 'pg_statistic_ext') IS NOT NULL",
];

/// Who may use the sequence of an identity.
const RIGHTS: &str = "SELECT 2, format('GRANT %s ON SEQUENCE %s TO %s', x.privilege_type, s.oid::regclass, CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END)
    FROM col, pg_class s, aclexplode(s.relacl) x WHERE x.grantee <> s.relowner AND s.oid = pg_get_serial_sequence(tab, c)::regclass";

/// Runs what was written down.
pub(super) fn put_back() -> Action {
    Action::new(
        "What was kept goes to what has its place now.",
        format!(
            "DO $twostep$\nBEGIN\n  EXECUTE current_setting('{SETTING}');\n  \
             PERFORM set_config('{SETTING}', '', true);\nEND $twostep$"
        ),
    )
    .carrying()
}

/// Where it is kept: a setting that ends with the transaction.
const SETTING: &str = "twostep.kept";
