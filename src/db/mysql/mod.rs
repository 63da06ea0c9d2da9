//! MySQL and MariaDB: the engine (`engine`), its sessions (`session`) and what looks at them from outside
//! (`watcher`); what a migration leaves behind in its session (`leftovers`), how the outcome of a statement that
//! commits by itself is told (`alone`), what a server says of itself (`server`), and its errors (`error`).

mod alone;
mod engine;
mod error;
mod leftovers;
mod server;
mod session;
mod watcher;

pub use engine::MysqlEngine;
