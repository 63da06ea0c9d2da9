//! Puts rows into every empty table: what there is to fill (`tables`), which values its types and checks may take
//! (`values`), and trying them until the server takes a row (`insert`).

pub(crate) mod insert;
pub(crate) mod tables;
pub(crate) mod values;

pub(crate) use insert::fill;
