//! One file for each tool whose history can be taken over, and the list of all of them.

pub mod alembic;
pub mod dbmate;
pub mod diesel;
pub mod ecto;
pub mod flyway;
pub mod golang_migrate;
pub mod goose;
pub mod maragu;
pub mod play;
pub mod prisma;
pub mod rails;
pub mod refinery;
pub mod sql_migrate;
pub mod sqlx_migrate;

use super::tool::Tool;

/// All of them. A new one is a file here, a line above and one in the list; of two that take the same table for
/// theirs, the first has it.
pub static TOOLS: &[&dyn Tool] = &[
    &sqlx_migrate::Sqlx,
    &golang_migrate::GolangMigrate,
    &goose::Goose,
    &rails::Rails,
    &dbmate::Dbmate,
    &diesel::Diesel,
    &refinery::Refinery,
    &flyway::Flyway,
    &ecto::Ecto,
    &alembic::Alembic,
    &play::Play,
    &prisma::Prisma,
    &sql_migrate::SqlMigrate,
    &maragu::Maragu,
];

/// The tool that people call `id`.
pub fn by_id(id: &str) -> Option<&'static dyn Tool> {
    TOOLS.iter().copied().find(|tool| tool.id() == id)
}
