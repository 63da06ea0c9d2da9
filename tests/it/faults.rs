//! Kills the process at every fault point, on each engine, and runs again: the end is that of an undisturbed run.

use crate::servers::{self, mariadb, postgres};
use crate::twostep::Project;

/// Migrations of every kind of unit: transactions, statements alone, several in a file, a repeatable one.
fn project(native_concurrently: bool) -> Project {
    let project = Project::new();
    let file = |name: &str, text: &str| project.write(&format!("migrations/{name}"), text);
    file(
        "1_users.up.sql",
        "create table users (id bigint primary key, email text);\ninsert into users values (1, 'a');\n",
    );
    file("1_users.down.sql", "drop table users;\n");
    file("2_orders.up.sql", "create table orders (id bigint primary key, user_id bigint);\n");
    file("2_orders.down.sql", "drop table orders;\n");
    if native_concurrently {
        file(
            "3_indexes.up.sql",
            "-- twostep: no-transaction\nset search_path = public;\ncreate index concurrently users_email on users (email);\n\
             alter table orders add column note text;\ncreate unique index concurrently on orders (user_id);\n",
        );
        file(
            "3_indexes.down.sql",
            "-- twostep: no-transaction\ndrop index concurrently users_email;\nalter table orders drop column note;\n\
             drop index concurrently orders_user_id_idx;\n",
        );
    } else {
        file(
            "3_indexes.up.sql",
            "-- twostep: no-transaction\ncreate index users_email on users (email);\nvacuum;\n\
             alter table orders add column note text;\n",
        );
        file(
            "3_indexes.down.sql",
            "-- twostep: no-transaction\ndrop index users_email;\nvacuum;\nalter table orders drop column note;\n",
        );
    }
    file("R__names.sql", "drop view if exists names;\ncreate view names as select id, email from users;\n");
    project
}

/// Runs `command` undisturbed and counts the points it passes; then kills it at each, and runs it again to its end.
/// `fresh` gives a database in the state before, as its URL; `state` says what is there.
pub fn at_every_point(
    project: &Project,
    command: &[&str],
    fresh: &dyn Fn() -> String,
    state: &dyn Fn(&str) -> String,
) -> usize {
    let url = fresh();
    let log = project.path(&format!("faults-{}.log", command.join("-")));
    project.twostep(command).env("DATABASE_URL", &url).env("TWOSTEP_FAULT_LOG", &log).run().expect(0);
    let wanted = state(&url);
    let points = std::fs::read_to_string(&log).expect("the run wrote its points");
    let count = points.lines().count();
    assert!(count > 20, "too few fault points:\n{points}");
    for point in 1..=count {
        let url = fresh();
        let name = points.lines().nth(point - 1).unwrap_or("");
        let killed =
            project.twostep(command).env("DATABASE_URL", &url).env("TWOSTEP_FAULT", point.to_string()).run();
        assert!(killed.signal().is_some(), "not killed at {name}: {killed:#?}");
        let again = project.twostep(command).env("DATABASE_URL", &url).run();
        assert_eq!(again.code(), 0, "after a kill at {name}:\n{}", again.stderr);
        assert_eq!(state(&url), wanted, "after a kill at {name}:\n{}", again.stderr);
    }
    count
}

#[test]
fn postgres_killed_at_every_point() {
    let Some(server) = servers::required("PostgreSQL", postgres()) else { return };
    let project = project(true);
    let database = |url: &str| url.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    let state = |url: &str| {
        server.psql(
            &database(url),
            "select c.relname, c.relkind, i.indisvalid from pg_class c left join pg_index i on i.indexrelid = c.oid \
             where relnamespace = 'public'::regnamespace order by 1; \
             select attrelid::regclass, attname from pg_attribute join pg_class c on c.oid = attrelid \
             where relnamespace = 'public'::regnamespace and attnum > 0 and not attisdropped order by 1, 2; \
             select version, state, sequence from twostep.migration order by sequence; \
             select count(*) from twostep.statement; \
             select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database \
             where datname = current_database())",
        )
    };
    // The databases go with the server.
    let empty = || std::mem::ManuallyDrop::new(server.fresh_database()).url();
    let up = at_every_point(&project, &["migrate"], &empty, &state);
    let migrated = || {
        let url = empty();
        project.twostep(&["migrate"]).env("DATABASE_URL", &url).run().expect(0);
        url
    };
    let down = at_every_point(&project, &["rollback", "--to", "1"], &migrated, &state);
    eprintln!("PostgreSQL: killed at {up} points of migrate and {down} of rollback");
}

