//! PostgreSQL's catalog, one fact a line.

use super::lines::normal;
use super::{Facts, Halt, Server};
use crate::servers::postgres::{Database, Postgres};
use sqlx::{Connection as _, Executor as _};
use twostep::analysis::Step;
use twostep::dialect::Dialect;

/// A database of its own.
pub struct Catalog {
    database: Database<'static>,
    runtime: tokio::runtime::Runtime,
}

impl Catalog {
    pub fn new(server: &'static Postgres) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { database: server.fresh_database(), runtime }
    }

    fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let text = self.database.psql(sql);
        text.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect()
    }
}

/// Relations that are neither the server's nor an extension's.
const OURS: &str = "n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and n.nspname !~ '^pg_temp' \
    and not exists (select from pg_depend e where e.objid = c.oid and e.classid = 'pg_class'::regclass and e.deptype = 'e')";

impl Server for Catalog {
    fn run(&mut self, steps: &[Step], transaction: bool) -> Result<(), Halt> {
        let halt = |error: sqlx::Error| Halt { done: 0, error: error.to_string() };
        let url = self.database.url();
        self.runtime.block_on(async {
            let mut session = sqlx::PgConnection::connect(&url).await.unwrap();
            if transaction {
                session.execute("begin").await.unwrap();
            }
            for step in steps {
                let sql = sqlx::AssertSqlSafe(step.sql.to_string());
                if let Err(error) = sqlx::raw_sql(sql).execute(&mut session).await {
                    let _ = session.execute("rollback").await;
                    return Err(halt(error));
                }
            }
            if transaction {
                session.execute("commit").await.map_err(halt)?;
            }
            session.close().await.map_err(halt)
        })
    }

    fn printed_default(&mut self, data_type: &str, default: &str) -> Option<String> {
        let sql = format!(
            "begin; create temp table printed (c {data_type} default {default}); \
             select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = 'pg_temp.printed'::regclass; rollback"
        );
        self.database.try_psql(&sql).ok()
    }

    fn facts(&mut self) -> Facts {
        let mut facts = Facts::new();
        let queries = [columns(), indexes(), constraints(), other_tables(), others()];
        for row in queries.iter().flat_map(|sql| self.rows(sql)) {
            let [relation, line, expr] = row.as_slice() else { panic!("{row:?}") };
            let expr =
                if line.starts_with("column") || line.ends_with("generated") || line.starts_with("index") {
                    unescape(expr)
                } else {
                    expr.clone()
                };
            let line = match line.split_once('\u{1}') {
                Some((before, after)) => format!("{before}{}{after}", elements(&expr)),
                // A NULL with a length is kept as a default; it does nothing.
                None if line.ends_with(" default") && expr.starts_with("NULL::") => {
                    line.replace(" default", "")
                }
                None if line.ends_with(" default") || line.ends_with(" generated") => {
                    format!("{line} {}", normal(&expr, Dialect::Postgres))
                }
                None => line.clone(),
            };
            facts.entry(relation.clone()).or_default().push(line);
        }
        for lines in facts.iter_mut().filter(|(name, _)| name.starts_with("table ")).map(|(_, lines)| lines) {
            lines.retain(|line| !line.is_empty());
        }
        for lines in facts.iter_mut().filter(|(name, _)| name.starts_with("routine")).map(|(_, lines)| lines)
        {
            lines.sort();
        }
        facts
    }
}

/// Newlines and bars do not survive `psql -At`; the queries write them otherwise.
fn unescape(text: &str) -> String {
    text.replace('\u{2}', "|").replace('\u{3}', "\n")
}

/// The elements of an index, one after the other.
fn elements(text: &str) -> String {
    let one = |element: &str| {
        let (text, desc) = match element.strip_suffix(" desc") {
            Some(text) => (text, " desc"),
            None => (element, ""),
        };
        let plain = text.chars().all(|c| c.is_alphanumeric() || c == '_');
        let quoted = text.starts_with('"') && text.ends_with('"');
        let shown = if plain {
            text.to_owned()
        } else if quoted {
            text.trim_matches('"').to_owned()
        } else {
            normal(text, Dialect::Postgres)
        };
        format!("{shown}{desc}")
    };
    text.split('\u{4}').map(one).collect::<Vec<_>>().join(",")
}

fn columns() -> String {
    format!(
        "with a as (select c.oid, n.nspname || '.' || c.relname as rel, c.relkind, a.* from pg_attribute a \
           join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace \
           where c.relkind in ('r', 'p', 'f', 'v', 'm') and a.attnum > 0 and not a.attisdropped and {OURS}) \
         select case when relkind in ('v', 'm') then 'view ' else 'table ' end || rel, \
           'columns ' || string_agg(attname, ',' order by attnum), '' from a group by rel, relkind \
         union all \
         select 'table ' || rel, 'column ' || attname || ' ' || regexp_replace(regexp_replace(format_type(atttypid, atttypmod), '^(\"[^\"]+\"|\\w+)\\.', ''), '^\"(.*)\"(\\[\\])?$', case when atttypid = '\"char\"'::regtype then '\"char\"' else '\\1\\2' end) \
           || case when attnotnull then ' not null' else '' end \
           || case when attidentity <> '' then ' identity ' || attidentity::text else '' end \
           || case when attgenerated <> '' then ' generated' when d.oid is not null then ' default' else '' end, \
           coalesce(replace(replace(pg_get_expr(d.adbin, d.adrelid), '|', E'\\x02'), E'\\n', E'\\x03'), '') \
         from a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum where relkind in ('r', 'p', 'f')"
    )
}

