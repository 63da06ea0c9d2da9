//! The sample in `migrations/` and `seeds/`, run by plain clients: the same files on every engine, downs that undo
//! their ups, and seeds that can be run again.

use std::fs;
use std::path::Path;

use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

use crate::servers;

/// A fresh database of some engine.
struct Engine<'a> {
    /// Runs a file of several statements.
    run: Box<dyn Fn(&str) + 'a>,
    /// What there is but rows: tables, views, columns, constraints, indexes.
    catalog: Box<dyn Fn() -> String + 'a>,
}

/// The texts of the files of the sample that end like this, in the order of their names.
fn sample(folder: &str, ending: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(ending)).collect();
    names.sort();
    names.into_iter().map(|name| (name.clone(), fs::read_to_string(folder.join(name)).unwrap())).collect()
}

fn check_round_trip(engine: &Engine<'_>) {
    let (ups, downs) = (sample("migrations", ".up.sql"), sample("migrations", ".down.sql"));
    assert_eq!(ups.len(), 8);
    assert_eq!(ups.len(), downs.len());
    let Engine { run, catalog } = engine;
    let seed = || sample("seeds", ".sql").iter().for_each(|(_, text)| run(text));

    let empty = catalog();
    for ((up_name, up), (down_name, down)) in ups.iter().zip(&downs) {
        assert_eq!(up_name.strip_suffix(".up.sql"), down_name.strip_suffix(".down.sql"));
        let before = catalog();
        run(up);
        let after = catalog();
        run(down);
        assert_eq!(catalog(), before, "{down_name} does not undo {up_name}");
        run(up);
        assert_eq!(catalog(), after, "{up_name} does something else the second time");
    }

    let full = catalog();
    assert_ne!(full, empty);
    seed();
    seed();
    downs.iter().rev().for_each(|(_, down)| run(down));
    assert_eq!(catalog(), empty, "something is left after all downs");
    ups.iter().for_each(|(_, up)| run(up));
    seed();
    assert_eq!(catalog(), full);
}

const ROWS: &str = "select (select count(*) from customers), (select count(*) from order_lines), \
                    (select sum(quantity) from stock_levels), (select slug from products where sku = 'CUP-CLAY-02')";

#[test]
fn sample_runs_on_postgres() {
    let Some(server) = servers::postgres() else { return };
    let database = server.fresh_database();
    let dump = || {
        let output = server.client("pg_dump", &database.name).args(["--schema-only"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // Newer versions fence the dump with a word that differs each time.
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().filter(|line| !line.starts_with('\\')).collect::<Vec<_>>().join("\n")
    };
    let run = |sql: &str| drop(database.psql(sql));
    check_round_trip(&Engine { run: Box::new(run), catalog: Box::new(dump) });
    assert_eq!(database.psql(ROWS), "3|3|145|clay-cups-set-of-two");
}

#[test]
fn sample_runs_on_mariadb() {
    let Some(server) = servers::mariadb() else { return };
    let database = server.fresh_database();
    let catalog = || {
        let tables = database.mysql("show full tables");
        let names = tables.lines().map(|line| line.split('\t').next().unwrap());
        names
            .map(|name| database.mysql(&format!("show create table `{name}`")))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let run = |sql: &str| drop(database.mysql(sql));
    check_round_trip(&Engine { run: Box::new(run), catalog: Box::new(catalog) });
    assert_eq!(database.mysql(ROWS), "3\t3\t145\tclay-cups-set-of-two");
}

#[test]
fn sample_runs_on_sqlite() {
    // A dropped column leaves other spaces behind in the stored SQL, so columns are compared instead of it.
    const CATALOG: &str = "select m.type || ' ' || m.tbl_name || ' ' || m.name || ' ' ||
        coalesce(group_concat(c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' ' || coalesce(c.dflt_value, '')), '')
        from sqlite_schema m left join pragma_table_xinfo(m.name) c group by m.type, m.tbl_name, m.name order by 1";
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let connection = runtime.block_on(SqliteConnection::connect("sqlite::memory:")).unwrap();
    let connection = std::cell::RefCell::new(connection);
    let rows = |sql: &str| -> Vec<String> {
        let mut connection = connection.borrow_mut();
        let rows = runtime.block_on(sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *connection)).unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    let run = |sql: &str| {
        let mut connection = connection.borrow_mut();
        runtime.block_on(sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection)).unwrap();
    };
    check_round_trip(&Engine { run: Box::new(run), catalog: Box::new(|| rows(CATALOG).join("\n")) });
    let told = ROWS.replacen("select ", "select concat_ws('|', ", 1) + ")";
    assert_eq!(rows(&told), ["3|3|145|clay-cups-set-of-two"]);
}
