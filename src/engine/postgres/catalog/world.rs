//! The statements for what is not a relation, a routine or a type: schemas, extensions, text search, statistics,
//! replication, foreign servers, event triggers, privileges, and what is noted on any object.

use super::{Context, FIRST_USER_OID, guarded_set, is_users, ownership};

/// `ALTER DATABASE … SET`, also for one role.
pub(super) fn database_settings(_: &Context) -> String {
    format!(
        "SELECT 'object', 'database', 'pg_db_role_setting', s.setrole, \
         CASE s.setrole WHEN 0 THEN 'settings' ELSE 'settings for role ' || quote_ident(pg_get_userbyid(s.setrole)) END, \
         'set ' || {options} \
         FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = current_database()",
        options = guarded_set("s.setconfig"),
    )
}

/// Schemas, also those that are left out, since the rows of what is in them only carry an id.
pub(super) fn schemas() -> String {
    format!(
        "SELECT 'object', 'schema', 'pg_namespace', n.oid, quote_ident(n.nspname), NULL, {ownership}, NULL, NULL, \
         n.nspname FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'",
        ownership = ownership("n.nspowner", "n.nspacl", "n"),
    )
}

/// Extensions. What is in them, they answer for.
pub(super) fn extensions() -> String {
    "SELECT 'object', 'extension', 'pg_extension', e.oid, quote_ident(e.extname), \
     format('version %s in schema %I', e.extversion, n.nspname), pg_get_userbyid(e.extowner) \
     FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
        .to_owned()
}

/// Languages.
pub(super) fn languages(_: &Context) -> String {
    format!(
        "SELECT 'object', 'language', 'pg_language', l.oid, quote_ident(l.lanname), concat_ws(chr(30), \
         CASE WHEN l.lanpltrusted THEN 'trusted' END, 'handler ' || nullif(l.lanplcallfoid, 0)::regprocedure, \
         'inline ' || nullif(l.laninline, 0)::regprocedure, 'validator ' || nullif(l.lanvalidator, 0)::regprocedure), \
         {ownership} FROM pg_language l WHERE {users}",
        ownership = ownership("l.lanowner", "l.lanacl", "l"),
        users = is_users("pg_language", "l.oid"),
    )
}

/// Access methods.
pub(super) fn access_methods(_: &Context) -> String {
    format!(
        "SELECT 'object', 'access method', 'pg_am', a.oid, quote_ident(a.amname), \
         format('%s, handler %s', CASE a.amtype WHEN 't' THEN 'table' ELSE 'index' END, a.amhandler::regprocedure) \
         FROM pg_am a WHERE {users}",
        users = is_users("pg_am", "a.oid"),
    )
}

/// Foreign data wrappers.
pub(super) fn foreign_data_wrappers(_: &Context) -> String {
    format!(
        "SELECT 'object', 'foreign data wrapper', 'pg_foreign_data_wrapper', f.oid, quote_ident(f.fdwname), \
         concat_ws(chr(30), 'handler ' || nullif(f.fdwhandler, 0)::regprocedure, \
         'validator ' || nullif(f.fdwvalidator, 0)::regprocedure, 'options (' || {options} || ')'), {ownership} \
         FROM pg_foreign_data_wrapper f WHERE {users}",
        options = guarded_set("f.fdwoptions"),
        ownership = ownership("f.fdwowner", "f.fdwacl", "F"),
        users = is_users("pg_foreign_data_wrapper", "f.oid"),
    )
}

/// Foreign servers.
pub(super) fn foreign_servers(_: &Context) -> String {
    format!(
        "SELECT 'object', 'foreign server', 'pg_foreign_server', s.oid, quote_ident(s.srvname), \
         concat_ws(chr(30), 'wrapper ' || quote_ident(f.fdwname), 'type ' || quote_literal(s.srvtype), \
         'version ' || quote_literal(s.srvversion), 'options (' || {options} || ')'), {ownership} \
         FROM pg_foreign_server s JOIN pg_foreign_data_wrapper f ON f.oid = s.srvfdw WHERE {users}",
        options = guarded_set("s.srvoptions"),
        ownership = ownership("s.srvowner", "s.srvacl", "S"),
        users = is_users("pg_foreign_server", "s.oid"),
    )
}

