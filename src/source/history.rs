//! The checksums that other tools keep of their migrations: by them `adopt` tells whether a file is still what was
//! applied.
//!
//! sqlx, Flyway, refinery, Play and Prisma keep one; golang-migrate, goose, dbmate, diesel, sql-migrate and the rest
//! do not.

mod crc32;
mod siphash;

use super::reading::text;
use super::{Migration, SourceFile, play};
use crate::name::hex;
use siphash::SipHash13;
use std::fmt;
use std::hash::{Hash as _, Hasher as _};

/// A checksum as another tool would keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptChecksum {
    /// sqlx: SHA-384 of the file's bytes; a blob.
    Sqlx(Vec<u8>),
    /// Flyway: CRC-32 of the lines without their ends; a signed number.
    Flyway(i32),
    /// refinery: SipHash-1-3 of name, version and text, of which the version has 32 or 64 bits; a number as text.
    Refinery {
        /// Where versions have 32 bits; `None` where this one needs more.
        int4: Option<u64>,
        /// Where refinery was built with `int8-versions`.
        int8: u64,
    },
    /// Play: SHA-1 of the way back and the way forward; hexadecimal.
    Play(String),
    /// Prisma: SHA-256 of the file, with the line ends that it had on some machine; hexadecimal.
    Prisma {
        /// As the file stands.
        as_it_is: String,
        /// With `\n` for every `\r\n`.
        unix: String,
        /// With `\r\n` for every `\n`.
        windows: String,
    },
}

impl KeptChecksum {
    /// Whether it is `recorded`, given as the database shows it: hexadecimal for a blob, else as text.
    pub fn is(&self, recorded: &str) -> bool {
        let recorded = recorded.trim();
        match self {
            KeptChecksum::Sqlx(bytes) => {
                hex(bytes).eq_ignore_ascii_case(recorded.trim_start_matches("\\x").trim_start_matches("0x"))
            }
            KeptChecksum::Flyway(number) => number.to_string() == recorded,
            KeptChecksum::Refinery { int4, int8 } => {
                int8.to_string() == recorded || int4.is_some_and(|int4| int4.to_string() == recorded)
            }
            KeptChecksum::Play(hash) => hash.eq_ignore_ascii_case(recorded),
            KeptChecksum::Prisma { as_it_is, unix, windows } => {
                [as_it_is, unix, windows].iter().any(|hash| hash.eq_ignore_ascii_case(recorded))
            }
        }
    }
}

/// As the tool writes it: hexadecimal for a blob, else as text.
impl fmt::Display for KeptChecksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeptChecksum::Sqlx(bytes) => f.write_str(&hex(bytes)),
            KeptChecksum::Flyway(number) => write!(f, "{number}"),
            KeptChecksum::Refinery { int8, .. } => write!(f, "{int8}"),
            KeptChecksum::Play(hash) => f.write_str(hash),
            KeptChecksum::Prisma { as_it_is, .. } => f.write_str(as_it_is),
        }
    }
}

/// What the tool of `format` would have kept of `migration`, whose up stands in `file`. `None` where the tool keeps
/// nothing, or where the file is not held.
pub fn kept_checksum(format: &str, migration: &Migration, file: &SourceFile) -> Option<KeptChecksum> {
    let super::Contents::Text(_) = &file.contents else { return None };
    let text = text(file)?;
    let with_mark = || if file.byte_order_mark { format!("\u{feff}{text}") } else { text.to_owned() };
    match format {
        "sqlx" => Some(KeptChecksum::Sqlx(sha384(&with_mark()))),
        "flyway" => Some(KeptChecksum::Flyway(flyway(text))),
        "refinery" => {
            let version: i64 = migration.version.as_str().parse().ok()?;
            Some(refinery(&migration.name, version, &with_mark()))
        }
        "play" => Some(KeptChecksum::Play(play(text))),
        "prisma" => Some(prisma(&with_mark())),
        _ => None,
    }
}

/// `_sqlx_migrations.checksum`
/// (<https://github.com/launchbadge/sqlx/blob/main/sqlx-core/src/migrate/migration.rs>).
fn sha384(file: &str) -> Vec<u8> {
    use sha2::Digest as _;
    sha2::Sha384::digest(file).to_vec()
}

/// `flyway_schema_history.checksum`: blind to line ends and to a byte order mark
/// (<https://github.com/flyway/flyway/blob/main/flyway-core/src/main/java/org/flywaydb/core/internal/resolver/ChecksumCalculator.java>).
/// Of a repeatable migration Flyway takes it behind its placeholders.
fn flyway(text: &str) -> i32 {
    // Java's readLine ends a line at `\n`, `\r` or `\r\n`; what it gives is added up without them.
    let bytes = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r'));
    crc32::crc32(bytes).cast_signed()
}

/// `refinery_schema_history.checksum`
/// (<https://github.com/rust-db/refinery/blob/main/refinery_core/src/runner.rs>): Rust's own `Hash` of a text, a
/// number and a text.
fn refinery(name: &str, version: i64, sql: &str) -> KeptChecksum {
    let of = |hash_version: &dyn Fn(&mut SipHash13)| {
        let mut hasher = SipHash13::default();
        name.hash(&mut hasher);
        hash_version(&mut hasher);
        sql.hash(&mut hasher);
        hasher.finish()
    };
    // Little-endian, as on every machine that runs refinery.
    let int4 = i32::try_from(version).ok().map(|version| of(&|hasher| hasher.write(&version.to_le_bytes())));
    KeptChecksum::Refinery { int4, int8: of(&|hasher| hasher.write(&version.to_le_bytes())) }
}

