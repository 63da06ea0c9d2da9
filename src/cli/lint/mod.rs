//! What `twostep lint` needs beside its arguments:
//!
//! - `target`: from the paths of the command line to migrations and those among them that are judged.

pub mod target;
