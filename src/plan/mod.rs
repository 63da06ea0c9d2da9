//! From a hazardous migration to the deploy that is not: expand, backfill, contract.
//!
//! What the two steps of one change are, the engine knows (`engine::propose`), and `lint` shows the same.
//! - `concern`: what a change is about, so that one on what another takes apart waits for the contract;
//! - `fills`: what columns hold in rows that do not give them;
//! - `given`: what the statements of a migration say of each other;
//! - `decide`: what becomes of each statement: kept, taken apart, or refused;
//! - `deploy`: those together, in an order in which every stage works;
//! - `script`: the SQL of each stage, with what takes it back;
//! - `files`: the migrations of the deploy in the folder's own format;
//! - `plain`: the migration that they stand for, kept in them;
//! - `show`: the deploy as a table.

mod concern;
mod decide;
mod deploy;
mod files;
mod fills;
mod given;
mod plain;
mod script;
mod show;

pub use decide::Refusal;
pub use deploy::{Deploy, Part, Phase, Request, plan, plan_behind};
pub use files::{FilesProblem, PlannedFiles, files, migrations};
pub use fills::{Filled, parse_fill};
pub use plain::stands_for;
pub use script::PlannedScript;
pub use show::table;