/// User mappings: only that they are there. Their options are passwords, and not every role may read them.
pub(super) fn user_mappings(_: &Context) -> String {
    "SELECT 'object', 'user mapping', 'pg_user_mapping', m.umid, \
     format('for %s on server %I', CASE m.umuser WHEN 0 THEN 'public' ELSE quote_ident(m.usename) END, m.srvname) \
     FROM pg_user_mappings m"
        .to_owned()
}

/// Extended statistics. Their columns are in the order of the table inside, which must not matter.
pub(super) fn statistics(context: &Context) -> String {
    let expressions = if context.since(14) {
        "(SELECT string_agg(e, ', ' ORDER BY e COLLATE \"C\") \
         FROM unnest(pg_get_statisticsobjdef_expressions(s.oid)) AS e)"
    } else {
        "NULL"
    };
    format!(
        "SELECT 'object', 'statistics', 'pg_statistic_ext', s.oid, format('%I.%I', n.nspname, s.stxname), \
         concat_ws(chr(30), 'on ' || s.stxrelid::regclass, \
         'kinds ' || (SELECT string_agg(CASE k WHEN 'd' THEN 'ndistinct' WHEN 'f' THEN 'dependencies' \
          WHEN 'm' THEN 'mcv' ELSE 'expressions' END, ', ' ORDER BY k) FROM unnest(s.stxkind) AS k), \
         'columns ' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname COLLATE \"C\") \
          FROM unnest(s.stxkeys::int2[]) AS k JOIN pg_attribute a ON a.attrelid = s.stxrelid AND a.attnum = k), \
         'expressions ' || {expressions}, \
         CASE WHEN s.stxstattarget >= 0 THEN 'target ' || s.stxstattarget END), \
         pg_get_userbyid(s.stxowner), NULL, NULL, NULL, s.stxrelid \
         FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE {in_schema} AND {users}",
        in_schema = context.in_schema("s.stxnamespace"),
        users = is_users("pg_statistic_ext", "s.oid"),
    )
}

/// Event triggers.
pub(super) fn event_triggers(_: &Context) -> String {
    format!(
        "SELECT 'object', 'event trigger', 'pg_event_trigger', e.oid, quote_ident(e.evtname), concat_ws(chr(30), \
         format('on %s execute %s', e.evtevent, e.evtfoid::regprocedure), \
         'when tag in (' || (SELECT string_agg(quote_literal(t), ', ' ORDER BY t COLLATE \"C\") \
          FROM unnest(e.evttags) AS t) || ')', \
         CASE e.evtenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'enabled in a replica' \
          WHEN 'A' THEN 'enabled always' END), pg_get_userbyid(e.evtowner) \
         FROM pg_event_trigger e WHERE {users}",
        users = is_users("pg_event_trigger", "e.oid"),
    )
}

/// Publications, with their tables. Columns of a table are a set, whose order inside is that of the table.
pub(super) fn publications(context: &Context) -> String {
    let (filter, schemas) = if context.since(15) {
        (
            "|| coalesce(' (' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname COLLATE \"C\") \
              FROM unnest(r.prattrs::int2[]) AS k JOIN pg_attribute a ON a.attrelid = r.prrelid AND a.attnum = k) \
              || ')', '') || coalesce(' where ' || pg_get_expr(r.prqual, r.prrelid), '')",
            "(SELECT string_agg('tables in schema ' || quote_ident(n.nspname), chr(30) \
              ORDER BY n.nspname COLLATE \"C\") FROM pg_publication_namespace s \
              JOIN pg_namespace n ON n.oid = s.pnnspid WHERE s.pnpubid = p.oid)",
        )
    } else {
        ("", "NULL")
    };
    let generated = if context.since(18) {
        "CASE p.pubgencols WHEN 's' THEN 'publish stored generated columns' END"
    } else {
        "NULL"
    };
    format!(
        "SELECT 'object', 'publication', 'pg_publication', p.oid, quote_ident(p.pubname), concat_ws(chr(30), \
         CASE WHEN p.puballtables THEN 'all tables' END, \
         'publish ' || concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, \
          CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END, \
          CASE WHEN p.pubtruncate THEN 'truncate' END), \
         CASE WHEN p.pubviaroot THEN 'via partition root' END, {generated}, \
         (SELECT string_agg('table ' || r.prrelid::regclass {filter}, chr(30) \
          ORDER BY r.prrelid::regclass::text COLLATE \"C\") FROM pg_publication_rel r WHERE r.prpubid = p.oid), \
         {schemas}), pg_get_userbyid(p.pubowner) \
         FROM pg_publication p WHERE {users}",
        users = is_users("pg_publication", "p.oid"),
    )
}

