//! What `twostep roundtrip` needs beside its arguments:
//!
//! - `wish`: where the scratch databases are made;
//! - `preparation`: from arguments, settings and files to the options of a run;
//! - `explain`: its errors.

mod explain;
mod preparation;
mod wish;

pub use explain::broken;
pub use preparation::Preparation;
pub use wish::{Wished, wish};
