//! The statements for tables, views and sequences, and for what belongs to them.

use super::{Context, acl_columns, ownership, set};

/// All that most databases have.
pub(super) fn statements(context: &Context) -> Vec<String> {
    vec![relations(), sequences(), columns(context), constraints(context), indexes(), triggers(), rules()]
}

/// Tables of all sorts and views.
fn relations() -> String {
    format!(
        "SELECT 'object', CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' \
         WHEN 'f' THEN 'foreign table' ELSE 'table' END, 'pg_class', c.oid, quote_ident(c.relname), \
         concat_ws(chr(30), \
         CASE c.relpersistence WHEN 'u' THEN 'unlogged' END, \
         CASE WHEN c.reloftype <> 0 THEN 'of type ' || format_type(c.reloftype, NULL) END, \
         CASE WHEN c.relkind = 'p' THEN 'partition by ' || pg_get_partkeydef(c.oid) END, \
         CASE WHEN c.relam NOT IN (0, 2) THEN 'using ' || (SELECT quote_ident(amname) FROM pg_am WHERE oid = c.relam) END, \
         {TABLESPACE}, \
         'with (' || {options} || ')', \
         CASE WHEN c.reltoastrelid <> 0 THEN (SELECT 'toast with (' || {toast_options} || ')' FROM pg_class toast \
          WHERE toast.oid = c.reltoastrelid) END, \
         CASE WHEN c.relkind IN ('r', 'p', 'm') THEN \
          CASE c.relreplident WHEN 'f' THEN 'replica identity full' WHEN 'n' THEN 'replica identity nothing' END END, \
         CASE WHEN c.relrowsecurity THEN 'row level security enabled' END, \
         CASE WHEN c.relforcerowsecurity THEN 'row level security forced' END, \
         CASE WHEN NOT c.relispopulated THEN 'not populated' END, \
         CASE WHEN c.relkind IN ('v', 'm') THEN 'as' || chr(10) || pg_get_viewdef(c.oid) END), \
         {ownership}, NULL, NULL, c.relname, c.relnamespace \
         FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.oid >= 16384",
        options = set("c.reloptions"),
        toast_options = set("toast.reloptions"),
        ownership = ownership("c.relowner", "c.relacl", "r"),
    )
}

/// The tablespace of a relation, where it is not the database's.
const TABLESPACE: &str = "CASE WHEN c.reltablespace <> 0 THEN 'tablespace ' || \
    (SELECT quote_ident(spcname) FROM pg_tablespace WHERE oid = c.reltablespace) END";

/// Sequences, without the value at which they stand: that is data.
fn sequences() -> String {
    format!(
        "SELECT 'object', 'sequence', 'pg_class', c.oid, quote_ident(c.relname), concat_ws(chr(30), \
         CASE c.relpersistence WHEN 'u' THEN 'unlogged' END, \
         format('%s start %s increment %s minvalue %s maxvalue %s cache %s%s', format_type(s.seqtypid, NULL), s.seqstart, \
          s.seqincrement, s.seqmin, s.seqmax, s.seqcache, CASE WHEN s.seqcycle THEN ' cycle' END), \
         CASE d.deptype WHEN 'i' THEN 'identity of ' ELSE 'owned by ' END || d.refobjid::regclass || '.' \
          || (SELECT quote_ident(a.attname) FROM pg_attribute a WHERE a.attrelid = d.refobjid \
           AND a.attnum = d.refobjsubid)), \
         {ownership}, NULL, d.refobjid, c.relname, c.relnamespace \
         FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid \
         LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.objsubid = 0 \
          AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')",
        ownership = ownership("c.relowner", "c.relacl", "s"),
    )
}

/// Columns of relations and of composite types; of indexes only those whose statistics somebody has set, as a note.
fn columns(context: &Context) -> String {
    let compression = if context.since(14) {
        "CASE a.attcompression WHEN 'p' THEN 'compression pglz' WHEN 'l' THEN 'compression lz4' END"
    } else {
        "NULL"
    };
    format!(
        "SELECT CASE WHEN c.relkind IN ('i', 'I') THEN 'note' ELSE 'part' END, a.attrelid, 'pg_class', a.attrelid, \
         CASE WHEN c.relkind IN ('i', 'I') THEN 0 ELSE a.attnum END, concat_ws(' ', 'column', \
         CASE WHEN c.relkind IN ('i', 'I') THEN a.attnum::text \
          ELSE quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod) END, \
         CASE WHEN a.attcollation <> t.typcollation THEN 'collate ' || a.attcollation::regcollation END, \
         CASE WHEN a.attstorage <> t.typstorage THEN 'storage ' || CASE a.attstorage WHEN 'p' THEN 'plain' \
          WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END END, \
         {compression}, \
         CASE WHEN a.attnotnull THEN 'not null' END, \
         CASE WHEN a.atthasdef THEN (SELECT CASE a.attgenerated WHEN '' THEN 'default ' || e.expression \
          ELSE 'generated always as (' || e.expression || ')' \
           || CASE a.attgenerated WHEN 's' THEN ' stored' ELSE ' virtual' END END \
          FROM pg_attrdef d, LATERAL (SELECT pg_get_expr(d.adbin, d.adrelid) AS expression OFFSET 0) AS e \
          WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum) END, \
         CASE a.attidentity WHEN 'a' THEN 'generated always as identity' \
          WHEN 'd' THEN 'generated by default as identity' END, \
         CASE WHEN a.attstattarget >= 0 THEN 'statistics ' || a.attstattarget END, \
         'with (' || {options} || ')', 'options (' || {foreign_options} || ')', \
         CASE WHEN a.attinhcount > 0 THEN CASE WHEN a.attislocal THEN '(inherited, and its own)' \
          ELSE '(inherited)' END END), \
         0, {acl} \
         FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid \
         WHERE a.attrelid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped \
         AND (c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') OR (c.relkind IN ('i', 'I') AND a.attstattarget >= 0))",
        options = set("a.attoptions"),
        foreign_options = set("a.attfdwoptions"),
        acl = acl_columns("c.relowner", "a.attacl", "c"),
    )
}

