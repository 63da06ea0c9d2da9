//! The statements for types, domains, and the conversions between types.

use super::{Context, is_made_alone, is_users, ownership};

/// Enums, composite types and domains; of others, that there are some. The array, multirange and row types that the
/// server makes along with others are left out.
///
/// A composite type's attributes are the columns of a relation of its own, whose id the row carries.
pub(super) fn types() -> String {
    format!(
        "SELECT CASE WHEN t.typtype IN ('e', 'c', 'd') THEN 'object' ELSE 'more' END, \
         CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, 'pg_type', t.oid, quote_ident(t.typname), \
         CASE t.typtype \
         WHEN 'e' THEN 'enum' \
         WHEN 'c' THEN 'composite' \
         WHEN 'd' THEN concat_ws(' ', format_type(t.typbasetype, t.typtypmod), \
          CASE WHEN t.typcollation <> 0 AND t.typcollation <> (SELECT base.typcollation FROM pg_type base \
           WHERE base.oid = t.typbasetype) THEN 'collate ' || t.typcollation::regcollation END, \
          CASE WHEN t.typnotnull THEN 'not null' END, \
          'default ' || coalesce(pg_get_expr(t.typdefaultbin, 0), quote_literal(t.typdefault))) END, \
         {ownership}, nullif(t.typrelid, 0), NULL, NULL, t.typnamespace \
         FROM pg_type t WHERE t.typtype <> 'm' AND {USER_TYPE} AND {users}",
        ownership = ownership("t.typowner", "t.typacl", "T"),
        users = is_users("pg_type", "t.oid"),
    )
}

/// A condition: the type is not one that the server made along with another type or a table.
const USER_TYPE: &str = "CASE WHEN t.typrelid <> 0 \
    THEN (SELECT c.relkind = 'c' FROM pg_class c WHERE c.oid = t.typrelid) \
    ELSE t.typelem = 0 OR NOT EXISTS (SELECT 1 FROM pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid) END";

/// The labels of enums in their order.
pub(super) fn labels() -> String {
    "SELECT 'item', NULL, 'pg_type', e.enumtypid, NULL, 'label ' || quote_literal(e.enumlabel) \
     FROM pg_enum e ORDER BY e.enumtypid, e.enumsortorder"
        .to_owned()
}

/// Ranges, base types, and types that are only declared.
pub(super) fn other_types(context: &Context) -> String {
    let multirange = if context.since(14) { OTHER_MULTIRANGE } else { "NULL" };
    format!(
        "SELECT 'object', 'type', 'pg_type', t.oid, format('%I.%I', n.nspname, t.typname), \
         CASE t.typtype \
         WHEN 'r' THEN concat_ws(chr(30), 'range of ' || format_type(r.rngsubtype, NULL), \
          'operator class ' || (SELECT format('%I.%I', sn.nspname, s.opcname) FROM pg_opclass s \
           JOIN pg_namespace sn ON sn.oid = s.opcnamespace WHERE s.oid = r.rngsubopc), \
          'collate ' || nullif(r.rngcollation, 0)::regcollation, \
          'canonical ' || nullif(r.rngcanonical, 0)::regprocedure, \
          'subtype_diff ' || nullif(r.rngsubdiff, 0)::regprocedure, {multirange}) \
         WHEN 'p' THEN 'only declared' \
         ELSE concat_ws(chr(30), 'base', format('input %s, output %s', t.typinput::regprocedure, \
           t.typoutput::regprocedure), \
          'receive ' || nullif(t.typreceive, 0)::regprocedure, 'send ' || nullif(t.typsend, 0)::regprocedure, \
          'typmod_in ' || nullif(t.typmodin, 0)::regprocedure, 'typmod_out ' || nullif(t.typmodout, 0)::regprocedure, \
          'analyze ' || nullif(t.typanalyze, 0)::regprocedure, \
          format('length %s, passed by %s, alignment %s, storage %s, category %s%s, delimiter %s', t.typlen, \
           CASE WHEN t.typbyval THEN 'value' ELSE 'reference' END, t.typalign, t.typstorage, t.typcategory, \
           CASE WHEN t.typispreferred THEN ' preferred' END, t.typdelim), \
          'element ' || format_type(nullif(t.typelem, 0), NULL), \
          'collate ' || nullif(t.typcollation, 0)::regcollation, 'default ' || t.typdefault) END, \
         {ownership} \
         FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_range r ON r.rngtypid = t.oid \
         WHERE t.typtype IN ('r', 'b', 'p') AND {USER_TYPE} AND {in_schema} AND {users}",
        ownership = ownership("t.typowner", "t.typacl", "T"),
        in_schema = context.in_schema("t.typnamespace"),
        users = is_users("pg_type", "t.oid"),
    )
}

