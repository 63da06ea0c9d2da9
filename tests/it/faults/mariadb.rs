//! The scenes on MariaDB, where each schema change commits by itself.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use super::scene::{Files, Migrations, Place, Scene};
use crate::servers::MariaDb;
use crate::twostep::Project;
use crate::wait;

/// Schema changes that commit by themselves, rows, variables of the session, stored programs and their calls.
const MIGRATIONS: Migrations = &[
    (
        "1_users.up.sql",
        "create table users (id bigint primary key, email varchar(50));\n\
         insert into users values (1, 'a');\ninsert into users values (last_insert_id(2), 'b');\n\
         set @id = last_insert_id(), @name = 'c''d';\ninsert into users values (@id + 5, @name);\n",
    ),
    ("1_users.down.sql", "drop table users;\n"),
    (
        "2_orders.up.sql",
        "set @old = @@sql_mode, sql_mode = 'ANSI_QUOTES';\n\
         create table orders (id bigint primary key, user_id bigint);\ncreate table notes (a int);\n\
         create index \"by_user\" on orders (user_id);\nset sql_mode = @old;\n\
         rename table notes to kept_notes, orders to new_orders;\ndrop table kept_notes;\n",
    ),
    ("2_orders.down.sql", "drop table new_orders;\n"),
    (
        "3_programs.up.sql",
        "DELIMITER //\ncreate procedure fill()\nbegin\n  insert into new_orders values (1, 2); update users set email = concat(email, 'x');\n\
         end//\ncreate trigger on_order before insert on new_orders for each row begin set new.user_id = 3; end//\n\
         DELIMITER ;\ncall fill();\nset @s = 'alter table users add note text';\nprepare p from @s;\n\
         update users set email = concat(email, 'y');\ndeallocate prepare p;\nanalyze table users;\ntruncate new_orders;\n",
    ),
    ("3_programs.down.sql", "drop trigger on_order;\nupdate users set email = 'z';\ndrop procedure fill;\n"),
    ("R__names.sql", "create or replace view names as select id, email from users;\n"),
];

/// The start of a contract.
const EXPANDED: Migrations = &[
    (
        "1_items.up.sql",
        "create table items (a int primary key, b varchar(20), n int not null default 0);\n\
         insert into items with recursive n as (select 1 as seq union all select seq + 1 from n where seq < 50) \
         select seq, concat('b', seq), 0 from n;\n",
    ),
    (
        "2_expand.up.sql",
        "-- twostep: phase expand\nalter table items add column code varchar(20);\ncreate index items_n on items (n);\n",
    ),
];

const CONTRACT: (&str, &str) = (
    "3_contract.up.sql",
    "-- twostep: phase contract\nupdate items set n = n + 1 where a <= 5;\ndrop index items_n on items;\n\
     alter table items drop column b;\nalter table items rename column code to b;\n",
);

/// Rows enough for several chunks.
const UNFILLED: (&str, &str) = (
    "1_items.up.sql",
    "create table items (a int, b varchar(20), n int not null default 0, primary key (a, b));\n\
     insert into items with recursive n as (select 0 as seq union all select seq + 1 from n where seq < 59) \
     select one.seq * 60 + two.seq, concat('b''', one.seq), 0 from n one join n two;\n",
);

const BACKFILL: (&str, &str) = (
    "2_fill.up.sql",
    "-- twostep: backfill\nupdate items set n = n + 1 where b is not null;\n\
     alter table items add constraint filled check (n > 0);\n",
);

const FILES: Files = Files {
    migrations: MIGRATIONS,
    back_to: "2",
    expanded: EXPANDED,
    contract: CONTRACT,
    unfilled: UNFILLED,
    backfill: BACKFILL,
};

/// The commands that there are scenes of.
pub const COMMANDS: &[&str] = &["migrate", "rollback", "backfill", "contract"];

/// The scene of a command. What it starts from is made once, and copied for each try.
pub fn scene<'s>(server: &'s MariaDb, command: &'static str) -> Scene<'s> {
    let project = Project::new();
    let template = server.fresh_database();
    let on = |arguments: &[&str]| drop(project.on(&template.url(), arguments).run().expect(0));
    let arguments = FILES.begin(command, &project, on);
    let fresh = copies(server, &template.name);
    Scene::new("MariaDB", command, &arguments, project, fresh, |name| state(server, name))
}

/// Databases that hold what the one of this name does now.
pub fn copies<'s>(server: &'s MariaDb, name: &str) -> impl Fn(&Project) -> Place<'s> + use<'s> {
    let copy = dump(server, name, &["--routines", "--triggers"]);
    move |_: &Project| {
        let place = server.fresh_database();
        load(server, &place.name, &copy);
        Place::new(place.url(), place.name.clone(), move || drop(place))
    }
}

fn dump(server: &MariaDb, name: &str, options: &[&str]) -> String {
    let output =
        server.client("mariadb-dump").args(["--skip-comments"]).args(options).arg(name).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn load(server: &MariaDb, name: &str, sql: &str) {
    let mut client = server.client("mariadb").arg(name).stdin(Stdio::piped()).spawn().unwrap();
    client.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
    assert!(client.wait().unwrap().success());
}

/// See [`Scene::state`].
pub fn state(server: &MariaDb, name: &str) -> String {
    // The run's lock is its session's.
    let sessions = format!("select count(*) from information_schema.processlist where db = '{name}'");
    wait::until_true("the sessions of the run are gone", Duration::from_secs(60), || {
        server.try_mysql("", &sessions).is_ok_and(|count| count == "0")
    });
    let ours = ["meta", "run", "migration", "statement"]
        .map(|table| format!("--ignore-table={name}.twostep_{table}"));
    let ours: Vec<&str> = ours.iter().map(String::as_str).collect();
    let options = [&ours[..], &["--routines", "--triggers", "--skip-extended-insert"]].concat();
    let dump = dump(server, name, &options).replace(name, "DATABASE");
    let (mut rows, schema): (Vec<&str>, Vec<&str>) =
        dump.lines().partition(|line| line.starts_with("INSERT"));
    rows.sort_unstable();
    let history = server.try_mysql(
        name,
        "select version, name, kind, phase, state, checksum, breaks_older, sequence, release_id, applied_at is null, \
         down_sql from twostep_migration order by sequence; select * from twostep_statement",
    );
    [schema.join("\n"), rows.join("\n"), history.unwrap_or_default()].join("\n")
}
