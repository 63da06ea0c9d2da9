//! What is known of the running code: its queries, and what each uses of a schema (`resolve`, through the names in
//! `scope`, giving `uses`).
//! `model` is the file that all of it is kept in, `sources` is where queries are found.

pub mod model;
pub mod resolve;
mod scope;
pub mod sources;
#[cfg(test)]
mod tests;
pub mod uses;
mod write;
