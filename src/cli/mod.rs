//! The command line: arguments, settings, output and one file per command.

pub mod args;
pub mod commands;
pub mod context;
pub mod entry;
pub mod evidence;
pub mod exit;
pub mod explain;
pub mod gate;
pub mod lint;
pub mod printer;
pub mod proof;
pub mod roundtrip;
pub mod settings;
pub mod since;
pub mod verify;

pub use entry::main;
