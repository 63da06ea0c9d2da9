//! Plans, proved on a real server: what a deploy leaves is what the plain migration leaves, each step can be taken back,
//! and old and new code work in between.

mod backfill;
mod backfill_others;
mod combined;
mod corpora;
mod deployment;
mod formats;
mod full;
mod gate;
mod identities;
mod killed;
mod load;
mod mysql;
mod operations;
mod others;
mod own_triggers;
mod partitions;
mod proved;
mod refused;
mod routines;
mod sqlite;
mod traps;
mod verify;

use crate::servers;
use crate::servers::postgres::Database;
use deployment::Ground;

/// A migration, and the code around it.
#[derive(Debug, Clone, Copy, Default)]
struct Case<'a> {
    /// What there is before.
    schema: &'a str,
    /// Rows that are there before.
    rows: &'a str,
    /// The plain migration.
    plain: &'a str,
    /// Its down, where the plan uses it.
    plain_down: &'a str,
    /// `--fill`.
    fill: Option<&'a str>,
    /// Queries and their answers from the end of the backfill on, before the contract: of old and of new code.
    between: &'a [(&'a str, &'a str)],
    /// The same behind the contract.
    after: &'a [(&'a str, &'a str)],
    /// Whether columns may stand in another order at the end.
    moves_columns: bool,
    /// Whether the copies of the first step may stand in another order after the contract was taken back.
    moves_copies: bool,
    /// Whether the plan is one migration, without a contract.
    single: bool,
    /// What the plain migration leaves in place of what the plan does: documented differences of the catalog, as words
    /// of lines that are left out.
    differs: &'a [&'a str],
    /// Whether the contract takes away rows or labels, so that its way back does not lead to the same.
    one_way: bool,
}

impl Case<'static> {
    /// One in which nothing is said.
    const NONE: Self = Self {
        schema: "",
        rows: "",
        plain: "",
        plain_down: "",
        fill: None,
        between: &[],
        after: &[],
        moves_columns: false,
        moves_copies: false,
        single: false,
        differs: &[],
        one_way: false,
    };
}

/// A deployment on PostgreSQL.
type Deployment<'s> = deployment::Deployment<Database<'s>>;

impl Ground for Database<'_> {
    fn url(&self) -> String {
        Database::url(self)
    }

    fn version(&self) -> String {
        self.psql("select current_setting('server_version_num')::int / 10000")
    }

    fn try_sql(&self, sql: &str) -> Result<String, String> {
        self.try_psql(sql)
    }

    fn is_on_a_server(&self) -> bool {
        true
    }

    fn rows(&self) -> Option<String> {
        let tables = self.psql(
            "select format('select %L, to_jsonb(t) from %s t', c.oid::regclass, c.oid::regclass) from pg_class c \
             join pg_namespace n on n.oid = relnamespace where relkind = 'r' and nspname not in \
             ('twostep', 'pg_catalog', 'information_schema') order by 1",
        );
        let mut rows: Vec<String> = tables
            .lines()
            .flat_map(|query| self.psql(query).lines().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        rows.sort_unstable();
        Some(rows.join("\n"))
    }
}

impl<'s> Deployment<'s> {
    fn new(server: &'s servers::Postgres, case: &Case<'_>) -> Self {
        Self::start(case, |_| server.fresh_database())
    }
}

/// Proves a plan on PostgreSQL.
#[track_caller]
fn check(case: &Case<'_>) {
    let Some(server) = servers::postgres() else { return };
    deployment::check(&|case| Deployment::new(server, case), case);
}
