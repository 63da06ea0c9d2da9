//! The statements for functions, procedures, aggregates and operators.

use super::{Context, is_made_alone, is_users, ownership};

/// Functions and procedures, but for the constructors of ranges, which come with them; for aggregates, that there are
/// some.
pub(super) fn functions() -> String {
    format!(
        "SELECT CASE p.prokind WHEN 'a' THEN 'more' ELSE 'object' END, \
         CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, \
         CASE p.prokind WHEN 'a' THEN 'pg_aggregate' ELSE 'pg_proc' END, p.oid, \
         format('%I(%s)', p.proname, oidvectortypes(p.proargtypes)), \
         CASE WHEN p.prokind <> 'a' THEN rtrim(pg_get_functiondef(p.oid), chr(10)) END, \
         {ownership}, NULL, NULL, NULL, p.pronamespace \
         FROM pg_proc p WHERE {users} AND (p.prolang <> 12 OR {made})",
        ownership = ownership("p.proowner", "p.proacl", "f"),
        users = is_users("pg_proc", "p.oid"),
        // Only the server's own language, `internal`, has functions that came with a type.
        made = is_made_alone("pg_proc", "p.oid"),
    )
}

/// Aggregates: <https://www.postgresql.org/docs/current/catalog-pg-aggregate.html>
pub(super) fn aggregates(context: &Context) -> String {
    format!(
        "SELECT 'object', 'aggregate', 'pg_proc', p.oid, \
         format('%I.%I(%s)', n.nspname, p.proname, oidvectortypes(p.proargtypes)), concat_ws(chr(30), \
         'arguments ' || pg_get_function_arguments(p.oid), \
         'returns ' || format_type(p.prorettype, NULL), \
         CASE a.aggkind WHEN 'o' THEN 'ordered set' WHEN 'h' THEN 'hypothetical set' END, \
         format('sfunc %s, stype %s, sspace %s', a.aggtransfn::regprocedure, format_type(a.aggtranstype, NULL), \
          a.aggtransspace), \
         'finalfunc ' || nullif(a.aggfinalfn, 0)::regprocedure || CASE WHEN a.aggfinalextra THEN ' extra' ELSE '' END \
          || ' ' || a.aggfinalmodify::text, \
         'combinefunc ' || nullif(a.aggcombinefn, 0)::regprocedure, \
         'serialfunc ' || nullif(a.aggserialfn, 0)::regprocedure, \
         'deserialfunc ' || nullif(a.aggdeserialfn, 0)::regprocedure, \
         'initcond ' || quote_literal(a.agginitval), \
         'msfunc ' || nullif(a.aggmtransfn, 0)::regprocedure, \
         'minvfunc ' || nullif(a.aggminvtransfn, 0)::regprocedure, \
         'mstype ' || format_type(nullif(a.aggmtranstype, 0), NULL) || ', msspace ' || a.aggmtransspace, \
         'mfinalfunc ' || nullif(a.aggmfinalfn, 0)::regprocedure \
          || CASE WHEN a.aggmfinalextra THEN ' extra' ELSE '' END || ' ' || a.aggmfinalmodify::text, \
         'minitcond ' || quote_literal(a.aggminitval), \
         'sortop ' || nullif(a.aggsortop, 0)::regoperator, \
         CASE p.proparallel WHEN 's' THEN 'parallel safe' WHEN 'r' THEN 'parallel restricted' END), {ownership} \
         FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid JOIN pg_namespace n ON n.oid = p.pronamespace \
         WHERE {in_schema} AND {users}",
        ownership = ownership("p.proowner", "p.proacl", "f"),
        in_schema = context.in_schema("p.pronamespace"),
        users = is_users("pg_proc", "p.oid"),
    )
}

/// Operators.
pub(super) fn operators(context: &Context) -> String {
    format!(
        "SELECT 'object', 'operator', 'pg_operator', o.oid, o.oid::regoperator, concat_ws(chr(30), \
         CASE WHEN o.oprcode = 0 THEN 'only declared' ELSE 'function ' || o.oprcode::regprocedure END, \
         'commutator ' || nullif(o.oprcom, 0)::regoperator, 'negator ' || nullif(o.oprnegate, 0)::regoperator, \
         'restrict ' || nullif(o.oprrest, 0)::regprocedure, 'join ' || nullif(o.oprjoin, 0)::regprocedure, \
         CASE WHEN o.oprcanhash THEN 'hashes' END, CASE WHEN o.oprcanmerge THEN 'merges' END), \
         pg_get_userbyid(o.oprowner) \
         FROM pg_operator o WHERE {in_schema} AND {users}",
        in_schema = context.in_schema("o.oprnamespace"),
        users = is_users("pg_operator", "o.oid"),
    )
}

/// Operator families, with the operators and functions that are loose in them or come with a class.
pub(super) fn families(context: &Context) -> String {
    format!(
        "SELECT 'object', 'operator family', 'pg_opfamily', f.oid, \
         format('%I.%I using %I', n.nspname, f.opfname, am.amname), concat_ws(chr(30), \
         (SELECT string_agg(format('operator %s %s%s', o.amopstrategy, o.amopopr::regoperator, \
          ' order by ' || (SELECT format('%I.%I', sn.nspname, s.opfname) FROM pg_opfamily s \
           JOIN pg_namespace sn ON sn.oid = s.opfnamespace WHERE s.oid = o.amopsortfamily)), chr(30) \
          ORDER BY o.amopstrategy, o.amopopr::regoperator::text COLLATE \"C\") \
          FROM pg_amop o WHERE o.amopfamily = f.oid), \
         (SELECT string_agg(format('function %s (%s, %s) %s', p.amprocnum, format_type(p.amproclefttype, NULL), \
          format_type(p.amprocrighttype, NULL), p.amproc::regprocedure), chr(30) \
          ORDER BY p.amprocnum, p.amproc::regprocedure::text COLLATE \"C\") \
          FROM pg_amproc p WHERE p.amprocfamily = f.oid)), pg_get_userbyid(f.opfowner) \
         FROM pg_opfamily f JOIN pg_namespace n ON n.oid = f.opfnamespace JOIN pg_am am ON am.oid = f.opfmethod \
         WHERE {in_schema} AND {users}",
        in_schema = context.in_schema("f.opfnamespace"),
        users = is_users("pg_opfamily", "f.oid"),
    )
}

/// Operator classes; what is in them, their families say.
pub(super) fn classes(context: &Context) -> String {
    format!(
        "SELECT 'object', 'operator class', 'pg_opclass', c.oid, \
         format('%I.%I using %I', n.nspname, c.opcname, am.amname), concat_ws(chr(30), \
         format('family %I.%I', fn.nspname, f.opfname), 'for type ' || format_type(c.opcintype, NULL), \
         'storage ' || format_type(nullif(c.opckeytype, 0), NULL), CASE WHEN c.opcdefault THEN 'default' END), \
         pg_get_userbyid(c.opcowner) \
         FROM pg_opclass c JOIN pg_namespace n ON n.oid = c.opcnamespace JOIN pg_am am ON am.oid = c.opcmethod \
         JOIN pg_opfamily f ON f.oid = c.opcfamily JOIN pg_namespace fn ON fn.oid = f.opfnamespace \
         WHERE {in_schema} AND {users}",
        in_schema = context.in_schema("c.opcnamespace"),
        users = is_users("pg_opclass", "c.oid"),
    )
}
