//! Puts rows into every empty table: what there is to fill (`tables`), which values its types and checks may take
//! (`values`), and trying them until the server takes a row (`insert`).

mod insert;
mod tables;
mod values;

pub(super) use insert::fill;
