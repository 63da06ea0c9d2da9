//! What `twostep lint` needs beside its arguments:
//!
//! - `baseline`: findings that are accepted, so that only new ones fail;
//! - `fix`: edits that do what a finding's help says;
//! - `levels`: which rules are looked for and how bad each is, as twostep.toml says;
//! - `since`: what is new or changed since a revision, as git says;
//! - `target`: from the paths of the command line to migrations and those among them that are judged.

pub mod baseline;
pub mod fix;
pub mod levels;
pub mod since;
pub mod target;

pub use target::configured_dialect;
