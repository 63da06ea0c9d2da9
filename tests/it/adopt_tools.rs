//! A tool has run half of a project: `adopt`, and `migrate` does the rest. The end is that of the tool's whole run, and
//! so is the tool's own table where it is kept in step.

use twostep::dialect::Dialect;

use crate::adopt_histories::{Base, Fact, HISTORIES, History, facts};
use crate::complaint::complaint;
use crate::twostep::Project;

pub const UPS: [(&str, &str); 4] = [
    (
        "1_create_guests",
        "create table guests (id integer not null primary key, name varchar(80) not null);\n",
    ),
    ("2_add_room", "alter table guests add column room varchar(10);\n"),
    ("3_create_stays", "create table stays (id integer not null primary key, room varchar(10));\n"),
    ("4_create_rooms", "create table rooms (id integer not null primary key);\n"),
];
pub const DOWNS: [&str; 4] = [
    "drop table guests;\n",
    "alter table guests drop column room;\n",
    "drop table stays;\n",
    "drop table rooms;\n",
];

/// The project, in the format of `history`; its files come from our own format wherever that can be exported.
fn project(history: &History, base: &Base) -> Project {
    let project = Project::new();
    let has_downs = history.format != "refinery";
    for ((name, up), down) in UPS.iter().zip(DOWNS) {
        if history.format == "play" {
            let number = &name[..1];
            let text = format!("-- {name}\n\n-- !Ups\n{up}\n-- !Downs\n{down}");
            project.write(&format!("migrations/{number}.sql"), text);
            continue;
        }
        // Prisma has no transaction there, and export loses none.
        let bare = history.format == "prisma" && base.dialect() == Dialect::Sqlite;
        let mark = if bare { "-- twostep: no-transaction\n" } else { "" };
        project.write(&format!("native/{name}.up.sql"), format!("{mark}{up}"));
        if has_downs {
            project.write(&format!("native/{name}.down.sql"), format!("{mark}{down}"));
        }
    }
    if history.format != "play" {
        let export = ["export", "--migrations", "native", "--to", history.format, "migrations"];
        project.on(&base.url(), &export).run().expect(0);
    }
    project
}

/// The first `count` migrations, run by the plain client, with the tool's rows.
fn run_by_the_tool(base: &Base, history: &History, facts: &[Fact], count: usize) {
    base.sql(&(history.table)(base.dialect()));
    for ((_, up), fact) in UPS.iter().zip(facts).take(count) {
        base.sql(up);
        base.sql(&(history.row)(fact));
    }
}

#[track_caller]
fn works(project: &Project, base: &Base, command: &[&str]) -> String {
    let outcome = project.on(&base.url(), command).run().expect(0);
    outcome.stdout + &outcome.stderr
}

fn check(history: &History, base: &Base) {
    let project = project(history, base);
    // What the names alone do not tell has to be said.
    project.write("twostep.toml", format!("source_format = \"{}\"\n", history.format));
    let facts = facts(&project, history.format, base.dialect());
    assert_eq!(facts.len(), 4, "{}", history.tool);
    let whole = base.another();
    run_by_the_tool(&whole, history, &facts, 4);
    run_by_the_tool(base, history, &facts, 2);

    // Without taking it over, nothing is run again.
    let before = base.sql(history.facts);
    let refused = project.on(&base.url(), &["migrate"]).run().expect(2);
    assert!(complaint(&refused).contains("nothing changed"), "{}", refused.stderr);
    assert!(refused.stderr.contains(&format!("has the history of {}", history.tool)), "{}", refused.stderr);
    let said = works(&project, base, &["status"]);
    assert!(said.contains("`twostep adopt` takes that over"), "{said}");

    let shown = works(&project, base, &["adopt", "--dry-run"]);
    assert!(shown.contains(&format!("2 would be adopted from {}", history.tool)), "{shown}");
    assert!(shown.contains("2 pending"), "{shown}");
    let said = works(&project, base, &["adopt", "--mirror-history"]);
    assert!(said.contains("2 adopted from"), "{said}");
    assert_eq!(base.sql(history.facts), before, "adopt writes nothing but the journal");

    works(&project, base, &["migrate"]);
    works(&project, &whole, &["adopt"]);
    assert_eq!(works(&project, base, &["db", "dump"]), works(&project, &whole, &["db", "dump"]));
    assert_eq!(base.sql(history.facts), whole.sql(history.facts), "{}: as the tool writes it", history.tool);
    let said = works(&project, base, &["migrate"]);
    assert!(said.contains("is up to date"), "{said}");

    // Back to where it was adopted; Flyway keeps a row for each step back too.
    if history.format != "refinery" {
        works(&project, base, &["rollback", "--steps", "2"]);
        if history.tool == "flyway" {
            let undone = base.sql("select version from flyway_schema_history where checksum is null");
            assert_eq!(undone, "4\n3");
        } else {
            assert_eq!(base.sql(history.facts), before);
        }
        let said = works(&project, base, &["status"]);
        assert!(said.contains("2 applied, 2 pending"), "{said}");
    }
}

fn check_all(base: Option<Base>) {
    let Some(base) = base else { return };
    for history in HISTORIES {
        check(history, &base.another());
    }
}

#[test]
fn half_a_project_of_every_tool_goes_on_on_postgres() {
    check_all(Base::postgres());
}

#[test]
fn half_a_project_of_every_tool_goes_on_on_mariadb() {
    check_all(Base::mariadb());
}

#[test]
fn half_a_project_of_every_tool_goes_on_on_sqlite() {
    check_all(Some(Base::sqlite()));
}
