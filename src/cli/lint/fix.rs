//! Edits that do what a finding's help says: shown as a diff, then written.

use crate::cli::exit::Exit;
use crate::cli::printer::Report;
use crate::report::{Findings, Item};
use crate::rules::rule::Edit;
use similar::TextDiff;
use std::collections::BTreeMap;
use std::path::Path;

/// A file with its edits done.
pub struct Fixed<'f> {
    file: &'f str,
    old: &'f str,
    new: String,
    /// How many findings are gone with it.
    pub findings: usize,
}

/// The files that `findings` know edits for. Of edits that overlap the first is done.
pub fn fixed(findings: &Findings) -> Vec<Fixed<'_>> {
    let mut files: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
    for item in findings.items.iter().filter(|item| !item.finding.fix.is_empty()) {
        files.entry(&item.file).or_default().push(item);
    }
    files.into_iter().map(|(file, items)| fixed_file(file, &items)).collect()
}

fn fixed_file<'f>(file: &'f str, items: &[&'f Item]) -> Fixed<'f> {
    let old: &str = &items[0].text;
    let mut done: Vec<&Edit> = Vec::new();
    let mut findings = 0;
    for item in items {
        let edits = &item.finding.fix;
        let overlaps = |edit: &Edit| done.iter().any(|other| *other != edit && touch(edit, other));
        if !edits.iter().any(overlaps) {
            findings += 1;
            let new: Vec<&Edit> = edits.iter().filter(|edit| !done.contains(edit)).collect();
            done.extend(new);
        }
    }
    done.sort_by_key(|edit| edit.span);
    let mut new = String::with_capacity(old.len() + 64);
    let mut at = 0;
    for edit in done {
        new.push_str(&old[at..edit.span.start]);
        new.push_str(&edit.text);
        at = edit.span.end;
    }
    new.push_str(&old[at..]);
    Fixed { file, old, new, findings }
}

/// Whether two edits change the same place.
fn touch(one: &Edit, other: &Edit) -> bool {
    one.span.start <= other.span.end && other.span.start <= one.span.end
}

impl Fixed<'_> {
    /// What it changes, as a unified diff.
    pub fn diff(&self) -> String {
        let (old, new) = (format!("a/{}", self.file), format!("b/{}", self.file));
        TextDiff::from_lines(self.old, &self.new).unified_diff().header(&old, &new).to_string()
    }

    /// Writes it, unless the file is no longer what was judged.
    pub fn write(&self) -> Result<(), Report> {
        let failed = |why: String| {
            Report::new(Exit::Usage, format!("cannot write `{}`", self.file))
                .why(why)
                .state("the files whose diffs were shown before are written; this one is as it was")
                .help("make it writable, then run the same command again")
        };
        let path = Path::new(self.file);
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let mark = if text.starts_with('\u{feff}') { "\u{feff}" } else { "" };
        if &text[mark.len()..] != self.old {
            return Err(failed("it has changed since it was read".to_owned()));
        }
        std::fs::write(path, format!("{mark}{}", self.new)).map_err(|error| failed(error.to_string()))
    }
}