/// `play_evolutions.hash`
/// (<https://github.com/playframework/playframework/blob/main/persistence/play-jdbc-evolutions/src/main/scala/play/api/db/evolutions/Evolutions.scala>).
fn play(text: &str) -> String {
    use sha1::Digest as _;
    let (up, down) = play::both_sides(text);
    hex(&sha1::Sha1::digest(format!("{down}{up}")))
}

/// `_prisma_migrations.checksum`.
fn prisma(file: &str) -> KeptChecksum {
    use sha2::Digest as _;
    let of = |text: &str| hex(&sha2::Sha256::digest(text));
    let unix = file.replace("\r\n", "\n");
    KeptChecksum::Prisma { as_it_is: of(file), windows: of(&unix.replace('\n', "\r\n")), unix: of(&unix) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{ReadOptions, read};

    /// Checks that the first migration of `file` is what was `recorded`, and that another text is not.
    fn check(format: &str, file: &SourceFile, recorded: &str) {
        let checksum = |file: &SourceFile| {
            let folder = read(std::slice::from_ref(file), Some(format), &ReadOptions::default()).unwrap();
            kept_checksum(format, &folder.migrations[0], file).unwrap()
        };
        assert!(checksum(file).is(recorded), "{:?}", checksum(file));
        let text = text(file).unwrap().replace("guests", "hosts");
        assert!(!checksum(&SourceFile::text(file.path.clone(), &text)).is(recorded));
    }

    const SQL: &str = "create table guests (\n    id integer not null primary key\n);\n";

    /// By `sha384sum`.
    #[test]
    fn sqlx_keeps_the_bytes() {
        let hash = "e27cd50ccbe9264f05db86df1fd6c9c2d5ce4316c260c1698f598f6b9f0455c7592e75dcb24a94539b06e3adf4048637";
        check("sqlx", &SourceFile::text("1_guests.sql", SQL), hash);
        check("sqlx", &SourceFile::text("1_guests.sql", SQL), &format!("\\x{}", hash.to_uppercase()));
        let marked = SourceFile::text("1_guests.sql", &format!("\u{feff}{SQL}"));
        check(
            "sqlx",
            &marked,
            "807e30e9b2b2786aa31ece2ecc3a2042579f06ca0d08de7161460f0694a987681ef4d2ce33c56472f0bce94989ebc7eb",
        );
    }

    /// By `zlib.crc32` of the lines; the way to take them was checked against the row in Flyway's own manual.
    #[test]
    fn flyway_keeps_the_lines() {
        for text in
            [SQL.to_owned(), SQL.replace('\n', "\r\n"), format!("\u{feff}{SQL}"), SQL.replace('\n', "\r")]
        {
            check("flyway", &SourceFile::text("V1__guests.sql", &text), "-441357935");
        }
    }

    /// By another implementation of SipHash-1-3, which gives the numbers in refinery's own tests.
    #[test]
    fn refinery_keeps_name_version_and_text() {
        let file = SourceFile::text("V1__guests.sql", SQL);
        check("refinery", &file, "2951009678140924936");
        check("refinery", &file, "13330282086850068985");
        let late = SourceFile::text("V20260105090000__guests.sql", SQL);
        check("refinery", &late, "1306096266339842247");
    }

    /// By `sha1sum` of `drop table guests;create table guests (…`.
    #[test]
    fn play_keeps_both_directions_without_their_blanks() {
        let text =
            format!("# Guests\n\n# --- !Ups\n  {}\n\n# --- !Downs\n\n drop table guests;\n", SQL.trim());
        check("play", &SourceFile::text("1.sql", &text), "9dbec3f3180891d1acb3bf98ddb2c7c7232913c3");
        check(
            "play",
            &SourceFile::text("1.sql", &text.replace('\n', "\r\n")),
            "9dbec3f3180891d1acb3bf98ddb2c7c7232913c3",
        );
    }

    /// By `sha256sum`.
    #[test]
    fn prisma_keeps_the_bytes_of_some_machine() {
        for text in [SQL.to_owned(), SQL.replace('\n', "\r\n")] {
            check(
                "prisma",
                &SourceFile::text("1_guests/migration.sql", &text),
                "10aaf0771d2ccb223ab2b922f408c77054eb84238cbf9ee128f26f3c9669fa07",
            );
            check(
                "prisma",
                &SourceFile::text("1_guests/migration.sql", &text),
                "1a737fcda3a1cf207a0a1c0d161ecd41c5323552771f150ab385c2b0adfe21fb",
            );
        }
    }

    #[test]
    fn others_keep_nothing() {
        let file = SourceFile::text("1_guests.up.sql", SQL);
        let folder =
            read(std::slice::from_ref(&file), Some("golang-migrate"), &ReadOptions::default()).unwrap();
        assert_eq!(kept_checksum("golang-migrate", &folder.migrations[0], &file), None);
    }
}