/// Subscriptions: those columns that every role may read, and never the connection.
pub(super) fn subscriptions(_: &Context) -> String {
    "SELECT 'object', 'subscription', 'pg_subscription', NULL, quote_ident(s.subname), concat_ws(chr(30), \
     'publications ' || array_to_string(s.subpublications, ', '), CASE WHEN NOT s.subenabled THEN 'disabled' END), \
     pg_get_userbyid(s.subowner) \
     FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database()"
        .to_owned()
}

/// Default privileges. Those of one schema come on top of the usual ones; the others replace them.
///
/// The role that owns the database is not named: it is the one that migrates, and its name differs between databases.
pub(super) fn default_privileges(context: &Context) -> String {
    let large_objects = if context.since(18) { "WHEN 'L' THEN 'L'" } else { "" };
    format!(
        "SELECT 'object', 'default privileges', 'pg_default_acl', a.oid, concat_ws(' ', 'for', \
         CASE a.defaclrole WHEN d.datdba THEN 'the database owner' \
          ELSE 'role ' || quote_ident(pg_get_userbyid(a.defaclrole)) END, 'in schema ' || quote_ident(n.nspname), \
         'on', CASE a.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions' \
          WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE 'large objects' END), NULL, \
         pg_get_userbyid(a.defaclrole), array_to_string(a.defaclacl, chr(30)), \
         CASE WHEN a.defaclnamespace = 0 THEN array_to_string(acldefault(CASE a.defaclobjtype WHEN 'r' THEN 'r' \
          WHEN 'S' THEN 's' WHEN 'f' THEN 'f' WHEN 'T' THEN 'T' {large_objects} ELSE 'n' END::\"char\", a.defaclrole), \
          chr(30)) END \
         FROM pg_default_acl a JOIN pg_database d ON d.datname = current_database() \
         LEFT JOIN pg_namespace n ON n.oid = a.defaclnamespace"
    )
}

/// What was granted on, or revoked from, members of extensions after those were made.
pub(super) fn member_privileges(_: &Context) -> String {
    let of = |class: &str, alias: &str, name: &str, owner: &str, acl: &str, kind: &str| {
        format!(
            "SELECT 'object', 'privileges in extension', NULL, NULL, {name}, NULL, pg_get_userbyid({owner}), \
             array_to_string({acl}, chr(30)), array_to_string(coalesce(i.initprivs, acldefault({kind}, {owner})), \
             chr(30)) FROM pg_depend d JOIN {class} {alias} ON {alias}.oid = d.objid \
             LEFT JOIN pg_init_privs i ON i.classoid = d.classid AND i.objoid = d.objid AND i.objsubid = 0 \
             WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND d.classid = '{class}'::regclass \
             AND {acl} IS NOT NULL AND {acl} IS DISTINCT FROM i.initprivs"
        )
    };
    [
        of(
            "pg_class",
            "c",
            "'relation ' || c.oid::regclass",
            "c.relowner",
            "c.relacl",
            "CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\"",
        ),
        of("pg_proc", "p", "'function ' || p.oid::regprocedure", "p.proowner", "p.proacl", "'f'"),
        of("pg_namespace", "n", "'schema ' || quote_ident(n.nspname)", "n.nspowner", "n.nspacl", "'n'"),
    ]
    .join(" UNION ALL ")
}

/// Comments on what users made, on schemas, and on extensions.
pub(super) fn comments() -> String {
    let comment = "SELECT 'note', NULL, d.classoid::regclass, d.objoid, d.objsubid, 'comment: ' || d.description \
                   FROM pg_description d";
    format!(
        "{comment} WHERE d.objoid >= {FIRST_USER_OID} UNION ALL {comment} WHERE d.objoid IN \
         (SELECT oid FROM pg_namespace UNION ALL SELECT oid FROM pg_extension) AND d.objoid < {FIRST_USER_OID}"
    )
}

