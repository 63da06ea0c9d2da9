//! Taking over a database that another tool has migrated: its history is read, compared with the files, and written
//! to the journal. Nothing is run.
//!
//! - `tool`: what is known of a tool, and what its history says;
//! - `tools`: one file for each tool;
//! - `find`: which of a database's tables are such histories;
//! - `files`: what each tool would have kept of the files;
//! - `plan`: what is written to the journal, or why not (pure);
//! - `record`: writing it;
//! - `mirror`: keeping the tool's table in step afterwards.

pub mod files;
pub mod find;
pub mod mirror;
pub mod plan;
pub mod record;
pub mod tool;
pub mod tools;
