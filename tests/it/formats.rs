//! A small folder of each format: told by its files, and read as its tool would read it.

use std::path::Path;
use twostep::dialect::Dialect;
use twostep::files::{read_folder, read_migrations};
use twostep::source::{Body, FORMATS, Kind, ReadOptions, Script};

use crate::twostep::Project;

/// Checks what is read from `fixtures/formats/FORMAT`: a migration a line, with the number of its statements where
/// the format tells them apart, and `+` for what runs without a transaction.
fn check(format: &str, expected: &[&str]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats").join(format);
    let options = ReadOptions {
        variables: [("first_guest".to_owned(), "Ada; Lovelace".to_owned())].into(),
        dialect: Some(Dialect::Sqlite),
    };
    let folder = read_migrations(&path, None, &options).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(folder.format, format);
    assert!(folder.warnings.is_empty(), "{:?}", folder.warnings);
    let lines = folder.migrations.iter().map(|migration| {
        assert!(migration.warnings.is_empty(), "{:?}", migration.warnings);
        let down = migration.down.as_ref().map(|down| format!(" | {}", script(down))).unwrap_or_default();
        format!("{} {}: {}{down}", migration.version, migration.name, script(&migration.up))
    });
    assert_eq!(lines.collect::<Vec<_>>(), expected, "{format}");
    // Whatever the format, it is the same three steps.
    let first = text(&folder.migrations[0].up);
    assert!(first.contains("create table guests") && !first.contains("drop"), "{first}");
    let second = text(&folder.migrations[1].up);
    assert!(second.contains("add column room") && second.contains("'Ada; Lovelace'"), "{second}");
}

fn script(script: &Script) -> String {
    let statements = match &script.body {
        Body::Statements { statements, .. } => format!(" ({})", statements.len()),
        Body::Sql { .. } | Body::LargeFile { .. } | Body::Program { .. } => String::new(),
    };
    format!("{}{statements}{}", script.path, if script.transaction { "" } else { " +" })
}

/// What is sent.
fn text(script: &Script) -> String {
    match &script.body {
        Body::Sql { file, span } => span.of(file).to_owned(),
        Body::Statements { statements, .. } => {
            statements.iter().map(|statement| statement.text.as_str()).collect::<Vec<_>>().join("\n")
        }
        body @ (Body::LargeFile { .. } | Body::Program { .. }) => panic!("{body:?}"),
    }
}

#[test]
fn every_format_has_a_folder() {
    for format in FORMATS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats").join(format.id());
        assert!(path.is_dir(), "fixtures/formats/{} is missing", format.id());
    }
}

#[test]
fn formats_with_a_file_for_each_direction() {
    check(
        "twostep",
        &[
            "20260105090000 create_guests: 20260105090000_create_guests.up.sql | 20260105090000_create_guests.down.sql",
            "20260106090000 add_room: 20260106090000_add_room.up.sql | 20260106090000_add_room.down.sql",
            "20260107090000 index_room: 20260107090000_index_room.up.sql + | 20260107090000_index_room.down.sql",
            "R__lodgers lodgers: R__lodgers.sql",
        ],
    );
    check(
        "sqlx",
        &[
            "20260105090000 create_guests: 20260105090000_create_guests.sql",
            "20260106090000 add_room: 20260106090000_add_room.up.sql | 20260106090000_add_room.down.sql",
            "20260107090000 index_room: 20260107090000_index_room.up.sql + | 20260107090000_index_room.down.sql",
        ],
    );
    check(
        "golang-migrate",
        &[
            "000001 create_guests: 000001_create_guests.up.sql | 000001_create_guests.down.sql",
            "000002 add_room: 000002_add_room.up.sql | 000002_add_room.down.sql",
            "000003 index_room: 000003_index_room.up.sql | 000003_index_room.down.sql",
        ],
    );
    check(
        "maragu",
        &[
            "0001_a_guests a_guests: 0001_a_guests.up.sql | 0001_a_guests.down.sql",
            "0001_b_room b_room: 0001_b_room.up.sql | 0001_b_room.down.sql",
            "0001_c_index c_index: 0001_c_index.up.sql | 0001_c_index.down.sql",
            "0001_d_index_name d_index_name: 0001_d_index_name.up.sql | 0001_d_index_name.down.sql",
        ],
    );
    check(
        "authelia",
        &[
            "0001 Guests: sqlite/V0001.Guests.up.sql | sqlite/V0001.Guests.down.sql",
            "0002 Add_Room: sqlite/V0002.Add_Room.up.sql | sqlite/V0002.Add_Room.down.sql",
            "0003 IndexRoom: sqlite/V0003.IndexRoom.up.sql | sqlite/V0003.IndexRoom.down.sql",
        ],
    );
    check(
        "numbered",
        &[
            "1 : 1.sql",
            "02 add-room: 02-add-room.up.sql | 02-add-room.down.sql",
            "10 index_room: 10_index_room.sql",
        ],
    );
}