/// Constraints of tables and of domains.
///
/// A foreign key that refers to a partitioned table has a row for each partition as well, with names that the server
/// made up: those are left out. So is a NOT NULL as older servers have it, without a name that anybody chose, since its
/// column or domain says it. <https://www.postgresql.org/docs/current/catalog-pg-constraint.html>
fn constraints(context: &Context) -> String {
    let usual = if context.since(17) { USUAL_NOT_NULL } else { "false" };
    format!(
        "SELECT 'part', CASE WHEN con.conrelid <> 0 THEN con.conrelid ELSE con.contypid END, 'pg_constraint', con.oid, 0, \
         concat_ws(' ', 'constraint', quote_ident(con.conname), pg_get_constraintdef(con.oid), \
          CASE WHEN con.coninhcount > 0 THEN CASE WHEN con.conislocal THEN '(inherited, and its own)' \
           ELSE '(inherited)' END END), \
         CASE con.contype WHEN 'p' THEN 10 ELSE 11 END, NULL, NULL, con.conname, {usual}, \
         CASE WHEN con.conrelid <> 0 THEN 'pg_class' ELSE 'pg_type' END \
         FROM pg_constraint con WHERE con.oid >= 16384 AND con.contype <> 't' \
         AND (con.conparentid = 0 OR con.conrelid <> \
          (SELECT parent.conrelid FROM pg_constraint parent WHERE parent.oid = con.conparentid))"
    )
}

/// Whether a constraint is a NOT NULL that is inherited, or has the name that the server composes: the longer of
/// table and column is cut until all fits into 63 bytes.
const USUAL_NOT_NULL: &str = "\
    con.contype = 'n' AND con.convalidated AND NOT con.connoinherit AND (con.coninhcount > 0 AND NOT con.conislocal \
    OR con.conname = CASE WHEN con.conrelid = 0 \
     THEN (SELECT left(t.typname, 54) || '_not_null' FROM pg_type t WHERE t.oid = con.contypid) \
     ELSE (SELECT left(c.relname, least(length(c.relname), 53 - column_length)) || '_' \
      || left(a.attname, column_length) || '_not_null' \
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = con.conkey[1], \
      least(length(a.attname), greatest(26, 53 - length(c.relname))) AS column_length \
      WHERE c.oid = con.conrelid) END)";

/// Indexes. One that serves a constraint is told by that constraint, and only what the constraint does not say is
/// said here.
fn indexes() -> String {
    format!(
        "SELECT 'part', i.indrelid, 'pg_class', i.indexrelid, 0, concat_ws(' ', 'index', quote_ident(c.relname), \
         CASE WHEN con.oid IS NULL THEN {definition} ELSE 'with (' || {options} || ')' END, \
         {TABLESPACE}, \
         CASE WHEN i.indisclustered THEN '(clustered)' END, \
         CASE WHEN i.indisreplident THEN '(replica identity)' END, \
         CASE WHEN NOT i.indisvalid THEN '(INVALID)' END, \
         CASE WHEN NOT i.indisready THEN '(not ready)' END), \
         20, NULL, NULL, c.relname, con.oid IS NOT NULL AND c.reloptions IS NULL AND c.reltablespace = 0 \
         AND NOT i.indisclustered AND NOT i.indisreplident AND i.indisvalid AND i.indisready \
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
         LEFT JOIN pg_constraint con ON con.conindid = i.indexrelid AND con.contype IN ('p', 'u', 'x') \
         WHERE i.indexrelid >= 16384 AND c.relnamespace <> 99",
        // `CREATE UNIQUE INDEX i ON ONLY s.t USING btree (…) …`: the names are said already.
        definition = "concat_ws(' ', CASE WHEN i.indisunique THEN 'unique' END, \
          substr(pg_get_indexdef(i.indexrelid), length(format('CREATE %sINDEX %I ON %s%s USING ', \
           CASE WHEN i.indisunique THEN 'UNIQUE ' END, c.relname, CASE WHEN c.relkind = 'I' THEN 'ONLY ' END, \
           i.indrelid::regclass)) + 1))",
        options = set("c.reloptions"),
    )
}

