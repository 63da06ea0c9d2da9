//! What is known of the running code: its queries, and what each uses of a schema (`resolve`, through the names in
//! `scope`, giving `uses`).
//! `model` is the file that all of it is kept in, with what databases say of themselves (`facts`), and why it proves
//! less than it seems to (`gaps`); `sources` is where queries are found, `day` counts days.

pub mod day;
pub mod facts;
mod gaps;
pub mod model;
pub mod resolve;
mod scope;
pub mod sources;
#[cfg(test)]
mod tests;
pub mod uses;
mod write;