#[test]
fn formats_with_both_directions_in_one_file() {
    check(
        "goose",
        &[
            "00001 create_guests: 00001_create_guests.sql (1) | 00001_create_guests.sql (1)",
            "00002 add_room: 00002_add_room.sql (2) | 00002_add_room.sql (2)",
            "00003 index_room: 00003_index_room.sql (1) + | 00003_index_room.sql (1) +",
        ],
    );
    check(
        "dbmate",
        &[
            "20260105090000 create_guests: 20260105090000_create_guests.sql | 20260105090000_create_guests.sql",
            "20260106090000 add_room: 20260106090000_add_room.sql | 20260106090000_add_room.sql",
            "20260107090000 index_room: 20260107090000_index_room.sql + | 20260107090000_index_room.sql",
        ],
    );
    check(
        "sql-migrate",
        &[
            "20260105090000-create-guests create-guests: 20260105090000-create-guests.sql (1) | \
             20260105090000-create-guests.sql (1)",
            "20260106090000-add-room add-room: 20260106090000-add-room.sql (2) | 20260106090000-add-room.sql (2)",
            "20260107090000-index-room index-room: 20260107090000-index-room.sql (1) + | \
             20260107090000-index-room.sql (1)",
        ],
    );
    check(
        "play",
        &[
            "1 guests_schema: 1.sql (1) + | 1.sql (1) +",
            "2 rooms: 2.sql (2) + | 2.sql (2) +",
            "3 : 3.sql (1) + | 3.sql (1) +",
        ],
    );
}

#[test]
fn formats_with_folders_or_without_a_way_back() {
    check(
        "diesel",
        &[
            "20260105090000 create_guests: 2026-01-05-090000_create_guests/up.sql | \
             2026-01-05-090000_create_guests/down.sql",
            "202601060900000000 add_room: 2026-01-06-090000-0000_add_room/up.sql | \
             2026-01-06-090000-0000_add_room/down.sql",
            "202601070900000000 index_room: 2026-01-07-090000-0000_index_room/up.sql + | \
             2026-01-07-090000-0000_index_room/down.sql +",
        ],
    );
    check(
        "prisma",
        &[
            "20260105090000_create_guests create_guests: 20260105090000_create_guests/migration.sql +",
            "20260106090000_add_room add_room: 20260106090000_add_room/migration.sql +",
            "20260107090000_index_room index_room: 20260107090000_index_room/migration.sql + | \
             20260107090000_index_room/down.sql +",
        ],
    );
    check(
        "flyway",
        &[
            "1 create_guests: V1__create_guests.sql",
            "1.1 add_room: 2026/V1_1__add_room.sql | 2026/U1.1__add_room.sql",
            "1.10 index_room: 2026/V1.10__index_room.sql +",
            "R__lodgers lodgers: R__lodgers.sql",
        ],
    );
    check(
        "refinery",
        &[
            "1 create_guests: V1__create_guests.sql",
            "2 add_room: V2__add_room.sql",
            "10 index_room: U10__index_room.sql",
        ],
    );
}

/// What `new` writes into a folder is the next migration in its own format, and stays so.
#[test]
fn new_files_are_the_next_migration_in_every_format() {
    for format in FORMATS {
        let project = Project::new();
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats").join(format.id());
        for file in read_folder(&fixtures).unwrap() {
            let text = std::fs::read(fixtures.join(&file.path)).unwrap();
            project.write(&format!("migrations/{}", file.path), text);
        }
        let options = ReadOptions {
            variables: [("first_guest".to_owned(), "Ada".to_owned())].into(),
            dialect: Some(Dialect::Sqlite),
        };
        let path = project.path("migrations");
        let versions = || -> Vec<String> {
            let folder = read_migrations(&path, None, &options)
                .unwrap_or_else(|error| panic!("{}: {error:?}", format.id()));
            assert_eq!(folder.format, format.id());
            let versioned = folder.migrations.iter().filter(|one| one.kind == Kind::Versioned);
            versioned.map(|one| format!("{} {}", one.version, one.name)).collect()
        };
        let mut before = versions();
        for name in ["add notes", "more"] {
            let command = ["new", name, "--var", "first_guest=Ada"];
            let outcome = project.on("sqlite:some.db", &command).run().expect(0);
            // An empty file is none to some tools.
            for path in outcome.stdout.lines().filter(|path| path.ends_with(".sql")) {
                let text = project.read(path);
                if text.trim().is_empty() || format.id() == "diesel" {
                    project.write(path, text + "select 1;\n");
                }
            }
            let after = versions();
            assert_eq!(after[..before.len()], before, "{}: the others stay as they are", format.id());
            assert_eq!(after.len(), before.len() + 1, "{}: {after:?}", format.id());
            before = after;
        }
    }
}