fn indexes() -> String {
    format!(
        "select case when c.relkind = 'm' then 'view ' else 'table ' end || n.nspname || '.' || c.relname, \
           'index ' || ic.relname || case when i.indisunique then ' unique' else '' end || ' ' || am.amname || ' (' || E'\\x01' || ')' \
           || case when i.indnatts > i.indnkeyatts then ' include (' || (select string_agg(replace(pg_get_indexdef(i.indexrelid, k, true), chr(34), ''), ',' order by k) \
                from generate_series(i.indnkeyatts + 1, i.indnatts) k) || ')' else '' end \
           || case when i.indpred is not null then ' where' else '' end \
           || case when i.indisvalid then '' else ' invalid' end, \
           (select string_agg(replace(replace(pg_get_indexdef(i.indexrelid, k, true), '|', E'\\x02'), E'\\n', E'\\x03') || case when am.amname = 'btree' and i.indoption[k - 1] & 1 = 1 then ' desc' else '' end, E'\\x04' order by k) \
              from generate_series(1, i.indnkeyatts) k) \
         from pg_index i join pg_class ic on ic.oid = i.indexrelid join pg_class c on c.oid = i.indrelid \
           join pg_namespace n on n.oid = c.relnamespace join pg_am am on am.oid = ic.relam \
         where {OURS}"
    )
}

fn constraints() -> String {
    let names = |keys: &str, relation: &str, order: &str| {
        format!(
            "coalesce((select string_agg(a.attname, ',' order by {order}) from unnest({keys}) with ordinality k(n, i) \
             join pg_attribute a on a.attrelid = {relation} and a.attnum = k.n), '')"
        )
    };
    let by_position = names("o.conkey", "o.conrelid", "k.i");
    let by_name = names("o.conkey", "o.conrelid", "a.attname collate \"C\"");
    let referenced = names("o.confkey", "o.confrelid", "k.i");
    format!(
        "select 'table ' || n.nspname || '.' || c.relname, 'constraint ' || o.conname || ' ' || case o.contype \
             when 'c' then 'check (' || {by_name} || ')' when 'u' then 'unique (' || {by_position} || ')' \
             when 'p' then 'primary key (' || {by_position} || ')' when 'x' then 'exclude' \
             when 'f' then 'foreign key (' || {by_position} || ') ' || (select fn.nspname || '.' || fc.relname from pg_class fc \
                 join pg_namespace fn on fn.oid = fc.relnamespace where fc.oid = o.confrelid) || ' (' || {referenced} || ') ' \
                 || o.confdeltype::text || ' ' || o.confupdtype::text end \
             || case when o.convalidated then '' else ' not valid' end || case when o.condeferrable then ' deferrable' else '' end, '' \
         from pg_constraint o join pg_class c on c.oid = o.conrelid join pg_namespace n on n.oid = c.relnamespace \
         where o.contype in ('c', 'u', 'p', 'x', 'f') and {OURS}"
    )
}

fn other_tables() -> String {
    format!(
        "select 'table ' || n.nspname || '.' || c.relname, 'trigger ' || t.tgname, '' from pg_trigger t \
           join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace \
           where not t.tgisinternal and c.relkind <> 'v' and {OURS} \
         union all select 'table ' || n.nspname || '.' || c.relname, '', '' from pg_class c \
           join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'f') and {OURS} \
         union all select 'table ' || n.nspname || '.' || c.relname, 'partition of ' || pn.nspname || '.' || p.relname, '' \
           from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace \
           join pg_class p on p.oid = i.inhparent join pg_namespace pn on pn.oid = p.relnamespace \
           where c.relispartition and c.relkind in ('r', 'p', 'f') and {OURS} \
         union all select 'sequence ' || n.nspname || '.' || c.relname, 'owned by ' || coalesce((select tn.nspname || '.' || tc.relname || '.' || a.attname \
             from pg_depend d join pg_class tc on tc.oid = d.refobjid join pg_namespace tn on tn.oid = tc.relnamespace \
             join pg_attribute a on a.attrelid = tc.oid and a.attnum = d.refobjsubid \
             where d.objid = c.oid and d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')), ''), '' \
           from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'S' and {OURS}"
    )
}

fn others() -> String {
    let ours =
        "n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and n.nspname !~ '^pg_temp'";
    format!(
        "select 'type ' || n.nspname || '.' || t.typname, case t.typtype when 'd' then 'domain ' || format_type(t.typbasetype, t.typtypmod) \
             when 'e' then (select string_agg(enumlabel, ',' order by enumsortorder) from pg_enum e where e.enumtypid = t.oid) \
             when 'c' then (select string_agg(attname, ',' order by attnum) from pg_attribute a where a.attrelid = t.typrelid and attnum > 0 and not attisdropped) else '' end, '' \
           from pg_type t join pg_namespace n on n.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid \
           where {ours} and (t.typtype in ('d', 'e', 'r') or t.typtype = 'c' and c.relkind = 'c') \
             and not exists (select from pg_depend e where e.objid = t.oid and e.deptype = 'e') \
         union all select 'routine ' || n.nspname || '.' || p.proname, coalesce((select string_agg(regexp_replace(format_type(a.t, null), '^(\"[^\"]+\"|\\w+)\\.', ''), ',' order by a.i) \
             from unnest(p.proargtypes) with ordinality a(t, i)), ''), '' \
           from pg_proc p join pg_namespace n on n.oid = p.pronamespace \
           where {ours} and not exists (select from pg_depend e where e.objid = p.oid and e.deptype = 'e') \
             and not exists (select from pg_depend e where e.objid = p.oid and e.deptype = 'i')"
    )
}