/// A multirange whose name is not the one that the server makes of the range's.
const OTHER_MULTIRANGE: &str = "(SELECT 'multirange ' || format_type(m.oid, NULL) FROM pg_type m \
    WHERE m.oid = r.rngmultitypid AND m.typname <> CASE WHEN t.typname LIKE '%range%' \
     THEN regexp_replace(t.typname, 'range', 'multirange') ELSE left(t.typname, 52) || '_multirange' END)";

/// Casts, but for those from a range to its multirange, which come with it.
pub(super) fn casts(_: &Context) -> String {
    format!(
        "SELECT 'object', 'cast', 'pg_cast', c.oid, \
         format('%s to %s', format_type(c.castsource, NULL), format_type(c.casttarget, NULL)), concat_ws(' ', \
         CASE c.castmethod WHEN 'f' THEN 'with function ' || c.castfunc::regprocedure WHEN 'i' THEN 'with inout' \
          ELSE 'without function' END, \
         CASE c.castcontext WHEN 'a' THEN 'as assignment' WHEN 'i' THEN 'as implicit' END) \
         FROM pg_cast c WHERE {users} AND {made}",
        users = is_users("pg_cast", "c.oid"),
        made = is_made_alone("pg_cast", "c.oid"),
    )
}

/// Transforms between types and languages.
pub(super) fn transforms(_: &Context) -> String {
    format!(
        "SELECT 'object', 'transform', 'pg_transform', t.oid, \
         format('for %s language %I', format_type(t.trftype, NULL), l.lanname), concat_ws(chr(30), \
         'from sql with ' || nullif(t.trffromsql, 0)::regprocedure, \
         'to sql with ' || nullif(t.trftosql, 0)::regprocedure) \
         FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang WHERE {users}",
        users = is_users("pg_transform", "t.oid"),
    )
}

/// Collations. The version of the library that sorts is the machine's.
pub(super) fn collations(context: &Context) -> String {
    let locale = match () {
        () if context.since(17) => "'locale ' || quote_literal(c.colllocale)",
        () if context.since(15) => "'locale ' || quote_literal(c.colliculocale)",
        () => "NULL",
    };
    let rules = if context.since(16) { "'rules ' || quote_literal(c.collicurules)" } else { "NULL" };
    format!(
        "SELECT 'object', 'collation', 'pg_collation', c.oid, format('%I.%I', n.nspname, c.collname), \
         concat_ws(chr(30), CASE c.collprovider WHEN 'i' THEN 'provider icu' WHEN 'c' THEN 'provider libc' \
          WHEN 'b' THEN 'provider builtin' ELSE 'provider default' END, \
         {locale}, {rules}, 'lc_collate ' || quote_literal(c.collcollate), 'lc_ctype ' || quote_literal(c.collctype), \
         CASE WHEN NOT c.collisdeterministic THEN 'not deterministic' END), \
         pg_get_userbyid(c.collowner) \
         FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE {in_schema} AND {users}",
        in_schema = context.in_schema("c.collnamespace"),
        users = is_users("pg_collation", "c.oid"),
    )
}

/// Conversions between encodings.
pub(super) fn conversions(context: &Context) -> String {
    format!(
        "SELECT 'object', 'conversion', 'pg_conversion', c.oid, format('%I.%I', n.nspname, c.conname), \
         concat_ws(' ', 'from', pg_encoding_to_char(c.conforencoding), 'to', pg_encoding_to_char(c.contoencoding), \
         'with', c.conproc::regproc, CASE WHEN c.condefault THEN 'default' END), pg_get_userbyid(c.conowner) \
         FROM pg_conversion c JOIN pg_namespace n ON n.oid = c.connamespace WHERE {in_schema} AND {users}",
        in_schema = context.in_schema("c.connamespace"),
        users = is_users("pg_conversion", "c.oid"),
    )
}