/// Triggers, and the server's own ones (of foreign keys) where somebody has switched them.
///
/// A trigger of a partitioned table has a copy on each partition, which is left out while it is in the same state.
fn triggers() -> String {
    "SELECT 'part', t.tgrelid, 'pg_trigger', t.oid, 0, concat_ws(' ', \
     CASE WHEN t.tgisinternal AND t.tgconstraint <> 0 THEN 'trigger ' || t.tgfoid::regproc || ' of constraint ' \
       || (SELECT quote_ident(con.conname) FROM pg_constraint con WHERE con.oid = t.tgconstraint) \
      WHEN t.tgparentid <> 0 THEN 'trigger ' || quote_ident(t.tgname) || ' of the parent' \
      WHEN t.tgconstraint <> 0 THEN 'constraint trigger ' || \
       substr(pg_get_triggerdef(t.oid), length('CREATE CONSTRAINT TRIGGER ') + 1) \
      ELSE 'trigger ' || substr(pg_get_triggerdef(t.oid), length('CREATE TRIGGER ') + 1) END, \
     CASE t.tgenabled WHEN 'D' THEN '(disabled)' WHEN 'R' THEN '(enabled in a replica)' \
      WHEN 'A' THEN '(enabled always)' WHEN 'O' THEN CASE WHEN t.tgparentid <> 0 THEN '(enabled)' END END), \
     40, NULL, NULL, t.tgname \
     FROM pg_trigger t WHERE t.oid >= 16384 AND ((NOT t.tgisinternal AND t.tgparentid = 0) \
     OR t.tgenabled <> CASE WHEN t.tgparentid = 0 THEN 'O' \
      ELSE (SELECT p.tgenabled FROM pg_trigger p WHERE p.oid = t.tgparentid) END)"
        .to_owned()
}

/// Rules, but for the one that is what makes a view.
fn rules() -> String {
    "SELECT 'part', r.ev_class, 'pg_rewrite', r.oid, 0, concat_ws(' ', \
     'rule ' || substr(pg_get_ruledef(r.oid), length('CREATE RULE ') + 1), \
     CASE r.ev_enabled WHEN 'D' THEN '(disabled)' WHEN 'R' THEN '(enabled in a replica)' \
      WHEN 'A' THEN '(enabled always)' END), \
     50, NULL, NULL, r.rulename \
     FROM pg_rewrite r WHERE r.oid >= 16384 AND r.rulename <> '_RETURN'"
        .to_owned()
}

/// Row security policies.
pub(super) fn policies(_: &Context) -> String {
    format!(
        "SELECT 'part', p.polrelid, 'pg_policy', p.oid, 0, concat_ws(' ', 'policy', quote_ident(p.polname), \
         CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, 'for', \
         CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' \
          WHEN 'd' THEN 'delete' ELSE 'all' END, 'to ' || {roles}, \
         'using (' || pg_get_expr(p.polqual, p.polrelid) || ')', \
         'with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'), \
         60, NULL, NULL, p.polname FROM pg_policy p",
        roles =
            set("ARRAY(SELECT CASE role WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(role)) END \
             FROM unnest(p.polroles) AS role)"),
    )
}

/// Partitions and tables that inherit; for indexes, which index of the parent they are a part of. That of a
/// constraint is told by the constraint.
pub(super) fn inheritance(context: &Context) -> String {
    let detached =
        if context.since(14) { "CASE WHEN i.inhdetachpending THEN ' (detach pending)' END" } else { "''" };
    format!(
        "SELECT 'note', NULL, 'pg_class', i.inhrelid, 0, concat(CASE WHEN c.relkind IN ('i', 'I') THEN 'part of ' \
         WHEN c.relispartition THEN 'partition of ' ELSE 'inherits ' END, i.inhparent::regclass, \
         CASE WHEN c.relispartition AND c.relpartbound IS NOT NULL \
          THEN ' ' || pg_get_expr(c.relpartbound, c.oid) END, {detached}) \
         FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
         WHERE NOT EXISTS (SELECT 1 FROM pg_constraint con WHERE con.conindid = i.inhrelid AND con.contype <> 'f')"
    )
}

/// The server and the options of foreign tables.
pub(super) fn foreign_tables(_: &Context) -> String {
    format!(
        "SELECT 'note', NULL, 'pg_class', f.ftrelid, 0, concat_ws(' ', 'server', quote_ident(s.srvname), \
         'options (' || {options} || ')') \
         FROM pg_foreign_table f JOIN pg_foreign_server s ON s.oid = f.ftserver",
        options = set("f.ftoptions"),
    )
}
