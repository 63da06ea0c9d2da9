//! The evidence file, read and written.

use super::exit::Exit;
use super::printer::Report;
use crate::evidence::model::Evidence;
use std::path::Path;

/// The evidence in the file `path`.
pub fn read(path: &Path) -> Result<Evidence, Report> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Report::new(Exit::Usage, format!("cannot read the evidence `{}`", path.display()))
            .why(error.to_string())
            .state("nothing was judged, nothing changed")
            .help("make it with `twostep capture`, or name another file with --evidence")
    })?;
    Evidence::parse(&text).map_err(|why| {
        Report::new(Exit::Usage, format!("`{}` is no evidence", path.display()))
            .why(why)
            .state("nothing was judged, nothing changed")
            .help("make it anew with `twostep capture`")
    })
}

/// Writes `evidence` to the file `path`.
pub fn write(path: &Path, evidence: &Evidence) -> Result<(), Report> {
    std::fs::write(path, evidence.to_json()).map_err(|error| {
        Report::new(Exit::Usage, format!("cannot write `{}`", path.display()))
            .why(error.to_string())
            .state("nothing else changed")
            .help("name another file with --out")
    })
}