#[test]
fn sqlite_killed_at_every_point() {
    let project = project(false);
    let number = std::cell::Cell::new(0);
    let path = |url: &str| url.trim_start_matches("sqlite:").to_owned();
    let state = |url: &str| {
        let output = std::process::Command::new("sqlite3")
            .args([
                &path(url),
                "select type, name, sql from sqlite_schema where name not like 'twostep%' order by 2; \
                 select version, state, sequence from twostep_migration order by sequence; \
                 select count(*) from twostep_statement; select * from users;",
            ])
            .output()
            .expect("sqlite3 runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let empty = || {
        number.set(number.get() + 1);
        format!("sqlite:{}", project.path(&format!("db{}.sqlite", number.get())).display())
    };
    let up = at_every_point(&project, &["migrate"], &empty, &state);
    let migrated = || {
        let url = empty();
        project.twostep(&["migrate"]).env("DATABASE_URL", &url).run().expect(0);
        url
    };
    let down = at_every_point(&project, &["rollback", "--to", "1"], &migrated, &state);
    eprintln!("SQLite: killed at {up} points of migrate and {down} of rollback");
}

/// Schema changes that commit by themselves, rows, variables of the session, stored programs and their calls.
fn mysql_project() -> Project {
    let project = Project::new();
    let file = |name: &str, text: &str| project.write(&format!("migrations/{name}"), text);
    file(
        "1_users.up.sql",
        "create table users (id bigint primary key, email varchar(50));\n\
         insert into users values (1, 'a');\ninsert into users values (last_insert_id(2), 'b');\n\
         set @id = last_insert_id(), @name = 'c''d';\ninsert into users values (@id + 5, @name);\n",
    );
    file("1_users.down.sql", "drop table users;\n");
    file(
        "2_orders.up.sql",
        "set @old = @@sql_mode, sql_mode = 'ANSI_QUOTES';\n\
         create table orders (id bigint primary key, user_id bigint);\ncreate table notes (a int);\n\
         create index \"by_user\" on orders (user_id);\nset sql_mode = @old;\n\
         rename table notes to kept_notes, orders to new_orders;\ndrop table kept_notes;\n",
    );
    file("2_orders.down.sql", "drop table new_orders;\n");
    file(
        "3_programs.up.sql",
        "DELIMITER //\ncreate procedure fill()\nbegin\n  insert into new_orders values (1, 2); update users set email = concat(email, 'x');\n\
         end//\ncreate trigger on_order before insert on new_orders for each row begin set new.user_id = 3; end//\n\
         DELIMITER ;\ncall fill();\nset @s = 'alter table users add note text';\nprepare p from @s;\n\
         update users set email = concat(email, 'y');\ndeallocate prepare p;\nanalyze table users;\ntruncate new_orders;\n",
    );
    file(
        "3_programs.down.sql",
        "drop trigger on_order;\nupdate users set email = 'z';\ndrop procedure fill;\n",
    );
    file("R__names.sql", "create or replace view names as select id, email from users;\n");
    project
}

#[test]
fn mariadb_killed_at_every_point() {
    let Some(server) = mariadb() else { return };
    let project = mysql_project();
    let database = |url: &str| url.rsplit('/').next().unwrap().to_owned();
    let state = |url: &str| {
        let name = database(url);
        let objects = server.mysql(
            &name,
            "select table_name from information_schema.tables where table_schema = database() \
             and table_name not like 'twostep%' order by 1",
        );
        let definitions: Vec<String> = objects
            .lines()
            .map(|table| server.mysql(&name, &format!("show create table `{table}`")))
            .collect();
        let rest = server.mysql(
            &name,
            "select * from users order by id; select count(*) from new_orders; \
             select routine_name, sql_mode from information_schema.routines where routine_schema = database() order by 1; \
             select trigger_name, sql_mode from information_schema.triggers where trigger_schema = database(); \
             select version, state, sequence from twostep_migration order by sequence; \
             select count(*) from twostep_statement",
        );
        format!("{}\n{rest}", definitions.join("\n"))
    };
    // The databases go with the server.
    let empty = || std::mem::ManuallyDrop::new(server.fresh_database()).url();
    let up = at_every_point(&project, &["migrate"], &empty, &state);
    let migrated = || {
        let url = empty();
        project.twostep(&["migrate"]).env("DATABASE_URL", &url).run().expect(0);
        url
    };
    let without_orders = |url: &str| {
        let name = database(url);
        server.mysql(
            &name,
            "show full tables; select * from users; select version, state from twostep_migration",
        )
    };
    let down = at_every_point(&project, &["rollback", "--to", "2"], &migrated, &without_orders);
    eprintln!("MariaDB: killed at {up} points of migrate and {down} of rollback");
}