/// What extensions answer for, and what says that it `DEPENDS ON EXTENSION`.
pub(super) fn members() -> String {
    "SELECT CASE d.deptype WHEN 'e' THEN 'member' ELSE 'note' END, NULL, d.classid::regclass, d.objid, 0, \
     CASE d.deptype WHEN 'x' THEN 'depends on extension ' || (SELECT quote_ident(e.extname) FROM pg_extension e \
      WHERE e.oid = d.refobjid) END \
     FROM pg_depend d WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype IN ('e', 'x')"
        .to_owned()
}

/// Security labels.
pub(super) fn labels(_: &Context) -> String {
    "SELECT 'note', NULL, l.classoid::regclass, l.objoid, l.objsubid, \
     format('security label for %I: %s', l.provider, l.label) FROM pg_seclabel l"
        .to_owned()
}

/// Text search configurations.
pub(super) fn text_search_configurations(context: &Context) -> String {
    format!(
        "SELECT 'object', 'text search configuration', 'pg_ts_config', c.oid, format('%I.%I', n.nspname, c.cfgname), \
         concat_ws(chr(30), format('parser %I.%I', pn.nspname, p.prsname), \
         (SELECT string_agg(format('%s: %s', token.alias, m.dictionaries), chr(30) ORDER BY token.alias COLLATE \"C\") \
          FROM (SELECT maptokentype, string_agg(mapdict::regdictionary::text, ', ' ORDER BY mapseqno) AS dictionaries \
           FROM pg_ts_config_map WHERE mapcfg = c.oid GROUP BY maptokentype) AS m \
          JOIN ts_token_type(c.cfgparser) AS token ON token.tokid = m.maptokentype)), pg_get_userbyid(c.cfgowner) \
         FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace JOIN pg_ts_parser p ON p.oid = c.cfgparser \
         JOIN pg_namespace pn ON pn.oid = p.prsnamespace WHERE {} AND {}",
        context.in_schema("c.cfgnamespace"),
        is_users("pg_ts_config", "c.oid"),
    )
}

/// Text search dictionaries.
pub(super) fn text_search_dictionaries(context: &Context) -> String {
    format!(
        "SELECT 'object', 'text search dictionary', 'pg_ts_dict', d.oid, format('%I.%I', n.nspname, d.dictname), \
         concat_ws(chr(30), format('template %I.%I', tn.nspname, t.tmplname), 'options ' || d.dictinitoption), \
         pg_get_userbyid(d.dictowner) \
         FROM pg_ts_dict d JOIN pg_namespace n ON n.oid = d.dictnamespace JOIN pg_ts_template t ON t.oid = d.dicttemplate \
         JOIN pg_namespace tn ON tn.oid = t.tmplnamespace WHERE {} AND {}",
        context.in_schema("d.dictnamespace"),
        is_users("pg_ts_dict", "d.oid"),
    )
}

/// Text search parsers.
pub(super) fn text_search_parsers(context: &Context) -> String {
    format!(
        "SELECT 'object', 'text search parser', 'pg_ts_parser', p.oid, format('%I.%I', n.nspname, p.prsname), \
         concat_ws(chr(30), 'start ' || p.prsstart::regprocedure, 'token ' || p.prstoken::regprocedure, \
         'end ' || p.prsend::regprocedure, 'headline ' || nullif(p.prsheadline, 0)::regprocedure, \
         'lextypes ' || p.prslextype::regprocedure) \
         FROM pg_ts_parser p JOIN pg_namespace n ON n.oid = p.prsnamespace WHERE {} AND {}",
        context.in_schema("p.prsnamespace"),
        is_users("pg_ts_parser", "p.oid"),
    )
}

/// Text search templates.
pub(super) fn text_search_templates(context: &Context) -> String {
    format!(
        "SELECT 'object', 'text search template', 'pg_ts_template', t.oid, format('%I.%I', n.nspname, t.tmplname), \
         concat_ws(chr(30), 'init ' || nullif(t.tmplinit, 0)::regprocedure, 'lexize ' || t.tmpllexize::regprocedure) \
         FROM pg_ts_template t JOIN pg_namespace n ON n.oid = t.tmplnamespace WHERE {} AND {}",
        context.in_schema("t.tmplnamespace"),
        is_users("pg_ts_template", "t.oid"),
    )
}
